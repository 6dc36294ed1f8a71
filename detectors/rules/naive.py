"""The rules that need no method: all stays as it is, and all is as it always was.

Both are reference forecasts of every forecasting contest (Murphy 1992, "Climatology, persistence,
and their linear combination as standards of reference in skill scores", Weather and Forecasting 7).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from detectors.rules.base import HORIZON_DAYS, Floats, Known, fortnights, recent


class NoChange:
    """The next fortnight has as many incidents as the last: its count over the unit's own bar."""

    name: ClassVar[str] = "no-change"
    title: ClassVar[str] = "No change"
    source: ClassVar[str] = "persistence, Murphy 1992, Weather and Forecasting 7"
    limit: ClassVar[float | None] = 1.0
    probability: ClassVar[bool] = False

    def risk(self, known: Known) -> Floats:
        """Return the last fortnight's incidents over the unit's bar (`Known.bar`)."""
        bar = known.bar  # NaN while unknown, and then so is the ratio
        if np.isnan(bar).all():
            return bar
        ratio: Floats = recent(known.incident_sums, HORIZON_DAYS) / bar
        return ratio


class Climatology:
    """The share of the unit's past fortnights that reached its bar, whatever goes on now."""

    name: ClassVar[str] = "climatology"
    title: ClassVar[str] = "Climatology"
    source: ClassVar[str] = "Murphy 1992, Weather and Forecasting 7"
    limit: ClassVar[float | None] = None
    probability: ClassVar[bool] = True

    def risk(self, known: Known) -> Floats:
        """Return the share."""
        bar = known.bar
        if np.isnan(bar).all():
            return bar
        share: Floats = (fortnights(known) >= bar[:, None]).mean(axis=1)
        return share
