"""Days of invented events, run through one signal as the detect stage would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

import msgspec
from msgspec import Struct

from detectors.incident_log import IncidentLog, netted
from detectors.records import Coverage, Event, EventType, Score
from detectors.signals.base import Observation, Signal
from detectors.timegrid import HALF_DAY, day_number, seconds
from tests.core_records import START

#: The day number of test day 0.
FIRST = day_number(START.date())
_SHARES: dict[Coverage, float] = {"ok": 1.0, "thin": 0.5, "dark": 0.1}


class Run(Struct):
    """What a signal said: its last state, and its scores by half days since test day 0."""

    state: Any
    halves: list[tuple[Score, ...]]

    def on(self, day: int, direction: str = "rise") -> Score:
        """Return the last score of a test day."""
        return next(s for s in self.halves[2 * day + 1] if s.direction == direction)

    def strengths(self, first: int, last: int, direction: str = "rise") -> list[float]:
        """Return the strengths at the end of the days `first` to `last`, both included."""
        return [self.on(day, direction).strength or 0.0 for day in range(first, last + 1)]


def run(
    signal: Signal,
    events: Iterable[Event],
    days: int,
    *,
    unit: str = "AF-KAN",
    country: str = "AFG",
    coverage: Mapping[int, Coverage] | None = None,
    restart: bool = False,
) -> Run:
    """Run a signal over test days, in two half days each.

    Args:
        signal: The signal.
        events: Told at the end of the half day in which they were seen.
        days: How many.
        unit: What is observed.
        country: Of the unit.
        coverage: By test day; a day that is not in it is `ok`.
        restart: Whether the state goes through its checkpoint at each step.
    """
    due: dict[int, list[Event]] = {}
    for each in events:
        due.setdefault((seconds(each.seen_at) - seconds(START)) // HALF_DAY, []).append(each)
    logs: dict[EventType, IncidentLog] = {"ASSAULT": IncidentLog()}
    state, halves = signal.initial(), []
    for half in range(2 * days):
        at = seconds(START) + (half + 1) * HALF_DAY
        told = sorted(due.get(half, ()), key=lambda each: (each.seen_at, each.id))
        change = netted(logs.setdefault(e.event, IncidentLog()).take(e, at) for e in told)
        for log in logs.values():
            log.forget(FIRST + half // 2)
        state_of_coverage = (coverage or {}).get(half // 2, "ok")
        if restart:
            raw = msgspec.json.decode(msgspec.json.encode(state))
            state = msgspec.convert(raw, type(signal.initial()), str_keys=True)
        state, scores = signal.step(
            state,
            Observation(
                unit=unit,
                country=country,
                at=at,
                half_day=2 * FIRST + half,
                coverage=state_of_coverage,
                share=_SHARES[state_of_coverage],
                incidents=logs["ASSAULT"],
                acts={event: log for event, log in logs.items() if event != "ASSAULT"},
                new=change.new,
                gone=change.gone,
            ),
        )
        halves.append(scores)
    return Run(state, halves)


def poisson(rate: float, days: int, seed: int) -> list[int]:
    """Return Poisson counts of some days, the same for the same seed."""
    rng = Random(seed)
    counts = []
    for _ in range(days):
        count, waited = 0, rng.expovariate(rate)
        while waited < 1.0:
            count, waited = count + 1, waited + rng.expovariate(rate)
        counts.append(count)
    return counts


def onsets(series: list[float], bar: float) -> int:
    """Return how often a series rises over a bar; it must be under half of it in between."""
    found, up = 0, False
    for value in series:
        if not up and value >= bar:
            found, up = found + 1, True
        elif up and value < bar / 2:
            up = False
    return found
