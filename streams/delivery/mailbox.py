"""What waits for one subscription, and what goes to it next. Pure: time is an argument.

Revisions of one alert are told in order. What comes in quiet hours, or between two digests, is
held and told as one digest, each alert as it then stands. Trouble is tried again at growing
intervals until the attempts are used up; while a channel is in trouble one message at a time
probes it. Nothing is dropped in silence: whatever becomes of a revision gives a `Delivery`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple

from msgspec import Struct

from detectors.delivery_records import Delivery, DeliveryStatus, Parcel, Quiet, Subscription
from streams.delivery.times import next_digest, quiet_until
from streams.sinks.base import SEVERITY_RANK, Answer, Delivered, Message, Retry, of_alert

_FIRST_WAIT: Final = 1.0  # seconds, doubled with each attempt
_LONGEST_WAIT: Final = 3_600.0
_WEEK: Final = timedelta(days=7)
_REMEMBERED: Final = timedelta(days=90)
#: Alerts in one digest at most; the rest goes into another.
MOST_IN_DIGEST: Final = 50


class Box(Struct):
    """What is remembered of a subscription between two runs."""

    told: dict[str, tuple[int, datetime]] = {}  # alert -> last revision dealt with, when
    left_out: dict[str, datetime] = {}  # alerts beyond the week's budget -> when
    begun: dict[str, datetime] = {}  # new alerts of the last week -> when they were let in
    failing_since: datetime | None = None
    challenged: int = 0  # the secret's number of the last challenge


class Terms(Struct, frozen=True):
    """How hard it is tried."""

    attempts: int = 24
    stale: timedelta = timedelta(hours=48)
    at_once: int = 4  # messages on their way to one subscription
    documents: frozenset[str] = frozenset()  # sinks that show how things stand: old is as good


class Item(Struct):
    """A parcel that waits."""

    offset: int
    parcel: Parcel
    attempts: int = 0
    not_before: datetime | None = None
    held: bool = False
    pressing: bool = False  # whether it is not to be held, as what comes after it is grave
    digest: str = ""  # the digest that it is part of, once that was sent: the same when tried again


class Sending(Struct, frozen=True):
    """A message on its way, and the parcels that it tells of."""

    message: Message
    items: tuple[Item, ...]


class Verdict(NamedTuple):
    """What became of a parcel."""

    status: DeliveryStatus
    reason: str = ""
    message: str = ""  # the id of the message that was sent, if any was


class Outcome(Struct):
    """What became of parcels: the offsets that are done, the records of it, what was given up."""

    done: list[int] = []
    deliveries: list[Delivery] = []
    given_up: list[Parcel] = []


class Mailbox:
    """Keeps the parcels of one subscription in order."""

    def __init__(self, name: str, terms: Terms, box: Box | None = None) -> None:
        """Take the subscription's id, how hard to try, and what is remembered of it."""
        self.name = name
        self.box = box or Box()
        self._terms = terms
        self._items: dict[str, Item] = {}  # by the parcel's id, in order
        self._fresh: list[str] = []  # parcels that have not been looked at
        self._away: dict[str, Sending] = {}  # by the message's id

    @property
    def waiting(self) -> int:
        """How many parcels wait, those on their way included."""
        return len(self._items)

    def add(self, offset: int, parcel: Parcel) -> bool:
        """Take in a parcel; return whether it is new."""
        revision, _ = self.box.told.get(parcel.alert.id, (-1, parcel.at))
        is_known = parcel.alert.revision < revision + (not parcel.again)
        if is_known or parcel.id in self._items:
            return False
        self._items[parcel.id] = Item(offset, parcel)
        self._fresh.append(parcel.id)
        return True

    def settle(self, subscription: Subscription | None, now: datetime) -> Outcome:
        """Deal with the parcels that are not to be sent, or not now."""
        outcome, fresh = Outcome(), [n for n in self._fresh if n in self._items]
        closed = _closed(subscription)
        if closed is not None or subscription is None:
            away = {item.parcel.id for each in self._away.values() for item in each.items}
            items = [item for name, item in self._items.items() if name not in away]
            self._finish(outcome, items, subscription, closed or _GONE, now)
            return outcome
        self._fresh.clear()
        for item in [self._items[name] for name in fresh]:
            refused = self._too_late_or_too_much(subscription, item, now)
            if refused is not None:
                self._finish(outcome, [item], subscription, refused, now)
        if subscription.digest is not None:
            for item in [self._items[name] for name in fresh if name in self._items]:
                until = next_digest(subscription.digest, subscription.time_zone, item.parcel.at)
                self._hold(outcome, item, subscription, until, now)
        elif subscription.quiet is not None:
            self._keep_quiet(outcome, subscription, subscription.quiet, now)
        return outcome

    def _too_late_or_too_much(
        self, subscription: Subscription, item: Item, now: datetime
    ) -> Verdict | None:
        """Let a parcel in; return why it is not."""
        alert, box = item.parcel.alert, self.box
        if alert.id in box.left_out:
            return Verdict("over_budget", "the alert came when the week's budget was used up")
        if alert.id in box.told or alert.id in box.begun:
            return None  # who was told that it began is told how it ends
        is_document = subscription.sink in self._terms.documents
        if now - alert.at > self._terms.stale and not is_document:
            return Verdict("stale", f"of {alert.at:%Y-%m-%d}: not told as if it were new")
        most = subscription.most_per_week
        if most is not None and sum(now - at < _WEEK for at in box.begun.values()) >= most:
            box.left_out[alert.id] = now
            return Verdict("over_budget", f"{most} in 7 days are told already")
        box.begun[alert.id] = now
        return None

    def _keep_quiet(
        self, outcome: Outcome, subscription: Subscription, quiet: Quiet, now: datetime
    ) -> None:
        """Hold what is not grave until the quiet hours end, but for what a grave one follows."""
        until = quiet_until(quiet, subscription.time_zone, now)
        if until is None:
            return
        least = SEVERITY_RANK[quiet.override]
        grave: set[str] = set()
        for item in reversed(self._items.values()):
            alert = item.parcel.alert
            if SEVERITY_RANK[alert.severity] >= least:
                grave.add(alert.id)
            elif alert.id in grave:
                item.pressing = True
                if item.held:
                    item.held, item.not_before = False, None
        for item in self._items.values():
            severity = SEVERITY_RANK[item.parcel.alert.severity]
            if severity < least and not item.held and not item.pressing:
                self._hold(outcome, item, subscription, until, now)

    def _hold(
        self,
        outcome: Outcome,
        item: Item,
        subscription: Subscription,
        until: datetime,
        now: datetime,
    ) -> None:
        item.held, item.not_before = True, until
        verdict = Verdict("held", f"until {until:%Y-%m-%dT%H:%MZ}")
        outcome.deliveries.append(self._record(item, subscription, verdict, now))

    def next(self, subscription: Subscription, now: datetime) -> Sending | None:
        """Return what to send now, None where there is nothing."""
        if len(self._away) >= (1 if self.box.failing_since else self._terms.at_once):
            return None
        busy = {i.parcel.alert.id for each in self._away.values() for i in each.items}
        due: list[Item] = []
        for item in self._items.values():
            alert = item.parcel.alert.id
            if alert in busy:
                continue
            if item.not_before is not None and item.not_before > now:
                busy.add(alert)  # later revisions wait for it
            elif item.held:
                if not due or item.digest == due[0].digest:
                    due.append(item)
            elif not due:
                return self._send(of_alert(item.parcel.alert, subscription), [item])
        return self._digest(subscription, due) if due else None

    def wakes_at(self) -> datetime | None:
        """Return when something that waits is due; None where nothing waits for its time."""
        times = (item.not_before for item in self._items.values())
        return min((at for at in times if at is not None), default=None)

    def _digest(self, subscription: Subscription, due: list[Item]) -> Sending:
        last = {item.parcel.alert.id: item for item in due}
        told = list(last.values())[:MOST_IN_DIGEST]
        shown = {item.parcel.alert.id for item in told}
        items = [item for item in due if item.parcel.alert.id in shown]
        if len(told) == 1:
            return self._send(of_alert(told[0].parcel.alert, subscription), items)
        digest = blake2b("|".join(i.parcel.id for i in items).encode(), digest_size=12).hexdigest()
        for item in items:
            item.digest = digest
        alerts = tuple(item.parcel.alert for item in told)
        at = max(alert.at for alert in alerts)
        return self._send(Message(f"digest/{self.name}/{digest}", "digest", at, alerts), items)

    def _send(self, message: Message, items: Sequence[Item]) -> Sending:
        sending = self._away[message.id] = Sending(message, tuple(items))
        return sending

    def answer(
        self, sending: Sending, subscription: Subscription, answer: Answer, now: datetime
    ) -> Outcome:
        """Take in what a receiver answered."""
        outcome, key, items = Outcome(), sending.message.id, sending.items
        self._away.pop(key, None)
        for item in items:
            item.attempts += 1
        if isinstance(answer, Delivered):
            self.box.failing_since = None
            self._finish(outcome, items, subscription, Verdict("delivered", "", key), now)
            return outcome
        self.box.failing_since = self.box.failing_since or now
        attempts = max(item.attempts for item in items)
        if not isinstance(answer, Retry):
            verdict = Verdict("rejected", answer.reason, key)
            self._finish(outcome, items, subscription, verdict, now)
        elif attempts >= self._terms.attempts:
            outcome.given_up.extend(item.parcel for item in items)
            verdict = Verdict("given_up", answer.reason, key)
            self._finish(outcome, items, subscription, verdict, now)
        else:
            wait = max(answer.after_seconds, backoff(key, attempts))
            verdict = Verdict("retry", answer.reason, key)
            for item in items:
                item.not_before = now + timedelta(seconds=wait)
                outcome.deliveries.append(self._record(item, subscription, verdict, now))
        return outcome

    def forget(self, now: datetime) -> None:
        """Drop what is remembered of alerts of long ago."""
        box = self.box
        box.told = {a: t for a, t in box.told.items() if now - t[1] < _REMEMBERED}
        box.left_out = {a: at for a, at in box.left_out.items() if now - at < _REMEMBERED}
        box.begun = {a: at for a, at in box.begun.items() if now - at < _WEEK}

    def _finish(
        self,
        outcome: Outcome,
        items: Sequence[Item],
        subscription: Subscription | None,
        verdict: Verdict,
        now: datetime,
    ) -> None:
        """Be done with parcels."""
        for item in items:
            del self._items[item.parcel.id]
            alert = item.parcel.alert
            if verdict.message:
                known = self.box.told.get(alert.id, (-1, now))[0]
                # What was given up may be sent again from the dead letters.
                revision = -1 if verdict.status == "given_up" else alert.revision
                self.box.told[alert.id] = (max(known, revision), now)
            outcome.done.append(item.offset)
            outcome.deliveries.append(self._record(item, subscription, verdict, now))

    def _record(
        self, item: Item, subscription: Subscription | None, verdict: Verdict, now: datetime
    ) -> Delivery:
        attempt = max(1, item.attempts)
        return Delivery(
            id=f"{item.parcel.id}/{attempt if verdict.message else verdict.status}",
            alert=item.parcel.alert.id,
            revision=item.parcel.alert.revision,
            subscription=self.name,
            sink=subscription.sink if subscription else "",
            at=now,
            attempt=attempt,
            status=verdict.status,
            reason=verdict.reason,
            message=verdict.message,
        )


_GONE: Final = Verdict("rejected", "the subscription was removed")


def _closed(subscription: Subscription | None) -> Verdict | None:
    """Return why a subscription gets nothing, None where it may."""
    if subscription is None or subscription.state == "removed":
        return _GONE
    if subscription.state in ("paused", "pending"):
        return Verdict("rejected", f"the subscription is {subscription.state}")
    return None


def backoff(key: str, attempt: int) -> float:
    """Return the seconds to wait after an attempt: doubled each time, an hour at most.

    They are drawn from the upper half of that, by the message and the attempt, so that receivers
    who come back are not met by all senders at once.

    >>> [0.5 <= backoff("a", 1) <= 1.0, backoff("a", 40) <= 3600.0]
    [True, True]
    """
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempt - 1, 20))
    part = int.from_bytes(blake2b(f"{key}/{attempt}".encode(), digest_size=2).digest()) / 65_535
    return longest * (0.5 + 0.5 * part)
