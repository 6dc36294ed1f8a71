"""The units that are watched: areas, the border between two of them, states' relations, groups.

- `admin1`: 34 Afghan provinces and 7 Pakistani units, by ISO 3166-2; `country`: the two countries,
  by ISO 3166-1 alpha-3. The table is `units.csv`; its English names are those of Unicode CLDR 41
  (Unicode licence).
- `border`: each pair of an Afghan and a Pakistani unit that a row of `segments.csv` joins.
- `dyad`: the relations of two states (`dyads.csv`).
- `actor`: each organisation of the actor registry that has ever been an armed group, by its id.

Codes stand in ids, in addresses and as Kafka keys: letters, digits, `-` and `~` only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final, Literal

from msgspec import Struct

from detectors.tables import rows
from detectors.world.actors import ACTORS
from detectors.world.border import SEGMENTS
from detectors.world.registry import Registry

Kind = Literal["admin1", "country", "border", "dyad", "actor"]
#: Kinds of units that are an area: their maps and counts of unit-years show no others.
AREA_KINDS: Final[tuple[Kind, ...]] = ("admin1", "country")
#: Joins the two sides of a border or a dyad.
_LINK: Final = "~"
#: English names of the states of dyads that are not watched themselves (Unicode CLDR 41).
_STATES: Final = {"IND": "India", "IRN": "Iran", "USA": "United States"}


class Unit(Struct, frozen=True):
    """One watched area, border, relation or group."""

    code: str
    name: str
    #: ISO 3166-1 alpha-3: of a border the Afghan side's, of a dyad the first, of an actor the
    #: registry's, or "" where that has none.
    country: str
    kind: Kind
    countries: tuple[str, ...]  # all that it concerns, in the order of its code

    @property
    def is_country(self) -> bool:
        """Whether the unit is a whole country, which its admin1 units add up to."""
        return self.kind == "country"

    @property
    def is_area(self) -> bool:
        """Whether the unit is an area, with no part of it in another of its kind."""
        return self.kind in AREA_KINDS


def border_code(af_unit: str, pk_unit: str) -> str:
    """Return the code of the border between two units.

    >>> border_code("AF-NAN", "PK-KP")
    'AF-NAN~PK-KP'
    """
    return f"{af_unit}{_LINK}{pk_unit}"


def _areas() -> dict[str, Unit]:
    table = rows(__package__, "units.csv")
    return {
        r["unit"]: Unit(
            r["unit"],
            r["name"],
            r["country"],
            "country" if r["unit"] == r["country"] else "admin1",
            (r["country"],),
        )
        for r in table
    }


#: The areas by their codes, admin1 units first, in the order of the codes.
AREAS: Final[dict[str, Unit]] = _areas()


def _borders() -> Iterator[Unit]:
    for af, pk in sorted({(each.af_unit, each.pk_unit) for each in SEGMENTS.values()}):
        sides = AREAS[af], AREAS[pk]
        name = f"{sides[0].name}–{sides[1].name} border"
        countries = (sides[0].country, sides[1].country)
        yield Unit(border_code(af, pk), name, countries[0], "border", countries)


def _state(code: str) -> str:
    return AREAS[code].name if code in AREAS else _STATES[code]


def _dyads() -> Iterator[Unit]:
    for row in rows(__package__, "dyads.csv"):
        pair = (row["first"], row["second"])
        name = f"{_state(pair[0])}–{_state(pair[1])} relations"
        yield Unit(row["unit"], name, pair[0], "dyad", pair)


def _actors() -> Iterator[Unit]:
    for known in ACTORS.values():
        if any(role.side == "insurgent" for role in known.roles):
            countries = (known.country,) if known.country else ()
            yield Unit(known.id, known.label, known.country, "actor", countries)


@cache
def _units() -> dict[str, Unit]:
    others = (*_borders(), *_dyads(), *_actors())
    return AREAS | {unit.code: unit for unit in others}


#: Every unit by its code: areas, borders, dyads, actors. Read at first use, so that a table of
#: actors at fault can still be checked.
UNITS: Final[Mapping[str, Unit]] = Registry(_units)


def of_kind(*kinds: Kind) -> list[Unit]:
    """Return the units of some kinds, in the order of `UNITS`."""
    return [unit for unit in UNITS.values() if unit.kind in kinds]


@cache
def _inside() -> dict[str, frozenset[str]]:
    parts: dict[str, set[str]] = {}
    for unit in UNITS.values():
        parts.setdefault(unit.code, set()).add(unit.code)
        # A group is no place: who asks for a country asks for what happens there.
        for country in unit.countries if unit.kind != "actor" else ():
            if country in AREAS:
                parts.setdefault(country, set()).add(unit.code)
    return {code: frozenset(found) for code, found in parts.items()}


def inside(code: str) -> frozenset[str]:
    """Return the units that who asks for a unit asks for: a country's also its parts.

    These are its admin1 units, its stretches of border and its relations with other states, but no
    actors. A code that is not watched stands for itself.

    >>> len(inside("AFG")), "AF-NAN~PK-KP" in inside("PAK"), "ttp" in inside("PAK")
    (51, True, False)
    """
    return _inside().get(code) or frozenset((code,))


def inside_any(codes: Iterable[str]) -> frozenset[str]:
    """Return the units that some codes stand for."""
    return frozenset[str]().union(*map(inside, codes))


def name_of(unit: str) -> str:
    """Return the unit's English name, or the code itself where it is not in the table."""
    known = UNITS.get(unit)
    return known.name if known else unit
