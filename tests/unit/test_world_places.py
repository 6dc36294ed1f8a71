"""Places in five languages, and the border: their data, look-ups, and what the check refuses."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.coding import script
from detectors.world.actors import table as actors_table
from detectors.world.border import (
    CROSSINGS,
    LANGUAGES,
    SEGMENTS,
    districts,
    part_of,
    segment_id,
    table,
)
from detectors.world.check_places import ALPHABETS, COLUMNS, Tables, problems, shipped, spelling
from detectors.world.units import AREAS, of_kind
from tests.tools.derive_geonames import agrees, alternates, crosswalk, language, rows

UCDP = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "ucdp"
ADMIN1 = of_kind("admin1")
#: The capitals of all units: unit, name in GeoNames, latitude and longitude in degrees.
CAPITALS = [
    ("AF-BAL", "Mazār-e Sharīf", 36.7, 67.1), ("AF-BAM", "Bāmyān", 34.8, 67.8),
    ("AF-BDG", "Qala i Naw", 35.0, 63.1), ("AF-BDS", "Fayzabad", 37.1, 70.6),
    ("AF-BGL", "Pul-e Khumrī", 35.9, 68.7), ("AF-DAY", "Nīlī", 33.7, 66.1),
    ("AF-FRA", "Farah", 32.4, 62.1), ("AF-FYB", "Maymana", 35.9, 64.8),
    ("AF-GHA", "Ghazni", 33.5, 68.4), ("AF-GHO", "Fayrōz Kōh", 34.5, 65.3),
    ("AF-HEL", "Lashkar Gāh", 31.6, 64.4), ("AF-HER", "Herāt", 34.3, 62.2),
    ("AF-JOW", "Shibirghān", 36.7, 65.8), ("AF-KAB", "Kabul", 34.5, 69.2),
    ("AF-KAN", "Kandahār", 31.6, 65.7), ("AF-KAP", "Sidqābād", 35.0, 69.3),  # Mahmud-e Raqi
    ("AF-KDZ", "Kunduz", 36.7, 68.9), ("AF-KHO", "Khōst", 33.3, 69.9),
    ("AF-KNR", "Asadābād", 34.9, 71.1), ("AF-LAG", "Mehtar Lām", 34.7, 70.2),
    ("AF-LOG", "Pul-e ‘Alam", 34.0, 69.0), ("AF-NAN", "Jalālābād", 34.4, 70.5),
    ("AF-NIM", "Zaranj", 31.0, 61.9), ("AF-NUR", "Pārūn", 35.4, 70.9),
    ("AF-PAN", "Bāzārak", 35.3, 69.5), ("AF-PAR", "Charikar", 35.0, 69.2),
    ("AF-PIA", "Gardez", 33.6, 69.2), ("AF-PKA", "Sharan", 33.2, 68.7),
    ("AF-SAM", "Aībak", 36.3, 68.0), ("AF-SAR", "Sar-e Pul", 36.2, 65.9),
    ("AF-TAK", "Taloqan", 36.7, 69.5), ("AF-URU", "Tarinkot", 32.6, 65.9),
    ("AF-WAR", "Maydanshakhr", 34.4, 68.9), ("AF-ZAB", "Qalāt", 32.1, 66.9),
    ("PK-BA", "Quetta", 30.2, 67.0), ("PK-GB", "Gilgit", 35.9, 74.3),
    ("PK-IS", "Islamabad", 33.7, 73.1), ("PK-JK", "Muzaffarābād", 34.4, 73.5),
    ("PK-KP", "Peshawar", 34.0, 71.6), ("PK-PB", "Lahore", 31.6, 74.3),
    ("PK-SD", "Karachi", 24.9, 67.0),
]  # fmt: skip


def written(code: str) -> dict[str, list[dict[str, str]]]:
    """Return the rows of one language by their spelling in the coder."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in table("places_names.csv"):
        if row["language"] == code:
            found[script.key(row["name"])].append(row)
    return found


# The data


def test_nothing_is_wrong_with_the_tables() -> None:
    assert [str(problem) for problem in problems()] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_unit_and_country_has_a_name_in_every_language(code: str) -> None:
    named = {
        (row["unit"], row["precision"])
        for row in table("places_names.csv")
        if row["language"] == code and row["kind"] != "demonym"
    }
    wanted = {(u.code, "country" if u.is_country else "admin1") for u in AREAS.values()}
    assert wanted <= named


