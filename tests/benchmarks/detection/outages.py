"""Silence is not calm: outages of two to three days, beside the twin that has none.

Is every unit's coverage state right six hours after an outage began, and after it ended? It is
right when it is that of the share of the unit's usual reports that can truly be had, or of one
within 0.08 of it (as in `bench_coverage.py`). Is any alert opened, ended or left unfrozen because
of the outage?

A source that is out is silent, but can be fetched: no error gives it away. Outlets are given
families of the country in which they are at home, so that those of a country are known as such; no
outlet here stands for a real one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import timedelta
from functools import cache
from itertools import cycle
from random import Random

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from detectors.coverage import UNIT_DARK, UNIT_OK
from detectors.monitor import Monitor
from detectors.records import Alert, Coverage, Report
from detectors.timegrid import DAY, instant, seconds
from detectors.world.families import FAMILIES
from detectors.world.units import UNITS
from streams.simulator import Episode, Spec, World
from streams.simulator.arrivals import home, stage
from streams.simulator.spec import WATCHED
from tests.benchmarks.detection.pairs import (
    FOREVER,
    GRID,
    HOUR,
    POLICY,
    Run,
    clocked,
    ended_alone,
    go,
    unlike,
)

AFTER = (3, 6, 12, 24)  # hours
_NEAR = 0.08
_TELLING = 20  # events from which a border's sources are known by counting
_HOME_FAMILIES = 2
_JUDGED = ("admin1", "country", "border")
_SURGES = 8
_DRAWN = Spec(seed=99, rate=(20.0, 20.0), days=40, news=0.0)  # to know who tells of which unit
Weights = Mapping[str, float]


class Size(Struct, frozen=True):
    """How large the worlds are. Days, and other news a day."""

    learn: int = 62
    after: int = 3
    news: float = 200.0
    units: tuple[str, ...] = WATCHED


class Outage(Struct, frozen=True):
    """What is silent, from when to when (seconds)."""

    name: str
    sources: frozenset[str]
    start: int
    stop: int


class Before(Struct):
    """A world up to the moment from which its streams differ, and what comes after it."""

    spec: Spec
    monitor: Monitor
    run: Run
    fork: int  # seconds
    last: int
    tail: list[Report]
    volume: Counter[str]  # reports by source

    def go(self, reports: Iterable[Report]) -> Run:
        """Return what a stream leads to that goes on with these reports."""
        return go(deepcopy(self.monitor), clocked(reports, self.fork, self.last), self.run)


def learned(seed: int, size: Size) -> Before:
    """Return a world in which some units have surged for some days when the learning ends."""
    rng = Random(f"surges/{seed}")
    spec = Spec(seed=seed, days=size.learn + 6 + size.after, news=size.news, units=size.units)
    spec = spec.with_(rate=(0.05, 1.0), echo=0.3)
    first = spec.first_day + timedelta(days=size.learn - 5)
    units = rng.sample(size.units, min(_SURGES, len(size.units)))
    surges = tuple(Episode(unit, first, 14, "surge", 5.0) for unit in units)
    reports = [at_home(report) for report in World(spec.with_(episodes=surges)).reports()]
    begin = seconds(reports[0].seen_at) // DAY * DAY
    fork = begin + size.learn * DAY
    monitor = Monitor(GRID, POLICY)
    run = go(monitor, clocked((r for r in reports if seconds(r.seen_at) < fork), begin, fork))
    tail = [r for r in reports if seconds(r.seen_at) >= fork]
    volume = Counter(report.source for report in reports)
    return Before(spec, monitor, run, fork, begin + spec.days * DAY, tail, volume)


def at_home(report: Report) -> Report:
    """Return a report with a known publisher, of the country where its outlet is at home."""
    return replace(report, publisher=_families().get(report.source, report.publisher))


@cache
def _families() -> dict[str, str]:
    """Return a family for each outlet; outlets of one family stay so."""
    rest = {
        country: cycle([f.id for f in FAMILIES.values() if f.country == country and f.kind != "un"])
        for country in ("AFG", "PAK")
    }
    given: dict[str, str] = {}
    for outlet in stage():
        if outlet.family not in given:
            given[outlet.family] = next(rest[home(outlet)])
    return {outlet.source: given[outlet.family] for outlet in stage()}


def outages(seed: int, fork: int) -> list[Outage]:
    """Return one outage of each kind, beginning at a random hour of the first two days."""
    rng = Random(f"outages/{seed}")
    every = [outlet.source for outlet in stage()]
    struck = {
        "half of all": frozenset(rng.sample(every, (len(every) + 1) // 2)),
        "English": frozenset(o.source for o in stage() if o.language == "en"),
        "Dari": frozenset(o.source for o in stage() if o.language == "fa"),
        "Afghan outlets": frozenset(o.source for o in stage() if home(o) == "AFG"),
        "Pakistani outlets": frozenset(o.source for o in stage() if home(o) == "PAK"),
        "all": frozenset(every),
    }
    found = []
    for name, sources in struck.items():
        start = fork + rng.randrange(48) * HOUR
        found.append(Outage(name, sources, start, start + rng.randrange(48, 73) * HOUR))
    return found


def without(reports: Iterable[Report], outage: Outage) -> list[Report]:
    """Return the reports that an outage leaves."""
    return [
        r
        for r in reports
        if r.source not in outage.sources or not outage.start <= seconds(r.seen_at) < outage.stop
    ]


@cache
def _tellers() -> dict[str, Counter[str]]:
    """Return how many incidents of each unit each outlet tells of, in a world of many."""
    world, found = World(_DRAWN), {}
    for row, unit in enumerate(_DRAWN.names):
        told = world.tellings.outlet[world.arrivals.unit == row]
        numbers = np.bincount(told[told >= 0], minlength=len(stage()))
        names = [outlet.source for outlet in stage()]
        found[unit] = Counter(dict(zip(names, numbers.tolist(), strict=True)))
    return found


def shares(outage: Outage, twin: Run, volume: Weights) -> dict[str, float]:
    """Return what share of its usual reports each unit truly has left; None is not among them.

    Provinces: who tells of them in the simulator. Countries and borders: who told of them in the
    twin, where that is enough to know. Where nearly all outlets of its countries are out, a unit is
    covered no better than they are.
    """
    homes: dict[str, float] = {}
    for country in ("AFG", "PAK"):
        own = {o.source: volume.get(o.source, 0.0) for o in stage() if home(o) == country}
        if len({o.family for o in stage() if home(o) == country}) >= _HOME_FAMILIES:
            homes[country] = _left(own, outage)
    found = {}
    for code, unit in UNITS.items():
        told: Weights = (
            _tellers()[code] if unit.kind == "admin1" else twin.events.get(code, Counter())
        )
        if unit.kind not in _JUDGED or sum(told.values()) < _TELLING:
            continue
        share, of_home = _left(told, outage), [homes.get(c, 1.0) for c in unit.countries]
        if max(of_home) < UNIT_DARK:
            share = min(share, *of_home)
        found[code] = share
    return found


def _left(weights: Weights, outage: Outage) -> float:
    usual = sum(weights.values())
    lost = sum(weight for source, weight in weights.items() if source in outage.sources)
    return 1.0 - lost / usual if usual else 1.0


def state_of(share: float) -> Coverage:
    """Return the coverage state of a share."""
    return "ok" if share >= UNIT_OK else "thin" if share >= UNIT_DARK else "dark"


def _right(state: Coverage | None, share: float) -> bool:
    return state in {state_of(min(1.0, share + off)) for off in (-_NEAR, 0.0, _NEAR)}


class Told(Struct):
    """What outages of one kind did, over all worlds."""

    right: dict[tuple[str, int], list[bool]] = {}  # ("began", hours) -> by unit
    hours: list[str] = []  # of the day (UTC) at which they began and ended
    lost: int = 0  # units that truly are not ok
    open_before: int = 0  # alerts open when it began, of units that truly are not ok
    frozen: int = 0  # of these, frozen when it ended
    unfrozen: list[Alert] = []  # the others that lived on
    blind: list[Alert] = []  # opened on a unit that was not ok by its own state
    unlike_during: list[Alert] = []  # opened in it, and the twin lacks it
    unlike_after: list[Alert] = []  # the same after its end
    ended: list[Alert] = []  # ended in it, while not ok or not so in the twin
    delayed: int = 0  # alerts of the twin that are not opened


def judge(told: Told, outage: Outage, run: Run, twin: Run, left: dict[str, float]) -> None:
    """Add what one outage did."""
    told.hours.append(f"{instant(outage.start):%H}-{instant(outage.stop):%H}")
    for unit, share in left.items():
        told.lost += state_of(share) != "ok"
        for hours in AFTER:
            began = run.state(unit, outage.start + hours * HOUR)
            ended = run.state(unit, outage.stop + hours * HOUR)
            told.right.setdefault(("began", hours), []).append(_right(began, share))
            told.right.setdefault(("ended", hours), []).append(_right(ended, 1.0))
    unseen = {u for u, share in left.items() if not _right("ok", share)}
    open_before = {a.id for a in run.at(outage.start) if a.unit in unseen}
    for alert in run.at(outage.stop):
        if alert.id in open_before:
            told.frozen += alert.state == "frozen"
            if alert.state != "frozen":
                told.unfrozen.append(alert)
    told.open_before += len(open_before)
    told.blind.extend(a for a in run.opened(outage.start, outage.stop) if a.coverage != "ok")
    told.unlike_during.extend(unlike(run, twin, outage.start, outage.stop))
    told.unlike_after.extend(unlike(run, twin, outage.stop, FOREVER))
    alone = {a.id for a in ended_alone(run, twin, outage.start, outage.stop)}
    told.ended.extend(
        a for a in run.ended(outage.start, outage.stop) if a.id in alone or a.coverage != "ok"
    )
    told.delayed += len(unlike(twin, run, outage.start, FOREVER))


def measure(
    seeds: Iterable[int], size: Size, more: Callable[[Before, Run], None] = lambda *_: None
) -> tuple[dict[str, Told], int]:
    """Return what each kind of outage did, and how many alerts the twins opened in their time.

    Args:
        seeds: The worlds.
        size: How large they are.
        more: What else is done with each world and its twin.
    """
    found: dict[str, Told] = {}
    opened = 0
    for seed in seeds:
        before = learned(seed, size)
        twin = before.go(before.tail)
        opened += len(twin.opened(before.fork, before.last))
        for outage in outages(seed, before.fork):
            run = before.go(without(before.tail, outage))
            left = shares(outage, twin, before.volume)
            judge(found.setdefault(outage.name, Told()), outage, run, twin, left)
        more(before, twin)
    return found, opened
