"""What is normal here, now: a level that forgets, with its uncertainty and its dispersion.

Daily counts are taken as negative binomial around level x factors x exposure. The level is a Gamma
posterior with discounted weights (power discounting, Smith 1979), half-life 30 days; its prior is
the country's pace shared out among its units, so that a sparse unit is shrunk towards its country
(Robbins 1956, Clayton & Kaldor 1987). The factors (weekday, season, Hijri calendar) are those of
the
country (`climate.py`). Dispersion is learned from weeks, because news of one thing comes in bursts
that make a week vary more than its days would have it. Days on which an alarm was near weigh less
(Noufaily et al. 2013), and none is learned before it is a week old, so that a surge does not
become its own baseline.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

GUARD_DAYS: Final = 7
#: Days in the level before it may speak.
LEARNING_DAYS: Final = 14
HALF_LIFE_DAYS: Final = 30
_DISCOUNT: Final = 0.5 ** (1 / HALF_LIFE_DAYS)
#: Incidents that the prior is worth: the rates of provinces differ so much among themselves.
_PRIOR_INCIDENTS: Final = 0.7
_PRIOR_RATE: Final = 0.3  # incidents a day, where the country's pace is not known
_PRIOR_DAYS: Final = (1.0, 10.0)  # the least and the most that the prior is worth
_PRIOR_WEEKS: Final = 2.5  # how many telling weeks the prior dispersion is worth
_PRIOR_DISPERSION: Final = 0.1
_TELLING_WEEK: Final = 5.0  # incidents: a week of so many counts half for the dispersion
_DISPERSION: Final = (0.02, 2.0)
#: What a day weighs on which an alarm was near.
SUSPECT_WEIGHT: Final = 0.25


class Level(Struct, frozen=True):
    """A rate with its uncertainty: `size` of the negative binomial that it predicts."""

    rate: float  # incidents a day, all factors 1
    size: float
    #: The rate, had the prior no incident: what may be missed when it is quiet. What the country's
    #: pace does is no part of it, or many reports of one thing would make others seem missing.
    least: float = 0.0


class Baseline(Struct):
    """What is remembered of a series: constant in time and memory."""

    days: float = 0.0  # discounted days, by their factors and weights
    total: float = 0.0  # discounted incidents
    weeks: float = 0.0  # discounted telling weeks
    excess: float = 0.0  # discounted sum of ((y - m)² - m) / m², by weeks
    week_count: float = 0.0  # of the week that is being learned
    week_expected: float = 0.0
    week_days: int = 0

    def learn(self, count: int, factor: float, *, suspect: bool, prior: float | None) -> None:
        """Learn one day that has left the guard gap.

        Args:
            count: Incidents of the day.
            factor: What the day's weekday, season, calendar and exposure make of the level.
            suspect: Whether an alarm was near on the day.
            prior: The rate that the country's pace gives the unit, incidents a day.
        """
        weight = SUSPECT_WEIGHT if suspect else 1.0
        expected = self.rate(prior) * factor
        self.days = self.days * _DISCOUNT + weight * factor
        self.total = self.total * _DISCOUNT + weight * count
        if not suspect:
            self.week_count += count
            self.week_expected += expected
            self.week_days += 1
            if self.week_days == 7:
                self._learn_dispersion()

    def _learn_dispersion(self) -> None:
        mean, count = self.week_expected, self.week_count
        self.week_count = self.week_expected = 0.0
        self.week_days = 0
        if self.days < LEARNING_DAYS or mean <= 0.0:
            return
        weight = mean / (mean + _TELLING_WEEK)  # a week of few incidents says little of it
        self.weeks = self.weeks * _DISCOUNT**7 + weight
        self.excess = self.excess * _DISCOUNT**7 + weight * ((count - mean) ** 2 - mean) / mean**2

    def rate(self, prior: float | None) -> float:
        """Return the level, incidents a day.

        Args:
            prior: The rate that the country's pace gives the unit, None where it is not known.
        """
        return (self.total + _PRIOR_INCIDENTS) / (self.days + _prior_days(prior))

    def level(self, prior: float | None) -> Level:
        """Return the level with the size of the negative binomial for a week or so."""
        low, high = _DISPERSION
        learned = (self.excess + _PRIOR_DISPERSION * _PRIOR_WEEKS) / (self.weeks + _PRIOR_WEEKS)
        unsure = 1.0 / (self.total + _PRIOR_INCIDENTS)  # of the rate itself, squared
        return Level(
            rate=self.rate(prior),
            size=1.0 / (min(max(learned, low), high) + unsure),
            least=self.total / (self.days + _prior_days(None)),
        )


def _prior_days(prior: float | None) -> float:
    least, most = _PRIOR_DAYS
    return min(max(_PRIOR_INCIDENTS / max(prior or _PRIOR_RATE, 1e-9), least), most)
