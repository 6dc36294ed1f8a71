"""What signals say where there is nothing to say, and when something is known to have been.

Run: `python -m tests.benchmarks.detection.placebo [worlds]`, some two minutes for one.

Null worlds: nothing changes in them. A day of a unit should have p <= alpha on a share alpha of
days; printed is the share over alpha, with an interval from drawing units again (bootstrap by
clusters, since the days of a unit are not independent). Beside it the share of days with a strength
of -log(alpha) nats or more over alpha: by Wald 1947 that of a log likelihood ratio is 1 at most.

Known episodes: the mean strength on the dates of an episode of the bundled scenario, over the units
of a signal, beside that of stretches of equally many days at random dates outside all episodes. p
is that of the permutation test: the share of stretches at least as strong, with the episode itself
among them.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from math import log
from typing import Final

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from detectors import evidence
from detectors.monitor import Monitor
from detectors.records import Report, Score
from detectors.signals import SIGNALS
from detectors.signals.calibrated import Ranks
from detectors.timegrid import HALF_DAY, instant, local_half_days, seconds
from detectors.world.units import UNITS
from streams.replay import timed
from streams.scenarios.render import render
from streams.simulator import Spec, World
from tests.benchmarks.detection.figures import Figures, between, table
from tests.benchmarks.detection.pairs import GRID

ALPHAS: Final = (0.01, 0.001)
#: The known episodes of the scenario: first and last day, and which way violence went.
EPISODES: Final = {
    "Reduction in Violence": (date(2020, 2, 22), date(2020, 2, 28), "fall"),
    "its end": (date(2020, 3, 1), date(2020, 3, 7), "rise"),
    "Eid ceasefire": (date(2020, 5, 24), date(2020, 5, 26), "fall"),
}
_DRAWN = 200  # random dates, and times that units are drawn again
_BURN = 60  # days before anything is counted
_BATCH = 500
#: Signal and direction.
Key = tuple[str, str]
Floats = NDArray[np.float64]


class Day(Struct):
    """What a signal said of a unit on one day: the largest strength, the least p."""

    strength: float = 0.0
    p: float = 1.0
    observed: bool = False


class Days(Struct):
    """What was said day by day, where it was judged and well seen."""

    by: dict[Key, dict[tuple[str, date], Day]] = field(default_factory=dict)

    def take(self, scores: Iterable[Score]) -> None:
        """Take in published scores. What does not change within a day is not told again."""
        for score in scores:
            if score.state != "scored" or score.coverage != "ok" or score.strength is None:
                continue
            days = self.by.setdefault((score.signal, score.direction), {})
            day = days.setdefault((score.unit, _local(score)), Day())
            day.strength = max(day.strength, score.strength)
            day.p = min(day.p, 1.0 if score.p is None else score.p)
            day.observed = day.observed or bool(score.observed or any(score.daily))


def _local(score: Score) -> date:
    half_days = local_half_days(seconds(score.at), UNITS[score.unit].country)
    return instant(half_days * HALF_DAY).date()


def followed(reports: Iterable[Report]) -> Days:
    """Return what every signal says, day by day, of a stream."""
    days, monitor, source = Days(), Monitor(GRID), iter(timed(reports, GRID))
    while batch := list(islice(source, _BATCH)):
        days.take(monitor.take(batch).scores)
    return days


def keys() -> list[Key]:
    """Return every registered signal, and their sum, by directions."""
    names = (evidence.NAME, *(name for name, s in SIGNALS.items() if s.indicator))
    return [(name, way) for name in names for way in ("rise", "fall")]


class Null(Struct):
    """Days of null worlds, by unit (a unit of another world is another one).

    Only units count for which the signal ever counted anything: on the others it says nothing.
    """

    p: dict[str, list[float]] = {}
    strength: dict[str, list[float]] = {}
    speaks: bool = False  # whether it judges in that direction at all


def null(seeds: Iterable[int], days: int, units: int, burn: int = _BURN) -> dict[Key, Null]:
    """Return what the signals say in worlds in which nothing changes."""
    found: dict[Key, Null] = {key: Null() for key in keys()}
    for seed in seeds:
        spec = Spec(seed=seed, days=days, rate=(0.02, 2.0), echo=0.3, news=60.0)
        spec = spec.with_(units=spec.names[:: max(1, len(spec.names) // units)])
        first = spec.first_day + timedelta(days=burn)
        for key, by_day in followed(World(spec).reports()).by.items():
            if key not in found:
                continue
            into = found[key]
            into.speaks = True
            told = {unit for (unit, on), day in by_day.items() if day.observed and on >= first}
            for (unit, on), day in sorted(by_day.items()):
                if on >= first and unit in told:
                    into.p.setdefault(f"{seed}/{unit}", []).append(day.p)
                    into.strength.setdefault(f"{seed}/{unit}", []).append(day.strength)
    return found


def share(values: Mapping[str, Sequence[float]], bar: float, alpha: float) -> tuple[float, ...]:
    """Return the share of days at or beyond a bar over alpha, and its 95 % interval.

    Args:
        values: By unit, larger is more remarkable.
        bar: From where on a value counts.
        alpha: The share that there should be.
    """
    counts = np.array([(sum(v >= bar for v in days), len(days)) for days in values.values()])
    generator = np.random.default_rng(7)
    drawn = generator.integers(len(counts), size=(_DRAWN, len(counts)))
    sums = counts[drawn].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], (0.025, 0.975))
    whole = counts.sum(axis=0)
    return tuple(float(each) / alpha for each in (whole[0] / whole[1], low, high))


def floor(days: int) -> float:
    """Return the least p that a rank in so many days of past can give, whatever the strength."""
    ranks = Ranks()
    for day in range(days):
        ranks.note(0.0, day)
    return ranks.p(1_000.0, days)


def _null_rows(found: Mapping[Key, Null]) -> dict[str, Figures]:
    rows: dict[str, Figures] = {}
    for (signal, way), null in found.items():
        if not null.p:
            continue
        unlikely = {unit: [-p for p in days] for unit, days in null.p.items()}
        row: Figures = {"units": len(null.p), "unit_days": sum(map(len, null.p.values()))}
        for alpha in ALPHAS:
            row[f"p<={alpha:g}"] = share(unlikely, -alpha, alpha)
            row[f"nats>={-log(alpha):.1f}"] = share(null.strength, -log(alpha), alpha)
        row["least_p"] = min(min(days) for days in null.p.values())
        rows[f"{signal}/{way}"] = row
    return rows


def by_date(days: Mapping[tuple[str, date], Day]) -> dict[date, float]:
    """Return the mean strength over units, by date."""
    found: defaultdict[date, list[float]] = defaultdict(list)
    for (_, on), day in days.items():
        found[on].append(day.strength)
    return {on: sum(each) / len(each) for on, each in found.items()}


def stretch(strengths: Mapping[date, float], first: date, days: int) -> float | None:
    """Return the mean strength of so many days; None where one of them is not known."""
    known = [strengths.get(first + timedelta(days=n)) for n in range(days)]
    told = [value for value in known if value is not None]
    return sum(told) / days if len(told) == days else None


def outside(strengths: Mapping[date, float], days: int) -> list[float]:
    """Return the mean strengths of 200 stretches at random dates outside all known episodes."""
    taken = {
        first + timedelta(days=n)
        for first, last, _ in EPISODES.values()
        for n in range((last - first).days + 1)
    }
    free = []
    for first in sorted(strengths):
        if not taken & {first + timedelta(days=n) for n in range(days)}:
            mean = stretch(strengths, first, days)
            free += [] if mean is None else [mean]
    generator = np.random.default_rng(11)
    return [free[n] for n in generator.integers(len(free), size=_DRAWN)] if free else []


def episode(strengths: Mapping[date, float], name: str) -> Figures | None:
    """Return how an episode stands out of the rest; None where too little is known."""
    first, last, _ = EPISODES[name]
    days = (last - first).days + 1
    mean, others = stretch(strengths, first, days), outside(strengths, days)
    if mean is None or not others:
        return None
    beneath = sum((other < mean) + 0.5 * (other == mean) for other in others) / len(others)
    return {
        "mean": round(mean, 4),
        "random": round(sum(others) / len(others), 4),
        "percentile": round(100 * beneath, 1),
        "p": round((1 + sum(other >= mean for other in others)) / (1 + len(others)), 4),
    }


def placebo(
    seeds: Sequence[int] = (61,), days: int = 200, units: int = 14, scenario: bool = True
) -> Figures:
    """Print and return what the signals say of nothing, and of what is known.

    Args:
        seeds: The null worlds.
        days: Their length.
        units: Their provinces.
        scenario: Whether the bundled scenario is read too.
    """
    found = null(seeds, days, units, min(_BURN, days // 2))
    rows = _null_rows(found)
    silent = [f"{s}/{w}" for (s, w), each in found.items() if each.speaks and not each.p]
    unsaid = [f"{s}/{w}" for (s, w), each in found.items() if not each.speaks]
    print(f"Null worlds, {len(seeds)} of {days} days: share of unit-days over alpha (95 %)")
    bars = [bar for a in ALPHAS for bar in (f"p<={a:g}", f"nats>={-log(a):.1f}")]
    table(
        ("signal", "units", "unit-days", *bars, "least p"),
        [
            (n, r["units"], r["unit_days"],
             *(f"{r[b][0]:.2f} {between(*r[b][1:])}" for b in bars), f"{r['least_p']:.4f}")
            for n, r in rows.items()
        ],
    )  # fmt: skip
    print(f"  the least p that {days} days of past allow: {floor(days):.4f}")
    print(f"  nothing to count in these worlds: {', '.join(silent) or 'none'}")
    print(f"  never judged in that direction: {', '.join(unsaid) or 'none'}")
    figures: Figures = {
        "null": rows,
        "null_without_data": silent,
        "null_unsaid": unsaid,
        "least_p_possible": floor(days),
    }
    return figures | (_scenario() if scenario else {})


def _scenario() -> Figures:
    days, found, empty = followed(render()).by, {}, []
    for signal, way in keys():
        known = days.get((signal, way), {})
        if not any(day.observed for day in known.values()):
            empty.append(f"{signal}/{way}")
            continue
        strengths = by_date(known)
        for name in EPISODES:
            if (figures := episode(strengths, name)) is not None:
                found[f"{signal}/{way}/{name}"] = figures
    print(f"Scenario: mean strength (nats) in the episodes, and of {_DRAWN} random stretches")
    table(
        ("signal", "episode", "in it", "at random", "percentile", "p", ""),
        [
            (f"{s}/{w}", name, f["mean"], f["random"], f"{f['percentile']:.1f}", f"{f['p']:.3f}",
             "expected" if w == EPISODES[name][2] else "")
            for key, f in found.items()
            for s, w, name in (key.split("/", 2),)
        ],
    )  # fmt: skip
    print(f"  no data in the scenario: {', '.join(empty) or 'none'}")
    return {"scenario": found, "scenario_without_data": empty}


if __name__ == "__main__":
    placebo(tuple(range(61, 61 + (int(sys.argv[1]) if len(sys.argv) > 1 else 1))))
