"""The backtest: nothing is known before its time, and every rule is held to the same account."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from msgspec.structs import replace

from detectors.onsets import Onset
from detectors.rules import RULES
from detectors.timegrid import day_number
from detectors.warned import match
from streams.backtest.alarms import Alarm, alarms_from, claims, within
from streams.backtest.fit import isotonic, probabilities
from streams.backtest.history import WIDTH, History
from streams.backtest.measures import (
    average_precision,
    blocks,
    hits_interval,
    mean_interval,
    ranking,
)
from streams.backtest.walk import SETTLED_DAYS, walk

UNITS = ("AF-KDZ", "AF-KAN", "AFG")
START = date(2020, 1, 1)
FIRST = day_number(START)
CALM = 200  # days of the invented history


# An invented history, without the live code


def history(days: int = CALM, seed: int = 1) -> History:
    """A history in which a third of each day's incidents is known a day late, a third three."""
    generator = np.random.default_rng(seed)
    rate = np.where(np.arange(CALM)[:, None] % 90 >= 70, 3.0, 0.8) * np.array([1.0, 2.0, 3.0])
    parts = generator.poisson(rate / 3, (3, CALM, 3))
    vintages = np.zeros((days, 3, WIDTH), dtype=np.int32)
    for day in range(days):
        for back in range(min(WIDTH, day + 1)):
            seen = [
                part[day - back]
                for part, late in zip(parts, (0, 1, 3), strict=True)
                if back >= late
            ]
            vintages[day, :, WIDTH - 1 - back] = np.sum(seen, axis=0)
    return History(
        units=UNITS,
        first_day=FIRST,
        incidents=vintages,
        deaths=2 * vintages,
        seen=np.ones((days, 3), dtype=bool),
        dark=np.zeros((days, 3), dtype=bool),
        strength=vintages[:, :, -1].astype(float),
        index=np.full((days, 3), np.nan),
        opened=(),
        last={},
        reports=0,
    )


@pytest.mark.parametrize("end", [60, 100, 150])
def test_what_comes_later_changes_nothing_that_was_said(end: int) -> None:
    whole, before = walk(history(), RULES), walk(history(end), RULES)
    for name, risk in before.risk.items():
        np.testing.assert_array_equal(whole.risk[name][:end], risk, err_msg=name)
    np.testing.assert_array_equal(whole.bar[:end], before.bar)
    known = end - SETTLED_DAYS
    np.testing.assert_array_equal(whole.learnt[:known], before.learnt[:known])
    assert np.isnan(before.learnt[known:]).all()


def test_rules_see_what_was_known_and_the_truth_what_came() -> None:
    known = history()
    walked = walk(known, RULES)
    late = known.incidents[100, :, -1] < walked.final[100]
    assert late.any()
    assert (walked.final[100] == known.incidents[100 + WIDTH - 1, :, 0]).all()
    ahead = walked.final[121:135].sum(axis=0)
    np.testing.assert_array_equal(walked.truth[120], (ahead >= walked.bar[120]).astype(float))


def test_a_fortnight_that_could_not_be_seen_is_no_calm_one() -> None:
    known = history()
    clear = walk(known, RULES).truth
    dark = known.dark.copy()
    dark[110] = True
    told = walk(replace(known, dark=dark), RULES).truth
    hidden = slice(110 - 14, 110)
    assert np.isnan(told[hidden][clear[hidden] == 0]).all()
    assert (told[hidden][clear[hidden] == 1] == 1).all()
    assert (clear[hidden] == 0).any()


def test_probabilities_are_learned_before_their_month() -> None:
    walked = walk(history(), RULES)
    usable = ~np.isnan(walked.bar)
    given = probabilities(walked.risk["no-change"], walked.learnt, usable, FIRST, 95)
    end = day_number(date(2020, 7, 1)) - FIRST
    turned = walked.learnt.copy()
    turned[end - SETTLED_DAYS :] = 1 - turned[end - SETTLED_DAYS :]
    other = probabilities(walked.risk["no-change"], turned, usable, FIRST, 95)
    np.testing.assert_array_equal(given[:end], other[:end])
    assert np.isnan(given[:95]).all()


