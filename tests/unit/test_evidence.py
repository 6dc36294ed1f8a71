"""S0: what all signals on a unit come to together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import evidence
from detectors.incident_log import IncidentLog
from detectors.records import Coverage, IncidentRef, Score
from detectors.signals import SIGNALS, Observation
from detectors.signals.counting import MOST_EVIDENCE, REMARKABLE
from detectors.timegrid import day_number, instant, seconds
from tests.core_records import START, claim, day, toll

TODAY = 60
#: What can be summed; each test takes the first two or three.
COUNTERS = [name for name, signal in SIGNALS.items() if signal.indicator]


def _seen(unit: str = "AF-KAN", coverage: Coverage = "ok") -> Observation:
    return Observation(
        unit=unit,
        country="AFG",
        at=seconds(START) + TODAY * 86_400,
        half_day=2 * (day_number(START.date()) + TODAY),
        coverage=coverage,
        share={"ok": 1.0, "thin": 0.5, "dark": 0.1}[coverage],
        incidents=IncidentLog(),
    )


def _said(signal: str, strength: float | None = 0.0, **changes: Any) -> Score:
    """Return what one signal says of a rise in Kandahar."""
    known: dict[str, Any] = {
        "id": f"{signal}/{changes.get('direction', 'rise')}/AF-KAN/1",
        "signal": signal,
        "version": 1,
        "unit": "AF-KAN",
        "direction": "rise",
        "at": instant(seconds(START) + TODAY * 86_400),
        "state": "scored",
        "coverage": "ok",
        "coverage_share": 1.0,
        "strength": strength,
        "p": 0.4,
        "usual": 0.1,
        "observed": 5,
        "expected": 2.5,
        "window_days": 3,
        "reason": f"{signal} says so",
        "daily": (0,) * 28,
        "series_end": day(TODAY),
    }
    return Score(**{**known, **changes})


def _sum(*scores: Score, **changes: Any) -> Score:
    """Return the sum of the rises."""
    by_name = {f"{score.signal}/{score.direction}": score for score in scores}
    return next(s for s in evidence.sum_up(_seen(**changes), by_name) if s.direction == "rise")


def _ref(number: int, on: int = 0) -> IncidentRef:
    return IncidentRef(f"i-{number:03}", day(on), "Kandahar", toll(1), ("wire",), ("wire-1/0",))


@given(st.lists(st.floats(0, 60), min_size=1, max_size=len(COUNTERS)))
def test_the_strength_is_the_sum_of_the_parts_the_strongest_first(drawn: list[float]) -> None:
    scores = [_said(name, round(s, 4)) for name, s in zip(COUNTERS, drawn, strict=False)]
    found = _sum(*scores)
    strongest, *others = sorted((s.strength or 0.0 for s in scores), reverse=True)
    assert found.strength == pytest.approx(strongest + evidence.SHARED * sum(others), abs=1e-3)
    assert found.strength == pytest.approx(sum(part.strength for part in found.parts), abs=1e-3)
    order = [part.strength for part in found.parts]
    assert order == sorted(order, reverse=True)
    assert all(part.strength > 0 for part in found.parts)
    assert len(found.parts) == sum(bool(s.strength) for s in scores)


@given(st.permutations(COUNTERS), st.floats(0, 9))
def test_the_order_in_which_signals_are_told_does_not_matter(
    names: list[str], strength: float
) -> None:
    tied = [_said(name, strength, daily=(0,) * 28) for name in names]
    told = [_said(name, strength, daily=(0,) * 28) for name in COUNTERS]
    assert _sum(*tied) == _sum(*told)


def test_directions_are_summed_apart() -> None:
    first, second, *_ = COUNTERS
    scores = [_said(first, 3.0), _said(first, 1.0, direction="fall"), _said(second, 2.0)]
    by_name = {f"{score.signal}/{score.direction}": score for score in scores}
    found = {s.direction: s.strength for s in evidence.sum_up(_seen(), by_name)}
    assert found == {"rise": 4.0, "fall": 1.0}


def test_where_nothing_counts_there_is_nothing_to_sum() -> None:
    coverage = _said("M1", None, usual=None)
    foreign = _said("S0", 9.0)
    assert evidence.sum_up(_seen(), {"M1/rise": coverage, "S0/rise": foreign}) == ()


def test_the_strongest_lends_its_words_its_numbers_and_its_claim() -> None:
    first, second, third, *_ = COUNTERS
    mine, other = claim(61, 74, 5), claim(61, 74, 9)
    found = _sum(
        _said(first, 1.0, claim=other, observed=1),
        _said(second, 4.0, claim=mine, observed=12, expected=3.0, window_days=7),
        _said(third, 0.0),
    )
    assert (found.observed, found.expected, found.window_days) == (12, 3.0, 7)
    assert found.claim == mine
    assert found.reason == f"{second} says so; {first} says so"


def test_where_the_strongest_claims_nothing_the_next_does() -> None:
    first, second, *_ = COUNTERS
    other = claim(61, 74, 9)
    assert _sum(_said(first, 6.0), _said(second, 1.0, claim=other)).claim == other


@pytest.mark.parametrize(
    ("strength", "claims"),
    [(REMARKABLE, True), (REMARKABLE - 0.01, False), (0.0, False)],
)
def test_what_is_not_remarkable_claims_nothing(strength: float, claims: bool) -> None:
    found = _sum(_said(COUNTERS[0], strength, claim=claim(61, 74, 5)))
    assert (found.claim is not None) is claims


def test_incidents_of_several_signals_are_told_once_by_day() -> None:
    first, second, *_ = COUNTERS
    found = _sum(
        _said(first, 1.0, evidence=(_ref(1, 3), _ref(2, 1))),
        _said(second, 4.0, evidence=(_ref(3, 2), _ref(1, 3))),
    )
    assert [ref.id for ref in found.evidence] == ["i-002", "i-003", "i-001"]


def test_of_many_incidents_those_of_the_strongest_stay() -> None:
    first, second, *_ = COUNTERS
    many = tuple(_ref(number) for number in range(40))
    more = tuple(_ref(number) for number in range(100, 140))
    found = _sum(_said(first, 1.0, evidence=many), _said(second, 4.0, evidence=more))
    assert len(found.evidence) == MOST_EVIDENCE
    assert {ref.id for ref in more} <= {ref.id for ref in found.evidence}


def test_it_tells_what_each_signal_counts_but_for_zeros() -> None:
    first, second, *_ = COUNTERS
    counts = (0,) * 27 + (3,)
    found = _sum(_said(first, 1.0, daily=counts), _said(second, 1.0))
    assert found.indicators == {SIGNALS[first].indicator: counts}


def test_the_least_p_pays_for_the_number_of_signals() -> None:
    first, second, third, *_ = COUNTERS
    scores = [_said(first, 5.0, p=0.01), _said(second, 0.1, p=0.7), _said(third, 0.0, p=None)]
    assert _sum(*scores).p == pytest.approx(0.03)
    assert _sum(*(_said(name, 0.0, p=0.9) for name in COUNTERS)).p == 1.0


@pytest.mark.parametrize(
    ("unit", "usual", "bursty", "stratum"),
    [
        pytest.param("AF-KAN", 2.0, False, "admin1/3", id="fourteen a week"),
        pytest.param("AF-KAN", 2.0, True, "admin1/3+", id="fourteen a week, in bursts"),
        pytest.param("AF-KAN", 16 / 7, False, "admin1/4", id="sixteen a week begin a class"),
        pytest.param("AFG", 30.0, True, "country/7+", id="a country"),
        pytest.param("AFG", 1e6, False, "country/8", id="the last class is open"),
        pytest.param("AF-KAN", 1 / 7, True, "admin1/0", id="few incidents show no bursts"),
        pytest.param("AF-KAN", 0.0, True, "admin1/-3", id="nothing at all"),
        pytest.param("AF-NAN~PK-KP", 4 / 7, True, "border/2+", id="a border"),
        pytest.param("AFG~PAK", 0.5 / 7, False, "dyad/-1", id="a dyad"),
    ],
)
def test_units_are_compared_with_their_like(
    unit: str, usual: float, bursty: bool, stratum: str
) -> None:
    score = _said(COUNTERS[0], 1.0, usual=usual, bursty=bursty)
    assert _sum(score, unit=unit).stratum == stratum


def test_what_is_usual_adds_up_and_the_busiest_says_whether_it_comes_in_bursts() -> None:
    first, second, *_ = COUNTERS
    scores = [_said(first, usual=1.5, bursty=True), _said(second, usual=0.5, bursty=False)]
    assert _sum(*scores).stratum == "admin1/3+"


def test_in_the_dark_nothing_is_known() -> None:
    lost: dict[str, Any] = {
        "state": "unknown",
        "coverage": "dark",
        "p": None,
        "reason": "10% of the usual reporting can be had: not judged",
    }
    found = _sum(*(_said(name, None, **lost) for name in COUNTERS), coverage="dark")
    assert (found.state, found.strength, found.p, found.claim) == ("unknown", None, None, None)
    assert (found.parts, found.evidence) == ((), ())
    assert "not judged" in found.reason
    assert found.stratum  # it stays what it is


def test_while_all_are_learning_so_is_the_sum() -> None:
    learning: dict[str, Any] = {"state": "learning", "p": None, "reason": "learning: 3 of 14 days"}
    found = _sum(*(_said(name, None, **learning) for name in COUNTERS))
    assert (found.state, found.strength, found.claim) == ("learning", None, None)
    assert found.reason == "learning: 3 of 14 days"


def test_what_is_still_learning_adds_nothing_to_what_is_not() -> None:
    first, second, *_ = COUNTERS
    learning: dict[str, Any] = {"state": "learning", "p": None}
    found = _sum(_said(first, None, **learning), _said(second, 2.0, p=0.1))
    assert (found.state, found.strength, found.p) == ("scored", 2.0, 0.1)
