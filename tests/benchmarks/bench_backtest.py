"""How long a backtest takes and how much memory: `python -m tests.benchmarks.bench_backtest`.

The history is a data set like UCDP GED, invented: structured records of violent incidents by unit
and day, negative binomial about a level that wanders, with surges, delays of some days, and three
publishers. `--reports` and `--days` say how many over how long. Skill on it means nothing.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from detectors.monitor import Monitor
from detectors.records import Casualties, IncidentRecord, Interval, Report
from detectors.rules import RULES
from detectors.timegrid import Grid
from detectors.world.units import of_kind
from streams.backtest.evaluate import evaluate
from streams.backtest.history import record
from streams.backtest.walk import walk
from streams.replay import timed

_START: Final = datetime(2015, 1, 1, tzinfo=UTC)
_PUBLISHERS: Final = ("alpha", "beta", "gamma")


def history(reports: int, days: int, seed: int = 20) -> list[Report]:
    """Return about so many reports over so many days, in the order in which they were seen."""
    generator = np.random.default_rng(seed)
    units = of_kind("admin1")
    share = generator.gamma(0.6, size=len(units))
    share /= share.sum()
    found: list[Report] = []
    for unit, part in zip(units, share, strict=True):
        drift = np.exp(np.cumsum(generator.normal(0, 0.02, days)))
        surge = np.where(np.arange(days) % 200 < 20, 2.5, 1.0)
        rate = drift * surge
        rate *= reports * part / rate.sum()
        counts = generator.poisson(generator.gamma(2.0, rate / 2.0))
        found.extend(_of_unit(unit.code, unit.country, counts, generator))
    return sorted(found, key=lambda each: (each.seen_at, each.id))


def _of_unit(
    unit: str, country: str, counts: np.ndarray, generator: np.random.Generator
) -> Iterator[Report]:
    for day, count in enumerate(counts):
        occurred = (_START + timedelta(days=day)).date()
        for number in range(count):
            delay = float(generator.exponential(1.0)) + 0.2
            source = _PUBLISHERS[int(generator.integers(3))]
            best = int(generator.pareto(1.5) * 2)
            yield Report(
                id=f"{source}/{unit}/{day}/{number}",
                source=source,
                seen_at=_START + timedelta(days=day + delay),
                title=f"Incident {number} in {unit}",
                publisher=source,
                record=IncidentRecord(
                    event="ASSAULT",
                    occurred=Interval(occurred, occurred),
                    country=country,
                    admin1=unit,
                    place=f"Place {int(generator.integers(300))}",
                    precision="town",
                    killed=Casualties(best, best, best),
                ),
            )


def main() -> None:
    """Print how long each pass took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=730)
    asked = parser.parse_args()
    reports = history(asked.reports, asked.days)
    print(
        f"{len(reports):,} reports over {asked.days:,} days, {_peak():.0f} MiB with all in memory"
    )
    started = time.process_time()
    known = record(Monitor(), timed(reports, Grid()))
    _told("live code", started, len(reports))
    started = time.process_time()
    walked = walk(known, RULES)
    _told("rules", started, len(reports))
    started = time.process_time()
    for kind in ("admin1", "country"):
        level = evaluate(known, walked, RULES, kind)
        print(f"{kind}: {level.period.unit_years:.0f} unit-years, {len(level.warned)} onsets")
    _told("account", started, len(reports))
    print(f"peak {_peak():.0f} MiB")


def _told(what: str, started: float, reports: int) -> None:
    spent = time.process_time() - started
    print(f"{what}: {spent:.1f} s of processor time, {1e6 * spent / reports:.0f} µs a report")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
