"""A country's usual pace: how many reports of violence a day brings, by its place in the calendars.

The level has a half-life of 60 days. Upon it come factors: of the weekday, of the month of the
year, and of the Islamic calendar (Ramadan, Eid al-Fitr, Eid al-Adha, the first ten days of
Muharram). Days far beyond the usual count only up to a bound (winsorising, Huber 1964). Each factor
is the ratio of what its days brought to what the level and the other factors let
expect, both discounted with a half-life of three years, and drawn to 1 by a prior worth 30 reports,
more where they come in bursts (a Gamma-Poisson posterior mean, with quasi-likelihood weights:
McCullagh & Nelder 1989, 9.2). Months of the Islamic calendar begin by the sight of the moon, a
day sooner or later than the table has it: a day belongs to an occasion by a half, and by a quarter
for each of its neighbours.

What the level has followed already is no part of a month's factor: a season's rise shows there by
the part that came faster than the level.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt
from typing import Final

from msgspec import Struct, field

from detectors.records import Tick
from detectors.timegrid import DAY, LOCAL_OFFSET, day_of, seconds
from detectors.world.calendar import from_islamic, islamic_year

#: First and last (month, day) of each occasion, Islamic calendar.
OCCASIONS: Final = {
    "ramadan": ((9, 1), (9, 30)),
    "eid al-fitr": ((10, 1), (10, 3)),
    "eid al-adha": ((12, 10), (12, 12)),
    "muharram": ((1, 1), (1, 10)),
}
_LEVEL_KEPT: Final = 0.5 ** (1 / 60)  # per day
_FACTOR_KEPT: Final = 0.5 ** (1 / (3 * 365.25))  # per day
_PRIOR: Final = 30.0  # expected reports
_LEARNING: Final = 28  # days before factors are learned
_KNOWN: Final = 7  # days before there is a mean
_FAR: Final = 3.0  # standard deviations of a day's reports
_MOST_KEPT: Final = 8  # stretches of days whose factors are kept


class Ratio(Struct):
    """What some days brought, and what was expected of them; both discounted."""

    seen: float = 0.0
    expected: float = 0.0

    def take(self, seen: float, expected: float) -> None:
        """Add what a day brought."""
        self.seen += seen
        self.expected += expected

    def fade(self) -> None:
        """Let a day pass."""
        self.seen *= _FACTOR_KEPT
        self.expected *= _FACTOR_KEPT

    def value(self, prior: float) -> float:
        """Return the ratio, drawn to 1 by so many expected reports."""
        return (self.seen + prior) / (self.expected + prior)


def _ratios(number: int) -> list[Ratio]:
    return [Ratio() for _ in range(number)]


class Climate(Struct, dict=True):
    """A country's usual pace, learned by local days. Days are day numbers."""

    at: int = 0  # the end of the last step taken in, seconds
    day: int = -1  # the local day that is open
    count: int = 0  # reports in it
    whole: bool = False  # whether it was seen from its start, and covered `ok`
    learned: int = 0  # days learned
    reports: float = 0.0  # discounted
    exposure: float = 0.0  # discounted days, each by its factor
    squares: float = 0.0  # discounted squared deviations of a day's reports
    expected: float = 0.0  # discounted expected reports
    weekdays: list[Ratio] = field(default_factory=lambda: _ratios(7))  # Monday first
    months: list[Ratio] = field(default_factory=lambda: _ratios(12))
    occasions: list[Ratio] = field(default_factory=lambda: _ratios(len(OCCASIONS)))

    def take(self, country: str, end: int, reports: int, *, covered: bool = True) -> None:
        """Take in what a coarse step brought.

        Args:
            country: ISO 3166-1 alpha-3: its local days count.
            end: The end of the step, seconds; one that is not later than the last is left out.
            reports: Reports of violence in the country.
            covered: Whether coverage was `ok`; a day with any other step is not learned.
        """
        if end <= self.at:
            return
        self.at = end
        day = (end - 1 + LOCAL_OFFSET.get(country, 0)) // DAY
        if day != self.day:
            follows = day == self.day + 1
            if follows and self.whole:
                self._learn(self.day, self.count)
            self.day, self.count, self.whole = day, 0, follows
        self.count += reports
        self.whole = self.whole and covered

    @property
    def daily_mean(self) -> float | None:
        """Reports on a day whose factors are 1; None before a week is known."""
        return self.reports / self.exposure if self.learned >= _KNOWN else None

    @property
    def dispersion(self) -> float:
        """The variance of a day's reports, by their mean: 1 for Poisson counts."""
        if self.learned < _LEARNING or not self.expected:
            return 1.0
        return max(1.0, self.squares / self.expected)

    def factor(self, day: int) -> float:
        """Return how many times the mean is usual on a local day."""
        memo: dict[int, float] = self.__dict__.setdefault("memo", {})  # of what is learned so far
        known = memo.get(day)
        if known is None:
            known = 1.0
            for value, weight in self._factors(day):
                known *= 1.0 + weight * (value - 1.0)
            memo[day] = known
        return known

    def factors(self, today: int, days: int) -> Sequence[float]:
        """Return the factors of the last days, today's first."""
        memo: dict[tuple[int, int], Sequence[float]] = self.__dict__.setdefault("last", {})
        known = memo.get((today, days))
        if known is None:
            if len(memo) > _MOST_KEPT:
                memo.clear()
            known = memo[today, days] = [self.factor(today - age) for age in range(days)]
        return known

    def _factors(self, day: int) -> list[tuple[float, float]]:
        """Return each factor that a day has part in, and how much part."""
        prior = _PRIOR * self.dispersion
        return [(ratio.value(prior), weight) for ratio, weight in self._parts(day)]

    def _parts(self, day: int) -> list[tuple[Ratio, float]]:
        on = day_of(day)
        parts = [(self.weekdays[on.weekday()], 1.0), (self.months[on.month - 1], 1.0)]
        for ratio, weight in zip(self.occasions, occasions_of(day), strict=True):
            if weight:
                parts.append((ratio, weight))
        return parts

    def _learn(self, day: int, count: float) -> None:
        """Learn a day that is over."""
        factor, mean = self.factor(day), self.reports / self.exposure if self.exposure else 0.0
        usual = mean * factor
        if self.learned >= _LEARNING:
            # One story that all reprint is no season: what is far beyond the usual counts in part.
            count = min(count, usual + _FAR * sqrt(self.dispersion * max(usual, 1.0)))
            for ratio in (*self.weekdays, *self.months, *self.occasions):
                ratio.fade()
            parts = list(zip(self._parts(day), self._factors(day), strict=True))
            for (ratio, _), (value, weight) in parts:
                own = 1.0 + weight * (value - 1.0)
                ratio.take(weight * count, weight * usual / own)
        if self.learned >= _KNOWN:
            self.squares = self.squares * _LEVEL_KEPT + (count - usual) ** 2
            self.expected = self.expected * _LEVEL_KEPT + usual
        self.reports = self.reports * _LEVEL_KEPT + count
        self.exposure = self.exposure * _LEVEL_KEPT + factor
        self.learned += 1
        self.__dict__.clear()  # what was computed from what was known before


