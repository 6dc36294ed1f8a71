"""What an event costs in the detect and alert stages, and how much is remembered of a unit.

Run: `python -m tests.benchmarks.detection.cost`, some three minutes. The bundled scenario, and a
year of 20 incidents a day in one province, coded before; then events go to the watch, scores to the
desk, in batches. Time in a signal is that of its `step` and `concerns`, divided by the events times
the signals that their units have; what the clock itself takes is measured and taken off. In the
busy year only units are watched that have an event a day, so that it tells of events; in the
scenario all are, and most of the time goes into units that turn a half day without any. Times are
of the processor. The baseline decodes each event from JSON and does nothing with it. Aims: 20 µs an
event and signal, 8 KiB of state a unit and signal.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Struct

from detectors import evidence, index, watch
from detectors.alerting import Desk, Policy
from detectors.intake import Intake, IntakeState
from detectors.records import Alert, Event, Report, Score, Tick
from detectors.signals import SIGNALS, Signal, applies
from detectors.timegrid import Grid, instant
from detectors.watch import Watch
from detectors.world.units import UNITS
from streams.replay import timed
from streams.scenarios.render import render
from streams.simulator import Spec, World
from tests.benchmarks.detection.figures import Figures, table

AIM_MICROSECONDS: Final = 20.0
AIM_BYTES: Final = 8_192
_BUSY: Final = "PK-KP"
_BATCH: Final = 500
_CALLS: Final = 200_000  # to know what the clock takes


class Clock(Struct):
    """Seconds and calls by name."""

    seconds: dict[str, float] = {}
    calls: dict[str, int] = {}

    def timed(self, name: str, what: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function with its time taken."""
        spent, calls, now = self.seconds, self.calls, time.process_time
        spent.setdefault(name, 0.0)
        calls.setdefault(name, 0)

        def call(*args: Any) -> Any:
            begun = now()
            result = what(*args)
            spent[name] += now() - begun
            calls[name] += 1
            return result

        return call

    def net(self, name: str, each: float) -> float:
        """Return the seconds of a part without those that the clock took, `each` a call."""
        return max(0.0, self.seconds.get(name, 0.0) - each * self.calls.get(name, 0))


class Timed:
    """A signal whose calls are timed; in all else the signal."""

    def __init__(self, signal: Signal, clock: Clock) -> None:
        self._signal = signal
        self.step = clock.timed(f"{signal.name} step", signal.step)
        self.concerns = clock.timed(f"{signal.name} concerns", signal.concerns)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._signal, name)


@contextmanager
def clocked(clock: Clock) -> Iterator[None]:
    """Take the time of the signals, of summing up, of the index and of publishing meanwhile."""
    with ExitStack() as stack:
        for name, signal in list(SIGNALS.items()):
            stack.callback(SIGNALS.__setitem__, name, signal)
            SIGNALS[name] = Timed(signal, clock)  # type: ignore[assignment]
        for module, name, part in (
            (evidence, "sum_up", "S0 sum"),
            (index, "attach", "index"),
            (watch, "_publish", "publish"),
        ):
            whole = getattr(module, name)
            stack.callback(setattr, module, name, whole)
            setattr(module, name, clock.timed(part, whole))
        yield


def clock_cost() -> float:
    """Return how many seconds of a timed call are the clock's own."""
    clock = Clock()
    call = clock.timed("nothing", lambda *_: None)
    for _ in range(_CALLS):
        call(None)
    return clock.seconds["nothing"] / _CALLS


def coded(reports: Iterable[Report]) -> list[list[Event | Tick]]:
    """Return the events of reports in batches, each with the ticks that follow it."""
    grid = Grid()
    intake, state, offset = Intake(grid), IntakeState(), 0
    batches: list[list[Event | Tick]] = []
    source = iter(timed(reports, grid))
    while batch := list(islice(source, _BATCH)):
        found = intake.take(state, enumerate(batch, offset))
        offset += len(batch)
        batches.append([*found.events, *found.ticks(0, 1)])
    return batches


class Spent(Struct):
    """What a replay took: seconds by part, events, and events times the signals of their units."""

    clock: Clock
    events: int
    pairs: int
    by_signal: dict[str, int]  # events that came to units with a signal
    watch: float
    desk: float
    alerts: list[Alert]
    state: Watch


def replay(batches: list[list[Event | Tick]], units: Iterable[str]) -> Spent:
    """Return what it takes to score batches of events and to keep the alerts."""
    grid, clock, codes = Grid(), Clock(), set(units)
    watched, desk = Watch(grid, sorted(codes)), Desk(grid, Policy())
    events = [r for batch in batches for r in batch if isinstance(r, Event) and r.unit in codes]
    of_unit = {u: [n for n, s in SIGNALS.items() if applies(s, u)] for u in UNITS}
    by_signal: defaultdict[str, int] = defaultdict(int)
    for event in events:
        for name in of_unit[event.unit]:
            by_signal[name] += 1
    spent = Spent(clock, len(events), sum(by_signal.values()), by_signal, 0.0, 0.0, [], watched)
    taken = handed = 0
    with clocked(clock):
        for batch in batches:
            begun = time.process_time()
            scores = watched.take(enumerate(batch, taken))
            between = time.process_time()
            onward: list[Score | Tick] = [*scores, Tick(0, 1, instant(watched.state.closed))]
            spent.alerts.extend(desk.take(enumerate(onward, handed)).alerts)
            spent.desk += time.process_time() - between
            spent.watch += between - begun
            taken, handed = taken + len(batch), handed + len(onward)
    return spent


