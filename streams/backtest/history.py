"""The first pass: the live code over the history, and what it knew at the end of each local day.

For each unit and day it keeps the vintage: the daily counts of the last `WIDTH` days as they were
known when that day ended. What came later is in later vintages only, so nothing that is worked out
from the vintages up to a day can know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from math import log
from typing import Final, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.evidence import NAME
from detectors.ledger import VIOLENCE
from detectors.monitor import BATCH, Monitor, Passed
from detectors.records import Alert, Event, Heartbeat, Report, Score, Tick
from detectors.timegrid import day_number
from detectors.world.units import UNITS
from streams.backtest.deaths import Deaths

_Number = TypeVar("_Number", bound=np.generic)
Fed = Report | Heartbeat | Tick
Floats = NDArray[np.float64]

#: Days after which a count is as finally known: the scores tell no older ones.
WIDTH: Final = 28
#: Scores that carry the daily counts of violent incidents, the preferred last.
_TELLING: Final = ("S1", NAME)
_LEAST_P: Final = 1e-12


class TooShortError(Exception):
    """A history has too few days for what was asked; the text says how many it needs."""


class History(Struct, frozen=True):
    """What the live code knew and said, by local day and unit. Axes: day, unit[, days back]."""

    units: tuple[str, ...]
    first_day: int  # day number of the first row
    incidents: NDArray[np.int32]  # vintages: the last of each is the day itself
    deaths: NDArray[np.int32]
    seen: NDArray[np.bool_]  # whether coverage was ok when the day ended
    dark: NDArray[np.bool_]  # whether coverage was not ok at some time of the day, as known later
    strength: Floats  # of the evidence at the day's end, nats; NaN where there is none
    index: Floats  # the instability index, a probability; NaN where there is none
    opened: tuple[Alert, ...]  # first revisions, in the order of opening
    last: dict[str, Alert]  # the last revision of each alert, by its id
    reports: int

    @property
    def days(self) -> int:
        """How many days there are."""
        return int(self.incidents.shape[0])


class _Day(Struct):
    """What the scores of one unit have said on the local day that is not over yet."""

    number: int
    counts: tuple[int, ...] = ()
    rank: int = -1  # of the signal that told the counts, in `_TELLING`
    seen: bool = True
    strength: float = float("nan")
    by: str = ""  # the signal whose strength it is
    index: float = float("nan")


class _Closed(Struct, frozen=True):
    day: int
    counts: tuple[int, ...]
    deaths: tuple[int, ...]
    seen: bool
    strength: float
    index: float


class Recorder:
    """Follows the scores of every unit, and keeps what was known at the end of each of its days."""

    def __init__(self, units: Sequence[str]) -> None:
        """Start with nothing known of these units."""
        self.units = tuple(units)
        self._open: dict[str, _Day] = {}
        self._closed: dict[str, list[_Closed]] = {unit: [] for unit in units}
        self._dark: dict[str, set[int]] = {unit: set() for unit in units}
        self._deaths = {unit: Deaths(UNITS[unit].country) for unit in units}
        self._opened: list[Alert] = []
        self._last: dict[str, Alert] = {}

    def take(self, passed: Passed) -> None:
        """Take what a batch of reports led to."""
        for event in passed.coded.events:
            self._note_event(event)
        for score in passed.scores:
            if score.signal in _TELLING and score.direction == "rise":
                self._note_score(score)
        for alert in passed.alerts:
            if alert.revision == 0:
                self._opened.append(alert)
            self._last[alert.id] = alert

    def _note_event(self, event: Event) -> None:
        deaths = self._deaths.get(event.unit)
        if deaths is not None:
            deaths.take(event)

    def _note_score(self, score: Score) -> None:
        if score.unit not in self._closed or score.series_end is None or not score.daily:
            return
        number = day_number(score.series_end)
        day = self._open.get(score.unit)
        if day is None:
            day = self._open[score.unit] = _Day(number)
        elif number > day.number:
            day = self._turn(score.unit, day, number)
        _note(day, score)
        self._dark[score.unit].update(day_number(each) for each in score.dark_days)

    def _turn(self, unit: str, day: _Day, number: int) -> _Day:
        """Close a unit's day, and those after it of which no score told, up to `number`."""
        for each in range(day.number, number):
            counts = (*day.counts, *(0,) * (each - day.number))
            self._closed[unit].append(
                _Closed(
                    day=each,
                    counts=_width(counts),
                    deaths=tuple(self._deaths[unit].close(each, WIDTH)),
                    seen=day.seen and each == day.number,
                    strength=day.strength if each == day.number else float("nan"),
                    index=day.index if each == day.number else float("nan"),
                )
            )
        self._open[unit] = following = _Day(number)
        return following

    def history(self, reports: int) -> History:
        """Return what was kept. The day that is not over at the end of the input is not in it.

        Raises:
            TooShortError: No day of any unit is over.
        """
        known = [unit for unit in self.units if self._closed[unit]]
        if not known:
            raise TooShortError("the history is shorter than a day: there is nothing to judge")
        first = max(self._closed[unit][0].day for unit in known)
        end = min(self._closed[unit][-1].day for unit in known) + 1
        if end <= first:
            raise TooShortError("the history is shorter than a day: there is nothing to judge")
        rows = [self._rows(unit, first, end) for unit in known]
        dark = [[day in self._dark[unit] for day in range(first, end)] for unit in known]
        return History(
            units=tuple(known),
            first_day=first,
            incidents=_by_day([[each.counts for each in row] for row in rows], np.int32),
            deaths=_by_day([[each.deaths for each in row] for row in rows], np.int32),
            seen=_by_day([[each.seen for each in row] for row in rows], np.bool_),
            dark=_by_day(dark, np.bool_),
            strength=_by_day([[each.strength for each in row] for row in rows], np.float64),
            index=_by_day([[each.index for each in row] for row in rows], np.float64),
            opened=tuple(self._opened),
            last=self._last,
            reports=reports,
        )

    def _rows(self, unit: str, first: int, end: int) -> list[_Closed]:
        closed = self._closed[unit]
        return closed[first - closed[0].day :][: end - first]


