"""Which reports tell of the same happening: a table of cases, and order within a step."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.incidents import MEMORY_DAYS, IncidentLog
from detectors.records import Casualties, Event, Interval, Place, Score
from detectors.timegrid import Grid, day_number, seconds
from detectors.watch import UnitState, Watch
from tests.core_records import clock, day, event, tick, toll, town

PROVINCE = Place("Kandahar", "admin1", "AFG", "AF-KAN")
COUNTRY = Place("Afghanistan", "country", "AFG")
FIRST: dict[str, Any] = {"killed": toll(4), "actors": ("afg-army", "taliban")}

CASES = [
    pytest.param({}, 1, id="a reprint joins"),
    pytest.param({"publisher": "post"}, 1, id="a second witness joins"),
    pytest.param({"killed": toll(7)}, 1, id="a revised toll joins"),
    pytest.param({"killed": toll(12, 3, 20)}, 1, id="contradictory tolls whose ranges meet join"),
    pytest.param({"killed": toll(8)}, 1, id="twice the toll still joins"),
    pytest.param({"killed": toll(9)}, 2, id="more than twice the toll stays two"),
    pytest.param({"killed": None}, 1, id="a report without a toll joins"),
    pytest.param({"place": town("Spin Boldak")}, 2, id="two towns stay two"),
    pytest.param({"actors": ("is-kp",)}, 2, id="other parties stay two"),
    pytest.param({"actors": ("is-kp", "taliban")}, 1, id="one party in common joins"),
    pytest.param({"actors": ()}, 1, id="a report that names no party joins"),
    pytest.param({"on": -1}, 1, id="dated a day earlier joins"),
    pytest.param({"on": 1}, 1, id="dated a day later joins"),
    pytest.param({"on": 2}, 2, id="dated two days later stays two"),
    pytest.param({"on": -2}, 2, id="dated two days earlier stays two"),
    pytest.param({"on": 1, "killed": toll(9)}, 2, id="another day and another toll stay two"),
    pytest.param({"place": PROVINCE}, 1, id="the province alone joins by day and toll"),
    pytest.param(
        {"place": PROVINCE, "killed": toll(5)}, 2, id="the province alone asks for the same toll"
    ),
    pytest.param(
        {"place": PROVINCE, "killed": toll(9), "risen": True}, 1, id="a risen toll asks for no more"
    ),
    pytest.param({"place": PROVINCE, "on": 1}, 2, id="the province alone asks for the same day"),
    pytest.param({"place": COUNTRY}, 1, id="the country alone joins by day and toll"),
    pytest.param({"place": town("Qalat", "AF-ZAB")}, 2, id="two provinces stay two"),
    pytest.param({"place": None}, 2, id="no place joins nothing"),
    pytest.param({"id": "wire-1/0"}, 1, id="the same event twice counts once"),
    pytest.param({"occurred": None}, 1, id="undated adds nothing"),
    pytest.param({"on": -MEMORY_DAYS - 5}, 1, id="too old adds nothing"),
    pytest.param({"occurred": Interval(day(-9), day(-1))}, 1, id="a week and more adds nothing"),
    pytest.param({"on": 5}, 1, id="dated in the future adds nothing"),
]


@pytest.mark.parametrize(
    ("first", "then", "incidents"),
    [
        pytest.param(toll(9), toll(24), 1, id="rival tolls of a grave incident"),
        pytest.param(toll(9), toll(30), 2, id="too unlike to be one"),
        pytest.param(None, None, 1, id="no number either time"),
        pytest.param(toll(4), None, 2, id="a number and none"),
    ],
)
def test_two_reports_of_a_province_on_one_day(
    first: Casualties | None, then: Casualties | None, incidents: int
) -> None:
    log = IncidentLog()
    for number, killed in enumerate((first, then)):
        told = event(f"wire-{number}/0", place=PROVINCE, killed=killed, actors=())
        log.take(told, seconds(clock(3)))
    assert _count(log) == incidents


def _second(**changes: Any) -> Event:
    on = changes.pop("on", 0)
    return event(**{"id": "wire-2/0", "on": on, **FIRST, "seen_at": clock(3), **changes})


def _count(log: IncidentLog) -> int:
    return sum(len(found) for found in log.by_day.values())


@pytest.mark.parametrize(("changes", "incidents"), CASES)
def test_a_report_after_another(changes: dict[str, Any], incidents: int) -> None:
    log = IncidentLog()
    assert log.take(event("wire-1/0", **FIRST), seconds(clock(0.5))) is not None
    new = log.take(_second(**changes), seconds(clock(3)))
    assert _count(log) == incidents
    assert (new is not None) == (incidents == 2)


def test_a_revision_revises_the_toll_and_adds_its_witness() -> None:
    log = IncidentLog()
    first = log.take(event("wire-1/0", **FIRST), seconds(clock(0.5)))
    assert first is not None
    for number, publisher in enumerate(["post", "wire", "post"]):
        log.take(
            _second(id=f"b-{number}/0", publisher=publisher, killed=toll(6)), seconds(clock(1))
        )
    ref = first.ref()
    assert ref.killed == toll(6)
    assert ref.publishers == ("post", "wire")
    assert ref.events == ("b-0/0", "b-1/0", "b-2/0", "wire-1/0")
    assert (ref.day, ref.place) == (day(0), "Kandahar")


def test_a_report_without_a_toll_or_a_party_takes_none_away() -> None:
    log = IncidentLog()
    first = log.take(event("wire-1/0", **FIRST), seconds(clock(0.5)))
    log.take(_second(killed=None, actors=()), seconds(clock(1)))
    assert first is not None
    assert (first.killed, first.actors) == (FIRST["killed"], FIRST["actors"])


def test_a_town_makes_a_province_more_precise() -> None:
    log = IncidentLog()
    first = log.take(event("wire-1/0", **{**FIRST, "place": PROVINCE}), seconds(clock(0.5)))
    log.take(_second(place=town("Spin Boldak")), seconds(clock(1)))
    assert first is not None
    assert (_count(log), first.precise, first.place) == (1, True, "Spin Boldak")


def test_the_better_fit_is_joined() -> None:
    log = IncidentLog()
    at = seconds(clock(3))
    for number, killed in enumerate([20, 2]):
        log.take(event(f"a-{number}/0", killed=toll(killed)), at)
    log.take(event("b/0", killed=toll(2), publisher="post"), at)
    assert {i.killed: len(i.events) for i in log.between(*_days(0, 0)) if i.killed} == {
        toll(20): 1,
        toll(2): 2,
    }


def test_the_same_event_for_another_unit_is_another_incident_of_another_id() -> None:
    ids = []
    for unit in ("AF-KAN", "AFG"):
        incident = IncidentLog().take(event(unit=unit), seconds(clock(1)))
        assert incident is not None
        ids.append(incident.id)
    assert len(set(ids)) == 2
    assert [i.partition("/")[0] for i in ids] == ["AF-KAN", "AFG"]


def _days(first: int, last: int) -> tuple[int, int]:
    return day_number(day(first)), day_number(day(last))


def test_between_gives_both_ends_by_day() -> None:
    log = IncidentLog()
    for on in (5, 3, 4, 9):
        log.take(event(f"w-{on}/0", on, place=town(f"Town {on}")), seconds(clock(10)))
    assert [i.day for i in log.between(*_days(3, 5))] == [_days(d, d)[0] for d in (3, 4, 5)]


def test_what_is_too_old_is_forgotten_and_does_not_come_back() -> None:
    log = IncidentLog()
    log.take(event("old/0", 0), seconds(clock(1)))
    log.take(event("new/0", 40), seconds(clock(40.5)))
    log.forget(_days(MEMORY_DAYS, 0)[0])
    assert _count(log) == 2
    log.forget(_days(MEMORY_DAYS + 1, 0)[0])
    assert (_count(log), set(log.seen)) == (1, {"new/0"})
    assert log.take(event("old/0", 0), seconds(clock(MEMORY_DAYS + 1, hours=1))) is None


@pytest.mark.parametrize("on", [-3, 0, 1])
def test_a_day_may_be_tomorrow_in_the_place_but_no_later(on: int) -> None:
    assert IncidentLog().take(event("a/0", on), seconds(clock(0.8))) is not None


def _watched(events: list[Event]) -> tuple[bytes, list[Score]]:
    watch = Watch(Grid(), ["AF-KAN"])
    warm = event("warm/0", 0, seen_at=clock(0, hours=11))
    scores = watch.take(enumerate([warm, tick(clock(0, hours=12)), *events, tick(clock(1))]))
    unit: UnitState = watch.units["AF-KAN"]
    return msgspec.json.encode(unit.incidents), scores


STEP = [
    event(
        f"{publisher}-{number}/0",
        on,
        publisher=publisher,
        source=publisher,
        killed=killed,
        place=place,
        seen_at=clock(0, hours=12, seconds=second),
    )
    for number, (publisher, on, killed, place, second) in enumerate(
        [
            ("wire", 0, toll(2), town(), 1),
            ("post", 0, toll(3), town(), 1),
            ("dawn", -1, toll(4), town(), 7),
            ("wire", 0, toll(8), PROVINCE, 7),
            ("post", 0, toll(8), town("Spin Boldak"), 30),
            ("dawn", 0, None, town(), 59),
            ("dawn", 0, toll(8), COUNTRY, 59),
        ]
    )
]


@given(st.permutations(STEP))
@settings(max_examples=60, deadline=None)
def test_the_order_of_arrival_within_a_step_does_not_matter(events: list[Event]) -> None:
    assert _watched(events) == _watched(STEP)


def test_a_chain_of_days_does_not_swallow_a_week() -> None:
    """One attack a day in one town with one toll each: ±1 day must not make them one."""
    log = IncidentLog()
    for on in range(7):
        log.take(event(f"d-{on}/0", on, killed=toll(3)), seconds(clock(on, hours=18)))
    days = [i.day for i in log.between(*_days(0, 6))]
    assert all(later - earlier <= 2 for earlier, later in pairwise(days))
    assert len(days) >= 3
