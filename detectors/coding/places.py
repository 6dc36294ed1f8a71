"""Where a report's event was: from the places it names to one place in a monitored unit.

The sentence that carries the event decides; where it names no place the title does, then the
lead. A name that several units share is settled by another place named nearby, or else given up
for the country. Names that are also words or places elsewhere need support from the text.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from detectors.coding.lexicon import Candidate, Hit
from detectors.records import Place

COUNTRIES: Final = {"AFG": "Afghanistan", "PAK": "Pakistan"}
_CAPITALS: Final = ("AF-KAB", "PK-IS")
_IN: Final = frozenset(
    (
        "in", "at", "near", "inside", "across", "outside", "around", "along", "through", "over",
        "between", "of", "into", "on", "from", "to",
    )
)  # fmt: skip
_WORDS_FROM_IN: Final = 4  # at most, between such a preposition and the place
_JUST_BEFORE: Final = re.compile(r"\b(?:in|at|near|inside|outside|of|from|s)(?: the)? $")
_PLACE_WORD: Final = re.compile(
    r" (?:district|city|town|province|provincial|area|tehsil|agency|village|valley|bazaar|road"
    r"|highway|region|subdivision|division|bypass|suburb|and [a-z]+ districts)\b"
)
_CITY: Final = re.compile(r" (?:city|town)\b")
_SPEAKS: Final = re.compile(
    r" (?:says?|said|condemn\w*|accus\w*|urg\w*|reject\w*|denie[sd]|summon\w*|blam\w*|warn\w*"
    r"|vow\w*|regime|administration|government|must|wants?|told|ask\w*|demand\w*|calls?)\b"
)
_DATELINE: Final = re.compile(
    r"[A-Z][A-Z .'-]{2,30}(?:, [A-Za-z. ]{2,20})?(?: ?\([^)]{2,30}\))?(?: -{1,2} ?|: |-- )"
)


class Mention(Struct, frozen=True):
    """A place named in the text, with the units it may stand for."""

    start: int
    end: int
    candidates: tuple[Candidate, ...]
    elsewhere: str | None = None
    dateline: bool = False


def mentions(hits: list[Hit], folded: str, plain: str, body: int) -> list[Mention]:
    """Return the places named in the text, in order.

    Args:
        hits: All hits of the text.
        folded: The text, with capitals.
        plain: The same, normalised, without padding.
        body: Where the body begins; a dateline is looked for there.
    """
    dateline = _DATELINE.match(folded, body)
    line_end = dateline.end() if dateline else body
    found: list[Mention] = []
    for start, end, entry in hits:
        if not (entry.places or entry.elsewhere) or not folded[start].isupper():
            continue
        if entry.places:
            in_line = body <= start < line_end
            found.append(Mention(start, end, tuple(entry.places), entry.elsewhere, in_line))
        else:
            found.append(Mention(start, end, (), entry.elsewhere))
    return _supported(found, plain)


def _supported(found: list[Mention], plain: str) -> list[Mention]:
    """Drop the mentions of ambiguous names that nothing in the text supports."""
    sure = {
        c.country for m in found for c in m.candidates if c.kind in ("name", "demonym")
    }  # countries that the text is about
    india = any(m.elsewhere == "IND" for m in found if not m.candidates)
    kept: list[Mention] = []
    for mention in found:
        if not mention.candidates:
            kept.append(mention)
            continue
        candidates = tuple(c for c in mention.candidates if _accept(c, mention, plain, sure, india))
        if candidates:
            kept.append(Mention(mention.start, mention.end, candidates, None, mention.dateline))
    return kept


def _accept(
    candidate: Candidate, mention: Mention, plain: str, sure: set[str], india: bool
) -> bool:
    if candidate.kind in ("name", "demonym"):
        return True
    if candidate.kind == "shared":
        return candidate.country in sure or not india
    if _PLACE_WORD.match(plain, mention.end):
        return True
    before = plain[max(0, mention.start - 14) : mention.start]
    return candidate.country in sure and bool(_JUST_BEFORE.search(before))


def is_located(mention: Mention, plain: str) -> bool:
    """Return whether the mention says where something is, rather than who acts or speaks."""
    before = plain[max(0, mention.start - 50) : mention.start]
    return _is_led(before) or bool(_PLACE_WORD.match(plain, mention.end))


def _is_led(before: str) -> bool:
    """Return whether a text ends with a preposition and a few words, with no stop among them."""
    words = before.split(" ")
    if words.pop():  # all places begin after a space
        return False
    for word in reversed(words[-_WORDS_FROM_IN - 1 :]):
        if word in _IN:
            return True
        if not word:  # two spaces: punctuation
            return False
    return False


def within(found: list[Mention], span: tuple[int, int]) -> list[Mention]:
    """Return the mentions of one sentence."""
    return [m for m in found if span[0] <= m.start < span[1]]


def is_elsewhere(found: list[Mention], plain: str) -> bool:
    """Return whether a sentence places what it says outside the monitored countries."""
    foreign = [m for m in found if not m.candidates]
    if not foreign or not any(is_located(m, plain) for m in foreign):
        return False
    ours = [m for m in found if m.candidates and any(c.kind != "demonym" for c in m.candidates)]
    return not any(is_located(m, plain) for m in ours)


def _agreed(
    mention: Mention, nearby: set[str], countries: set[str], plain: str
) -> Candidate | None:
    """Return the one candidate that the other places named leave, if one is left."""
    if len(mention.candidates) == 1:
        return mention.candidates[0]
    if _CITY.match(plain, mention.end):  # "Faizabad city": the town, not a district elsewhere
        towns = [c for c in mention.candidates if c.precision == "town"]
        if len(towns) == 1:
            return towns[0]
    by_unit = [c for c in mention.candidates if c.unit in nearby]
    if len(by_unit) == 1:
        return by_unit[0]
    by_country = [c for c in mention.candidates if c.country in countries]
    return by_country[0] if len(by_country) == 1 else None


def _country_only(mention: Mention) -> str | None:
    countries = {c.country for c in mention.candidates}
    return countries.pop() if len(countries) == 1 else None


def _rank(mention: Mention, candidate: Candidate, plain: str) -> tuple[int, int]:
    """Order places: those that locate first, then in the order of the text."""
    if candidate.unit == candidate.country:
        return (4, mention.start)
    located = is_located(mention, plain)
    if mention.dateline:
        return (3, mention.start)
    if candidate.unit in _CAPITALS and not located and _SPEAKS.match(plain, mention.end):
        return (5, mention.start)
    return (0 if located else 1, mention.start)


def locate(found: list[Mention], everywhere: list[Mention], plain: str) -> Place | None:
    """Return the place that a sentence's mentions name, as finely as it is certain.

    Args:
        found: The mentions of the sentence.
        everywhere: All mentions of the text, which settle ambiguous names.
        plain: The normalised text.
    """
    single = [m for m in everywhere if len(m.candidates) == 1]
    nearby = {m.candidates[0].unit for m in single}
    countries = {m.candidates[0].country for m in single}
    ranked: list[tuple[tuple[int, int], Candidate]] = []
    fallback: str | None = None
    for mention in found:
        if not mention.candidates:
            continue
        candidate = _agreed(mention, nearby, countries, plain)
        if candidate:
            ranked.append((_rank(mention, candidate, plain), candidate))
        else:
            fallback = fallback or _country_only(mention)
    ranked.sort(key=lambda pair: pair[0])
    if ranked and ranked[0][0][0] <= 2:
        return _place(_finest([c for _, c in ranked if c.unit != c.country]))
    country = fallback or (ranked[0][1].country if ranked else None)
    if country is None:
        return None
    return Place(COUNTRIES[country], "country", country)


def _finest(candidates: list[Candidate]) -> Candidate:
    """Return the first candidate, or a finer one in the same unit."""
    first = candidates[0]
    same = [c for c in candidates if c.unit == first.unit]
    return next((c for c in same if c.precision != "admin1"), first)


def _place(candidate: Candidate) -> Place:
    return Place(candidate.name, candidate.precision, candidate.country, candidate.unit)
