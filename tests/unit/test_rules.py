"""The baselines against values worked out by hand from their publications."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from detectors.rules import RULES, Known
from detectors.rules.base import LEAST_BAR_DAYS, LONGEST_DAYS
from detectors.rules.cusum import increments
from detectors.rules.farrington import level

RISING_WEEK = [1, 2, 3, 4, 5, 6, 7]  # mean 4, standard deviation 2.1602
SAW = [0, 2, 0, 2, 0, 2, 0, 2, 0]
WEEKLY = [1, 0, 0, 0, 0, 0, 0]


def known(*units: Sequence[float], deaths: Sequence[Sequence[float]] | None = None) -> Known:
    """Counts by unit; the last unit is the country of all."""
    counts = np.array(units, dtype=float)
    killed = counts if deaths is None else np.array(deaths, dtype=float)
    return Known(counts, killed, np.full(len(units), len(units) - 1))


def risk(rule: str, counts: Sequence[float]) -> float:
    return float(RULES[rule].risk(known(counts))[0])


@pytest.mark.parametrize(
    ("rule", "counts", "expected"),
    [
        ("ears-c1", [*RISING_WEEK, 12], 3.7033),
        ("ears-c1", [*RISING_WEEK, 4], 0.0),
        ("ears-c1", [0] * 7 + [1], 5.0),  # no deviation: 0.2 stands for it
        ("ears-c2", [*RISING_WEEK, 50, 60, 12], 3.7033),  # two days are left out
        ("ears-c3", [*SAW, 3, 0, 5], 3.8797),  # 1.0045 + 0 + 2.8753
        ("ears-c3", [*SAW, 1, 1, 1], 0.0),
        ("ewma", [0] * 30 + [1], 3.5707),  # 0.3 / (0.2 * sqrt(0.3 / 1.7))
        ("acled-surge", WEEKLY * 4 + [1, 1, 0, 0, 0, 0, 0], 2.0),
        ("acled-surge", WEEKLY * 3 + [0] * 7 + [9] * 7, 0.0),  # three events in four weeks
        ("acled-surge", WEEKLY * 4 + [0] * 7, 0.0),
        ("farrington", WEEKLY * 11 + [0] * 7, 0.0),  # fewer than five events in four weeks
        ("farrington", [1, 1, 1, 1, 0, 0, 0] * 12 + [2] * 5 + [0] * 2, 4.8119),  # P = 0.00813
        ("farrington", [1, 1, 1, 1, 0, 0, 0] * 12 + [2] * 5 + [1, 0], 5.8639),  # P = 0.00284
        ("no-change", [1] * 104, 14 / 15),
        ("no-change", [0] * 100 + [2] * 3, 6 / 3),  # the bar is three incidents at least
        ("climatology", [1] * 104, 0.0),
        ("climatology", [0] * 50 + [9] + [0] * 149, 14 / 187),  # of 187 fortnights 14 hold the 9
    ],
)
def test_a_rule_gives_what_was_published(rule: str, counts: list[float], expected: float) -> None:
    assert risk(rule, counts) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize(
    ("rule", "counts", "alarm"),
    [
        ("ears-c1", [*RISING_WEEK, 12], True),
        ("ears-c1", [*RISING_WEEK, 10], False),
        ("acled-surge", WEEKLY * 4 + [1, 1, 0, 0, 0, 0, 0], True),
        ("farrington", [1, 1, 1, 1, 0, 0, 0] * 12 + [2] * 5 + [0] * 2, False),
        ("farrington", [1, 1, 1, 1, 0, 0, 0] * 12 + [2] * 5 + [1, 0], True),
    ],
)
def test_a_rule_gives_alarm_from_its_published_threshold(
    rule: str, counts: list[float], alarm: bool
) -> None:
    limit = RULES[rule].limit
    assert limit is not None
    assert (risk(rule, counts) >= limit) is alarm


def deaths_on(days: int, *killed: tuple[int, int]) -> list[float]:
    """Deaths by day: so many on the day so many days ago."""
    found = [0.0] * days
    for ago, count in killed:
        found[days - 1 - ago] += count
    return found


@pytest.mark.parametrize(
    ("rule", "mine", "country", "expected"),
    [
        ("hdx-1y", [(200, 20), (3, 20)], [(200, 200), (3, 200)], 1.0),
        ("hdx-1y", [(200, 20), (3, 10)], [(200, 200), (3, 100)], 0.5),
        # The higher month is more than a year ago: only three years know of it.
        ("hdx-1y", [(800, 80), (100, 20), (3, 40)], [(800, 80), (100, 20), (3, 40)], 0.4),
        ("hdx-3y", [(800, 160), (3, 80)], [(800, 160), (3, 80)], 0.5),
        # A tenth of the country's deaths: the floor of 100 becomes 10.
        ("hdx-1y", [(3, 5)], [(300, 45), (3, 5)], 0.5),
    ],
)
def test_the_hdx_rule_is_scaled_to_the_unit(
    rule: str, mine: list[tuple[int, int]], country: list[tuple[int, int]], expected: float
) -> None:
    series = [deaths_on(1_200, *mine), deaths_on(1_200, *country)]
    found = RULES[rule].risk(known(*series, deaths=series))
    assert found[0] == pytest.approx(expected)


def test_the_hdx_floor_of_a_country_is_a_hundred_deaths() -> None:
    series = deaths_on(400, (3, 50))
    assert risk("hdx-1y", series) == pytest.approx(0.5)


def test_cusum_is_the_recursion_that_it_replaces() -> None:
    generator = np.random.default_rng(5)
    counts = generator.poisson(0.8, 118).astype(float)
    counts[-4:] += 2
    baseline = counts[:90]
    mean = (baseline.sum() + 0.5) / 92
    spread = (baseline.var(ddof=1) - mean) / mean**2
    size = 1 / min(max(spread, 0.02), 2.0)
    total = 0.0
    for count in counts[90:]:
        ratio = count * np.log(2) - (count + size) * np.log((size + 2 * mean) / (size + mean))
        total = max(0.0, total + ratio)
    assert total > 1
    assert risk("nb-cusum", list(counts)) == pytest.approx(total)


def test_a_day_s_evidence_tends_to_that_of_poisson_counts() -> None:
    found = increments(np.array([[3.0]]), np.array([1.0]), np.array([1e7]))
    assert found[0, 0] == pytest.approx(3 * np.log(2) - 1, abs=1e-5)


def test_an_outbreak_of_the_past_weighs_little() -> None:
    weeks = np.array([[4.0] * 47 + [60.0]])
    mean, _ = level(weeks)
    assert 4 <= mean[0] < weeks.mean()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_nothing_while_it_knows_too_little(rule: str) -> None:
    assert np.isnan(risk(rule, [1]))
    assert np.isfinite(risk(rule, [1] * LEAST_BAR_DAYS))


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_looks_back_further_than_it_is_given(rule: str) -> None:
    generator = np.random.default_rng(7)
    counts = generator.poisson(1.5, (3, LONGEST_DAYS + 500)).astype(float)
    whole = np.full(3, 2)
    found = [
        RULES[rule].risk(Known(given, given, whole))
        for given in (counts[:, -LONGEST_DAYS:], np.hstack([counts[:, :500] * 9, counts[:, 500:]]))
    ]
    assert (found[0] == found[1]).all()


@pytest.mark.parametrize("rule", sorted(RULES.keys() - {"climatology"}))
def test_more_events_today_are_never_a_lower_risk(rule: str) -> None:
    generator = np.random.default_rng(11)
    calm = generator.poisson(1.0, 400).astype(float)
    found = []
    for extra in (0, 5, 20):
        counts = calm.copy()
        counts[-1] += extra
        found.append(risk(rule, list(counts)))
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_the_bar_is_reached_by_a_tenth_of_the_fortnights_at_most() -> None:
    generator = np.random.default_rng(3)
    counts = generator.negative_binomial(2, 0.4, (5, 900)).astype(float)
    seen = Known(counts, counts, np.arange(5))
    fortnights = np.lib.stride_tricks.sliding_window_view(counts[:, -730:], 14, axis=1).sum(axis=2)
    for bar, mine in zip(seen.bar, fortnights, strict=True):
        assert (mine >= bar).mean() <= 0.1 < (mine >= bar - 1).mean()
