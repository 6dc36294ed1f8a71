"""Tails and quantiles, against SciPy's own and by their definitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from detectors.distributions import lower_quantile, lower_tail, upper_quantile, upper_tail

means = st.floats(min_value=1e-3, max_value=2_000.0)
sizes = st.floats(min_value=0.05, max_value=1e4)
counts = st.integers(min_value=0, max_value=4_000)
shares = st.floats(min_value=1e-4, max_value=0.9)


@given(counts, means, sizes)
def test_tails_are_those_of_scipy(count: int, mean: float, size: float) -> None:
    share = size / (size + mean)
    assert upper_tail(count, mean, size) == pytest.approx(
        nbinom.sf(count - 1, size, share), rel=1e-6, abs=1e-12
    )
    assert lower_tail(count, mean, size) == pytest.approx(
        nbinom.cdf(count, size, share), rel=1e-6, abs=1e-10
    )


@pytest.mark.parametrize("mean", [0.1, 1.0, 7.0, 40.0])
def test_a_large_size_is_nearly_poisson(mean: float) -> None:
    for count in range(int(mean * 3) + 3):
        expected = poisson.sf(count - 1, mean)
        assert upper_tail(count, mean, 1e9) == pytest.approx(expected, rel=1e-4, abs=1e-9)


@given(counts, means, sizes)
def test_the_tails_of_a_count_and_the_next_share_all(count: int, mean: float, size: float) -> None:
    assert lower_tail(count, mean, size) + upper_tail(count + 1, mean, size) == pytest.approx(1.0)


@given(counts, means, sizes)
def test_tails_are_probabilities_and_fall_outwards(count: int, mean: float, size: float) -> None:
    upper = [upper_tail(n, mean, size) for n in (count, count + 1)]
    lower = [lower_tail(n, mean, size) for n in (count + 1, count)]
    for nearer, farther in (upper, lower):
        assert 0.0 <= farther <= nearer + 1e-12 <= 1.0 + 2e-12


@given(shares, means, sizes)
def test_the_upper_quantile_is_the_smallest_count_that_rare(
    share: float, mean: float, size: float
) -> None:
    count = upper_quantile(share, mean, size)
    assert upper_tail(count, mean, size) <= share
    assert count == 0 or upper_tail(count - 1, mean, size) > share


@given(shares, means, sizes)
def test_the_lower_quantile_is_the_largest_count_that_rare(
    share: float, mean: float, size: float
) -> None:
    count = lower_quantile(share, mean, size)
    if count is None:
        assert lower_tail(0, mean, size) > share
    else:
        assert lower_tail(count, mean, size) <= share < lower_tail(count + 1, mean, size)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(upper_tail(0, 3.0, 2.0), 1.0, id="at least nothing is certain"),
        pytest.param(upper_tail(-1, 3.0, 2.0), 1.0, id="at least less than nothing is certain"),
        pytest.param(upper_tail(1, 0.0, 2.0), 0.0, id="nothing expected, nothing comes"),
        pytest.param(lower_tail(0, 0.0, 2.0), 1.0, id="nothing expected, nothing is certain"),
        pytest.param(lower_tail(0, 2.0, 2.0), 0.25, id="none of mean 2 and size 2 is a quarter"),
        pytest.param(upper_quantile(0.1, 0.0, 2.0), 1, id="one is beyond nothing"),
    ],
)
def test_edges(value: float, expected: float) -> None:
    assert value == pytest.approx(expected)
