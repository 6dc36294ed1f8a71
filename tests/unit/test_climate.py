"""A country's usual pace: what is learned of it, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.climate import Climate, Volumes, occasions_of
from detectors.records import Tick, Volume
from detectors.timegrid import DAY, day_number, day_of, seconds
from tests.core_records import clock

FIRST = day_number(date(2021, 1, 1))
_EAST = 16_200  # seconds: Kabul


def _live(
    climate: Climate,
    days: range,
    mean: Callable[[int], float],
    covered: Callable[[int], bool] = lambda day: True,
    seed: int = 1,
) -> None:
    """Let days pass, each in two halves, with normally distributed counts of Poisson variance."""
    rng = Random(seed)
    for day in days:
        usual = mean(day)
        count = max(0, round(rng.gauss(usual, usual**0.5)))
        for half in (1, 2):
            end = day * DAY - _EAST + half * DAY // 2
            part = count // 2 if half == 1 else count - count // 2
            climate.take("AFG", end, part, covered=covered(day))


def _ramadan(day: int) -> bool:
    return occasions_of(day)[0] == 1.0


def test_a_level_and_weekdays_are_recovered() -> None:
    climate = Climate()
    _live(climate, range(FIRST, FIRST + 500), lambda d: 40 * (0.5 if _friday(d) else 1.1))
    assert climate.daily_mean == pytest.approx(40.6, rel=0.1)
    usual = {day_of(d).weekday(): climate.factor(d) for d in range(FIRST + 500, FIRST + 507)}
    level = climate.daily_mean
    assert level is not None
    assert level * usual[4] == pytest.approx(20, rel=0.12)
    assert level * usual[0] == pytest.approx(44, rel=0.12)
    assert climate.dispersion == pytest.approx(1.0, abs=0.4)


def _friday(day: int) -> bool:
    return day_of(day).weekday() == 4


def test_ramadan_is_quiet_when_it_was_so() -> None:
    climate = Climate()
    last = day_number(date(2024, 3, 1))
    _live(climate, range(FIRST, last), lambda d: 30 * (0.6 if _ramadan(d) else 1.0))
    within, before = day_number(date(2024, 3, 20)), day_number(date(2024, 3, 6))
    assert climate.factor(within) / climate.factor(before) < 0.85  # the level follows the rest
    assert climate.factor(within) > 0.5


def test_months_are_learned_as_far_as_the_level_does_not_follow_them() -> None:
    climate = Climate()
    _live(climate, range(FIRST, FIRST + 1_460), lambda d: 60 if day_of(d).month in (5, 6) else 30)
    may, january = day_number(date(2025, 5, 15)), day_number(date(2025, 1, 15))
    assert climate.factor(may) / climate.factor(january) > 1.25


def test_nothing_is_learned_from_days_in_the_dark() -> None:
    climate, dark = Climate(), Climate()
    lit = range(FIRST, FIRST + 100)
    _live(climate, lit, lambda d: 30)
    _live(dark, lit, lambda d: 30)
    _live(dark, range(FIRST + 100, FIRST + 130), lambda d: 0, covered=lambda d: d == FIRST + 129)
    # The day that was open when it went dark, and the first after it.
    assert dark.learned - climate.learned == 1
    assert dark.daily_mean == pytest.approx(climate.daily_mean, rel=0.02)


def test_one_dark_step_spoils_its_day() -> None:
    climate = Climate()
    for half in range(1, 41):
        end = FIRST * DAY - _EAST + half * DAY // 2
        climate.take("AFG", end, 0 if half == 20 else 10, covered=half != 20)
    # 20 days, but the first, which may have begun before; the dark one; the last, not over.
    assert climate.learned == 17
    assert climate.daily_mean == pytest.approx(20)


def test_there_is_no_mean_before_a_week_is_known_and_no_factor() -> None:
    climate = Climate()
    _live(climate, range(FIRST, FIRST + 6), lambda d: 30)
    assert climate.daily_mean is None
    assert {climate.factor(d) for d in range(FIRST, FIRST + 400)} == {1.0}


def test_a_step_that_comes_again_changes_nothing() -> None:
    climate = Climate()
    _live(climate, range(FIRST, FIRST + 60), lambda d: 30)
    before = msgspec.json.encode(climate)
    climate.take("AFG", climate.at, 1_000)
    assert msgspec.json.encode(climate) == before


def test_a_state_is_small_and_survives_its_checkpoint() -> None:
    climate = Climate()
    _live(climate, range(FIRST, FIRST + 800), lambda d: 30.5)
    raw = msgspec.json.encode(climate)
    assert len(raw) < 2_048
    assert msgspec.json.decode(raw, type=Climate) == climate


@pytest.mark.parametrize(
    ("on", "occasion"),
    [
        pytest.param(date(2020, 5, 1), "ramadan", id="Ramadan 1441"),
        pytest.param(date(2020, 5, 25), "eid al-fitr", id="Eid al-Fitr 1441"),
        pytest.param(date(2020, 8, 1), "eid al-adha", id="Eid al-Adha 1441"),
        pytest.param(date(2020, 8, 25), "muharram", id="Muharram 1442"),
    ],
)
def test_a_day_is_part_of_its_occasion(on: date, occasion: str) -> None:
    names = ("ramadan", "eid al-fitr", "eid al-adha", "muharram")
    found = dict(zip(names, occasions_of(day_number(on)), strict=True))
    assert found.pop(occasion) == 1.0
    assert set(found.values()) == {0.0}


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 3), st.integers(0, 9)),
        unique_by=lambda v: (v[0], v[1]),
    ),
    st.randoms(use_true_random=False),
)
def test_partitions_add_up_in_any_order_and_once(
    drawn: list[tuple[int, int, int]], rng: Random
) -> None:
    ticks = [
        Tick(part, 6, clock(0, hour), (), (Volume("AFG", clock(0, hour), count),))
        for part, hour, count in drawn
    ]
    shuffled = [*ticks, *ticks]
    rng.shuffle(shuffled)
    volumes = Volumes()
    for each in shuffled:
        volumes.note(each, 0)
    for hour in (1, 2, 3):
        told = [count for _, at, count in drawn if at == hour]
        expected = {"AFG": sum(told)} if told else {}
        assert volumes.close(seconds(clock(0, hour))) == expected
    assert volumes.due == {}
