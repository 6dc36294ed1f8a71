"""How often S4 finds coupling across a border where there is some, and where there is none.

Run: `python -m tests.benchmarks.bench_coupling [worlds]`. Pairs of series of 400 days, the first
100 to learn from. Placebo pairs are independent, with violence that comes in clusters, and may
share a season, or a fortnight in which each is three times as busy (a third cause: told for
honesty). In coupled pairs incidents on one side beget others on the other from day 250 on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from math import pi, sin

import numpy as np
from msgspec import Struct

from detectors.incident_log import IncidentLog
from detectors.incidents import Incident
from detectors.linkage import Told
from detectors.signals.base import Observation
from detectors.signals.coupling import CouplingState, CrossBorderCoupling
from detectors.timegrid import DAY
from tests.signal_records import onsets

DAYS, LEARN, FROM = 400, 100, 250
BARS = (2.0, 3.0, 4.0, 5.0)
_KERNEL = np.exp(-np.arange(21) / 4)
_SHARES = _KERNEL / _KERNEL.sum()
SEASON = [1.0 + 0.5 * sin(2 * pi * day / 365) for day in range(DAYS + 1)]


class Pair(Struct, frozen=True):
    """How a pair of series is made."""

    rate: tuple[float, float]  # incidents a day
    echo: float = 0.3  # further incidents that one begets on its own side
    cross: float = 0.0  # ... on the other side, from the first to the second, from day `FROM` on
    season: bool = False
    fortnight: bool = False  # both are busy at once from day `FROM` on
    burst: float = 0.0  # days a year on which the first side has `BURST` more
    size: int = 6


def drawn(pair: Pair, rng: np.random.Generator) -> np.ndarray:
    """Return counts by sides and days: a branching process by days."""
    counts = np.zeros((2, DAYS), dtype=int)
    more = np.zeros((2, DAYS + 22))
    for day in range(DAYS):
        busy = 3.0 if pair.fortnight and FROM <= day < FROM + 14 else 1.0
        factor = busy * (SEASON[day] if pair.season else 1.0)
        for side in (0, 1):
            mean = pair.rate[side] * (1 - pair.echo) * factor + more[side, day]
            counts[side, day] = rng.poisson(mean)
        if rng.random() < pair.burst / 365:
            counts[0, day] += pair.size
        for side in (0, 1):
            begets = counts[side, day] * _SHARES
            more[side, day + 1 : day + 22] += pair.echo * begets
            if side == 0 and day >= FROM:
                more[1, day + 1 : day + 22] += pair.cross * begets
    return counts


def incident(side: int, day: int, number: int) -> Incident:
    unit = ("AF-NAN", "PK-KP")[side]
    told = Told(f"{side}-{day}-{number}/0", day * DAY, day, day, "wire", "wire", unit)
    return Incident(
        id=f"i-{side}-{day}-{number}", day=day, filed=day, last=day, first_seen=day * DAY,
        admin1=unit, place="", told=[told],
    )  # fmt: skip


def observations(counts: np.ndarray) -> Iterator[Observation]:
    log = IncidentLog()
    first = 20_000
    for number in range(counts.shape[1]):
        day = first + number
        new = [incident(s, day, n) for s in (0, 1) for n in range(counts[s, number])]
        log.by_day[day] = new
        log.by_day.pop(day - 46, None)
        yield Observation(
            unit="AF-NAN~PK-KP", country="AFG", at=day * DAY, half_day=2 * day + 1, coverage="ok",
            share=1.0, incidents=log, new=tuple(new),
        )  # fmt: skip


def strengths(counts: np.ndarray) -> list[float]:
    signal, state = CrossBorderCoupling(), CouplingState()
    found = []
    for seen in observations(counts):
        state, (score,) = signal.step(state, seen)
        found.append(score.strength or 0.0)
    return found


def placebo(name: str, pair: Pair, worlds: int) -> None:
    every = [strengths(drawn(pair, np.random.default_rng(seed)))[LEARN:] for seed in range(worlds)]
    years = worlds * (DAYS - LEARN) / 365
    rates = [sum(onsets(each, bar) for each in every) / years for bar in BARS]
    told = ", ".join(f"{rate:.2f}" for rate in rates)
    print(f"placebo  {name:44} onsets a pair-year at {BARS} nats: {told}")


def power(name: str, pair: Pair, worlds: int) -> None:
    every = [strengths(drawn(pair, np.random.default_rng(seed))) for seed in range(worlds)]
    line = []
    for bar in BARS:
        delays = [next((d for d, v in enumerate(e[FROM:]) if v >= bar), None) for e in every]
        hits = [delay for delay in delays if delay is not None and delay < 90]
        middle = f"{np.median(hits):.0f} d" if hits else "-"
        line.append(f"{len(hits) / worlds:.2f} ({middle})")
    print(f"coupled  {name:44} found in 90 days (median): {', '.join(line)}")


def main() -> None:
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    for rate in ((0.02, 0.02), (0.1, 0.1), (0.5, 0.5), (2.0, 0.3), (2.0, 2.0)):
        placebo(f"{rate}, clusters", Pair(rate), worlds)
    placebo("(0.5, 0.5), strong clusters", Pair((0.5, 0.5), echo=0.6), worlds)
    placebo("(0.5, 0.5), a season in common", Pair((0.5, 0.5), season=True), worlds)
    placebo("(0.3, 0.3), bursts on one side", Pair((0.3, 0.3), burst=6), worlds)
    placebo("(0.5, 0.5), a busy fortnight in common", Pair((0.5, 0.5), fortnight=True), worlds)
    for cross in (0.3, 0.6, 0.9):
        power(f"(0.3, 0.3), {cross} beget", Pair((0.3, 0.3), cross=cross), worlds)
        power(f"(0.3, 0.3), {cross} beget, bursts", Pair((0.3, 0.3), cross=cross, burst=6), worlds)
    began = time.process_time()
    steps = len(strengths(drawn(Pair((2.0, 2.0)), np.random.default_rng(0))))
    print(f"{(time.process_time() - began) / steps * 1e6:.0f} µs a step")


if __name__ == "__main__":
    main()
