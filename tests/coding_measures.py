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
from random import Random
from typing import Any, Final, NamedTuple

from msgspec import Struct

from detectors.coding import Coded, code
from detectors.coding.lexicon import lexicon
from detectors.coding.normalise import fold, normalise
from detectors.coding.opening import opened as opened
from detectors.records import Casualties, Event, Interval, Report
from detectors.world.units import AREAS, UNITS
from streams.scenarios.choice import pick
from streams.scenarios.facts import Fact
from streams.scenarios.language import Language, language
from streams.scenarios.plan import invent_deed
from streams.scenarios.prose import Deed, rebels
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


class Headline(Struct):
    """A headline, and what UCDP says of the rows it stands on, in their order."""

    report: Report
    units: list[str] = []
    killed: list[tuple[int, int, int]] = []  # low, best, high


def headlines(file: str) -> list[Headline]:
    """Return each headline once, with all rows that name it as a source."""
    by_name = {unit.name: unit.code for unit in AREAS.values()} | _NAMES
    found: dict[str, Headline] = {}
    text = (SHARED / "ucdp" / file).read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines(True)):
        unit = row.get("admin1_iso") or by_name.get(re.sub(" province$", "", row["adm_1"]), "")
        best, low, high = (int(row[name]) for name in ("best", "low", "high"))
        dates = row["source_date"].split(";")
        for title, day in dict(_titles(row["source_headline"], dates)).items():
            if title not in found:
                at = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
                key = f"ucdp:{len(found) + 1}"
                found[title] = Headline(Report(id=key, source="ucdp", seen_at=at, title=title))
            found[title].units.append(unit)
            found[title].killed.append((min(low, best), best, max(high, best)))
    return list(found.values())


