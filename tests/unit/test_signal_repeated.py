"""Scores that would be said again: a state that kept none says the same, at every step."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest

from detectors.incident_log import IncidentLog, netted
from detectors.records import Coverage, Event, EventType, Score
from detectors.signals import SIGNALS, Observation
from detectors.signals.repeated import again, forget, keep
from detectors.signals.warning_gap import GapState
from detectors.timegrid import DAY, HALF_DAY, day_number, seconds
from tests.core_records import START, event, town

STEPS = 6  # of half a day
DAYS = 40
FIRST = day_number(START.date())
SHARES: dict[Coverage, float] = {"ok": 1.0, "thin": 0.5, "dark": 0.1}


def _news(unit: str, step: int, rng: Random) -> list[Event]:
    """Return what some steps bring: violence, acts, warnings and what answers them."""
    if rng.random() < 0.7:
        return []
    types: tuple[EventType, ...] = ("ASSAULT", "AID", "SANCTION", "THREATEN")
    told: dict[str, Any] = {
        "event": rng.choice(types),
        "themes": rng.choice([(), (), ("warning",), ("truce_ended",), ("border_closed",)]),
        "actors": (rng.choice(["ttp", "taliban", "afg-forces", "pak-military"]),),
    }
    day = max(0, step // (2 * STEPS) - rng.choice([0, 0, 1, 3]))
    place = town("Torkham", "AF-NAN")
    return [
        event(f"{w}-{step}/0", day, unit=unit, place=place, publisher=w, source=w, **told)
        for w in ("wire", "post")[: rng.choice([1, 2])]
    ]


def _run(name: str, unit: str, *, restart: bool) -> list[tuple[Score, ...]]:
    signal, rng = SIGNALS[name], Random(7)
    logs: dict[EventType, IncidentLog] = {"ASSAULT": IncidentLog()}
    state, told = signal.initial(), []
    for step in range(2 * DAYS * STEPS):
        at = seconds(START) + (step + 1) * HALF_DAY // STEPS
        news = _news(unit, step, rng)
        change = netted(logs.setdefault(e.event, IncidentLog()).take(e, at) for e in news)
        coverage: Coverage = "dark" if step % 97 > 90 else "thin" if step % 89 > 86 else "ok"
        if restart:
            raw = msgspec.json.decode(msgspec.json.encode(state))
            state = msgspec.convert(raw, type(signal.initial()), str_keys=True)
        seen = Observation(
            unit=unit,
            country="AFG",
            at=at,
            half_day=2 * FIRST + step // STEPS,
            coverage=coverage,
            share=SHARES[coverage],
            incidents=logs["ASSAULT"],
            acts={kind: log for kind, log in logs.items() if kind != "ASSAULT"},
            new=change.new,
            gone=change.gone,
        )
        state, scores = signal.step(state, seen)
        told.append(scores)
    return told


@pytest.mark.parametrize(
    ("name", "unit"), [("S11", "AFG"), ("S11", "AF-NAN~PK-KP"), ("S11", "AFG~PAK"), ("M2", "AFG")]
)
def test_what_is_kept_changes_nothing(name: str, unit: str) -> None:
    kept, anew = (_run(name, unit, restart=restart) for restart in (False, True))
    assert any(kept)
    assert msgspec.json.encode(kept) == msgspec.json.encode(anew)


def _seen(**changes: Any) -> Observation:
    known: dict[str, Any] = {"at": DAY, "half_day": 2, "coverage": "ok", "share": 1.0}
    return Observation(unit="AFG", country="AFG", incidents=IncidentLog(), **known | changes)


def test_only_the_same_half_day_and_coverage_are_said_again() -> None:
    state = GapState()
    _, (score,) = SIGNALS["M2"].step(state, _seen())
    keep(state, _seen(), score)
    later = again(state, _seen(at=DAY + 60))
    assert later is not None
    assert (seconds(later.at), later.id) == (DAY + 60, f"M2/rise/AFG/{DAY + 60}")
    assert again(state, _seen(half_day=3)) is None
    assert again(state, _seen(share=0.9)) is None
    assert again(state, _seen(coverage="thin")) is None
    assert again(GapState(), _seen()) is None
    assert msgspec.json.decode(msgspec.json.encode(state), type=GapState) == state
    forget(state)
    assert again(state, _seen()) is None
