"""Claims settled by counts, and skill worked out by hand."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.ledger import can_settle, counts_of, is_due, settle, skill, wilson
from detectors.records import Alert, Outcome
from detectors.timegrid import seconds
from tests.alert_records import alert
from tests.core_records import claim, clock, day, score

AT = seconds(clock(30))


def _settle(
    comparison: str, count: int, dark: tuple[int, ...] = (), first: int = 25, last: int = 27
) -> Outcome:
    """Settle a claim; the 28 days to day 28 hold 0 incidents, but days 25, 26, 27 hold 1, 2, 3."""
    daily = (*(0,) * 24, 1, 2, 3, 0)
    known = score(clock(28), daily=daily, series_end=day(28), dark_days=tuple(day(d) for d in dark))
    return settle(claim(first, last, count, comparison).resolver, known, AT)


@pytest.mark.parametrize(
    ("comparison", "count", "dark", "verdict"),
    [
        pytest.param("at_least", 6, (), "HIT", id="as many as claimed is a hit"),
        pytest.param("at_least", 7, (), "FALSE", id="fewer than claimed is false"),
        pytest.param("at_most", 6, (), "HIT", id="no more than claimed is a hit"),
        pytest.param("at_most", 5, (), "FALSE", id="more than claimed is false"),
        pytest.param("at_least", 6, (26,), "HIT", id="enough is enough, though a day was dark"),
        pytest.param("at_least", 7, (26,), "VOID", id="the dark may hide what was missing"),
        pytest.param("at_most", 5, (26,), "FALSE", id="too many are too many in the dark as well"),
        pytest.param("at_most", 6, (26,), "VOID", id="few in the dark prove nothing"),
        pytest.param(
            "at_least", 7, (20, 28), "FALSE", id="dark days outside the claim do not matter"
        ),
    ],
)
def test_a_claim_is_settled_by_its_days(
    comparison: str, count: int, dark: tuple[int, ...], verdict: str
) -> None:
    outcome = _settle(comparison, count, dark)
    assert outcome.verdict == verdict
    assert outcome.observed == 6
    assert outcome.at == clock(30)


@pytest.mark.parametrize(
    ("first", "last", "verdict"),
    [
        pytest.param(1, 28, "HIT", id="the whole series is at hand"),
        pytest.param(0, 27, "VOID", id="a day before the series is gone"),
        pytest.param(27, 29, "VOID", id="a day after the series is not known"),
    ],
)
def test_days_that_are_not_at_hand_void_the_claim(first: int, last: int, verdict: str) -> None:
    outcome = _settle("at_most", 6, first=first, last=last)
    assert outcome.verdict == verdict
    assert (outcome.observed is None) == (verdict == "VOID")


def test_a_score_without_a_series_voids_the_claim() -> None:
    known = score(clock(28), daily=(), series_end=None)
    assert settle(claim(25, 27, 1).resolver, known, AT).verdict == "VOID"


@pytest.mark.parametrize(
    ("indicator", "indicators", "signal", "observed"),
    [
        pytest.param("strikes", {"strikes": (0,) * 25 + (2, 0, 1)}, "S0", 2, id="its own counts"),
        pytest.param("strikes", {"protests": (1,) * 28}, "S0", 0, id="not named: none"),
        pytest.param("strikes", {}, "S0", 0, id="a sum that names none is zero all over"),
        pytest.param("strikes", {}, "S1", None, id="a signal that counts other things cannot tell"),
        pytest.param("violent_incidents", {}, "S1", 6, id="violence is what is counted by days"),
        pytest.param(
            "violent_incidents",
            {"strikes": (1,) * 28},
            "S0",
            0,
            id="nor is violence",
        ),
        pytest.param("strikes", {"strikes": (5, 5)}, "S0", None, id="too short a series"),
    ],
)
def test_a_claim_counts_its_own_indicator(
    indicator: str, indicators: dict[str, tuple[int, ...]], signal: str, observed: int | None
) -> None:
    known = score(
        clock(28),
        signal=signal,
        daily=(*(0,) * 24, 1, 2, 3, 0),
        series_end=day(28),
        indicators=indicators,
    )
    rule = replace(claim(25, 27, 2).resolver, indicator=indicator)
    outcome = settle(rule, known, AT)
    assert outcome.observed == observed
    if observed is None:
        assert outcome.verdict == "VOID"
    else:
        assert outcome.verdict == ("HIT" if observed >= 2 else "FALSE")


def test_counts_are_told_by_day() -> None:
    known = score(clock(28), daily=(1, 0, 2), series_end=day(28))
    assert counts_of(known, "violent_incidents") == {day(26): 1, day(27): 0, day(28): 2}
    assert counts_of(replace(known, series_end=None), "violent_incidents") is None


COUNTED = {"violent_incidents", "strikes"}


@pytest.mark.parametrize(
    ("to", "series_days", "evaluable"),
    [
        pytest.param({}, None, True, id="days, a count and a later time"),
        pytest.param({"indicator": "mood"}, None, False, id="nobody counts it"),
        pytest.param({"last_day": day(0)}, None, False, id="it has no days"),
        pytest.param({"settle_at": clock(14, hours=23)}, None, False, id="its days are not over"),
        pytest.param({"count": 0}, None, False, id="at least none cannot fail"),
        pytest.param({"count": 0, "comparison": "at_most"}, None, True, id="at most none can"),
        pytest.param({}, 20, True, id="its first day is the oldest of the series"),
        pytest.param({}, 19, False, id="its first day will be gone"),
    ],
)
def test_a_claim_that_cannot_be_evaluated_is_refused(
    to: dict[str, object], series_days: int | None, evaluable: bool
) -> None:
    rule = replace(claim(1, 14, 3).resolver, **to)
    assert can_settle(rule, COUNTED, series_days=series_days) is evaluable


def test_what_can_be_settled_is_not_void_for_want_of_days() -> None:
    rule = claim(1, 14, 3).resolver
    for series_days in range(1, 40):
        # By its latest the local day has turned when it is settled.
        known = score(
            rule.settle_at,
            daily=(1,) * series_days,
            series_end=day((rule.settle_at - clock()).days + 1),
        )
        outcome = settle(rule, known, seconds(rule.settle_at))
        assert (outcome.verdict != "VOID") == can_settle(rule, COUNTED, series_days=series_days)


def test_a_claim_is_due_from_its_time_on() -> None:
    resolver = claim(1, 14, 3).resolver
    due = seconds(resolver.settle_at)
    assert [is_due(resolver, at) for at in (due - 1, due, due + 1)] == [False, True, True]


def _ledger() -> list[Alert]:
    verdicts = ["HIT", "HIT", "FALSE", "VOID", None]
    return [
        alert(
            number,
            claim=replace(alert(number).claim, probability=probability, base_rate=0.1),
            outcome=Outcome(verdict, clock(), 3, "") if verdict else None,  # type: ignore[arg-type]
        )
        for number, (verdict, probability) in enumerate(
            zip(verdicts, [0.8, 0.6, 0.5, 0.9, 0.7], strict=True)
        )
    ]


def test_skill_by_hand() -> None:
    found = skill(_ledger())
    assert (found.claims, found.hits, found.false, found.void, found.open) == (5, 2, 1, 1, 1)
    assert found.brier == pytest.approx((0.2**2 + 0.4**2 + 0.5**2) / 3)
    assert found.brier_base == pytest.approx((0.9**2 + 0.9**2 + 0.1**2) / 3)
    assert found.log_score == pytest.approx((log(0.8) + log(0.6) + log(0.5)) / 3)
    assert found.precision == pytest.approx(2 / 3)
    assert found.precision_interval == pytest.approx((0.2077, 0.9385), abs=1e-4)


def test_nothing_settled_is_no_skill_rather_than_zero() -> None:
    found = skill(_ledger()[3:])
    assert (found.claims, found.void, found.open) == (2, 1, 1)
    assert (found.brier, found.log_score, found.precision, found.precision_interval) == (None,) * 4
    assert skill([]).claims == 0


def test_a_certain_claim_that_failed_has_a_finite_logarithmic_score() -> None:
    failed = replace(_ledger()[2], claim=replace(_ledger()[2].claim, probability=1.0))
    assert skill([failed]).log_score == pytest.approx(log(1e-6))


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_interval_holds_the_share_and_stays_within_zero_and_one(
    counts: tuple[int, int],
) -> None:
    hits, trials = counts
    low, high = wilson(hits, trials)
    assert 0.0 <= low <= hits / trials + 1e-12
    assert hits / trials - 1e-12 <= high <= 1.0


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        pytest.param(0, 10, 0.0, 0.2775, id="none of ten"),
        pytest.param(10, 10, 0.7225, 1.0, id="ten of ten"),
        pytest.param(81, 263, 0.2553, 0.3662, id="the example of Newcombe (1998)"),
    ],
)
def test_wilson_in_known_cases(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=1e-4)