# Alarms


def test_an_alarm_stands_for_a_fortnight() -> None:
    risk = np.full((40, 2), 0.0)
    risk[[3, 4, 16, 17, 39], 0] = 5.0
    risk[10:, 1] = np.nan
    assert alarms_from(risk, 1.0) == [Alarm(3, 0), Alarm(17, 0), Alarm(39, 0)]


@pytest.mark.parametrize("most", [0, 1, 3, 10, 50])
def test_no_rule_makes_more_alarms_than_allowed(most: int) -> None:
    risk = np.round(np.random.default_rng(2).normal(size=(200, 4)), 1)
    found = within(risk, most)
    assert len(found.given) <= most
    if found.threshold is not None:
        lower = np.unique(risk[risk < found.threshold])
        assert len(lower) == 0 or len(alarms_from(risk, float(lower[-1]))) > most


@pytest.mark.parametrize(
    ("after", "called"), [(-3, "late"), (0, "late"), (1, "ahead"), (14, "ahead"), (15, "missed")]
)
def test_an_alarm_at_the_end_of_a_day_warns_of_the_fortnight_after(after: int, called: str) -> None:
    bar = np.full((30, 1), 5.0)
    said = claims([Alarm(10, 0)], ["AF-KDZ"], FIRST, bar)
    day = START + timedelta(days=10 + after)
    onset = Onset("AF-KDZ", day, 9, 2.0, 5, day + timedelta(days=13))
    assert match([onset], said)[0].called == called


# Measures


def test_average_precision_takes_equal_risks_together() -> None:
    hit = np.array([1.0, 0.0, 1.0, 0.0])
    assert average_precision(ranking(np.array([4.0, 3.0, 2.0, 1.0])), hit) == pytest.approx(5 / 6)
    assert average_precision(ranking(np.ones(4)), hit) == pytest.approx(0.5)
    assert np.isnan(average_precision(ranking(np.ones(4)), np.zeros(4)))


def test_a_weight_counts_as_so_many_days() -> None:
    risk, hit = np.array([3.0, 2.0, 1.0]), np.array([0.0, 1.0, 1.0])
    weighted = average_precision(ranking(risk), hit, np.array([1.0, 3.0, 0.0]))
    assert weighted == pytest.approx(
        average_precision(ranking(np.array([3.0, 2, 2, 2])), np.array([0.0, 1, 1, 1]))
    )


def test_an_interval_holds_its_share_and_widens_where_days_are_alike() -> None:
    generator = np.random.default_rng(4)
    rows = np.arange(700)
    alone = (generator.random(700) < 0.3).astype(float)
    together = np.repeat((generator.random(50) < 0.3).astype(float), 14)
    spans = []
    for hit in (alone, together):
        found = mean_interval(rows, hit, blocks(700))
        assert found is not None
        assert found[0] <= hit.mean() <= found[1]
        spans.append(found[1] - found[0])
    assert spans[1] > 2 * spans[0]
    assert mean_interval(rows[:20], alone[:20], blocks(20)) is None


def test_no_hit_in_ten_is_no_proof_that_there_is_none() -> None:
    rows = np.arange(0, 140, 14)
    found = hits_interval(rows, np.zeros(10), blocks(140))
    assert found is not None
    assert found[0] == 0
    assert found[1] == pytest.approx(0.2775, abs=1e-3)  # Wilson


def test_a_fitted_probability_never_falls_with_risk() -> None:
    generator = np.random.default_rng(6)
    risk = generator.normal(size=5_000)
    hit = (generator.random(5_000) < 1 / (1 + np.exp(-risk))).astype(float)
    steps = isotonic(risk, hit)
    given = steps.of(np.array([-9.0, -1.0, 0.0, 1.0, 9.0, np.nan]))
    assert (np.diff(given[:5]) >= 0).all()
    assert given[2] == pytest.approx(0.5, abs=0.06)
    assert np.isnan(given[5])


# What the live code says, by day
