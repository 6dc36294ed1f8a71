"""The scan: the strongest stretch of days that ends today."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom

from detectors.scan import FALL, RISE, Found, scan


def _ratio(count: int, mean: float, size: float, ratio: float) -> float:
    """Return the log likelihood ratio of a negative binomial count, by its definition."""
    usual, other = (nbinom.logpmf(count, size, size / (size + m)) for m in (mean, mean * ratio))
    return float(other - usual)


def _brute(
    counts: Sequence[int], expected: Sequence[float], size: float, ratio: float, shortest: int
) -> float:
    """Return the largest sum over the stretches that end today, each summed anew; at least 0."""
    days = [_ratio(c, m, size, ratio) for c, m in zip(counts, expected, strict=True)]
    return max([0.0, *(sum(days[:length]) for length in range(shortest, len(days) + 1))])


days = st.lists(st.tuples(st.integers(0, 40), st.floats(0.01, 30)), max_size=14)
sizes = st.floats(0.3, 200)
ratios = st.sampled_from([RISE, FALL])


@given(days, sizes, ratios, st.integers(1, 4))
def test_it_finds_what_trying_every_stretch_finds(
    drawn: list[tuple[int, float]], size: float, ratio: float, shortest: int
) -> None:
    counts, expected = [c for c, _ in drawn], [m for _, m in drawn]
    found = scan(counts, expected, size, ratio, shortest)
    brute = _brute(counts, expected, size, ratio, shortest)
    assert found.strength == pytest.approx(brute, rel=1e-6, abs=1e-6)
    assert found.strength >= 0.0
    assert found.observed == sum(counts[: found.days])
    assert found.expected == pytest.approx(sum(expected[: found.days]))
    if found.strength:
        assert shortest <= found.days <= len(counts)
        stretch = zip(counts[: found.days], expected[: found.days], strict=True)
        told = sum(_ratio(c, m, size, ratio) for c, m in stretch)
        assert told == pytest.approx(found.strength, rel=1e-6, abs=1e-6)


@given(days, sizes, st.integers(0, 13))
def test_one_more_incident_never_weakens_a_rise_nor_strengthens_a_fall(
    drawn: list[tuple[int, float]], size: float, where: int
) -> None:
    counts, expected = [c for c, _ in drawn], [m for _, m in drawn]
    more = [c + (n == where) for n, c in enumerate(counts)]
    assert (
        scan(more, expected, size, RISE).strength
        >= scan(counts, expected, size, RISE).strength - 1e-9
    )
    assert (
        scan(more, expected, size, FALL).strength
        <= scan(counts, expected, size, FALL).strength + 1e-9
    )


@pytest.mark.parametrize(
    ("counts", "ratio", "shortest", "days"),
    [
        pytest.param([9, 0, 0, 0], RISE, 1, 1, id="one bad day"),
        pytest.param([5, 6, 5, 0, 0], RISE, 1, 3, id="three bad days"),
        pytest.param([0, 7, 8, 2, 2], RISE, 1, 3, id="a quiet day does not end a surge"),
        pytest.param([0, 0, 0, 0, 2], FALL, 1, 4, id="four days of nothing"),
        pytest.param([0, 0, 9, 9, 9], FALL, 3, 3, id="two quiet days are no lull"),
    ],
)
def test_it_says_since_when(counts: list[int], ratio: float, shortest: int, days: int) -> None:
    found = scan(counts, [2.0] * len(counts), 50.0, ratio, shortest)
    assert found.days == days
    assert (found.strength > 0) is (counts != [0, 0, 9, 9, 9])


@pytest.mark.parametrize("ratio", [RISE, FALL])
def test_what_is_usual_says_nothing(ratio: float) -> None:
    assert scan([2] * 14, [2.0] * 14, 20.0, ratio).strength == 0.0


def test_no_days_say_nothing() -> None:
    assert scan([], [], 5.0, RISE) == Found(0.0, 1, 0, 0)


def test_a_late_report_counts_on_the_day_to_which_it_belongs() -> None:
    """The scan remembers nothing: what came late gives what would have been found in time."""
    before, after = [6, 1, 1, 1, 1], [6, 7, 1, 1, 1]
    usual = [1.0] * 5
    assert scan(before, usual, 20.0, RISE).days == 1
    late = scan(after, usual, 20.0, RISE)
    assert (late.days, late.observed) == (2, 13)
    assert late.strength == pytest.approx(sum(_ratio(c, 1.0, 20.0, RISE) for c in (6, 7)), rel=1e-9)


def test_bursts_make_the_same_count_less_telling() -> None:
    strengths = [scan([9], [3.0], size, RISE).strength for size in (1.0, 5.0, 25.0, 1e6)]
    assert strengths == sorted(strengths)
    assert strengths[-1] == pytest.approx(9 * log(2) - 3.0, abs=1e-3)  # Poisson
