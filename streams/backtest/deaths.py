"""People killed by unit and day, as known: what the rules that go by deaths are given.

Reports of one place on one day count once, with the highest best estimate among them. That is
coarser than Tocsin's incidents, and about what a rule would have had that goes by a data set.
"""

from __future__ import annotations

from collections import deque

from detectors.records import Event
from detectors.timegrid import DAY, LOCAL_OFFSET, day_number, seconds

_LONGEST_INTERVAL: int = 7  # days: a longer one names no day on which to count


class Deaths:
    """Counts the killed of one unit. Events come in order of `seen_at`."""

    def __init__(self, country: str) -> None:
        """Take the country, whose local days are counted."""
        self._offset = LOCAL_OFFSET.get(country, 0)
        self._waiting: deque[Event] = deque()
        self._places: dict[tuple[int, str], int] = {}
        self._days: dict[int, int] = {}

    def take(self, event: Event) -> None:
        """Take an event; it counts from the local day on which it was seen."""
        if event.event == "ASSAULT" and event.killed and event.occurred and not event.auxiliary:
            self._waiting.append(event)

    def close(self, day: int, length: int) -> list[int]:
        """Return the killed of the last `length` days, as known at the end of a local day.

        Args:
            day: The day number of the day that is over.
            length: How many days; the last is `day`. Earlier ones are forgotten.
        """
        end = (day + 1) * DAY - self._offset
        while self._waiting and seconds(self._waiting[0].seen_at) < end:
            self._count(self._waiting.popleft())
        oldest = day - length + 1
        if len(self._days) > 4 * length:
            self._days = {each: n for each, n in self._days.items() if each >= oldest}
            self._places = {key: n for key, n in self._places.items() if key[0] >= oldest}
        return [self._days.get(each, 0) for each in range(oldest, day + 1)]

    def _count(self, event: Event) -> None:
        if event.occurred is None or event.killed is None:
            return
        day = day_number(event.occurred.start)
        if day_number(event.occurred.end) - day > _LONGEST_INTERVAL:
            return
        key = day, event.place.name if event.place else ""
        before, now = self._places.get(key, 0), event.killed.best
        if now > before:
            self._places[key] = now
            self._days[day] = self._days.get(day, 0) + now - before
