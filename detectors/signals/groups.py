"""What signals of armed groups have in common: whose unit it is, and who speaks in whose voice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Final

from detectors.incidents import Incident
from detectors.linkage import Told
from detectors.records import Voice
from detectors.timegrid import day_of
from detectors.world.actors import ACTORS
from detectors.world.units import UNITS

#: On which side an organisation is cited, by the side that the registry has it on.
_VOICES: Final[dict[str, Voice]] = {
    "insurgent": "militant",
    "de-facto-authority": "afg-authorities",
}


def unit_of(incident: Incident) -> str:
    """Return the unit that an incident was counted for: its id begins with it."""
    return incident.id.partition("/")[0]


def is_group(actor: str) -> bool:
    """Return whether an organisation has ever been an armed group, so that it is watched."""
    unit = UNITS.get(actor)
    return unit is not None and unit.kind == "actor"


def groups_of(incident: Incident, besides: str = "") -> Iterator[str]:
    """Yield the groups that an incident names, sorted, but for one."""
    return (actor for actor in incident.actors if actor != besides and is_group(actor))


@lru_cache(maxsize=65_536)
def voice_of(actor: str, day: int) -> Voice | None:
    """Return on which side an organisation is cited on a day number; None where it was nothing."""
    known = ACTORS.get(actor)
    role = known.role(day_of(day)) if known else None
    return _VOICES.get(role.side) if role else None


@lru_cache(maxsize=65_536)
def are_kin(one: str, other: str, day: int) -> bool:
    """Return whether one organisation was part of the other on a day number."""
    on = day_of(day)
    return other in _above(one, on) or one in _above(other, on)


def _above(actor: str, on: date) -> set[str]:
    found: set[str] = set()
    while True:
        known = ACTORS.get(actor)
        role = known.role(on) if known else None
        if role is None or not role.within or role.within in found:
            return found
        actor = role.within
        found.add(actor)


def is_own(told: Told, group: str) -> bool:
    """Return whether a report cites a group.

    A report names sides, not who of a side spoke: where it names another group of the same side
    that is no part of this one (nor this one of it), nobody can tell, and it is nobody's.
    """
    voice = voice_of(group, told.first)
    if voice is None or voice not in told.voices or group not in told.actors:
        return False
    return not any(
        other != group
        and is_group(other)
        and voice_of(other, told.first) == voice
        and not are_kin(group, other, told.first)
        for other in told.actors
    )


def is_claimed(incident: Incident, group: str) -> bool:
    """Return whether a group says that it did it."""
    return any(told.statement == "claim" and is_own(told, group) for told in incident.told)


def is_confirmed(incident: Incident, group: str) -> bool:
    """Return whether somebody else than the group tells that an incident happened.

    A report that cites only the group, or tells of a claim and cites nobody, is the group's word.
    One that another side is cited in, or that reports it as fact, is not. Reprints follow their
    original: they are no witness.
    """
    return any(_vouches(told, group) for told in incident.told)


def _vouches(told: Told, group: str) -> bool:
    if told.statement in ("denial", "retraction"):
        return False
    others = set(told.voices) - {voice_of(group, told.first)}
    return bool(others) or (not told.voices and told.statement != "claim")
