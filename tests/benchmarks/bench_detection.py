"""Do the detectors keep their promises? `make bench-detection`, about an hour; `ARGS="--quick"`:
less.

Simulated worlds whose truth is known go through the live code, and the bundled scenario beside
them. Every part prints its table; `--json FILE` writes all figures. Seeds are fixed.

- budget: false alarms, realised over promised, at every rate
- power: surges found, and how soon, at equal false alarms, beside the published rules
- calibration: expected error of stated probabilities
- afghanistan: each half of January to June 2020 by what the other taught; episodes; S11
- quiet: outages, a renaming, an anniversary, reprints, an old story
- placebo: every signal where nothing changes, and on random dates
- cost: microseconds an event and signal, bytes of state

Run: python -m tests.benchmarks.bench_detection [--only PART ...] [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.detection.afghanistan import afghanistan
from tests.benchmarks.detection.budget import budget
from tests.benchmarks.detection.calibration import calibration
from tests.benchmarks.detection.cost import cost
from tests.benchmarks.detection.figures import Figures
from tests.benchmarks.detection.placebo import placebo
from tests.benchmarks.detection.power import power
from tests.benchmarks.detection.quiet import quiet

PARTS: dict[str, Callable[[], Figures]] = {
    "budget": budget,
    "power": power,
    "calibration": calibration,
    "afghanistan": afghanistan,
    "quiet": quiet,
    "placebo": placebo,
    "cost": cost,
}
#: The same with less to go by: wider intervals, in a quarter of the time.
QUICK: dict[str, Callable[[], Figures]] = PARTS | {
    "budget": lambda: budget(units=16, days=900),
    "power": lambda: power(units=48),
    "calibration": lambda: calibration(units=16, days=600),
    "cost": lambda: cost(days=120),
}


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--quick", action="store_true", help="smaller worlds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    asked = parser.parse_args()
    found: dict[str, Figures] = {}
    for name in asked.only:
        started = time.monotonic()
        found[name] = (QUICK if asked.quick else PARTS)[name]()
        print(f"  ({name}: {time.monotonic() - started:.0f} s)\n", flush=True)
        if asked.json is not None:
            asked.json.write_text(json.dumps(found, indent=1, sort_keys=True, default=str) + "\n")


if __name__ == "__main__":
    main()
