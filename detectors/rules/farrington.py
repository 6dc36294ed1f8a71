"""Farrington, flexible: this week against the same weeks of earlier years, outliers weighed down.

Farrington, Andrews, Beale & Catchpole 1996, Journal of the Royal Statistical Society A 159(3);
Noufaily, Enki, Farrington, Garthwaite, Andrews & Charlett 2013, "An improved algorithm for outbreak
detection in multiple surveillance systems", Statistics in Medicine 32(7), 1206-1222.

Kept: weekly counts, five years back with three weeks on either side, a quasi-Poisson level,
weights by Anscombe residuals above 2.58, a negative binomial limit at 0.995, no alarm below five
events in four weeks. Different: a week is any seven days that end today; a level without trend and
without the ten-step season (the comparable weeks carry the season); the residuals are not
corrected for leverage; without a year of history the reference is the weeks of the last year older
than four (the publication leaves out 26, of which a young history has too few).
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np
from scipy.special import betainc

from detectors.rules.base import Floats, Known, nothing, recent

_WEEK: Final = 7
_YEAR_WEEKS: Final = 52
_YEARS: Final = 5
_HALF_WIDTH: Final = 3  # weeks
_GUARD_WEEKS: Final = 4
_FEWEST_WEEKS: Final = 7  # of reference
_RESIDUAL: Final = 2.58
_REWEIGHTED: Final = 2  # times
_TAIL: Final = 0.005
_LEAST_EVENTS: Final = 5.0  # in four weeks
_LEAST_MEAN: Final = 0.05  # events a week: a unit without any past event has no log level
_LEAST_EXCESS: Final = 1e-6  # of the dispersion over 1: nearly Poisson


def comparable_weeks(known_days: int) -> list[int]:
    """Return how many weeks ago the weeks end that this one is compared with.

    >>> comparable_weeks(400)  # three weeks on either side, so far as they are known
    [49, 50, 51, 52, 53, 54, 55]
    >>> comparable_weeks(84)
    [4, 5, 6, 7, 8, 9, 10, 11]
    """
    known = known_days // _WEEK  # whole weeks, this one included
    seasons = [
        year * _YEAR_WEEKS + shift
        for year in range(1, _YEARS + 1)
        for shift in range(-_HALF_WIDTH, _HALF_WIDTH + 1)
    ]
    found = [ago for ago in seasons if ago < known]
    return found if len(found) >= _FEWEST_WEEKS else list(range(_GUARD_WEEKS, min(known, 52)))


def level(weeks: Floats) -> tuple[Floats, Floats]:
    """Return the mean of the reference weeks and their dispersion, outliers weighed down.

    Args:
        weeks: Events by unit and week.

    Returns:
        Events a week, and variance over mean, at least 1.
    """
    weights = np.ones_like(weeks)
    mean, dispersion = _fit(weeks, weights)
    for _ in range(_REWEIGHTED):
        residual = (
            1.5
            * (weeks ** (2 / 3) - mean[:, None] ** (2 / 3))
            / (mean[:, None] ** (1 / 6) * np.sqrt(dispersion[:, None]))
        )
        weights = np.where(residual > _RESIDUAL, np.maximum(residual, 1.0) ** -2.0, 1.0)
        weights *= weeks.shape[1] / weights.sum(axis=1, keepdims=True)
        mean, dispersion = _fit(weeks, weights)
    return mean, dispersion


def _fit(weeks: Floats, weights: Floats) -> tuple[Floats, Floats]:
    mean = np.maximum((weights * weeks).sum(axis=1) / weights.sum(axis=1), _LEAST_MEAN)
    chi = (weights * (weeks - mean[:, None]) ** 2).sum(axis=1) / mean
    return mean, np.maximum(chi / (weeks.shape[1] - 1), 1.0)


class Farrington:
    """How unlikely so many events are, as -ln P(N >= this week's). Alarm from P = 0.005."""

    name: ClassVar[str] = "farrington"
    title: ClassVar[str] = "Farrington, flexible style"
    source: ClassVar[str] = "Noufaily et al. 2013, Statistics in Medicine 32"
    limit: ClassVar[float | None] = float(-np.log(_TAIL))
    probability: ClassVar[bool] = False

    def risk(self, known: Known) -> Floats:
        """Return the negative logarithm of the tail; 0 where four weeks had too few events."""
        ago = comparable_weeks(known.days)
        if len(ago) < _FEWEST_WEEKS:
            return nothing(known)
        ends = known.incident_sums.shape[1] - 1 - _WEEK * np.array(ago)
        weeks = known.incident_sums[:, ends] - known.incident_sums[:, ends - _WEEK]
        mean, dispersion = level(weeks)
        observed = recent(known.incident_sums, _WEEK)
        size = mean / np.maximum(dispersion - 1.0, _LEAST_EXCESS)
        tail = betainc(np.maximum(observed, 1.0), size, mean / (mean + size))
        told = -np.log(np.maximum(tail, 1e-300))
        enough = (observed > 0) & (recent(known.incident_sums, 4 * _WEEK) >= _LEAST_EVENTS)
        return np.where(enough, told, 0.0)
