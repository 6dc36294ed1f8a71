"""What a model learns from: the features that the live code worked out, and what came after.

The coding and detecting stages run over the history in its own time, with a judge that writes down
each unit's features instead of judging them. So nothing can be learned from what was not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors import index
from detectors.intake import Intake, IntakeState
from detectors.monitor import BATCH, Passed
from detectors.records import Event, Heartbeat, Index, Report, Tick
from detectors.rules import RULES
from detectors.rules.base import HORIZON_DAYS, LEAST_BAR_DAYS
from detectors.signals import Observation
from detectors.timegrid import Grid
from detectors.watch import Watch
from detectors.world.units import UNITS
from streams.backtest.history import Recorder
from streams.backtest.walk import SETTLED_DAYS, Walk, walk

Floats = NDArray[np.float64]
Fed = Report | Heartbeat | Tick

#: The rules that a model must beat, by their names in `detectors/rules`.
RIVALS: Final = ("climatology", "no-change")
_AREAS: Final = [unit.code for unit in UNITS.values() if unit.kind in index.KINDS]


class Asked(Struct, frozen=True):
    """What the judge was asked of one unit and half day, the last time."""

    bar: int
    features: Mapping[str, float]


class Notes:
    """A judge that writes down what it is asked, and gives no index."""

    def __init__(self) -> None:
        """Start with nothing written down."""
        self.asked: dict[tuple[str, int], Asked] = {}  # unit, half day

    def judge(self, seen: Observation, bar: int, features: Mapping[str, float]) -> Index | None:
        """Write down the features of a unit that can be seen."""
        if seen.coverage == "ok":
            self.asked[seen.unit, seen.half_day] = Asked(bar, features)
        return None


class Rows(Struct, frozen=True):
    """Half days of units: what was known at their end, and whether an escalation followed.

    `row` and `unit` point into the days and units of `walked`.
    """

    features: tuple[str, ...]
    x: Floats  # row, feature
    y: Floats  # 1, 0, or NaN where it is not known
    row: NDArray[np.intp]
    unit: NDArray[np.intp]
    closing: NDArray[np.bool_]  # whether nothing later is known of that unit and day
    own: NDArray[np.bool_]  # whether the bar is of the unit's own history
    walked: Walk  # the days, with what came and what the rivals said

    def take(self, mask: NDArray[np.bool_]) -> Rows:
        """Return some of the rows."""
        return Rows(
            self.features,
            self.x[mask],
            self.y[mask],
            self.row[mask],
            self.unit[mask],
            self.closing[mask],
            self.own[mask],
            self.walked,
        )


def passed(
    records: Iterable[Fed], grid: Grid, judge: index.Judge, disorder: int = 0
) -> Iterator[Passed]:
    """Run the stages up to the scores; yield what each batch led to, without alerts."""
    intake, state = Intake(grid, disorder), IntakeState()
    watch = Watch(grid, _AREAS, judge)  # no unit's scores rest on those of another
    source = iter(records)
    given = told = 0
    while batch := list(islice(source, BATCH)):
        coded = intake.take(state, enumerate(batch, given))
        given += len(batch)
        events: list[Event | Tick] = [*coded.events, *coded.ticks(0, 1)]
        scores = watch.take(enumerate(events, told))
        told += len(events)
        yield Passed(coded, scores, [])


def collect(
    records: Iterable[Fed],
    grid: Grid,
    disorder: int = 0,
    progress: Callable[[Passed], None] = lambda _: None,
    rivals: Sequence[str] = RIVALS,
) -> Rows:
    """Return what a history has to learn from.

    Args:
        records: Reports in order of arrival with ticks among them (`streams.replay.timed`).
        grid: Steps of stream time.
        disorder: In seconds, as `Intake` takes it.
        progress: Is told of every batch.
        rivals: The rules that are followed beside it.

    Raises:
        TooShortError: The history is shorter than a day.
    """
    notes = Notes()
    recorder = Recorder(_AREAS)
    for each in passed(records, grid, notes, disorder):
        recorder.take(each)
        progress(each)
    rules = {name: RULES[name] for name in rivals}
    return rows_of(notes.asked, walk(recorder.history(0), rules))


def rows_of(asked: Mapping[tuple[str, int], Asked], walked: Walk) -> Rows:
    """Return the half days on which the judge was asked, with what followed."""
    features = (*index.COMMON, *index.TOGETHER, *index.of_signals())
    place = {unit: number for number, unit in enumerate(walked.units)}
    keys = sorted(
        (half_day, place[unit])
        for unit, half_day in asked
        if unit in place and 0 <= half_day // 2 - walked.first_day < walked.days
    )
    given = [asked[walked.units[unit], half_day] for half_day, unit in keys]
    row = np.array([half // 2 - walked.first_day for half, _ in keys], dtype=np.intp)
    unit = np.array([each for _, each in keys], dtype=np.intp)
    bars = np.array([each.bar for each in given], dtype=np.float64)
    table = [[each.features.get(name, 0.0) for name in features] for each in given]
    return Rows(
        features=features,
        x=np.array(table, dtype=np.float64).reshape(len(keys), len(features)),
        y=_followed(walked, row, unit, bars),
        row=row,
        unit=unit,
        closing=_closing(row, unit),
        own=row + 1 >= LEAST_BAR_DAYS,
        walked=walked,
    )


def _closing(row: NDArray[np.intp], unit: NDArray[np.intp]) -> NDArray[np.bool_]:
    last = {key: number for number, key in enumerate(zip(row.tolist(), unit.tolist(), strict=True))}
    closing = np.zeros(len(row), dtype=bool)
    closing[list(last.values())] = True
    return closing


def _followed(walked: Walk, row: NDArray[np.intp], unit: NDArray[np.intp], bars: Floats) -> Floats:
    """Return whether the fortnight after each row reached the row's own bar, as finally known.

    As `walk.reached` has it: days on which the unit could not be seen can only hide incidents.
    """
    known = row < walked.days - SETTLED_DAYS
    last = np.minimum(row + HORIZON_DAYS, walked.days - 1)
    first = np.minimum(row, last)
    came = _between(walked.final, first, last, unit)
    hidden = _between(walked.dark.astype(np.float64), first, last, unit) > 0
    found = came >= bars
    followed: Floats = np.where(known & ~(hidden & ~found), found.astype(float), np.nan)
    return followed


def _between(
    by_day: Floats, first: NDArray[np.intp], last: NDArray[np.intp], unit: NDArray[np.intp]
) -> Floats:
    """Return the sums of the days after `first` up to `last`."""
    sums = np.cumsum(by_day, axis=0)
    total: Floats = sums[last, unit] - sums[first, unit]
    return total


def named(rows: Rows, features: Sequence[str]) -> Floats:
    """Return the columns of some features."""
    return rows.x[:, [rows.features.index(name) for name in features]]
