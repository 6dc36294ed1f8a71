"""EWMA: an exponentially weighted mean against its standard error.

Roberts 1959, "Control chart tests based on geometric moving averages", Technometrics 1(3). The
moving baseline of 28 days with a gap of two days before today is that of Burkom, Murphy & Shmueli
2007, "Automated time series forecasting for biosurveillance", Statistics in Medicine 26(22). The
weighted mean starts from the baseline's mean 28 days ago (what came before weighs under 0.0001).
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from detectors.rules.base import Floats, Known, nothing

_WEIGHT: Final = 0.3  # of the newest day
_BASELINE_DAYS: Final = 28
_GAP_DAYS: Final = 2
_LEAST_DEVIATION: Final = 0.2  # as for EARS: a baseline without any change has none
#: Weights of the last 28 days, the oldest first.
_WEIGHTS: Final = _WEIGHT * (1 - _WEIGHT) ** np.arange(_BASELINE_DAYS - 1, -1, -1)


class Ewma:
    """The weighted mean in standard errors above the baseline. Alarm from three."""

    name: ClassVar[str] = "ewma"
    title: ClassVar[str] = "EWMA"
    source: ClassVar[str] = "Roberts 1959, Technometrics 1"
    limit: ClassVar[float | None] = 3.0
    probability: ClassVar[bool] = False

    def risk(self, known: Known) -> Floats:
        """Return the weighted mean, in standard errors above the baseline's mean."""
        if known.days < _BASELINE_DAYS + _GAP_DAYS + 1:
            return nothing(known)
        baseline = known.incidents[:, -_BASELINE_DAYS - _GAP_DAYS - 1 : -_GAP_DAYS - 1]
        mean = baseline.mean(axis=1)
        deviation = np.maximum(baseline.std(axis=1, ddof=1), _LEAST_DEVIATION)
        excess = (known.incidents[:, -_BASELINE_DAYS:] - mean[:, None]) @ _WEIGHTS
        standardised: Floats = excess / (deviation * np.sqrt(_WEIGHT / (2 - _WEIGHT)))
        return standardised
