"""How good the coder is on real headlines, and on the bundled scenario.

UCDP's source headlines (Sundberg & Melander 2013; Davies, Pettersson & Öberg 2023, CC BY 4.0) give
the province of the event; a headline may name other provinces as well, and a row of a nationwide
round-up carries one of many, so the share that is right has a ceiling below one. NTREX-128 (CC
BY-SA 4.0) is world news, nearly all of which must code to nothing.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detectors.coding import Coded, code
from detectors.coding.lexicon import lexicon
from detectors.coding.normalise import fold, normalise
from detectors.records import Event, Report
from detectors.world.units import UNITS
from streams.scenarios.render import facts, render, truth

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not beside here")

#: UCDP's province names that the table of units spells otherwise.
_NAMES = {
    "Hilmand": "AF-HEL", "Hirat": "AF-HER", "Jawzjan": "AF-JOW", "Nimroz": "AF-NIM",
    "Paktya": "AF-PIA", "Sari Pul": "AF-SAR", "Uruzgan": "AF-URU", "Wardak": "AF-WAR",
    "Khyber Pakhtunkwa": "PK-KP", "Azad Jammu & Kashmir": "PK-JK",
}  # fmt: skip


def _violent(found: Coded) -> Event | None:
    return next((e for e in found.events if e.event == "ASSAULT" and not e.auxiliary), None)


def _headlines(file: str) -> Iterator[tuple[Report, str]]:
    """Yield each headline once, with the unit of its row."""
    by_name = {unit.name: unit.code for unit in UNITS.values()} | _NAMES
    seen: set[str] = set()
    for row in csv.DictReader(
        (SHARED / "ucdp" / file).read_text(encoding="utf-8").splitlines(True)
    ):
        unit = row.get("admin1_iso") or by_name.get(re.sub(" province$", "", row["adm_1"]), "")
        dates = row["source_date"].split(";")
        for i, part in enumerate(row["source_headline"].split(";")):
            title = part.strip().split("\n")[0]
            day = dates[min(i, len(dates) - 1)][:10]
            if title in seen or len(title) < 12 or not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
                continue
            seen.add(title)
            at = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
            yield Report(id=f"ucdp:{len(seen)}", source="ucdp", seen_at=at, title=title), unit


def _names_a_province(title: str) -> bool:
    """Return whether the dictionaries find a place below the country in the title."""
    folded = fold(title)
    found = lexicon().scan(normalise(folded)) or []
    hits = lexicon().resolve(found, folded)
    return any(c.unit != c.country for hit in hits for c in hit.entry.places)


@needs_shared
@pytest.mark.parametrize(
    ("file", "least_answered", "least_right"),
    [
        ("afg_2020_h1_events.csv", 0.90, 0.93),
        ("afg_pak_partial_weeks_2018_2020_coding_only.csv", 0.88, 0.90),
        ("candidate_2023_10_afg_pak.csv", 0.85, 0.85),
    ],
)
def test_headlines_that_name_a_province(
    file: str, least_answered: float, least_right: float
) -> None:
    named = [(r, u) for r, u in _headlines(file) if u and _names_a_province(r.title)]
    coded = code([report for report, _ in named])
    placed = [
        (e.place.admin1, unit)
        for (_, unit), found in zip(named, coded, strict=True)
        if (e := _violent(found)) and e.place and e.place.admin1
    ]
    right = sum(said == unit for said, unit in placed) / len(placed)
    answered = len(placed) / len(named)
    print(f"\n{file}: {len(named)} name a province, {answered:.3f} answered, {right:.3f} right")
    assert answered >= least_answered
    assert right >= least_right


@needs_shared
def test_world_news_raises_no_false_alarm() -> None:
    lines = (SHARED / "ntrex128" / "eng.txt").read_text(encoding="utf-8").splitlines()
    at = datetime(2019, 11, 1, tzinfo=UTC)
    reports = [
        Report(id=f"n:{i}", source="n", seen_at=at, title=line[:2000])
        for i, line in enumerate(lines)
        if line
    ]
    alarms = [f for f in code(reports) if (e := _violent(f)) and e.unit in UNITS]
    print(f"\nNTREX-128: {len(alarms)} false alarms in {len(reports)} sentences")
    assert len(alarms) <= 0.005 * len(reports)


@needs_shared
@pytest.mark.parametrize("name", ["arb", "fas", "prs", "pus", "urd"])
def test_other_scripts_are_left(name: str) -> None:
    lines = (SHARED / "ntrex128" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    at = datetime(2019, 11, 1, tzinfo=UTC)
    coded = code([Report(id="n", source="n", seen_at=at, title=x[:2000]) for x in lines if x])
    share = sum(c.outcome == "other_language" for c in coded) / len(coded)
    assert share >= 0.99


def test_the_bundled_scenario() -> None:
    incidents = {fact.incident: fact for fact in facts()}
    reports, told = list(render()), list(truth())
    count: Counter[str] = Counter()
    for report, about, found in zip(reports, told, code(reports), strict=True):
        if report.language != "en":
            continue
        event = _violent(found)
        if about.incident is None:
            count["other news"] += 1
            count["false alarms"] += event is not None
            continue
        count["reports"] += 1
        if event is None:
            continue
        fact = incidents[about.incident]
        count["violent"] += 1
        if fact.admin1 and event.place and event.place.admin1:
            count["placed"] += 1
            count["place right"] += event.place.admin1 == fact.admin1
        if event.occurred:
            count["dated"] += 1
            within = event.occurred.start <= fact.day_end and event.occurred.end >= fact.day_start
            count["day right"] += within
        # First reports may give fewer than died; a risen toll gives what is known in the end.
        if about.kind == "revision" and event.killed:
            count["tolls"] += 1
            count["toll right"] += event.killed.best == fact.best
    print("\n" + "\n".join(f"{key:14}{count[key]:6}" for key in count))
    assert count["violent"] >= 0.98 * count["reports"]
    assert count["place right"] >= 0.98 * count["placed"]
    assert count["day right"] >= 0.98 * count["dated"]
    assert count["toll right"] >= 0.95 * count["tolls"]
    assert count["false alarms"] <= 0.01 * count["other news"]
