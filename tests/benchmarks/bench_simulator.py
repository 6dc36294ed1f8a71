"""How fast worlds are simulated, and how far their figures are from those asked for.

Run: `python tests/benchmarks/bench_simulator.py`. Counts are of 1,000 unit-years at rates from 0.02
to 20 a day; reports of half a year of every watched unit at 0.02 to 1 a day. Seconds are of one
processor.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from detectors.coding import code
from detectors.records import Report
from streams.simulator import About, Spec, World, unit_names
from streams.simulator.spec import WATCHED
from tests.incident_measures import Known, b_cubed, put_together


def timed(what: Callable[[], object]) -> float:
    started = time.process_time()
    what()
    return time.process_time() - started


def counts(echo: float) -> None:
    world = World(Spec(units=unit_names(1_000), echo=echo, days=365, season=0, drift=0))
    drawn, arrived = timed(lambda: world.counts), timed(lambda: world.arrivals)
    off = (world.counts - world.drawn.expected)[:, 40:]
    loud = world.drawn.rates > 1
    scaled = off[loud] / off[loud].std(axis=1, keepdims=True)
    print(
        f"echo {echo:g}: {1_000 / drawn:,.0f} unit-years/s of counts, "
        f"{1_000 / (drawn + arrived):,.0f} with the arrivals of {len(world.arrivals.unit):,} "
        f"incidents; autocorrelation "
        f"{np.mean(scaled[:, 1:] * scaled[:, :-1]):.3f}"
    )


def reports(prose: float, duplicates: float) -> None:
    world = World(Spec(rate=(0.02, 1), days=181, prose=prose, duplicates=duplicates))
    pairs: list[tuple[Report, About]] = []
    taken = timed(lambda: pairs.extend(world.told()))
    events = [
        (event, about)
        for (_, about), found in zip(pairs, code([r for r, _ in pairs]), strict=True)
        for event in found.events
        if event.unit in WATCHED and event.event == "ASSAULT" and not event.auxiliary
    ]
    false = Counter(about.kind for _, about in events if about.incident is None)
    known = [Known(e, about.incident) for e, about in events if about.incident is not None]
    found = put_together(each for each in known if each.event.occurred)
    print(
        f"prose {prose:g}, duplicates {duplicates:g}: {len(pairs) / taken:,.0f} reports/s; "
        f"{len({given for given, _ in found})} incidents for {world.truth.reported} told, "
        f"B3 {b_cubed(found)}; violent events read in other news: {dict(false)}"
    )


if __name__ == "__main__":
    for each in (0.0, 0.6):
        counts(each)
    for share in (0.0, 1.0):
        for copied in (0.0, 0.2):
            reports(share, copied)
