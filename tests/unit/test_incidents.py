"""Which reports tell of the same happening: a table of cases, and order within a step."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.coding.sketch import sketch
from detectors.incident_log import Change, IncidentLog
from detectors.incidents import MEMORY_DAYS, MOST_REPORTS, OPEN_DAYS
from detectors.incidents import toll as toll_of
from detectors.linkage import Told
from detectors.records import Casualties, Event, Interval, Place, Score
from detectors.timegrid import Grid, day_number, seconds
from detectors.watch import UnitState, Watch
from tests.core_records import clock, day, event, tick, toll, town

PROVINCE = Place("Kandahar", "admin1", "AFG", "AF-KAN")
COUNTRY = Place("Afghanistan", "country", "AFG")
BLAST = sketch(
    "a roadside bomb hit a police vehicle in kandahar on monday and killed four officers"
)
FIRST: dict[str, Any] = {"killed": toll(4), "actors": ("afg-army", "taliban"), "language": "en"}

CASES = [
    pytest.param({}, 1, id="the same told again joins"),
    pytest.param({"publisher": "post", "source": "post"}, 1, id="a second witness joins"),
    pytest.param({"killed": toll(5), "risen": True}, 1, id="a risen toll joins"),
    pytest.param({"killed": toll(9), "killed_also": (4,)}, 1, id="the other side's toll joins"),
    pytest.param({"killed": toll(12, 4, 20)}, 1, id="contradictory tolls whose ranges meet join"),
    pytest.param({"killed": None}, 1, id="a report without a toll joins"),
    pytest.param({"killed": toll(19), "place": PROVINCE}, 2, id="another toll, no town: two"),
    pytest.param({"place": town("Spin Boldak"), "killed": toll(9)}, 2, id="two towns stay two"),
    pytest.param({"actors": ("iskp",), "killed": toll(1)}, 2, id="other parties, other toll: two"),
    pytest.param({"actors": ("iskp", "taliban")}, 1, id="one party in common joins"),
    pytest.param({"actors": ()}, 1, id="a report that names no party joins"),
    pytest.param({"on": 1, "killed": toll(19)}, 2, id="another day and another toll stay two"),
    pytest.param({"on": 1, "sketch": BLAST}, 1, id="the same text dated a day later joins"),
    pytest.param({"on": 2, "sketch": BLAST}, 2, id="dated two days later stays two"),
    pytest.param({"on": -2, "sketch": BLAST}, 2, id="dated two days earlier stays two"),
    pytest.param({"place": PROVINCE}, 1, id="the province alone joins by day and toll"),
    pytest.param({"place": COUNTRY}, 1, id="the country alone joins by day and toll"),
    pytest.param({"place": town("Qalat", "AF-ZAB")}, 2, id="two provinces stay two"),
    pytest.param({"id": "wire-1/0"}, 1, id="the same event twice counts once"),
    pytest.param({"occurred": None}, 1, id="undated adds nothing"),
    pytest.param({"on": -MEMORY_DAYS - 5}, 1, id="too old adds nothing"),
    pytest.param({"occurred": Interval(day(-9), day(-1))}, 1, id="a week and more adds nothing"),
    pytest.param({"on": 5}, 1, id="dated in the future adds nothing"),
    pytest.param({"language": None}, 2, id="a data set tells each incident once"),
    pytest.param(
        {"auxiliary": ("negated",), "statement": "denial"}, 1, id="a denial begins no incident"
    ),
]


def _second(**changes: Any) -> Event:
    on = changes.pop("on", 0)
    base = {"id": "wire-2/0", "on": on, "sketch": "", **FIRST, "seen_at": clock(3)}
    return event(**{**base, **changes})


def _count(log: IncidentLog) -> int:
    return sum(len(found) for found in log.by_day.values())


def _take(log: IncidentLog, *events: Event) -> list[Change]:
    return [log.take(each, seconds(each.seen_at)) for each in events]


@pytest.mark.parametrize(("changes", "incidents"), CASES)
def test_a_report_after_another(changes: dict[str, Any], incidents: int) -> None:
    log = IncidentLog()
    first, second = _take(log, event("wire-1/0", sketch=BLAST, **FIRST), _second(**changes))
    assert _count(log) == incidents
    assert (len(first.new), len(second.new), second.gone) == (1, incidents - 1, ())


def test_a_denial_of_nothing_known_begins_no_incident() -> None:
    log = IncidentLog()
    denied = event("a/0", auxiliary=("negated",), statement="denial", **FIRST)
    assert _take(log, denied) == [Change()]
    assert _count(log) == 0


def test_a_revision_revises_the_toll_and_adds_its_witness() -> None:
    log = IncidentLog()
    [change] = _take(log, event("wire-1/0", **FIRST))
    for number, publisher in enumerate(["post", "wire", "post"]):
        again = {"publisher": publisher, "killed": toll(6), "risen": True}
        _take(log, _second(id=f"b-{number}/0", **again))
    ref = change.new[0].ref()
    assert ref.killed == toll(6)
    assert ref.publishers == ("post", "wire")
    assert ref.events == ("b-0/0", "b-1/0", "b-2/0", "wire-1/0")
    assert (ref.day, ref.place, ref.reports) == (day(0), "Kandahar", 4)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param([("a", toll(4), False)], toll(4), id="one witness"),
        pytest.param([("a", toll(4), False), ("a", toll(3), False)], toll(3), id="it corrects"),
        pytest.param([("a", toll(4), False), ("b", toll(6), False)], toll(6, 4), id="the later"),
        pytest.param(
            [("a", toll(4), False), ("b", toll(6), False), ("c", toll(5), False)],
            toll(5, 4, 6), id="the median of three",
        ),
        pytest.param([("a", toll(4), False), ("b", toll(7), True)], toll(7), id="a risen toll"),
        pytest.param(
            [("a", toll(9), False), ("b", toll(7), True)], toll(7, 7, 9), id="risen, still lower"
        ),
        pytest.param([("a", toll(4), False), ("a", None, False)], toll(4), id="none takes none"),
        pytest.param([("a", None, False)], None, id="no toll at all is not nought"),
    ],
)  # fmt: skip
def test_what_the_witnesses_come_to(
    told: list[tuple[str, Casualties | None, bool]], expected: Casualties | None
) -> None:
    reports = [
        Told(f"{n}/0", n, 0, 0, who, who, killed=killed, risen=risen)
        for n, (who, killed, risen) in enumerate(told)
    ]
    assert toll_of(reports) == expected


def test_a_reprint_is_no_witness() -> None:
    log = IncidentLog()
    [change] = _take(log, event("wire-1/0", sketch=BLAST, **FIRST))
    copied = {"publisher": "post", "source": "post", "sketch": BLAST}
    _take(log, _second(**copied), _second(id="own/0", publisher="own", source="own"))
    assert change.new[0].publishers == ("own", "wire")


def test_the_agency_that_a_report_credits_is_its_witness() -> None:
    log = IncidentLog()
    [change] = _take(log, event("wire-1/0", **FIRST))
    _take(log, _second(publisher="post", wire="wire"))
    assert change.new[0].publishers == ("wire",)


def test_a_town_makes_a_province_more_precise() -> None:
    log = IncidentLog()
    [change] = _take(log, event("wire-1/0", **{**FIRST, "place": PROVINCE}))
    _take(log, _second(place=town("Spin Boldak")))
    assert (_count(log), change.new[0].place) == (1, "Spin Boldak")


def test_the_better_fit_is_joined() -> None:
    log = IncidentLog()
    for number, killed in enumerate([20, 2]):
        _take(log, event(f"a-{number}/0", killed=toll(killed), language="en"))
    _take(log, event("b/0", killed=toll(2), publisher="post", source="post", language="en"))
    assert {i.killed: len(i.told) for i in log.between(*_days(0, 0)) if i.killed} == {
        toll(20): 1,
        toll(2): 2,
    }


APART: dict[str, Any] = {"place": PROVINCE, "language": "en"}
SMALL = event("a/0", killed=toll(11), source="a", publisher="a", mode="aerial", **APART)
LARGE = event("b/0", killed=toll(40), source="b", publisher="b", actors=("taliban",), **APART)
BOTH = replace(
    LARGE, id="c/0", source="c", mode="aerial", killed_also=(11,), statement="counter-claim"
)


def test_a_report_that_shows_two_incidents_to_be_one_merges_them() -> None:
    log = IncidentLog()
    first, second, third = _take(log, SMALL, LARGE, BOTH)
    assert [len(change.new) for change in (first, second, third)] == [1, 1, 0]
    assert [gone.id for gone in third.gone] == [second.new[0].id]
    [left] = log.between(*_days(0, 0))
    assert (left.id, left.ref().absorbed) == (first.new[0].id, (second.new[0].id,))
    assert left.reports == 3


def test_a_report_moves_to_an_incident_that_it_fits_better_and_a_trace_of_it_stays() -> None:
    """A report of the province was put with the only attack known; then the right one is told."""
    log = IncidentLog()
    base: dict[str, Any] = {"language": "en", "killed": toll(8)}
    known: dict[str, Any] = {**base, "actors": ("taliban",), "mode": "aerial"}
    _take(log, event("a/0", place=town("Daman"), **base))
    _take(log, event("b/0", place=PROVINCE, source="b", publisher="b", **known))
    assert _count(log) == 1
    _take(log, event("c/0", place=town("Maruf"), source="c", publisher="c", **known))
    by_town = {incident.place: incident for incident in log.between(*_days(0, 0))}
    assert [told.event for told in by_town["Maruf"].told] == ["b/0", "c/0"]
    assert by_town["Daman"].ref().parted == (by_town["Maruf"].id,)
    assert by_town["Maruf"].ref().parted == (by_town["Daman"].id,)


def test_what_all_have_taken_back_is_gone_until_somebody_tells_it_again() -> None:
    log = IncidentLog()
    [began] = _take(log, event("wire-1/0", sketch=BLAST, **FIRST))
    back = {"auxiliary": ("negated",), "statement": "retraction", "sketch": BLAST}
    [taken] = _take(log, _second(**back))
    assert [gone.id for gone in taken.gone] == [began.new[0].id]
    assert log.between(*_days(0, 0)) == []
    [again] = _take(log, _second(id="post/0", source="post", publisher="post"))
    assert [new.id for new in again.new] == [began.new[0].id]


def test_a_better_known_day_moves_the_incident() -> None:
    log = IncidentLog()
    vague = event("a/0", occurred=Interval(day(-1), day(0)), sketch=BLAST, **FIRST)
    _take(log, vague)
    [change] = _take(log, _second(sketch=BLAST, source="post", publisher="post"))
    assert [i.day for i in change.gone] == [_days(-1, -1)[0]]
    assert [i.day for i in change.new] == [_days(0, 0)[0]]
    assert [len(log.between(*_days(on, on))) for on in (-1, 0)] == [0, 1]


def test_an_incident_of_very_many_reports_keeps_its_count_and_its_witnesses() -> None:
    log = IncidentLog()
    for number in range(3 * MOST_REPORTS):
        source = f"s{number % 10}"
        _take(log, event(f"{number:04}/0", source=source, publisher=source, **FIRST))
    [incident] = log.between(*_days(0, 0))
    assert incident.reports == 3 * MOST_REPORTS
    assert len(incident.told) <= MOST_REPORTS
    assert len(incident.publishers) == 10


def test_the_same_event_for_another_unit_is_another_incident_of_another_id() -> None:
    ids = []
    for unit in ("AF-KAN", "AFG"):
        [change] = _take(IncidentLog(), event(unit=unit))
        ids.append(change.new[0].id)
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
    assert log.take(event("old/0", 0), seconds(clock(MEMORY_DAYS + 1, hours=1))) == Change()


def test_an_event_that_comes_again_weeks_later_counts_once() -> None:
    """After a crash, events of a replay come again: months of stream time in a second."""
    log = IncidentLog()
    _take(log, event("a/0", **FIRST))
    log.forget(_days(MEMORY_DAYS - 1, 0)[0])
    again = event("a/0", seen_at=clock(MEMORY_DAYS - 2), **FIRST)
    assert _take(log, again) == [Change()]
    assert [incident.reports for incident in log.between(*_days(0, 0))] == [1]


def test_a_settled_incident_forgets_texts_but_takes_a_late_report() -> None:
    log = IncidentLog()
    [began] = _take(log, event("wire-1/0", sketch=BLAST, **FIRST))
    log.forget(_days(OPEN_DAYS + 1, 0)[0])
    assert [told.sketch for told in began.new[0].told] == [""]
    late = _second(source="post", publisher="post", seen_at=clock(OPEN_DAYS + 1))
    assert _take(log, late) == [Change()]
    assert began.new[0].publishers == ("post", "wire")


@pytest.mark.parametrize("on", [-3, 0, 1])
def test_a_day_may_be_tomorrow_in_the_place_but_no_later(on: int) -> None:
    assert IncidentLog().take(event("a/0", on), seconds(clock(0.8))).new


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
