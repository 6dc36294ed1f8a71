"""The golden cases of the coder are themselves sound: whole, valid, distinct, and cover the field.

What the coder makes of them is measured elsewhere; here only the files are held to their README.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from detectors.records import Auxiliary, Casualties, EventType, Victims
from detectors.world.units import AREAS

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "coding"
LANGUAGES = ("en", "fa", "ps", "ur", "ar")
LEAST = 60  # cases of a language
WEAK = (0.30, 0.45)  # share of traps and of weakened events

#: Every family stands in every language.
FAMILIES = {
    "suicide-attack", "roadside-bomb", "clash", "ambush", "air-strike", "assassination",
    "abduction", "execution", "cross-border-shelling", "checkpoint-attack", "mosque-attack",
    "arrest", "deportation", "border-closure", "ban", "protest", "sanction", "threat",
    "accusation", "rejection", "talks", "agreement", "ceasefire", "aid", "troop-movement",
    "prisoner-release", "withdrawal", "appeal",
    "claim", "denial", "confirmation", "rival-tolls",
    "digits", "number-words", "dates", "renamed", "ambiguous-place", "several-places",
    "country-only", "unplaced",
    "negation", "foiled", "look-back", "warning", "plan", "exercise",
    "trap-sport", "trap-weather", "trap-disaster", "trap-accident", "trap-disease", "trap-culture",
    "trap-other-war", "trap-economy", "trap-metaphor", "trap-homonym",
}  # fmt: skip
#: Modes that the cases state, by type; of other types they state none.
MODES = {
    "ASSAULT": {
        "suicide-attack", "aerial", "abduct", "assassinate", "execute", "explosives",
        "heavy-weapons", "firearms", "beat",
    },
    "COERCE": {"arrest", "deport", "closure", "ban", "restrict"},
}  # fmt: skip
KEYS = {"id", "family", "title", "text", "published", "publisher_side", "expect", "note"}
EXPECTED = {
    "event", "mode", "auxiliary", "country", "admin1", "killed", "injured", "civilians_killed",
    "occurred", "actors", "statement",
}  # fmt: skip
STATEMENTS = {None, "claim", "counter-claim", "denial", "confirmation"}
COUNTS = ("killed", "injured", "civilians_killed")
#: Letters that a text of the language is sure to have, and ones that only another's typing has.
LETTERS = {
    "en": ("[a-z]", "[\u0600-\u06ff]"),
    "fa": ("[پچژگکی]", "[يكىةټډړښۍېٹڈںے]"),
    "ps": ("[ټډړښځڅڼۍېږګ]", "[كىةٹڈںے]"),
    "ur": ("[ٹڈڑںےہھ]", "[يكىةټډښۍې]"),
    "ar": ("[ةىيأإك]", "[پچگټډٹے]"),
}

Case = dict[str, Any]


@cache
def cases(language: str) -> tuple[Case, ...]:
    lines = (GOLDEN / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


@cache
def actors() -> frozenset[str]:
    world = ROOT / "detectors" / "world"
    tables = [*world.glob("actors.csv"), *world.glob("actors/organisations.csv")]
    assert tables
    return frozenset(
        row["id"]
        for table in tables
        for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    )


every_language = pytest.mark.parametrize("language", LANGUAGES)
every_case = pytest.mark.parametrize(
    "case", [case for language in LANGUAGES for case in cases(language)], ids=lambda c: c["id"]
)


def is_violence(expect: Case) -> bool:
    return expect["event"] == "ASSAULT" and not expect["auxiliary"]


def _is_weak(case: Case) -> bool:
    return case["expect"]["event"] is None or bool(case["expect"]["auxiliary"])


@every_language
def test_a_language_has_enough_cases_of_every_family(language: str) -> None:
    assert len(cases(language)) >= LEAST
    assert {case["family"] for case in cases(language)} == FAMILIES


@every_language
def test_about_a_third_are_traps_or_weakened(language: str) -> None:
    low, high = WEAK
    assert low <= sum(map(_is_weak, cases(language))) / len(cases(language)) <= high


@every_language
def test_ids_count_up_and_no_case_stands_twice(language: str) -> None:
    found = [case["id"] for case in cases(language)]
    assert found == [f"{language}-{n:03d}" for n in range(1, len(found) + 1)]
    told = Counter((case["title"], case["text"], case["published"]) for case in cases(language))
    assert max(told.values()) == 1


@every_case
def test_a_case_is_whole(case: Case) -> None:
    assert set(case) == KEYS
    expect = case["expect"]
    has_dead = is_violence(expect) and expect["killed"] is not None and expect["killed"][2] > 0
    assert set(expect) == (EXPECTED | {"victims"} if has_dead else EXPECTED)
    assert set(expect.get("victims", ())) <= set(get_args(Victims))
    assert expect.get("victims", []) == sorted(expect.get("victims", []))
    assert case["title"].strip() == case["title"] != ""
    assert case["text"].strip() == case["text"]
    assert case["note"]
    assert case["publisher_side"] in {None, "state", "insurgent", "de-facto-authority"}


@every_case
def test_a_case_is_written_in_its_letters(case: Case) -> None:
    own, foreign = LETTERS[case["id"][:2]]
    text = f"{case['title']} {case['text']}".lower()
    assert re.search(own, text)
    assert not re.search(foreign, text)


@every_case
def test_what_is_expected_has_valid_codes(case: Case) -> None:
    expect = case["expect"]
    event = expect["event"]
    assert event is None or event in get_args(EventType)
    assert expect["mode"] is None or expect["mode"] in MODES.get(event, ())
    assert set(expect["auxiliary"]) <= set(get_args(Auxiliary))
    assert expect["auxiliary"] == sorted(set(expect["auxiliary"]))
    assert expect["actors"] == sorted(set(expect["actors"]))
    assert set(expect["actors"]) <= actors()
    assert expect["statement"] in STATEMENTS


@every_case
def test_a_place_is_a_monitored_unit_of_its_country(case: Case) -> None:
    country, admin1 = case["expect"]["country"], case["expect"]["admin1"]
    assert country in {None, "AFG", "PAK"}
    if admin1 is not None:
        assert AREAS[admin1].kind == "admin1"
        assert AREAS[admin1].country == country
    # Of the types only violence is kept where no place is said.
    assert country or case["expect"]["event"] in {None, "ASSAULT"}


@every_case
def test_numbers_are_ranges(case: Case) -> None:
    expect = case["expect"]
    for name in COUNTS:
        if expect[name] is not None:
            low, best, high = expect[name]
            assert Casualties(low, best, high)
            assert 0 <= low <= best <= high
    if expect["civilians_killed"] is not None:
        assert expect["civilians_killed"][1] <= expect["killed"][1]


@every_case
def test_days_are_iso_and_not_ahead_unless_it_is_said(case: Case) -> None:
    published = datetime.fromisoformat(case["published"])
    assert published.tzinfo == UTC
    assert case["published"].endswith("Z")
    if case["expect"]["occurred"] is None:
        return
    start, end = map(date.fromisoformat, case["expect"]["occurred"])
    assert start <= end
    tomorrow = published.date() + timedelta(days=1)
    assert end <= tomorrow or case["expect"]["auxiliary"] == ["future"]
    assert published.date() - start < timedelta(days=30)


@every_case
def test_a_trap_expects_nothing(case: Case) -> None:
    expect = case["expect"]
    if case["family"].startswith("trap-") or case["family"] == "exercise":
        assert expect["event"] is None
    if expect["event"] is None:
        empty: dict[str, object] = {
            name: [] if name in {"auxiliary", "actors"} else None for name in EXPECTED
        }
        assert expect == empty
