"""EARS C1, C2 and C3: today against the mean and standard deviation of a week.

Hutwagner, Thompson, Seeman & Treadwell 2003, "The bioterrorism preparedness and response Early
Aberration Reporting System (EARS)", Journal of Urban Health 80(2) supplement 1, i89-i96; written
out in Fricker, Hegler & Dunfee 2008, Statistics in Medicine 27, 3407-3429.
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from detectors.rules.base import Floats, Known, nothing

_BASELINE_DAYS: Final = 7
_LAG_DAYS: Final = 2  # of C2 and C3, so that a slow rise does not become its own baseline
#: A week without any change has no deviation to divide by; the publication leaves that case open.
_LEAST_DEVIATION: Final = 0.2
_SOURCE: Final = "Hutwagner et al. 2003, Journal of Urban Health 80"


def statistic(counts: Floats, lag: int, back: int = 0) -> Floats:
    """Return (y - mean) / standard deviation of the day `back` days ago.

    Args:
        counts: Daily counts by unit, the last column is today.
        lag: Days between that day and its baseline of seven days.
        back: Days ago.

    Returns:
        The statistic of each unit, in standard deviations.
    """
    at = counts.shape[1] - 1 - back
    baseline = counts[:, at - lag - _BASELINE_DAYS : at - lag]
    deviation = np.maximum(baseline.std(axis=1, ddof=1), _LEAST_DEVIATION)
    standardised: Floats = (counts[:, at] - baseline.mean(axis=1)) / deviation
    return standardised


class EarsC1:
    """C1, mild: the baseline is the seven days before today. Alarm from three deviations."""

    name: ClassVar[str] = "ears-c1"
    title: ClassVar[str] = "EARS C1"
    source: ClassVar[str] = _SOURCE
    limit: ClassVar[float | None] = 3.0
    probability: ClassVar[bool] = False
    lag: ClassVar[int] = 0  # days between today and the baseline

    def risk(self, known: Known) -> Floats:
        """Return today's deviation from the baseline."""
        if known.days < _BASELINE_DAYS + self.lag + 1:
            return nothing(known)
        return statistic(known.incidents, self.lag)


class EarsC2(EarsC1):
    """C2, medium: the baseline ends three days before today. Alarm from three deviations."""

    name: ClassVar[str] = "ears-c2"
    title: ClassVar[str] = "EARS C2"
    lag: ClassVar[int] = _LAG_DAYS


class EarsC3:
    """C3, ultra: what C2 had above 1 today and on the two days before, added. Alarm from 2."""

    name: ClassVar[str] = "ears-c3"
    title: ClassVar[str] = "EARS C3"
    source: ClassVar[str] = _SOURCE
    limit: ClassVar[float | None] = 2.0
    probability: ClassVar[bool] = False

    def risk(self, known: Known) -> Floats:
        """Return C3."""
        if known.days < _BASELINE_DAYS + _LAG_DAYS + 3:
            return nothing(known)
        days = [statistic(known.incidents, _LAG_DAYS, back) for back in range(3)]
        total: Floats = sum((np.maximum(day - 1.0, 0.0) for day in days), np.zeros(len(days[0])))
        return total