def _titles(column: str, dates: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the headlines of a row, each with its day."""
    for i, part in enumerate(column.split(";")):
        title, day = part.strip().split("\n")[0], dates[min(i, len(dates) - 1)][:10]
        if len(title) >= 12 and re.fullmatch(r"\d{4}-\d\d-\d\d", day):
            yield title, day


def _places_named(title: str) -> list[set[str]]:
    """Return the places below the country in a title, each as the units it may stand for."""
    folded = fold(title)
    found = lexicon().scan(normalise(folded)) or []
    hits = lexicon().resolve(found, folded)
    named = [{c.unit for c in hit.entry.places if c.unit != c.country} for hit in hits]
    return [units for units in named if units]


class Placed(NamedTuple):
    """How many headlines are placed, and how many of those are right."""

    answered: Share
    answered_one: Share  # of those that name one province only
    right: Share  # any row's province
    strict: Share  # the first row's


def admin1(file: str) -> Placed:
    """Return how many of the headlines that name a place are placed, and how many rightly.

    UCDP makes a row of each event, and one headline may stand on several: it tells of several
    events, or is one of several sources that were read together for them. So the province of any of
    its rows is `right`; `strict` counts the first row's alone, whichever that is. A list of several
    provinces is answered with the country, so `answered_one` leaves out who names several.
    """
    named = [(h, _places_named(h.report.title)) for h in headlines(file) if h.units[0]]
    named = [(headline, places) for headline, places in named if places]
    told = Placed(Share(), Share(), Share(), Share())
    coded = code([headline.report for headline, _ in named])
    for (headline, places), found in zip(named, coded, strict=True):
        event = violent(found)
        unit = event.place.admin1 if event and event.place else None
        told.answered.add(unit is not None)
        if set.intersection(*places):
            told.answered_one.add(unit is not None)
        if unit is not None:
            told.right.add(unit in headline.units)
            told.strict.add(unit == headline.units[0])
    return told


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
        "victims": list(event.victims),
        "occurred": _days(event.occurred if event.dated_by == "text" else None),
        "actors": list(event.actors),
        "statement": event.statement,
    }


def is_violent(said: dict[str, Any]) -> bool:
    """Tell whether a coding says that violence happened."""
    return said["event"] == "ASSAULT" and not said.get("auxiliary")


def golden_shares(language: str) -> tuple[dict[str, Share], list[tuple[str, str, Any, Any]]]:
    """How many golden cases are right, field by field, and which are not.

    `violent` is over all cases; the other fields are over those where violence happened and was
    found, but for `statement`, over those with any event that was found. Of actors, those that are
    expected must be among those found.
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
        if said["event"] and expect["event"]:
            note(case, "statement", said["statement"], expect["statement"])
        if is_violent(said) and is_violent(expect):
            for name in ("admin1", "killed", "injured", "civilians_killed", "occurred", "actors"):
                note(case, name, said[name], expect.get(name))
            if "victims" in expect:
                note(case, "victims", said["victims"], expect["victims"])
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
        # Where sides differ, which number is the best is another question.
        if about.told and about.kind != "counter":
            count["tolls"] += 1
            count["toll right"] += _told(event.killed, about.told)
    return counts


def _told(killed: Casualties | None, number: int) -> bool:
    """Tell whether a toll is the number told: exact, or at one end of a range."""
    return killed is not None and number in (killed.low, killed.best, killed.high)


#: Reports of the scenario that tell who was killed: the others give numbers only.
_TELLING: Final = ("first", "second", "reprint", "translation")
_KINDS: Final = {"GOV": "security-forces", "CIV": "civilians"}


def scenario_victims() -> tuple[dict[str, Share], list[tuple[Report, set[str], set[str]]]]:
    """How many reports of the scenario with deaths are right in who they were, by language.

    Also those that are not: the report, who it tells and who it was read to tell.
    """
    deeds = dict(_deeds())
    shares: dict[str, Share] = {}
    wrong: list[tuple[Report, set[str], set[str]]] = []
    reports, told = list(render()), list(truth())
    for report, about, found in zip(reports, told, code(reports), strict=True):
        event = violent(found)
        if about.incident is None or about.kind not in _TELLING or event is None:
            continue
        fact, deed = deeds[about.incident]
        if not fact.best:
            continue
        expected = _victims_told(report, fact, deed)
        said: set[str] = set(event.victims)
        shares.setdefault(report.language or "und", Share()).add(said == expected)
        if said != expected:
            wrong.append((report, expected, said))
    return shares, wrong


def _deeds(name: str = "doha-2020") -> Iterator[tuple[int, tuple[Fact, Deed]]]:
    """Yield the invented deed of each incident of the scenario, as `render` draws it."""
    happened = facts(name)
    delays = sorted(f.delay_days for f in happened if f.delay_days is not None)
    for fact in happened:
        rng = Random(f"{name}/{fact.incident}")
        if fact.delay_days is None:
            pick(delays, rng)
        yield fact.incident, (fact, invent_deed(fact, rng))


def _victims_told(report: Report, fact: Fact, deed: Deed) -> set[str]:
    """Return who the prose of a report says was killed; of both sides, where it names the two."""
    tongue = language(report.language or "en")
    text = f"{report.title}  {report.text}"
    civilians = {"civilians"} if _names_civilians(text, tongue) else set()
    if deed.victim == "people":
        return civilians
    sides = ("GOV", rebels(fact)) if deed.victim == "mixed" else (deed.victim,)
    counted = {_KINDS.get(side, "militants") for side in sides if _counts(text, side, fact, tongue)}
    return counted | civilians


def _counts(text: str, side: str, fact: Fact, tongue: Language) -> bool:
    """Return whether a number of a side's people stands in a text."""
    code = f"GOV-{fact.country}" if side == "GOV" else side
    nouns = (*tongue.victim[code], *tongue.title_victim[code])
    counted = "|".join({re.escape(form) for pair in nouns for form in pair})
    words = "|".join(
        (*tongue.words.numbers, *tongue.count["one"], "an", r"\d+", tongue.words.dozen or "-")
    )
    return re.search(rf"(?<!\w)(?:{words}) (?:{counted})(?!\w)", text, re.IGNORECASE) is not None


def _names_civilians(text: str, tongue: Language) -> bool:
    """Return whether a text counts civilians among its people, in the words of the scenario."""
    (one, several), (_, people) = tongue.victim["civilians"][0], tongue.victim["people"][0]
    for template in tongue.count["including"]:
        known = {"n": r"\S+", "m": r"\S+", "people": people, "civilians": f"(?:{one}|{several})"}
        if re.search(template.rstrip(",").format_map(known), text, re.IGNORECASE):
            return True
    return False


def _meets(occurred: Interval, first: date, last: date) -> bool:
    return occurred.start <= last and occurred.end >= first
