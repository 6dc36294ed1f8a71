"""Ranks: how often the past was as unusual as today."""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.signals.calibrated import Ranks, bin_of

strengths = st.floats(0, 500)


def _lived(past: list[float]) -> Ranks:
    """Return ranks that have seen one strength on each of some days; the next day is its length."""
    ranks = Ranks()
    for today, strength in enumerate(past):
        ranks.note(strength, today)
    ranks.note(0.0, len(past))
    return ranks


@pytest.mark.parametrize("strength", [0.1, 1.0, 3.0, 8.0])
def test_a_fresh_state_has_the_chance_of_a_likelihood_ratio(strength: float) -> None:
    """Sixty days of a prior by which s is passed with a chance of exp(-s), and today."""
    assert Ranks().p(strength, 0) == pytest.approx((60 * exp(-strength) + 1) / 61, abs=1e-6)


@pytest.mark.parametrize("strength", [0.0, -1.0])
def test_what_is_not_unusual_has_a_p_of_one(strength: float) -> None:
    assert Ranks().p(strength, 0) == 1.0
    assert _lived([5.0] * 100).p(strength, 100) == 1.0


@given(st.lists(strengths, max_size=40), strengths, strengths)
def test_the_stronger_the_rarer(past: list[float], one: float, other: float) -> None:
    low, high = sorted((one, other))
    ranks = _lived(past)
    assert 0.0 < ranks.p(high, len(past)) <= ranks.p(low, len(past)) <= 1.0


@given(st.lists(strengths, max_size=40), strengths, st.integers(1, 9))
def test_today_counts_once_however_often_looked_at(
    past: list[float], strength: float, looks: int
) -> None:
    once, often = _lived(past), _lived(past)
    once.note(strength, len(past))
    for _ in range(looks):
        often.note(strength, len(past))
        often.note(strength / 2, len(past))
    assert often == once
    once.note(0.0, len(past) + 1)
    often.note(0.0, len(past) + 1)
    assert often == once
    assert sum(once.days.values()) <= len(past) + 1


def test_what_a_day_has_shown_stays_for_the_day() -> None:
    """A strength that sinks in the evening is not usual again before the day is over."""
    ranks = _lived([0.5] * 50)
    morning = ranks.p(6.0, 50)
    ranks.note(6.0, 50)
    assert ranks.p(0.1, 50) == morning
    assert ranks.p(0.1, 51) > 0.5


def test_a_past_as_unusual_makes_today_usual() -> None:
    quiet, wild = _lived([0.1] * 2_000), _lived([6.0] * 2_000)
    assert quiet.p(6.0, 2_000) < 0.003
    assert wild.p(6.0, 2_000) == pytest.approx(0.5, abs=0.06)  # ties share their ranks
    assert wild.p(0.2, 2_000) > 0.9


Draw = Callable[[Random], float]
WORLDS: dict[str, Draw] = {
    "as the prior has it": lambda rng: rng.expovariate(1.0),
    "heavier tails than any model": lambda rng: rng.paretovariate(0.8),
    "hardly ever anything": lambda rng: rng.expovariate(20.0),
    "always strong": lambda rng: rng.gauss(30.0, 6.0),
}
RESOLVED = ("as the prior has it", "heavier tails than any model")


@pytest.mark.parametrize("world", WORLDS)
def test_days_that_are_alike_have_a_uniform_p(world: str) -> None:
    """Whatever the distribution: of the days of a long past a share of α has a p of α at most.

    Where the days of a world fill few bins, p has few values and is uniform only on average; then
    no more than twice α have a p of α (mid-p: Lancaster 1961, JASA 56).
    """
    rng, ranks = Random(7), Ranks()
    found: list[float] = []
    for today in range(6_000):
        strength = max(0.0, WORLDS[world](rng))
        p = ranks.p(strength, today)
        ranks.note(strength, today)
        if today >= 2_000:
            found.append(p)
    assert sum(found) / len(found) == pytest.approx(0.5, abs=0.06)
    for alpha in (0.01, 0.05, 0.1, 0.2, 0.4):
        share = sum(p <= alpha for p in found) / len(found)
        assert share <= 2 * alpha + 0.005
        if world in RESOLVED:
            assert share == pytest.approx(alpha, abs=0.06)


@given(st.lists(strengths, min_size=1, max_size=200))
def test_memory_is_constant_and_survives_its_checkpoint(past: list[float]) -> None:
    ranks = _lived(past)
    assert len(ranks.days) <= bin_of(1e9) + 1 == 40
    assert len(msgspec.json.encode(ranks)) < 1_500
    assert msgspec.json.decode(msgspec.json.encode(ranks), type=Ranks) == ranks


@given(strengths, strengths)
def test_bins_keep_the_order(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= bin_of(low) <= bin_of(high) < 40
