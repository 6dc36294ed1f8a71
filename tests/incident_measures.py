"""How well reports are put together into incidents: B³ (Bagga & Baldwin 1998) against the truth.

For each report, precision is the share of its incident's reports that tell of the same happening,
and recall the share of that happening's reports that are in its incident; both are averaged over
reports.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Final

from msgspec import Struct

from detectors.coding import code
from detectors.incident_log import IncidentLog
from detectors.incidents import told_by
from detectors.linkage import Told, levels, may_be, profile
from detectors.records import Event, Report
from detectors.timegrid import seconds
from streams.scenarios.render import render, truth
from tests.coding_measures import SHARED

#: The levels' shares were counted before this day of the scenario; skill counts from it on.
HALF: Final = date(2020, 4, 1)


class Known(Struct, frozen=True):
    """A violent event, and the happening that it is really about."""

    event: Event
    true: Hashable


class BCubed(Struct, frozen=True):
    """Precision and recall, from 0 to 1, over `reports` reports."""

    precision: float
    recall: float
    reports: int

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall)

    def __str__(self) -> str:
        return f"F {self.f1:.3f} (P {self.precision:.3f}, R {self.recall:.3f}), {self.reports}"


def b_cubed(pairs: Iterable[tuple[Hashable, Hashable]]) -> BCubed:
    """Return the measure for pairs of (incident given, true happening), one for each report."""
    each = Counter(pairs)
    given, true = Counter[Hashable](), Counter[Hashable]()
    for (one, other), count in each.items():
        given[one] += count
        true[other] += count
    total = sum(each.values())
    precision = sum(n * n / given[one] for (one, _), n in each.items()) / total
    recall = sum(n * n / true[other] for (_, other), n in each.items()) / total
    return BCubed(precision, recall, total)


def scenario(unit: Callable[[str], bool] = lambda unit: len(unit) == 3) -> list[Known]:
    """The violent events of the bundled scenario, as its countries or its provinces get them."""
    reports = list(render())
    return [
        Known(event, about.incident)
        for about, found in zip(truth(), code(reports), strict=True)
        for event in found.events
        if about.incident is not None and event.event == "ASSAULT" and unit(event.unit)
        if not event.auxiliary and event.occurred
    ]


def ucdp(file: str) -> list[Known]:
    """The violent events of UCDP's headlines, one for each headline and outlet of a row.

    A headline that stands on several rows tells of several events, so it is left out, and with it
    much of what is reported: these events have few reports each.
    """
    with (SHARED / "ucdp" / file).open(encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    listed = [list(dict.fromkeys(_listed(row))) for row in rows]
    times = Counter(title for found in listed for title in {title for title, _, _ in found})
    reports, true = [], []
    for number, found in enumerate(listed):
        for title, office, at in found:
            if times[title] == 1:
                source = office or "unnamed"
                id = f"{source}/{len(reports)}"
                reports.append(
                    Report(id, source, at, title, publisher=source, published_at=at, language="en")
                )
                true.append(number)
    known = [
        Known(event, about)
        for about, found in zip(true, code(reports), strict=True)
        for event in found.events
        if len(event.unit) == 3 and event.event == "ASSAULT" and event.occurred
        if not event.auxiliary
    ]
    return sorted(known, key=lambda each: (each.event.seen_at, each.event.id))


def _listed(row: dict[str, str]) -> Iterator[tuple[str, str, datetime]]:
    titles, days = row["source_headline"].split(";"), row["source_date"].split(";")
    offices = row["source_office"].split(";")
    for number, part in enumerate(titles):
        day = days[min(number, len(days) - 1)].strip()[:10]
        title = part.strip().split("\n")[0][:2_000]
        if len(title) >= 12 and re.fullmatch(r"\d{4}-\d\d-\d\d", day):
            office = offices[min(number, len(offices) - 1)].strip()
            yield title, office, datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


def put_together(known: Iterable[Known]) -> list[tuple[Hashable, Hashable]]:
    """Return for each report the incident that it ends up in, and the true happening."""
    logs: dict[str, IncidentLog] = defaultdict(IncidentLog)
    true = {}
    for each in known:
        logs[each.event.unit].take(each.event, seconds(each.event.seen_at))
        true[each.event.unit, each.event.id] = each.true
    return [
        (incident.id, true[unit, told.event])
        for unit, log in logs.items()
        for incidents in log.by_day.values()
        for incident in incidents
        for told in incident.told
    ]


def one_each(known: Iterable[Known]) -> list[tuple[Hashable, Hashable]]:
    """The baseline that counts mentions: every report its own incident."""
    return [(each.event.id, each.true) for each in known]


def by_place_and_day(known: Iterable[Known]) -> list[tuple[Hashable, Hashable]]:
    """The baseline that takes one place on one day for one incident."""
    return [((e.event.unit, e.event.place, e.event.occurred), e.true) for e in known]


def count_levels(known: Iterable[Known]) -> tuple[Counter[str], Counter[str], int, int]:
    """Count the levels between each report and its own happening, and other ones near it.

    Returns:
        The counts among the same, among others, and how many pairs each were.
    """
    same, others, so_many, so_many_others = Counter[str](), Counter[str](), 0, 0
    happenings: dict[Hashable, list[Told]] = {}
    for each in known:
        told = told_by(each.event)
        for happening, reports in happenings.items():
            if abs(reports[0].first - told.first) > 3:
                continue
            together = profile(reports)
            if not may_be(told, together):
                continue
            if happening == each.true:
                same.update(levels(told, together))
                so_many += 1
            else:
                others.update(levels(told, together))
                so_many_others += 1
        happenings.setdefault(each.true, []).append(told)
    return same, others, so_many, so_many_others
