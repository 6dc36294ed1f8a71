"""Is what an alert says as likely as it says? Claims in worlds that were not looked at.

Each world mixes units in which something happens with units in which nothing does. Expected
calibration error with its bootstrap interval, beside the error that chance alone gives so many
claims, and beside base rates. Brier by Murphy's parts (`detectors/calibration.py`).
"""

from __future__ import annotations

from detectors.calibration import calibration as curve_of
from detectors.ledger import skill
from detectors.monitor import Monitor
from detectors.records import Alert
from detectors.tally import forecasts
from streams.commands.play import split
from streams.replay import read
from streams.simulator import World
from tests.benchmarks.detection.figures import Figures, between, table
from tests.benchmarks.detection.worlds import alerts, null_spec, scored

_UNITS, _DAYS, _SEED = 40, 900, 300
RATES = (0.1, 0.5, 2.0, 8.0)
_BUDGET = 2.0


def claims(units: int, days: int) -> list[Alert]:
    """Return the alerts of worlds with episodes, of several rates, with and without an echo."""
    found: list[Alert] = []
    for number, rate in enumerate(RATES):
        for half, echo in enumerate((0.0, 0.6)):
            spec = null_spec(rate, units // 2, days, _SEED + 2 * number + half, echo)
            world = World(spec.with_(episodes=units // 2))
            found += alerts(scored(world), _BUDGET)
    return found


def told(name: str, found: list[Alert]) -> Figures:
    """Print and return how well some alerts' probabilities are calibrated."""
    curve = curve_of(forecasts(found))
    if curve is None:
        print(f"  {name}: too few settled claims to tell")
        return {"n": 0}
    low, high = curve.error_interval
    brier, by_chance = curve.decomposition.brier, curve.error_of_chance
    row = (name, curve.claims, curve.error, between(low, high), by_chance, brier, _base(found))
    table(("claims", "n", "error", "90 %", "by chance", "Brier", "of base rates"), [row])
    return {
        "n": curve.claims, "error": curve.error, "low": low, "high": high,
        "by_chance": by_chance, "brier": brier, "brier_base": _base(found),
    }  # fmt: skip


def _base(found: list[Alert]) -> float | None:
    """Return the Brier score, had each claim been given its base rate."""
    return skill(found).brier_base


def calibration(units: int = _UNITS, days: int = _DAYS) -> Figures:
    """Print and return how well claims are calibrated, by direction and on the scenario."""
    print(f"calibration: expected error of stated probabilities; {units} units, {days} days a rate")
    found = claims(units, days)
    figures = {
        way: told(f"simulated, {way}s", [alert for alert in found if alert.direction == way])
        for way in ("rise", "fall")
    }
    return figures | {"scenario": told("doha-2020, all", scenario())}


def scenario() -> list[Alert]:
    """Return the alerts of the bundled scenario, each by its last revision."""
    last = {alert.id: alert for alert in Monitor().run(split(read("doha-2020"))[0])}
    return list(last.values())


if __name__ == "__main__":
    calibration()
