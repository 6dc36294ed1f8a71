"""Simulated worlds through the live signals and the live desk.

Incidents reach S1 as they become known, one step a day, so that what is measured is the code that
runs. Units have no reports here, only counts: witnesses are not asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from detectors import evidence
from detectors.alerting import Desk, Policy
from detectors.baseline import GUARD_DAYS, LEARNING_DAYS
from detectors.budget import Budget
from detectors.incident_log import IncidentLog
from detectors.incidents import Incident
from detectors.records import Alert, Coverage, Direction, Score, Tick
from detectors.signals import SIGNALS, Observation
from detectors.signals.counting import CountState
from detectors.timegrid import DAY, Grid, day_number, instant
from streams.simulator import Spec, World
from streams.simulator.spec import unit_names

#: One step a day is enough to count alarms: a look more costs none (`bench_detection.py` shows it).
GRID = Grid(fine=DAY // 2, coarse=DAY // 2)
#: Days before a unit is judged at all.
LEARNED_DAYS = GUARD_DAYS + LEARNING_DAYS
_UNIT = "AF-KAN"  # whose kind and country every simulated unit has


class Scored(Struct, frozen=True):
    """A world's summed scores: `days[d]` has those of day d, one for each unit and direction."""

    world: World
    days: list[list[Score]]


def scored(world: World, directions: Sequence[Direction] = ("rise", "fall")) -> Scored:
    """Score every unit of a world day by day with the live code."""
    first = day_number(world.spec.first_day)
    arrivals = world.arrivals
    seen_day = np.where(arrivals.first >= 0, arrivals.first // DAY, -1)
    coming: list[dict[int, list[int]]] = [{} for _ in world.spec.names]
    for unit, day, seen in zip(
        arrivals.unit.tolist(), arrivals.day.tolist(), seen_day.tolist(), strict=True
    ):
        if 0 <= seen < world.spec.days:
            coming[unit].setdefault(seen, []).append(day)
    days: list[list[Score]] = [[] for _ in range(world.spec.days)]
    for row, name in enumerate(world.spec.names):
        for day, found in enumerate(_unit(world, name, coming[row], first)):
            days[day].extend(score for score in found if score.direction in directions)
    return Scored(world, days)


def _unit(
    world: World, name: str, coming: dict[int, list[int]], first: int
) -> Iterator[tuple[Score, ...]]:
    """Yield a unit's summed scores, day by day."""
    signal, log, number = SIGNALS["S1"], IncidentLog(), 0
    state: CountState = signal.initial()
    for day in range(world.spec.days):
        new = []
        for occurred in coming.get(day, ()):
            number += 1
            on = first + occurred
            new.append(Incident(str(number), on, on, 0, on, None, "", []))
        coverage, share = _coverage(world, name, day)
        seen = Observation(
            unit=_UNIT,
            country="AFG",
            at=(first + day) * DAY + DAY // 2,
            half_day=2 * (first + day) + 1,
            coverage=coverage,
            share=share,
            incidents=log,
            new=tuple(new),
        )
        state, scores = signal.step(state, seen)
        summed = evidence.sum_up(seen, {f"{s.signal}/{s.direction}": s for s in scores})
        yield tuple(_as(score, name) for score in summed)


def _coverage(world: World, name: str, day: int) -> tuple[Coverage, float]:
    """Return what coverage would say of an outage that takes all outlets of a unit alike."""
    on = date.fromordinal(world.spec.first_day.toordinal() + day)
    lost = [
        o.share for o in world.spec.outages if o.what in ("all", name) and o.first <= on <= o.last
    ]
    share = 1.0 - max(lost, default=0.0)
    return ("ok" if share >= 0.75 else "thin" if share >= 0.4 else "dark"), share


def _as(score: Score, name: str) -> Score:
    claim = score.claim
    if claim is not None:
        claim = replace(claim, resolver=replace(claim.resolver, unit=name))
    at = int(score.at.timestamp())
    return replace(score, unit=name, claim=claim, id=f"S0/{score.direction}/{name}/{at}")


def alerts(found: Scored, budget: float) -> list[Alert]:
    """Return the last revision of every alert that the live desk opens under a budget."""
    policy = Policy(Budget(budget, budget * 0.3, budget * 0.1), least_publishers=0)
    desk, offset, last = Desk(GRID, policy), 0, {}
    first = day_number(found.world.spec.first_day)
    for day, scores in enumerate(found.days):
        records: list[Score | Tick] = [*scores]
        for half in (DAY // 2, DAY):
            records.append(Tick(0, 1, instant((first + day) * DAY + half)))
        for alert in desk.take(enumerate(records, offset)).alerts:
            last[alert.id] = alert
        offset += len(records)
    return list(last.values())


def null_spec(rate: float, units: int, days: int, seed: int, echo: float = 0.6) -> Spec:
    """Return a world of one rate in which nothing changes."""
    return Spec(
        seed=seed, days=days, units=unit_names(units), rate=(rate, rate), echo=echo, episodes=0
    )
