"""The Brier score taken apart, the calibration curve, and exact intervals of rates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from detectors.calibration import (
    LEAST_CLAIMS,
    MOST_BINS,
    Bin,
    Forecast,
    calibration,
    decompose,
    rate_interval,
)

FORECASTS = st.lists(
    st.tuples(st.integers(0, 100).map(lambda n: n / 100), st.booleans()),
    min_size=LEAST_CLAIMS,
    max_size=60,
)


def _bin(claims: int, mean: float, share: float) -> Bin:
    return Bin(mean, mean, claims, mean, share, (0.0, 1.0))


def _drawn(count: int, bend: float = 1.0, seed: int = 5) -> list[Forecast]:
    """Return claims that come true with their probability to the power of `bend`."""
    generator = np.random.default_rng(seed)
    given = generator.choice([0.1, 0.3, 0.5, 0.7, 0.9], count)
    return list(zip(given.tolist(), (generator.random(count) < given**bend).tolist(), strict=True))


def test_murphys_terms_by_hand() -> None:
    # 10 claims of 20 %, of which 1 came true; 10 of 70 %, of which 8 did. Base rate 9 in 20.
    curve = [_bin(10, 0.2, 0.1), _bin(10, 0.7, 0.8)]
    brier = (9 * 0.2**2 + 0.8**2 + 2 * 0.7**2 + 8 * 0.3**2) / 20
    found = decompose(curve, brier)
    assert found.reliability == pytest.approx(0.01)
    assert found.resolution == pytest.approx(0.35**2)
    assert found.uncertainty == pytest.approx(0.45 * 0.55)
    assert found.within == pytest.approx(0.0, abs=1e-12)
    # Ferro & Fricker (2012): each bin's share has a variance of o(1-o)/(n-1).
    noise = (10 * 0.09 / 9 + 10 * 0.16 / 9) / 20
    spread = 0.45 * 0.55 / 19
    assert found.uncertainty_corrected == pytest.approx(0.45 * 0.55 + spread)
    assert 0.01 - noise < 0  # reliability would be negative: both terms move to keep the balance
    assert found.reliability_corrected == 0.0
    assert found.resolution_corrected == pytest.approx(0.35**2 - noise + spread - (0.01 - noise))


@settings(max_examples=40, deadline=None)
@given(FORECASTS)
def test_the_terms_add_up_and_every_claim_is_in_one_bin(forecasts: list[Forecast]) -> None:
    found = calibration(forecasts)
    assert found is not None
    terms = found.decomposition
    brier = np.mean([(p - hit) ** 2 for p, hit in forecasts])
    assert terms.brier == pytest.approx(brier)
    total = terms.reliability - terms.resolution + terms.uncertainty + terms.within
    assert total == pytest.approx(brier)
    corrected = (
        terms.reliability_corrected - terms.resolution_corrected + terms.uncertainty_corrected
    )
    assert corrected == pytest.approx(brier - terms.within)
    assert min(terms.reliability_corrected, terms.resolution_corrected) >= 0.0
    assert sum(each.claims for each in found.curve) == len(forecasts)
    assert len(found.curve) <= MOST_BINS
    for before, after in pairwise(found.curve):
        assert before.high < after.low
    for each in found.curve:
        inside = [hit for p, hit in forecasts if each.low <= p <= each.high]
        assert (len(inside), np.mean(inside)) == (each.claims, pytest.approx(each.share))
    low, high = found.error_interval
    assert 0.0 <= low <= found.error + 1e-9 <= high + 2e-9 <= 1.0 + 3e-9


def test_without_the_bias_reliable_claims_are_nearer_to_reliable() -> None:
    plain, fair = [], []
    for seed in range(30):
        found = calibration(_drawn(60, seed=seed))
        assert found is not None
        plain.append(found.decomposition.reliability)
        fair.append(found.decomposition.reliability_corrected)
    assert np.mean(fair) < np.mean(plain) / 2


def test_reliable_claims_stay_within_their_bars_and_bent_ones_do_not() -> None:
    reliable, bent = calibration(_drawn(1_000)), calibration(_drawn(1_000, bend=3.0))
    assert reliable is not None
    assert bent is not None
    assert sum(b.bar[0] <= b.share <= b.bar[1] for b in reliable.curve) >= len(reliable.curve) - 1
    assert sum(b.bar[0] <= b.share <= b.bar[1] for b in bent.curve) <= len(bent.curve) // 2
    assert bent.error_interval[0] > 0.1 > reliable.error_interval[1]
    assert reliable.error == pytest.approx(reliable.error_of_chance, abs=0.02)


def test_the_same_claims_in_another_order_give_the_same() -> None:
    forecasts = _drawn(80)
    assert calibration(forecasts) == calibration(forecasts[::-1])


def test_too_few_tell_nothing() -> None:
    assert calibration(_drawn(LEAST_CLAIMS - 1)) is None
    assert calibration([]) is None


def test_claims_of_one_probability_are_one_bin() -> None:
    found = calibration([(0.5, n < 7) for n in range(20)])
    assert found is not None
    assert [(b.low, b.high, b.claims, b.share) for b in found.curve] == [(0.5, 0.5, 20, 0.35)]
    assert found.decomposition.resolution == 0.0


@pytest.mark.parametrize("events", [0, 1, 4, 30])
def test_an_exact_interval_leaves_a_fortieth_on_each_side(events: int) -> None:
    low, high = rate_interval(events, 2.0)
    assert poisson.cdf(events, 2.0 * high) == pytest.approx(0.025)
    if events:
        assert poisson.sf(events - 1, 2.0 * low) == pytest.approx(0.025)
    else:
        assert low == 0.0
