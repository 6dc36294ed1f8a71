"""Silence told from calm: sources by their own history, together, and units by their sources."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.cells import RETIRED, SourceMonitor, cell_of
from detectors.coverage import UNIT_DARK, UNIT_OK, Sources, UnitCoverage
from detectors.records import Coverage, SourceHealth
from detectors.silence import together
from detectors.timegrid import instant, seconds
from tests.core_records import START, clock, event, health
from tests.coverage_streams import Coverages, Outage, Outlet, hourly, outlets, units

HOUR = 3_600


def _watch(
    monitor: SourceMonitor, counts: list[int], error: str | None = None, cell: str = "|"
) -> list[SourceHealth]:
    found = []
    for count in counts:
        monitor.heard = max(monitor.heard, monitor.since - HOUR) + HOUR  # as a clock
        found.append(monitor.close_hour({cell: count} if count else {}, monitor.heard, error)[0])
    return found


def _pace(monitor: SourceMonitor) -> float:
    return monitor.cells["|"].pace


def _steady(every: int, days: int = 21, count: int = 1) -> SourceMonitor:
    """Return a source that brought `count` reports every so many hours."""
    monitor = SourceMonitor("wire", since=HOUR)
    hours = [count if n % every == every - 1 else 0 for n in range(days * 24)]
    assert {h.state for h in _watch(monitor, hours)} == {"ok"}
    return monitor


def _hours_until_dark(monitor: SourceMonitor, most: int = 2_000) -> int:
    for hour, found in enumerate(_watch(monitor, [0] * most), 1):
        if found.state == "dark":
            return hour
    raise AssertionError(f"not dark within {most} hours")


@pytest.mark.parametrize(
    ("every", "earliest", "latest"),
    [
        pytest.param(1, 4, 12, id="a source of every hour is missed within half a day"),
        pytest.param(4, 20, 40, id="a source of six a day is missed after a day or so"),
        pytest.param(24, 150, 240, id="a daily source is missed after a week or so"),
    ],
)
def test_an_outage_goes_dark(every: int, earliest: int, latest: int) -> None:
    assert earliest <= _hours_until_dark(_steady(every)) <= latest


def test_a_slow_source_is_not_dark_between_its_reports() -> None:
    monitor = _steady(72, days=60)
    assert {h.state for h in _watch(monitor, [0] * 24 * 7)} == {"ok"}


def test_a_source_with_a_burst_now_and_then_is_not_dark_between_them() -> None:
    rng = Random(5)
    monitor = SourceMonitor("wire", since=HOUR)
    hours = [rng.choice([0, 0, 0, 0, 0, 0, 1, 4]) for _ in range(24 * 120)]
    states = [h.state for h in _watch(monitor, hours)]
    assert states.count("dark") / len(states) < 0.02


def test_a_fetch_error_is_dark_at_once_and_a_report_proves_life() -> None:
    monitor = _steady(2)
    (failed,) = _watch(monitor, [0], "HTTP 503")
    assert (failed.state, failed.share) == ("dark", 0.0)
    assert "HTTP 503" in failed.reason
    (answered,) = _watch(monitor, [1], "HTTP 503")
    assert answered.state == "ok"


def test_a_fetch_error_is_dark_even_while_learning() -> None:
    monitor = SourceMonitor("wire", since=HOUR)
    assert [h.state for h in _watch(monitor, [0, 0], "no such host")] == ["dark", "dark"]


def test_while_learning_silence_is_not_held_against_a_source() -> None:
    found = _watch(SourceMonitor("wire", since=HOUR), [5, *[0] * 70])
    assert {h.state for h in found} == {"ok"}
    assert "learning" in found[-1].reason


def test_an_outage_does_not_become_what_is_usual() -> None:
    monitor = _steady(2)
    until_dark = _hours_until_dark(monitor)
    usual = _pace(monitor)
    assert {h.state for h in _watch(monitor, [0] * 24 * 90)} == {"dark"}
    assert _pace(monitor) == usual
    assert usual == pytest.approx(0.5, rel=0.1)
    assert until_dark < 48


def test_a_source_that_is_back_is_soon_as_usual() -> None:
    monitor = _steady(2)
    _watch(monitor, [0] * 24 * 10)
    found = _watch(monitor, [0, 1] * 36)
    assert found[0].state == "dark"
    assert found[-1].state == "ok"
    assert {h.state for h in found[1:]} <= {"thin", "ok"}


def test_a_trickle_is_thin() -> None:
    monitor = _steady(1, count=10)
    found = _watch(monitor, [1 if n % 2 else 0 for n in range(72)])[-1]
    assert found.state == "thin"
    assert found.share == pytest.approx(found.seen / found.expected, abs=1e-3)
    assert found.seen == 36


def test_health_tells_what_was_seen_and_expected_in_three_days() -> None:
    monitor = _steady(2)
    (found,) = _watch(monitor, [0])
    assert found.seen == 36
    assert found.expected == pytest.approx(36, rel=0.05)
    assert found.source == "wire"


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=200))
def test_a_monitor_survives_its_checkpoint_at_any_hour(hours: list[tuple[int, bool]]) -> None:
    kept, restored = (SourceMonitor("wire", since=HOUR) for _ in range(2))
    for count, failed in hours:
        error = "HTTP 500" if failed else None
        restored = msgspec.json.decode(msgspec.json.encode(restored), type=SourceMonitor)
        found = _watch(kept, [count], error)
        assert found == _watch(restored, [count], error)
        assert 0.0 <= found[0].share <= 1.0
        assert (found[0].state == "ok") == (found[0].share == 1.0)


def _sources(**shares: float) -> Sources:
    found = Sources()
    told = [health(name, clock(0, 1), share) for name, share in shares.items()]
    found.know(told, seconds(clock(0, 1)))
    return found


def _unit(**events: int) -> UnitCoverage:
    unit = UnitCoverage()
    for source, count in events.items():
        for _ in range(count):
            unit.take(event(source=source, publisher=source))
    return unit


@pytest.mark.parametrize(
    ("events", "shares", "state"),
    [
        pytest.param({"a": 40}, {"a": 1.0, "b": 1.0}, "ok", id="all as usual is ok"),
        pytest.param(
            {"a": 40, "b": 4},
            {"a": 0.0, "b": 1.0},
            "dark",
            id="without its one source a unit is dark",
        ),
        pytest.param(
            {"a": 40, "b": 4}, {"a": 1.0, "b": 0.0}, "ok", id="without a minor source it is ok"
        ),
        pytest.param(
            {"a": 20, "b": 20},
            {"a": 1.0, "b": 0.0},
            "thin",
            id="without half of its sources it is thin",
        ),
        pytest.param(
            {"a": 40, "b": 4},
            {"a": 0.5, "b": 1.0},
            "thin",
            id="with half of its main source it is thin",
        ),
        pytest.param(
            {"b": 40},
            {"a": 0.0, "b": 1.0},
            "ok",
            id="a source that never reports on it is not missed",
        ),
        pytest.param(
            {}, {"a": 0.0, "b": 0.0}, "dark", id="a unit without events leans on all sources"
        ),
        pytest.param(
            {},
            {"a": 0.0, "b": 1.0},
            "thin",
            id="a unit without events is thin without half of them",
        ),
    ],
)
def test_a_unit_is_covered_by_the_sources_that_report_on_it(
    events: dict[str, int], shares: dict[str, float], state: str
) -> None:
    assert _unit(**events).judge(_sources(**shares), ()).state == state


def _state(share: float) -> str:
    return "ok" if share >= UNIT_OK else "thin" if share >= UNIT_DARK else "dark"


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 60)),
    st.dictionaries(st.sampled_from("abcde"), st.sampled_from([0.0, 0.3, 0.9, 1.0])),
)
def test_a_units_state_follows_its_share(events: dict[str, int], shares: dict[str, float]) -> None:
    judged = _unit(**events).judge(_sources(**shares), ())
    assert 0.0 <= judged.share <= 1.0
    assert judged.state == _state(judged.share)


@given(st.sampled_from("abc"), st.dictionaries(st.sampled_from("abc"), st.integers(1, 30)))
def test_losing_one_more_source_never_makes_a_unit_better_seen(
    lost: str, events: dict[str, int]
) -> None:
    unit = _unit(**events)
    shares = {"a": 1.0, "b": 0.5, "c": 1.0}
    some, fewer = _sources(**shares), _sources(**{**shares, lost: 0.0})
    assert unit.judge(fewer, ()).share <= unit.judge(some, ()).share


def test_what_a_unit_was_once_reported_by_fades() -> None:
    unit = _unit(old=100)
    for _ in range(300):
        unit.take(event(source="new", publisher="new"))
    assert unit.judge(_sources(old=0.0, new=1.0), ()).state == "ok"


@pytest.mark.parametrize(
    ("publisher", "language", "cell"),
    [
        pytest.param("moby", None, "moby|", id="a family has no language of its own"),
        pytest.param("bbc.com", "ps-AF", "bbc|ps", id="a declared language comes first"),
        pytest.param("No Such Paper", "prs", "|fa", id="who is in no table shares a cell"),
        pytest.param(None, "de", "|other", id="other languages are one"),
        pytest.param(None, None, "|", id="nothing is known"),
    ],
)
def test_a_report_belongs_to_a_cell(publisher: str | None, language: str | None, cell: str) -> None:
    assert cell_of("wire", publisher, language) == cell


def test_the_cells_of_a_source_are_bounded_and_what_is_beyond_is_still_counted() -> None:
    monitor = SourceMonitor("wire", since=HOUR)
    counts = {f"family-{n}|en": 1 for n in range(100)}
    for hour in range(100):
        whole, cells = monitor.close_hour(counts, (hour + 1) * HOUR, None)
    assert sum(each.seen for each in cells) == 100
    assert len(cells) == 33
    assert whole.seen == 72 * 100
    assert len(msgspec.json.encode(monitor)) < 40_000


def test_a_publisher_that_is_no_more_is_forgotten_while_its_source_goes_on() -> None:
    monitor = SourceMonitor("wire", since=HOUR)
    for hour in range(24 * 10):
        monitor.close_hour({"bbc|fa": 1, "dawn|en": 1}, (hour + 1) * HOUR, None)
    found = []
    for hour in range(24 * 10, 24 * 10 + RETIRED // HOUR + 1):
        found.append(monitor.close_hour({"bbc|fa": 1}, (hour + 1) * HOUR, None)[0])
    assert found[30].state == "thin"
    assert found[-1].state == "ok"
    assert list(monitor.cells) == ["bbc|fa"]


def test_news_that_sleeps_at_night_is_not_missed_at_night_but_soon_by_day() -> None:
    monitor = SourceMonitor("wire", since=HOUR)
    day = [0] * 9 + [3] * 12 + [0] * 3
    assert {h.state for h in _watch(monitor, day * 40)} == {"ok"}
    assert {h.state for h in _watch(monitor, [0] * 9)} == {"ok"}  # 21 hours would be 31 reports
    found = [h.state for h in _watch(monitor, [0] * 12)]
    assert "dark" in found[:8]


def test_an_outage_is_told_from_a_lull_by_who_is_silent() -> None:
    half = together(silent=[3.0] * 10, heard=[(3.0, 3.0)] * 10)
    assert half.gain > 5.0
    assert half.share == 0.5
    # In a lull to a half, a third of those of which two bursts are usual are silent by chance.
    assert together(silent=[2.0] * 7, heard=[(1.5, 2.0)] * 13).gain < 1.0


def _never(outlet: Outlet, at: int) -> bool:
    return False


def _run(
    world: Coverages,
    rng: Random,
    days: int,
    out: Outage = _never,
    lull: Callable[[int], float] = lambda at: 1.0,
) -> dict[int, tuple[dict[str, Coverage], dict[str, float]]]:
    """Return by the hour each unit's state, and the share that can truly be had."""
    found = {}
    for end, counts in hourly(world.outlets, days, rng, lull=lull):
        world.hour(end, counts, out, rng)
        if end > seconds(START) + 18 * 86_400:
            found[end] = (
                {unit: world.judged(unit, "AFG").state for unit in world.units},
                {unit: world.truth(unit, out, end, "AFG") for unit in world.units},
            )
    return found


