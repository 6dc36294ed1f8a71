"""Are the false alarms those that were promised? Worlds in which nothing changes, at every rate.

Realised over promised, with a 95 % interval (Poisson, exact). Each rate is a world of its own, so
the governor cannot lend what one rate saves to another. Half of the units have autocorrelated news,
and every world has outages. A budget beyond what can happen cannot be spent: where incidents are so
few that every episode of them gave an alarm, the figure says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from detectors.calibration import rate_interval
from streams.simulator import World
from streams.simulator.spec import Outage
from tests.benchmarks.detection.figures import Figures, between, table
from tests.benchmarks.detection.worlds import LEARNED_DAYS, Scored, alerts, null_spec, scored

RATES = (0.02, 0.1, 0.3, 1.0, 3.0, 10.0, 20.0)
BUDGETS = (0.5, 1.0, 2.0, 4.0)
_UNITS, _DAYS, _SEED = 40, 1_096, 40
#: The must, realised over promised.
BOUNDS = (0.8, 1.15)


def null_world(rate: float, units: int, days: int, seed: int, echo: float) -> Scored:
    """Score a world in which nothing changes but outages come and go."""
    spec = null_spec(rate, units, days, seed, echo)
    start = spec.first_day
    outages = tuple(
        Outage("all", start + timedelta(days=on), 3, share)
        for on, share in ((days // 4, 0.5), (days // 2, 1.0), (3 * days // 4, 0.5))
    )
    return scored(World(spec.with_(outages=outages)), ("rise",))


def budget(units: int = _UNITS, days: int = _DAYS, rates: Sequence[float] = RATES) -> Figures:
    """Print and return realised over promised false alarms by rate and budget."""
    print(f"budget: false alarms, realised over promised; {units} units, {days} days a rate")
    figures: Figures = {}
    rows = []
    for number, rate in enumerate(rates):
        halves = [
            null_world(rate, units // 2, days, _SEED + 2 * number + half, echo)
            for half, echo in enumerate((0.0, 0.6))
        ]
        years = 2 * (units // 2) * (days - LEARNED_DAYS) / 365.25
        row: list[object] = [f"{rate:g}"]
        for asked in BUDGETS:
            found = [alert for half in halves for alert in alerts(half, asked)]
            low, high = rate_interval(len(found), years * asked)
            ratio = len(found) / years / asked
            spent = all(_spent(half, asked) for half in halves)
            figures[f"{rate:g}/{asked:g}"] = {
                "alarms": len(found), "unit_years": round(years, 1), "ratio": round(ratio, 3),
                "low": round(low, 3), "high": round(high, 3), "reachable": not spent,
            }  # fmt: skip
            row.append(f"{ratio:.2f} {between(low, high)}{' *' if spent else ''}")
        rows.append(row)
        table(("rate", *(f"{asked:g} a year" for asked in BUDGETS)), [row])
    print("  * more than there was to alarm of: every episode of evidence gave an alarm")
    within = [f["ratio"] for f in figures.values() if f["reachable"]]
    kept = sum(BOUNDS[0] <= ratio <= BOUNDS[1] for ratio in within)
    print(f"  within {BOUNDS[0]} to {BOUNDS[1]}: {kept} of {len(within)} that can be reached")
    return figures


def _spent(found: Scored, asked: float) -> bool:
    """Return whether the budget asks for more alarms than there were episodes of evidence."""
    return episodes(found) < asked * len(found.world.spec.names) * (
        (found.world.spec.days - LEARNED_DAYS) / 365.25
    )


def episodes(found: Scored) -> int:
    """Count the stretches of evidence that a week without any parts."""
    last: dict[str, int] = {}
    number = 0
    for day, scores in enumerate(found.days):
        for score in scores:
            if score.claim is not None:
                number += day - last.get(score.unit, -100) > 7
                last[score.unit] = day
    return number


if __name__ == "__main__":
    budget()