def _note(day: _Day, score: Score) -> None:
    rank = _TELLING.index(score.signal)
    if rank >= day.rank:
        day.counts = _counts(score)
        day.rank = rank
        day.seen = score.coverage == "ok"
    if score.index is not None:
        day.index = score.index.probability
    strength = _strength(score)
    if score.signal == NAME or day.by != NAME:  # what sums up a unit goes before one signal
        day.strength = float("nan") if strength is None else strength
        day.by = score.signal


def _counts(score: Score) -> tuple[int, ...]:
    if score.signal == NAME and score.indicators:
        absent = (0,) * len(score.daily)
        return score.indicators.get(VIOLENCE, absent)
    return score.daily


def _strength(score: Score) -> float | None:
    """Return the evidence for a change in nats; an older signal's p-value stands for it."""
    if score.strength is not None:
        return score.strength
    return None if score.p is None else -log(max(score.p, _LEAST_P))


def _width(counts: tuple[int, ...]) -> tuple[int, ...]:
    """Return the last `WIDTH` counts; days before the first that is told had none."""
    return (0,) * (WIDTH - len(counts)) + counts[-WIDTH:]


def _by_day(rows: Sequence[Sequence[object]], kind: type[_Number]) -> NDArray[_Number]:
    """Return rows by unit as an array by day."""
    return np.ascontiguousarray(np.swapaxes(np.array(rows, dtype=kind), 0, 1))


def record(
    monitor: Monitor, records: Iterable[Fed], progress: Callable[[Passed], None] = lambda _: None
) -> History:
    """Run the live code over records in order of arrival; return what it knew and said.

    Args:
        monitor: The live code, fresh.
        records: Reports with ticks among them (`streams.replay.timed`).
        progress: Is told of every batch.

    Raises:
        TooShortError: The history is shorter than a day.
    """
    recorder = Recorder([unit.code for unit in UNITS.values() if unit.is_area])
    source = iter(records)
    reports = 0
    while batch := list(islice(source, BATCH)):
        reports += sum(isinstance(each, Report) for each in batch)
        passed = monitor.take(batch)
        recorder.take(passed)
        progress(passed)
    return recorder.history(reports)
