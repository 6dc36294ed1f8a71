"""Whose an office is, by the nation beside it; and states that speak by their own name.

"Pakistan's foreign office" speaks for Pakistan wherever what it speaks of happened, and so does
"Islamabad said". A nation stands beside an office where nothing or a genitive parts them
("Pakistan's foreign office", "Afghan officials", "officials in Kabul"). A state speaks by its name
or its capital's where that begins a clause and a verb of speech follows at once, or where it closes
a sentence after such a verb or "according to": a place that something happened in does neither.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from detectors.coding import script
from detectors.coding.lexicon import Hit
from detectors.coding.states import nationality, spoken_for
from detectors.coding.tongue import Sentence


class Nation(NamedTuple):
    """A state, or a place in one, by whose name an office or a government is known."""

    start: int
    end: int
    country: str  # ISO 3166-1 alpha-3


#: Between a nation and its office: a genitive, in English with a word for what the office is like.
_BEFORE: Final = {
    "en": re.compile(r" (?:s (?:the |[a-z]+ )?)?"),
    "ps": re.compile(r" (?:د )?"),
    "ur": re.compile(r" (?:(?:کے|کی|کا) )?"),
}
#: Between an office and its nation.
_AFTER: Final = {"en": re.compile(r" (?:of (?:the )?)?")}
_NOTHING: Final = re.compile(" ")
#: The same where an office is said to be in a place: "officials in Kabul".
_IN_BEFORE: Final = {"ur": re.compile(" میں ")}
_IN_AFTER: Final = {
    "en": re.compile(" in (?:the )?"), "fa": re.compile(" در "), "ar": re.compile(" فی "),
}  # fmt: skip
_NEVER: Final = re.compile("\0")
_REACH: Final = 24  # characters, from a nation to its office
#: With these a clause may begin, before its subject.
_OPENS: Final = {
    code: frozenset(map(script.key, words.split()))
    for code, words in {
        "en": "and but while as whereas although though yet neighbouring neighboring",
        "fa": "و اما ولی که هرچند",
        "ps": "او خو چې",
        "ur": "اور لیکن مگر تاہم جبکہ کہ ادھر",
        "ar": "و لكن بينما",
    }.items()
}
#: Between a state and its verb. Urdu has "ne" for the subject, and what it spoke to.
_BETWEEN: Final = {
    "en": re.compile(
        r" (?:(?:has|have|had|also|again|later|now|earlier|meanwhile|repeatedly|officially|itself"
        r"|(?:on )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|today|yesterday) )*"
    ),
    "fa": re.compile(
        " (?:(?:نیز|هم|همچنین|بار دیگر|(?:روز|امروز|دیروز)(?: (?:یک|دو|سه|چهار|پنج)?شنبه)?) )*"
    ),
    "ps": re.compile(" (?:(?:هم|بیا|نن|پرون) )*"),
    "ur": re.compile(" (?:نے (?:[^ ]+ ){0,4}|(?:کا|کی|کے) )?"),
    "ar": re.compile(" "),
}
_SAYS: Final = frozenset(("say", "puts", "claim", "claimed", "deny", "denied", "confirm"))
#: Verbs that tell a deed of a state more often than its words: "Pakistan held talks".
_DEEDS: Final = frozenset(
    ("held", "holds", "gave", "gave details", "raised", "recorded", "documented", "counted")
)
#: After such a verb it was suffered: "Pakistan accused of", "Kabul told to".
_SUFFERED: Final = re.compile(r" (?:of|by|for|to|as|over) ")
_AND: Final = ("and", "و", "او", "اور")
_THEN: Final = re.compile(r" (?:the )?$")
_QUOTED: Final = ("", ",", ".", '"', "'", "”", "’")


def beside(
    sentence: Sentence, start: int, end: int, code: str, *, placed: bool = True
) -> Nation | None:
    """Return the nation that stands beside an office, or inside its name, if one does.

    Args:
        sentence: The sentence.
        start: Where the office begins.
        end: Where it ends.
        code: The language.
        placed: Whether "in" may join them: "officials in Kabul", not "forces in Kabul".
    """
    ways = (_BEFORE.get(code, _NOTHING), _AFTER.get(code, _NOTHING))
    found = _joined(sentence, start, end, ways)
    if found is not None:
        return found
    named = nationality(sentence, start, end, code)
    if named is not None:
        return Nation(named.start, named.end, named.state)
    ways = (_IN_BEFORE.get(code, _NEVER), _IN_AFTER.get(code, _NEVER))
    return _joined(sentence, start, end, ways) if placed else None


def _joined(
    sentence: Sentence, start: int, end: int, ways: tuple[re.Pattern[str], re.Pattern[str]]
) -> Nation | None:
    """Return the first nation that some words join to an office, before or after it."""
    plain, folded = sentence.text.plain, sentence.text.folded
    for hit in sentence.hits:
        if hit.start > end + _REACH:
            break
        if hit.end < start - _REACH or not (hit.entry.places or hit.entry.elsewhere):
            continue
        if hit.end <= start:
            joins = bool(ways[0].fullmatch(plain, hit.end, start))
        elif hit.start >= end:
            joins = bool(ways[1].fullmatch(plain, end, hit.start))
        else:  # a name that holds both: "Afghan defence ministry"
            joins = True
        if joins and not _is_parted(folded, hit, start, end):
            country = hit.entry.places[0].country if hit.entry.places else hit.entry.elsewhere
            return Nation(hit.start, hit.end, country or "")
    return None


def _is_parted(folded: str, hit: Hit, start: int, end: int) -> bool:
    """Return whether punctuation other than an apostrophe parts a nation and an office."""
    gap = folded[hit.end : start] if hit.end <= start else folded[end : hit.start]
    return any(not (char.isalnum() or char in " '’‘-\u200c") for char in gap)


def governments(
    sentence: Sentence, found: Sequence[tuple[int, int, frozenset[str]]], code: str
) -> list[Nation]:
    """Return the states that speak in a sentence by their own names, in order.

    Args:
        sentence: The sentence.
        found: The cues of speech in it, in order.
        code: The language.
    """
    kept: list[Nation] = []
    for hit in reversed(sentence.hits):
        if not (hit.entry.places or hit.entry.elsewhere) or hit.entry.aliases:
            continue
        country = spoken_for(hit, sentence.text.plain, code)
        if country and (
            _speaks(sentence, hit, found, code)
            or (kept and _is_joined(sentence, hit, kept[-1]))
            or _closes(sentence, hit, found)
        ):
            kept.append(Nation(hit.start, hit.end, country))
    return kept[::-1]


def _speaks(
    sentence: Sentence, hit: Hit, found: Sequence[tuple[int, int, frozenset[str]]], code: str
) -> bool:
    """Return whether a name begins a clause, and a verb of speech is what it does."""
    plain, folded = sentence.text.plain, sentence.text.folded
    for start, end, classes in found:
        if classes.isdisjoint(_SAYS):
            continue
        if code == "ar" and end + 1 == hit.start and _begins(sentence, start, code):
            return True
        if start < hit.end or not _BETWEEN[code].fullmatch(plain, hit.end, start):
            continue
        if _has_stop(folded, hit.end, start) or not _begins(sentence, hit.start, code):
            return False
        if code != "en":
            return True
        return plain[start:end] not in _DEEDS and not _SUFFERED.match(plain[end : end + 6] + " ")
    return False


def _has_stop(folded: str, start: int, end: int) -> bool:
    return any(not (char.isalnum() or char in " \u200c\n") for char in folded[start:end])


def _begins(sentence: Sentence, start: int, code: str) -> bool:
    """Return whether a clause begins at a word: a stop or a word that joins clauses is before."""
    before = sentence.text.plain[sentence.start : start]
    if not before.strip() or before.endswith("  "):
        return True
    return before.split()[-1] in _OPENS[code]


def _is_joined(sentence: Sentence, hit: Hit, after: Nation) -> bool:
    """Return whether "and" joins a name to a state that speaks: "Kabul and Islamabad said"."""
    between = sentence.text.plain[hit.end : after.start].split()
    first = not sentence.text.plain[sentence.start : hit.start].strip()
    return first and len(between) == 1 and between[0] in _AND


def _closes(sentence: Sentence, hit: Hit, found: Sequence[tuple[int, int, frozenset[str]]]) -> bool:
    """Return whether a name ends what is said: ", said Kabul", "according to Kabul", ": Kabul"."""
    folded = sentence.text.folded
    rest = folded[hit.end : sentence.end].lstrip()[:1]
    if rest.isalnum() or rest in ("'", "’"):
        return False
    before = folded[sentence.start : hit.start]
    if sentence.number == 0 and not rest and before.rstrip().endswith(":"):
        return True
    for start, end, classes in found:
        if end <= hit.start and _THEN.fullmatch(folded[end : hit.start]):
            led = folded[sentence.start : start].rstrip()[-1:]
            return "by" in classes or (not classes.isdisjoint(_SAYS) and led in _QUOTED)
    return False
