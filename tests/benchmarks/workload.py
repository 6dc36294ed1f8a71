"""The work that the line is measured with: a general news feed with one report in twenty to code.

- `feed_of`: reports at 300,000 a day, as a monitor of the world's news has them. 5 % are the
  bundled scenario's reports of incidents (about 260 characters, nearly all coded to events in
  Afghanistan or Pakistan). Another 5 % are its other news from there, sport, weather or trade, from
  which nothing is to be had; the rest names no place of the two countries. Both are four items to
  a report (about 450 characters, the length of a headline with its lede). Every report has an id
  of its own and one of 24 sources; times run on without a break.
- `quiet`: weeks in which every source brings other news and nothing happens.
- `burst`: incidents in one unit at once, from two publishers, enough to open an alert.

The same arguments give the same reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from detectors.coding.lexicon import lexicon
from detectors.coding.normalise import fold, normalise
from detectors.records import Casualties, Heartbeat, IncidentRecord, Interval, Report, Tick
from detectors.timegrid import Grid, instant, seconds
from detectors.world.units import AREAS
from streams.scenarios.choice import pick
from streams.scenarios.render import render, truth

RELEVANT: Final = 0.05  # share of reports of incidents in the monitored countries
LOCAL: Final = 0.05  # share of other news that names a place there
A_DAY: Final = 300_000
SOURCES: Final = tuple(f"feed-{number:02}" for number in range(24))
START: Final = datetime(2020, 3, 2, tzinfo=UTC)
_ELSEWHERE: Final = ("sport", "economy", "weather", "science", "election", "elsewhere")
_ITEMS: Final = 4  # of other news in one report
_TICK_EVERY: Final = 50
_QUIET_HOURS: Final = 2


class Material(Struct, frozen=True):
    """The scenario's English reports, by what they are good for."""

    incidents: list[Report]
    local: list[list[Report]]  # other news that names a place in the monitored countries, by kind
    world: list[list[Report]]  # other news that does not, by kind


@cache
def _material() -> Material:
    about = {true.report: true for true in truth()}
    english = [report for report in render() if report.language == "en"]
    local: dict[str, list[Report]] = {}
    world: dict[str, list[Report]] = {}
    for report in english:
        true = about[report.id]
        if true.incident is None and true.kind in _ELSEWHERE:
            text = normalise(fold(f"{report.title} {report.text}"))
            kinds = world if lexicon().scan(text) is None else local
            kinds.setdefault(true.kind, []).append(report)
    incidents = [report for report in english if about[report.id].incident is not None]
    return Material(incidents, list(local.values()), list(world.values()))


def _other(rng: Random, source: str, name: str, at: datetime, *, local: bool = False) -> Report:
    kinds = _material().local if local else _material().world
    kind = pick(kinds, rng)  # one kind: cricket and a war must not make one story
    items = [pick(kind, rng) for _ in range(_ITEMS)]
    text = " ".join(f"{item.title}. {item.text}" for item in items)
    return Report(
        id=name, source=source, seen_at=at, title=items[0].title, text=text,
        publisher=source, published_at=at - timedelta(minutes=7), language="en",
    )  # fmt: skip


def feed_of(count: int, start: datetime = START) -> Iterator[Report]:
    """Yield so many reports of the general feed, in the order of their times."""
    rng = Random("feed")
    apart = timedelta(days=1) / A_DAY
    for number in range(count):
        at = start + number * apart
        source = pick(SOURCES, rng)
        name = f"{source}/{number}"
        draw = rng.random()
        if draw < RELEVANT:
            report = pick(_material().incidents, rng)
            yield replace(
                report, id=name, source=source, publisher=source, seen_at=at,
                published_at=at - timedelta(minutes=7),
            )  # fmt: skip
        else:
            yield _other(rng, source, name, at, local=draw < RELEVANT + LOCAL)


def one(source: str, name: str, at: datetime) -> Report:
    """Return one report of other news."""
    return _other(Random(name), source, name, at)


def quiet(days: int, end: datetime) -> Iterator[Report]:
    """Yield other news of so many days up to `end`, some from every source every two hours."""
    start = end - timedelta(days=days)
    for step in range(days * 24 // _QUIET_HOURS):
        for number, source in enumerate(SOURCES):
            at = start + timedelta(hours=step * _QUIET_HOURS, seconds=200 * number)
            yield one(source, f"{source}/quiet/{step}", at)


def burst(unit: str, at: datetime, incidents: int) -> list[Report]:
    """Return reports of that many incidents in a unit today, in turn from two publishers."""
    day = at.date()
    return [
        Report(
            id=f"burst/{unit}/{at.isoformat()}/{number}",
            source=SOURCES[number % 2],
            seen_at=at,
            title=f"Incident {number}",
            publisher=SOURCES[number % 2],
            published_at=at,
            record=IncidentRecord(
                event="ASSAULT",
                occurred=Interval(day, day),
                country=AREAS[unit].country,
                admin1=unit,
                place=f"Place {number}",
                precision="town",
                killed=Casualties(number, number, number),
            ),
        )
        for number in range(incidents)
    ]


def ticked(records: Iterable[Report], grid: Grid) -> Iterator[Report | Heartbeat | Tick]:
    """Yield the records with ticks among them, as the pollers send them; none ends the last step.

    Unlike `streams.replay.timed`, which ends a recorded input for good, time goes on after this.
    """
    for number, record in enumerate(records, 1):
        yield record
        if number % _TICK_EVERY == 0:
            yield Tick(partition=0, of=1, time=instant(grid.floor(seconds(record.seen_at))))