@pytest.mark.parametrize(
    ("code", "name", "unit", "kind"),
    [
        ("fa", "کابل", "AF-KAB", "name"),
        ("fa", "ننگرهار", "AF-NAN", "name"),
        ("fa", "نیمروز", "AF-NIM", "weak"),  # noon
        ("fa", "سند", "PK-SD", "weak"),  # document
        ("fa", "خیبر", "PK-KP", "weak"),  # also in Arabia
        ("fa", "زابل", "AF-ZAB", "shared"),  # also in Iran
        ("ps", "کونړ", "AF-KNR", "name"),
        ("ps", "کوټه", "PK-BA", "weak"),  # a room
        ("ps", "باجوړ", "PK-KP", "name"),
        ("ur", "چمن", "PK-BA", "name"),
        ("ur", "کوئٹہ", "PK-BA", "name"),
        ("ur", "غور", "AF-GHO", "weak"),  # thought
        ("ur", "پروان", "AF-PAR", "weak"),  # to flourish
        ("ur", "کنڑ", "AF-KNR", "weak"),  # a language of India
        ("ur", "دیر", "PK-KP", "weak"),  # late
        ("ur", "پنجاب", "PK-PB", "shared"),
        ("ur", "حیدر آباد", "PK-SD", "shared"),
        ("ur", "وزیرستان", "PK-KP", "name"),
        ("ar", "قندهار", "AF-KAN", "name"),
        ("ar", "بلوشستان", "PK-BA", "shared"),
        ("ar", "فراه", "AF-FRA", "weak"),  # "and he saw him"
        ("ar", "مردان", "PK-KP", "weak"),
    ],
)
def test_a_name_means_its_unit_and_a_word_needs_support(
    code: str, name: str, unit: str, kind: str
) -> None:
    assert {"unit": unit, "kind": kind}.items() <= written(code)[script.key(name)][0].items()


@pytest.mark.parametrize(
    ("code", "phrase"),
    [
        ("fa", "دریای کابل"),
        ("fa", "سرقت کابل"),  # theft of cable
        ("ps", "د کابل سيند"),
        ("ur", "دریائے سندھ"),
        ("ur", "پروان چڑھانے"),
        ("ur", "زیر غور"),
        ("ar", "نهر كابول"),
        ("ar", "غزوة خيبر"),
    ],
)
def test_a_phrase_that_is_no_place_hides_the_place_in_it(code: str, phrase: str) -> None:
    assert [row["kind"] for row in written(code)[script.key(phrase)]] == ["mask"]


@pytest.mark.parametrize(
    ("code", "name", "country"),
    [
        ("fa", "سیستان و بلوچستان", "IRN"),
        ("fa", "غزه", "PSE"),
        ("ps", "تهران", "IRN"),
        ("ur", "بھارتی پنجاب", "IND"),
        ("ur", "کشمیر", "IND"),
        ("ur", "نئی دہلی", "IND"),
        ("ar", "الموصل", "IRQ"),
        ("ar", "شينجيانغ", "CHN"),
    ],
)
def test_places_that_news_names_most_are_known_to_be_elsewhere(
    code: str, name: str, country: str
) -> None:
    found = {
        row["country"]
        for row in table("elsewhere_names.csv")
        if row["language"] == code and script.key(row["name"]) == script.key(name)
    }
    assert found == {country}


@pytest.mark.parametrize("word", ["شام", "مالی", "لیل", "تھانہ"])
def test_no_place_elsewhere_is_an_ordinary_word(word: str) -> None:
    assert all(script.key(r["name"]) != script.key(word) for r in table("elsewhere_names.csv"))


def test_no_mask_of_a_place_hides_an_organisation() -> None:
    named = {(r["language"], script.key(r["name"])) for r in actors_table("names.csv")}
    for row in table("places_names.csv"):
        if row["kind"] == "mask":
            assert (row["language"], script.key(row["name"])) not in named, row["name"]


def test_the_check_compares_names_as_the_coder_does() -> None:
    by_coder: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in table("places_names.csv"):
        by_coder[row["language"], script.key(row["name"])].add(row["unit"] + row["kind"])
    sure = {k: v for k, v in by_coder.items() if sum(u.endswith("name") for u in v) > 1}
    assert sure == {}


# GeoNames


def test_every_code_of_geonames_leads_to_a_unit_and_every_unit_is_reached() -> None:
    assert set(crosswalk().values()) == {unit.code for unit in ADMIN1}
    assert len(crosswalk()) == len(ADMIN1)


@pytest.mark.parametrize(("unit", "name", "latitude", "longitude"), CAPITALS)
def test_the_capital_of_each_unit_lies_in_it(
    unit: str, name: str, latitude: float, longitude: float
) -> None:
    (row,) = [r for r in table("geonames.csv") if r["name"] == name and r["unit"] == unit]
    assert float(row["latitude"]) == pytest.approx(latitude, abs=0.1)
    assert float(row["longitude"]) == pytest.approx(longitude, abs=0.1)


