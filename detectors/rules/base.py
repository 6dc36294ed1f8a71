"""What a rule is: a pure function from what was known of every unit on a day to a risk for each.

Rules are the published methods that a monitor has to beat. They see daily counts as known on the
day, for all units at once, and nothing later. Each looks at a bounded stretch of the past, so one
day costs the same however long the history.
"""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar, Final, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

HORIZON_DAYS: Final = 14
#: Share of a unit's own past fortnights that reach its bar.
TOP: Final = 0.1
FEWEST: Final = 3  # incidents: a fortnight with fewer is no surge, however quiet the unit
BAR_DAYS: Final = 730  # of the past that the bar is taken from
LEAST_BAR_DAYS: Final = 90  # fewer do not tell what is usual
#: Days that a rule may look back on: five years and the weeks around their first day.
LONGEST_DAYS: Final = 5 * 364 + 28


class Known(Struct, frozen=True, dict=True):
    """Daily counts as known at the end of a day, a row for each unit; the last column is that day.

    There are as many columns as days have been watched, `LONGEST_DAYS` at most.
    """

    incidents: Floats  # violent incidents
    deaths: Floats  # people killed in them, best estimates
    whole: Indices  # by unit: the row of its country

    @property
    def days(self) -> int:
        """How many days are known."""
        return int(self.incidents.shape[1])

    @cached_property
    def incident_sums(self) -> Floats:
        """Incidents up to each day, with a first column of zeros."""
        return _sums(self.incidents)

    @cached_property
    def death_sums(self) -> Floats:
        """Deaths up to each day, with a first column of zeros."""
        return _sums(self.deaths)

    @cached_property
    def bar(self) -> Floats:
        """Return the fewest incidents that put a fortnight into the unit's own top decile.

        The smallest count, of at least `FEWEST`, that at most a tenth of the unit's fortnights
        (overlapping, of the last two years) reached. NaN while fewer than `LEAST_BAR_DAYS` days
        are known.
        """
        if self.days < LEAST_BAR_DAYS:
            return nothing(self)
        past = fortnights(self)
        allowed = int(TOP * past.shape[1])
        place = past.shape[1] - 1 - allowed
        beyond = np.partition(past, place, axis=1)[:, place] + 1.0
        return np.maximum(beyond, float(FEWEST))


class Rule(Protocol):
    """A published way to tell that something is about to happen, or is happening.

    `risk` gives a number for each unit, the higher the worse, NaN where the rule cannot speak yet;
    from `limit` upwards the rule as published gives alarm.
    """

    name: ClassVar[str]  # in tables and files; never reused
    title: ClassVar[str]
    source: ClassVar[str]  # where it was published
    limit: ClassVar[float | None]  # None: none was published
    probability: ClassVar[bool]  # whether its risk is a probability of the target as it stands

    def risk(self, known: Known) -> Floats:
        """Return the risk of each unit at the end of the last day known."""
        ...


def _sums(counts: Floats) -> Floats:
    summed = np.zeros((counts.shape[0], counts.shape[1] + 1))
    np.cumsum(counts, axis=1, out=summed[:, 1:])
    return summed


def windows(sums: Floats, length: int) -> Floats:
    """Return the totals of all windows of `length` days, the last ends on the last day.

    >>> windows(np.array([[0.0, 1.0, 3.0, 6.0]]), 2)
    array([[3., 5.]])
    """
    return sums[:, length:] - sums[:, :-length]


def recent(sums: Floats, length: int) -> Floats:
    """Return the total of the last `length` days of each unit."""
    newest: Floats = sums[:, -1] - sums[:, -1 - length]
    return newest


def fortnights(known: Known) -> Floats:
    """Return the incidents of every fortnight of the last `BAR_DAYS` days, the newest last."""
    return windows(known.incident_sums[:, -BAR_DAYS - 1 :], HORIZON_DAYS)


def nothing(known: Known) -> Floats:
    """Return that nothing can be said of any unit."""
    return np.full(known.incidents.shape[0], np.nan)