def _world(seed: int) -> tuple[Coverages, Random]:
    rng = Random(seed)
    found = outlets(rng)
    return Coverages(found, units(found, rng, 3)), rng


STRUCK: dict[str, Callable[[Outlet], bool]] = {
    "half of all": lambda outlet: int(outlet.source[-2:], 36) % 2 == 0,
    "one language": lambda outlet: outlet.language == "ps",
    "one country": lambda outlet: outlet.country == "AFG",
    "all": lambda outlet: True,
}


@pytest.mark.parametrize("struck", STRUCK)
def test_an_outage_by_day_is_known_within_six_hours_and_its_end_soon(struck: str) -> None:
    world, rng = _world(3)
    start = seconds(clock(20, 5))  # in the morning
    stop = start + 30 * HOUR

    def out(outlet: Outlet, at: int) -> bool:
        return start < at <= stop and STRUCK[struck](outlet)

    found = _run(world, rng, 22, out)
    for at in (*range(start + 6 * HOUR, stop, HOUR), stop + 6 * HOUR):
        states, shares = found[at]
        for unit, state in states.items():
            near = {_state(shares[unit] + off) for off in (-0.08, 0.0, 0.08)}
            assert state in near, (struck, unit, instant(at), shares[unit])
    if struck == "one country":
        states, _ = found[start + 6 * HOUR]
        assert set(states.values()) == {"dark"}
        assert {unit for unit in world.units if world.judged(unit, "AFG").missing} == set()


