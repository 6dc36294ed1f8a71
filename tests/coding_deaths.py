"""How many were killed, as headlines say and as UCDP counts: what the coder reads of it.

UCDP (Sundberg & Melander 2013; Davies, Pettersson & Öberg 2023, CC BY 4.0) counts an event's dead
from all its sources together, in the end and on both sides; a headline is one source, often the
first, and may count one side, the wounded too, or several events. So equality is no truth about the
reading, and has a ceiling far below one: what counts is the distance to a naive reading of the same
headlines, and the differences read by hand.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final, NamedTuple

from detectors.coding import code
from detectors.coding.casualty_words import NUMBER_WORD, VAGUE, WORDS
from detectors.records import Casualties, Event
from tests.coding_measures import Headline, Share, headlines

_NUMBER: Final = rf"\d[\d,]*|(?:{NUMBER_WORD}|{'|'.join(VAGUE)})\b"
_DEAD: Final = r"(?:kill\w*|dead|die[sd]?|slain|martyred|fatalit\w+|deaths?)"
#: A number shortly before or after a word for the dead.
_STATED: Final = re.compile(
    rf"\b(?:{_NUMBER})\b.{{0,60}}\b{_DEAD}\b|\b{_DEAD}\b.{{0,30}}\b(?:{_NUMBER})"
)
_FIRST: Final = re.compile(rf"\b({_NUMBER})")


class Deaths(NamedTuple):
    """How the dead of headlines compare with UCDP's."""

    read: Share  # of the headlines that state a number, those that are given one
    within: Share  # of these, those whose range holds UCDP's best number
    equal: Share  # and those whose best number it is
    naive: Share  # the same of the first number in these headlines
    kinds: Counter[str]  # of all that state a number
    differences: list[tuple[str, Casualties, list[int]]]


def _first_number(title: str) -> int | None:
    """Return the first number in a headline, or the least that its first vague word means."""
    found = _FIRST.search(title.lower())
    if found is None:
        return None
    word = found[1].replace(",", "")
    return int(word) if word.isdigit() else WORDS.get(word) or VAGUE[word][0]


def _truths(headline: Headline) -> set[int]:
    """Return what UCDP counts: for each row, and for all of them together."""
    counts = [best for _, best, _ in headline.killed]
    return {*counts, sum(counts)}


def _kind(killed: Casualties, headline: Headline) -> str:
    counts = [best for _, best, _ in headline.killed]
    several = "several rows" if len(counts) > 1 else "one row"
    if killed.best in counts:
        return "equal"
    if killed.best == sum(counts):
        return "equal to the sum of its rows"
    if any(killed.low <= truth <= killed.high for truth in _truths(headline)):
        return "within its range"
    if any(low <= killed.best <= high for low, _, high in headline.killed):
        return f"within UCDP's range, {several}"
    if killed.best < min(counts):
        return f"UCDP counts more, {several}"
    return f"UCDP counts less, {several}" if killed.best > sum(counts) else "between its rows"


def ucdp_deaths(file: str) -> Deaths:
    """Return how the number of killed that headlines state compares with UCDP's.

    A headline states a number where the coder finds one, or a number stands near a word for the
    dead. It is right where a row's best number, or the sum of its rows, is the number it gives.
    """
    told = headlines(file)
    deaths = Deaths(Share(), Share(), Share(), Share(), Counter(), [])
    for headline, found in zip(told, code([h.report for h in told]), strict=True):
        event: Event | None = next((e for e in found.events if e.event == "ASSAULT"), None)
        killed = event.killed if event else None
        title = headline.report.title
        if killed is None and not _STATED.search(title.lower()):
            continue
        truths = _truths(headline)
        deaths.read.add(killed is not None)
        if killed is None:
            deaths.kinds["no number read" if event else "no event coded"] += 1
            continue
        deaths.within.add(any(killed.low <= truth <= killed.high for truth in truths))
        deaths.equal.add(killed.best in truths)
        deaths.naive.add(_first_number(title) in truths)
        kind = _kind(killed, headline)
        deaths.kinds[kind] += 1
        if not kind.startswith(("equal", "within its")):
            deaths.differences.append((title, killed, [best for _, best, _ in headline.killed]))
    return deaths
