"""One indicator of one unit by days: what was counted, how far it is known, what is usual.

Incidents are counted on the day on which they occurred. What the last days still lack is allowed
for by the reporting delay learned for the unit (as in nowcasting, Lawless 1994).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from operator import mul
from typing import Final

from msgspec import Struct, field

from detectors.baseline import GUARD_DAYS, LEARNING_DAYS, Baseline, Level
from detectors.incidents import MEMORY_DAYS
from detectors.records import Coverage
from detectors.timegrid import day_of

#: Days that a score tells.
SERIES_DAYS: Final = 28
DELAY_DAYS: Final = 15
LOST_SECONDS: Final = 6 * 3_600
#: Reporting delay in days, share of incidents: 1 at the median, 2 at 90 %, 4 at 95 % (measured on
#: UCDP GED 23.1, Afghanistan, January to June 2020).
_PRIOR_DELAY: Final = (0.25, 0.40, 0.25, 0.03, 0.02, *(0.005,) * 10)
_PRIOR_DELAY_WEIGHT: Final = 20.0
_DELAY_DISCOUNT: Final = 0.995  # per incident

_ALL_KNOWN: Final = (1.0,) * (SERIES_DAYS + 1 - DELAY_DAYS)
_NONE: Final = (0,) * SERIES_DAYS

#: What the weekday, season and calendar make of a day's level.
Factor = Callable[[int], float]
#: What they make of a series that has none of their rhythm, for a `look`.
EVEN: Final = (1.0,) * SERIES_DAYS


def even(_day: int) -> float:
    """Return 1: the factor of any day of a series without a rhythm, for `fold`."""
    return 1.0


def usual_delays() -> list[float]:
    """Return the prior of the reporting delays, in incidents."""
    return [_PRIOR_DELAY_WEIGHT * share for share in _PRIOR_DELAY]


class Lost(Struct):
    """A spell in which coverage is not ok."""

    at: int  # since, seconds
    first: int  # the local day number then
    last: int  # the last local day on which it was so
    share: float  # the lowest since


class Series(Struct):
    """What is remembered of an indicator. Days are day numbers."""

    first_day: int | None = None
    folded: int = 0  # days before this one are in the baseline
    counts: dict[int, int] = {}  # by day, of the last `MEMORY_DAYS`
    shares: dict[int, float] = {}  # the lowest coverage share of a day that was not seen
    lost: Lost | None = None
    suspects: list[int] = []  # days on which an alarm was near
    delays: list[float] = []  # incidents by days from occurring to being seen
    baseline: Baseline = field(default_factory=Baseline)

    @property
    def learned(self) -> int:
        """Days since the first one that have left the guard gap."""
        return max(0, self.folded - (self.first_day or 0))

    @property
    def learning(self) -> bool:
        """Whether too little is known to say what is usual."""
        return self.folded - (self.first_day or 0) < LEARNING_DAYS

    def start(self, today: int) -> None:
        """Begin with `today`, once."""
        if self.first_day is None:
            self.first_day = self.folded = today

    def add(self, day: int, number: int, today: int) -> None:
        """Count incidents of a day; a negative number takes back what was counted."""
        self.counts[day] = max(0, self.counts.get(day, 0) + number)
        if number > 0:
            delay = min(max(today - day, 0), DELAY_DAYS - 1)
            kept = _DELAY_DISCOUNT**number
            delays = [weight * kept for weight in self.delays or usual_delays()]
            delays[delay] += number
            self.delays = delays

    def follow(self, coverage: Coverage, share: float, at: int, today: int) -> None:
        """Note how well the unit is seen at a step.

        What is lost for some hours only is reported later: the days of a spell count as not seen
        once it has lasted `LOST_SECONDS`.

        Args:
            coverage: The unit's state.
            share: Of the usual reporting that can be had.
            at: The end of the step, seconds.
            today: The local day number.
        """
        lost = self.lost
        if coverage != "ok":
            if lost is None:
                lost = self.lost = Lost(at, today, today, share)
            lost.last, lost.share = today, min(lost.share, share)
        if lost is not None and at - lost.at >= LOST_SECONDS:
            for day in range(max(lost.first, today - SERIES_DAYS), lost.last + 1):
                self.shares[day] = min(lost.share, self.shares.get(day, 1.0))
        if coverage == "ok":
            self.lost = None

    def suspect(self, today: int) -> None:
        """Note that an alarm is near today."""
        if not self.suspects or self.suspects[-1] != today:
            self.suspects.append(today)

    def fold(self, today: int, factor: Factor, prior: float | None) -> None:
        """Learn the days that have left the guard gap, and forget what is no longer needed."""
        if self.folded >= today - GUARD_DAYS and self.folded > (self.first_day or 0):
            return  # done for today
        while self.folded < today - GUARD_DAYS:
            day = self.folded
            self.folded += 1
            if day not in self.shares:  # what was not seen teaches nothing
                count, suspect = self.counts.get(day, 0), day in self.suspects
                self.baseline.learn(count, factor(day), suspect=suspect, prior=prior)
        oldest = today - MEMORY_DAYS
        if self.counts and min(self.counts) < oldest - 7:
            self.counts = {day: n for day, n in self.counts.items() if day >= oldest}
        if self.shares and min(self.shares) < oldest - 7:
            self.shares = {day: s for day, s in self.shares.items() if day >= oldest}
        if self.suspects and self.suspects[0] < oldest - 7:
            self.suspects = [day for day in self.suspects if day >= oldest]

    def known_shares(self, half: int) -> list[float]:
        """Return the share of a day's incidents known 0, 1, ... days later, in half day `half`."""
        delays = self.delays or usual_delays()
        total, before = sum(delays), 0.0
        shares = []
        for weight in delays:
            shares.append((before + weight * (0.25 + 0.5 * half)) / total)
            before += weight
        return shares

    def look(self, half_day: int, factors: Sequence[float], prior: float | None) -> Look:
        """Return the last days beside what is usual for them.

        Args:
            half_day: Half days of local time since 1970.
            factors: What weekday, season and calendar make of the level, today first.
            prior: The rate that the country's pace gives the unit, incidents a day.
        """
        today = half_day // 2
        level = self.baseline.level(prior)
        known = [*self.known_shares(half_day % 2), *_ALL_KNOWN]
        days = range(today, today - SERIES_DAYS, -1)
        counts = list(map(self.counts.get, days, _NONE)) if self.counts else list(_NONE)
        rate = level.rate
        usual = [rate * factor for factor in factors]
        if self.shares:
            usual = [
                mean * self.shares.get(day, 1.0) for mean, day in zip(usual, days, strict=True)
            ]
        return Look(
            today=today,
            counts=counts,
            # Reports of a day come in bursts: a rise has to stand against what tomorrow will know.
            ahead=list(map(mul, usual, known[1:])),
            now=list(map(mul, usual, known)),
            usual=usual,
            level=level,
            age=today - (self.first_day if self.first_day is not None else today),
            shares=self.shares,
        )


class Look(Struct, frozen=True):
    """A unit's last `SERIES_DAYS` days, today first."""

    today: int
    counts: list[int]
    ahead: list[float]  # incidents that are usual and would be known by tomorrow
    now: list[float]  # ... and are known by now
    usual: list[float]  # ... and would be known in the end
    level: Level
    age: int  # days since the unit was first watched
    shares: dict[int, float]

    @property
    def daily(self) -> tuple[int, ...]:
        """Incidents by day, the last is today."""
        return tuple(self.counts[::-1])

    @property
    def dark_days(self) -> tuple[date, ...]:
        """Those of the last days on which coverage was not ok."""
        if not self.shares:
            return ()
        first = self.today - SERIES_DAYS
        return tuple(day_of(day) for day in sorted(self.shares) if day > first)
