"""Stream time: exact, on a grid, and in the civil time of the place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.timegrid import (
    Grid,
    day_number,
    day_of,
    instant,
    local_half_days,
    seconds,
)

times = st.integers(min_value=0, max_value=4_102_444_800)  # 1970 to 2100
steps = st.sampled_from([Grid(), Grid(1, 1), Grid(1, 60), Grid(60, 21_600), Grid(3_600, 43_200)])


@given(steps, times)
def test_a_step_holds_its_start_and_not_its_end(grid: Grid, at: int) -> None:
    end = grid.boundary_after(at)
    assert end - grid.fine <= at < end
    assert grid.floor(at) == end - grid.fine
    assert grid.floor(end) == end


@given(steps, times)
def test_a_boundary_opens_the_next_step(grid: Grid, at: int) -> None:
    boundary = grid.floor(at)
    assert grid.boundary_after(boundary) == boundary + grid.fine


@pytest.mark.parametrize(
    ("fine", "coarse"),
    [
        pytest.param(0, 3_600, id="a step must be positive"),
        pytest.param(-60, 3_600, id="a step must not be negative"),
        pytest.param(60, 90, id="coarse must be a multiple of fine"),
        pytest.param(60, 25_200, id="a half day must be a multiple of coarse"),
    ],
)
def test_a_grid_that_does_not_nest_is_refused(fine: int, coarse: int) -> None:
    with pytest.raises(ValueError, match="steps must nest"):
        Grid(fine, coarse)


@given(times)
def test_seconds_and_instants_are_inverse(at: int) -> None:
    assert seconds(instant(at)) == at
    assert instant(at).tzinfo is UTC


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), 0, id="the epoch is zero"),
        pytest.param(datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC), 1, id="fractions are cut"),
        pytest.param(
            datetime(1970, 1, 1, 4, 30, tzinfo=timezone(timedelta(hours=4, minutes=30))),
            0,
            id="another zone is the same moment",
        ),
        pytest.param(
            datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC), -1, id="rounded down, not to 0"
        ),
    ],
)
def test_seconds_of_a_datetime(at: datetime, expected: int) -> None:
    assert seconds(at) == expected


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2100, 1, 1)))
def test_days_and_their_numbers_are_inverse(day: date) -> None:
    assert day_of(day_number(day)) == day


@pytest.mark.parametrize(
    ("country", "first", "second"),
    [
        pytest.param("AFG", (19, 30), (7, 30), id="Afghanistan is four and a half hours ahead"),
        pytest.param("PAK", (19, 0), (7, 0), id="Pakistan is five hours ahead"),
        pytest.param("XXX", (0, 0), (12, 0), id="an unknown country keeps UTC"),
    ],
)
def test_half_days_turn_at_local_midnight_and_noon(
    country: str, first: tuple[int, int], second: tuple[int, int]
) -> None:
    for hour, minute in (first, second):
        turn = seconds(datetime(2024, 6, 1, hour, minute, tzinfo=UTC))
        assert local_half_days(turn, country) == local_half_days(turn - 1, country) + 1
    midnight = seconds(datetime(2024, 6, 1, *first, tzinfo=UTC))
    assert local_half_days(midnight, country) % 2 == 0
    assert local_half_days(midnight, country) // 2 == day_number(
        date(2024, 6, 2) if country != "XXX" else date(2024, 6, 1)
    )