@pytest.mark.skipif(not UCDP.is_dir(), reason="the shared data are not beside here")
def test_towns_lie_in_the_province_that_ucdp_places_there() -> None:
    events: dict[tuple[str, str], set[str]] = defaultdict(set)
    for file in ("afg_2020_h1_events.csv", "afg_pak_partial_weeks_2018_2020_coding_only.csv"):
        for row in csv.DictReader((UCDP / file).open(encoding="utf-8")):
            if "town" in row["where_coordinates"] and row["admin1_iso"]:
                point = (f"{float(row['latitude']):.2f}", f"{float(row['longitude']):.2f}")
                events[point].add(row["admin1_iso"])
    met = [r for r in table("geonames.csv") if (r["latitude"], r["longitude"]) in events]
    agreed = [r for r in met if r["unit"] in events[r["latitude"], r["longitude"]]]
    print(f"\nGeoNames and UCDP: {len(agreed)} of {len(met)} towns in the same unit")
    assert len(met) >= 30
    assert agreed == met


@pytest.mark.parametrize(
    ("name", "code", "guess"),
    [("زړه شرن", "AFG", "ps"), ("کوئٹہ", "PAK", "ur"), ("كابل", "AFG", "ar"), ("چمن", "AFG", "fa")],
)
def test_the_language_of_an_alternate_is_guessed_from_its_letters(
    name: str, code: str, guess: str
) -> None:
    assert language(name, code) == guess


def test_an_alternate_that_names_something_else_is_dropped() -> None:
    assert not agrees("هذا يكفي", "Datta Khel")
    place = {"name": "Bati", "alternatenames": ["باتی", "نادر شاه کوټ", "bati", "باتۇ"]}
    assert alternates(place, "AFG")["fa"] == ["باتی"]


def test_a_place_with_an_unknown_code_is_refused() -> None:
    place = {"countrycode": "AF", "admin1code": "99", "name": "Nowhere"}
    with pytest.raises(KeyError):
        rows([place], crosswalk())


# The border


@pytest.mark.parametrize(
    ("id_", "segment"),
    [
        ("torkham", "AF-NAN:Mohmand Dara|PK-KP:Khyber"),
        ("chaman", "AF-KAN:Spin Boldak|PK-BA:Chaman"),
        ("ghulam-khan", "AF-KHO:Gurbuz|PK-KP:North Waziristan"),
        ("angoor-adda", "AF-PKA:Barmal|PK-KP:South Waziristan Lower"),
        ("kharlachi", "AF-PIA:Dand-e-Patan|PK-KP:Kurram"),
        ("arandu", "AF-KNR:Nari|PK-KP:Lower Chitral"),
    ],
)
def test_a_crossing_lies_on_the_segment_of_its_districts(id_: str, segment: str) -> None:
    assert CROSSINGS[id_].segment == segment
    assert SEGMENTS[segment].certainty == "sure"


def test_every_province_and_unit_of_the_border_has_a_segment() -> None:
    assert {s.af_unit for s in SEGMENTS.values()} == {
        "AF-BDS", "AF-NUR", "AF-KNR", "AF-NAN", "AF-PIA", "AF-KHO", "AF-PKA", "AF-ZAB", "AF-KAN",
        "AF-HEL", "AF-NIM",
    }  # fmt: skip
    assert {s.pk_unit for s in SEGMENTS.values()} == {"PK-KP", "PK-BA", "PK-GB"}


@pytest.mark.parametrize(
    ("district", "part", "within"),
    [
        ("North Waziristan", "merged", ""),
        ("South Waziristan Upper", "merged", ""),
        ("Bajaur", "merged", ""),
        ("Darra Adam Khel", "merged", "Kohat"),
        ("Peshawar", "settled", ""),
        ("Bannu", "settled", ""),
    ],
)
def test_khyber_pakhtunkhwa_is_divided(district: str, part: str, within: str) -> None:
    found = districts()["PK-KP", district]
    assert (found.part, found.within) == (part, within)


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("Mir Ali", "merged"),
        ("Angoor Adda", "merged"),
        ("Parachinar", "merged"),
        ("South Waziristan", "merged"),
        ("Jani Khel", "merged"),
        ("FR Tank", "merged"),
        ("Mingora", "settled"),
        ("DI Khan", "settled"),
        ("Khyber Pakhtunkhwa", ""),
    ],
)
def test_a_place_lies_in_a_part_of_khyber_pakhtunkhwa(place: str, part: str) -> None:
    assert part_of(place) == part


