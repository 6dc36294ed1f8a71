"""How well, how fast and in how much memory reports become incidents.

Run: `make bench-incidents`. B³ against the truth, beside two baselines: every report an incident
(what counting mentions comes to), and one place on one day an incident. UCDP's headlines are those
that stand on one row only. `--levels` writes `detectors/linkage.csv` anew: the shares m and u are
the means of those counted on the first half of the bundled scenario and on UCDP's headlines of
events before 2020 (CC BY 4.0); what is measured here lies after either.
"""

from __future__ import annotations

import csv
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec

sys.path.append(str(Path(__file__).resolve().parents[2]))  # `tests` is not an installed package

from detectors.coding.sketch import sketch
from detectors.incident_log import IncidentLog
from detectors.linkage import levels_known
from detectors.records import Casualties, Event, Interval, Place
from detectors.timegrid import seconds
from detectors.world.units import AREAS, of_kind
from tests import incident_measures as measures
from tests.coding_measures import SHARED, UCDP

_REPORTS = 1_000_000
_EACH = 8  # reports of an incident, on average
_DAYS = 1_000
_TABLE = Path(__file__).resolve().parents[2] / "detectors" / "linkage.csv"
#: Levels whose shares cannot be counted where the truth is not dated, or not from data sets.
_SET = {"source same record": (0.001, 0.2)}
_FEWEST = 5  # pairs from which a set tells of a level
_LEAST_NEXT = 0.03  # share of reports that misdate an incident by a day


def skill() -> None:
    """Print B³ beside the baselines."""
    print("incidents, B³: F (precision, recall), reports")
    known = measures.scenario()
    late = [each for each in known if each.event.occurred and _is_late(each.event)]
    sets = {
        "scenario, by country": known,
        "scenario, by province": measures.scenario(lambda unit: len(unit) > 3),
        "scenario from April, by country": late,
    }
    if SHARED.is_dir():
        sets |= {f"UCDP {file[:25]}": measures.ucdp(file) for file in UCDP}
    else:
        print("UCDP headlines: not beside this checkout, left out")
    for name, events in sets.items():
        print(f"  {name:34} {measures.b_cubed(measures.put_together(events))}")
        print(f"  {'':20} one each     {measures.b_cubed(measures.one_each(events))}")
        print(f"  {'':20} place, day   {measures.b_cubed(measures.by_place_and_day(events))}")


def _is_late(event: Event) -> bool:
    return event.occurred is not None and event.occurred.start >= measures.HALF


def speed() -> None:
    """Print microseconds an event, beside a loop that only looks each place and day up."""
    known = measures.scenario()
    whole = min(_timed(known) for _ in range(3))
    start = time.process_time()
    for _ in range(3):
        measures.by_place_and_day(known)
    lookup = (time.process_time() - start) / 3
    print(f"\nspeed: {1e6 * whole / len(known):.0f} µs an event, {len(known)} events", end="")
    print(f" ({whole / lookup:.0f} times a look-up of place and day)")


def _timed(known: list[measures.Known]) -> float:
    start = time.process_time()
    measures.put_together(known)
    return time.process_time() - start


def memory() -> None:
    """Print how much memory a million distinct reports take, as they come."""
    print(f"\nmemory: {_REPORTS:,} reports of {_REPORTS // _EACH:,} incidents in {_DAYS:,} days")
    heads = ("reports", "incidents kept", "state, MB", "peak, MiB", "µs")
    print("  " + "".join(f"{head:>16}" for head in heads))
    logs: dict[str, IncidentLog] = defaultdict(IncidentLog)
    today, start = 0, time.process_time()
    for number, event in enumerate(_flood(), 1):
        at = seconds(event.seen_at)
        if at // 86_400 != today:
            today = at // 86_400
            for log in logs.values():
                log.forget(today)
        logs[event.unit].take(event, at)
        if number % (_REPORTS // 10) == 0:
            kept = sum(len(found) for log in logs.values() for found in log.by_day.values())
            state = sum(len(msgspec.json.encode(log)) for log in logs.values()) / 1e6
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            each = 1e6 * (time.process_time() - start) / (_REPORTS // 10)
            cells = (f"{number:,}", f"{kept:,}", f"{state:.1f}", f"{peak:.0f}", f"{each:.0f}")
            print("  " + "".join(f"{cell:>16}" for cell in cells), flush=True)
            start = time.process_time()


def _flood() -> Iterator[Event]:
    rng = Random(11)
    units = sorted(unit.code for unit in of_kind("admin1"))
    towns = {unit: [f"{unit} {name}" for name in "abcdefghij"] for unit in units}
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    a_day = _REPORTS // _EACH // _DAYS
    number = 0
    for on in range(_DAYS):
        day = (begin + timedelta(days=on)).date()
        for _ in range(a_day):
            unit = rng.choice(units)
            killed = min(int(rng.paretovariate(1.2)), 200)
            place = Place(rng.choice(towns[unit]), "town", AREAS[unit].country, unit)
            text = " ".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=40))
            for n in range(_EACH):
                number += 1
                source = f"outlet-{rng.randrange(60)}"
                own = text if n % 3 == 0 else f"{n} " + " ".join(rng.sample(text.split(), 30))
                yield Event(
                    id=f"{source}/{number:08}/0", unit=unit, report=f"{source}/{number:08}",
                    source=source, publisher=source, event="ASSAULT", occurred=Interval(day, day),
                    seen_at=begin + timedelta(days=on, hours=6 + n), place=place, language="en",
                    killed=Casualties(killed, killed, killed), actors=("taliban",),
                    sketch=sketch(own),
                )  # fmt: skip


def write_levels() -> None:
    """Count the levels' shares and write them to the table."""
    early = [each for each in measures.scenario() if not _is_late(each.event)]
    before = date(2020, 1, 1)
    real = [
        each
        for each in measures.ucdp(UCDP[1])
        if each.event.occurred and each.event.occurred.start < before
    ]
    counted = [measures.count_levels(early), measures.count_levels(real)]
    rows = []
    for level in sorted(levels_known()):
        told = [each for each in counted if each[0][level] + each[1][level] >= _FEWEST] or counted
        pairs = [
            ((same[level] + 0.5) / (n + 0.5), (others[level] + 0.5) / (m + 0.5))
            for same, others, n, m in told
        ]
        m, u = (sum(pair[side] for pair in pairs) / len(pairs) for side in (0, 1))
        if level.startswith("day"):
            u = 1.0  # the pace of new incidents is by day already
            m = max(m, _LEAST_NEXT)
        m, u = _SET.get(level, (m, u))
        rows.append((level, f"{m:.4f}", f"{u:.4f}"))
    with _TABLE.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text, lineterminator="\n").writerows([("level", "m", "u"), *rows])
    print(f"{len(rows)} levels from {counted[0][2]} and {counted[1][2]} pairs of one incident")


def main() -> None:
    """Print the tables, or write the levels."""
    if "--levels" in sys.argv[1:]:
        write_levels()
        return
    skill()
    speed()
    memory()


if __name__ == "__main__":
    main()
