"""S1: what it finds, what it leaves alone, and what it claims."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from detectors.baseline import GUARD_DAYS, HALF_LIFE_DAYS, LEARNING_DAYS
from detectors.incident_log import IncidentLog
from detectors.incidents import Incident
from detectors.ledger import can_settle, settle
from detectors.linkage import Told
from detectors.records import Coverage, Score
from detectors.series import SERIES_DAYS
from detectors.signals import INDICATORS, Observation
from detectors.signals.claims import HORIZON_DAYS, TAIL
from detectors.signals.counting import REMARKABLE, CountState
from detectors.signals.scored import SUSPECT
from detectors.signals.violence_surge import ViolenceSurge
from detectors.timegrid import DAY, day_number, seconds
from tests.core_records import START, day
from tests.signal_records import poisson

FIRST = day_number(START.date())
SPEAKS = GUARD_DAYS + LEARNING_DAYS


class Run(Struct):
    """The scores at the end of each local day, and the state after the last."""

    rise: list[Score]
    fall: list[Score]
    state: CountState


def _incident(on: int, number: int) -> Incident:
    told = [
        Told(f"e-{on}-{number}/{n}", 0, FIRST + on, FIRST + on, witness, witness, "AF-KAN")
        for n, witness in enumerate(("post", "wire"))
    ]
    return Incident(
        id=f"i-{on}-{number}",
        day=FIRST + on,
        filed=FIRST + on,
        last=FIRST + on,
        admin1="AF-KAN",
        place="Kandahar",
        told=told,
        first_seen=0,
    )


def _run(
    series: Sequence[int], dark: Collection[int] = (), state: Coverage = "dark", delay: int = 1
) -> Run:
    """Feed daily counts, each seen `delay` days later at noon; days in `dark` are not seen."""
    signal, log = ViolenceSurge(), IncidentLog()
    run = Run([], [], signal.initial())
    for today in range(len(series)):
        for half in (0, 1):
            on = today - delay
            new = [_incident(on, n) for n in range(series[on])] if half and on >= 0 else []
            if new:
                log.by_day[FIRST + on] = new
            lost = today in dark
            seen = Observation(
                unit="AF-KAN",
                country="AFG",
                at=seconds(START) + today * DAY + half * DAY // 2,
                half_day=(FIRST + today) * 2 + half,
                coverage=state if lost else "ok",
                share=0.2 if lost else 1.0,
                incidents=log,
                new=tuple(new),
            )
            run.state, (rise, fall) = signal.step(run.state, seen)
        run.rise.append(rise)
        run.fall.append(fall)
    return run


def _p(scores: Sequence[Score]) -> list[float]:
    return [s.p for s in scores if s.p is not None]


def _strengths(scores: Sequence[Score]) -> list[float]:
    return [s.strength or 0.0 for s in scores]


def _strongest(scores: Sequence[Score]) -> Score:
    return max(scores, key=lambda s: s.strength or 0.0)


def test_learning_says_so_and_then_it_speaks() -> None:
    run = _run([1] * (SPEAKS + 2))
    for scores in (run.rise, run.fall):
        assert [s.state for s in scores] == ["learning"] * SPEAKS + ["scored"] * 2
        learning = scores[:SPEAKS]
        assert all((s.p, s.strength, s.claim) == (None, None, None) for s in learning)
        assert f"{LEARNING_DAYS} days" in learning[0].reason
        assert all(s.strength is not None for s in scores[SPEAKS:])


@pytest.mark.parametrize("rate", [0, 1, 3, 10])
def test_a_flat_series_is_flat(rate: int) -> None:
    run = _run([rate] * 120)
    assert max(_strengths(run.rise)) < REMARKABLE
    assert max(_strengths(run.fall)) < REMARKABLE
    assert run.rise[-1].usual == pytest.approx(rate, rel=0.08, abs=0.03)
    assert run.rise[-1].expected == pytest.approx(
        rate * (run.rise[-1].window_days or 0), rel=0.35, abs=0.1
    )


@pytest.mark.parametrize("rate", [0.02, 0.3, 1.0, 4.0])
@pytest.mark.parametrize("direction", ["rise", "fall"])
def test_chance_alone_seldom_has_a_small_p(rate: float, direction: str) -> None:
    """The days with p at most α are no more than α, within the error of so many days."""
    found: list[float] = []
    for seed in range(4):
        run = _run(poisson(rate, 400, seed))
        found += _p(run.rise if direction == "rise" else run.fall)
    for alpha in (0.1, 0.05, 0.01):
        share = sum(p <= alpha for p in found) / len(found)
        assert share <= 1.5 * alpha


@pytest.mark.parametrize("rate", [0.02, 0.3, 1.0, 4.0])
def test_chance_alone_is_seldom_strong(rate: float) -> None:
    """The mean of exp(strength) of a day's last look is a few at most: it is a likelihood ratio.

    Of one stretch it would be 1 (Wald); the strongest of fourteen has some more.
    """
    found = [
        exp(strength)
        for seed in range(4)
        for strength in _strengths(_run(poisson(rate, 400, seed)).rise)
    ]
    assert 1.0 <= sum(found) / len(found) < 5.0


@pytest.mark.parametrize(
    ("usual", "surge"),
    [
        pytest.param(0, 4, id="four a day in a quiet province"),
        pytest.param(1, 6, id="six a day where one is usual"),
        pytest.param(5, 20, id="twenty a day where five are usual"),
    ],
)
def test_a_planted_surge_is_found_within_three_days(usual: int, surge: int) -> None:
    quiet = 60
    run = _run([usual] * quiet + [surge] * 6)
    assert max(_strengths(run.rise[: quiet + 1])) < REMARKABLE
    first = quiet + 1  # the surge's first day is seen a day later
    best = _strongest(run.rise[first : first + 3])
    assert (best.strength or 0.0) > 5.0
    assert min(_p(run.rise[first : first + 3])) < 0.02
    assert (best.observed or 0) > (best.expected or 0.0)
    assert {ref.publishers for ref in best.evidence} == {("post", "wire")}
    # It says since when: the days of the surge that are known, and today.
    assert run.rise[first + 2].window_days == 4


@pytest.mark.parametrize(("usual", "within"), [(4, 3), (10, 2)])
def test_a_planted_lull_is_found(usual: int, within: int) -> None:
    quiet = 70
    run = _run([usual] * quiet + [0] * 10)
    assert max(_strengths(run.fall[: quiet + 1])) < 2.0
    best = _strongest(run.fall[quiet : quiet + within + 1])
    assert (best.strength or 0.0) > 4.0
    assert (best.p or 1.0) < 0.02
    assert (best.observed or 0) < (best.expected or 0.0)
    assert best.claim is not None
    assert best.claim.resolver.comparison == "at_most"


def test_where_little_happens_nothing_is_no_lull() -> None:
    run = _run([1 if n % 14 == 0 else 0 for n in range(100)] + [0] * 30)
    assert max(_strengths(run.fall)) < 1.0
    assert min(_p(run.fall)) > 0.1
    assert all(s.claim is None for s in run.fall)


def test_a_return_after_a_lull_is_found_against_the_lull() -> None:
    """As many as usual come back: no surge against the months before, but one against the lull."""
    run = _run([8] * 70 + [0] * 10 + [8] * 5)
    assert max(_strengths(run.rise[:81])) < REMARKABLE
    for score in run.rise[81:85]:
        assert "the lull before" in score.reason
    assert (run.rise[82].strength or 0.0) > 5.0
    assert (run.rise[82].p or 1.0) < 0.02


def test_without_a_lull_the_usual_is_no_return() -> None:
    run = _run([8] * 90)
    assert all("the lull before" not in s.reason for s in run.rise)


def test_two_incidents_are_weak_evidence_however_quiet_it_was() -> None:
    run = _run([0] * 90 + [2] + [0] * 5)
    assert max(_strengths(run.rise)) < SUSPECT
    assert _run([0] * 90 + [4] + [0] * 5).rise[-1].strength == pytest.approx(
        max(_strengths(run.rise)) * 2, rel=0.3
    )


@pytest.mark.parametrize("series", [[3] * 60, [3] * 50 + [30] * 10, [8] * 50 + [0] * 10])
def test_in_the_dark_nothing_is_judged(series: list[int]) -> None:
    run = _run(series, dark=range(50, 60))
    for score in (*run.rise[50:], *run.fall[50:]):
        assert (score.state, score.coverage) == ("unknown", "dark")
        assert (score.p, score.strength, score.claim) == (None, None, None)
        assert score.evidence == ()
        assert "not judged" in score.reason
        assert score.usual is not None  # what is usual is no less known than before
    assert run.rise[-1].dark_days == tuple(day(n) for n in range(50, 60))


def test_half_seen_days_are_expected_to_bring_less() -> None:
    series = [5] * 60 + [2] * 7
    seen, thin = _run(series), _run(series, dark=range(60, 67), state="thin")
    assert thin.fall[-1].state == "scored"
    assert (seen.fall[-1].strength or 0.0) > 2.0
    assert (thin.fall[-1].strength or 0.0) < REMARKABLE
    many = [5] * 60 + [9] * 7
    seen, thin = _run(many), _run(many, dark=range(60, 67), state="thin")
    assert (thin.rise[-1].strength or 0.0) > (seen.rise[-1].strength or 0.0)


def test_a_day_that_is_half_seen_is_ranked_but_teaches_nothing() -> None:
    series = [2] * 60 + [9] * 5
    seen, thin = _run(series), _run(series, dark=range(60, 65), state="thin")
    assert all(s.p is not None for s in thin.rise[60:])
    assert thin.state.rises == _run(series[:60]).state.rises
    assert thin.state.series.suspects == []
    assert len(seen.state.series.suspects) >= 3


LEVEL: dict[str, Callable[[CountState], float]] = {
    "rate": lambda s: s.series.baseline.rate(None),
    "size": lambda s: s.series.baseline.level(None).size,
}


@pytest.mark.parametrize("of", LEVEL)
@pytest.mark.parametrize("first", range(300, 307))
def test_days_that_were_not_seen_are_not_learned(of: str, first: int) -> None:
    """An outage of ten days that hides everything leaves what is usual as it was."""
    hidden = [0 if first <= n < first + 10 else 4 for n in range(340)]
    seen = _run([4] * 340).state
    outage = _run(hidden, dark=range(first, first + 11)).state
    assert LEVEL[of](outage) == pytest.approx(LEVEL[of](seen), rel=0.1, abs=0.005)


def test_a_surge_does_not_become_its_own_baseline() -> None:
    surge = _run([1] * 60 + [8] * HALF_LIFE_DAYS)
    usual = [s.usual or 0.0 for s in surge.rise]
    assert usual[60 + GUARD_DAYS] == pytest.approx(usual[60], rel=0.02)  # the guard gap
    assert usual[-1] < 2.5  # a day near an alarm weighs a quarter
    assert min(_strengths(surge.rise[63:])) > 5.0  # a month on it is still a surge


def test_what_goes_on_for_long_becomes_usual() -> None:
    run = _run([1] * 60 + [3] * 400)
    assert run.rise[-1].usual == pytest.approx(3.0, rel=0.1)
    assert (run.rise[-1].strength or 0.0) < REMARKABLE


@pytest.mark.parametrize("delay", [0, 1, 2])
def test_reports_that_come_late_as_usual_are_no_lull(delay: int) -> None:
    run = _run([6] * 200, delay=delay)
    assert max(_strengths(run.fall[100:])) < REMARKABLE


def test_a_surge_that_is_told_late_counts_on_its_days() -> None:
    run = _run([2] * 70 + [12] * 3 + [2] * 10, delay=4)
    best = _strongest(run.rise)
    assert (best.strength or 0.0) > 5.0
    assert best.daily.count(12) == 3
    last = best.daily[::-1].index(12)  # days ago
    assert last == 4  # on the day that it is told, its last day is four days old


series = st.lists(st.integers(0, 9), min_size=SPEAKS + 1, max_size=SPEAKS + 40)


@given(series, st.sets(st.integers(0, 70)), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_scores_and_claims_are_consistent(counts: list[int], dark: set[int], delay: int) -> None:
    run = _run(counts, dark, delay=delay)
    for on, score in [*enumerate(run.rise), *enumerate(run.fall)]:
        assert (score.p is None) == (score.strength is None) == (score.state != "scored")
        assert (score.state == "unknown") == (on in dark)
        assert score.series_end == day(on)
        assert len(score.daily) == SERIES_DAYS
        assert (score.usual or 0.0) > 0.0
        if score.strength is not None and score.p is not None:
            assert score.strength >= 0.0
            assert 0.0 < score.p <= 1.0
            window = score.daily[-(score.window_days or 0) :]
            assert score.observed == sum(window)
        if score.claim is not None:
            _check_claim(score, on)
            assert (score.strength or 0.0) >= REMARKABLE - 1e-3
        elif score.direction == "rise":
            assert (score.strength or 0.0) <= REMARKABLE + 1e-3


def _check_claim(score: Score, on: int) -> None:
    claim = score.claim
    assert claim is not None
    resolver = claim.resolver
    assert resolver.unit == score.unit
    assert str(resolver.count) in claim.statement
    assert 0.0 <= claim.probability <= 1.0
    assert 0.0 <= claim.base_rate <= TAIL
    assert can_settle(resolver, INDICATORS, series_days=SERIES_DAYS)
    if score.direction == "rise":
        assert resolver.comparison == "at_least"
        assert resolver.count >= 1
        assert (resolver.first_day, resolver.last_day) == (day(on + 1), day(on + HORIZON_DAYS))
    else:
        assert resolver.comparison == "at_most"
        assert resolver.count >= (score.observed or 0)
        assert resolver.last_day == day(on)
        days = (resolver.last_day - resolver.first_day).days + 1
        assert days == score.window_days
    assert seconds(resolver.settle_at) > seconds(START) + (on + 1) * DAY


def test_a_rise_makes_its_claim_likelier_than_its_base_rate() -> None:
    run = _run([2] * 60 + [9] * 4)
    claim = run.rise[-1].claim
    assert claim is not None
    assert claim.probability > 0.5 > TAIL >= claim.base_rate


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        pytest.param(9, "HIT", id="it goes on"),
        pytest.param(0, "FALSE", id="it is over"),
        pytest.param(2, "FALSE", id="it is as usual again"),
    ],
)
def test_the_claim_of_a_rise_is_settled_from_later_counts(after: int, verdict: str) -> None:
    run = _run([2] * 60 + [9] * 4 + [after] * 22)
    opened = run.rise[63].claim
    assert opened is not None
    due = seconds(opened.resolver.settle_at)
    later = next(s for s in run.rise if seconds(s.at) >= due)
    outcome = settle(opened.resolver, later, due)
    assert outcome.verdict == verdict
    assert outcome.observed == HORIZON_DAYS * after


@pytest.mark.parametrize(
    ("late", "verdict"),
    [
        pytest.param(0, "HIT", id="nothing came late"),
        pytest.param(6, "FALSE", id="as many as usual came late"),
    ],
)
def test_the_claim_of_a_fall_is_settled_by_what_comes_late(late: int, verdict: str) -> None:
    quiet = _run([6] * 70 + [0] * 6)
    opened = quiet.fall[75].claim
    assert opened is not None
    run = _run([6] * 70 + [late] * 6 + [6] * 6)
    due = seconds(opened.resolver.settle_at)
    later = next(s for s in run.fall if seconds(s.at) >= due)
    assert settle(opened.resolver, later, due).verdict == verdict


def test_a_claim_is_settled_when_its_last_day_and_the_grace_are_over_in_local_time() -> None:
    claim = _run([2] * 60 + [12] * 2).rise[-1].claim
    assert claim is not None
    settle_at = claim.resolver.settle_at
    assert (settle_at.hour, settle_at.minute) == (19, 30)
    assert (settle_at.date() - claim.resolver.last_day).days == 4


def test_a_look_at_noon_and_one_at_night_give_one_rank() -> None:
    """Of each day the strongest look counts, so that looking often is no alarm more."""
    run = _run([1] * 60 + [9] * 3)
    known = run.state.rises
    assert sum(known.days.values()) <= 63
    assert known.highest == max(_strengths(run.rise))
