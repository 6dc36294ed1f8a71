"""Stories: which alerts tell one, here and in units beside."""

from __future__ import annotations

from itertools import combinations

import pytest
from msgspec.structs import replace

from detectors.life import Case
from detectors.stories import LINGERS_DAYS, nearness, story_of
from detectors.tables import rows
from detectors.timegrid import DAY, seconds
from detectors.world.units import AREAS, UNITS
from tests.alert_records import OPENED, alert

AT = seconds(OPENED)


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        pytest.param("AF-KAN", "AF-KAN", 0, id="the same"),
        pytest.param("AF-KAN", "AF-HEL", 1, id="provinces that touch"),
        pytest.param("AF-NAN", "PK-KP", 1, id="provinces across the border"),
        pytest.param("AF-NAN", "AF-HEL", None, id="provinces far apart"),
        pytest.param("AF-HER", "PK-KP", None, id="a province not at that border"),
        pytest.param("AF-NAN~PK-KP", "AF-NAN", 1, id="a border and its side"),
        pytest.param("AF-NAN~PK-KP", "PK-KP", 1, id="a border and its other side"),
        pytest.param("AF-NAN~PK-KP", "AF-KNR", None, id="a border and another province"),
        pytest.param("AF-KAN", "AFG", 2, id="a province and its country"),
        pytest.param("AF-KAN", "PAK", None, id="a province and the other country"),
        pytest.param("AF-NAN~PK-KP", "PAK", 2, id="a border and a country"),
        pytest.param("AFG", "AFG~PAK", 3, id="a country and its relations"),
        pytest.param("AF-KAN", "AFG~IRN", 3, id="a province and its country's relations"),
        pytest.param("AF-KAN", "IND~PAK", None, id="a province and others' relations"),
        pytest.param("AF-NAN~PK-KP", "AFG~PAK", 3, id="a border and the relations over it"),
        pytest.param("AF-NAN~PK-KP", "AFG~IRN", None, id="a border and one state's relations"),
        pytest.param("AFG", "PAK", None, id="the two countries"),
        pytest.param("ttp", "PAK", None, id="a group is no place"),
        pytest.param("nowhere", "AFG", None, id="what is not watched"),
    ],
)
def test_how_near_units_are(one: str, other: str, near: int | None) -> None:
    assert nearness(one, other) == nearness(other, one) == near


def test_nearness_has_no_direction() -> None:
    for one, other in combinations(UNITS, 2):
        assert nearness(one, other) == nearness(other, one)


def test_provinces_that_touch_are_of_one_country_and_told_once() -> None:
    pairs = [(row["unit"], row["other"]) for row in rows("detectors", "touching.csv")]
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert all(AREAS[one].country == AREAS[other].country for one, other in pairs)
    provinces = {unit.code for unit in AREAS.values() if not unit.is_country}
    assert {each for pair in pairs for each in pair} == provinces


def _case(name: str, unit: str, opened: int = 0, ended: int | None = None, story: str = "") -> Case:
    """An alert opened, and perhaps ended, so many days after the first."""
    base = alert(opened, id=name, unit=unit, story=story or name)
    return Case(base, None if ended is None else AT + ended * DAY)


@pytest.mark.parametrize(
    ("cases", "story"),
    [
        pytest.param([], "new", id="the first is its own"),
        pytest.param([_case("a", "AF-KAN")], "a", id="the same unit"),
        pytest.param([_case("a", "AFG")], "a", id="its country"),
        pytest.param([_case("a", "AF-HEL")], "a", id="a unit beside"),
        pytest.param([_case("a", "AF-HER")], "new", id="a unit far away"),
        pytest.param([_case("b", "AF-HEL", story="a")], "a", id="it hands on the story it tells"),
        pytest.param(
            [_case("a", "AFG", 9), _case("b", "AF-HEL", 1)], "b", id="the nearest goes before"
        ),
        pytest.param(
            [_case("a", "AF-HEL", 1), _case("b", "AF-ZAB", 2)], "b", id="then what opened last"
        ),
        pytest.param([_case("a", "AF-KAN", 0, 10)], "a", id="one that ended of late"),
        pytest.param([_case("a", "AF-KAN", 0, 6)], "new", id="one that ended 14 days ago"),
    ],
)
def test_whose_story_an_alert_goes_on_with(cases: list[Case], story: str) -> None:
    """It opens in Kandahar on day 20."""
    opened = alert(20, id="new", unit="AF-KAN")
    at = AT + 20 * DAY
    assert LINGERS_DAYS == 14
    assert story_of(opened, cases, at) == story_of(opened, cases[::-1], at) == story


def test_the_other_direction_is_another_story() -> None:
    fall = _case("a", "AF-KAN")
    fall.alert = replace(fall.alert, direction="fall")
    assert story_of(alert(1, id="new"), [fall], AT + DAY) == "new"
