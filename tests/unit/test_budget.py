"""The alert budget: thresholds follow from what was spent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.budget import LOOKS_PER_YEAR, SEVERITIES, YEAR, Budget, Governor
from detectors.records import Alert, Outcome, Severity
from detectors.timegrid import DAY, instant, seconds
from tests.alert_records import alert

BUDGET = Budget()
NOW = int(10 * YEAR)


def _alert(
    number: int, severity: Severity = "watch", probability: float = 0.5, ago: int = 30
) -> Alert:
    base = alert(number, severity=severity, opened_at=instant(NOW - ago * DAY))
    return replace(base, claim=replace(base.claim, probability=probability))


def _settled(of: Alert, verdict: str) -> Alert:
    known = {"HIT": "HIT", "FALSE": "FALSE"}.get(verdict, "VOID")
    return replace(of, outcome=Outcome(known, of.at, 3, "counted"))  # type: ignore[arg-type]


def _governor(*alerts: Alert, days: int = 180) -> Governor:
    governor = Governor(since=NOW - days * DAY)
    for each in alerts:
        governor.spend(each)
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


def test_without_a_history_the_threshold_is_the_budget_over_the_looks() -> None:
    fresh = Governor(since=NOW)
    for severity in SEVERITIES:
        expected = BUDGET.of(severity) / LOOKS_PER_YEAR
        assert fresh.threshold(severity, BUDGET, 41, NOW) == pytest.approx(expected)


def test_saving_raises_the_threshold_and_overspending_lowers_it() -> None:
    start = BUDGET.watch / LOOKS_PER_YEAR
    saved = _governor().threshold("watch", BUDGET, 10, NOW)
    spent = _governor(*(_settled(_alert(n), "FALSE") for n in range(20)))
    assert spent.threshold("watch", BUDGET, 10, NOW) < start < saved


def test_on_budget_the_threshold_is_where_it_started() -> None:
    allowed = _governor().allowed("watch", BUDGET, 10, NOW)
    governor = _governor(*(_settled(_alert(n), "FALSE") for n in range(round(allowed))))
    start = BUDGET.watch / LOOKS_PER_YEAR
    assert governor.threshold("watch", BUDGET, 10, NOW) == pytest.approx(start, rel=0.1)


@given(
    st.lists(st.tuples(st.sampled_from(SEVERITIES), st.floats(0, 1)), max_size=60),
    st.integers(0, 100),
    st.integers(0, 2_000),
)
def test_thresholds_keep_their_bounds_and_fall_with_severity(
    opened: list[tuple[Severity, float]], units: int, days: int
) -> None:
    governor = _governor(
        *(_alert(n, severity, p) for n, (severity, p) in enumerate(opened)), days=days
    )
    for severity in SEVERITIES:
        start = BUDGET.of(severity) / LOOKS_PER_YEAR
        found = governor.threshold(severity, BUDGET, units, NOW)
        assert start / 16 <= found <= start * 2
        assert found <= governor.loosest(BUDGET)


@pytest.mark.parametrize(
    ("verdict", "cost"),
    [
        pytest.param(None, 0.3, id="an open claim costs what its probability leaves"),
        pytest.param("HIT", 0.0, id="a claim that held costs nothing"),
        pytest.param("FALSE", 1.0, id="a claim that failed costs one"),
        pytest.param("VOID", 0.0, id="a claim that could not be seen costs nothing"),
    ],
)
def test_what_an_alert_costs(verdict: str | None, cost: float) -> None:
    opened = _alert(1, probability=0.7)
    governor = _governor(opened)
    if verdict is not None:
        governor.spend(_settled(opened, verdict))
    assert governor.spent("watch") == pytest.approx(cost)
    assert len(governor.expenses) == 1


def test_an_alert_counts_at_the_highest_severity_that_it_reached() -> None:
    opened = _alert(1, probability=0.0)
    governor = _governor(opened)
    assert [governor.spent(s) for s in SEVERITIES] == [1.0, 0.0, 0.0]
    governor.spend(replace(opened, severity="critical"))
    governor.spend(replace(opened, severity="watch"))
    assert [governor.spent(s) for s in SEVERITIES] == [1.0, 1.0, 1.0]


def test_what_was_spent_more_than_a_year_ago_is_forgotten() -> None:
    governor = _governor(_alert(1, ago=400), _alert(2, ago=300))
    governor.forget(NOW)
    assert [NOW - e.at for e in governor.expenses] == [300 * DAY]


def test_what_is_allowed_grows_with_units_and_time_up_to_a_year() -> None:
    half, full, older = (_governor(days=days) for days in (183, 366, 3_000))
    assert half.allowed("watch", BUDGET, 40, NOW) == pytest.approx(20, rel=0.01)
    assert full.allowed("warning", BUDGET, 10, NOW) == pytest.approx(3, rel=0.01)
    assert older.allowed("watch", BUDGET, 40, NOW) == pytest.approx(40)


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


def test_an_expense_is_dated_by_the_opening_of_its_alert() -> None:
    opened = _alert(1)
    assert _governor(opened).expenses[0].at == seconds(opened.opened_at)
