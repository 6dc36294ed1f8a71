"""Which incidents bear on which clauses of a unit, and how much: incidents as evidence.

The registry weighs what one report tells (`detectors/world/commitments/`). An incident is asked
about with all that its reports tell together. It does not keep which states were named, so these
are the states of its unit (both of a dyad or a border) and those whose own organisations are named.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Final, NamedTuple

from detectors.incidents import Incident
from detectors.records import EventType
from detectors.world.actors import ACTORS
from detectors.world.commitments import CLAUSES, Clause, Evidence, Happening, deciding
from detectors.world.units import UNITS

#: Days before a clause begins from which what will bear on it is counted, to know the level.
AHEAD_DAYS: Final = 60
#: Days after it ended for which it is still of interest.
BEHIND_DAYS: Final = 14
_STATES: Final = ("state", "de-facto-authority")


class Bearing(NamedTuple):
    """How much an incident bears on a clause."""

    clause: Clause
    nats: float  # towards a breach; below 0 towards keeping


@cache
def clauses_about(unit: str) -> tuple[Clause, ...]:
    """Return every clause about a unit, whenever it is in force, in the order of the table."""
    return tuple(clause for clause in CLAUSES.values() if unit in clause.units)


@lru_cache(maxsize=4096)
def watched(unit: str, on: date) -> frozenset[str]:
    """Return the ids of a unit's clauses that are in force on a day, soon will be, or just were."""
    ahead, behind = on + timedelta(AHEAD_DAYS), on - timedelta(BEHIND_DAYS)
    return frozenset(
        clause.id
        for clause in clauses_about(unit)
        if clause.first <= ahead and (clause.last is None or behind <= clause.last)
    )


def bears(unit: str, incident: Incident) -> tuple[Bearing, ...]:
    """Return what an incident bears on, whether or not it is in force."""
    kept: tuple[str, tuple[Bearing, ...]] | None = incident.__dict__.get("bears")
    if kept is None or kept[0] != unit:  # made once, until `Incident.revise` forgets it
        found = _bears(
            _like(unit),
            incident.event,
            tuple(sorted(incident.modes)),
            incident.themes,
            incident.actors,
            incident.contexts,
        )
        kept = incident.__dict__["bears"] = (unit, found)
    return kept[1]


@cache
def _like(unit: str) -> str:
    """Return the first unit that has the same clauses and states: most provinces are alike."""
    mine, states = clauses_about(unit), _states(unit)
    return next(u for u in UNITS if _states(u) == states and clauses_about(u) == mine)


def _states(unit: str) -> tuple[str, ...]:
    return UNITS[unit].countries if UNITS[unit].kind != "actor" else ()


@lru_cache(maxsize=16_384)
def _bears(
    unit: str,
    event: EventType,
    modes: tuple[str, ...],
    themes: tuple[str, ...],
    actors: tuple[str, ...],
    contexts: tuple[str, ...],
) -> tuple[Bearing, ...]:
    countries = _countries(unit, actors)
    tellings = [
        Happening(event, mode, themes, actors, countries, contexts) for mode in modes or (None,)
    ]
    found = []
    for clause in clauses_about(unit):
        rows = [row for telling in tellings if (row := deciding(clause, telling)) is not None]
        if rows:
            found.append(Bearing(clause, _first(clause, rows).weight))
    return tuple(found)


def _first(clause: Clause, found: list[Evidence]) -> Evidence:
    """Return the row that comes first in the table: the most special one."""
    return next(row for row in clause.evidence if row in found)


def _countries(unit: str, actors: tuple[str, ...]) -> tuple[str, ...]:
    own = _states(unit)
    named = (ACTORS[actor] for actor in actors if actor in ACTORS)
    states = {each.country for each in named if any(role.side in _STATES for role in each.roles)}
    return tuple(sorted({*own, *states} - {""}))
