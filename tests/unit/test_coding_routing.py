"""Which units an event counts for, from a headline or a record."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.coding import Coded, code
from detectors.coding.routing import borders_at, crossing, dyads_of, units_of
from detectors.records import UNPLACED, IncidentRecord, Interval, Place, Report
from detectors.world.border import CROSSINGS, SEGMENTS
from detectors.world.units import AREAS, UNITS, border_code, of_kind

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "coding"
AUTUMN = datetime(2025, 10, 14, 9, tzinfo=UTC)
SPRING = datetime(2020, 3, 1, 9, tzinfo=UTC)


def coded(title: str, at: datetime = AUTUMN, record: IncidentRecord | None = None) -> Coded:
    (found,) = code([Report(id="x", source="s", seen_at=at, title=title, record=record)])
    return found


def units(title: str, at: datetime = AUTUMN) -> list[str]:
    return [event.unit for event in coded(title, at).events]


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        pytest.param(
            "Roadside bomb kills four in Herat", ["AF-HER", "AFG"], id="an area and its country"
        ),
        pytest.param(
            "Roadside bomb kills five in Wana, South Waziristan",
            ["PK-KP", "PAK", "AF-PKA~PK-KP"], id="a town of a district at the border",
        ),
        pytest.param(
            "Gunmen kill two at Torkham",
            ["AF-NAN", "AFG", "AF-NAN~PK-KP"], id="a crossing",
        ),
        pytest.param(
            "Pakistani airstrikes kill 12 in Khost province",
            ["AF-KHO", "AFG", "AFG~PAK"], id="a state on the ground of another",
        ),
        pytest.param(
            "Afghan and Pakistani forces exchange fire near Torkham, three killed",
            ["AF-NAN", "AFG", "AF-NAN~PK-KP", "AFG~PAK"], id="two states at a crossing",
        ),
        pytest.param(
            "Iranian missile strikes kill two in Panjgur", ["PK-BA", "PAK", "IRN~PAK"],
            id="another neighbour",
        ),
        pytest.param(
            "US drone strike kills three militants in Kunar", ["AF-KNR", "AFG", "AFG~USA"],
            id="US in capitals",
        ),
        pytest.param(
            "Pakistan accuses Afghanistan of sheltering militants", ["PAK", "AFG~PAK"],
            id="states accuse each other in no province",
        ),
        pytest.param(
            "Pakistan accuses Kabul of harbouring militants", ["AFG", "AFG~PAK"],
            id="a capital that is a government",
        ),
        pytest.param("Iranian delegation visits Kabul for talks", ["AFG", "AFG~IRN"], id="a visit"),
        pytest.param(
            "Pakistan closes border crossings at Torkham and Chaman",
            ["AFG", "AF-KAN~PK-BA", "AF-NAN~PK-KP"],
            id="two crossings",
        ),
        pytest.param(
            "Pakistan and Afghanistan hold talks in Istanbul", ["AFG~PAK"],
            id="talks in a third country",
        ),
        pytest.param(
            "TTP fighters kill three soldiers in overnight ambush", ["ttp"], id="a group, nowhere"
        ),
        pytest.param(
            "Frontier Corps soldiers kill three in overnight ambush", [UNPLACED],
            id="nobody that is watched, nowhere",
        ),
    ],
)  # fmt: skip
def test_an_event_counts_for(title: str, wanted: list[str]) -> None:
    assert units(title) == wanted


@pytest.mark.parametrize(
    "title",
    [
        pytest.param("Gunmen kill three Afghan refugees in Peshawar", id="people"),
        pytest.param("Bomb blast kills seven in Quetta, Pakistan", id="an address"),
        pytest.param("Iran condemns attack in Kabul that killed ten", id="who condemns it"),
        pytest.param("Tehreek-e-Taliban Pakistan gunmen kill four in Kabul", id="in a name"),
        pytest.param("Explosion in southern Afghanistan kills five, Pakistan says", id="who tells"),
        pytest.param("Bomb blast kills seven of us in Kabul, a survivor says", id="a pronoun"),
        pytest.param("Explosion near the Pakistan-Afghanistan border kills five", id="a border"),
    ],
)
def test_a_state_is_no_party_that_is_only_named(title: str) -> None:
    found = units(title)
    assert found
    assert not [unit for unit in found if unit in UNITS and UNITS[unit].kind == "dyad"]


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("حملات هوایی پاکستان در ولایت خوست ۱۰ کشته برجا گذاشت", "AFG~PAK"),
        ("پاکستان افغانستان را به پناه دادن به تروریستان متهم کرد", "AFG~PAK"),
        ("پاکستانی فضائی حملے میں خوست میں 10 افراد ہلاک", "AFG~PAK"),
        ("افغانستان نے پاکستان کے الزامات مسترد کر دیے", "AFG~PAK"),
        ("غارات باكستانية على ولاية خوست تقتل 10 مدنيين", "AFG~PAK"),
        ("د پاکستان هوايي بریدونو په خوست کې لس ملکیان ووژل", "AFG~PAK"),
    ],
)
def test_states_are_parties_in_other_languages(title: str, wanted: str) -> None:
    assert wanted in units(title)


@pytest.mark.parametrize(
    "title",
    [
        "کوئٹہ میں دھماکہ، 5 افراد ہلاک",
        "انفجار در کابل افغانستان هفت کشته برجا گذاشت",
        "انفجار في كابل بأفغانستان يقتل سبعة",
    ],
)
def test_a_place_is_no_party_in_other_languages(title: str) -> None:
    assert not [u for u in units(title) if u in UNITS and UNITS[u].kind == "dyad"]


def test_a_group_that_came_to_govern_keeps_its_unit() -> None:
    title = "Taliban attack kills five in Helmand"
    assert "taliban" in units(title, SPRING)
    assert "taliban" in units(title, AUTUMN)


def test_states_are_told_in_the_event() -> None:
    (event, *_) = coded("Pakistan accuses Afghanistan of sheltering militants").events
    assert event.countries == ("AFG", "PAK")


def test_talks_in_a_capital_are_the_hosts_own_only_with_one_guest_and_no_group() -> None:
    kabul = Place("Kabul", "town", "AFG", "AF-KAB")
    assert "AFG~IRN" in units_of("CONSULT", kabul, ("IRN",), ())
    assert "AFG~IRN" not in units_of("CONSULT", kabul, ("IRN",), ("taliban",))
    assert "AFG~IRN" not in units_of("CONSULT", kabul, ("IRN", "USA"), ())
    assert "AFG~IRN" not in units_of("AGREE", kabul, ("IRN",), ())


def test_an_event_about_the_border_counts_where_it_names_a_crossing() -> None:
    place = Place("Afghanistan", "country", "AFG")
    at = units_of("COERCE", place, ("PAK",), (), ("AF-NAN~PK-KP",))
    assert at == ("AFG", "AF-NAN~PK-KP")


# Records


def record(**changes: object) -> IncidentRecord:
    day = Interval(date(2020, 2, 1), date(2020, 2, 1))
    known: dict[str, object] = {"event": "ASSAULT", "occurred": day, "country": "AFG"}
    return IncidentRecord(**(known | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        pytest.param(
            record(admin1="AF-NAN", place="Torkham", precision="town", actors=("Taleban",)),
            ["AF-NAN", "AFG", "AF-NAN~PK-KP", "taliban"], id="a crossing and a group",
        ),
        pytest.param(
            record(admin1="AF-KHO", place="Khost", actors=("Government of Pakistan",)),
            ["AF-KHO", "AFG", "AFG~PAK"], id="a state on the ground of another",
        ),
        pytest.param(
            record(country=None, actors=("TTP",)), ["ttp"], id="a group, with no country"
        ),
        pytest.param(record(country="IND", actors=("TTP",)), [], id="a group elsewhere"),
        pytest.param(record(country=None), [], id="nobody, nowhere"),
        pytest.param(record(admin1="AF-NAN~PK-KP"), ["AFG"], id="a border is no admin1 code"),
    ],
)  # fmt: skip
def test_a_record_counts_for(given: IncidentRecord, wanted: list[str]) -> None:
    assert [event.unit for event in coded("x", record=given).events] == wanted


# The border


@pytest.mark.parametrize("id", CROSSINGS)
def test_a_crossing_lies_on_its_border_by_either_side(id: str) -> None:
    known = CROSSINGS[id]
    segment = SEGMENTS[known.segment]
    code = border_code(segment.af_unit, segment.pk_unit)
    assert crossing(known.name, segment.af_unit) == code
    assert crossing(known.name, segment.pk_unit) == code


@pytest.mark.parametrize("id", SEGMENTS)
def test_a_district_of_a_segment_lies_at_its_border(id: str) -> None:
    segment = SEGMENTS[id]
    code = border_code(segment.af_unit, segment.pk_unit)
    for unit, district in (
        (segment.af_unit, segment.af_district), (segment.pk_unit, segment.pk_district),
    ):  # fmt: skip
        place = Place(district, "district", AREAS[unit].country, unit)
        own = crossing(district, unit)
        assert borders_at(place) == (own,) if own else code in borders_at(place)


@pytest.mark.parametrize(
    ("name", "unit", "wanted"),
    [
        pytest.param("South Waziristan", "PK-KP", ("AF-PKA~PK-KP",), id="a district of old"),
        pytest.param("Peshawar", "PK-KP", (), id="inland"),
        pytest.param("Dir", "PK-KP", (), id="several districts, one of them inland"),
        pytest.param("Torkham", "AF-KAB", (), id="the name in another unit"),
    ],
)
def test_a_place_lies_at(name: str, unit: str, wanted: tuple[str, ...]) -> None:
    assert borders_at(Place(name, "town", AREAS[unit].country, unit)) == wanted


def test_a_province_as_a_whole_lies_at_no_border() -> None:
    assert borders_at(Place("Nangarhar", "admin1", "AFG", "AF-NAN")) == ()


def test_relations_need_both_states() -> None:
    assert dyads_of(("AFG", "PAK", "USA")) == ("AFG~PAK", "AFG~USA", "PAK~USA")
    assert dyads_of(("IND", "IRN")) == ()
    assert dyads_of(("PAK",)) == ()


# What holds of every event


def golden() -> list[Report]:
    cases = [
        json.loads(line)
        for path in sorted(GOLDEN.glob("??.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [
        Report(
            id=case["id"], source="s", seen_at=datetime.fromisoformat(case["published"]),
            title=case["title"], text=case["text"],
        )
        for case in cases
    ]  # fmt: skip


def check(found: Coded) -> None:
    """Copies differ in nothing but their unit, and no unit has two."""
    first = found.events[0]
    named = [event.unit for event in found.events]
    assert len(named) == len(set(named))
    assert {replace(event, unit="") for event in found.events} == {replace(first, unit="")}
    assert set(named) <= set(UNITS) or named == [UNPLACED]
    areas = [unit for unit in named if unit in AREAS]
    place = first.place
    assert areas == ([unit for unit in (place.admin1, place.country) if unit] if place else [])
    assert named[: len(areas)] == areas
    groups = {unit.code for unit in of_kind("actor")}
    assert [unit for unit in named if unit in groups] == [a for a in first.actors if a in groups]
    assert (found.outcome == "unplaced") == (named == [UNPLACED])


def test_copies_of_every_golden_case_differ_only_in_their_unit() -> None:
    found = [each for each in code(golden()) if each.events]
    assert len(found) > 200
    for each in found:
        check(each)


PLACES = [(u.code, u.country) for u in of_kind("admin1")]
NAMES = ["Taleban", "TTP", "IS", "BLA", "Government of Pakistan", "Government of Afghanistan"]


@given(
    where=st.sampled_from(PLACES),
    town=st.sampled_from(["", "Torkham", "Chaman", "Spin Boldak", "Kurram", "Gurbuz", "Kabul"]),
    actors=st.lists(st.sampled_from(NAMES), max_size=4, unique=True),
    precision=st.sampled_from(["town", "district", "admin1"]),
)
def test_copies_of_any_record_differ_only_in_their_unit(
    where: tuple[str, str], town: str, actors: list[str], precision: str
) -> None:
    given_record = record(
        admin1=where[0], country=where[1], place=town or None, precision=precision,
        actors=tuple(actors),
    )  # fmt: skip
    check(coded("x", record=given_record))
