"""How well claims, denials and rival tolls are read, on the bundled scenario.

Its plan says which report is a claim, a denial, one of rival tolls or a revision, and with which
numbers it was written. All of its prose is this project's own: a figure here proves that the parts
fit.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from detectors.coding import Coded, code
from detectors.records import Report
from streams.scenarios.choice import pick
from streams.scenarios.language import language
from streams.scenarios.outlets import outlets
from streams.scenarios.plan import Plan, Planner, invent_deed
from streams.scenarios.render import Truth, _generator, facts, render, truth
from tests.coding_measures import Share

SCENARIO: Final = "doha-2020"
#: What each kind of report states; every other kind states nothing.
STATES: Final = {"claim": "claim", "counter": "counter-claim", "denial": "denial"}
_TO_ASCII: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789")


def statements() -> dict[str, Counter[tuple[str, str | None]]]:
    """Counts of (kind, statement found), by language; `news` is other news, `plain` the rest."""
    counts: dict[str, Counter[tuple[str, str | None]]] = {}
    for report, about, found in _read():
        kind = "news" if about.incident is None else about.kind
        kind = kind if kind in (*STATES, "news") else "plain"
        event = found.events[0] if found.events else None
        count = counts.setdefault(report.language or "und", Counter())
        count[kind, event.statement if event else None] += 1
    return counts


def precision_and_recall(language: str, statement: str) -> tuple[Share, Share]:
    """How many of those found are so, and how many that are so are found; other news left out."""
    kinds = {made: kind for kind, made in STATES.items()}
    precise, recalled = Share(), Share()
    for (kind, found), number in statements().get(language, Counter()).items():
        for _ in range(number if kind != "news" else 0):
            if found == statement:
                precise.add(kind == kinds[statement])
            if kind == kinds[statement]:
                recalled.add(found == statement)
    return precise, recalled


def tolls() -> dict[str, dict[str, Share]]:
    """By language: rival and earlier tolls found where they are told, and those told by nobody."""
    shares: dict[str, dict[str, Share]] = {}
    plans = _plans()
    for report, about, found in _read():
        if about.incident is None or not found.events:
            continue
        event, plan = found.events[0], plans.get((about.incident, about.kind))
        share = shares.setdefault(
            report.language or "und", {n: Share() for n in ("rival", "earlier", "none")}
        )
        if about.kind == "counter" and plan is not None:
            both = event.killed is not None and {event.killed.best, *event.killed_also}
            share["rival"].add(both == {plan.told, plan.rival})
        elif about.kind == "revision" and plan is not None and _tells(report, plan.earlier):
            share["earlier"].add(event.killed_also == (plan.earlier,))
        elif about.kind not in ("revision", "reprint"):
            share["none"].add(not event.killed_also)
    return shares


def _read() -> list[tuple[Report, Truth, Coded]]:
    reports = list(render(SCENARIO))
    return list(zip(reports, truth(SCENARIO), code(reports), strict=True))


def _plans() -> dict[tuple[int, str], Plan]:
    """Return the plan of each report of rival or risen tolls, as the scenario makes it."""
    happened = facts(SCENARIO)
    delays = sorted(fact.delay_days for fact in happened if fact.delay_days is not None)
    found: dict[tuple[int, str], Plan] = {}
    for fact in happened:
        rng = _generator(SCENARIO, fact.incident)
        measured = fact.delay_days if fact.delay_days is not None else pick(delays, rng)
        deed = invent_deed(fact, rng)
        for plan in Planner(fact, deed, outlets(SCENARIO), rng).plan(measured):
            if plan.of is None and plan.kind in ("counter", "revision"):
                found[fact.incident, plan.kind] = plan
    return found


def _tells(report: Report, number: int) -> bool:
    """Tell whether a report gives a number, not counting one that is a day of a month."""
    text = report.text.translate(_TO_ASCII).lower()
    words = language(report.language or "en").words
    ways = [str(number), *words.numbers[number : number + 1]]
    month = "|".join(map(re.escape, words.months)).lower()
    return any(re.search(rf"(?<!\w){re.escape(way)}(?!\w)(?! (?:{month}))", text) for way in ways)
