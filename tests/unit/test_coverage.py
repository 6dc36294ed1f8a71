"""Silence told from calm: sources by their own history, units by their sources."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.coverage import UNIT_DARK, UNIT_OK, SourceMonitor, UnitCoverage
from detectors.records import SourceHealth
from tests.core_records import clock, health

HOUR = 3_600


def _watch(
    monitor: SourceMonitor, counts: list[int], error: str | None = None
) -> list[SourceHealth]:
    start = monitor.watched
    return [
        monitor.close_hour(count, monitor.since + (start + n) * HOUR, error)
        for n, count in enumerate(counts)
    ]


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
    usual = monitor.reports / monitor.hours
    assert {h.state for h in _watch(monitor, [0] * 24 * 90)} == {"dark"}
    assert monitor.reports / monitor.hours == usual
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


def _sources(**shares: float) -> dict[str, SourceHealth]:
    return {name: health(name, clock(1), share) for name, share in shares.items()}


def _unit(**events: int) -> UnitCoverage:
    unit = UnitCoverage()
    for source, count in events.items():
        for _ in range(count):
            unit.take(source)
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
    assert _unit(**events).judge(_sources(**shares))[0] == state


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 60)),
    st.dictionaries(st.sampled_from("abcde"), st.sampled_from([0.0, 0.3, 0.9, 1.0])),
)
def test_a_units_state_follows_its_share(events: dict[str, int], shares: dict[str, float]) -> None:
    state, share = _unit(**events).judge(_sources(**shares))
    assert 0.0 <= share <= 1.0
    expected = "ok" if share >= UNIT_OK else "thin" if share >= UNIT_DARK else "dark"
    assert state == expected or abs(share - UNIT_OK) < 1e-4 or abs(share - UNIT_DARK) < 1e-4


@given(st.sampled_from("abc"), st.dictionaries(st.sampled_from("abc"), st.integers(1, 30)))
def test_losing_one_more_source_never_makes_a_unit_better_seen(
    lost: str, events: dict[str, int]
) -> None:
    unit = _unit(**events)
    some = _sources(a=1.0, b=0.5, c=1.0)
    fewer = {**some, lost: health(lost, clock(1), 0.0)}
    assert unit.judge(fewer)[1] <= unit.judge(some)[1]


def test_what_a_unit_was_once_reported_by_fades() -> None:
    unit = _unit(old=100)
    for _ in range(300):
        unit.take("new")
    assert unit.judge(_sources(old=0.0, new=1.0))[0] == "ok"
