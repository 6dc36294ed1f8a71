"""How good the instability index is: `python -m tests.benchmarks.bench_index`.

Afghanistan and Pakistan, January to June 2020 (the bundled scenario; any other history by
`--history`). A model is trained on one half of the days and judged on the other, then the other way
round. Between them lie the days whose fortnights would reach from one into the other. Nothing of
the half that is judged was known in training. In the first half units have no bar of their own yet,
and no onset can be told before twelve weeks have been learned from: those cells are empty.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.model import Model, untrained
from detectors.onsets import FINAL_DAYS, onsets
from detectors.rules.base import HORIZON_DAYS
from detectors.timegrid import Grid, day_number, day_of
from streams.backtest.alarms import within
from streams.backtest.measures import average_precision, ranking
from streams.backtest.walk import SETTLED_DAYS
from streams.commands.play import split
from streams.replay import read, timed
from streams.training.collect import RIVALS, Rows, collect, named
from streams.training.fit import learn, probability
from streams.training.skill import skill
from streams.training.train import FORMS, features_of, untrained_of

Floats = NDArray[np.float64]

RULES = (*RIVALS, "acled-surge")
#: Alarms per unit and year that every forecast may give.
BUDGET = 4.0


class Line(Struct, frozen=True):
    """What one forecast came to on one half. None: it cannot be told."""

    half: str
    forecast: str
    unit_days: int
    escalations: int  # unit-days before one
    average_precision: float
    interval: tuple[float | None, float | None]
    alarms: int
    precision: float | None  # of the alarms within the budget
    brier: float | None
    calibration_error: float | None
    onsets: int  # that fell into the half
    onset_precision: float | None  # average precision for an onset within the fortnight


def gather(what: str = "doha-2020") -> Rows:
    """Return the rows of a history."""
    reports, _ = split(read(what))
    return collect(timed(reports, Grid()), Grid(), rivals=RULES)


def figures(rows: Rows) -> list[Line]:
    """Return what every forecast comes to, on the second half and then on the first."""
    rows = rows.take(~np.isnan(rows.y))
    middle = (int(rows.row.min()) + int(rows.row.max()) + 1) // 2
    early, late = rows.row < middle - SETTLED_DAYS, rows.row >= middle
    return [
        *_half("second", rows.take(early), rows.take(late & rows.closing)),
        *_half("first", rows.take(late), rows.take(early & rows.closing)),
    ]


def _half(half: str, learnable: Rows, ahead: Rows) -> list[Line]:
    features = features_of(learnable)
    given: dict[str, Floats] = {}
    for name, fit in FORMS.items():
        x = named(learnable, features)
        form, curve = learn(x, learnable.y, learnable.row, features, fit)
        given[name] = probability(form, curve, named(ahead, features))
    given["untrained"] = untrained_of(ahead)
    given["base rate"] = np.full(len(ahead.y), learnable.y.mean())
    probable = {*given, "climatology"}
    given |= {name: ahead.walked.risk[name][ahead.row, ahead.unit] for name in RULES}
    soon, number = _soon(ahead)
    return [
        _line(half, name, values, ahead, (soon, number), probable=name in probable)
        for name, values in given.items()
        if not np.isnan(values).any()
    ]


def _line(
    half: str,
    name: str,
    given: Floats,
    ahead: Rows,
    onset: tuple[Floats, int],
    *,
    probable: bool,
) -> Line:
    told = skill(name, given, ahead.y, ahead.row)
    table = np.full((ahead.walked.days, len(ahead.walked.units)), np.nan)
    table[ahead.row, ahead.unit] = given
    hits = np.zeros_like(table)
    hits[ahead.row, ahead.unit] = ahead.y
    alarms = within(table, round(BUDGET * len(ahead.y) / 365.25)).given
    right = sum(hits[each.day, each.unit] for each in alarms)
    soon, number = onset
    return Line(
        half=half,
        forecast=name,
        unit_days=len(ahead.y),
        escalations=int(ahead.y.sum()),
        average_precision=told.average_precision.value,
        interval=(told.average_precision.low, told.average_precision.high),
        alarms=len(alarms),
        precision=float(right / len(alarms)) if alarms else None,
        brier=told.brier.value if probable else None,
        calibration_error=told.calibration_error.value if probable else None,
        onsets=number,
        onset_precision=average_precision(ranking(given), soon) if soon.any() else None,
    )


def _soon(ahead: Rows) -> tuple[Floats, int]:
    """Return whether an onset falls into the fortnight after each row, and how many there are."""
    walked = ahead.walked
    table = np.zeros((walked.days + HORIZON_DAYS, len(walked.units)))
    number = 0
    for i, unit in enumerate(walked.units):
        days = range(walked.days - FINAL_DAYS)
        counts = {day_of(walked.first_day + day): int(walked.final[day, i]) for day in days}
        dark = [day_of(walked.first_day + int(day)) for day in np.flatnonzero(walked.dark[:, i])]
        for onset in onsets(unit, counts, dark)[0]:
            day = day_number(onset.day) - walked.first_day
            table[max(0, day - HORIZON_DAYS) : day, i] = 1.0
            number += bool(ahead.row.min() < day <= ahead.row.max() + HORIZON_DAYS)
    return table[ahead.row, ahead.unit], number


def microseconds(model: Model, rows: Rows) -> float:
    """Return how long a model takes for one index."""
    given = [dict(zip(rows.features, each, strict=True)) for each in rows.x[:2000].tolist()]
    started = time.perf_counter()
    for each in given:
        model.judge(None, 3, each)  # type: ignore[arg-type] - no model looks at what was seen
    return 1e6 * (time.perf_counter() - started) / len(given)


def show(lines: Sequence[Line]) -> None:
    """Print the table."""
    heads = ("half", "forecast", "unit-days", "before", "AP", "95 %", "alarms", "precision")
    print(" | ".join((*heads, "Brier", "ECE", "onsets", "AP onset")))
    for each in lines:
        low, high = each.interval
        between = "" if low is None or high is None else f"{low:.3f}-{high:.3f}"
        numbers = (each.precision, each.brier, each.calibration_error)
        told = ["" if number is None else f"{number:.3f}" for number in numbers]
        onset = "" if each.onset_precision is None else f"{each.onset_precision:.3f}"
        print(
            f"{each.half} | {each.forecast} | {each.unit_days} | {each.escalations} | "
            f"{each.average_precision:.3f} | {between} | {each.alarms} | {told[0]} | {told[1]} | "
            f"{told[2]} | {each.onsets} | {onset}"
        )


def main() -> None:
    """Print how good and how fast the index is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", default="doha-2020")
    rows = gather(parser.parse_args().history)
    show(figures(rows))
    print(f"an index: {microseconds(untrained(), rows):.0f} µs")


if __name__ == "__main__":
    main()
