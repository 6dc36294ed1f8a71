"""M1, coverage: how much of what is usually seen of a unit can be seen now.

It measures Tocsin, not the world: it opens no alert, but decides whether other signals may.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from detectors.records import Score
from detectors.signals.base import Observation
from detectors.timegrid import instant


class CoverageState(Struct):
    """Nothing is carried over: coverage is what it is now."""


class CoverageIntegrity:
    """M1 for one unit: the weighted share of its sources that report as usual."""

    name: ClassVar[str] = "M1"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Coverage"
    alerts: ClassVar[bool] = False

    def initial(self) -> CoverageState:
        """Return the empty state."""
        return CoverageState()

    def step(self, state: CoverageState, seen: Observation) -> tuple[CoverageState, tuple[Score]]:
        """Return the unit's coverage as a score."""
        score = Score(
            id=f"{self.name}/fall/{seen.unit}/{seen.at}",
            signal=self.name,
            version=self.version,
            unit=seen.unit,
            direction="fall",
            at=instant(seen.at),
            state="scored",
            coverage=seen.coverage,
            coverage_share=seen.share,
            reason=f"{seen.share:.0%} of the usual reporting can be had",
        )
        return state, (score,)