class Volumes(Struct):
    """What the partitions of the reports told of each country, by steps that are not over yet."""

    due: dict[int, dict[int, dict[str, int]]] = {}  # end of step -> partition -> country -> reports

    def note(self, tick: Tick, after: int) -> None:
        """Take in what a tick tells of the steps that ended after `after`.

        A tick that comes again changes nothing.
        """
        for volume in tick.volumes:
            at = seconds(volume.at)
            if at > after:
                by_partition = self.due.setdefault(at, {})
                by_partition.setdefault(tick.partition, {})[volume.country] = volume.reports

    def close(self, end: int) -> dict[str, int]:
        """Return the reports by country of the step that ended at `end`; earlier ones are dropped.

        A country of which nothing was told is not in it.
        """
        found: dict[str, int] = {}
        for at in [at for at in self.due if at <= end]:
            told = self.due.pop(at)
            if at == end:
                for countries in told.values():
                    for country, reports in countries.items():
                        found[country] = found.get(country, 0) + reports
        return found


@lru_cache(4_096)
def occasions_of(day: int) -> tuple[float, ...]:
    """Return how much a day number is part of each occasion.

    >>> from datetime import date
    >>> occasions_of(date(2020, 5, 1).toordinal() - date(1970, 1, 1).toordinal())
    (1.0, 0.0, 0.0, 0.0)
    """
    near = ((day - 1, 0.25), (day, 0.5), (day + 1, 0.25))
    return tuple(
        sum((weight for each, weight in near if _within(each, first, last)), 0.0)
        for first, last in OCCASIONS.values()
    )


def _within(day: int, first: tuple[int, int], last: tuple[int, int]) -> bool:
    on = day_of(day)
    year = islamic_year(on)
    start, end = from_islamic(year, *first), from_islamic(year, *last)
    if end is None or start is None:  # beyond the table
        return False
    return start <= on <= end
