"""Onsets against claims: which were warned of, how long before, and which nobody warned of.

A claim warns of an onset in its unit if it says that an indicator will reach a count and is open
on that day: its alert opened before the day began and its last day is not over. It calls it late
if its alert opened on the day or in the fortnight from it on. One claim stands for one onset and
one onset for one claim; warnings are matched before late calls, and the claim that ends first is
taken first, which matches as many as can be (Glover 1967, Naval Research Logistics 14).

Leads are told with the misses: the time from a fortnight before the onset to its call is
censored for an onset that nobody called, or from the day on which the unit could not be seen
(Kaplan & Meier 1958, JASA 53).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from math import sqrt
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from detectors.ledger import VIOLENCE, wilson
from detectors.onsets import FORTNIGHT, Onset
from detectors.records import Alert
from detectors.timegrid import DAY, LOCAL_OFFSET, day_number, seconds
from detectors.world.units import UNITS

#: Leads are told from so many days before an onset.
HORIZON: Final = FORTNIGHT

Called: TypeAlias = Literal["ahead", "late", "missed"]


class Call(Struct, frozen=True):
    """What became of one onset."""

    onset: Onset
    called: Called
    alert: str | None  # the alert's id
    lead_days: float | None  # from the alert's opening to the onset's first local midnight
    unseen_from: float | None = None  # days from the onset (negative before it), where it was dark


class Leads(Struct, frozen=True):
    """How long before their day onsets were called, misses included."""

    onsets: int
    ahead: int
    late: int
    missed: int
    recall: float | None  # called ahead, as a share of all
    recall_interval: tuple[float, float] | None  # 95 %, Wilson
    median_days: float | None  # negative: after it; None: fewer than half were called at all
    mean_days: float | None  # of the lead within the fortnight before; not called ahead is 0
    mean_interval: tuple[float, float] | None  # 95 %, Greenwood


def match(
    onsets: Iterable[Onset],
    alerts: Iterable[Alert],
    dark: Mapping[str, Collection[date]] | None = None,
    indicator: str = VIOLENCE,
) -> list[Call]:
    """Return what became of each onset, in the order of days and units.

    Args:
        onsets: Of the indicator.
        alerts: Any revision of each.
        dark: By unit, the days on which its coverage was not ok.
        indicator: What the claims must be about.
    """
    order = sorted(onsets, key=lambda each: (each.day, each.unit))
    claims = sorted(
        (a for a in alerts if _is_rise(a, indicator)),
        key=lambda a: (a.claim.resolver.last_day, a.opened_at, a.id),
    )
    taken: dict[str, Alert] = {}
    for ways in (_warns, _is_late):
        used = {alert.id for alert in taken.values()}
        for onset in order:
            if _key(onset) in taken:
                continue
            found = next((a for a in claims if a.id not in used and ways(a, onset)), None)
            if found is not None:
                taken[_key(onset)] = found
                used.add(found.id)
    return [
        _call(onset, taken.get(_key(onset)), (dark or {}).get(onset.unit, ())) for onset in order
    ]


def _key(onset: Onset) -> str:
    return f"{onset.unit}/{onset.day}"


def _is_rise(alert: Alert, indicator: str) -> bool:
    rule = alert.claim.resolver
    return rule.comparison == "at_least" and rule.indicator == indicator


def _lead(alert: Alert, onset: Onset) -> float:
    country = UNITS[onset.unit].country if onset.unit in UNITS else ""
    midnight = day_number(onset.day) * DAY - LOCAL_OFFSET.get(country, 0)
    return (midnight - seconds(alert.opened_at)) / DAY


def _warns(alert: Alert, onset: Onset) -> bool:
    rule = alert.claim.resolver
    return rule.unit == onset.unit and onset.day <= rule.last_day and _lead(alert, onset) > 0


def _is_late(alert: Alert, onset: Onset) -> bool:
    return alert.claim.resolver.unit == onset.unit and -FORTNIGHT < _lead(alert, onset) <= 0


def _call(onset: Onset, alert: Alert | None, dark: Collection[date]) -> Call:
    days = range(-HORIZON, FORTNIGHT)
    unseen = next((float(n) for n in days if onset.day + timedelta(days=n) in dark), None)
    if alert is None:
        return Call(onset, "missed", None, None, unseen)
    lead = _lead(alert, onset)
    return Call(onset, "ahead" if lead > 0 else "late", alert.id, round(lead, 3), unseen)


def leads(calls: Sequence[Call]) -> Leads:
    """Return how long before their day the onsets were called."""
    n, ahead = len(calls), sum(each.called == "ahead" for each in calls)
    median, mean, interval = _survival([_waited(each) for each in calls])
    return Leads(
        onsets=n,
        ahead=ahead,
        late=sum(each.called == "late" for each in calls),
        missed=sum(each.called == "missed" for each in calls),
        recall=ahead / n if n else None,
        recall_interval=wilson(ahead, n) if n else None,
        median_days=median,
        mean_days=mean,
        mean_interval=interval,
    )


def _waited(call: Call) -> tuple[float, bool]:
    """Return the days from `HORIZON` days before the onset to its call; false: not called."""
    end = float(HORIZON + FORTNIGHT)
    if call.lead_days is not None:
        # What was open before the horizon began was there from its beginning.
        return max(0.0, HORIZON - call.lead_days), True
    return (end if call.unseen_from is None else call.unseen_from + HORIZON), False


def kaplan_meier(times: Iterable[tuple[float, bool]]) -> list[tuple[float, float, int, int]]:
    """Return the steps of the survivor function: time, share left, events, at risk before it.

    Args:
        times: Times, and whether the event was seen then; otherwise it was censored.

    >>> [(t, round(s, 3)) for t, s, _, _ in kaplan_meier([(1, True), (2, False), (3, True)])]
    [(1, 0.667), (3, 0.0)]
    """
    known = sorted(times)
    left, steps = 1.0, []
    for time in sorted({t for t, event in known if event}):
        at_risk = sum(t >= time for t, _ in known)
        events = sum(t == time and event for t, event in known)
        left *= 1 - events / at_risk
        steps.append((time, left, events, at_risk))
    return steps


def _survival(
    times: Sequence[tuple[float, bool]],
) -> tuple[float | None, float | None, tuple[float, float] | None]:
    """Return the median lead, the restricted mean lead and its interval, days."""
    if not times:
        return None, None, None
    steps = kaplan_meier(times)
    median = next((HORIZON - time for time, left, _, _ in steps if left <= 0.5), None)
    within = [step for step in steps if step[0] < HORIZON]
    ends = [*(time for time, _, _, _ in within[1:]), float(HORIZON)]
    # What is left to be called, summed over the days, is waited; the rest of the horizon is lead.
    areas = [step[1] * (end - step[0]) for step, end in zip(within, ends, strict=False)]
    waited = (within[0][0] if within else float(HORIZON)) + sum(areas)
    variance = sum(
        sum(areas[i:]) ** 2 * events / (at_risk * (at_risk - events))
        for i, (_, _, events, at_risk) in enumerate(within)
        if at_risk > events
    )
    mean, spread = HORIZON - waited, 1.96 * sqrt(variance)
    low, high = max(0.0, mean - spread), min(float(HORIZON), mean + spread)
    return median, mean, (low, high)
