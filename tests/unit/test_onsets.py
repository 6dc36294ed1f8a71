"""Onsets of violence in counts by day, made by hand and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.onsets import (
    FINAL_DAYS,
    FORTNIGHT,
    LEAST_WEEKS,
    MOST_WEEKS,
    Onset,
    OnsetState,
    advance,
    onsets,
    start_of_change,
    take,
    threshold_of,
)
from tests.core_records import clock, day, score

UNIT = "AF-KAN"
#: One incident every fourth day for 30 weeks.
STEADY = [1, 0, 0, 0] * 53


def _series(counts: Sequence[int]) -> dict[date, int]:
    return {day(number): count for number, count in enumerate(counts)}


def _found(counts: Sequence[int], dark: Sequence[int] = ()) -> list[Onset]:
    return onsets(UNIT, _series(counts), [day(number) for number in dark])[0]


def test_a_burst_after_steady_days_is_one_onset_on_its_first_day() -> None:
    burst = len(STEADY)
    (found,) = _found([*STEADY, 3, 2, 4, 3, 2, *STEADY[:28]])
    assert found.day == day(burst)
    assert found.usual == pytest.approx(3.5, abs=0.1)
    assert found.count >= found.threshold > 4
    assert found.day <= found.shown < found.day + timedelta(days=5)


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param([*STEADY, *STEADY], id="steady days"),
        pytest.param([*STEADY, *[0] * 60], id="a calm"),
        pytest.param([0] * 200 + [1, 1] + [0] * 20, id="two where nothing ever happens"),
        pytest.param([*STEADY[: 7 * LEAST_WEEKS - 7], 9, 9, 9], id="too little past to tell"),
    ],
)
def test_no_onset_in(counts: list[int]) -> None:
    assert _found(counts) == []


def test_three_are_enough_where_nothing_ever_happens() -> None:
    (found,) = _found([0] * 200 + [1, 1, 1] + [0] * 20)
    assert (found.day, found.count, found.usual, found.threshold) == (day(200), 3, 0.0, 3)


def test_an_onset_is_over_after_a_fortnight_below_the_number() -> None:
    burst = [4, 4, 4, 4]
    soon = [*STEADY, *burst, *[0] * 5, *burst, *[0] * 40]
    late = [*STEADY, *burst, *STEADY[:36], *burst, *[0] * 40]
    assert len(_found(soon)) == 1
    found = _found(late)
    assert [each.day for each in found] == [day(len(STEADY)), day(len(STEADY) + 40)]
    assert found[1].shown - timedelta(days=FORTNIGHT) >= found[0].shown


def test_what_happens_now_is_not_usual_yet() -> None:
    # The rise goes on for three weeks: it does not raise its own threshold before it is called.
    (found, *_) = _found([*STEADY, *[2] * 21])
    assert found.usual == pytest.approx(3.5, abs=0.1)
    assert found.day == day(len(STEADY))


def test_the_dark_can_show_an_onset_but_not_the_absence_of_one() -> None:
    burst = len(STEADY)
    counts = [*STEADY, 3, 3, 3, 3, 3, *[0] * 30]
    dark = range(burst, burst + 5)
    assert _found(counts, dark) == _found(counts)
    _, seen = onsets(UNIT, _series(counts))
    _, unseen = onsets(UNIT, _series(counts), [day(number) for number in range(burst + 20, 300)])
    assert unseen.judged < seen.judged


def test_dark_weeks_teach_nothing() -> None:
    quiet = [*STEADY[:140], *[0] * 70]
    _, seen = onsets(UNIT, _series(quiet))
    _, unseen = onsets(UNIT, _series(quiet), [day(number) for number in range(140, 210)])
    assert sum(unseen.weeks) / len(unseen.weeks) > sum(seen.weeks) / len(seen.weeks)


def test_a_gap_begins_the_fortnight_anew() -> None:
    counts = _series([*STEADY, 2, 2])
    later = {day(len(STEADY) + 30 + n): 1 for n in range(3)}
    assert onsets(UNIT, counts | later)[0] == onsets(UNIT, counts)[0]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=100, max_size=300), st.integers(1, 20))
def test_a_stream_of_scores_finds_what_the_table_does(counts: list[int], step: int) -> None:
    """Scores come every `step` days, with the last 28 days each; the state goes through JSON."""
    state, found = OnsetState(), []
    for end in range(28, len(counts), step):
        known = score(clock(end), daily=tuple(counts[end - 27 : end + 1]), series_end=day(end))
        found += list(take(state, known))
        state = msgspec.json.decode(msgspec.json.encode(state), type=OnsetState)
    last = range(28, len(counts), step)[-1]
    # What lies before the first score was not watched.
    final = {day(n): counts[n] for n in range(28, last - FINAL_DAYS + 1)}
    expected, whole = onsets(UNIT, final)
    assert found == expected
    assert state == (whole if final else OnsetState(next_day=day(28)))


def test_a_score_again_changes_nothing() -> None:
    state = OnsetState()
    list(take(state, score(clock(8), daily=(1,) * 28, series_end=day(8))))
    known = score(clock(28), daily=(1,) * 28, series_end=day(28))
    assert list(take(state, known)) == []
    assert len(state.recent) == FORTNIGHT
    before = msgspec.json.encode(state)
    assert list(take(state, known)) == []
    assert msgspec.json.encode(state) == before
    assert advance(state, UNIT, day(1), 99, seen=True) is None


def test_the_state_is_bounded() -> None:
    state = OnsetState()
    for number in range(7 * MOST_WEEKS * 3):
        advance(state, UNIT, day(number), number % 3, seen=True)
    assert len(state.weeks) == len(state.starts) == MOST_WEEKS
    assert len(msgspec.json.encode(state)) < 2_000


def test_the_number_is_reached_by_a_tenth_of_fortnights_at_most() -> None:
    generator = np.random.default_rng(2)
    weeks = (generator.poisson(3, 80) * generator.choice([1, 1, 4], 80)).tolist()
    state = OnsetState(weeks=weeks, starts=[7 * n for n in range(80)])
    fortnights = [a + b for a, b in pairwise(weeks)]
    number = threshold_of(state)
    assert sum(each >= number for each in fortnights) <= 0.1 * len(fortnights)
    assert number > 2 * np.mean(weeks)


def test_steady_violence_shows_about_one_in_two_years() -> None:
    generator = np.random.default_rng(3)
    found = judged = 0
    for rate in (0.05, 0.3, 1.0, 3.0) * 8:
        known, state = onsets(UNIT, _series(generator.poisson(rate, 3 * 365).tolist()))
        found += len(known)
        judged += state.judged
    assert 0.1 < found / (judged / 365.25) < 1.0


@pytest.mark.parametrize(
    ("counts", "rate", "direction", "start"),
    [
        ([0, 0, 0, 1, 2, 2], 0.1, "rise", 3),
        ([3, 2, 4, 3, 0, 0, 0], 3.0, "fall", 4),
        ([1, 1, 1], 1.0, "rise", 2),
        ([0, 0, 5], 0.0, "rise", 2),
    ],
)
def test_the_start_of_a_change(counts: list[int], rate: float, direction: str, start: int) -> None:
    assert start_of_change(counts, rate, direction) == start  # type: ignore[arg-type]
