"""Small invented records for tests of the core: a day, a place, a toll, and little else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from detectors.records import (
    Casualties,
    Claim,
    Coverage,
    Event,
    IncidentRecord,
    IncidentRef,
    Interval,
    Part,
    Place,
    Report,
    Resolver,
    Score,
    SourceHealth,
    Tick,
)
from detectors.timegrid import seconds

#: A Monday. Test days count from here.
START = datetime(2024, 1, 1, tzinfo=UTC)


def clock(days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
    """Return a time so long after `START`."""
    return START + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def day(number: int) -> date:
    """Return the date so many days after `START`."""
    return (START + timedelta(days=number)).date()


def toll(best: int, low: int | None = None, high: int | None = None) -> Casualties:
    """Return a death toll, exact where no range is given."""
    return Casualties(best if low is None else low, best, best if high is None else high)


def town(name: str = "Kandahar", admin1: str = "AF-KAN") -> Place:
    """Return a place known to the town."""
    return Place(name, "town", "AFG", admin1)


def event(id: str = "wire-1/0", on: int | None = 0, **changes: Any) -> Event:
    """Return an attack in Kandahar on day `on`, seen at noon of that day."""
    base = Event(
        id=id,
        unit="AF-KAN",
        report=id.rpartition("/")[0],
        source="wire",
        publisher="wire",
        seen_at=clock(on or 0, hours=12),
        event="ASSAULT",
        occurred=None if on is None else Interval(day(on), day(on)),
        place=town(),
    )
    return msgspec.structs.replace(base, **changes)


def report(id: str, seen_at: datetime, source: str = "wire", **changes: Any) -> Report:
    """Return a report that states an attack in Kandahar on the day it is seen."""
    occurred = Interval(seen_at.date(), seen_at.date())
    stated = IncidentRecord("ASSAULT", occurred, "AFG", "AF-KAN", "Kandahar", "town")
    base = Report(id, source, seen_at, f"Report {id}", record=stated, publisher=source)
    return msgspec.structs.replace(base, **changes)


def tick(time: datetime, *sources: SourceHealth, partition: int = 0, of: int = 1) -> Tick:
    """Return a tick."""
    return Tick(partition, of, time, tuple(sources))


def health(source: str, at: datetime, share: float = 1.0, expected: float = 10.0) -> SourceHealth:
    """Return a source's health: dark without any share, thin with some, ok with all."""
    state: Coverage = "ok" if share == 1.0 else "thin" if share else "dark"
    return SourceHealth(source, at, state, share, int(expected * share), expected)


def witnessed(publishers: Iterable[str]) -> tuple[IncidentRef, ...]:
    """Return one incident as evidence, with its witnesses."""
    names = tuple(sorted(publishers))
    events = tuple(f"{name}-1/0" for name in names)
    return (IncidentRef("AF-KAN/2024-01-01/aa", day(0), "Kandahar", toll(2), names, events),)


def claim(
    first: int,
    last: int,
    count: int,
    comparison: str = "at_least",
    indicator: str = "violent_incidents",
    **to: Any,
) -> Claim:
    """Return a claim about the days `first` to `last`, settled four days later."""
    resolver = Resolver(
        indicator=indicator,
        unit="AF-KAN",
        first_day=day(first),
        last_day=day(last),
        comparison="at_least" if comparison == "at_least" else "at_most",
        count=count,
        settle_at=clock(last + 5),
    )
    base = Claim("A claim", 0.6, 0.1, 14, resolver)
    return msgspec.structs.replace(base, **to)


def score(at: datetime, strength: float | None = 0.0, **changes: Any) -> Score:
    """Return what all signals say of a rise in Kandahar, with two witnesses and a claim."""
    direction = changes.get("direction", "rise")
    unit = changes.get("unit", "AF-KAN")
    last = (at - START).days
    base = Score(
        id=f"S0/{direction}/{unit}/{seconds(at)}",
        signal="S0",
        version=1,
        unit=unit,
        direction=direction,
        at=at,
        state="scored",
        coverage="ok",
        coverage_share=1.0,
        p=0.5,
        strength=strength,
        stratum="admin1/2",
        parts=(Part("S1", strength, 4, 1.5, "4 against 1.5"),) if strength else (),
        observed=4,
        expected=1.5,
        window_days=3,
        claim=claim(last + 1, last + 14, 5),
        evidence=witnessed(["wire", "post"]),
        daily=(0,) * 28,
        series_end=at.date(),
    )
    return msgspec.structs.replace(base, **changes)


def unseen(at: datetime, coverage: str = "dark", **changes: Any) -> Score:
    """Return a score while coverage is lost: unknown, with no strength and no claim."""
    lost: dict[str, Any] = {"coverage": coverage, "coverage_share": 0.2}
    if coverage == "dark":
        lost |= {"state": "unknown", "claim": None, "evidence": (), "p": None}
        return score(at, None, **{**lost, **changes})
    return score(at, 40.0, **{**lost, **changes})
