"""Which subscriptions are told of an alert revision.

A subscription follows an alert from the first revision that it asks for on; then it is told of
every later one, also once its severity has fallen or the signal asked for has faded: who was told
that something began is told how it ends. While an alert is silenced nobody is told, but for its
end. One that nobody acknowledges is passed on as the subscriptions that follow it say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from detectors.delivery_records import Parcel, Subscription
from detectors.life import ENDED
from detectors.records import Alert
from streams.sinks.base import idempotency_key, wants

#: For so long a subscription still hears of an alert that is over: that its claim is settled.
_REMEMBERED: Final = timedelta(days=90)
#: States of a subscription in which it is told of alerts.
_TOLD: Final = frozenset(("active", "failing"))


class Following(Struct):
    """Who follows an alert."""

    alert: Alert  # the last revision
    subscriptions: list[str] = []  # in the order in which they began to
    escalated: list[str] = []  # those whose rule has been followed
    again: int = 0  # how often it was told anew to channels that forget
    told_at: datetime | None = None  # when that was last


class Router:
    """Follows the alerts of one partition."""

    def __init__(self) -> None:
        """Begin with no alert."""
        self.alerts: dict[str, Following] = {}
        self.touched: set[str] = set()

    def take(
        self, alert: Alert, subscriptions: Iterable[Subscription], now: datetime
    ) -> list[Parcel]:
        """Return what an alert revision gives subscribers; a revision that came before, again."""
        known = self.alerts.get(alert.id)
        if known is None:
            known = self.alerts[alert.id] = Following(alert)
        if alert.revision >= known.alert.revision:
            known.alert = alert
        self.touched.add(alert.id)
        ended = alert.state in ENDED
        found: list[Parcel] = []
        for subscription in subscriptions:
            follows = subscription.id in known.subscriptions
            if subscription.state not in _TOLD or (alert.silence is not None and not ended):
                continue
            if not follows and (alert.silence is not None or not wants(subscription, alert)):
                continue
            if not follows:
                known.subscriptions.append(subscription.id)
            found.append(parcel(alert, subscription, now))
        return found

    def escalate(self, subscriptions: Mapping[str, Subscription], now: datetime) -> list[Parcel]:
        """Return what goes to others because nobody has acknowledged an alert for too long."""
        return [
            found
            for known in self.alerts.values()
            for found in self._due(known, subscriptions, now)
        ]

    def _due(
        self, known: Following, subscriptions: Mapping[str, Subscription], now: datetime
    ) -> Iterator[Parcel]:
        alert = known.alert
        if alert.state != "open" or alert.acknowledged_by or alert.silence is not None:
            return
        for name in list(known.subscriptions):
            subscription = subscriptions.get(name)
            rule = subscription.escalation if subscription else None
            if rule is None or name in known.escalated:
                continue
            if now - alert.opened_at < timedelta(hours=rule.after_hours):
                continue
            known.escalated.append(name)
            self.touched.add(alert.id)
            other = subscriptions.get(rule.to)
            if other is None or other.state not in _TOLD or other.id in known.subscriptions:
                continue
            known.subscriptions.append(other.id)
            yield parcel(alert, other, now)

    def remind(
        self,
        subscriptions: Mapping[str, Subscription],
        every: Mapping[str, timedelta],
        now: datetime,
    ) -> list[Parcel]:
        """Return live alerts anew for channels that forget.

        Args:
            subscriptions: All subscriptions by id.
            every: How often, by the sink; the others do not forget.
            now: The time.
        """
        shortest, found = min(every.values(), default=None), list[Parcel]()
        for known in self.alerts.values():
            alert = known.alert
            if shortest is None or alert.state in ENDED or alert.silence is not None:
                continue
            if now - (known.told_at or alert.at) < shortest:
                continue
            following = [
                subscriptions[name] for name in known.subscriptions if name in subscriptions
            ]
            forgetful = [s for s in following if s.sink in every and s.state in _TOLD]
            if forgetful:
                known.again, known.told_at = known.again + 1, now
                self.touched.add(alert.id)
                found += [parcel(alert, each, now, known.again) for each in forgetful]
        return found

    def forget(self, now: datetime) -> list[str]:
        """Drop the alerts that were over long ago; return their ids."""
        old = [
            name
            for name, known in self.alerts.items()
            if known.alert.state in ENDED and now - known.alert.at > _REMEMBERED
        ]
        for name in old:
            del self.alerts[name]
        return old


def parcel(alert: Alert, subscription: Subscription, now: datetime, again: int = 0) -> Parcel:
    """Return what tells a subscription of an alert revision, `again` times before."""
    key = idempotency_key(alert, subscription)
    return Parcel(f"{key}/{again}" if again else key, subscription.id, alert, now, again)
