"""S1: what it finds, what it leaves alone, and what it claims."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from detectors.distributions import upper_tail
from detectors.incidents import Incident, IncidentLog
from detectors.linkage import Told
from detectors.records import Coverage, Score
from detectors.signals import Observation
from detectors.signals.violence_surge import (
    GUARD_DAYS,
    HORIZON_DAYS,
    LEARNING_DAYS,
    REMARKABLE_P,
    TAIL,
    SurgeState,
    ViolenceSurge,
)
from detectors.timegrid import DAY, day_number, seconds
from tests.core_records import START, day

FIRST = day_number(START.date())
SPEAKS = GUARD_DAYS + LEARNING_DAYS


class Run(Struct):
    """The scores at the end of each local day, and the state after the last."""

    rise: list[Score]
    fall: list[Score]
    state: SurgeState


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


def _poisson(rate: float, days: int, seed: int) -> list[int]:
    rng = Random(seed)
    counts = []
    for _ in range(days):
        count, waited = 0, rng.expovariate(rate)
        while waited < 1.0:
            count, waited = count + 1, waited + rng.expovariate(rate)
        counts.append(count)
    return counts


def _p(scores: Sequence[Score]) -> list[float]:
    return [s.p for s in scores if s.p is not None]


def test_learning_says_so_and_then_it_speaks() -> None:
    run = _run([1] * (SPEAKS + 2))
    for scores in (run.rise, run.fall):
        assert [s.state for s in scores] == ["learning"] * SPEAKS + ["scored"] * 2
        learning = scores[:SPEAKS]
        assert all(s.p is None and s.claim is None for s in learning)
        assert f"{LEARNING_DAYS} days" in learning[0].reason


@pytest.mark.parametrize("rate", [0, 1, 3, 10])
def test_a_flat_series_is_flat(rate: int) -> None:
    run = _run([rate] * 120)
    assert min(_p(run.rise)) > 0.05
    assert min(_p(run.fall)) > 0.05
    assert run.rise[-1].expected == pytest.approx(
        rate * (run.rise[-1].window_days or 0), rel=0.3, abs=0.6
    )


@pytest.mark.parametrize("rate", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("direction", ["rise", "fall"])
def test_chance_alone_seldom_has_a_small_p(rate: float, direction: str) -> None:
    """The days with p at most α are no more than α, within the error of so many days."""
    found: list[float] = []
    for seed in range(4):
        run = _run(_poisson(rate, 400, seed))
        found += _p(run.rise if direction == "rise" else run.fall)
    for alpha in (0.05, 0.01):
        share = sum(p <= alpha for p in found) / len(found)
        assert share <= 1.5 * alpha


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
    assert min(_p(run.rise[: quiet + 1])) > 0.05
    first = quiet + 1  # the surge's first day is seen a day later
    assert min(_p(run.rise[first : first + 3])) < 0.0083
    best = min(run.rise[first : first + 3], key=lambda s: s.p or 0.0)
    assert (best.observed or 0) > (best.expected or 0.0)
    assert {ref.publishers for ref in best.evidence} == {("post", "wire")}


@pytest.mark.parametrize(("usual", "within"), [(4, 8), (10, 6)])
def test_a_planted_lull_is_found(usual: int, within: int) -> None:
    quiet = 70
    run = _run([usual] * quiet + [0] * 10)
    found = run.fall[quiet : quiet + within + 1]
    assert min(_p(found)) < 0.0166
    best = min(found, key=lambda s: s.p or 0.0)
    assert (best.observed or 0) < (best.expected or 0.0)


def test_where_little_happens_nothing_is_no_lull() -> None:
    run = _run([1 if n % 14 == 0 else 0 for n in range(100)] + [0] * 30)
    assert min(_p(run.fall)) > 0.05
    assert all(s.claim is None for s in run.fall)


def test_a_return_after_a_lull_is_found_against_the_lull() -> None:
    """As many as usual come back: no surge against the months before, but one against the lull."""
    run = _run([8] * 70 + [0] * 10 + [8] * 5)
    back = run.rise[81:85]
    best = min(back, key=lambda s: s.p or 0.0)
    assert best.p is not None
    assert best.p < 0.0083
    assert "the lull before" in best.reason
    assert run.rise[75].p == 1.0


def test_two_incidents_are_no_rise_however_quiet_it_was() -> None:
    run = _run([0] * 90 + [2] + [0] * 5)
    assert min(_p(run.rise)) > 0.05


@pytest.mark.parametrize("series", [[3] * 60, [3] * 50 + [30] * 10, [8] * 50 + [0] * 10])
def test_in_the_dark_nothing_is_judged(series: list[int]) -> None:
    run = _run(series, dark=range(50, 60))
    for score in (*run.rise[50:], *run.fall[50:]):
        assert (score.state, score.coverage, score.p, score.claim) == (
            "unknown",
            "dark",
            None,
            None,
        )
        assert score.evidence == ()
        assert "not judged" in score.reason
    assert run.rise[-1].dark_days == tuple(day(n) for n in range(50, 60))


def test_half_seen_days_are_expected_to_bring_less() -> None:
    series = [5] * 60 + [2] * 7
    seen, thin = _run(series), _run(series, dark=range(60, 67), state="thin")
    assert (thin.fall[-1].expected or 0.0) < (seen.fall[-1].expected or 0.0)
    assert (thin.fall[-1].p or 0.0) > (seen.fall[-1].p or 0.0)
    assert thin.fall[-1].state == "scored"


LEVEL: dict[str, Callable[[SurgeState], float]] = {
    "rate": lambda s: s.total / s.days,
    "dispersion": lambda s: s.dispersion / s.blocks,
}


@pytest.mark.parametrize("of", LEVEL)
@pytest.mark.parametrize("first", range(300, 307))
def test_days_that_were_not_seen_are_not_learned(of: str, first: int) -> None:
    """An outage of ten days that hides everything leaves what is usual as it was."""
    hidden = [0 if first <= n < first + 10 else 4 for n in range(340)]
    seen = _run([4] * 340).state
    outage = _run(hidden, dark=range(first, first + 10)).state
    assert LEVEL[of](outage) == pytest.approx(LEVEL[of](seen), rel=0.1, abs=0.005)


def test_a_surge_does_not_become_its_own_baseline() -> None:
    run = _run([1] * 60 + [8] * GUARD_DAYS)
    assert max(s.expected or 0.0 for s in run.rise[60:]) < 10
    assert min(_p(run.rise[66:])) == pytest.approx(max(_p(run.rise[66:])), abs=0.01)


series = st.lists(st.integers(0, 9), min_size=SPEAKS + 1, max_size=SPEAKS + 40)


@given(series, st.sets(st.integers(0, 70)), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_scores_and_claims_are_consistent(counts: list[int], dark: set[int], delay: int) -> None:
    run = _run(counts, dark, delay=delay)
    for on, score in [*enumerate(run.rise), *enumerate(run.fall)]:
        assert (score.p is None) == (score.state != "scored")
        assert (score.state == "unknown") == (on in dark)
        assert score.series_end == day(on)
        assert len(score.daily) == 28
        if score.p is not None:
            assert 0.0 <= score.p <= 1.0
            window = score.daily[-(score.window_days or 0) :]
            assert score.observed == sum(window)
        if score.claim is not None:
            _check_claim(score, on)
            assert score.p is not None
            assert score.p <= REMARKABLE_P
        elif score.direction == "rise":
            assert score.p is None or score.p > REMARKABLE_P


def _check_claim(score: Score, on: int) -> None:
    claim = score.claim
    assert claim is not None
    resolver = claim.resolver
    assert resolver.unit == score.unit
    assert str(resolver.count) in claim.statement
    assert 0.0 <= claim.probability <= 1.0
    assert 0.0 <= claim.base_rate <= TAIL
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


def test_a_claim_is_settled_when_its_last_day_and_the_grace_are_over_in_local_time() -> None:
    claim = _run([2] * 60 + [12] * 2).rise[-1].claim
    assert claim is not None
    settle_at = claim.resolver.settle_at
    assert (settle_at.hour, settle_at.minute) == (19, 30)
    assert (settle_at.date() - claim.resolver.last_day).days == 4


def test_a_rise_on_one_day_is_not_rarer_than_its_tail() -> None:
    """The p-value is the Bonferroni bound: never below the rarest single comparison."""
    run = _run([1] * 60 + [7])
    score = run.rise[-1]
    assert score.p is not None
    assert score.expected is not None
    assert score.p >= upper_tail(score.observed or 0, score.expected, 1e9)
