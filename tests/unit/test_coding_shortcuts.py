"""What is asked first because it is cheap must never change an answer."""

from __future__ import annotations

from datetime import date

import pytest

from detectors.coding.casualties import ZERO, harm
from detectors.coding.dates import NO_DAY, when
from detectors.coding.eastern import CODES, eastern
from detectors.coding.lexicon import Entry, Lexicon, lexicon
from detectors.coding.opening import opened
from detectors.coding.tongue import Sentence
from detectors.coding.types import NOTHING
from detectors.coding.vocabulary import beginnings
from tests import coding_measures as measures

DAYS = (
    "2020-03-04", "4 march", "march 4", "this week", "earlier this week", "over the past 24 hours",
    "in last 48 hours", "during the previous 72 hours", "within the last 24 hours",
    "over the weekend", "at the weekend", "last week", "past week", "overnight", "yesterday",
    "last night", "previous day", "3 days ago", "two days earlier", "five days ago",
    "seven days ago", "the day before yesterday", "day before yesterday",
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "today", "tonight", "this morning", "in 2019", "for 2019", "of the 2019", "in early january",
)  # fmt: skip


@pytest.mark.parametrize("words", DAYS)
def test_every_expression_for_a_day_is_tried(words: str) -> None:
    assert when(f"a blast {words} killed six", date(2020, 3, 12)) != NO_DAY


@pytest.mark.parametrize(
    "words",
    [
        "no casualties in the blast",
        "nobody was hurt",
        "no one was killed",
        "without any casualties",
    ],
)
def test_every_way_to_say_that_nobody_was_hurt_is_tried(words: str) -> None:
    told = harm(words)
    assert ZERO in (told.killed, told.injured)


def test_a_toll_without_a_word_of_harm_is_read() -> None:
    assert harm("the toll has climbed to 12").killed is not None


def _entries() -> list[Entry]:
    words: list[Lexicon] = [lexicon()]
    tables = [table._entries for table in (*words, *(eastern(code).vocabulary for code in CODES))]
    return [entry for table in tables for entry in table]


def test_what_an_entry_comes_to_is_what_its_meanings_say() -> None:
    for entry in _entries():
        armed = {"armed"} if entry.armed else set()
        assert entry.classes == {name for name, _ in entry.terms} | armed
        assert entry.about == {a.country for a in entry.aliases if a.scope == "own"} - {""}
        assert entry.doubtful == any(p.kind in ("weak", "shared") for p in entry.places)


@pytest.mark.parametrize("code", CODES)
def test_a_text_that_is_left_at_once_has_no_sentence_that_tells(code: str) -> None:
    left = 0
    for case in measures.golden(code):
        found = opened(case.report)
        if found is None or not found.hits or found.tongue.may_tell(found.hits):
            continue
        left += 1
        for start, end in found.tongue.sentences(found.text.folded, 5):
            mine = [hit for hit in found.hits if start <= hit.start < end]
            assert found.tongue.assess(Sentence(start, end, mine, found.text, 0)) == NOTHING
    assert left, "no golden case of other news is left so"


def test_the_first_words_of_phrases_know_the_longest_that_begins_so() -> None:
    assert beginnings(["a b c d", "a b", "c"], longest=3) == {"a": 3, "c": 1}
