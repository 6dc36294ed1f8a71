"""How many surges are found, and how soon, at equal false alarms, beside the published rules.

Each world has a twin of the same background in which nothing changes. There every method is given
the threshold at which it alarms so often as was asked (an alarm is an onset: none of the fortnight
before counts again); with this threshold it is asked for the surges of the other. A unit that is in
alarm already when its surge begins is left out for that method. Tocsin is the strength of S0 as the
live code computes it. Delay counts from the surge's first day, reporting delay included.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from detectors.ledger import wilson
from detectors.rules import RULES, Known
from streams.simulator import World
from streams.simulator.spec import Episode
from tests.benchmarks.detection.figures import Figures, table
from tests.benchmarks.detection.worlds import null_spec, scored

Floats = NDArray[np.float64]
RATES = (0.05, 0.3, 1.0, 3.0, 10.0)
FACTORS = (2.0, 3.0)
#: Alarms a unit-year at which the methods are compared.
ALARMS = (1.0, 4.0)
#: The rules of the must; NB-CUSUM is beside them.
COMPARED = ("ears-c1", "ears-c2", "ears-c3", "ewma", "acled", "nb-cusum")
_UNITS, _DAYS, _SEED = 120, 480, 90
_BURN = 150  # days before anything is counted
_AWAY = 14  # days without alarm after which the next one counts
_LASTS = 14  # days of a surge
_NEVER = 10_000


def rule_names() -> list[str]:
    """Return the names of the compared rules as the registry has them."""
    return [name for name in RULES if any(name.startswith(each) for each in COMPARED)]


def risks(world: World) -> dict[str, Floats]:
    """Return each method's number for each unit and day (rows, columns); NaN where it has none."""
    names = rule_names()
    units, days = world.counts.shape
    found = {name: np.full((units, days), np.nan) for name in names}
    tocsin = np.full((units, days), np.nan)
    row = {name: i for i, name in enumerate(world.spec.names)}
    for day, scores in enumerate(scored(world, ("rise",)).days):
        for score in scores:
            if score.strength is not None:
                tocsin[row[score.unit], day] = score.strength
    whole = np.zeros(units, dtype=np.intp)
    for day in range(_BURN - _AWAY, days):
        known = world.known(day + 1)[:, : day + 1].astype(float)
        seen = Known(known, np.zeros_like(known), whole)
        for name in names:
            found[name][:, day] = RULES[name].risk(seen)
    return {"tocsin": tocsin} | found


def onsets(risk: Floats, threshold: float) -> int:
    """Count alarms that no other of the same unit came before in a fortnight."""
    alarm = risk >= threshold
    number = 0
    last = np.full(len(alarm), -_NEVER)
    for day in range(_BURN - _AWAY, alarm.shape[1]):
        on = alarm[:, day]
        if day >= _BURN:
            number += int(np.sum(on & (day - last > _AWAY)))
        last = np.where(on, day, last)
    return number


def threshold_for(risk: Floats, per_year: float) -> float:
    """Return the least threshold from which on a method alarms at most so often.

    Far lower ones would do too, at which it never leaves off: so it is looked for from above.
    """
    allowed = per_year * risk.shape[0] * (risk.shape[1] - _BURN) / 365.25
    values = np.unique(risk[:, _BURN:][np.isfinite(risk[:, _BURN:])])[::-1]
    good, step = 0, 1  # the highest value alarms once or so
    while good + step < len(values) and onsets(risk, values[good + step]) <= allowed:
        good += step
        step *= 2
    while step > 1:
        step //= 2
        if good + step < len(values) and onsets(risk, values[good + step]) <= allowed:
            good += step
    return float(values[good])


def delays(risk: Floats, starts: NDArray[np.int64], threshold: float) -> NDArray[np.int64]:
    """Return days from a surge's first day to the alarm (1: on it), for units that were quiet."""
    found = []
    for unit, start in enumerate(starts.tolist()):
        alarm = risk[unit] >= threshold
        if not alarm[start - _AWAY : start].any():
            days = np.flatnonzero(alarm[start : start + _LASTS])
            found.append(int(days[0]) + 1 if len(days) else _NEVER)
    return np.array(found, dtype=np.int64)


def pair(rate: float, factor: float, units: int, seed: int, echo: float) -> tuple[World, World]:
    """Return a world without changes, and its twin with one surge in each unit."""
    spec = null_spec(rate, units, _DAYS, seed, echo)
    rng = np.random.default_rng(seed)
    starts = rng.integers(_BURN + _AWAY, _DAYS - _LASTS - 5, size=units).tolist()
    surges = tuple(
        Episode(unit, spec.first_day + timedelta(days=start), _LASTS, "surge", factor)
        for unit, start in zip(spec.names, starts, strict=True)
    )
    return World(spec), World(spec.with_(episodes=surges))


def _starts(world: World) -> NDArray[np.int64]:
    first = {e.unit: (e.first - world.spec.first_day).days for e in world.episodes}
    return np.array([first[name] for name in world.spec.names])


def power(
    units: int = _UNITS, rates: Sequence[float] = RATES, factors: Sequence[float] = FACTORS
) -> Figures:
    """Print and return the share found in 14 days (7) and the median delay, by method."""
    print(f"power: surges of {_LASTS} days found in 14 days / in 7 / median delay; {units} of each")
    figures: Figures = {}
    methods = ["tocsin", *rule_names()]
    for number, rate in enumerate(rates):
        for factor in factors:
            echo = 0.6 if number % 2 else 0.0
            calm, changed = pair(rate, factor, units, _SEED + number, echo)
            quiet, surged = risks(calm), risks(changed)
            for alarms in ALARMS:
                row: list[object] = [f"{rate:g} x{factor:g}{' echo' if echo else ''}", alarms]
                for method in methods:
                    limit = threshold_for(quiet[method], alarms)
                    late = delays(surged[method], _starts(changed), limit)
                    told = _summary(late)
                    figures[f"{rate:g}/x{factor:g}/{alarms:g}/{method}"] = told
                    median = f"{told['median']:g}" if told["median"] else "-"
                    row.append(f"{told['in_14']:.2f}/{told['in_7']:.2f}/{median}")
                table(("rate", "a year", *methods), [row])
    _print_wins(figures)
    return figures


def _summary(late: NDArray[np.int64]) -> Figures:
    n, found = len(late), int(np.sum(late <= 14))
    low, high = wilson(found, n) if n else (0.0, 1.0)
    return {
        "n": n,
        "in_14": round(found / n, 3) if n else 0.0,
        "low": round(low, 3),
        "high": round(high, 3),
        "in_7": round(float(np.mean(late <= 7)), 3) if n else 0.0,
        "median": float(np.median(late[late <= 14])) if found else None,
    }


def _print_wins(figures: Figures) -> None:
    cases = sorted({key.rpartition("/")[0] for key in figures})
    for rule in rule_names():
        better = sum(
            figures[f"{case}/tocsin"]["in_14"] >= figures[f"{case}/{rule}"]["in_14"]
            for case in cases
        )
        print(f"  finds as many as {RULES[rule].title} or more in {better} of {len(cases)} cases")


if __name__ == "__main__":
    power()
