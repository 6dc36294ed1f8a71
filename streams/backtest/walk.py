"""The second pass: day by day over the vintages, what every rule says of what was known that day.

The target is whether the next fortnight has so many incidents that it is in the unit's own top
decile: at least the unit's bar as known on the day (`detectors.rules.base.Known.bar`). It is told
twice: by the counts as finally known, to judge by; and as it was known `SETTLED_DAYS` after the
day, to learn from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.onsets import FINAL_DAYS
from detectors.rules import Known, Rule
from detectors.rules.base import HORIZON_DAYS, LONGEST_DAYS
from detectors.world.units import UNITS
from streams.backtest.history import WIDTH, History

Floats = NDArray[np.float64]

#: Days after which the target of a day can be told.
SETTLED_DAYS: Final = HORIZON_DAYS + FINAL_DAYS

#: Tocsin's own numbers, told beside those of the rules.
INDEX: Final = "tocsin-index"
STRENGTH: Final = "tocsin-strength"
TITLES: Final = {INDEX: "Tocsin, index (S0)", STRENGTH: "Tocsin, strength"}


class Walk(Struct, frozen=True):
    """What was said of every day and unit, and what came. Axes: day, unit; NaN is unknown."""

    units: tuple[str, ...]
    first_day: int  # day number of the first row
    risk: dict[str, Floats]  # by rule, in the order of tables; Tocsin's own come first
    bar: Floats  # incidents that put a fortnight into the unit's top decile, as known on the day
    final: Floats  # incidents of the day, as finally known
    deaths: Floats  # people killed on the day, as finally known
    truth: Floats  # 1 where the next fortnight reached the bar, 0 where it did not
    learnt: Floats  # the same as known `SETTLED_DAYS` later
    dark: NDArray[np.bool_]  # coverage was not ok at some time of the day
    seen: NDArray[np.bool_]  # coverage was ok when the day ended

    @property
    def days(self) -> int:
        """How many days there are."""
        return int(self.bar.shape[0])


def walk(
    history: History,
    rules: Mapping[str, Rule],
    progress: Callable[[int], None] = lambda day: None,
) -> Walk:
    """Go through the days of a history once, letting every rule see what was known.

    Args:
        history: What the live code knew.
        rules: By name.
        progress: Is told how many days are done.
    """
    days, units = history.days, len(history.units)
    incidents, deaths = np.zeros((units, days)), np.zeros((units, days))
    whole = _whole(history.units)
    risk = {STRENGTH: history.strength, INDEX: history.index}
    risk |= {name: np.full((days, units), np.nan) for name in rules}
    bar, learnt = np.full((days, units), np.nan), np.full((days, units), np.nan)
    dark = history.dark
    for day in range(days):
        start = max(0, day - WIDTH + 1)
        incidents[:, start : day + 1] = history.incidents[day, :, WIDTH - (day + 1 - start) :]
        deaths[:, start : day + 1] = history.deaths[day, :, WIDTH - (day + 1 - start) :]
        oldest = max(0, day + 1 - LONGEST_DAYS)
        known = Known(incidents[:, oldest : day + 1], deaths[:, oldest : day + 1], whole)
        for name, rule in rules.items():
            risk[name][day] = rule.risk(known)
        bar[day] = known.bar
        past = day - SETTLED_DAYS
        if past >= 0:
            learnt[past] = reached(incidents, dark, bar, past)
        progress(day + 1)
    truth = np.full((days, units), np.nan)
    for day in range(days - SETTLED_DAYS):
        truth[day] = reached(incidents, dark, bar, day)
    return Walk(
        units=history.units,
        first_day=history.first_day,
        risk=risk,
        bar=bar,
        final=incidents.T.copy(),
        deaths=deaths.T.copy(),
        truth=truth,
        learnt=learnt,
        dark=dark,
        seen=history.seen,
    )


def reached(incidents: Floats, dark: NDArray[np.bool_], bar: Floats, day: int) -> Floats:
    """Return by unit whether the fortnight after a day reached the day's bar: 1, 0 or NaN.

    Days on which the unit could not be seen can only hide incidents: a fortnight that reached the
    bar did so all the same, of another with such days it is not known.

    Args:
        incidents: By unit and day, as known.
        dark: By day and unit.
        bar: By day and unit.
        day: The row of the day before the fortnight.
    """
    ahead = slice(day + 1, day + 1 + HORIZON_DAYS)
    found = incidents[:, ahead].sum(axis=1) >= bar[day]
    hidden = dark[ahead].any(axis=0) & ~found
    told: Floats = np.where(hidden | np.isnan(bar[day]), np.nan, found.astype(float))
    return told


def _whole(units: tuple[str, ...]) -> NDArray[np.intp]:
    """Return by unit the row of its country, or its own where the country is not there."""
    row = {unit: i for i, unit in enumerate(units)}
    return np.array([row.get(UNITS[unit].country, row[unit]) for unit in units], dtype=np.intp)
