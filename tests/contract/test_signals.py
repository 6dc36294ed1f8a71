"""What every signal keeps to, whatever it measures."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest

from detectors.incidents import IncidentLog
from detectors.records import Coverage, Score
from detectors.signals import SIGNALS, Observation, Signal
from detectors.timegrid import DAY, day_number, seconds
from tests.core_records import START, clock, event, toll, town

FIRST = day_number(START.date())


def _observations(days: int = 60, seed: int = 1) -> Iterator[Observation]:
    """Yield two half days a day: quiet and less quiet weeks, some of them thin or dark."""
    rng = Random(seed)
    log = IncidentLog()
    for half in range(2 * days):
        today = half // 2
        at = seconds(START) + half * DAY // 2
        state: Coverage = "dark" if today % 20 == 17 else "thin" if today % 20 == 18 else "ok"
        found = [
            log.take(
                event(f"w-{half}-{n}/0", today, place=town(f"T{n}"), killed=toll(n)), at + DAY // 2
            )
            for n in range(rng.choice([0, 0, 1, 3, 8]) if today < days - 3 else 30)  # a surge
        ]
        log.forget(FIRST + today)
        yield Observation(
            unit="AF-KAN",
            country="AFG",
            at=at,
            half_day=2 * FIRST + half,
            coverage=state,
            share={"ok": 1.0, "thin": 0.6, "dark": 0.1}[state],
            incidents=log,
            new=tuple(incident for change in found for incident in change.new),
            gone=tuple(incident for change in found for incident in change.gone),
        )


def _run(signal: Signal, *, restart: bool = False, seed: int = 1) -> tuple[Any, list[Score]]:
    state = signal.initial()
    scores: list[Score] = []
    for seen in _observations(seed=seed):
        if restart:
            state = msgspec.json.decode(msgspec.json.encode(state), type=type(signal.initial()))
        state, found = signal.step(state, seen)
        for score in found:
            assert score.unit == seen.unit
            assert score.at == clock(0, seconds=seen.at - seconds(START))
            assert (score.coverage, score.coverage_share) == (seen.coverage, seen.share)
        scores.extend(found)
    return state, scores


every = pytest.mark.parametrize("signal", SIGNALS.values(), ids=SIGNALS)


def test_the_registry_is_by_name() -> None:
    assert [signal.name for signal in SIGNALS.values()] == list(SIGNALS)
    assert len({signal.title for signal in SIGNALS.values()}) == len(SIGNALS)


@every
def test_a_signal_says_what_it_is(signal: Signal) -> None:
    assert re.fullmatch(r"[SM][0-9]+", signal.name)  # the first part of an alert's id, before "-"
    assert signal.version >= 1
    assert signal.title
    module = sys.modules[type(signal).__module__].__doc__ or ""
    assert module.startswith(f"{signal.name}, ")
    assert (type(signal).__doc__ or "").startswith(signal.name)


@every
def test_a_state_survives_its_checkpoint_at_every_step(signal: Signal) -> None:
    kept, restarted = _run(signal), _run(signal, restart=True)
    assert msgspec.json.encode(kept) == msgspec.json.encode(restarted)


@every
def test_a_state_stays_small(signal: Signal) -> None:
    state, _ = _run(signal)
    assert len(msgspec.json.encode(state)) < 10_000


@every
def test_a_step_is_deterministic(signal: Signal) -> None:
    assert msgspec.json.encode(_run(signal)) == msgspec.json.encode(_run(signal))


@every
def test_scores_have_ids_of_their_own(signal: Signal) -> None:
    _, scores = _run(signal)
    assert scores
    assert len({score.id for score in scores}) == len(scores)
    for score in scores:
        at = seconds(score.at)
        assert score.id == f"{score.signal}/{score.direction}/{score.unit}/{at}"
        assert (score.signal, score.version) == (signal.name, signal.version)


@every
def test_scores_come_in_a_fixed_order(signal: Signal) -> None:
    _, scores = _run(signal)
    steps: dict[object, list[str]] = {}
    for score in scores:
        steps.setdefault(score.at, []).append(score.direction)
    assert len({tuple(directions) for directions in steps.values()}) == 1


@every
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_p_value_is_a_probability_and_unknown_in_the_dark(signal: Signal, seed: int) -> None:
    _, scores = _run(signal, seed=seed)
    assert {score.coverage for score in scores} == {"ok", "thin", "dark"}
    for score in scores:
        assert score.p is None or 0.0 <= score.p <= 1.0
        assert score.reason
        if score.coverage == "dark":
            assert (score.p, score.claim) == (None, None)
        if score.state != "scored":
            assert (score.p, score.claim) == (None, None)


@every
def test_scores_survive_the_wire(signal: Signal) -> None:
    _, scores = _run(signal)
    for score in scores:
        assert msgspec.json.decode(msgspec.json.encode(score), type=Score) == score


@every
def test_what_may_open_alerts_makes_claims(signal: Signal) -> None:
    _, scores = _run(signal)
    assert any(score.claim for score in scores) == signal.alerts
