"""S1, violence surge: violent incidents beyond what is normal here and now, and falls below it.

Every violent incident (PLOVER ASSAULT that happened: not historical, future, hypothetical or
negated) counts once, on the day on which it occurred. What is normal has the country's weekdays,
seasons and holidays. A return from a lull is a rise too.
"""

from __future__ import annotations

from typing import ClassVar

from detectors.incidents import Incident
from detectors.signals.counting import Counting
from detectors.world.units import Kind


class ViolenceSurge(Counting):
    """S1 for one unit, both directions."""

    name: ClassVar[str] = "S1"
    version: ClassVar[int] = 2
    title: ClassVar[str] = "Violence surge"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("admin1", "country", "border"))
    indicator: ClassVar[str] = "violent_incidents"
    words: ClassVar[str] = "violent incidents"
    revised: ClassVar[bool] = False
    seasonal: ClassVar[bool] = True

    def weight(self, incident: Incident) -> int:
        """Return 1: every violent incident counts once."""
        return 1
