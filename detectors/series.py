"""One indicator of one unit by days: what was counted, how far it is known, what is usual.

Incidents are counted on the day on which they occurred. What the last days still lack is allowed
for by the reporting delay learned for the unit (as in nowcasting, Lawless 1994).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from operator import mul
from typing import Any, Final, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.baseline import GUARD_DAYS, LEARNING_DAYS, Baseline, Level
from detectors.incidents import MEMORY_DAYS
from detectors.records import Coverage
from detectors.timegrid import day_of

T = TypeVar("T")

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


class Series(Struct, dict=True):
    """What is remembered of an indicator. Days are day numbers."""

    first_day: int | None = None
    folded: int = 0  # days before this one are in the baseline
    counts: dict[int, int] = {}  # by day, of the last `MEMORY_DAYS`
    shares: dict[int, float] = {}  # the lowest coverage share of a day that was not seen
    lost: Lost | None = None
    suspects: list[int] = []  # days on which an alarm was near
    delays: list[float] = []  # incidents by days from occurring to being seen
    told_on: int = -1  # the day on which incidents were last told
    told: dict[int, int] = {}  # of that day: days from occurring to being seen -> incidents
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
            if today != self.told_on:
                self._learn_delays()
                self.told_on = today
            delay = min(max(today - day, 0), DELAY_DAYS - 1)
            self.told[delay] = self.told.get(delay, 0) + number

    def _learn_delays(self) -> None:
        """Learn the delays of a day that is over: so what is usual stays the same for a day."""
        if self.told:
            kept = _DELAY_DISCOUNT ** sum(self.told.values())
            delays = [weight * kept for weight in self.delays or usual_delays()]
            for delay, number in self.told.items():
                delays[delay] += number
            self.delays, self.told = delays, {}

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
        today, kept = half_day // 2, self.__dict__
        of = (half_day, self.folded, prior)
        same = kept.get("of") == of and kept["factors"] is factors and kept["told"] is self.delays
        if not same or self.shares or kept["shares"]:
            kept.update(of=of, factors=factors, told=self.delays, shares=bool(self.shares))
            kept["usual"] = self._usual(half_day, factors, prior)
        days = range(today, today - SERIES_DAYS, -1)
        return Look(
            today=today,
            counts=list(map(self.counts.get, days, _NONE)) if self.counts else list(_NONE),
            of=kept["usual"],
            age=today - (self.first_day if self.first_day is not None else today),
            shares=self.shares,
        )

    def _usual(self, half_day: int, factors: Sequence[float], prior: float | None) -> Usual:
        today, level = half_day // 2, self.baseline.level(prior)
        known = [*self.known_shares(half_day % 2), *_ALL_KNOWN]
        usual = [level.rate * factor for factor in factors]
        if self.shares:
            seen = [self.shares.get(today - age, 1.0) for age in range(SERIES_DAYS)]
            usual = list(map(mul, usual, seen))
        return Usual(
            # Reports of a day come in bursts: a rise has to stand against what tomorrow will know.
            ahead=list(map(mul, usual, known[1:])),
            now=list(map(mul, usual, known)),
            usual=usual,
            level=level,
        )


class Usual(Struct, frozen=True):
    """What is usual of the last `SERIES_DAYS` days, today first: the same for half a day."""

    ahead: list[float]  # incidents that are usual and would be known by tomorrow
    now: list[float]  # ... and are known by now
    usual: list[float]  # ... and would be known in the end
    level: Level
    memo: dict[str, Any] = {}  # what was made of it already


class Look(Struct, frozen=True):
    """A unit's last `SERIES_DAYS` days, today first."""

    today: int
    counts: list[int]
    of: Usual  # what they are compared with
    age: int  # days since the unit was first watched
    shares: dict[int, float]

    @property
    def ahead(self) -> list[float]:
        """Incidents that are usual and would be known by tomorrow."""
        return self.of.ahead

    @property
    def now(self) -> list[float]:
        """Incidents that are usual and are known by now."""
        return self.of.now

    @property
    def usual(self) -> list[float]:
        """Incidents that are usual and would be known in the end."""
        return self.of.usual

    @property
    def level(self) -> Level:
        """The level that they are compared with."""
        return self.of.level

    def against(self, level: Level) -> Look:
        """Return the same days beside a level that is not the series' own."""
        scale = level.rate / max(self.level.rate, 1e-9)
        ahead, now, usual = (
            [mean * scale for mean in means] for means in (self.ahead, self.now, self.usual)
        )
        return replace(self, of=Usual(ahead, now, usual, level))

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what is made of what is usual alone, made once as long as it stays the same."""
        memo = self.of.memo
        if name not in memo:
            memo[name] = make()
        made: T = memo[name]
        return made

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
