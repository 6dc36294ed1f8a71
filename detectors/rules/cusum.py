"""NB-CUSUM: evidence for twice the usual level, added up over days and never below zero.

Höhle & Paul 2008, "Count data regression charts for the monitoring of surveillance time series",
Computational Statistics & Data Analysis 52(9), 4357-4368. The usual level and its dispersion are
those of the 90 days that ended four weeks ago; the sum runs over the last four weeks with the level
of today, and does not begin anew after an alarm. No threshold is published: it follows from the
run length that one asks for.
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from detectors.rules.base import Floats, Known, nothing

_FACTOR: Final = 2.0  # the rise that it looks for
_RUN_DAYS: Final = 28
_BASELINE_DAYS: Final = 90
_LEAST_BASELINE_DAYS: Final = 28
_PRIOR_EVENTS: Final = 0.5  # in as many days as
_PRIOR_DAYS: Final = 2.0
_DISPERSION: Final = (0.02, 2.0)  # bounds of 1/size


def increments(counts: Floats, mean: Floats, size: Floats) -> Floats:
    """Return the log likelihood ratio of `_FACTOR` times the mean for each day, in nats.

    Args:
        counts: Events by unit and day.
        mean: Usual events a day, by unit.
        size: Of the negative binomial, by unit: the variance is mean + mean² / size.

    Returns:
        The ratio of each unit and day.
    """
    m, r = mean[:, None], size[:, None]
    ratio: Floats = counts * np.log(_FACTOR) - (counts + r) * np.log((r + _FACTOR * m) / (r + m))
    return ratio


class NegativeBinomialCusum:
    """The sum of the last four weeks, in nats, since it was last zero."""

    name: ClassVar[str] = "nb-cusum"
    title: ClassVar[str] = "NB-CUSUM"
    source: ClassVar[str] = "Höhle & Paul 2008, Computational Statistics & Data Analysis 52"
    limit: ClassVar[float | None] = None
    probability: ClassVar[bool] = False

    def risk(self, known: Known) -> Floats:
        """Return the sum."""
        if known.days < _RUN_DAYS + _LEAST_BASELINE_DAYS:
            return nothing(known)
        baseline = known.incidents[:, -_RUN_DAYS - _BASELINE_DAYS : -_RUN_DAYS]
        days = baseline.shape[1]
        mean = (baseline.sum(axis=1) + _PRIOR_EVENTS) / (days + _PRIOR_DAYS)
        spread = (baseline.var(axis=1, ddof=1) - mean) / mean**2
        size = 1.0 / np.clip(spread, *_DISPERSION)
        steps = increments(known.incidents[:, -_RUN_DAYS:], mean, size)
        sums = np.cumsum(np.pad(steps, ((0, 0), (1, 0))), axis=1)
        risen: Floats = sums[:, -1] - sums.min(axis=1)
        return risen