def test_the_merged_districts_are_eight_and_the_frontier_regions_six() -> None:
    merged = [d for d in districts().values() if d.part == "merged"]
    assert sum(not d.within for d in merged) == 8 + 1  # South Waziristan, two since 2022
    assert sum(bool(d.within) for d in merged) == 6


# What the check refuses

PLACE = {"name": "Kabul", "unit": "AF-KAB", "country": "AFG", "precision": "admin1", "kind": "name"}
NAME = {
    "name": "کابل", "language": "fa", "place": "Kabul", "unit": "AF-KAB", "country": "AFG",
    "precision": "admin1", "kind": "name", "reviewer": "CLDR 41",
}  # fmt: skip
ELSEWHERE = {"name": "ایران", "language": "fa", "country": "IRN", "reviewer": "CLDR 41"}
DISTRICT = dict.fromkeys(COLUMNS["districts"], "") | {
    "unit": "AF-KAB", "district": "Kabul", "country": "AFG",
}  # fmt: skip
GEONAME = dict.fromkeys(COLUMNS["geonames"], "") | {
    "geonameid": "1138958", "name": "Kabul", "unit": "AF-KAB", "country": "AFG",
    "latitude": "34.53", "longitude": "69.17", "population": "4434550",
}  # fmt: skip
CODE = {"country": "AFG", "admin1code": "13", "unit": "AF-KAB"}


SEGMENT, CROSSING = dict(table("segments.csv")[0]), dict(table("border.csv")[0])
TOWN = {
    "unit": "PK-KP", "place": "Mir Ali", "district": "North Waziristan", "source": "project",
    "note": "",
}  # fmt: skip
#: Tables of few rows with nothing wrong.
SOUND = Tables(
    places=[PLACE, PLACE | {"name": "Mir Ali", "unit": "PK-KP", "country": "PAK"}],
    places_names=[NAME],
    elsewhere_names=[ELSEWHERE],
    geonames=[GEONAME],
    geonames_admin1=[
        CODE | {"unit": u.code, "country": u.country, "admin1code": u.code} for u in ADMIN1
    ],
    districts=[
        r
        for r in table("districts.csv")
        if r["unit"] in ("AF-KAB", "AF-BDS", "AF-NAN", "PK-KP", "PK-GB")
    ],
    towns=[TOWN],
    border=[CROSSING],
    segments=[r for r in table("segments.csv") if r["id"] in (SEGMENT["id"], segment_id(CROSSING))],
)


def with_row(name: str, row: dict[str, str]) -> list[str]:
    """Return what the check says of sound tables with one more row."""
    rows_ = [*getattr(SOUND, name), row]
    places = shipped().places if name == "districts" else SOUND.places
    return [str(p) for p in problems(replace(SOUND, **{"places": places} | {name: rows_}))]


def segment(**more: str) -> dict[str, str]:
    return SEGMENT | more


def crossing(**more: str) -> dict[str, str]:
    return CROSSING | {"id": "another"} | more


