"""The tables of Dari, Persian and Pashto: well formed, complete, and without contradiction."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Final, get_args

import pytest

from detectors.coding import script
from detectors.coding.lexicon import TRIGGERS
from detectors.coding.types import CUES
from detectors.records import EventType
from detectors.tables import rows

LANGUAGES: Final = ("fa", "ps")
CLASSES: Final = frozenset(TRIGGERS) | frozenset(CUES) | frozenset(get_args(EventType)) | {
    "natural", "mask", "target", "armed", "civilian", "person", "not_people", "generic",
    "historical", "foiled", "claim", "confirm",
}  # fmt: skip
VIOLENT_MODES: Final = frozenset((
    "suicide-attack", "aerial", "abduct", "assassinate", "execute", "explosives", "heavy-weapons",
    "firearms", "beat",
))  # fmt: skip
OTHER_MODES: Final = {
    "PROTEST": {"demo", "strike", "hunger", "obstruct"},
    "COERCE": {"arrest", "deport", "ban", "censor", "curfew", "restrict", "seize"},
    "RETREAT": {"release", "ceasefire"},
    "MOBILIZE": {"troops"},
}
NUMBER_KINDS: Final = frozenset(
    ("unit", "ten", "hundred", "thousand", "vague", "lone", "join", "at_least", "at_most", "about")
)
#: `other` is a phrase that hides a word for a day or month inside it.
DAY_KINDS: Final = frozenset(
    ("weekday", "ago", "ahead", "gregorian", "solar", "islamic", "past", "said", "other")
)
PASHTO_ALONE: Final = frozenset("ټډړږښځڅېۍڼ")


def _terms(language: str) -> list[dict[str, str]]:
    return rows("detectors.coding", f"terms_{language}.csv")


def _classes(language: str, term: str) -> set[str]:
    key = script.key(term)
    return {row["class"] for row in _terms(language) if script.key(row["term"]) == key}


def _values(language: str, kind: str) -> list[int]:
    table = rows("detectors.coding", f"days_{language}.csv")
    return [int(row["value"]) for row in table if row["kind"] == kind]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_has_a_known_class_and_mode(language: str) -> None:
    for row in _terms(language):
        assert list(row) == ["term", "class", "mode", "reviewer"]
        assert row["reviewer"] == "none: machine-written"
        assert row["class"] in CLASSES, row
        modes = VIOLENT_MODES if row["class"] in TRIGGERS else OTHER_MODES.get(row["class"], set())
        assert not row["mode"] or row["mode"] in modes, row


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_term_stands_twice_in_a_class(language: str) -> None:
    count = Counter((script.key(row["term"]), row["class"]) for row in _terms(language))
    assert [key for key, times in count.items() if times > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("table", "column"), [("terms", "term"), ("numbers", "word"), ("days", "word")]
)
def test_all_is_written_in_arabic_script(language: str, table: str, column: str) -> None:
    for row in rows("detectors.coding", f"{table}_{language}.csv"):
        word = row[column]
        assert word == word.strip()
        assert script.key(word)
        for char in word:
            letter = unicodedata.name(char).startswith(("ARABIC", "EXTENDED ARABIC-INDIC"))
            assert letter or char in " \u200c", (word, char)


def test_the_dari_tables_have_no_letter_that_is_pashto_alone() -> None:
    for table, column in (("terms", "term"), ("numbers", "word"), ("days", "word")):
        for row in rows("detectors.coding", f"{table}_fa.csv"):
            assert not PASHTO_ALONE & set(row[column]), row


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mask_is_nothing_else(language: str) -> None:
    masks = {script.key(row["term"]) for row in _terms(language) if row["class"] == "mask"}
    others = {script.key(row["term"]) for row in _terms(language) if row["class"] != "mask"}
    assert masks & others == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mask_hides_a_term(language: str) -> None:
    others = {script.key(row["term"]) for row in _terms(language) if row["class"] != "mask"}
    for row in _terms(language):
        if row["class"] == "mask":
            words = script.key(row["term"]).split()
            spans = ((i, j) for i in range(len(words)) for j in range(i + 1, len(words) + 1))
            assert any(" ".join(words[i:j]) in others for i, j in spans), row


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_ranges_of_known_kinds(language: str) -> None:
    table = rows("detectors.coding", f"numbers_{language}.csv")
    assert len({script.key(row["word"]) for row in table}) == len(table)
    for row in table:
        assert row["kind"] in NUMBER_KINDS, row
        numbers = [int(row[name]) for name in ("low", "best", "high") if row[name]]
        assert numbers == sorted(numbers), row
        assert bool(numbers) is (row["kind"] not in ("join", "at_least", "at_most", "about")), row
    exact = {int(row["best"]) for row in table if row["best"] and row["kind"] != "vague"}
    assert {*range(1, 21), 30, 40, 50, 60, 70, 80, 100, 1000} <= exact
    assert {"join", "vague", "at_least", "at_most", "about"} <= {row["kind"] for row in table}


@pytest.mark.parametrize("language", LANGUAGES)
def test_days_are_of_known_kinds(language: str) -> None:
    table = rows("detectors.coding", f"days_{language}.csv")
    assert len({script.key(row["word"]) for row in table}) == len(table)
    for row in table:
        assert row["kind"] in DAY_KINDS, row
        assert bool(row["value"]) is (row["kind"] not in ("said", "other")), row


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("calendar", ["gregorian", "solar", "islamic"])
def test_each_calendar_has_twelve_months(language: str, calendar: str) -> None:
    assert set(_values(language, calendar)) == set(range(1, 13))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_week_has_seven_days_and_the_past_is_near(language: str) -> None:
    assert set(_values(language, "weekday")) == set(range(7))
    assert {0, 1, 2, 3} <= set(_values(language, "ago"))
    assert {1, 2, 3, 7} <= set(_values(language, "past"))
    assert {1} <= set(_values(language, "ahead"))


@pytest.mark.parametrize(
    ("language", "word", "kind", "value"),
    [
        ("fa", "حوت", "solar", "12"),
        ("fa", "اسفند", "solar", "12"),
        ("fa", "حمل", "solar", "1"),
        ("fa", "فروردین", "solar", "1"),
        ("fa", "اگست", "gregorian", "8"),
        ("fa", "اوت", "gregorian", "8"),
        ("fa", "پنج‌شنبه", "weekday", "3"),
        ("fa", "پنجشنبه", "weekday", "3"),
        ("fa", "شب گذشته", "ago", "1"),
        ("ps", "سلواغه", "solar", "11"),
        ("ps", "کب", "solar", "12"),
        ("ps", "حوت", "solar", "12"),
        ("ps", "اپرېل", "gregorian", "4"),
        ("ps", "سې‌شنبې", "weekday", "1"),
        ("ps", "پرون", "ago", "1"),
    ],
)
def test_months_and_days_by_either_name(language: str, word: str, kind: str, value: str) -> None:
    table = rows("detectors.coding", f"days_{language}.csv")
    found = {(row["kind"], row["value"]) for row in table if row["word"] == word}
    assert found == {(kind, value)}


@pytest.mark.parametrize(
    ("language", "term", "classes"),
    [
        ("fa", "کشته شدند", {"kill"}),
        ("fa", "کشته شده‌اند", {"kill"}),
        ("fa", "جان باختند", {"kill"}),
        ("fa", "به قتل رسید", {"kill"}),
        ("fa", "زخم برداشتند", {"injure"}),
        ("fa", "حمله هوایی", {"act"}),
        ("fa", "انفجار", {"blast", "not_people"}),
        ("fa", "حمله قلبی", {"mask"}),
        ("fa", "جنگ جهانی", {"mask"}),
        ("fa", "انفجار جمعیت", {"mask"}),
        ("fa", "مبارزه با ترور", {"mask"}),
        ("fa", "کشته نشد", {"negated"}),
        ("ps", "ووژل شول", {"kill"}),
        ("ps", "وژل شوي", {"kill"}),
        ("ps", "وژل سوي", {"kill"}),
        ("ps", "ټپیان", {"injure"}),
        ("ps", "چاودنه", {"blast"}),
        ("ps", "ځانمرګی", {"act", "person"}),
        ("ps", "هوايي برید", {"act"}),
        ("ps", "سړه جګړه", {"mask"}),
        ("ps", "زړه حمله", {"natural"}),
    ],
)
def test_what_a_phrase_is(language: str, term: str, classes: set[str]) -> None:
    assert classes <= _classes(language, term)
