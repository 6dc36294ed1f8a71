"""Subscriptions, what they are to expect, and what became of alerts, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from detectors.delivery_records import Delivery, Subscription
from detectors.world.units import name_of
from streams.commands import base
from streams.commands.settings import mask_url
from streams.wording import number, percent

if TYPE_CHECKING:
    from streams.expected import Estimate, Expectation
    from streams.store import Channel

_SHOWN: Final = 4
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Listed(Struct, frozen=True):
    """A subscription and how its channel fares."""

    subscription: Subscription
    origin: str  # "settings" or "topic"
    last_delivered: datetime | None
    failing_since: datetime | None
    failures: int  # attempts since then


class Told(Struct, frozen=True):
    """One attempt to deliver, and what it told."""

    delivery: Delivery
    headline: str | None  # None: the store does not have the revision
    changed: str | None


def asks(subscription: Subscription) -> str:
    """Say which alerts a subscription asks for.

    >>> asks(Subscription("a", "atom", "a", units=("AFG",), directions=("rise",)))
    'watch and above, Afghanistan, rise'
    >>> asks(Subscription("a", "atom", "a"))
    'every alert'
    """
    parts = []
    if subscription.units:
        parts.append(_some([name_of(unit) for unit in subscription.units]))
    if subscription.signals:
        parts.append(_some(list(subscription.signals)))
    parts += [each for each in subscription.directions if len(subscription.directions) == 1]
    if subscription.minimum_probability:
        parts.append(f"claims of {percent(subscription.minimum_probability)} or more")
    if subscription.unplaced:
        parts.append("also without a place")
    severity = subscription.minimum_severity
    if not parts and severity == "watch":
        return "every alert"
    return ", ".join([severity if severity == "critical" else f"{severity} and above", *parts])


def times(subscription: Subscription) -> str:
    """Say when a subscription is told.

    >>> from detectors.delivery_records import Digest, Quiet
    >>> times(Subscription("a", "atom", "a", digest=Digest("week"), time_zone="Asia/Kabul"))
    'Monday 07:00 Asia/Kabul'
    >>> times(Subscription("a", "atom", "a", quiet=Quiet("22:00", "07:00"), most_per_week=3))
    'at once, not 22:00 to 07:00 UTC but for critical, at most 3 a week'
    """
    digest, quiet = subscription.digest, subscription.quiet
    parts = ["at once"]
    if digest is not None:
        day = "daily" if digest.every == "day" else _DAYS[digest.weekday]
        parts = [f"{day} {digest.at} {subscription.time_zone}"]
    if quiet is not None:
        hours = f"not {quiet.first} to {quiet.until} {subscription.time_zone}"
        parts.append(f"{hours} but for {quiet.override}")
    if subscription.most_per_week is not None:
        parts.append(f"at most {subscription.most_per_week} a week")
    return ", ".join(parts)


def masked(subscription: Subscription) -> str:
    """Return the address without what may be its secret: the path of a webhook."""
    if subscription.sink == "webhook":
        return mask_url(subscription.address, path=True)
    return subscription.address


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return " or ".join([*names[:_SHOWN], *([f"{more} more"] if more > 0 else [])])


def print_list(found: Sequence[Listed]) -> None:
    """Print subscriptions as a table."""
    base.print_table(
        ("id", "state", "sink", "address", "asks for", "told", "last delivered", "failing since"),
        [
            (
                each.subscription.id,
                each.subscription.state,
                each.subscription.sink,
                masked(each.subscription),
                asks(each.subscription),
                times(each.subscription),
                _last(each),
                _failing(each),
            )
            for each in found
        ],
    )


def _last(each: Listed) -> str:
    return "never" if each.last_delivered is None else base.when(each.last_delivered)


def _failing(each: Listed) -> str:
    if each.failing_since is None:
        return "no"
    return f"{base.when(each.failing_since)}, {each.failures} attempts"


def print_one(each: Listed, address: str) -> None:
    """Print one subscription, a line for each thing there is to know."""
    of = each.subscription
    base.say(f"{of.id}: {of.state}{f', {of.reason}' if of.reason else ''}", style="bold")
    rows = {
        "sink": of.sink,
        "address": address,
        "asks for": asks(of),
        "units": ", ".join(f"{unit} {name_of(unit)}" for unit in of.units) or "all",
        "told": times(of),
        "language": of.language,
        "escalates": "no" if of.escalation is None else (
            f"to {of.escalation.to} after {number(of.escalation.after_hours)} h "
            "without acknowledgement"
        ),
        "owner": of.owner or "nobody is told when the channel is dead",
        "stands in": each.origin,
        "changed": "unknown" if of.at is None else base.when(of.at),
        "last delivered": _last(each),
        "failing since": _failing(each),
    }  # fmt: skip
    if of.sink == "webhook" and each.origin == "topic":
        since = f", since {base.when(of.rotated_at)}" if of.rotated_at else ""
        rows["secret"] = f"number {of.secret}{since}"
    for name, value in rows.items():
        base.say(f"  {name}: {value}")


# What to expect


def expectation(found: Expectation) -> Iterator[str]:
    """Say what a subscriber is to expect, a line for each figure."""
    low, high = found.in_one_week
    yield f"Alerts: {_of(found.per_week)} a week; in 9 weeks of 10 between {low} and {high}"
    if found.weeks:
        yield (
            f"  from {found.alerts} in the {found.weeks:.1f} weeks that are known, and the alert "
            f"budget: {number(found.budget_per_week)} a week in all units asked for"
        )
        if found.clusters > 1:
            yield f"  they come in clusters: weeks vary {found.clusters:.1f} times as by chance"
    else:
        yield f"  from the alert budget: {number(found.budget_per_week)} a week in all units"
    yield from _false(found)
    if found.cut is not None:
        cut = found.cut
        yield (
            f"Withheld by {cut.most_per_week} a week at most: {number(cut.per_week)} a week; of "
            f"the {cut.known} that are known {cut.withheld} would have been"
        )
    for remark in found.remarks:
        yield f"Note: {remark}"


def _false(found: Expectation) -> Iterator[str]:
    if found.base == "settled claims" and found.false_share is not None:
        low, high = found.false_share
        yield f"Of these false: {_of(found.false_per_week)} a week"
        yield (
            f"  from settled claims: {found.false} of {found.settled} did not come true "
            f"({percent(low)} to {percent(high)}, 95%)"
        )
        return
    yield f"Of these false: at most {number(found.false_per_week.high)} a week"
    yield (f"  from the alert budget: {found.settled} claims in scope are settled, too few to tell")


def _of(value: Estimate) -> str:
    return f"{number(value.mean)} ({number(value.low)} to {number(value.high)}, 90%)"


def listed(subscription: Subscription, channel: Channel | None, *, is_of_settings: bool) -> Listed:
    """Return a subscription beside how its channel fares."""
    return Listed(
        subscription,
        "settings" if is_of_settings else "topic",
        channel.last_delivered if channel else None,
        channel.failing_since if channel else None,
        channel.failures if channel else 0,
    )


# What became of alerts


def print_audit(found: Sequence[Told]) -> None:
    """Print attempts to deliver, and sum them up."""
    base.print_table(
        ("at", "subscription", "what became of it", "alert", "revision", "what", "why"),
        [
            (
                base.when(each.delivery.at),
                each.delivery.subscription,
                _status(each.delivery),
                each.delivery.alert,
                str(each.delivery.revision),
                each.headline or "not in the store",
                each.delivery.reason,
            )
            for each in found
        ],
    )
    counts: dict[str, int] = {}
    for each in found:
        status = each.delivery.status.replace("_", " ")
        counts[status] = counts.get(status, 0) + 1
    base.note(", ".join(f"{count} {status}" for status, count in sorted(counts.items())))


def _status(delivery: Delivery) -> str:
    text = delivery.status.replace("_", " ")
    return f"{text} (attempt {delivery.attempt})" if delivery.attempt > 1 else text
