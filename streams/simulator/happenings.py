"""What happened in one incident: where, who, how, and how many died. A function of its number.

The dead have a heavy tail: a quarter of the incidents have none, of the others the chance of x dead
or more falls as x to the power of -`_TAIL`. Attacks have such tails (Clauset, Young & Gleditsch
2007); this exponent is chosen, not fitted.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Final

from msgspec import Struct, convert

from detectors.tables import rows
from detectors.world.units import UNITS
from streams.scenarios.choice import pick, weighted
from streams.scenarios.facts import Fact
from streams.scenarios.facts import rows as stage_rows
from streams.scenarios.language import LANGUAGES, language
from streams.simulator.arrivals import STAGE
from streams.simulator.spec import NEW_NAME, RENAMED, Spec

_NONE_DEAD: Final = 0.25
_TAIL: Final = 1.8
_MOST_DEAD: Final = 300
_ONLY_CIVILIANS: Final = 0.3  # share of incidents in which the group attacks civilians
_PARTLY: Final = 0.2  # share of the others in which civilians die too


class Group(Struct, frozen=True):
    """An armed group as a structured source names it, with the state that it fights."""

    country: str  # ISO 3166-1 alpha-3
    unit: str | None  # where it is only there
    id: str  # of the actor registry
    name: str
    government: str
    side: str | None  # its code in the scenario's prose; None where that has no words for it
    front: str  # "yes" where new fronts are its
    weight: float
    first: date | None
    last: date | None


class Mode(Struct, frozen=True):
    """A PLOVER mode of violence, what a headline calls it, and the deaths that fit it."""

    mode: str
    words: str
    weight: float
    least: int
    most: int


class Happening(Struct, frozen=True):
    """One incident in full."""

    key: str  # of its own generators
    number: int
    unit: str
    day: date
    place: str | None  # a district or town; None where only the unit is known
    group: Group
    group_name: str
    against_civilians: bool
    mode: Mode
    killed: int
    injured: int
    civilians: int  # among the killed
    in_prose: bool

    @property
    def country(self) -> str:
        """The ISO 3166-1 alpha-3 code of its country."""
        return UNITS[self.unit].country

    @property
    def fact(self) -> Fact:
        """The incident as the scenario's prose takes it."""
        one, other = (self.group.side or "", "CIV"), ("GOV", self.group.side or "")
        side_a, side_b = one if self.against_civilians else other
        return Fact(
            incident=self.number, day_start=self.day, day_end=self.day, admin1=self.unit,
            place=self.place, place_kind="district" if self.place else None,
            side_a=side_a, side_b=side_b, violence=3 if self.against_civilians else 1,
            low=self.killed, best=self.killed, high=self.killed, civilians=self.civilians,
            sources=1, delay_days=None, invented=True,
        )  # fmt: skip


def happening(spec: Spec, number: int, unit: str, day: int, *, front: bool) -> Happening:
    """Return the incident with a number.

    Args:
        spec: The world.
        number: The incident's.
        unit: Where it happened, ISO 3166-2.
        day: When, from the world's first day.
        front: Whether it belongs to a new front: another district, another group.
    """
    on = spec.first_day + timedelta(days=day)
    return invented(spec, f"{spec.seed}/{number}", number, (unit, on), front=front)


def invented(
    spec: Spec, key: str, number: int, where: tuple[str, date], *, front: bool
) -> Happening:
    """Return an incident of a unit and a day, drawn with a generator of its own."""
    unit, on = where
    rng = Random(key)  # noqa: S311  not for secrets
    in_prose = rng.random() < spec.prose and unit in _told_units() and on.month <= _months()
    group = _group(unit, on, rng, front=front, in_prose=in_prose)
    renamed = spec.rename is not None and on >= spec.rename and group.id == RENAMED
    in_prose = in_prose and not renamed and group.side is not None
    killed = _killed(rng, 1 if in_prose else 0)
    against = rng.random() < _ONLY_CIVILIANS
    civilians = killed if against else 0
    if not against and rng.random() < _PARTLY:
        civilians = int(killed * rng.random())
    return Happening(
        key=key, number=number, unit=unit, day=on, group=group,
        place=_place(unit, rng, front=front, in_prose=in_prose),
        group_name=NEW_NAME if renamed else group.name, against_civilians=against,
        mode=_mode(killed, rng), killed=killed, injured=int(killed * 2.5 * rng.random()),
        civilians=civilians, in_prose=in_prose,
    )  # fmt: skip


def _killed(rng: Random, least: int) -> int:
    if rng.random() < _NONE_DEAD:
        return least
    return min(_MOST_DEAD, int((1.0 - rng.random()) ** (-1 / _TAIL)))


def _mode(killed: int, rng: Random) -> Mode:
    return weighted({m: m.weight for m in modes() if m.least <= killed <= m.most}, rng)


def _group(unit: str, on: date, rng: Random, *, front: bool, in_prose: bool) -> Group:
    there = [g for g in groups(unit) if _exists(g, on)]
    if front:
        there = [g for g in there if g.front == "yes"] or there
    told = [g for g in there if g.side] if in_prose else there
    return weighted({g: g.weight for g in told or there}, rng)


def _exists(group: Group, on: date) -> bool:
    return (group.first or on) <= on <= (group.last or on)


def _place(unit: str, rng: Random, *, front: bool, in_prose: bool) -> str | None:
    """Choose a district or town; the last of a unit is kept for new fronts."""
    known = _told_places(unit) if in_prose else _districts(unit)
    if not known:
        return None
    return known[-1] if front else pick(known[:-1] or known, rng)


@cache
def groups(unit: str) -> tuple[Group, ...]:
    """Return the armed groups of a unit."""
    table = rows(__package__, "groups.csv")
    found = (convert({k: v or None for k, v in r.items()}, Group, strict=False) for r in table)
    return tuple(g for g in found if g.country == UNITS[unit].country and g.unit in (None, unit))


@cache
def modes() -> tuple[Mode, ...]:
    """Return the modes of violence."""
    return tuple(convert(row, Mode, strict=False) for row in rows(__package__, "modes.csv"))


@cache
def _districts(unit: str) -> tuple[str, ...]:
    table = rows("detectors.world", "districts.csv")
    return tuple(row["district"] for row in table if row["unit"] == unit)


@cache
def _told_units() -> frozenset[str]:
    return frozenset(row["admin1"] for row in stage_rows(STAGE, "provinces.csv"))


@cache
def _months() -> int:
    """Return up to which month of the year the prose of every language has a name for it."""
    return min(len(language(code).words.months) for code in LANGUAGES)


@cache
def _told_places(unit: str) -> tuple[str, ...]:
    """Return the places that the scenario's prose can name."""
    table = stage_rows(STAGE, "places.csv")
    return tuple(row["place"] for row in table if row["admin1"] == unit)
