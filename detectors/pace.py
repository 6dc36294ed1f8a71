"""What is to be expected of a place: new incidents a day, and further reports of a known one."""

from __future__ import annotations

from math import exp2, log
from typing import Final

from msgspec import Struct

_HALF_LIFE: Final = 14.0  # days
_FULL: Final = _HALF_LIFE / log(2)  # the discounted days that a full memory comes to
#: Before anything is known: half an incident in two days.
_PRIOR: Final = 0.5
_PRIOR_DAYS: Final = 2.0
#: Before much is known: two further reports of five incidents.
_FURTHER: Final = 2.0
_INCIDENTS: Final = 5.0
_DISCOUNT: Final = 0.99  # per incident


class Pace(Struct):
    """What one unit's incidents so far let expect. Days are day numbers."""

    since: int | None = None  # the day of the first report
    #: Province ("" where it is unknown) -> day, discounted number of incidents up to it.
    begun: dict[str, tuple[int, float]] = {}
    further: float = _FURTHER  # discounted number of further reports
    incidents: float = _INCIDENTS  # discounted number of incidents that had them

    def begin(self, admin1: str | None, day: int) -> None:
        """Note a new incident."""
        if self.since is None:
            self.since = day
        place = admin1 or ""
        last = self.begun.get(place, (day, 0.0))[0]
        self.begun[place] = max(last, day), self._count(place, day) + 1.0
        self.incidents = self.incidents * _DISCOUNT + 1.0
        self.further *= _DISCOUNT

    def go_on(self) -> None:
        """Note a further report of a known incident."""
        self.further += 1.0

    def of_new(self, admin1: str | None, day: int) -> float:
        """Return how many new incidents a day are usual in a province; everywhere, if None."""
        places = [admin1] if admin1 else list(self.begun) or [""]
        length = max(0, day - (day if self.since is None else self.since))
        known = _FULL * (1.0 - exp2(-length / _HALF_LIFE))
        expected = sum(self._count(place, day) + _PRIOR for place in places)
        return expected / (known + _PRIOR_DAYS)

    def of_further(self) -> float:
        """Return how many further reports a known incident usually has."""
        return self.further / self.incidents

    def _count(self, place: str, day: int) -> float:
        last, count = self.begun.get(place, (day, 0.0))
        return count * exp2(-max(0, day - last) / _HALF_LIFE)
