"""The alert budget: thresholds follow from how evidence has peaked, and from what was spent."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.budget import (
    QUIET,
    SEVERITIES,
    YEAR,
    Budget,
    Governor,
    Prior,
    Stratum,
    prior_of,
)
from detectors.records import Alert, Severity
from detectors.tables import rows
from detectors.timegrid import DAY, instant, seconds
from tests.alert_records import alert

BUDGET = Budget()
NOW = int(10 * YEAR)
HERE = "admin1/2"


def _alert(number: int, severity: Severity = "watch", probability: float = 0.5) -> Alert:
    base = alert(number, severity=severity, opened_at=instant(NOW - 30 * DAY))
    return replace(base, claim=replace(base.claim, probability=probability))


def _governor(years: int = 0, units: int = 0, stratum: str = HERE) -> Governor:
    """Return a governor that has watched so many units for so many years, up to `NOW`."""
    governor = Governor(at=NOW - int(years * YEAR))
    governor.watch({stratum: units}, NOW)
    return governor


@pytest.mark.parametrize(
    ("budgets", "accepted"),
    [
        pytest.param((1.0, 0.3, 0.1), True, id="falling budgets are taken"),
        pytest.param((0.5, 0.5, 0.5), True, id="equal budgets are taken"),
        pytest.param((0.1, 0.3, 0.1), False, id="watch below warning is refused"),
        pytest.param((1.0, 0.3, 0.5), False, id="critical above warning is refused"),
        pytest.param((1.0, 0.3, 0.0), False, id="nothing at all is refused"),
        pytest.param((-1.0, -2.0, -3.0), False, id="less than nothing is refused"),
    ],
)
def test_budgets_fall_with_severity(budgets: tuple[float, float, float], accepted: bool) -> None:
    if accepted:
        assert [Budget(*budgets).of(s) for s in SEVERITIES] == list(budgets)
    else:
        with pytest.raises(ValueError, match="must be positive and fall"):
            Budget(*budgets)


# Priors: what simulated worlds say.

TABLE = rows("detectors", "episodes.csv")
NAMES = sorted({f"{r['direction']}/{r['class']}" for r in TABLE})


def _of(name: str) -> Prior:
    direction, _, level = name.partition("/")
    return prior_of(f"admin1/{level}", direction)


@pytest.mark.parametrize("name", NAMES)
def test_a_prior_goes_through_the_rows_of_its_table(name: str) -> None:
    mine = [r for r in TABLE if f"{r['direction']}/{r['class']}" == name]
    for row in mine if len(mine) > 1 else ():  # see the next
        assert _of(name).above(float(row["strength"])) == pytest.approx(float(row["per_year"]))


@pytest.mark.parametrize("name", NAMES)
def test_a_prior_has_a_slope(name: str) -> None:
    """A class of which the table has one row says nothing of other strengths: another speaks."""
    prior = _of(name)
    assert len(prior.places) == len(prior.rates) >= 2
    assert list(prior.places) == sorted(set(prior.places))
    assert list(prior.rates) == sorted(prior.rates, reverse=True)


@given(st.sampled_from(NAMES), st.floats(0, 500), st.floats(0, 500))
def test_stronger_episodes_are_never_more_frequent(name: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= _of(name).above(high) <= _of(name).above(low) * (1 + 1e-12)


def test_between_and_beyond_the_rows_the_logarithms_are_linear() -> None:
    """By hand: log rate falls by 2 while log(1 + strength) rises by 1."""
    prior = Prior((log(2.0), log(4.0)), (0.0, -2 * log(2.0)))
    assert prior.above(1.0) == pytest.approx(1.0)
    assert prior.above(2.0) == pytest.approx((3 / 2) ** -2)
    assert prior.above(7.0) == pytest.approx((8 / 2) ** -2)  # beyond the last row
    assert prior.above(0.5) == pytest.approx((1.5 / 2) ** -2)  # before the first
    assert prior.above(0.0) == prior.above(QUIET)  # below this there are no episodes


@pytest.mark.parametrize(
    ("stratum", "like"),
    [
        pytest.param("border/2", "admin1/2", id="the kind does not matter"),
        pytest.param("country/99", "admin1/8", id="busier than any: the busiest"),
        pytest.param("admin1/-9", "admin1/-3", id="quieter than any: the quietest"),
        pytest.param("admin1/-2+", "admin1/-2", id="bursts where the table has none"),
        pytest.param("", "admin1/0", id="no stratum yet: one a week"),
    ],
)
def test_a_class_that_the_table_lacks_is_taken_for_the_nearest(stratum: str, like: str) -> None:
    for direction in ("rise", "fall"):
        for strength in (0.3, 2.0, 9.0):
            found = prior_of(stratum, direction).above(strength)
            assert found == prior_of(like, direction).above(strength)


def test_bursts_have_a_prior_of_their_own() -> None:
    assert "rise/3+" in NAMES
    assert prior_of("admin1/3+", "rise").above(4.0) != prior_of("admin1/3", "rise").above(4.0)


# Strata: how evidence has peaked.

peaks = st.lists(st.floats(QUIET, 200), max_size=60)


def _stratum(drawn: list[float], years: float) -> Stratum:
    stratum = Stratum(years=years)
    for peak in drawn:
        stratum.add(peak)
    return stratum


@given(peaks, st.floats(0, 200), st.floats(0.01, 20), st.sampled_from(NAMES))
def test_a_threshold_is_the_strength_that_so_many_episodes_reach(
    drawn: list[float], years: float, asked: float, name: str
) -> None:
    stratum, prior = _stratum(drawn, years), _of(name)
    found = stratum.threshold(asked, prior)
    assert found >= QUIET
    assert stratum.per_year(found, prior) <= asked * (1 + 1e-6)
    if found > QUIET:
        assert stratum.per_year(found - 1e-6 * (1 + found), prior) >= asked * (1 - 1e-3)


@given(peaks, st.floats(0, 50), st.floats(0.01, 10), st.floats(0.01, 10))
def test_who_wants_fewer_alarms_gets_a_higher_threshold(
    drawn: list[float], years: float, one: float, other: float
) -> None:
    few, many = sorted((one, other))
    stratum, prior = _stratum(drawn, years), prior_of(HERE, "rise")
    assert stratum.threshold(few, prior) >= stratum.threshold(many, prior)


@given(peaks, st.floats(QUIET, 200))
def test_counting_peaks_by_bins_is_nearly_counting_them(drawn: list[float], at: float) -> None:
    found = _stratum(drawn, 1.0).above(at)
    # A bin is 1 % of 1 + strength wide.
    low, high = (sum(peak >= (1 + at) * by - 1 for peak in drawn) for by in (1.0101, 0.9899))
    assert low - 1e-9 <= found <= high + 1e-9


def test_evidence_below_the_quiet_is_no_episode() -> None:
    assert _stratum([QUIET / 2, 0.0], 1.0).peaks == {}


def test_what_was_seen_takes_over_from_the_prior() -> None:
    prior, strength = prior_of(HERE, "rise"), 3.0
    seen = 25 * prior.above(strength)  # episodes a unit-year, where the prior has 25 times fewer
    found = []
    for years in (0, 4, 40, 400):
        stratum = Stratum(years=years, peaks={500: seen * years})
        found.append(stratum.per_year(strength, prior))
    assert found[0] == pytest.approx(prior.above(strength))
    assert found[1] == pytest.approx(
        (prior.above(strength) + seen) / 2
    )  # worth as much as the prior
    assert found == sorted(found)
    assert found[3] == pytest.approx(seen, rel=0.02)


def test_the_past_is_forgotten_by_half_in_three_years() -> None:
    governor = _governor(years=1, units=40)
    governor.end(HERE, 5.0)
    governor.spend(_alert(1))
    governor.spend(replace(_alert(2), opened_at=instant(NOW)))
    years, episodes, spent = (
        governor.years,
        governor.strata[HERE].above(2.0),
        governor.spent("watch"),
    )
    governor.watch({HERE: 0}, NOW + int(3 * YEAR))
    assert governor.years == pytest.approx(years / 2)
    assert governor.strata[HERE].years == pytest.approx(years / 2)
    assert governor.strata[HERE].above(2.0) == pytest.approx(episodes / 2)
    assert governor.spent("watch") == pytest.approx(spent / 2)
    governor.watch({}, NOW + int(20 * YEAR))
    assert governor.expenses == []


# The governor: what was spent beside what was allowed.


def test_what_is_allowed_grows_with_units_and_time() -> None:
    assert _governor(0, 40).allowed("watch", BUDGET) == 0
    assert _governor(1, 40).allowed("watch", BUDGET) == pytest.approx(40)
    assert _governor(1, 10).allowed("warning", BUDGET) == pytest.approx(3)


def test_time_is_counted_once_and_never_before_the_first_look() -> None:
    governor = Governor()
    governor.watch({HERE: 10}, NOW)
    assert governor.years == 0
    for _ in range(3):
        governor.watch({HERE: 10}, NOW + 365 * DAY)
    governor.watch({HERE: 10}, NOW)  # time does not go back
    assert governor.years == pytest.approx(10, rel=0.01)


def test_a_severity_opens_at_its_budget_and_a_higher_one_later() -> None:
    fresh = Governor(at=NOW)
    found = [fresh.threshold(HERE, "rise", severity, BUDGET) for severity in SEVERITIES]
    assert found == sorted(found)
    for threshold, severity in zip(found, SEVERITIES, strict=True):
        assert fresh.per_year(HERE, "rise", threshold) == pytest.approx(
            BUDGET.of(severity), rel=0.01
        )


def _spent(alarms: int) -> Governor:
    governor = _governor(years=1, units=40)
    for number in range(alarms):
        governor.spend(replace(_alert(number), opened_at=instant(NOW)))
    return governor


def test_saving_lowers_the_threshold_and_overspending_raises_it() -> None:
    saved, even, over = (_spent(n).threshold(HERE, "rise", "watch", BUDGET) for n in (0, 40, 200))
    assert saved < even < over
    assert even == pytest.approx(
        _governor(1, 40).strata[HERE].threshold(BUDGET.watch, prior_of(HERE, "rise")), rel=0.02
    )


@given(st.lists(st.sampled_from(SEVERITIES), max_size=80), st.integers(0, 60), st.integers(0, 5))
def test_the_governor_moves_what_is_asked_within_bounds(
    opened: list[Severity], units: int, years: int
) -> None:
    governor = _governor(years, units)
    for number, severity in enumerate(opened):
        governor.spend(_alert(number, severity))
    prior = prior_of(HERE, "rise")
    thresholds = []
    for severity in SEVERITIES:
        budget = BUDGET.of(severity)
        found = governor.threshold(HERE, "rise", severity, BUDGET)
        here = governor.strata[HERE]
        assert here.threshold(2.5 * budget, prior) <= found <= here.threshold(0.4 * budget, prior)
        thresholds.append(found)
    assert governor.spent("watch") >= governor.spent("warning") >= governor.spent("critical")


def test_an_alert_counts_at_the_highest_severity_that_it_reached() -> None:
    governor, opened = _governor(), _alert(1)
    opened = replace(opened, opened_at=instant(NOW))
    governor.spend(opened)
    assert [governor.spent(s) for s in SEVERITIES] == [1.0, 0.0, 0.0]
    governor.spend(replace(opened, severity="critical"))
    governor.spend(replace(opened, severity="watch"))
    assert [governor.spent(s) for s in SEVERITIES] == [1.0, 1.0, 1.0]
    assert len(governor.expenses) == 1
    assert governor.expenses[0].at == seconds(opened.opened_at)


def test_thresholds_stand_for_a_day() -> None:
    governor = _governor(years=1, units=40)
    before = governor.threshold(HERE, "rise", "watch", BUDGET)
    for number in range(300):
        governor.spend(_alert(number))
    assert governor.threshold(HERE, "rise", "watch", BUDGET) == before
    governor.watch({HERE: 40}, NOW + DAY)
    assert governor.threshold(HERE, "rise", "watch", BUDGET) > before


def test_a_governor_survives_its_checkpoint() -> None:
    governor = _spent(3)
    governor.end(HERE, 4.2)
    governor.threshold(HERE, "rise", "warning", BUDGET)
    assert msgspec.json.decode(msgspec.json.encode(governor), type=Governor) == governor


WORLDS: dict[str, tuple[float, Callable[[Random], float]]] = {
    # Episodes a unit-year, and how they peak.
    "light tails": (6.0, lambda rng: QUIET + rng.expovariate(1 / 1.5)),
    "heavy tails": (9.0, lambda rng: 0.5 * rng.paretovariate(1.1)),
}


def _simulate(world: str, seed: int, years: float = 8, burn_in: float = 2) -> list[float]:
    """Return alarms a unit-year at each severity, of 120 units in a world of known episodes."""
    rate, peak = WORLDS[world]
    rng, units, step = Random(seed), 120, 10
    governor = Governor(at=NOW)
    counts = dict.fromkeys(SEVERITIES, 0)
    for number in range(int(years * 365.25 / step)):
        at = NOW + (number + 1) * step * DAY
        governor.watch({HERE: units}, at)
        due = rng.expovariate(1.0)
        while due < units * rate * step / 365.25:
            due += rng.expovariate(1.0)
            strength = peak(rng)
            reached = [
                s for s in SEVERITIES if strength >= governor.threshold(HERE, "rise", s, BUDGET)
            ]
            governor.end(HERE, strength)
            if reached:
                opened = alert(number, id=f"a-{at}-{due}", severity=reached[-1])
                governor.spend(replace(opened, opened_at=instant(at)))
            for severity in reached if number * step >= burn_in * 365.25 else ():
                counts[severity] += 1
    return [n / (units * (years - burn_in)) for n in counts.values()]


@pytest.mark.parametrize("world", WORLDS)
def test_in_a_world_of_known_episodes_the_alarms_keep_the_budget(world: str) -> None:
    """Within 15 % of what was asked for, from the third year on, whatever the prior said."""
    found = _simulate(world, seed=1)
    for alarms, severity in zip(found, SEVERITIES, strict=True):
        budget = BUDGET.of(severity)
        # Two standard errors of a count, where that is more: 72 critical alarms are few.
        margin = max(0.15, 2 / (budget * 120 * 6) ** 0.5)
        assert alarms == pytest.approx(budget, rel=margin)


# Calibration of claims.


def test_probabilities_stay_until_outcomes_say_otherwise() -> None:
    governor = Governor()
    for probability in (0.01, 0.25, 0.5, 0.9, 0.99):
        assert governor.calibrated(probability) == pytest.approx(probability, abs=1e-4)


def test_claims_that_fail_lower_later_probabilities_and_hits_raise_them() -> None:
    for hit in (True, False):
        governor = Governor()
        for number in range(5):
            governor.learn(_alert(number), hit=hit)
        assert (governor.calibrated(0.5) > 0.5) is hit


@given(st.floats(0, 1), st.lists(st.booleans(), max_size=40))
def test_calibrated_probabilities_keep_their_order_and_bounds(
    probability: float, outcomes: list[bool]
) -> None:
    governor = Governor()
    for number, hit in enumerate(outcomes):
        governor.learn(_alert(number), hit=hit)
    found = governor.calibrated(probability)
    assert 0.0 <= found <= 1.0
    assert governor.calibrated(min(1.0, probability + 0.1)) >= found


def test_calibration_settles_where_the_claims_are_right() -> None:
    governor = Governor()  # claims say 0.8 and half of them hold
    for number in range(400):
        probability = governor.calibrated(0.8)
        governor.learn(_alert(number, probability=probability), hit=number % 2 == 0)
    assert governor.calibrated(0.8) == pytest.approx(0.5, abs=0.05)
