"""Which units an event counts for: where it was, which border, which states, which groups.

- its admin1 unit and its country, by its place;
- a stretch of border, where its place is a crossing or lies in a district of a segment of it, or
  where it is about the border and names a crossing;
- the relations of two states that are both party to it. A state is no place of an event for being a
  party to it; but violence by one state on the ground of another is between the two, and so are
  talks of one state's envoys in the other's capital where no group and no third state takes part,
  and what is said of an armed group's shelter or backing (`concern.relations`);
- each group among its actors that has ever been an armed one. A group that came to govern keeps
  its unit: it goes on acting, and its unit must not fall silent for the change of its role.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from typing import Final

from detectors.records import UNPLACED, EventType, Place
from detectors.world.border import CROSSINGS, SEGMENTS
from detectors.world.towns import letters, meaning
from detectors.world.units import border_code, of_kind

#: The units of the seats of government.
CAPITALS: Final = ("AF-KAB", "PK-IS")
#: Themes of what happens at a border without being placed in a district.
BORDER_THEMES: Final = frozenset(("border_closed", "border_opened", "border_fire", "deportation"))


def units_of(
    event: EventType,
    place: Place | None,
    countries: tuple[str, ...],
    actors: Collection[str],
    borders: Iterable[str] = (),
    relations: Iterable[str] = (),
) -> tuple[str, ...]:
    """Return the units that an event counts for, areas first; `UNPLACED` alone where none does.

    Args:
        event: Its type.
        place: Where it was.
        countries: The states that are party to it, ISO 3166-1 alpha-3.
        actors: Ids of the organisations that it names.
        borders: Codes of borders that it is about, wherever it was.
        relations: Codes of relations that it is about, whoever is party to it.
    """
    found: dict[str, None] = {}
    states = countries
    if place is not None:
        if place.admin1:
            found[place.admin1] = None
        found[place.country] = None
        found.update(dict.fromkeys(borders_at(place)))
        if place.country not in countries and (
            event == "ASSAULT" or _is_visit(event, place, countries, actors)
        ):
            states = (*countries, place.country)
    found.update(dict.fromkeys(borders))
    if len(states) > 1:
        found.update(dict.fromkeys(dyads_of(states)))
    found.update(dict.fromkeys(relations))
    groups = _groups()
    found.update((actor, None) for actor in actors if actor in groups)
    return tuple(found) or (UNPLACED,)


def _is_visit(
    event: EventType, place: Place, countries: tuple[str, ...], actors: Collection[str]
) -> bool:
    return (
        event == "CONSULT"
        and (place.admin1 is None or place.admin1 in CAPITALS)
        and len(countries) == 1
        and _groups().isdisjoint(actors)
    )


def dyads_of(states: Collection[str]) -> tuple[str, ...]:
    """Return the relations of which both states are among some.

    >>> dyads_of(("AFG", "IRN", "PAK"))
    ('AFG~PAK', 'AFG~IRN', 'IRN~PAK')
    """
    return tuple(code for code, first, second in _dyads() if first in states and second in states)


def is_group(actor: str) -> bool:
    """Return whether an organisation has a unit of its own."""
    return actor in _groups()


@lru_cache(maxsize=16_384)
def crossing(place: str, unit: str) -> str | None:
    """Return the border that a named crossing lies on, or None where the place is none.

    >>> crossing("Torkham", "AF-NAN"), crossing("Angoor Adda", "PK-KP"), crossing("Kabul", "AF-KAB")
    ('AF-NAN~PK-KP', 'AF-PKA~PK-KP', None)
    """
    return _crossings().get((unit, letters(place)))


def borders_at(place: Place) -> tuple[str, ...]:
    """Return the borders that a place lies at: a crossing's own, or all of its district."""
    if place.admin1 is None or place.admin1 not in _sides():
        return ()
    own = crossing(place.name, place.admin1)
    if own:
        return (own,)
    if place.precision not in ("town", "district"):
        return ()
    return _of_name(place.name, place.admin1)


@cache
def _dyads() -> tuple[tuple[str, str, str], ...]:
    return tuple((unit.code, *unit.countries) for unit in of_kind("dyad"))  # type: ignore[misc]


@cache
def _groups() -> frozenset[str]:
    return frozenset(unit.code for unit in of_kind("actor"))


@cache
def _sides() -> frozenset[str]:
    """Return the admin1 units that lie at the border."""
    return frozenset(unit for segment in SEGMENTS.values() for unit in _units_of(segment.id))


@cache
def _of_district() -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], set[str]] = {}
    for each in SEGMENTS.values():
        code = border_code(each.af_unit, each.pk_unit)
        found.setdefault((each.af_unit, each.af_district), set()).add(code)
        found.setdefault((each.pk_unit, each.pk_district), set()).add(code)
    return {key: tuple(sorted(codes)) for key, codes in found.items()}


def _units_of(segment: str) -> tuple[str, str]:
    return SEGMENTS[segment].af_unit, SEGMENTS[segment].pk_unit


@lru_cache(maxsize=16_384)
def _of_name(name: str, unit: str) -> tuple[str, ...]:
    """Return the borders of the district of a place; of one that spans several, what all share."""
    meant = meaning(name, unit)
    table = _of_district()
    if (unit, meant.district) in table:
        return table[unit, meant.district]
    reach = [set(table.get((unit, part), ())) for part in meant.reach]
    if meant.district:  # an older district reaches over those that it was cut into
        return tuple(sorted(set[str]().union(*reach)))
    return tuple(sorted(set.intersection(*reach))) if reach else ()


@cache
def _crossings() -> dict[tuple[str, str], str]:
    """Return the border of each name of a crossing, by either unit and the letters of the name.

    A crossing with a town on each side is called by both: "Kharlachi-Dand-e Patan".
    """
    found: dict[tuple[str, str], str] = {}
    for each in CROSSINGS.values():
        units = _units_of(each.segment)
        parts = [each.name, *re.split(r"[()]", each.name)]
        parts += [name for part in parts for name in _halves(part)]
        for name in parts:
            if key := letters(name):
                found.update(((unit, key), border_code(*units)) for unit in units)
    return found


def _halves(name: str) -> list[str]:
    """Return what stands before and after the first hyphen of a name, or nothing."""
    first, hyphen, second = name.partition("-")
    return [first, second] if hyphen else []
