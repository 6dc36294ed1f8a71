"""What must not raise an alarm: outages, a new name, an anniversary, reprints, an old story.

Run: `python -m tests.benchmarks.detection.quiet [seeds]`, some two minutes for one. Simulated
worlds go through the whole line beside a twin of the same seed that is undisturbed (`pairs.py`). An
alert is an offence if the twin has none on the same unit, in the same direction, within three days.
Alerts are allowed twelve times as often as a user would have them, so that there are some at stake.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import date, timedelta
from itertools import takewhile
from random import Random
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from detectors.monitor import Monitor
from detectors.records import Alert, Report
from detectors.timegrid import DAY, instant, seconds
from streams.simulator import Spec, World
from streams.simulator.others import others
from streams.simulator.spec import MOST_COPIES
from streams.simulator.telling import report_id
from tests.benchmarks.detection.figures import Figures, table
from tests.benchmarks.detection.outages import AFTER, Before, Size, Told, at_home, measure
from tests.benchmarks.detection.pairs import (
    FOREVER,
    GRID,
    HOUR,
    POLICY,
    Run,
    clocked,
    go,
    told,
    unlike,
)

RENAMED: Final = date(2024, 8, 1)
_PAKISTAN: Final = ("PK-BA", "PK-GB", "PK-IS", "PK-JK", "PK-KP", "PK-PB", "PK-SD")
_STORIES = 4  # stories that are reprinted, or told again a year later, in each world
_TOLD_AGAIN = 10  # times that an old story comes
_YEAR = 366 * DAY
_REPRINTED_WITHIN = (0.2, 48.0)  # hours


class Harmless(Struct):
    """What harmless news did, over all worlds."""

    reports: int = 0  # that the twin lacks
    twin: int = 0  # alerts that the twin opens meanwhile
    offences: list[Alert] = []  # alerts that the twin lacks
    lacking: int = 0  # alerts of the twin that are not opened


def anniversaries(before: Before) -> list[Report]:
    """Return what is told on three anniversaries of attacks, but for stories told again."""
    first = before.spec.days - (before.last - before.fork) // DAY + 1
    days = [first, first + 1, first + 3]
    on = tuple(before.spec.first_day + timedelta(days=day) for day in days)
    spec = before.spec.with_(anniversaries=on, news=0.0)
    found = [r for day in days for r, kind in others(spec, day) if kind == "anniversary"]
    return [at_home(report) for report in found]


def reprints(before: Before) -> list[Report]:
    """Return some of the stories, each 40 times from 40 mirrors within two days."""
    rng = Random(f"reprints/{before.spec.seed}")
    stories = [r for r in before.tail if r.record and seconds(r.seen_at) < before.fork + DAY]
    found = []
    for story in rng.sample(stories, min(_STORIES, len(stories))):
        for number in range(MOST_COPIES):
            mirror = f"mirror-{number + 1:02}"
            later = int(rng.uniform(*_REPRINTED_WITHIN) * HOUR)
            name = report_id(mirror, story.id)
            seen = instant(seconds(story.seen_at) + later)
            found.append(replace(story, id=name, source=mirror, seen_at=seen))
    return found


def old_stories(before: Before) -> list[Report]:
    """Return stories of a year ago, as they stood then, that feeds bring again; half are prose."""
    rng = Random(f"old/{before.spec.seed}")
    at = before.spec.first_day + timedelta(days=before.spec.days - 1)
    then = before.spec.with_(first_day=at.replace(year=at.year - 1), days=3, news=0.0)
    prose = [r for r, _ in World(then.with_(prose=1.0)).told() if not r.record]
    records = [r for r, _ in World(then).told()]
    found = []
    for form, stories in (("prose", prose), ("record", records)):
        for story in rng.sample(stories, min(_STORIES // 2, len(stories))):
            for number in range(_TOLD_AGAIN):
                seen = instant(before.fork + int(rng.random() * DAY))
                name = report_id(story.source, f"{form}/{story.id}/{number}")
                found.append(at_home(replace(story, id=name, seen_at=seen)))
    return found


_KINDS: Final = {
    "anniversary wave": anniversaries,
    "one story 40 times": reprints,
    "year-old story again": old_stories,
}


def disturb(before: Before, twin: Run, found: dict[str, Harmless]) -> None:
    """Add what harmless news does in one world."""
    for name, make in _KINDS.items():
        more = sorted(make(before), key=lambda report: (report.seen_at, report.id))
        whole = sorted([*before.tail, *more], key=lambda report: (report.seen_at, report.id))
        whole = [r for r in whole if seconds(r.seen_at) < before.last]
        _compare(found.setdefault(name, Harmless()), before.go(whole), twin, before.fork, len(more))


def _compare(into: Harmless, run: Run, twin: Run, since: int, reports: int) -> None:
    into.reports += reports
    into.twin += len(twin.opened(since, FOREVER))
    into.offences.extend(unlike(run, twin, since, FOREVER))
    into.lacking += len(unlike(twin, run, since, FOREVER))


def renaming(seed: int, days: tuple[int, int], news: float) -> Harmless:
    """Return what it does that from a day on reports call an organisation by its other name.

    Args:
        seed: The world, of the Pakistani units.
        days: How many before the renaming, and after.
        news: Other news a day.
    """
    spec = Spec(seed=seed, first_day=RENAMED - timedelta(days=days[0]), days=sum(days))
    spec = spec.with_(units=_PAKISTAN, rate=(0.3, 3.0), echo=0.3, news=news)
    streams = [
        [at_home(report) for report in World(s).reports()]
        for s in (spec.with_(rename=RENAMED), spec)
    ]
    begin = seconds(streams[1][0].seen_at) // DAY * DAY
    fork, last = begin + days[0] * DAY, begin + spec.days * DAY
    before, monitor = (list(_until(stream, fork)) for stream in streams), Monitor(GRID, POLICY)
    same, twins = before
    if same != twins:
        raise RuntimeError("the world differs before the renaming: there is nothing to compare")
    run = go(monitor, clocked(twins, begin, fork))
    tails = [stream[len(twins) :] for stream in streams]
    runs = [go(deepcopy(monitor), clocked(tail, fork, last), run) for tail in tails]
    found = Harmless()
    renamed = sum(a != b for a, b in zip(*tails, strict=True))
    _compare(found, runs[0], runs[1], fork, renamed)
    return found


def _until(reports: Sequence[Report], time: int) -> Iterator[Report]:
    return takewhile(lambda report: seconds(report.seen_at) < time, reports)


def quiet(
    seeds: Sequence[int] = (41,),
    size: Size | None = None,
    rename_days: tuple[int, int] = (60, 45),
) -> Figures:
    """Print and return what silence and harmless news did.

    Args:
        seeds: The worlds.
        size: How large they are.
        rename_days: Days before and after the renaming.
    """
    size = size or Size()
    harmless: dict[str, Harmless] = {}
    outages, opened = measure(seeds, size, lambda before, twin: disturb(before, twin, harmless))
    harmless["another name of one group"] = total = Harmless()
    for seed in seeds:
        one = renaming(seed, rename_days, size.news / 5)
        total.reports, total.twin = total.reports + one.reports, total.twin + one.twin
        total.offences, total.lacking = (
            [*total.offences, *one.offences],
            total.lacking + one.lacking,
        )
    print(
        f"Silence: {len(seeds)} worlds of {len(size.units)} provinces, outages of 48 to 72 h after "
        f"{size.learn} days; the twins open {opened} alerts in the {6 + size.after} days after that"
    )
    _print_outages(outages)
    print("Harmless news: alerts that the twin lacks")
    table(
        ("what", "reports", "alerts of the twin", "not in the twin", "only in the twin"),
        [(n, h.reports, h.twin, len(h.offences), h.lacking) for n, h in harmless.items()],
    )
    offences = {**_offences(outages), **{n: h.offences for n, h in harmless.items()}}
    for name, alerts in offences.items():
        for line in told(alerts):
            print(f"  ! {name}: {line}")
    return {
        "worlds": len(seeds),
        "twin_alerts": opened,
        "outages": {name: _figures(found) for name, found in outages.items()},
        "harmless": {
            name: {
                "reports": found.reports,
                "twin_alerts": found.twin,
                "not_in_twin": len(found.offences),
                "only_in_twin": found.lacking,
            }
            for name, found in harmless.items()
        },
        "offences": {name: told(alerts) for name, alerts in offences.items() if alerts},
    }


def _print_outages(outages: dict[str, Told]) -> None:
    print("Share of provinces, countries and borders whose coverage state is right")
    table(
        (
            "out",
            "hours UTC",
            "truly not ok",
            *(f"{s} +{h} h" for s in ("began", "ended") for h in AFTER),
        ),
        [
            (
                name,
                " ".join(found.hours),
                found.lost,
                *(_share(found, s, h) for s in ("began", "ended") for h in AFTER),
            )
            for name, found in outages.items()
        ],
    )
    print("Alerts")
    table(
        ("out", "open, unseen", "frozen", "lived on", "opened blind", "not in the twin, during",
         "after", "ended", "only in the twin"),
        [
            (name, f.open_before, f.frozen, len(f.unfrozen), len(f.blind), len(f.unlike_during),
             len(f.unlike_after), len(f.ended), f.delayed)
            for name, f in outages.items()
        ],
    )  # fmt: skip


def _share(found: Told, since: str, hours: int) -> float:
    right = found.right[since, hours]
    return sum(right) / len(right)


def _offences(outages: dict[str, Told]) -> dict[str, list[Alert]]:
    return {
        f"{name} out, {what}": alerts
        for name, f in outages.items()
        for what, alerts in (
            ("not frozen", f.unfrozen),
            ("opened while not ok", f.blind),
            ("opened during it", f.unlike_during),
            ("opened after it", f.unlike_after),
            ("ended", f.ended),
        )
    }


def _figures(found: Told) -> Figures:
    return {
        **{
            f"right_{since}_{hours}h": round(_share(found, since, hours), 4)
            for since in ("began", "ended")
            for hours in AFTER
        },
        "units": len(found.right["began", AFTER[0]]),
        "hours": found.hours,
        "truly_not_ok": found.lost,
        "open_before": found.open_before,
        "frozen": found.frozen,
        "lived_on": len(found.unfrozen),
        "opened_blind": len(found.blind),
        "opened_during": len(found.unlike_during),
        "opened_after": len(found.unlike_after),
        "ended": len(found.ended),
        "only_in_twin": found.delayed,
    }


def _seeds() -> Iterator[int]:
    yield from range(41, 41 + (int(sys.argv[1]) if len(sys.argv) > 1 else 1))


if __name__ == "__main__":
    quiet(tuple(_seeds()))
