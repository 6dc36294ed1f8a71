"""The record of warnings as the store has it: claims, exposure, onsets, and what is not known.

`ledger.py` prints it. Onsets are looked for on the days whose counts the store has, and how many
they are is told with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
from msgspec import Struct

from detectors.answers import Stood, stood
from detectors.evidence import NAME
from detectors.ledger import VIOLENCE
from detectors.onsets import FINAL_DAYS, LEAST_WEEKS, Onset, onsets
from detectors.records import Alert, Score
from detectors.signals import SIGNALS
from detectors.tally import By, Contested, Exposure, Facts, Row, contested, table
from detectors.warned import Call, match
from detectors.world.units import UNITS
from streams.store import DailyScore, Store
from streams.wording import DISCLAIMER


class Sight(Struct, frozen=True):
    """How much could be searched for onsets."""

    units: int  # with counts at hand
    days: int  # unit-days of final counts
    judged: int  # unit-days of which it is known whether an onset was shown
    least_weeks: int  # of counts that a unit needs before its first day can be judged


class Ledger(Struct, frozen=True):
    """What `tocsin ledger --json` prints."""

    as_of: datetime | None  # stream time
    by: By | None
    rows: tuple[Row, ...]  # all claims first
    sight: Sight | None  # None: misses were not asked for
    calls: tuple[Call, ...]  # every onset, and what became of it
    void: dict[str, int]  # why claims could not be settled
    contested: tuple[Contested, ...]  # disputed or retracted by analysts
    disclaimer: str


def ledger(store: Store, by: By | None = None, *, misses: bool = False) -> Ledger:
    """Gather the record from the store."""
    alerts, scores = store.alerts(), store.scores()
    sight, found, dark = _search(store, alerts, scores) if misses else (None, None, {})
    as_of = max([*(each.at for each in scores), *(each.at for each in alerts)], default=None)
    exposures = tuple(_exposures(store, alerts, scores))
    facts = Facts(found, exposures, dark, _stood(store, alerts, as_of))
    return Ledger(
        as_of=as_of,
        by=by,
        rows=tuple(table(alerts, facts, by)),
        sight=sight,
        calls=tuple(match(found or (), alerts, dark)),
        void=_reasons(alerts),
        contested=tuple(contested(alerts)),
        disclaimer=DISCLAIMER,
    )


def _stood(store: Store, alerts: Iterable[Alert], now: datetime | None) -> dict[str, Stood]:
    """Return for how long each alert that was a warning stood without an answer."""
    known = {alert.id: stood(store.revisions(alert.id), now or alert.at) for alert in alerts}
    return {id: each for id, each in known.items() if each is not None}


def _reasons(alerts: Iterable[Alert]) -> dict[str, int]:
    outcomes = [alert.outcome for alert in alerts if alert.outcome is not None]
    return dict(Counter(each.reason for each in outcomes if each.verdict == "VOID").most_common())


def _exposures(
    store: Store, alerts: Sequence[Alert], scores: Sequence[Score]
) -> Iterable[Exposure]:
    """Yield the days on which each signal that raises alerts, and their sum, judged each unit."""
    signals = {NAME, *(alert.signal for alert in alerts)}
    days: dict[tuple[str, str], set[date]] = {}
    for each in scores:
        if each.signal in signals:
            known = days.setdefault((each.signal, each.unit), set())
            rows = store.score_days(each.signal, each.direction, each.unit)
            known |= {row.day for row in rows if row.state == "scored" and row.coverage == "ok"}
    for (signal, unit), known in sorted(days.items()):
        for month, count in sorted(Counter(f"{day:%Y-%m}" for day in known).items()):
            yield Exposure(signal, unit, month, count)


def _search(
    store: Store, alerts: Sequence[Alert], scores: Sequence[Score]
) -> tuple[Sight, tuple[Onset, ...], dict[str, set[date]]]:
    """Look for onsets in the counts that the store has."""
    series, dark = _series(store, alerts, scores)
    found: list[Onset] = []
    judged = 0
    for unit, counts in sorted(series.items()):
        of_unit, state = onsets(unit, counts, dark[unit])
        found += of_unit
        judged += state.judged
    days = sum(map(len, series.values()))
    return Sight(len(series), days, judged, LEAST_WEEKS), tuple(found), dark


def _series(
    store: Store, alerts: Sequence[Alert], scores: Sequence[Score]
) -> tuple[dict[str, dict[date, int]], dict[str, set[date]]]:
    """Return each unit's final counts of violent incidents by day, and its dark days."""
    told: list[tuple[datetime, str, dict[date, int], Sequence[date]]] = []
    for score in scores:
        if _tells_violence(score):
            for row in store.score_days(score.signal, score.direction, score.unit):
                counts, dark_days = _of_day(row)
                told.append((row.at, score.unit, counts, dark_days))
    for alert in alerts:
        for each in store.revisions(alert.id) if counts_violence(alert.unit) else ():
            told.append((each.at, each.unit, _counts(each), _unseen(each)))
    first = _first_days(store, scores)
    series: dict[str, dict[date, int]] = {}
    dark: dict[str, set[date]] = {}
    for _, unit, counts, unseen in sorted(told, key=lambda each: (each[0], each[1])):
        known, last = series.setdefault(unit, {}), max(counts, default=date.min)
        dark.setdefault(unit, set()).update(unseen)
        final = last - timedelta(days=FINAL_DAYS) if counts else last
        watched = first.get(unit, date.min)  # before, there are zeros that nobody counted
        known |= {day: count for day, count in counts.items() if watched <= day <= final}
    return series, dark


def _first_days(store: Store, scores: Iterable[Score]) -> dict[str, date]:
    """Return the day from which each unit was watched."""
    first: dict[str, date] = {}
    for score in scores:
        if _tells_violence(score):
            rows = store.score_days(score.signal, score.direction, score.unit)
            first[score.unit] = min([*(row.day for row in rows), first.get(score.unit, date.max)])
    return first


def counts_violence(unit: str) -> bool:
    """Whether the daily counts of a unit's alerts are violent incidents: in areas they are."""
    known = UNITS.get(unit)
    return known is None or known.is_area


def _tells_violence(score: Score) -> bool:
    """Whether a score tells of violent incidents by day."""
    counted = SIGNALS[score.signal].indicator if score.signal in SIGNALS else ""
    return counts_violence(score.unit) and (score.signal == NAME or counted == VIOLENCE)


def _of_day(row: DailyScore) -> tuple[dict[date, int], list[date]]:
    """Return the violent incidents by day that a day's last score told of, and the dark days."""
    if row.series_end is None:
        return {}, []
    counts = msgspec.json.decode(row.incidents, type=list[int])
    first = row.series_end - timedelta(days=len(counts) - 1)
    dark_days = msgspec.json.decode(row.dark_days, type=list[date])
    return {first + timedelta(days=i): count for i, count in enumerate(counts)}, dark_days


def _counts(alert: Alert) -> dict[date, int]:
    """Return what a revision repeats of the daily counts of violent incidents."""
    if alert.series_end is None:
        return {}
    first = alert.series_end - timedelta(days=len(alert.daily) - 1)
    return {first + timedelta(days=i): count for i, count in enumerate(alert.daily)}


def _unseen(alert: Alert) -> tuple[date, ...]:
    return () if alert.coverage == "ok" else (alert.at.astimezone(UTC).date(),)
