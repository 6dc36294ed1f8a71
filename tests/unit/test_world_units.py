"""The units that are watched: what their codes and kinds must keep to."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from detectors.records import UNPLACED
from detectors.world.actors import ACTORS
from detectors.world.border import table
from detectors.world.units import AREAS, UNITS, inside, inside_any, name_of, of_kind


def test_there_are_units_of_every_kind() -> None:
    counted = Counter(unit.kind for unit in UNITS.values())
    assert counted["admin1"] == 34 + 7
    assert counted["country"] == 2
    assert set(counted) == {"admin1", "country", "border", "dyad", "actor"}
    assert list(UNITS)[: len(AREAS)] == list(AREAS)


def test_a_code_is_its_own_and_fits_an_id_an_address_and_a_key() -> None:
    every = [unit for kind in ("admin1", "country", "border", "dyad", "actor")
             for unit in of_kind(kind)]  # fmt: skip
    assert len(every) == len({unit.code.casefold() for unit in every}) == len(UNITS)
    assert UNPLACED not in UNITS
    for code, unit in UNITS.items():
        assert code == unit.code
        assert re.fullmatch(r"[A-Za-z0-9]+(?:[-~][A-Za-z0-9]+)*", code), code


def test_names_are_told_apart() -> None:
    named = Counter(unit.name.casefold() for unit in UNITS.values())
    assert named.most_common(1)[0][1] == 1
    assert name_of("AF-NAN~PK-KP") == "Nangarhar–Khyber Pakhtunkhwa border"
    assert name_of("AFG~USA") == "Afghanistan–United States relations"
    assert name_of("nowhere") == "nowhere"


def test_borders_are_the_pairs_that_segments_join() -> None:
    pairs = {(row["af_unit"], row["pk_unit"]) for row in table("segments.csv")}
    assert [unit.code for unit in of_kind("border")] == [f"{af}~{pk}" for af, pk in sorted(pairs)]
    assert all(unit.countries == ("AFG", "PAK") for unit in of_kind("border"))


def test_a_dyad_is_of_two_states_in_order_one_of_them_watched() -> None:
    for unit in of_kind("dyad"):
        first, second = unit.countries
        assert (unit.code, unit.country) == (f"{first}~{second}", first)
        assert first < second
        assert {first, second} & set(AREAS)


def test_actors_are_who_was_ever_an_insurgent() -> None:
    codes = {unit.code for unit in of_kind("actor")}
    assert {"taliban", "ttp", "iskp"} <= codes
    assert not codes & {"pak-military", "us-forces", "afg-forces"}
    for code in codes:
        known = ACTORS[code]
        assert (UNITS[code].name, UNITS[code].country) == (known.label, known.country)
        assert UNITS[code].countries == ((known.country,) if known.country else ())


@pytest.mark.parametrize("country", ["AFG", "PAK"])
def test_who_asks_for_a_country_gets_its_provinces_borders_and_relations(country: str) -> None:
    kinds = Counter(UNITS[code].kind for code in inside(country))
    assert kinds["country"] == 1
    assert kinds["border"] == len(of_kind("border"))
    assert kinds["admin1"] == sum(unit.country == country for unit in of_kind("admin1"))
    assert kinds["dyad"] == sum(country in unit.countries for unit in of_kind("dyad"))
    assert "actor" not in kinds


def test_any_other_code_stands_for_itself() -> None:
    assert all(inside(code) == {code} for code in UNITS if code not in ("AFG", "PAK"))
    assert inside("nowhere") == {"nowhere"}
    assert inside_any(("ttp", "AF-KAB")) == {"ttp", "AF-KAB"}
    assert inside_any(()) == frozenset()