BROKEN = [
    ("places", PLACE | {"unit": "AF-XXX"}, "no unit 'AF-XXX'"),
    ("places", PLACE | {"name": "Kabulo", "country": "PAK"}, "is not in 'PAK'"),
    ("places", PLACE | {"name": "Kabulo", "kind": "sure"}, "no kind 'sure'"),
    ("places", PLACE | {"name": "Kabulo", "precision": "village"}, "no precision 'village'"),
    ("places", PLACE | {"name": "Kabul air", "kind": "mask"}, "a mask names no place"),
    ("places", PLACE, "stands in line"),
    ("places_names", NAME, "stands in line"),
    ("places_names", NAME | {"name": "كابل"}, "stands in line"),  # typed with another kaf
    ("places_names", NAME | {"name": "کابلستانک", "unit": "PK-TA"}, "no unit 'PK-TA'"),
    ("places_names", NAME | {"name": "کابلستانک", "place": "Kabulo"}, "has no 'Kabulo' in AF-KAB"),
    ("places_names", NAME | {"unit": "AF-PAR", "place": "Parwan"}, "means AF-KAB too"),
    ("places_names", NAME | {"name": "کاټبلک"}, "has letters foreign to fa: ټ"),
    ("places_names", NAME | {"name": "Kabul"}, "has letters foreign to fa"),
    ("places_names", NAME | {"name": "کاچبل", "language": "ar"}, "has letters foreign to ar: چک"),
    ("places_names", NAME | {"name": "کابلستانک", "language": "tr"}, "no language 'tr'"),
    ("places_names", NAME | {"name": "کابلستانک", "reviewer": ""}, "no reviewer ''"),
    ("elsewhere_names", ELSEWHERE, "stands in line"),
    ("elsewhere_names", ELSEWHERE | {"name": "کابل"}, "stands in places_names.csv"),
    ("elsewhere_names", ELSEWHERE | {"name": "دورستان", "country": "PAK"}, "not elsewhere: 'PAK'"),
    ("elsewhere_names", ELSEWHERE | {"name": "دورستان", "country": "Iran"}, "not elsewhere"),
    ("geonames", GEONAME, "stands in line"),
    ("geonames", GEONAME | {"geonameid": "1", "latitude": "51.5"}, "lies outside AFG"),
    ("geonames", GEONAME | {"geonameid": "1", "longitude": "east"}, "lies outside AFG"),
    ("geonames", GEONAME | {"geonameid": "1", "ur": "کاټبل"}, "has letters foreign to ur: ټ"),
    ("geonames_admin1", CODE | {"admin1code": "AF-KAB"}, "stands in line"),
    ("geonames_admin1", CODE | {"admin1code": "99", "unit": "AF-99"}, "no unit 'AF-99'"),
    ("districts", DISTRICT, "stands in line"),
    ("districts", DISTRICT | {"unit": "AF-YYY"}, "no unit 'AF-YYY'"),
    ("districts", DISTRICT | {"district": "Kabulo"}, "has no 'Kabulo' in AF-KAB"),
    ("districts", DISTRICT | {"part": "merged"}, "AF-KAB has no part 'merged'"),
    ("districts", DISTRICT | {"within": "Nowhere"}, "no district 'Nowhere' in AF-KAB"),
    ("towns", TOWN | {"district": "Bannu"}, "stands in line"),
    ("towns", TOWN | {"place": "MIR ALI", "district": "Bannu"}, "stands in line"),
    ("towns", TOWN | {"place": "Kabul", "district": "Bannu"}, "has no 'Kabul' in PK-KP"),
    ("towns", TOWN | {"unit": "AF-KAB"}, "has no 'Mir Ali' in AF-KAB"),
    ("towns", TOWN | {"place": "Swat", "district": "Kabul"}, "no district 'Kabul' in PK-KP"),
    ("towns", TOWN | {"place": "Swat", "district": "Bannu|Kabul"}, "no district 'Kabul' in PK-KP"),
    ("towns", TOWN | {"place": "Swat", "district": "Swat"}, "says nothing new"),
    ("towns", TOWN | {"place": "Swat", "district": "Bannu|Bannu"}, "says nothing new"),
    ("towns", TOWN | {"source": "hearsay"}, "no source 'hearsay'"),
    ("border", crossing(af_district="Nowhere"), "no district 'Nowhere' in AF-NAN"),
    ("border", crossing(pk_district="Kurram"), "no segment"),
    ("border", crossing(latitude="24.9"), "does not lie where the countries meet"),
    ("border", crossing(status="open"), "no status 'open'"),
    ("border", crossing(as_of="soon"), "as of 'soon'"),
    ("border", crossing(ps="Torkham"), "has letters foreign to ps"),
    ("segments", segment(), "stands in line"),
    ("segments", segment(id="torkham"), "is not the id of its districts"),
    ("segments", segment(certainty="perhaps"), "no certainty 'perhaps'"),
    ("segments", segment(pk_unit="AF-KAB", pk_district="Kabul"), "on side PK-"),
]


@pytest.mark.parametrize(("name", "row", "said"), BROKEN)
def test_a_broken_row_is_said(name: str, row: dict[str, str], said: str) -> None:
    found = with_row(name, row)
    assert any(said in problem and problem.startswith(f"{name}.csv:") for problem in found), found


def test_a_table_without_its_columns_is_said_alone() -> None:
    lacking = {key: value for key, value in DISTRICT.items() if key != "part"}
    tables = Tables(districts=[lacking])
    assert [p.text[:11] for p in problems(tables)] == ["columns are"]


def test_a_unit_that_no_code_leads_to_is_said() -> None:
    found = problems(Tables(geonames_admin1=[CODE]))
    assert len(found) == len(ADMIN1) - 1


@given(st.sampled_from(sorted(ALPHABETS)), st.data())
def test_typings_of_one_letter_make_no_other_name(code: str, data: st.DataObject) -> None:
    name = data.draw(st.text(st.sampled_from(sorted(ALPHABETS[code])), max_size=20))
    typed = name.replace("ی", "ي").replace("ک", "ك").replace(" ", "\u200c")
    assert spelling(typed) == spelling(name)
    assert spelling(spelling(name)) == spelling(name)
