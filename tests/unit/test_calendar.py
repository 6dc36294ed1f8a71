"""The calendars of the region."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.world.calendar import (
    from_islamic,
    from_solar,
    is_solar_leap,
    islamic_year,
    solar_year,
)


@pytest.mark.parametrize(
    ("solar", "gregorian"),
    [
        ((1398, 12, 10), date(2020, 2, 29)),
        ((1399, 1, 1), date(2020, 3, 20)),
        ((1399, 12, 30), date(2021, 3, 20)),
        ((1400, 5, 24), date(2021, 8, 15)),
        ((1404, 1, 1), date(2025, 3, 21)),
    ],
)
def test_known_days_of_the_solar_calendar(solar: tuple[int, int, int], gregorian: date) -> None:
    assert from_solar(*solar) == gregorian


@pytest.mark.parametrize(
    "nonsense", [(1402, 12, 30), (1402, 7, 31), (1402, 13, 1), (1402, 1, 0), (900, 1, 1)]
)
def test_there_is_no_such_day(nonsense: tuple[int, int, int]) -> None:
    assert from_solar(*nonsense) is None


def test_the_month_of_fasting_began_on_known_days_give_or_take_one() -> None:
    begins = {1441: date(2020, 4, 24), 1444: date(2023, 3, 23), 1446: date(2025, 3, 1)}
    for year, day in begins.items():
        found = from_islamic(year, 9, 1)
        assert found is not None
        assert abs(found - day) <= timedelta(days=1)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_every_day_lies_in_its_year(day: date) -> None:
    solar, islamic = solar_year(day), islamic_year(day)
    first, following = from_solar(solar, 1, 1), from_solar(solar + 1, 1, 1)
    assert first is not None
    assert following is not None
    assert first <= day < following
    assert (following - first).days == 365 + is_solar_leap(solar)
    first, following = from_islamic(islamic, 1, 1), from_islamic(islamic + 1, 1, 1)
    assert first is not None
    assert following is not None
    assert first <= day < following
