"""How good the coder is: counts on each set, for the tests that hold floors and for the benchmark.

Real headlines: UCDP's (Sundberg & Melander 2013; Davies, Pettersson & Öberg 2023, CC BY 4.0) give
the province of the event; a headline may name other provinces as well, and a row of a nationwide
round-up carries one of many, so the share that is right has a ceiling below one. World news:
NTREX-128 (CC BY-SA 4.0), nearly all of which must code to nothing. Golden cases and the bundled
scenario are this project's own prose.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from detectors.coding import Coded, code
from detectors.coding.lexicon import lexicon
from detectors.coding.normalise import fold, normalise
from detectors.coding.opening import opened as opened
from detectors.records import Casualties, Event, Interval, Report
from detectors.world.units import UNITS
from streams.scenarios.render import facts, render, truth

ROOT: Final = Path(__file__).resolve().parents[1]
SHARED: Final = ROOT.parent / "shared" / "data"
GOLDEN: Final = ROOT / "tests" / "golden" / "coding"
LANGUAGES: Final = ("en", "fa", "ps", "ur", "ar")
#: The files of NTREX-128 and the language of each.
NTREX: Final = {"eng": "en", "prs": "fa", "fas": "fa", "pus": "ps", "urd": "ur", "arb": "ar"}
UCDP: Final = (
    "afg_2020_h1_events.csv",
    "afg_pak_partial_weeks_2018_2020_coding_only.csv",
    "candidate_2023_10_afg_pak.csv",
)
#: UCDP's province names that the table of units spells otherwise.
_NAMES: Final = {
    "Hilmand": "AF-HEL", "Hirat": "AF-HER", "Jawzjan": "AF-JOW", "Nimroz": "AF-NIM",
    "Paktya": "AF-PIA", "Sari Pul": "AF-SAR", "Uruzgan": "AF-URU", "Wardak": "AF-WAR",
    "Khyber Pakhtunkwa": "PK-KP", "Azad Jammu & Kashmir": "PK-JK",
}  # fmt: skip


class Share(Struct):
    """So many right of so many."""

    right: int = 0
    of: int = 0

    def add(self, right: bool) -> None:
        self.right += right
        self.of += 1

    @property
    def value(self) -> float:
        return self.right / self.of if self.of else 0.0

    def interval(self) -> tuple[float, float]:
        """The 95 % interval (Wilson 1927)."""
        if not self.of:
            return 0.0, 1.0
        z2 = 1.96**2
        centre = (self.right + z2 / 2) / (self.of + z2)
        half = (1.96 / (self.of + z2)) * (
            self.right * (self.of - self.right) / self.of + z2 / 4
        ) ** 0.5
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.value:.3f} ({low:.3f} to {high:.3f}), {self.right} of {self.of}"


def violent(found: Coded) -> Event | None:
    """The event, if it is violence that happened."""
    return next((e for e in found.events if e.event == "ASSAULT" and not e.auxiliary), None)


# World news


def world_news(name: str) -> list[Report]:
    """The sentences of one file of NTREX-128, as reports that declare no language."""
    lines = (SHARED / "ntrex128" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    at = datetime(2019, 11, 1, tzinfo=UTC)
    return [
        Report(id=f"n:{i}", source="n", seen_at=at, title=line[:2000])
        for i, line in enumerate(lines)
        if line
    ]


def false_alarms(name: str) -> tuple[Share, list[str]]:
    """Sentences coded as a violent event in a monitored unit, and which they are."""
    reports = world_news(name)
    share, wrong = Share(), []
    for report, found in zip(reports, code(reports), strict=True):
        event = violent(found)
        alarm = event is not None and event.unit in UNITS
        share.add(alarm)
        if alarm:
            wrong.append(report.title)
    return share, wrong


# Headlines


def headlines(file: str) -> Iterator[tuple[Report, str]]:
    """Yield each headline once, with the unit of its row."""
    by_name = {unit.name: unit.code for unit in UNITS.values()} | _NAMES
    seen: set[str] = set()
    text = (SHARED / "ucdp" / file).read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines(True)):
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
    """Tell whether the dictionaries find a place below the country in the title."""
    folded = fold(title)
    found = lexicon().scan(normalise(folded)) or []
    hits = lexicon().resolve(found, folded)
    return any(c.unit != c.country for hit in hits for c in hit.entry.places)


def admin1(file: str) -> tuple[Share, Share]:
    """Headlines that name a place: how many are placed, and how many of those are right."""
    named = [(r, u) for r, u in headlines(file) if u and _names_a_province(r.title)]
    answered, right = Share(), Share()
    for (_, unit), found in zip(named, code([report for report, _ in named]), strict=True):
        event = violent(found)
        place = event.place if event else None
        answered.add(place is not None and place.admin1 is not None)
        if place is not None and place.admin1 is not None:
            right.add(place.admin1 == unit)
    return answered, right


# Golden cases


class Golden(Struct):
    """One case: a report, and what it is to be coded to."""

    id: str
    family: str
    report: Report
    expect: dict[str, Any]
    note: str


def golden(language: str) -> list[Golden]:
    """The golden cases of a language."""
    lines = (GOLDEN / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    cases = []
    for line in filter(None, lines):
        raw = json.loads(line)
        at = datetime.fromisoformat(raw["published"])
        report = Report(
            id=raw["id"], source="golden", seen_at=at, title=raw["title"],
            text=raw.get("text", ""), published_at=at,
        )  # fmt: skip
        cases.append(Golden(raw["id"], raw["family"], report, raw["expect"], raw.get("note", "")))
    return cases


def _days(occurred: Interval | None) -> list[str] | None:
    return [str(occurred.start), str(occurred.end)] if occurred else None


def _count(found: Casualties | None) -> list[int] | None:
    return [found.low, found.best, found.high] if found else None


def answered(found: Coded) -> dict[str, Any]:
    """What a report was coded to, in the words of the golden cases."""
    if not found.events:
        return {"event": None}
    event = found.events[0]
    place = event.place
    return {
        "event": event.event,
        "mode": event.mode,
        "auxiliary": sorted(event.auxiliary),
        "country": place.country if place else None,
        "admin1": place.admin1 if place else None,
        "killed": _count(event.killed),
        "injured": _count(event.injured),
        "civilians_killed": _count(event.civilians_killed),
        "occurred": _days(event.occurred),
        "actors": list(event.actors),
    }


def is_violent(said: dict[str, Any]) -> bool:
    """Tell whether a coding says that violence happened."""
    return said["event"] == "ASSAULT" and not said.get("auxiliary")


def golden_shares(language: str) -> tuple[dict[str, Share], list[tuple[str, str, Any, Any]]]:
    """How many golden cases are right, field by field, and which are not.

    `violent` is over all cases; the other fields are over those where violence happened and was
    found. Of actors, those that are expected must be among those found.
    """
    cases = golden(language)
    shares = {name: Share() for name in ("violent", "event")}
    wrong: list[tuple[str, str, Any, Any]] = []

    def note(case: Golden, name: str, said: Any, expected: Any) -> None:
        right = set(expected) <= set(said) if name == "actors" else said == expected
        shares.setdefault(name, Share()).add(right)
        if not right:
            wrong.append((case.id, name, expected, said))

    for case, found in zip(cases, code([case.report for case in cases]), strict=True):
        said, expect = answered(found), case.expect
        note(case, "violent", is_violent(said), is_violent(expect))
        note(case, "event", said["event"], expect["event"])
        if is_violent(said) and is_violent(expect):
            for name in ("admin1", "killed", "injured", "civilians_killed", "occurred", "actors"):
                note(case, name, said[name], expect.get(name))
            if expect.get("mode"):
                note(case, "mode", said["mode"], expect["mode"])
    return shares, wrong


# The bundled scenario


def scenario() -> dict[str, Counter[str]]:
    """Counts over the bundled scenario, by language."""
    incidents = {fact.incident: fact for fact in facts()}
    reports, told = list(render()), list(truth())
    counts: dict[str, Counter[str]] = {}
    for report, about, found in zip(reports, told, code(reports), strict=True):
        count = counts.setdefault(report.language or "und", Counter())
        event = violent(found)
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
            count["day right"] += _meets(event.occurred, fact.day_start, fact.day_end)
        # First reports may give fewer than died; a risen toll gives what is known in the end.
        if about.kind == "revision" and event.killed:
            count["tolls"] += 1
            count["toll right"] += event.killed.best == fact.best
    return counts


def _meets(occurred: Interval, first: date, last: date) -> bool:
    return occurred.start <= last and occurred.end >= first
