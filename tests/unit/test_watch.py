"""The detect stage: steps of stream time, and restarts that change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.budget import Budget, Governor
from detectors.records import Event, Interval, Score, SourceHealth, Tick
from detectors.signals import ALWAYS, SIGNALS
from detectors.timegrid import Grid, instant, seconds
from detectors.watch import UnitState, Watch, WatchState
from detectors.world.units import UNITS as UNITS_BY_CODE
from tests.core_records import clock, day, event, health, tick, toll, town

Fed = Event | Tick
UNITS = ("AF-KAN", "AF-HEL")


def _asked(watch: Watch, unit: str) -> set[str]:
    """Return the signals that speak of a unit in which there has been one attack, and S0."""
    kind = UNITS_BY_CODE[unit].kind
    (incident,) = (i for day in watch.units[unit].incidents.by_day.values() for i in day)
    names = {
        name
        for name, signal in SIGNALS.items()
        if kind in signal.kinds
        and (not signal.indicator or name in ALWAYS or signal.concerns(incident))
    }
    return names | {"S0"} if any(SIGNALS[name].indicator for name in names) else names


def _watch(records: Sequence[Fed], watch: Watch | None = None) -> list[Score]:
    watch = watch or Watch(Grid(), UNITS)
    return watch.take(enumerate(records, watch.state.offset + 1))


def _seen(id: str, hours: float, unit: str = "AF-KAN", **changes: Any) -> Event:
    return event(id, 0, seen_at=clock(0, hours), unit=unit, place=town(f"Town {id}"), **changes)


def _steps(scores: list[Score]) -> list[tuple[str, Any]]:
    """Return the units and hours at which S1 spoke of a rise."""
    return [
        (s.unit, (seconds(s.at) - seconds(clock())) / 3_600)
        for s in scores
        if (s.signal, s.direction) == ("S1", "rise")
    ]


def test_a_unit_is_scored_at_the_end_of_the_step_that_brought_it_something() -> None:
    watch = Watch(Grid(), UNITS)
    scores = _watch([_seen("a", 10.01), tick(clock(0, 10, 1))], watch)
    assert _steps(scores) == [("AF-KAN", pytest.approx(10 + 1 / 60))]
    assert {s.signal for s in scores} == _asked(watch, "AF-KAN")
    assert {s.unit for s in scores} == {"AF-KAN"}


@pytest.mark.parametrize("unit", ["AF-NAN~PK-KP", "AFG~PAK", "ttp", "PAK"])
def test_each_kind_of_unit_has_its_signals(unit: str) -> None:
    watch = Watch(Grid(), [unit])
    scores = _watch([_seen("a", 10.01, unit), tick(clock(0, 10, 1))], watch)
    assert {s.signal for s in scores} == _asked(watch, unit)


def test_of_what_never_happened_nothing_is_said_until_it_does() -> None:
    watch = Watch(Grid(), ["AF-KAN"])
    days = [tick(clock(on), health("a", clock(on))) for on in range(1, 40)]
    assert {s.signal for s in _watch(days, watch)} == {"S0", "S1", "M1"}
    strike = _seen("b", 24 * 39 + 1, mode="aerial")
    strike = msgspec.structs.replace(strike, occurred=Interval(day(39), day(39)))
    found = _watch([strike, tick(clock(39, 2))], watch)
    (told,) = (s for s in found if (s.signal, s.direction) == ("S14", "rise"))
    assert told.state == "scored"  # it knows the days without any


def test_only_signals_that_an_incident_concerns_are_asked_before_the_day_turns() -> None:
    watch = Watch(Grid(), ["AF-KAN"])
    _watch([_seen("a", 10), tick(clock(0, 10, 1))], watch)
    talks = _seen("b", 10.05, event="CONSULT")
    assert _watch([talks, tick(clock(0, 10, 5))], watch) == []
    assert len(watch.units["AF-KAN"].acts["CONSULT"].seen) == 1  # though it is known
    found = _watch([_seen("c", 10.15), tick(clock(0, 10, 10))], watch)
    assert "S1" in {s.signal for s in found}
    assert "M1" not in {s.signal for s in found}
    assert watch.units["AF-KAN"].published["S1/rise"].daily[-1] == 2


def test_what_one_signal_says_anew_is_summed_with_what_the_others_said_last() -> None:
    watch = Watch(Grid(), ["AF-KAN"])
    records: list[Fed] = []
    for on in range(40):
        records.append(event(f"w-{on}/0", on, place=town(f"T{on}"), seen_at=clock(on, 10)))
        records.append(tick(clock(on + 1), health("wire", clock(on + 1))))
    _watch(records, watch)
    burst: list[Fed] = [
        event(f"b-{n}/0", 40, place=town(f"B{n}"), seen_at=clock(40, 10)) for n in range(9)
    ]
    found = _watch([*burst, tick(clock(40, 10, 1))], watch)
    last = watch.units["AF-KAN"].published
    mine = [s for key, s in last.items() if key.endswith("/rise") and s.signal in SIGNALS]
    summed = [s for s in found if (s.signal, s.direction) == ("S0", "rise")][-1]
    assert summed.strength == pytest.approx(sum(s.strength or 0.0 for s in mine))
    assert summed.parts[0].signal == "S1"
    assert summed.indicators["violent_incidents"][-1] == 9
    assert summed.stratum == "admin1/2"


def test_nothing_is_scored_before_its_step_is_over() -> None:
    watch = Watch(Grid(), UNITS)
    assert _watch([_seen("a", 10.01), tick(clock(0, 10))], watch) == []
    assert _watch([tick(clock(0, 10, 0, 59))], watch) == []
    assert _steps(_watch([tick(clock(0, 10, 1))], watch)) == [
        ("AF-KAN", pytest.approx(10 + 1 / 60))
    ]


def test_at_a_coarse_step_every_unit_is_looked_at_so_that_quiet_is_seen() -> None:
    scores = _watch([tick(clock(0, 10), health("wire", clock(0, 10)))])
    assert sorted(_steps(scores)) == [("AF-HEL", 10), ("AF-KAN", 10)]


def test_a_quiet_unit_speaks_when_its_day_turns_and_not_in_between() -> None:
    ticks = [tick(clock(0, h), health("wire", clock(0, h))) for h in range(1, 25)]
    hours = [hour for unit, hour in _steps(_watch(ticks)) if unit == "AF-KAN"]
    assert hours == [1, 20]  # local midnight is at 19:30


def test_a_loss_of_coverage_is_told_at_the_next_coarse_step() -> None:
    watch = Watch(Grid(), UNITS)
    _watch([_seen(f"a-{n}", 9) for n in range(20)], watch)
    _watch([tick(clock(0, 10), health("wire", clock(0, 10)))], watch)
    scores = _watch([tick(clock(0, 11), health("wire", clock(0, 11), share=0.0))], watch)
    assert {(s.unit, s.coverage, s.state) for s in scores if s.signal == "S1"} == {
        ("AF-KAN", "dark", "unknown"),
        ("AF-HEL", "dark", "unknown"),
    }
    back = _watch([tick(clock(0, 12), health("wire", clock(0, 12)))], watch)
    assert {s.coverage for s in back} == {"ok"}


def test_a_late_event_counts_in_the_step_that_is_open() -> None:
    watch = Watch(Grid(), UNITS)
    _watch([_seen("a", 10), tick(clock(0, 12))], watch)
    scores = _watch([_seen("late", 10.5), tick(clock(0, 12, 1))], watch)
    assert _steps(scores) == [("AF-KAN", pytest.approx(12 + 1 / 60))]
    assert scores[0].daily[-1] == 2


def test_the_same_event_twice_says_nothing_new() -> None:
    watch = Watch(Grid(), UNITS)
    _watch([_seen("a", 10), tick(clock(0, 10, 1))], watch)
    assert _watch([_seen("a", 10), tick(clock(0, 10, 2))], watch) == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"event": "PROTEST"}, id="a protest"),
        pytest.param({"auxiliary": ("negated",)}, id="an attack that did not happen"),
        pytest.param({"auxiliary": ("historical",)}, id="an anniversary"),
        pytest.param({"occurred": None}, id="an attack without a day"),
    ],
)
def test_what_is_no_violent_incident_is_not_counted(changes: dict[str, Any]) -> None:
    scores = _watch([_seen("a", 10, **changes), tick(clock(0, 11))])
    assert {s.daily[-1] for s in scores if s.signal == "S1"} <= {0}


def test_events_of_other_units_are_left_alone() -> None:
    watch = Watch(Grid(), UNITS)
    assert _watch([_seen("a", 10, "AF-BAL"), tick(clock(0, 11))], watch) == []
    assert watch.mark().offset == 1


def test_a_step_is_over_when_all_partitions_upstream_have_passed_it() -> None:
    watch = Watch(Grid(), UNITS)
    first: list[Fed] = [_seen("a", 10), tick(clock(0, 11), partition=0, of=2)]
    assert _watch(first, watch) == []
    assert _watch([tick(clock(0, 10), partition=1, of=2)], watch) == []
    assert _steps(_watch([tick(clock(0, 10, 30), partition=1, of=2)], watch)) == [
        ("AF-KAN", pytest.approx(10 + 1 / 60))
    ]
    assert _watch([tick(clock(0, 9), partition=1, of=2)], watch) == []  # never back


def test_health_is_known_when_all_partitions_have_passed_its_hour() -> None:
    watch = Watch(Grid(), UNITS)
    _watch([tick(clock(0, 11), health("a", clock(0, 11), 0.0), partition=0, of=2)], watch)
    assert watch.state.sources.cells == {}
    _watch([tick(clock(0, 11), health("b", clock(0, 11)), partition=1, of=2)], watch)
    assert list(watch.state.sources.cells) == ["a||", "b||"]


def test_a_silent_source_is_no_fall_though_the_same_counts_are_one_when_it_speaks() -> None:
    """Forty days of three attacks a day, then none: calm when all is seen, unknown when not."""

    def falls(share: float) -> list[Score]:
        watch = Watch(Grid(), ["AF-KAN"])
        records: list[Fed] = []
        for on in range(47):
            for n in range(3 if on < 40 else 0):
                at = clock(on, 10 + n)
                records.append(event(f"w-{on}-{n}/0", on, place=town(f"T{n}"), seen_at=at))
            seen = health("wire", clock(on + 1), 1.0 if on < 40 else share)
            records.append(tick(clock(on + 1), seen))
        found = [s for s in _watch(records, watch) if (s.signal, s.direction) == ("S0", "fall")]
        return [s for s in found if s.at > clock(41)]

    calm, silent = falls(1.0), falls(0.0)
    assert {s.state for s in calm} == {"scored"}
    threshold = Governor().threshold(calm[-1].stratum, "fall", "watch", Budget())
    assert max(s.strength or 0.0 for s in calm) >= threshold
    assert {(s.state, s.strength, s.p) for s in silent} == {("unknown", None, None)}


def test_foreign_state_is_refused() -> None:
    watch = Watch(Grid(), UNITS)
    with pytest.raises(ValueError, match="start from a replay"):
        watch.restore(WatchState(version="watch@0"), {})
    with pytest.raises(ValueError, match="start from a replay"):
        watch.restore(WatchState(), {"AF-KAN": UnitState(version="watch@1:S1@0")})


Drawn = tuple[int, int, int, str, bool]


def _stream(drawn: list[Drawn]) -> list[Fed]:
    """Return a stream of some days: events somewhat out of order, ticks and health in order."""
    records: list[Fed] = []
    time = 0
    for number, (step, back, age, unit, assault) in enumerate(drawn):
        time += step
        at = clock(30, 0, max(0, time - back))
        records.append(
            event(
                f"{'wire' if number % 3 else 'post'}-{number}/0",
                None,
                unit=unit,
                seen_at=at,
                source="wire" if number % 3 else "post",
                occurred=event(on=30 - age + time // 1_440).occurred,
                killed=toll(number % 4),
                place=town(f"Town {number % 5}"),
                event="ASSAULT" if assault else "PROTEST",
            )
        )
        if number % 3 == 2:
            records.append(_beat(time, number))
    return [*records, _beat(time + 1_500, 0)]


def _beat(minutes: int, number: int) -> Tick:
    now = clock(30, 0, minutes)
    hour = instant(seconds(now) // 3_600 * 3_600)
    found: list[SourceHealth] = [health("wire", hour, 0.0 if number % 4 == 1 else 1.0)]
    return tick(now, *found, health("post", hour))


streams = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 7, 60, 400]),
        st.sampled_from([0, 0, 1, 90]),
        st.integers(0, 3),
        st.sampled_from(UNITS),
        st.booleans(),
    ),
    min_size=3,
    max_size=24,
).map(_stream)


def _saved(watch: Watch) -> tuple[bytes, dict[str, bytes]]:
    units = {code: msgspec.json.encode(unit) for code, unit in watch.units.items()}
    return msgspec.json.encode(watch.mark()), units


def _restored(mark: bytes, units: dict[str, bytes]) -> Watch:
    watch = Watch(Grid(), UNITS)
    watch.restore(
        msgspec.json.decode(mark, type=WatchState),
        {code: msgspec.json.decode(unit, type=UnitState) for code, unit in units.items()},
    )
    return watch


def _wire(scores: list[Score]) -> list[bytes]:
    return sorted(msgspec.json.encode(score) for score in scores)


def _rest(watch: Watch, records: list[Fed]) -> list[Score]:
    after = watch.state.offset + 1
    return watch.take(enumerate(records[after:], after))


@given(streams, st.data())
@settings(max_examples=80, deadline=None)
def test_a_restart_from_a_checkpoint_gives_the_same_scores(
    records: list[Fed], data: st.DataObject
) -> None:
    whole = _watch(records)
    split = data.draw(st.integers(0, len(records)))
    watch = Watch(Grid(), UNITS)
    before = _watch(records[:split], watch)
    again = _restored(*_saved(watch))
    assert _wire([*before, *_rest(again, records)]) == _wire(whole)


@given(streams, st.data())
@settings(max_examples=80, deadline=None)
def test_units_ahead_of_the_mark_change_nothing(records: list[Fed], data: st.DataObject) -> None:
    """A crash between the units' states and the mark: some units are newer than the mark."""
    whole = _watch(records)
    first = data.draw(st.integers(0, len(records)))
    second = data.draw(st.integers(first, len(records)))
    watch = Watch(Grid(), UNITS)
    sent = _watch(records[:first], watch)
    mark, units = _saved(watch)
    after = watch.state.offset + 1
    sent += watch.take(enumerate(records[after:second], after))
    ahead = data.draw(st.sets(st.sampled_from(UNITS)))
    _, newer = _saved(watch)
    again = _restored(mark, {**units, **{code: newer[code] for code in ahead}})
    found = {score.id: msgspec.json.encode(score) for score in (*sent, *_rest(again, records))}
    assert sorted(found.values()) == _wire(whole)


@given(streams, st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_batches_do_not_matter(records: list[Fed], size: int) -> None:
    watch = Watch(Grid(), UNITS)
    scores = [
        score
        for start in range(0, len(records), size)
        for score in watch.take(enumerate(records[start : start + size], start))
    ]
    assert _wire(scores) == _wire(_watch(records))


def test_ids_of_scores_are_unique_and_scores_say_something_new() -> None:
    records = _stream([(60, 0, n % 3, UNITS[n % 2], True) for n in range(24)])
    scores = _watch(records)
    assert len({s.id for s in scores}) == len(scores)
    assert all(s.series_end is None or s.series_end >= day(29) for s in scores)