def test_a_quiet_world_is_no_silence() -> None:
    world, rng = _world(4)
    begin = seconds(clock(19))
    found = _run(world, rng, 24, lull=lambda at: 0.5 if at >= begin else 1.0)
    states = [state for hour in found.values() for state in hour[0].values()]
    assert states.count("ok") / len(states) > 0.99


def test_what_is_missing_is_told_in_words() -> None:
    world, rng = _world(3)
    start = seconds(clock(20, 5))
    _run(world, rng, 21, lambda outlet, at: at > start and outlet.language == "ps")
    assert "Pashto outlets silent since 2024-01-2" in world.sources.missing
    judged = [world.judged(unit) for unit in world.units]
    assert {each.state for each in judged} >= {"thin"}
    for each in judged:
        assert ("sources that tell of it" in each.missing) == (each.state != "ok")


@given(st.randoms(use_true_random=False), st.integers(1, 4))
@settings(deadline=None, max_examples=20)
def test_neither_order_nor_the_number_of_partitions_matters(rng: Random, parts: int) -> None:
    once, shuffled = Sources(), Sources()
    draw = Random(rng.random())
    for hour in range(1, 60):
        told = [
            SourceHealth(
                f"s-{n}", clock(0, hour), "ok", 1.0, 0 if hour > 50 else draw.randrange(3), 1.0,
                publisher="bbc", language=draw.choice(["fa"]),
            )
            for n in range(6)
        ]  # fmt: skip
        once.know(told, seconds(clock(0, hour)))
        rng.shuffle(told)
        by_part = [told[part::parts] for part in range(parts)]
        shuffled.know([each for part in by_part for each in part], seconds(clock(0, hour)))
        shuffled = msgspec.json.decode(msgspec.json.encode(shuffled), type=Sources)
    assert msgspec.json.encode(once) == msgspec.json.encode(shuffled)


def test_the_state_of_a_hundred_cells_is_small() -> None:
    found = Sources()
    for hour in range(1, 80):
        told = [health(f"s-{n:03}", clock(0, hour), expected=1.2345) for n in range(100)]
        found.know(told, seconds(clock(0, hour)))
    assert len(msgspec.json.encode(found)) < 60_000
