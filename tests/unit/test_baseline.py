"""What is normal: the level, its prior, its dispersion, what teaches it less."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.baseline import HALF_LIFE_DAYS, SUSPECT_WEIGHT, Baseline
from tests.signal_records import poisson


def _learned(
    counts: Iterable[int], factor: float = 1.0, prior: float | None = None, suspect: bool = False
) -> Baseline:
    baseline = Baseline()
    for count in counts:
        baseline.learn(count, factor, suspect=suspect, prior=prior)
    return baseline


@pytest.mark.parametrize("rate", [0, 1, 5, 40])
def test_a_steady_rate_is_learned(rate: int) -> None:
    baseline = _learned([rate] * 400)
    assert baseline.rate(None) == pytest.approx(rate, rel=0.08, abs=0.02)


def test_it_forgets_by_half_in_a_half_life() -> None:
    baseline = _learned([4] * 600)
    before = baseline.total
    for _ in range(HALF_LIFE_DAYS):
        baseline.learn(0, 1.0, suspect=False, prior=None)
    assert baseline.total == pytest.approx(before / 2, rel=1e-9)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.8])
def test_factors_are_taken_out_of_the_level(factor: float) -> None:
    """Ten on a day that has half as many as others is a level of twenty, but for the prior."""
    level = _learned([10] * 400, factor).rate(10 / factor)
    assert level == pytest.approx(10 / factor, rel=0.05)


@pytest.mark.parametrize(
    ("prior", "expected"),
    [
        pytest.param(None, 0.3, id="nothing known of the country"),
        pytest.param(0.3, 0.3, id="a usual province"),
        pytest.param(0.1, 0.1, id="a quiet country"),
        pytest.param(1e-6, 0.07, id="a prior is worth ten days at most"),
        pytest.param(20.0, 0.7, id="a prior is worth a day at least"),
    ],
)
def test_where_nothing_is_known_the_prior_speaks(prior: float | None, expected: float) -> None:
    assert Baseline().rate(prior) == pytest.approx(expected)


@given(st.lists(st.integers(0, 30), max_size=60), st.floats(0.01, 5), st.floats(0.01, 5))
def test_a_higher_prior_never_lowers_the_level(counts: list[int], one: float, other: float) -> None:
    baseline = _learned(counts)
    low, high = sorted((one, other))
    assert 0.0 < baseline.rate(low) <= baseline.rate(high)


def test_a_prior_gives_way_to_what_is_seen() -> None:
    baseline = _learned([6] * 120)
    assert baseline.rate(0.02) == pytest.approx(baseline.rate(2.0), rel=0.6)
    assert baseline.rate(0.02) > 2.5
    assert baseline.rate(2.0) == pytest.approx(6.0, rel=0.05)


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0.2, 3), st.booleans()), max_size=120))
def test_a_level_is_positive_and_its_size_bounded(days: list[tuple[int, float, bool]]) -> None:
    baseline = Baseline()
    for count, factor, suspect in days:
        baseline.learn(count, factor, suspect=suspect, prior=None)
    level = baseline.level(None)
    assert level.rate > 0.0
    assert 1 / (2.0 + 1 / 0.7) - 1e-9 <= level.size <= 1 / 0.02


def test_days_near_an_alarm_weigh_less() -> None:
    plain, suspected = _learned([2] * 200), _learned([2] * 200)
    for _ in range(7):
        plain.learn(20, 1.0, suspect=False, prior=None)
        suspected.learn(20, 1.0, suspect=True, prior=None)
    lifted, held = plain.rate(None) - 2.0, suspected.rate(None) - 2.0
    assert 0 < held < 0.45 * lifted
    once = Baseline()
    once.learn(4, 1.0, suspect=True, prior=None)
    assert (once.total, once.days) == (4 * SUSPECT_WEIGHT, SUSPECT_WEIGHT)


def test_days_near_an_alarm_say_nothing_of_the_dispersion() -> None:
    baseline = _learned([3] * 100)
    before = baseline.weeks, baseline.excess
    for _ in range(14):
        baseline.learn(60, 1.0, suspect=True, prior=None)
    assert (baseline.weeks, baseline.excess) == before


def _bursty(weeks: int, seed: int) -> list[int]:
    """Return days whose weeks are quiet or wild, 4 a day on average."""
    rng = Random(seed)
    return [
        count
        for _ in range(weeks)
        for count in poisson(rng.choice([1.0, 7.0]), 7, rng.randrange(10**6))
    ]


def test_weeks_that_vary_more_than_chance_make_the_size_small() -> None:
    chance = [_learned(poisson(4.0, 400, seed)).level(None).size for seed in range(8)]
    bursty = [_learned(_bursty(57, seed)).level(None).size for seed in range(8)]
    assert max(bursty) < min(chance)
    assert sum(chance) / 8 > 12  # a Poisson series is known to be one
    assert sum(bursty) / 8 < 5  # (7 - 4)² / 4² is a dispersion of 0.56


def test_few_incidents_leave_the_rate_unsure() -> None:
    """With a single incident in months, weeks say nothing and the size is that of the rate."""
    level = _learned([1] + [0] * 60).level(None)
    assert level.size < 1.5
