"""The ACLED surge rule: a week with at least twice the events of a usual week of the last four.

ACLED, Subnational Threat and Surge Trackers (acleddata.com, "early warning research hub"): a surge
is a rise of 100 % or more against the weekly mean of the past four weeks, where that mean is one
event or more. Weeks here are any seven days that end today.
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from detectors.rules.base import Floats, Known, nothing, recent

_WEEK: Final = 7
_WEEKS: Final = 4
_LEAST_MEAN: Final = 1.0  # events a week


class AcledSurge:
    """This week over the mean of the four before. Alarm from 2; 0 where the mean is below one."""

    name: ClassVar[str] = "acled-surge"
    title: ClassVar[str] = "ACLED surge (+100 %)"
    source: ClassVar[str] = "ACLED, Subnational Surge Tracker"
    limit: ClassVar[float | None] = 2.0
    probability: ClassVar[bool] = False

    def risk(self, known: Known) -> Floats:
        """Return the ratio of the last week to the weekly mean of the four before."""
        if known.days < _WEEK * (_WEEKS + 1):
            return nothing(known)
        week = recent(known.incident_sums, _WEEK)
        mean = (recent(known.incident_sums, _WEEK * (_WEEKS + 1)) - week) / _WEEKS
        return np.where(mean >= _LEAST_MEAN, week / np.maximum(mean, _LEAST_MEAN), 0.0)