def busy_units(batches: list[list[Event | Tick]], least: float) -> list[str]:
    """Return the units that so many events came to."""
    found = Counter(r.unit for batch in batches for r in batch if isinstance(r, Event))
    return sorted(unit for unit, number in found.items() if unit in UNITS and number >= least)


def decoding(batches: list[list[Event | Tick]]) -> float:
    """Return how many seconds it takes to decode each event from JSON: the baseline."""
    raw = [msgspec.json.encode(r) for batch in batches for r in batch if isinstance(r, Event)]
    decode = msgspec.json.Decoder(Event).decode
    begun = time.process_time()
    for each in raw:
        decode(each)
    return (time.process_time() - begun) / max(1, len(raw))


def sizes(watched: Watch) -> dict[str, list[tuple[int, str]]]:
    """Return the bytes of JSON state, by signal, of each unit that has one."""
    found: dict[str, list[tuple[int, str]]] = {}
    for unit, state in sorted(watched.units.items()):
        for name, each in state.signals.items():
            found.setdefault(name, []).append((len(msgspec.json.encode(each)), unit))
    return {name: sorted(found[name]) for name in SIGNALS if name in found}


def _measured(name: str, batches: list[list[Event | Tick]], units: Iterable[str]) -> Figures:
    spent, own = replay(batches, units), clock_cost()
    per_signal = {
        signal: {
            "events": events,
            "step_us": 1e6 * spent.clock.net(f"{signal} step", own) / events,
            "concerns_us": 1e6 * spent.clock.net(f"{signal} concerns", own) / events,
            "steps": (steps := spent.clock.calls[f"{signal} step"]),
            "us_per_step": 1e6 * spent.clock.net(f"{signal} step", own) / max(1, steps),
        }
        for signal in SIGNALS
        if (events := spent.by_signal.get(signal, 0))
    }
    whole = sum(
        spent.clock.net(f"{signal} {part}", own)
        for signal in SIGNALS
        for part in ("step", "concerns")
    )
    parts = {
        part: 1e6 * spent.clock.net(part, own) / spent.events
        for part in ("S0 sum", "index", "publish")
    }
    clock_took = own * sum(spent.clock.calls.values())
    figures: Figures = {
        "events": spent.events,
        "event_signals": spent.pairs,
        "us_per_event_and_signal": 1e6 * whole / max(1, spent.pairs),
        "signals_us_per_event": 1e6 * whole / spent.events,
        **{f"{part.replace(' ', '_').lower()}_us_per_event": us for part, us in parts.items()},
        "watch_us_per_event": 1e6 * max(0.0, spent.watch - clock_took) / spent.events,
        "desk_us_per_event": 1e6 * spent.desk / spent.events,
        "decode_us_per_event": 1e6 * decoding(batches),
        "signals": per_signal,
        "state_bytes": {s: _size(found) for s, found in sizes(spent.state).items()},
    }
    _print(name, figures)
    return figures


def _size(found: list[tuple[int, str]]) -> Figures:
    numbers = [size for size, _ in found]
    return {
        "units": len(numbers),
        "mean": sum(numbers) / len(numbers),
        "p95": numbers[min(len(numbers) - 1, int(0.95 * len(numbers)))],
        "largest": found[-1][0],
        "unit": found[-1][1],
    }


def _print(name: str, found: Figures) -> None:
    print(
        f"{name}: {found['events']:,} events, {found['event_signals']:,} with a signal; "
        f"signals {found['us_per_event_and_signal']:.1f} µs an event and signal "
        f"(aim {AIM_MICROSECONDS:.0f})"
    )
    parts = ("signals", "s0_sum", "index", "publish", "watch", "desk", "decode")
    table(
        ("µs an event", "whole watch", "desk", "decode (baseline)", "signals", "S0", "index",
         "publish"),
        [("", *(found[f"{p}_us_per_event"] for p in (*parts[4:], *parts[:4])))],
    )  # fmt: skip
    table(
        ("signal", "events", "steps", "µs a step", "µs an event", "concerns", "state mean", "95 %",
         "largest", "which"),
        [
            (s, f["events"], f["steps"], f["us_per_step"], f["step_us"] + f["concerns_us"],
             f["concerns_us"], *_state(found, s))
            for s, f in found["signals"].items()
        ],
    )  # fmt: skip


def _state(found: Figures, signal: str) -> tuple[object, ...]:
    size = found["state_bytes"].get(signal)
    if size is None:
        return (None,) * 4
    return round(size["mean"]), size["p95"], size["largest"], size["unit"]


def cost(days: int = 365, rate: float = 20.0, *, scenario: bool = True) -> Figures:
    """Print and return what an event costs.

    Args:
        days: Length of the busy simulated world.
        rate: Its incidents a day, all in one province.
        scenario: Whether the bundled scenario is measured too.
    """
    spec = Spec(seed=71, days=days, units=(_BUSY,), rate=(rate, rate), echo=0.3)
    batches = coded(World(spec).reports())
    name = f"{rate:g} incidents a day in {_BUSY}, {days} days"
    busy = _measured(name, batches, busy_units(batches, days))
    found: Figures = {"busy": busy}
    if scenario:
        found["scenario"] = _measured("Bundled scenario", coded(render()), UNITS)
    largest = max(
        (size["largest"], signal, size["unit"])
        for part in found.values()
        for signal, size in part["state_bytes"].items()
    )
    print(
        f"Largest state: {largest[0]:,} bytes, {largest[1]} of {largest[2]} "
        f"(aim {AIM_BYTES:,}: {'kept' if largest[0] <= AIM_BYTES else 'missed'})"
    )
    return found | {"largest_state": list(largest)}


if __name__ == "__main__":
    cost()
