"""M1, coverage: how much of what is usually seen of a unit can be seen now.

It measures Tocsin, not the world: it opens no alert, but decides whether other signals may. Which
languages, countries, families and sources are missing is part of the reason, with the time since
when: not for how long, which would be told anew each hour.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from detectors.incidents import Incident
from detectors.records import Score
from detectors.signals.base import Observation
from detectors.timegrid import instant
from detectors.world.units import Kind


class CoverageState(Struct):
    """Nothing is carried over: coverage is what it is now."""


class CoverageIntegrity:
    """M1 for one unit: the weighted share of its cells that report as usual."""

    name: ClassVar[str] = "M1"
    version: ClassVar[int] = 2
    title: ClassVar[str] = "Coverage"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("admin1", "country", "border"))
    indicator: ClassVar[str] = ""

    def initial(self) -> CoverageState:
        """Return the empty state."""
        return CoverageState()

    def concerns(self, incident: Incident) -> bool:
        """Return no: what happens does not change how well it is seen."""
        return False

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
            reason=reason(seen.share, seen.missing),
        )
        return state, (score,)


def reason(share: float, missing: str) -> str:
    """Return a unit's coverage in words, with what is missing where it is known.

    >>> reason(0.38, "Pashto outlets silent since 2025-09-29 12:00 UTC")
    '38% of the usual reporting can be had: Pashto outlets silent since 2025-09-29 12:00 UTC'
    """
    return f"{share:.0%} of the usual reporting can be had" + (f": {missing}" if missing else "")
