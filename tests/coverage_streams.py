"""Simulated streams of news, to measure coverage on: bursty, asleep at night and on Friday.

No outlet here stands for a real one: the families of the table are used for their countries only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from math import exp, sqrt
from random import Random

from msgspec import Struct

from detectors.cells import SourceMonitor, cell_of
from detectors.coverage import Judged, Sources, UnitCoverage
from detectors.records import SourceHealth
from detectors.timegrid import DAY, seconds
from detectors.world.families import FAMILIES
from tests.core_records import START, clock, event

HOUR = 3_600
_EAST = 16_200
#: Relative activity by local hour of the day.
_BY_HOUR = (2, 1, 1, 1, 2, 4, 8, 12, 14, 15, 15, 14, 12, 12, 14, 15, 14, 12, 10, 8, 7, 6, 4, 3)
_FRIDAY = 0.55
_DAYS = (1.07, 1.07, 1.07, 1.07, _FRIDAY, 1.07, 1.1)  # Monday first


class Outlet(Struct, frozen=True):
    """One invented outlet: what one source carries of one family in one language."""

    source: str
    family: str
    country: str
    language: str
    daily: float  # reports

    @property
    def cell(self) -> str:
        """Its cell's name, with the source."""
        return f"{self.source}|{cell_of(self.source, self.family, self.language)}"


#: Whether an outlet is silenced at a time (seconds).
Outage = Callable[[Outlet, int], bool]


def outlets(rng: Random, daily: float = 24.0) -> list[Outlet]:
    """Return 24 sources of one outlet and one source that carries eight more.

    Args:
        rng: Where their rates come from.
        daily: Reports a day of a middling one; they differ by a factor of two or so.
    """
    families: dict[str, Iterator[str]] = {}
    for country in ("AFG", "PAK", "GBR"):
        known = [f.id for f in FAMILIES.values() if f.country == country and f.kind != "un"]
        families[country] = cycle(known)
    plan = [
        *[("AFG", "fa")] * 5, *[("AFG", "ps")] * 5, *[("AFG", "en")] * 3,
        *[("PAK", "ur")] * 4, *[("PAK", "en")] * 3, *[("GBR", "en")] * 2,
        ("GBR", "ps"), ("GBR", "fa"),
    ]  # fmt: skip
    found = [
        Outlet(f"feed-{n:02}", next(families[c]), c, tongue, daily * exp(rng.gauss(0, 0.6)))
        for n, (c, tongue) in enumerate(plan)
    ]
    for country, tongue in [("AFG", "fa"), ("AFG", "ps"), ("PAK", "ur"), ("GBR", "en")] * 2:
        pace = 0.3 * daily * exp(rng.gauss(0, 0.6))
        found.append(Outlet("gathered", next(families[country]), country, tongue, pace))
    return found


def hourly(
    found: Sequence[Outlet],
    days: int,
    rng: Random,
    *,
    burst: float = 2.0,
    world: float = 0.25,
    lull: Callable[[int], float] = lambda at: 1.0,
) -> Iterator[tuple[int, dict[Outlet, int]]]:
    """Yield what each outlet publishes, by the ends of hours.

    Args:
        found: The outlets.
        days: For how many days.
        rng: Where chance comes from.
        burst: The mean number of reports that come together.
        world: The standard deviation of the logarithm of the common pace, which half follows
            that of the day before.
        lull: A further factor of the common pace, by time.
    """
    start, pace = seconds(START), 0.0
    scale = sum(_BY_HOUR)
    for hour in range(days * 24):
        end = start + (hour + 1) * HOUR
        if hour % 24 == 0:
            pace = 0.5 * pace + rng.gauss(0, world * sqrt(0.75))
        local = end - 1 + _EAST
        factor = _BY_HOUR[local % DAY // HOUR] / scale * _DAYS[(local // DAY + 3) % 7]
        factor *= exp(pace) * lull(end)
        yield end, {o: _clumped(o.daily * factor / burst, burst, rng) for o in found}


def _clumped(bursts: float, size: float, rng: Random) -> int:
    """Return a Poisson number of geometric bursts."""
    number, left = 0, rng.expovariate(1.0)
    while left < bursts:
        number += 1
        while rng.random() > 1.0 / size:
            number += 1
        left += rng.expovariate(1.0)
    return number


class Coverages:
    """Sources and units as they are judged, hour by hour."""

    def __init__(self, found: Sequence[Outlet], units: dict[str, dict[Outlet, float]]) -> None:
        """Take the outlets, and the share of each in what is told of each unit."""
        self.outlets = found
        self.weights = units
        self.monitors: dict[str, SourceMonitor] = {}
        self.sources = Sources()
        self.units = {unit: UnitCoverage() for unit in units}

    def hour(
        self, end: int, counts: dict[Outlet, int], out: Outage, rng: Random
    ) -> list[SourceHealth]:
        """Take in an hour in which some outlets may be silenced; return the sources' health."""
        told: list[SourceHealth] = []
        healths = []
        by_source: dict[str, Counter[str]] = {o.source: Counter() for o in self.outlets}
        for outlet, count in counts.items():
            if count and not out(outlet, end):
                by_source[outlet.source][outlet.cell.partition("|")[2]] += count
                told_by = event(
                    source=outlet.source, publisher=outlet.family, language=outlet.language
                )
                for unit, weights in self.weights.items():
                    share = 0.1 * weights.get(outlet, 0.0)
                    for _ in range(sum(rng.random() < share for _ in range(count))):
                        self.units[unit].take(told_by)
        for source, cells in by_source.items():
            monitor = self.monitors.setdefault(source, SourceMonitor(source, since=end))
            whole, health = monitor.close_hour(dict(cells), end, None)
            healths.append(whole)
            told.extend(health)
        self.sources.know(told, end)
        return healths

    def judged(self, unit: str, country: str = "") -> Judged:
        """Return a unit's coverage now."""
        return self.units[unit].judge(self.sources, (country,) if country else ())

    def truth(self, unit: str, out: Outage, end: int, country: str = "") -> float:
        """Return the share of a unit's reports that can be had; of its country's, if that is less.

        By reports, not by outlets, since it is these that a unit is told of by.
        """

        def share(of: dict[Outlet, float]) -> float:
            usual = sum(o.daily * w for o, w in of.items())
            return sum(o.daily * w for o, w in of.items() if not out(o, end)) / usual

        told = share(self.weights[unit])
        home = share({o: 1.0 for o in self.outlets if o.country == country} or self.weights[unit])
        return min(told, home) if country and home < 0.4 else told


def units(found: Sequence[Outlet], rng: Random, number: int = 12) -> dict[str, dict[Outlet, float]]:
    """Return units that are each told of by some of the outlets, by one more than by another."""
    return {
        f"unit-{n:02}": {o: rng.random() ** 2 for o in found if rng.random() < 0.6}
        for n in range(number)
    }


assert clock() == START
