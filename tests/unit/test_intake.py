"""The code stage: watermarks, the health of sources, and restarts."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.intake import Coded, Intake, IntakeState
from detectors.records import (
    Event,
    Heartbeat,
    IncidentRecord,
    Interval,
    Report,
    SourceHealth,
    Tick,
)
from detectors.timegrid import Grid, instant, seconds
from tests.core_records import clock, day, report, tick

Fed = Report | Heartbeat | Tick
GRID = Grid()


def _take(records: list[Fed], state: IntakeState | None = None, disorder: int = 0) -> Coded:
    state = IntakeState() if state is None else state
    return Intake(GRID, disorder).take(state, enumerate(records, state.offset + 1))


def test_an_event_comes_for_the_province_and_for_the_country() -> None:
    found = _take([report("wire-1", clock(0, 10))])
    assert [e.unit for e in found.events] == ["AF-KAN", "AFG"]
    assert {e.id for e in found.events} == {"wire-1/0"}
    assert found.outcomes == {"coded": 1}


def test_the_watermark_is_the_last_whole_step_of_the_newest_record() -> None:
    state = IntakeState()
    assert _take([report("a", clock(0, 10, 5, 59))], state).time == seconds(clock(0, 10, 5))
    assert _take([report("b", clock(0, 9))], state).advanced is False
    assert _take([report("c", clock(0, 10, 6))], state).time == seconds(clock(0, 10, 6))


def test_disorder_holds_the_watermark_back() -> None:
    found = _take([report("a", clock(0, 10, 5))], disorder=120)
    assert found.time == seconds(clock(0, 10, 3))


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(tick(clock(0, 11)), id="a tick"),
        pytest.param(Heartbeat("wire", clock(0, 11)), id="a heartbeat"),
        pytest.param(report("later", clock(0, 11)), id="a report"),
    ],
)
def test_whatever_has_a_time_moves_stream_time(record: Fed) -> None:
    state = IntakeState()
    _take([report("a", clock(0, 10, 30))], state)
    found = _take([record], state)
    assert (found.time, found.advanced) == (seconds(clock(0, 11)), True)


def test_a_report_whose_step_is_over_is_late_but_coded() -> None:
    state = IntakeState()
    _take([tick(clock(0, 10, 5))], state)
    found = _take([report("in-time", clock(0, 10, 5)), report("late", clock(0, 10, 4, 59))], state)
    assert found.late == 1
    assert {e.report for e in found.events} == {"in-time", "late"}


def test_each_source_has_its_health_at_each_hour_that_ended() -> None:
    found = _take(
        [report("a", clock(0, 10, 30)), report("b", clock(0, 10, 40), "post"), tick(clock(0, 13))]
    )
    assert [(h.at, h.source) for h in found.health] == [
        (clock(0, hour), source) for hour in (11, 12, 13) for source in ("post", "wire")
    ]
    assert [h.seen for h in found.health] == [1] * 6


def test_a_source_is_judged_from_its_first_hour_on() -> None:
    state = IntakeState()
    _take([report("a", clock(0, 10)), tick(clock(0, 12))], state)
    found = _take([report("b", clock(0, 12, 10), "post"), tick(clock(0, 13))], state)
    assert [(h.source, h.at) for h in found.health] == [
        ("post", clock(0, 13)),
        ("wire", clock(0, 13)),
    ]
    assert [cell.watched for cell in state.sources["post"].cells.values()] == [1]


def test_one_report_sent_twice_is_seen_once() -> None:
    again = report("a", clock(0, 10))
    found = _take([again, again, tick(clock(0, 11))])
    assert found.health[0].seen == 1


def test_a_late_report_is_no_sign_of_what_is_seen_now() -> None:
    state = IntakeState()
    _take([report("a", clock(0, 10)), tick(clock(0, 12))], state)
    found = _take([report("late", clock(0, 11, 30)), tick(clock(0, 13))], state)
    assert [h.seen for h in found.health] == [1]


def test_a_failed_poll_is_dark_unless_a_report_came() -> None:
    failed = Heartbeat("wire", clock(0, 11, 10), error="HTTP 503")
    state = IntakeState()
    _take([report("a", clock(0, 10)), tick(clock(0, 11))], state)
    assert _take([failed, tick(clock(0, 12))], state).health[0].state == "dark"
    failed = Heartbeat("wire", clock(0, 12, 10), error="HTTP 503")
    found = _take([failed, report("b", clock(0, 12, 20)), tick(clock(0, 13))], state)
    assert found.health[0].state == "ok"


def test_a_poll_that_answered_with_nothing_is_no_error() -> None:
    found = _take([Heartbeat("wire", clock(0, 10)), tick(clock(0, 11))])
    assert [(h.source, h.state, h.seen) for h in found.health] == [("wire", "ok", 0)]


def test_what_was_taken_in_before_is_skipped() -> None:
    state = IntakeState()
    records: list[Fed] = [report("a", clock(0, 10)), tick(clock(0, 11))]
    _take(records, state)
    again = Intake(GRID).take(state, enumerate(records))
    assert (again.events, again.health, again.advanced, again.late) == ([], [], False, 0)


def test_ticks_carry_all_health_in_order_and_end_at_the_watermark() -> None:
    records: list[Fed] = [report(f"r-{n}", clock(0, 10), f"s-{n:03}") for n in range(60)]
    found = _take([*records, tick(clock(1, 10, 30))])
    ticks = found.ticks(2, 5)
    assert [h for t in ticks for h in t.sources] == found.cells
    assert [v for t in ticks for v in t.volumes] == found.volumes
    assert [t.time for t in ticks] == sorted({t.time for t in ticks})
    assert ticks[-1].time == clock(1, 10, 30)
    assert {(t.partition, t.of) for t in ticks} == {(2, 5)}
    assert len(ticks) >= 3
    for each in ticks:  # an hour is never torn: whoever sees its time knows all of it
        assert max(h.at for h in each.sources) <= each.time
    hours = [{h.at for h in t.sources} for t in ticks]
    assert not any(a & b for a, b in pairwise(hours))
    assert max(len(msgspec.json.encode(t)) for t in ticks) < 200_000


def test_without_progress_there_is_no_tick() -> None:
    state = IntakeState()
    _take([tick(clock(0, 10))], state)
    assert _take([report("late", clock(0, 9))], state).ticks(0, 1) == []


def _record(number: int, minutes: int, source: str, kind: str) -> Fed:
    at: datetime = clock(0, 0, minutes)
    if kind == "tick":
        return tick(at)
    if kind == "report":
        return report(f"{source}-{number}", at, source)
    return Heartbeat(source, at, "HTTP 500" if kind == "error" else None)


streams = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.sampled_from("abc"),
        st.sampled_from(["report", "tick", "beat", "error"]),
    ),
    max_size=40,
).map(
    lambda drawn: [
        _record(n, m, s, k) for n, (m, s, k) in enumerate(sorted(drawn, key=lambda d: d[0] // 45))
    ]
)


def _all(batches: list[list[Fed]], *, restart: bool) -> tuple[list[Event], list[SourceHealth], int]:
    state = IntakeState()
    events: list[Event] = []
    found: list[SourceHealth] = []
    late = 0
    for batch in batches:
        if restart:
            state = msgspec.json.decode(msgspec.json.encode(state), type=IntakeState)
        coded = _take(batch, state, disorder=600)
        events.extend(coded.events)
        found.extend(coded.health)
        late += coded.late
    return events, found, late


@given(streams, st.integers(1, 7), st.booleans())
@settings(deadline=None, max_examples=60)
def test_batches_and_restarts_change_nothing(records: list[Fed], size: int, restart: bool) -> None:
    parts = [records[n : n + size] for n in range(0, len(records), size)]
    assert _all(parts, restart=restart) == _all([records], restart=False)


@given(streams)
@settings(deadline=None, max_examples=60)
def test_stream_time_never_runs_back_and_health_follows_it(records: list[Fed]) -> None:
    state = IntakeState()
    before = 0
    for record in records:
        found = _take([record], state)
        assert found.time >= before
        assert all(before < seconds(h.at) <= found.time for h in found.health)
        before = found.time
    assert instant(before) <= clock(0, 0, 400)


def test_an_hour_once_judged_is_not_judged_again() -> None:
    state = IntakeState()
    first = _take([report("a", clock(0, 10)), tick(clock(0, 12, 30))], state)
    second = _take([tick(clock(0, 12, 59)), tick(clock(0, 14))], state)
    assert [h.at for h in (*first.health, *second.health)] == [
        clock(0, n) for n in (11, 12, 13, 14)
    ]


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("when", ["yesterday", "tomorrow", "on Monday", "last week", "on 3 March"])
def test_an_impossible_time_of_publication_stops_nothing(year: int, when: str) -> None:
    """What an outlet claims is evidence: it may be nonsense, and must not stop the stage."""
    claimed = datetime(year, 1, 1, tzinfo=UTC)
    text = f"Three people were killed in an attack in Kandahar {when}, officials said."
    told = Report(
        "a",
        "wire",
        clock(0, 10),
        text,
        text,
        language="en",
        published_at=claimed,
    )
    assert _take([told]).outcomes.total() == 1


def test_each_hour_tells_how_many_reports_told_of_violence_in_each_country() -> None:
    there = IncidentRecord("ASSAULT", Interval(day(0), day(0)), "PAK", "PK-KP", "Peshawar", "town")
    protest = IncidentRecord("PROTEST", Interval(day(0), day(0)), "AFG", "AF-KAN", None, "admin1")
    found = _take(
        [
            report("a", clock(0, 10, 10)),
            report("a", clock(0, 10, 20)),
            report("b", clock(0, 10, 30)),
            report("c", clock(0, 10, 40), record=there),
            report("d", clock(0, 10, 50), record=protest),
            report("e", clock(0, 12, 10)),
            tick(clock(0, 12)),
            report("late", clock(0, 11, 10)),
            tick(clock(0, 14)),
        ]
    )
    told = [("AFG", clock(0, 11), 2), ("PAK", clock(0, 11), 1), ("AFG", clock(0, 13), 1)]
    assert [(v.country, v.at, v.reports) for v in found.volumes] == told
    (only,) = found.ticks(0, 1)
    assert list(only.volumes) == found.volumes


def test_ticks_carry_health_by_family_and_language_the_topic_by_source() -> None:
    found = _take(
        [
            report("a", clock(0, 10, 30), publisher="BBC Pashto", language="ps"),
            report("b", clock(0, 10, 40), publisher="dawn", language="en"),
            report("c", clock(0, 10, 40), publisher="No Such Paper", language="ur-PK"),
            tick(clock(0, 11)),
        ]
    )
    assert [(h.source, h.publisher, h.language, h.seen) for h in found.health] == [
        ("wire", None, None, 3)
    ]
    (only,) = found.ticks(0, 1)
    assert [(h.source, h.publisher, h.language, h.seen) for h in only.sources] == [
        ("wire", "bbc", "ps", 1),
        ("wire", "dawn", "en", 1),
        ("wire", None, "ur", 1),  # after those that have a name
    ]


def test_a_source_of_which_nothing_is_heard_for_two_months_is_no_more_waited_for() -> None:
    state = IntakeState()
    _take([report("a", clock(0, 10)), report("b", clock(0, 10), "post"), tick(clock(1))], state)
    for on in range(2, 65):
        _take([Heartbeat("post", clock(on))], state)
    assert list(state.sources) == ["post"]
