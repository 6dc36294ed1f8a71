"""A series: counts on their days, what is not seen, what is known by now, what has been learned."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.baseline import GUARD_DAYS, LEARNING_DAYS
from detectors.incidents import MEMORY_DAYS
from detectors.records import Coverage
from detectors.series import DELAY_DAYS, SERIES_DAYS, Look, Series, usual_delays
from detectors.timegrid import DAY, day_of

TODAY = 20_000
EVEN = (1.0,) * SERIES_DAYS


def _even(_day: int) -> float:
    return 1.0


def _lose(series: Series, today: int, share: float) -> None:
    """Lose coverage for the first half of a day."""
    series.follow("dark" if share < 0.3 else "thin", share, today * DAY, today)
    series.follow("ok", 1.0, today * DAY + DAY // 2, today)


def _look(series: Series, today: int = TODAY, half: int = 1) -> Look:
    return series.look(2 * today + half, EVEN, None)


def _lived(days: int, count: int = 2, until: int = TODAY) -> Series:
    """Return a series of `count` a day that was begun `days` before `until` and lived each day."""
    series = Series()
    for today in range(until - days, until + 1):
        series.start(today)
        series.add(today, count, today)
        series.fold(today, _even, None)
    return series


def test_a_late_report_counts_on_the_day_to_which_it_belongs() -> None:
    series = Series()
    series.start(TODAY)
    series.add(TODAY - 3, 2, TODAY)
    series.add(TODAY, 1, TODAY)
    assert _look(series).counts[:5] == [1, 0, 0, 2, 0]
    assert _look(series).daily[-4:] == (2, 0, 0, 1)


def test_what_is_taken_back_is_never_less_than_nothing() -> None:
    series = Series()
    series.add(TODAY, 2, TODAY)
    told = dict(series.told)
    series.add(TODAY, -3, TODAY)
    assert _look(series).counts[0] == 0
    assert series.told == told  # what is taken back says nothing of the delay


def test_a_series_begins_once() -> None:
    series = Series()
    series.start(TODAY)
    series.start(TODAY + 9)
    assert (series.first_day, _look(series, TODAY + 9).age) == (TODAY, 9)


def test_it_learns_until_enough_days_have_left_the_guard_gap() -> None:
    states = [_lived(days).learning for days in range(GUARD_DAYS + LEARNING_DAYS + 2)]
    assert states == [True] * (GUARD_DAYS + LEARNING_DAYS) + [False] * 2


def test_the_last_week_is_not_part_of_what_is_usual() -> None:
    series = _lived(60)
    before = _look(series).level.rate
    for today in range(TODAY + 1, TODAY + 1 + GUARD_DAYS):
        series.add(today, 50, today)
        series.fold(today, _even, None)
        assert _look(series, today).level.rate == pytest.approx(before, rel=0.02)
    series.fold(TODAY + 2 + GUARD_DAYS, _even, None)
    assert _look(series, TODAY + 2 + GUARD_DAYS).level.rate > 1.5 * before


def test_a_pause_is_made_up_for_day_by_day() -> None:
    """A unit that nobody asked about for a while has learned as if it had been asked each day."""
    asked, paused = _lived(40), _lived(40)
    for today in range(TODAY + 1, TODAY + 20):
        asked.fold(today, _even, None)
    paused.fold(TODAY + 19, _even, None)
    assert paused.baseline == asked.baseline


def test_days_that_were_not_seen_teach_nothing() -> None:
    seen, hidden = _lived(60), _lived(60)
    for today in range(TODAY + 1, TODAY + 40):
        seen.fold(today, _even, None)
        _lose(hidden, today, 0.1)
        hidden.fold(today, _even, None)
    assert hidden.baseline.rate(None) == pytest.approx(2.0, rel=0.06)
    assert seen.baseline.rate(None) < 1.4


def test_of_a_day_the_lowest_share_counts() -> None:
    series = _lived(40)
    for share in (0.6, 0.2, 0.9):
        _lose(series, TODAY, share)
    look = _look(series)
    assert look.usual[0] == pytest.approx(0.2 * look.level.rate)
    assert look.usual[1] == pytest.approx(look.level.rate)
    assert look.dark_days == (day_of(TODAY),)


@pytest.mark.parametrize(
    ("hours", "dark"),
    [
        pytest.param(5, [], id="some hours are reported later"),
        pytest.param(6, [0], id="a quarter of a day counts"),
        pytest.param(60, [0, 1, 2], id="all days of a long spell"),
    ],
)
def test_a_spell_counts_once_it_has_lasted(hours: int, dark: list[int]) -> None:
    series = _lived(40)
    for hour in range(hours + 1):
        coverage: Coverage = "dark" if hour < hours else "ok"
        series.follow(coverage, 0.1, TODAY * DAY + hour * 3_600, TODAY + hour // 24)
    assert sorted(series.shares) == [TODAY + ago for ago in dark]
    assert series.lost is None


def test_only_days_that_the_series_shows_are_told_as_dark() -> None:
    series = _lived(40)
    for ago in (0, SERIES_DAYS - 1, SERIES_DAYS):
        _lose(series, TODAY - ago, 0.3)
    assert _look(series).dark_days == (day_of(TODAY - SERIES_DAYS + 1), day_of(TODAY))


def test_an_alarm_is_noted_once_a_day() -> None:
    series = Series()
    for today in (TODAY, TODAY, TODAY + 1):
        series.suspect(today)
    assert series.suspects == [TODAY, TODAY + 1]


def test_factors_belong_to_their_days() -> None:
    series = _lived(60)
    factors = tuple(2.0 if age == 3 else 1.0 for age in range(SERIES_DAYS))
    look = series.look(2 * TODAY + 1, factors, None)
    assert look.usual[3] == pytest.approx(2 * look.usual[2])


def test_what_is_known_grows_with_the_days() -> None:
    shares = Series().known_shares(0)
    assert len(shares) == DELAY_DAYS
    assert shares == sorted(shares)
    assert 0.0 < shares[0] < shares[-1] <= 1.0
    later = Series().known_shares(1)
    assert all(after > before for before, after in zip(shares, later, strict=True))
    assert shares[3] == pytest.approx(0.90, abs=0.03)  # the prior: 90 % within two days


@pytest.mark.parametrize("delay", [0, 1, 5, 40])
def test_the_reporting_delay_is_learned(delay: int) -> None:
    series = Series()
    for today in range(TODAY, TODAY + 1_000):
        series.add(today - delay, 1, today)
    at = min(delay, DELAY_DAYS - 1)
    assert series.delays[at] / sum(series.delays) > 0.95
    known = series.known_shares(1)
    assert known[at] > 0.7
    assert at == 0 or known[at - 1] < 0.1


def test_what_is_dated_ahead_has_no_delay_below_zero() -> None:
    series = Series()
    series.add(TODAY + 2, 1, TODAY)
    assert not series.delays  # delays are learned when the day is over
    series.add(TODAY + 2, 1, TODAY + 1)
    assert sum(series.delays) == pytest.approx(sum(usual_delays()) * 0.995 + 1)
    assert series.delays[0] == max(series.delays[0], usual_delays()[0])


def test_an_empty_series_says_nothing_but_its_prior() -> None:
    look = _look(Series())
    assert (sum(look.counts), look.age, look.dark_days) == (0, 0, ())
    assert look.level.rate == pytest.approx(0.3)
    assert Series().look(2 * TODAY, EVEN, 0.1).level.rate == pytest.approx(0.1)


days = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.integers(0, 20),
        st.sampled_from([1.0, 1.0, 1.0, 0.4, 0.0]),
        st.booleans(),
    ),
    min_size=1,
    max_size=90,
)


@given(days)
def test_a_look_is_in_order_and_memory_is_bounded(
    drawn: list[tuple[int, int, float, bool]],
) -> None:
    series = Series()
    for today, (count, delay, share, suspect) in enumerate(drawn, TODAY):
        series.start(today)
        series.add(today - delay, count, today)
        if share < 1.0:
            _lose(series, today, share)
        if suspect:
            series.suspect(today)
        series.fold(today, _even, None)
        look = _look(series, today)
        assert len(look.daily) == SERIES_DAYS
        for now, ahead, usual in zip(look.now, look.ahead, look.usual, strict=True):
            assert 0.0 <= now <= ahead + 1e-12 <= usual + 1e-9
    oldest = TODAY + len(drawn) - 1 - MEMORY_DAYS - 7
    for kept in (series.counts, series.shares, series.suspects):
        assert min(kept, default=oldest) >= oldest
    assert len(msgspec.json.encode(series)) < 3_000
    assert msgspec.json.decode(msgspec.json.encode(series), type=Series) == series
