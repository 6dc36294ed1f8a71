"""How soon an outage is known for one, and how often calm news is taken for one.

Run: `.venv/bin/python tests/benchmarks/bench_coverage.py [seeds]`. On simulated streams (bursty,
with nights, Fridays and a common pace; `tests/coverage_streams.py`), each seed learns for 35 days:
then either nothing happens (how often is anything called `thin` or `dark`?), or all news halves for
a week, or some outlets fall silent at a random hour (is every unit's state right six hours later?).
A state is right when it is that of the share that can truly be had, or of one within 0.08 of it.
Beside it the baseline: each source by its own silence alone.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).resolve().parents[2]))  # `tests` is not an installed package

from detectors.coverage import UNIT_DARK, UNIT_OK, Sources
from detectors.records import SourceHealth
from detectors.timegrid import seconds
from tests.core_records import START
from tests.coverage_streams import HOUR, Coverages, Outlet, hourly, outlets, units

_LEARN = 35  # days
_NEAR = 0.08
_AFTER = (3, 6, 12, 24)  # hours


def _state(share: float) -> str:
    return "ok" if share >= UNIT_OK else "thin" if share >= UNIT_DARK else "dark"


def _right(state: str, share: float) -> bool:
    return state in {_state(share - _NEAR), _state(share), _state(share + _NEAR)}


def _never(outlet: Outlet, at: int) -> bool:
    return False


def _world(seed: int, daily: float) -> tuple[Coverages, Random]:
    rng = Random(seed)
    found = outlets(rng, daily)
    return Coverages(found, units(found, rng)), rng


def calm(seeds: range, daily: float, days: int, lull: float = 1.0) -> None:
    """Print how often anything undisturbed is called thin or dark."""
    hours = bad = called = unit_hours = unit_bad = unit_called = 0
    start = seconds(START) + _LEARN * 86_400
    for seed in seeds:
        world, rng = _world(seed, daily)
        was: dict[str, bool] = defaultdict(bool)

        def pace(at: int) -> float:
            return lull if start <= at < start + 7 * 86_400 else 1.0

        for end, counts in hourly(world.outlets, _LEARN + days, rng, lull=pace):
            healths = world.hour(end, counts, _never, rng)
            if end <= start:
                continue
            states = {h.source: h.state != "ok" for h in healths}
            judged = {u: world.judged(u, "AFG").state != "ok" for u in world.units}
            hours, bad = hours + len(states), bad + sum(states.values())
            unit_hours, unit_bad = unit_hours + len(judged), unit_bad + sum(judged.values())
            for name, now in states.items():
                called += now and not was[name]
            for name, now in judged.items():
                unit_called += now and not was[name]
            was.update(states | judged)
    what = "undisturbed" if lull == 1.0 else f"all news at {lull:.0%}"
    print(
        f"  {what}, {days} days: sources thin or dark {bad / hours:.3%} of the time, "
        f"{called / hours * 24:.4f} calls a source-day; units {unit_bad / unit_hours:.3%}, "
        f"{unit_called / unit_hours * 24:.4f} calls a unit-day"
    )


def outage(name: str, seeds: range, daily: float, *, alone: bool = False) -> None:
    """Print how often units' states are right so many hours after an outage began, and ended."""
    right: dict[tuple[str, int], list[bool]] = defaultdict(list)
    kept = Sources._judge
    if alone:  # the baseline: nothing is judged together
        Sources._judge = lambda self, end: self._sum_up()  # type: ignore[method-assign]
    for seed in seeds:
        world, rng = _world(seed, daily)
        start = seconds(START) + _LEARN * 86_400 + rng.randrange(7 * 24) * HOUR
        stop = start + 36 * HOUR
        half = set(rng.sample(world.outlets, len(world.outlets) // 2))

        def struck(outlet: Outlet, half: set[Outlet] = half) -> bool:
            return {
                "half of all": outlet in half,
                "Pashto": outlet.language == "ps",
                "Afghan outlets": outlet.country == "AFG",
                "all": True,
            }[name]

        def out(outlet: Outlet, at: int, start: int = start, stop: int = stop) -> bool:
            return start < at <= stop and struck(outlet)

        for end, counts in hourly(world.outlets, _LEARN + 10, rng):
            world.hour(end, counts, out, rng)
            for since, begin in (("began", start), ("ended", stop)):
                after = (end - begin) // HOUR
                if after in _AFTER:
                    for unit in world.units:
                        share = world.truth(unit, out, end, "AFG")
                        state = world.judged(unit, "AFG").state
                        right[since, after].append(_right(state, share))
    Sources._judge = kept  # type: ignore[method-assign]
    told = "; ".join(
        f"{since} {', '.join(f'{h} h {_share(right[since, h]):.0%}' for h in _AFTER)}"
        for since in ("began", "ended")
    )
    print(f"  {name}{' (each source alone)' if alone else ''}: units right after it {told}")


def _share(found: list[bool]) -> float:
    return sum(found) / len(found)


def speed() -> None:
    """Print the cost of a step and the size of the state."""
    import msgspec

    world, rng = _world(1, 24.0)
    for end, counts in hourly(world.outlets, 20, rng):
        world.hour(end, counts, _never, rng)
    told: list[SourceHealth] = []
    best = 1e9
    for hour in range(1, 31):
        begun, told = time.perf_counter(), []
        for monitor in world.monitors.values():
            told.extend(monitor.close_hour({}, end + hour * HOUR, None)[1])
        best = min(best, time.perf_counter() - begun)
    print(f"  closing an hour of {len(told)} cells: {best * 1e6:.0f} µs")
    begun = time.perf_counter()
    world.sources.know(told, end + HOUR)
    print(f"  judging them together: {(time.perf_counter() - begun) * 1e6:.0f} µs")
    size = len(msgspec.json.encode(world.sources)) / len(told)
    intake = sum(len(msgspec.json.encode(m)) for m in world.monitors.values()) / len(told)
    print(f"  state: {size:.0f} bytes a cell where judged, {intake:.0f} where counted")


def main() -> None:
    """Print all."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
    for daily in (24.0, 6.0):
        print(f"25 sources, 32 cells of some {daily:.0f} reports a day, {len(seeds)} seeds:")
        calm(seeds, daily, 30)
        calm(seeds, daily, 7, 0.5)
        for name in ("half of all", "Pashto", "Afghan outlets", "all"):
            outage(name, seeds, daily)
            outage(name, seeds, daily, alone=True)
    print("Cost:")
    speed()


if __name__ == "__main__":
    main()
