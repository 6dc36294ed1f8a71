"""How often grave incidents come, how they draw others after them, and how grave they are.

A marked self-exciting point process in days (Hawkes 1971, Biometrika 58), its marks a Pareto tail
above a threshold (Hill 1975, Annals of Statistics 3), as Chavez-Demoulin, Davison & McNeil (2005,
Quantitative Finance 5) put the two together. Both are learned day by day and shrunk to priors.
"""

from __future__ import annotations

from math import exp, log
from typing import Final

from msgspec import Struct

from detectors.records import Casualties

#: Killed: an incident of so many, best estimate, is grave, and belongs to the tail.
GRAVE: Final = 5
#: Index of the Pareto tail, and the grave incidents that this prior is worth (UCDP GED 23.1,
#: Afghanistan, January to June 2020: 1.77 above 5 killed).
_PRIOR_INDEX: Final = 1.75
_PRIOR_WORTH: Final = 12.0
_TAIL_KEPT: Final = 0.995  # per grave incident
#: Grave incidents a day before anything is known, and how many the prior is worth.
_PRIOR_RATE: Final = 0.03
_PRIOR_INCIDENTS: Final = 0.5
_LEVEL_KEPT: Final = 0.5 ** (1 / 180)  # per day
_WEEK, _MONTH = exp(-1 / 7), exp(-1 / 30)  # what is left of an excitement a day later
#: Dispersion of daily counts beyond a Poisson process.
_DISPERSION: Final = 0.1
#: Branching by the kernels of 7 and of 30 days: how many grave incidents one draws after it. By the
#: same data 0.2 and 0 are likeliest, and are so whatever the incident's toll.
BRANCHING: Final = tuple((week, month) for week in (0.0, 0.15, 0.3, 0.5) for month in (0.0, 0.2))
_PRIOR_LOG: Final = (-1.5, -1.5, 0.0, -0.7, -0.3, -1.0, -1.5, -2.0)  # log weight, by pair
_WEIGHTS_KEPT: Final = 0.999  # per day


class Tail(Struct):
    """What is remembered of the tolls of grave incidents: constant in memory."""

    incidents: float = 0.0  # discounted
    logs: float = 0.0  # discounted sum of the logarithms of their tolls over the threshold

    def learn(self, killed: int) -> None:
        """Learn the toll of one grave incident."""
        self.incidents = self.incidents * _TAIL_KEPT + 1.0
        self.logs = self.logs * _TAIL_KEPT + _over(killed)

    def beyond(self, killed: int) -> float:
        """Return the chance that a grave incident kills at least so many.

        The index has a Gamma posterior; its predictive distribution is itself heavier than Pareto.

        >>> round(Tail().beyond(10), 2), round(Tail().beyond(25), 2)
        (0.29, 0.07)
        """
        shape = _PRIOR_WORTH + self.incidents
        scale = _PRIOR_WORTH / _PRIOR_INDEX + self.logs
        return float((scale / (scale + max(0.0, _over(killed)))) ** shape)


class Pulse(Struct):
    """The kernels: grave incidents a day, weighted by how long ago they were."""

    week: float
    month: float

    def intensity(self, usual: float, branching: tuple[float, float]) -> float:
        """Return the incidents a day that are expected after this past; their mean is `usual`."""
        week, month = branching
        return (1.0 - week - month) * usual + week * self.week + month * self.month

    def after(self, number: float) -> Pulse:
        """Return the kernels after one more day with so many incidents."""
        return Pulse(
            self.week * _WEEK + (1.0 - _WEEK) * number,
            self.month * _MONTH + (1.0 - _MONTH) * number,
        )


class Excitement(Struct, dict=True):
    """What is remembered of the days that were learned: constant in memory."""

    days: float = 0.0  # discounted
    total: float = 0.0  # discounted grave incidents
    pulse: Pulse | None = None  # None: nothing has been learned
    weights: list[float] = []  # log posterior of each of `BRANCHING`, less the prior's

    @property
    def usual(self) -> float:
        """The level: grave incidents a day."""
        return (self.total + _PRIOR_INCIDENTS) / (self.days + _PRIOR_INCIDENTS / _PRIOR_RATE)

    @property
    def size(self) -> float:
        """The size of the negative binomial by which the level is known."""
        return 1.0 / (_DISPERSION + 1.0 / (self.total + _PRIOR_INCIDENTS))

    @property
    def now(self) -> Pulse:
        """The kernels; those of the usual where nothing has been learned."""
        return self.pulse or Pulse(self.usual, self.usual)

    @property
    def branching(self) -> tuple[float, float]:
        """The posterior mean of the branching by the two kernels."""
        kept: tuple[float, float] | None = self.__dict__.get("branching")
        if kept is None:  # until a day is learned
            kept = self.__dict__["branching"] = self._branching()
        return kept

    def _branching(self) -> tuple[float, float]:
        logs = [known + own for known, own in zip(_PRIOR_LOG, self._learned(), strict=True)]
        most = max(logs)
        shares = [exp(each - most) for each in logs]
        total = sum(shares)
        week, month = (
            sum(share * pair[kernel] for share, pair in zip(shares, BRANCHING, strict=True)) / total
            for kernel in (0, 1)
        )
        return week, month

    def learn(self, number: int, share: float) -> None:
        """Learn one day; one that was not all seen moves the kernels only.

        Args:
            number: Grave incidents of the day.
            share: The share of the usual reporting that could be had, 1 where it was `ok`.
        """
        pulse, usual = self.now, self.usual
        expected = pulse.intensity(usual, self.branching)
        self.__dict__.clear()
        if share >= 1.0:
            self.weights = [
                _WEIGHTS_KEPT * own + _fit(number, pulse.intensity(usual, pair))
                for own, pair in zip(self._learned(), BRANCHING, strict=True)
            ]
            most = max(self.weights)
            self.weights = [each - most for each in self.weights]
            self.days = self.days * _LEVEL_KEPT + 1.0
            self.total = self.total * _LEVEL_KEPT + number
        self.pulse = pulse.after(number + max(0.0, 1.0 - share) * expected)

    def ahead(self, pulse: Pulse, days: int) -> float:
        """Return the grave incidents that the next days are expected to bring."""
        by_week, by_month = self.branching
        base, week, month = (1.0 - by_week - by_month) * self.usual, pulse.week, pulse.month
        total = 0.0
        for _ in range(days):
            expected = base + by_week * week + by_month * month
            total += expected
            week = week * _WEEK + (1.0 - _WEEK) * expected
            month = month * _MONTH + (1.0 - _MONTH) * expected
        return total

    def _learned(self) -> list[float]:
        return self.weights or [0.0] * len(BRANCHING)


def worst(killed: Casualties | None) -> int:
    """Return the best estimate of an incident's dead where it is grave, else 0; 0 too if untold."""
    return killed.best if killed is not None and killed.best >= GRAVE else 0


def _over(killed: int) -> float:
    """Return log(toll / threshold); whole numbers stand for the half below them."""
    return log((killed - 0.5) / (GRAVE - 0.5))


def _fit(number: int, mean: float) -> float:
    """Return the log likelihood of a day's count, but for what does not depend on the mean."""
    size = 1.0 / _DISPERSION
    return number * log(mean) - (number + size) * log(size + mean)
