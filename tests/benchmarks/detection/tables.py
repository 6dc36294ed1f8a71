"""Count `detectors/episodes.csv`: what evidence is like where nothing changes.

Run: `python -m tests.benchmarks.detection.tables`, some ten minutes. Simulated worlds in which
nothing changes go through the live signals: how often, in a unit-year, an episode of evidence peaks
at so much or more, by the class of units. The seeds are none of those of `bench_detection.py`.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from sys import stderr

from detectors import budget
from detectors.budget import QUIET
from detectors.records import Direction
from streams.simulator import World
from tests.benchmarks.detection.worlds import Scored, null_spec, scored

_TABLE = Path(budget.__file__).parent / "episodes.csv"
_STRENGTHS = (0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3, 6, 12, 20, 30)
_ECHOES = (0.0, 0.3, 0.6)
_UNITS, _DAYS, _SEED = 16, 900, 7_000
_FEWEST_YEARS = 12.0  # unit-years from which a class is told apart
_QUIET_DAYS = 7
_WAYS: tuple[Direction, ...] = ("rise", "fall")


def worlds() -> Iterator[Scored]:
    """Yield the scored worlds."""
    for number, rate in enumerate(_RATES):
        for echo in _ECHOES:
            seed = _SEED + 10 * number + int(10 * echo)
            print(f"  rate {rate:g}, echo {echo:g}", file=stderr, flush=True)
            yield scored(World(null_spec(rate, _UNITS, _DAYS, seed, echo)))


class Episodes:
    """Peaks by direction and class, and the unit-years behind them."""

    def __init__(self) -> None:
        """Begin with none."""
        self.years: Counter[str] = Counter()
        self.peaks: defaultdict[str, list[float]] = defaultdict(list)

    def take(self, found: Scored) -> None:
        """Count a world."""
        series: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        for scores in found.days:
            for score in scores:
                if score.strength is not None:
                    name = f"{score.direction}/{score.stratum.rpartition('/')[2]}"
                    series[f"{score.unit}/{score.direction}"].append((name, score.strength))
        for days in series.values():
            self._unit(days)

    def _unit(self, days: list[tuple[str, float]]) -> None:
        peak, quiet, began = 0.0, 0, ""
        for name, strength in days:
            self.years[began or name] += 1 / 365.25
            if strength >= QUIET:
                began, quiet, peak = began or name, 0, max(peak, strength)
                continue
            quiet += 1
            if began and quiet == _QUIET_DAYS:
                self.peaks[began].append(peak)
                peak, began = 0.0, ""

    def rows(self) -> Iterator[tuple[str, str, float, float]]:
        """Yield direction, class, strength, and episodes a unit-year that peak so high."""
        for name, years in sorted(self.years.items()):
            if years < _FEWEST_YEARS:
                continue
            for strength in _STRENGTHS:
                number = sum(peak >= strength for peak in self.peaks[name])
                direction, _, level = name.partition("/")
                yield direction, level, strength, round(max(number, 0.3) / years, 5)
                if not number:
                    break


def main() -> None:
    """Write the table."""
    episodes = Episodes()
    for found in worlds():
        episodes.take(found)
    with _TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("direction", "class", "strength", "per_year"))
        writer.writerows(episodes.rows())


if __name__ == "__main__":
    main()
