"""One report: an incident as an outlet tells it, as a structured record or in prose.

Outlets differ as they do: some give another toll, leave the group unnamed or the district out. A
report carries nothing of the truth: its id is a hash.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from random import Random
from typing import Final

from msgspec import Struct

from detectors.records import Casualties, IncidentRecord, Interval, Report
from detectors.world.units import name_of
from streams.scenarios.outlets import Outlet
from streams.scenarios.plan import invent_deed
from streams.scenarios.prose import Kind, Task, compose
from streams.simulator.arrivals import STAGE
from streams.simulator.happenings import Happening

_OTHER_TOLL: Final = 0.15  # shares of the reports after the first
_UNNAMED: Final = 0.1
_VAGUE: Final = 0.1


class Issue(Struct, frozen=True):
    """By whom and when a report was published, and when it was seen."""

    outlet: Outlet
    published: datetime
    seen: datetime
    key: str  # of the report in its world: its id and its generator follow from it
    kind: Kind = "first"


def tell(what: Happening, issue: Issue) -> Report:
    """Return an incident as an outlet tells it."""
    rng = Random(issue.key)  # noqa: S311  not for secrets
    if what.in_prose:
        return _prose(what, issue, rng)
    later = issue.kind != "first"
    named = not (later and rng.random() < _UNNAMED)
    place = None if later and rng.random() < _VAGUE else what.place
    toll = what.killed
    if later and toll and rng.random() < _OTHER_TOLL:
        toll = max(1, round(toll * (0.7 + 0.7 * rng.random())))
    record = _record(what, place, toll, named=named)
    return _report(issue, *_headline(what, place, toll, named=named), record)


def report_id(source: str, key: str) -> str:
    """Return a report's id, which tells nothing of what it is about."""
    return f"{source}/{blake2b(key.encode(), digest_size=8).hexdigest()}"


def _report(issue: Issue, title: str, text: str, record: IncidentRecord | None) -> Report:
    outlet = issue.outlet
    return Report(
        id=report_id(outlet.source, issue.key),
        source=outlet.source,
        seen_at=issue.seen,
        title=title,
        text=text,
        publisher=outlet.family,
        published_at=issue.published,
        language=outlet.language,
        record=record,
    )


def _record(what: Happening, place: str | None, toll: int, *, named: bool) -> IncidentRecord:
    parties = (what.group_name,) if named else ()
    other = "Civilians" if what.against_civilians else what.group.government
    return IncidentRecord(
        event="ASSAULT",
        occurred=Interval(what.day, what.day),
        country=what.country,
        admin1=what.unit,
        place=place or name_of(what.unit),
        precision="district" if place else "admin1",
        actors=(*parties, other),
        killed=_same(toll),
        injured=_same(what.injured),
        civilians_killed=_same(min(what.civilians, toll)),
        mode=what.mode.mode,
    )


def _same(count: int) -> Casualties:
    return Casualties(count, count, count)


def _headline(what: Happening, place: str | None, toll: int, *, named: bool) -> tuple[str, str]:
    """Return title and text of a structured report: for people, no stage reads them."""
    where = f"{place}, {name_of(what.unit)}" if place else name_of(what.unit)
    dead = f"{toll} killed" if toll else "no deaths"
    by = f" by {what.group_name}" if named else ""
    text = f"{what.mode.words}{by} in {where} on {what.day:%d %B %Y}: {dead}."
    return f"{what.mode.words} in {where}: {dead}", text


def _prose(what: Happening, issue: Issue, rng: Random) -> Report:
    fact = what.fact
    deed = invent_deed(fact, Random(f"{what.key}/deed"))  # noqa: S311
    task = Task(
        scenario=STAGE, fact=fact, deed=deed, kind=issue.kind, language=issue.outlet.language,
        published=issue.published, told=fact.best, earlier=0, rival=0,
    )  # fmt: skip
    prose = compose(task, rng)
    return _report(issue, prose.title, " ".join(prose.sentences), None)
