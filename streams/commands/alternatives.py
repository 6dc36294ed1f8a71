"""What else an alert could be, other than what it says: four rival accounts, each looked into.

A rival is suspected, or not, or it cannot be told, and the numbers that say so are given. None is
proof: they say where to look first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
from msgspec import Struct

from detectors.records import Alert, Event, IncidentRef
from streams.store import Evidence, Store
from streams.wording import VOICES, percent, publisher

#: Deaths from which an incident is remembered by its date.
_LARGE: Final = 10
_NEAR_DAYS: Final = 3
_YEARS: Final = {"solar": 365.2425, "Islamic": 354.36708}  # days, mean
#: If chance alone would bring an anniversary so often, one says nothing.
_TOO_COMMON: Final = 0.25
#: Mentions that a mix is compared from.
_LEAST_PAST, _LEAST_NOW = 20, 5
_DRIFT_P: Final = 0.01
_RESAMPLES: Final = 2_000
_SEED: Final = 1
#: Of the fortnight before, days with coverage lost from which a rise may be reporting come back.
_LOST_DAYS: Final = 3
_FULL_SHARE: Final = 0.9


class Alternative(Struct, frozen=True):
    """A rival account of an alert."""

    name: str
    suspected: bool | None  # None: it cannot be told
    text: str


def alternatives(
    store: Store, alert: Alert, revisions: Sequence[Alert], evidence: Sequence[Evidence]
) -> Iterator[Alternative]:
    """Yield each rival account, and what speaks for it."""
    first = revisions[0] if revisions else alert
    earlier = [a for a in store.alerts(unit=alert.unit) if a.opened_at < alert.opened_at]
    yield one_sided([each.incident for each in evidence])
    yield anniversary([each.incident for each in evidence], _events(evidence), earlier)
    yield drift("publishers", _publishers(evidence), _publishers_before(earlier))
    yield drift("languages", _languages(evidence), _languages_before(store, earlier))
    yield coverage(first, _lost_days(store, first))


def _events(evidence: Iterable[Evidence]) -> list[Event]:
    return [event for each in evidence for event in each.events]


def one_sided(incidents: Sequence[IncidentRef]) -> Alternative:
    """Look into one side's or one publisher's telling, taken for events."""
    name, n = "one-sided reporting", len(incidents)
    if not incidents:
        return Alternative(name, None, "there is no incident in evidence to look at")
    families = {family for each in incidents for family in each.publishers}
    if len(families) == 1:
        return Alternative(name, True, f"all {n} rest on {publisher(next(iter(families)))} alone")
    alone = Counter(each.voices[0] for each in incidents if len(each.voices) == 1)
    told = sum(bool(each.voices) for each in incidents)
    if not told:
        text = f"none of {n} incidents cites a side; {len(families)} publishers tell of them"
        return Alternative(name, None, text)
    voice, count = alone.most_common(1)[0] if alone else (None, 0)
    if voice is not None and count == told:
        return Alternative(name, True, f"all {told} that cite a side cite only {VOICES[voice]}")
    text = f"{len(families)} publishers"
    if voice is not None:
        text += f"; {count} of {told} that cite a side cite only {VOICES[voice]}"
    return Alternative(name, False, text)


def anniversary(
    incidents: Sequence[IncidentRef], events: Iterable[Event], earlier: Sequence[Alert]
) -> Alternative:
    """Look into the remembrance of an old event, taken for a new one."""
    name = "an anniversary"
    recalled = sum("historical" in each.auxiliary for each in events)
    if recalled:
        return Alternative(name, True, f"{recalled} of its reports speak of the past")
    past = {
        each.id: each
        for alert in earlier
        for each in alert.evidence
        if each.killed is not None and each.killed.best >= _LARGE
    }
    oldest = min((each.day for each in past.values()), default=None)
    newest = max((each.day for each in incidents), default=None)
    if oldest is None or newest is None or (newest - oldest).days < 354 - _NEAR_DAYS:
        text = f"no incident with {_LARGE} dead or more is known here from a year ago or longer"
        return Alternative(name, None, text)
    chance = 1 - (1 - len(_YEARS) * (2 * _NEAR_DAYS + 1) / 365) ** len(past)
    near = [
        (each, calendar, old)
        for each in incidents
        for old in past.values()
        if (calendar := anniversary_of(old.day, each.day)) is not None
    ]
    days = len({each.id for each, _, _ in near})
    text = (
        f"{days} of {len(incidents)} incidents fall within {_NEAR_DAYS} days of the anniversary of "
        f"one of {len(past)} large ones here; any day does with a chance of {percent(chance)}"
    )
    if chance > _TOO_COMMON:
        return Alternative(name, None, text)
    return Alternative(name, 2 * days > len(incidents), text)


def anniversary_of(past: date, day: date) -> str | None:
    """Return the calendar in which `day` is near an anniversary of `past`, or None.

    >>> anniversary_of(date(2020, 3, 2), date(2022, 3, 1))
    'solar'
    >>> anniversary_of(date(2019, 5, 6), date(2020, 4, 24))  # 1 Ramadan
    'Islamic'
    """
    passed = (day - past).days
    for calendar, length in _YEARS.items():
        years = round(passed / length)
        if years >= 1 and abs(passed - years * length) <= _NEAR_DAYS:
            return calendar
    return None


def drift(what: str, now: Counter[str], before: Counter[str]) -> Alternative:
    """Look into a change of who is read, taken for a change of what happens.

    The distance of the two mixes (half the sum of absolute differences) is held against draws of
    as many mentions from both together. One incident's mentions are not independent: only a
    very unlikely distance counts.
    """
    name = f"a drift of the {what} read"
    n, m = now.total(), before.total()
    if n < _LEAST_NOW or m < _LEAST_PAST:
        text = (
            f"{n} mentions, {m} in earlier alerts here: {_LEAST_NOW} and {_LEAST_PAST} are needed"
        )
        return Alternative(name, None, text)
    names = sorted(now | before)
    new = np.array([now[each] for each in names])
    pool = new + np.array([before[each] for each in names])
    drawn = np.random.default_rng(_SEED).multivariate_hypergeometric(pool, n, _RESAMPLES)
    distances = 0.5 * np.abs(drawn / n - (pool - drawn) / m).sum(axis=1)
    distance = 0.5 * float(np.abs(new / n - (pool - new) / m).sum())
    p = (1 + int((distances >= distance - 1e-12).sum())) / (1 + _RESAMPLES)
    most = max(names, key=lambda each: now[each] / n - before[each] / m)
    called = publisher(most) if what == "publishers" else most
    text = (
        f"distance {distance:.2f} from {m} earlier mentions, p {p:.2g}, n {n}; most risen is "
        f"{called}, {percent(before[most] / m)} to {percent(now[most] / n)}"
    )
    return Alternative(name, p <= _DRIFT_P, text)


def _publishers(evidence: Iterable[Evidence]) -> Counter[str]:
    return Counter(family for each in evidence for family in each.incident.publishers)


def _publishers_before(earlier: Iterable[Alert]) -> Counter[str]:
    incidents = {each.id: each for alert in earlier for each in alert.evidence}
    return Counter(family for each in incidents.values() for family in each.publishers)


def _languages(evidence: Iterable[Evidence]) -> Counter[str]:
    return Counter(event.language for event in _events(evidence) if event.language)


def _languages_before(store: Store, earlier: Iterable[Alert]) -> Counter[str]:
    known = {event.id: event for alert in earlier for event in _events(store.evidence(alert))}
    return Counter(event.language for event in known.values() if event.language)


def coverage(first: Alert, lost_days: int) -> Alternative:
    """Look into reporting that was lost, or came back, taken for violence that fell or rose.

    Args:
        first: The alert as it opened.
        lost_days: Days of the fortnight before on which coverage was not ok.
    """
    name = "thin coverage"
    share = f"{percent(first.coverage_share)} of the usual reports when it opened"
    text = f"{share}; coverage lost on {lost_days} of the 14 days before"
    if first.direction == "fall":
        lost = first.coverage_share < _FULL_SHARE or lost_days > 0
        return Alternative(
            name, lost, f"{text}: what is not reported looks like calm" if lost else text
        )
    if lost_days >= _LOST_DAYS:
        return Alternative(name, True, f"{text}: reporting that comes back looks like a rise")
    return Alternative(name, False, f"{text}: lost reports hide incidents, they make none")


def _lost_days(store: Store, first: Alert) -> int:
    opened = first.opened_at.date()
    days = store.score_days(first.signal, first.direction, first.unit)
    fortnight = [each for each in days if timedelta(0) < opened - each.day <= timedelta(days=14)]
    return sum(each.coverage != "ok" for each in fortnight)
