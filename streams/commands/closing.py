"""How far from the usual an alert is and since when, and what would close it, in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from math import ceil, floor, isfinite, log

from msgspec import Struct

from detectors.alerting import Policy
from detectors.budget import QUIET
from detectors.ledger import VIOLENCE
from detectors.life import ENDED
from detectors.onsets import start_of_change
from detectors.records import Alert, Direction
from streams.commands.record import counts_violence
from streams.wording import number


class Difference(Struct, frozen=True):
    """What was seen beside what was expected; None where it is not known."""

    observed: int | None
    expected: float | None
    window_days: int | None
    more: float | None  # observed less expected
    times: float | None  # observed by expected
    since: date | None  # the day on which the difference began, by the daily counts
    per_year: float | None  # how often such evidence occurs in a usual unit-year


def difference(first: Alert) -> Difference:
    """Return how far from the usual an alert was when it opened."""
    seen, usual = first.observed, first.expected
    known = seen is not None and usual is not None
    return Difference(
        observed=seen,
        expected=usual,
        window_days=first.window_days,
        more=round(seen - usual, 3) if known and seen is not None and usual is not None else None,
        times=round(seen / usual, 3) if seen is not None and usual else None,
        since=since(first),
        per_year=first.per_year,
    )


def since(alert: Alert) -> date | None:
    """Return the day from which the counts most likely differ from the usual, or None.

    It is looked for in the alert's window and as many days before it, a week at least: what is
    usual may be that of a lull, of which longer ago knew nothing.
    """
    rate = _rate(alert)
    if rate is None or alert.series_end is None or not alert.daily or not _daily_is_its(alert):
        return None
    near = alert.daily[-max(7, 2 * (alert.window_days or 0)) :]
    start = start_of_change(near, rate, alert.direction)
    return alert.series_end - timedelta(days=len(near) - 1 - start)


def _daily_is_its(alert: Alert) -> bool:
    """Whether the daily counts are of what the alert's claim counts."""
    return counts_violence(alert.unit) and alert.claim.resolver.indicator == VIOLENCE


def _rate(alert: Alert) -> float | None:
    """Return the incidents expected a day."""
    if alert.expected is None or not alert.window_days or not isfinite(alert.expected):
        return None
    return alert.expected / alert.window_days


def usual_again(direction: Direction, mean: float, nats: float = QUIET) -> int:
    """Return the count at which a window is as usual again, were counts Poisson about `mean`.

    That is at most so many for a rise, at least so many for a fall: the last count whose log
    likelihood ratio against the usual is below `nats`.

    >>> usual_again("rise", 4.0), usual_again("fall", 4.0)
    (5, 3)
    """
    step = 1 if direction == "rise" else -1
    count = floor(mean) if direction == "rise" else ceil(mean)
    while count + step >= 0 and _strength(count + step, mean) < nats:
        count += step
    return count


def _strength(count: int, mean: float) -> float:
    return (count * log(count / mean) if count else 0.0) - (count - mean)


def closing(alert: Alert, revisions: Sequence[Alert], policy: Policy) -> Iterator[str]:
    """Say what would close an alert, in numbers, and by when it ends in any case."""
    if alert.state in ENDED:
        over = next((each.at for each in revisions if each.state == alert.state), alert.at)
        yield f"It is closed: {alert.state} on {over:%Y-%m-%d}"
    else:
        yield from _quiet(revisions[0] if revisions else alert, policy)
        last = alert.opened_at + timedelta(days=policy.longest_days)
        yield f"It expires on {last:%Y-%m-%d} in any case"
        if alert.state == "frozen":
            yield "It is frozen: while coverage is lost, quiet days do not count"
    if alert.outcome is None:
        yield from _claim(alert)


def _quiet(first: Alert, policy: Policy) -> Iterator[str]:
    rule = f"after {policy.quiet_days:g} days as usual (evidence below {QUIET:g} nats)"
    rate, days = _rate(first), first.window_days
    if not rate or not days:
        yield f"It closes {rule}"
        return
    count = usual_again(first.direction, rate * days)
    bound = "at most" if first.direction == "rise" else "at least"
    yield (
        f"It closes {rule}: about {bound} {count} in any {days} days, "
        f"where {number(rate * days)} were expected when it opened"
    )


def _claim(alert: Alert) -> Iterator[str]:
    rule = alert.claim.resolver
    so_far = _so_far(alert)
    limit = (
        f"fewer than {rule.count}" if rule.comparison == "at_least" else f"more than {rule.count}"
    )
    yield (
        f"Its claim fails with {limit} from {rule.first_day} to {rule.last_day}"
        + ("" if so_far is None else f"; {so_far[0]} counted up to {so_far[1]}")
    )


def _so_far(alert: Alert) -> tuple[int, date] | None:
    """Return the count of the claim's days that is known so far, and the last of them."""
    rule = alert.claim.resolver
    if alert.series_end is None or not _daily_is_its(alert):
        return None
    first = alert.series_end - timedelta(days=len(alert.daily) - 1)
    if not alert.daily or rule.first_day < first or rule.first_day > alert.series_end:
        return None
    last = min(rule.last_day, alert.series_end)
    days = (rule.first_day - first).days, (last - first).days + 1
    return sum(alert.daily[slice(*days)]), last
