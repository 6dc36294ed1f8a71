"""The HDX Signals rule: more deaths in 30 days than in any 30 days of the past one or three years.

OCHA Centre for Humanitarian Data, HDX Signals, conflict indicator (OCHA-DAP/hdx-signals): the
fatalities of 30 days at least the highest of the past 366 days (medium concern) or 1,096 days
(high), and at least 100. That rule is for countries. Scaled to a unit, the floor of 100 is
multiplied by the unit's share of its country's deaths in the days at hand, and is one death at
least. A history shorter than the years asked for is used as far as it goes.
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from detectors.rules.base import Floats, Known, nothing, recent, windows

_WINDOW_DAYS: Final = 30
_COUNTRY_FLOOR: Final = 100.0  # deaths in 30 days
_LEAST_FLOOR: Final = 1.0
_LEAST_DAYS: Final = 3 * _WINDOW_DAYS  # before which a maximum says little
_YEAR: Final = 366
_THREE_YEARS: Final = 1_096


def floor(known: Known, days: int) -> Floats:
    """Return how many deaths in 30 days are worth a word in each unit."""
    length = min(days, known.days)
    deaths = recent(known.death_sums, length)
    country = np.maximum(deaths[known.whole], 1.0)
    return np.maximum(_COUNTRY_FLOOR * deaths / country, _LEAST_FLOOR)


def ratio(known: Known, days: int) -> Floats:
    """Return the deaths of 30 days over the highest such sum before today, or over the floor."""
    if known.days < _LEAST_DAYS:
        return nothing(known)
    sums = windows(known.death_sums[:, -days - _WINDOW_DAYS - 1 :], _WINDOW_DAYS)
    highest = sums[:, :-1].max(axis=1)
    reached: Floats = sums[:, -1] / np.maximum(highest, floor(known, days))
    return reached


class HdxYear:
    """The deaths of 30 days over the highest of the past 366 days. Alarm from 1."""

    name: ClassVar[str] = "hdx-1y"
    title: ClassVar[str] = "HDX 1-year maximum"
    source: ClassVar[str] = "OCHA HDX Signals, conflict indicator, medium concern"
    limit: ClassVar[float | None] = 1.0
    probability: ClassVar[bool] = False

    def risk(self, known: Known) -> Floats:
        """Return the ratio to the highest of the past year."""
        return ratio(known, _YEAR)


class HdxThreeYears:
    """The deaths of 30 days over the highest of the past 1,096 days. Alarm from 1."""

    name: ClassVar[str] = "hdx-3y"
    title: ClassVar[str] = "HDX 3-year maximum"
    source: ClassVar[str] = "OCHA HDX Signals, conflict indicator, high concern"
    limit: ClassVar[float | None] = 1.0
    probability: ClassVar[bool] = False

    def risk(self, known: Known) -> Floats:
        """Return the ratio to the highest of the past three years."""
        return ratio(known, _THREE_YEARS)
