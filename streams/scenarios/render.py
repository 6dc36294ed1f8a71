"""Turn a scenario's facts into the reports that a monitor would have read, in their order.

Everything is a function of the scenario's name: the same name gives the same bytes. What is fact
and what is invented is stated in the README of the scenario's folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Final

import msgspec
from msgspec import Struct

from detectors.records import Report
from streams.scenarios import noise
from streams.scenarios.choice import between, pick
from streams.scenarios.facts import Fact, read
from streams.scenarios.outlets import Outlet, outlets
from streams.scenarios.plan import Plan, Planner, invent_deed, within_outage
from streams.scenarios.prose import Deed, Prose, Task, compose, reprint


class Scenario(Struct, frozen=True):
    """A bundled input: which tables of facts, which days, how much other news."""

    name: str
    summary: str
    tables: tuple[str, ...]
    first_day: date
    last_day: date  # the last day on which a report may be seen
    noise: int  # items of other news


class Truth(Struct, frozen=True):
    """What a report is really about. For measuring only: no report carries it."""

    report: str  # the report's id
    incident: int | None  # the fact's number; None for news that reports no incident
    kind: str  # first, second, translation, reprint, revision, counter, claim, denial, or of noise
    told: int | None = None  # the number of killed that it gives; None where it gives none


#: Every bundled scenario by its name.
SCENARIOS: Final[dict[str, Scenario]] = {
    "doha-2020": Scenario(
        name="doha-2020",
        summary="Afghanistan and Pakistan, January to June 2020: reduction in violence, the Doha "
        "agreement, the Eid ceasefire, and an outlet that falls silent.",
        tables=("facts.csv", "invented_pakistan.csv"),
        first_day=date(2020, 1, 1),
        last_day=date(2020, 7, 6),
        noise=590,
    )
}


def facts(name: str = "doha-2020") -> tuple[Fact, ...]:
    """Return the scenario's incidents, those of each table in the order of their numbers.

    Raises:
        KeyError: There is no such scenario.
    """
    scenario = SCENARIOS[name]
    return tuple(f for table in scenario.tables for f in read(scenario.name, table))


def render(name: str = "doha-2020") -> Iterator[Report]:
    """Yield the scenario's reports in the order of (seen_at, id).

    Raises:
        KeyError: There is no such scenario.
    """
    for report, _ in _rendered(name):
        yield report


def truth(name: str = "doha-2020") -> Iterator[Truth]:
    """Yield what each report is about, in the order of `render`.

    Raises:
        KeyError: There is no such scenario.
    """
    for _, true in _rendered(name):
        yield true


def write(name: str, path: Path) -> int:
    """Write the reports to `path`, one JSON object a line; return how many there are.

    Raises:
        KeyError: There is no such scenario.
        OSError: The file cannot be written.
    """
    encoder = msgspec.json.Encoder()
    found = list(render(name))
    path.write_bytes(b"".join(encoder.encode(r) + b"\n" for r in found))
    return len(found)


def _generator(*parts: object) -> Random:
    """Return a generator that depends on nothing but the parts."""
    return Random("/".join(map(str, parts)))  # noqa: S311  not for secrets


@cache
def _rendered(name: str) -> tuple[tuple[Report, Truth], ...]:
    scenario = SCENARIOS[name]
    found = [*_incidents(scenario), *_noise(scenario)]
    inside = [
        pair for pair in found if scenario.first_day <= pair[0].seen_at.date() <= scenario.last_day
    ]
    return tuple(sorted(inside, key=lambda pair: (pair[0].seen_at, pair[0].id)))


def _incidents(scenario: Scenario) -> Iterator[tuple[Report, Truth]]:
    happened = facts(scenario.name)
    delays = sorted(f.delay_days for f in happened if f.delay_days is not None)
    for fact in happened:
        rng = _generator(scenario.name, fact.incident)
        measured = fact.delay_days if fact.delay_days is not None else pick(delays, rng)
        deed = invent_deed(fact, rng)
        plans = Planner(fact, deed, outlets(scenario.name), rng).plan(measured)
        yield from _told(scenario.name, fact, deed, plans, rng)


def _told(
    scenario: str, fact: Fact, deed: Deed, plans: list[Plan], rng: Random
) -> Iterator[tuple[Report, Truth]]:
    written: list[Prose] = []
    seen = [_seen(p.outlet, p.published, rng) for p in plans]
    silent = {n: p.outlet.silent(p.published, seen[n]) for n, p in enumerate(plans)}
    lost = set(within_outage(plans, silent)) if plans else set()
    for number, plan in enumerate(plans):
        if plan.of is None:
            wire = plan.outlet.name if _has_dateline(plan, rng) else None
            prose = compose(
                Task(
                    scenario=scenario, fact=fact, deed=deed, kind=plan.kind,
                    language=plan.outlet.language, published=plan.published, told=plan.told,
                    earlier=plan.earlier, rival=plan.rival, wire=wire,
                ),
                rng,
            )  # fmt: skip
            title, text = prose.title, " ".join(prose.sentences)
        else:
            prose = written[plan.of]
            agency = plans[plan.of].outlet
            title, text = reprint(prose, agency.name, agency.language, rng)
        written.append(prose)
        if number not in lost:
            report = _report(plan.outlet, plan.published, seen[number], title, text)
            yield report, Truth(report.id, fact.incident, plan.kind, plan.told or None)


def _has_dateline(plan: Plan, rng: Random) -> bool:
    """Whether a report opens with the city and the agency's name, as some of the agencies' do."""
    return plan.outlet.wire and plan.outlet.language == "en" and rng.random() < 0.25


def _noise(scenario: Scenario) -> Iterator[tuple[Report, Truth]]:
    rng = _generator(scenario.name, "noise")
    span = (scenario.last_day - scenario.first_day).days
    days = [scenario.first_day + timedelta(days=n) for n in range(span)]
    found = outlets(scenario.name)
    items = [*noise.dated(found, rng), *noise.invented(days, scenario.noise, found, rng)]
    for item in items:
        seen = _seen(item.outlet, item.published, rng)
        if not item.outlet.silent(item.published, seen):
            report = _report(item.outlet, item.published, seen, item.title, item.text)
            yield report, Truth(report.id, None, item.kind)


def _seen(outlet: Outlet, published: datetime, rng: Random) -> datetime:
    """Return when the item was first polled: after the outlet's usual wait, more or less."""
    wait = outlet.poll_minutes * 60 * between(0.2, 2.0, rng)
    return published + timedelta(seconds=max(20, int(wait)))


def _report(outlet: Outlet, published: datetime, seen: datetime, title: str, text: str) -> Report:
    content = f"{title}\n{text}\n{published.astimezone(UTC).isoformat()}"
    digest = blake2b(content.encode(), digest_size=8).hexdigest()
    return Report(
        id=f"{outlet.source}/{digest}",
        source=outlet.source,
        seen_at=seen,
        title=title,
        text=text,
        publisher=outlet.family,
        published_at=published,
        language=outlet.language,
    )
