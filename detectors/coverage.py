"""How much of what is usually seen was seen: `ok`, `thin`, `dark`, for sources and for units.

A source is judged by its own history: reports per hour, discounted with a half-life of two weeks.
It is `dark` when it has been silent for so long that its history makes that a chance of one in a
hundred, or when fetching it failed; `thin` when three days brought far fewer than usual. A unit
is covered by the sources that report on it, each weighted by its share of the unit's events.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from detectors.distributions import lower_tail
from detectors.records import Coverage, SourceHealth
from detectors.timegrid import instant

HOUR: Final = 3_600
_DISCOUNT: Final = 0.5 ** (1 / (14 * 24))  # per hour
_WINDOW_HOURS: Final = 72
_LEARNING_HOURS: Final = 72
#: News comes in bursts: a variance of m + m²/size around the expected count.
_SIZE: Final = 5.0
_DARK_P: Final = 0.005
_THIN_P: Final = 0.002
#: A unit is covered `ok` from this weighted share of its sources upwards, `dark` below the other.
UNIT_OK: Final = 0.75
UNIT_DARK: Final = 0.4
_PRIOR_EVENTS: Final = 5.0
_UNIT_DISCOUNT: Final = 0.99  # per event of the unit


class SourceMonitor(Struct):
    """What one source has brought, by hours of stream time."""

    source: str
    since: int  # the end of the first hour in which it was seen
    hours: float = 0.0  # discounted number of hours watched
    reports: float = 0.0  # discounted number of reports
    watched: int = 0  # hours watched, undiscounted
    recent: list[int] = []  # reports in each of the last `_WINDOW_HOURS` hours
    silent: int = 0  # hours since the last report
    lost: bool = False  # whether the silence was dark
    error: str | None = None

    def close_hour(self, count: int, end: int, error: str | None) -> SourceHealth:
        """Take the count of an hour that ended at `end`; return the source's health at its end.

        A report in the hour proves the source alive, whatever a poll in the same hour said.
        """
        gap, lost = self.silent, self.lost
        self.error = error if count == 0 else None
        self.silent = self.silent + 1 if count == 0 else 0
        self.recent = [*self.recent[-(_WINDOW_HOURS - 1) :], count]
        self.watched += 1
        health = self._health(end)
        self.lost = count == 0 and (lost or health.state == "dark")
        if count:  # silence is learned once it is over, and an outage never becomes what is usual
            kept = _DISCOUNT ** (1 if lost else gap + 1)
            self.hours = self.hours * kept + (1.0 - kept) / (1.0 - _DISCOUNT)
            self.reports = self.reports * kept + count
        return health

    def _health(self, end: int) -> SourceHealth:
        rate = self.reports / self.hours if self.hours else 0.0
        expected = rate * len(self.recent)
        seen = sum(self.recent)
        state, share, reason = self._judge(rate, expected, seen)
        return SourceHealth(
            source=self.source,
            at=instant(end),
            state=state,
            share=round(share, 4),
            seen=seen,
            expected=round(expected, 4),
            reason=reason,
        )

    def _judge(self, rate: float, expected: float, seen: int) -> tuple[Coverage, float, str]:
        if self.error is not None:
            return "dark", 0.0, f"not to be had: {self.error}"
        if self.watched < _LEARNING_HOURS:
            return "ok", 1.0, "learning what is usual"
        if self.silent and lower_tail(0, rate * self.silent, _SIZE) < _DARK_P:
            return "dark", 0.0, f"silent for {self.silent} hours, usually {rate * 24:.1f} a day"
        if lower_tail(seen, expected, _SIZE) < _THIN_P:
            return "thin", seen / expected, f"{seen} reports in three days, usually {expected:.0f}"
        return "ok", 1.0, ""


class UnitCoverage(Struct):
    """Which sources report on a unit: the discounted number of its events by source."""

    events: dict[str, float] = {}

    def take(self, source: str) -> None:
        """Count an event of the unit for its source."""
        for known in self.events:
            self.events[known] *= _UNIT_DISCOUNT
        self.events[source] = self.events.get(source, 0.0) + 1.0

    def judge(self, health: dict[str, SourceHealth]) -> tuple[Coverage, float]:
        """Return the unit's state and the share of its usual reporting that can be had now.

        A unit with few events of its own leans on how much each source brings altogether.
        """
        ailing = [h for h in health.values() if h.state != "ok"]
        if not ailing:
            return "ok", 1.0
        everything = sum(h.expected for h in health.values()) or 1.0
        own = sum(self.events.values())
        missing = sum(
            (1.0 - h.share)
            * (self.events.get(h.source, 0.0) + _PRIOR_EVENTS * h.expected / everything)
            for h in ailing
        )
        share = min(1.0, max(0.0, 1.0 - missing / (own + _PRIOR_EVENTS)))
        if share >= UNIT_OK:
            return "ok", round(share, 4)
        return ("thin" if share >= UNIT_DARK else "dark"), round(share, 4)
