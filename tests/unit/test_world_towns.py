"""In which district a town lies, and which names are one district."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.world.border import districts, part_of, table
from detectors.world.check_places import Tables, problems, shipped
from detectors.world.towns import district_of, districts_of, letters, meaning

ROOT = Path(__file__).resolve().parents[2]
UCDP = ROOT / ".." / "shared" / "data" / "ucdp"
TOWNS = [(row["unit"], row["place"]) for row in table("towns.csv")]
DISTRICTS = sorted(districts())


def one(unit: str, *names: str) -> set[str]:
    """Return the districts that names of one unit stand for."""
    return {district_of(name, unit) for name in names}


@pytest.mark.parametrize(
    ("unit", "town", "district"),
    [
        ("AF-HEL", "Gereshk", "Nahr-e Saraj"),
        ("AF-HEL", "Marjah", "Nad-e Ali"),
        ("AF-HEL", "Bahramcha", "Dishu"),
        ("AF-HER", "Islam Qala", "Kohsan"),
        ("AF-HER", "Torghundi", "Rabat-e Sangi"),
        ("AF-KAN", "Wesh", "Spin Boldak"),
        ("AF-NAN", "Torkham", "Mohmand Dara"),
        ("AF-KDZ", "Sher Khan Bandar", "Imam Sahib"),
        ("PK-BA", "Turbat", "Kech"),
        ("PK-BA", "Dera Murad Jamali", "Nasirabad"),
        ("PK-KP", "Mir Ali", "North Waziristan"),
        ("PK-KP", "Wana", "South Waziristan Lower"),
        ("PK-KP", "Kulachi", "Dera Ismail Khan"),
        ("PK-KP", "Jani Khel", "Bannu"),  # in a frontier region that is now a part of it
        ("PK-SD", "Lyari", "Karachi South"),
        ("PK-PB", "Raiwind", "Lahore"),
    ],
)
def test_a_town_lies_in_its_district(unit: str, town: str, district: str) -> None:
    assert (unit, district) in districts()
    assert district_of(town, unit) == district


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        ("AF-NAN", ("Haska Mina", "Deh Bala", "Dih Bala")),
        ("AF-NAN", ("Ghani Khel", "Shinwar")),
        ("AF-NAN", ("Khewa", "Kuz Kunar")),
        ("AF-HER", ("Kushk", "Kushk-e Robat Sangi", "Rabat-e Sangi")),
        ("AF-HEL", ("Lashkargah", "Lashkar Gah", "LASHKAR-GAH")),
        ("AF-HEL", ("Nahr-e Saraj", "Nahri Sarraj", "nahr i siraj")),
        ("AF-KAN", ("Zhari", "Zharai", "Zheray")),
        ("AF-ZAB", ("Kakar", "Khak-e Afghan")),
        ("AF-PKA", ("Khayr Kot", "Zarghun Shahr")),
        ("AF-GHA", ("Wali Muhammad Shahid", "Khogyani", "Khugyani")),
        ("AF-KHO", ("Sabari", "Yaqubi", "Sabri")),
        ("AF-URU", ("Char Chino", "Shahidi Hassas", "Shahid-e-Hasas")),
        ("AF-GHO", ("Firuzkoh", "Chaghcharan", "Feroz Koh")),
        ("PK-BA", ("Qila Saifullah", "Killa Saifullah")),
        ("PK-KP", ("Miran Shah", "Miramshah", "North Waziristan Agency")),
    ],
)
def test_the_names_of_one_district_are_one(unit: str, names: tuple[str, ...]) -> None:
    assert len(one(unit, *names)) == 1
    assert (unit, *one(unit, *names)) in districts()


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        ("AF-HER", ("Kushk", "Kushk-e Kohna")),
        ("AF-BGL", ("Dand-e Ghori", "Dahana-e Ghori")),
        ("AF-KNR", ("Nari", "Narang", "Nurgal")),
        ("AF-BDS", ("Khash", "Kishm", "Kuf Ab")),
        ("PK-BA", ("Kech", "Kachhi")),
        ("PK-BA", ("Duki", "Dak")),
        ("PK-KP", ("Bannu", "Buni")),
        ("PK-KP", ("Jandola", "Jandul")),
        ("PK-SD", ("Kandiaro", "Kandiari")),
        ("PK-SD", ("Nooriabad", "Noorabad")),
    ],
)
def test_names_that_sound_alike_stay_apart(unit: str, names: tuple[str, ...]) -> None:
    assert len(one(unit, *names)) == len(names)


def test_a_name_holds_in_its_unit_alone() -> None:
    assert district_of("Gereshk", "AF-KAB") == "Gereshk"
    assert district_of("Reg", "AF-HEL") == "Khan Neshin"
    assert district_of("Reg", "AF-KAN") == "Registan"


@pytest.mark.parametrize("unit", ["AF-HEL", "PK-KP", "AFG", "no unit"])
def test_what_is_not_known_stays_as_it_is(unit: str) -> None:
    assert district_of("Nowhere upon Sea", unit) == "Nowhere upon Sea"
    assert districts_of("Nowhere upon Sea", unit) == frozenset()
    assert district_of("", unit) == ""


@pytest.mark.parametrize(
    ("unit", "wide", "narrow"),
    [
        ("AF-SAM", "Dara-e-Suf", "Dara-e Suf Payin"),
        ("AF-BDS", "Darwaz", "Nusay"),
        ("PK-BA", "Makran", "Turbat"),
        ("PK-BA", "Killa Abdullah", "Chaman"),
        ("PK-KP", "South Waziristan", "Wana"),
        ("PK-KP", "South Waziristan Agency", "Makeen"),
        ("PK-KP", "Kohistan", "Dasu"),
        ("PK-SD", "Karachi", "Lyari"),
        ("PK-PB", "Rawalpindi", "Murree"),
    ],
)
def test_a_wide_name_may_tell_of_any_district_it_spans(unit: str, wide: str, narrow: str) -> None:
    assert districts_of(wide, unit) & districts_of(narrow, unit)
    assert district_of(wide, unit) != district_of(narrow, unit)


def test_a_city_of_several_districts_is_none_of_them() -> None:
    assert district_of("Karachi", "PK-SD") == "Karachi"
    assert len(districts_of("Karachi", "PK-SD")) == 7


@pytest.mark.parametrize(("unit", "place"), TOWNS)
def test_every_row_leads_to_districts_of_its_unit(unit: str, place: str) -> None:
    found = meaning(place, unit)
    assert found.reach
    assert all((unit, district) in districts() for district in found.reach)
    assert not found.district or found.district in found.reach


@pytest.mark.parametrize(("unit", "name"), DISTRICTS)
def test_a_district_is_settled_in_one_step(unit: str, name: str) -> None:
    found = district_of(name, unit)
    assert (unit, found) in districts()
    assert district_of(found, unit) == found


@given(st.sampled_from(TOWNS), st.sampled_from([" ", "-", "'", ""]), st.booleans())
def test_case_and_punctuation_make_no_other_place(
    row: tuple[str, str], between: str, loud: bool
) -> None:
    unit, place = row
    typed = between.join(re.findall(r"\w+", place))
    assert meaning(typed.upper() if loud else typed, unit) == meaning(place, unit)
    assert letters(letters(place)) == letters(place)


def test_the_parts_of_khyber_pakhtunkhwa_know_frontier_regions_still() -> None:
    assert (part_of("Jani Khel"), part_of("Bannu")) == ("merged", "settled")
    assert (part_of("South Waziristan"), part_of("Kohistan")) == ("merged", "")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"place": "Khewa", "district": "Haska Mina"}, "'Haska Mina' is itself another name"),
        ({"place": "Haska-Mina", "district": "Kot"}, "'Haska-Mina' means ['Deh Bala'] too"),
        ({"place": "Khewa", "district": "Kuz"}, "no district 'Kuz' in AF-NAN"),
        ({"place": "Khewo", "district": "Kot"}, "places.csv has no 'Khewo' in AF-NAN"),
    ],
)
def test_a_row_that_leads_astray_is_refused(row: dict[str, str], said: str) -> None:
    given_ = shipped()
    sound = {"unit": "AF-NAN", "place": "Haska Mina", "district": "Deh Bala", "note": ""}
    sound = {key: (sound | {"source": "project"})[key] for key in given_.towns[0]}
    tables = Tables(places=given_.places, districts=given_.districts, towns=[sound])
    assert problems(tables) == []
    found = [str(p) for p in problems(replace(tables, towns=[sound, sound | row]))]
    assert any(said in problem and problem.startswith("towns.csv:3") for problem in found), found


@pytest.mark.skipif(not UCDP.is_dir(), reason="the shared data are not beside here")
def test_towns_lie_in_the_district_in_which_ucdp_has_them() -> None:
    stated: set[tuple[str, str, str]] = set()
    for file in ("afg_2020_h1_events.csv", "afg_pak_partial_weeks_2018_2020_coding_only.csv"):
        for row in csv.DictReader((UCDP / file).open(encoding="utf-8")):
            town = re.fullmatch(r"(.+?)(?: \(.+\))? (?:town|city)", row["where_coordinates"])
            district = re.sub(r" (?:district|agency).*", "", row["adm_2"])
            if town and district and row["admin1_iso"]:
                stated.add((row["admin1_iso"], town[1], district))
    known = [s for s in stated if districts_of(s[1], s[0]) and districts_of(s[2], s[0])]
    apart = [s for s in known if not districts_of(s[1], s[0]) & districts_of(s[2], s[0])]
    print(f"\nUCDP: {len(known) - len(apart)} of {len(known)} towns in the same district")
    assert len(known) >= 60
    # The one is a town that UCDP places in a district to the east of its own.
    assert apart in ([], [("PK-BA", "Dalbandin", "Nushki")])
