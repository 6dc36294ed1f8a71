"""Afghanistan, January to June 2020: each half judged by what the other taught.

Average precision and precision at an equal alert budget, for "the next 14 days are in the unit's
own top decile" and for the onset of a surge, beside no-change, climatology and the ACLED rule; the
episodes that must be recognised; and the day on which S11 tells that a commitment is being broken.
"""

from __future__ import annotations

from datetime import date

import msgspec

from detectors.monitor import Monitor, Passed
from detectors.records import Alert, Score
from streams.commands.play import split
from streams.replay import read
from tests.benchmarks import bench_index
from tests.benchmarks.detection.figures import Figures, table

#: What is known to have happened: name, direction, first and last day of the call that tells it.
EPISODES = (
    ("Reduction in Violence", "fall", date(2020, 2, 22), date(2020, 2, 29)),
    ("its end", "rise", date(2020, 3, 1), date(2020, 3, 12)),
    ("Eid ceasefire", "fall", date(2020, 5, 24), date(2020, 5, 28)),
)
_BREACH = (date(2020, 2, 29), date(2020, 3, 31))
_SPEAKS = 2.0  # nats


def afghanistan() -> Figures:
    """Print and return the tables of both halves, and what became of the known episodes."""
    print("afghanistan: January to June 2020, each half by what the other taught")
    lines = bench_index.figures(bench_index.gather())
    bench_index.show(lines)
    return {"halves": [msgspec.to_builtins(line) for line in lines], **episodes()}


def episodes() -> Figures:
    """Print and return what was called of the known episodes, and when S11 spoke."""
    alerts: dict[str, Alert] = {}
    breach: dict[str, Score] = {}

    def follow(passed: Passed) -> None:
        for score in passed.scores:
            first, last = _BREACH
            if score.signal != "S11" or not first <= score.at.date() <= last:
                continue
            if (score.strength or 0.0) >= _SPEAKS:
                breach.setdefault(score.unit, score)

    for alert in Monitor().run(split(read("doha-2020"))[0], follow):
        alerts[alert.id] = alert
    rows: list[tuple[object, ...]] = []
    figures: Figures = {}
    for name, direction, first, last in EPISODES:
        called = [
            a
            for a in alerts.values()
            if (a.unit, a.direction) == ("AFG", direction) and first <= a.opened_at.date() <= last
        ]
        told = called[0] if called else None
        when = f"{told.opened_at:%d %b %H:%M}" if told else "not called"
        outcome = told.outcome.verdict if told and told.outcome else "-"
        rows.append((name, direction, when, outcome))
        figures[name] = {"called": when, "outcome": outcome}
    for unit, score in sorted(breach.items()):
        when = f"{score.at:%d %b %H:%M}"
        rows.append((f"S11 {unit}", "rise", when, f"{len(score.evidence)} incidents"))
        figures[f"S11 {unit}"] = {"when": when, "incidents": len(score.evidence)}
    table(("episode", "direction", "called", "came of it"), rows)
    return figures


if __name__ == "__main__":
    afghanistan()
