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
_WORDS_FROM_IN: Final = 4  # at most, between a preposition and the place
_LONGEST_TITLE: Final = 20  # characters


class Locating(Struct, frozen=True):
    """By which words a language tells that a name is where something is.

    `titled` and `before` end just before the name, the others begin just after it.
    """

    leads: frozenset[str]  # prepositions, from which a few words may lead to the name
    titled: re.Pattern[str]  # "province of": makes a word the name of a place
    before: re.Pattern[str]  # "in": does so where the text is about that country
    kind: re.Pattern[str]  # "district": makes a word the name of a place
    after: re.Pattern[str]  # a postposition: does so where the text is about that country
    city: re.Pattern[str]
    speaks: re.Pattern[str]  # a capital's name that stands for a government
    cased: bool = False  # whether names begin with a capital


ENGLISH: Final = Locating(
    leads=frozenset(
        (
            "in", "at", "near", "inside", "across", "outside", "around", "along", "through",
            "over", "between", "of", "into", "on", "from", "to",
        )
    ),
    titled=re.compile(r"(?!)"),
    before=re.compile(r"\b(?:in|at|near|inside|outside|of|from|s)(?: the)? $"),
    after=re.compile(r"(?!)"),
    kind=re.compile(
        r" (?:district|city|town|province|provincial|area|tehsil|agency|village|valley|bazaar|road"
        r"|highway|region|subdivision|division|bypass|suburb|and [a-z]+ districts)\b"
    ),
    city=re.compile(r" (?:city|town)\b"),
    speaks=re.compile(
        r" (?:says?|said|condemn\w*|accus\w*|urg\w*|reject\w*|denie[sd]|summon\w*|blam\w*|warn\w*"
        r"|vow\w*|regime|administration|government|must|wants?|told|ask\w*|demand\w*|calls?)\b"
    ),
    cased=True,
)  # fmt: skip
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


def mentions(
    hits: list[Hit], folded: str, plain: str, body: int, by: Locating = ENGLISH
) -> list[Mention]:
    """Return the places named in the text, in order.

    Args:
        hits: All hits of the text.
        folded: The text, with capitals.
        plain: The same, normalised, without padding.
        body: Where the body begins; a dateline is looked for there.
        by: The language's words for where.
    """
    dateline = _DATELINE.match(folded, body) if by.cased else None
    line_end = dateline.end() if dateline else body
    found: list[Mention] = []
    about: set[str] = set()  # the countries of organisations named
    for start, end, entry in hits:
        about.update(a.country for a in entry.aliases if a.scope == "own" and a.country)
        if not (entry.places or entry.elsewhere):
            continue
        if by.cased and not folded[start].isupper():
            continue
        if entry.places:
            in_line = body <= start < line_end
            found.append(Mention(start, end, tuple(entry.places), entry.elsewhere, in_line))
        else:
            found.append(Mention(start, end, (), entry.elsewhere))
    # In Latin letters a capital tells a name from a word, and words of organisations less.
    return _supported(found, plain, by, set() if by.cased else about)


def _supported(found: list[Mention], plain: str, by: Locating, about: set[str]) -> list[Mention]:
    """Drop the mentions of ambiguous names that nothing in the text supports."""
    sure = about | {
        c.country for m in found for c in m.candidates if c.kind in ("name", "demonym")
    }  # countries that the text is about
    india = any(m.elsewhere == "IND" for m in found if not m.candidates)
    kept: list[Mention] = []
    for mention in found:
        if not mention.candidates:
            kept.append(mention)
            continue
        candidates = tuple(
            c
            for c in mention.candidates
            if c.kind in ("name", "demonym")
            or (c.kind == "shared" and (c.country in sure or not india))
            or (c.kind == "weak" and _is_backed(mention, plain, by, about=c.country in sure))
        )
        if candidates:
            kept.append(Mention(mention.start, mention.end, candidates, None, mention.dateline))
    return kept


def _is_backed(mention: Mention, plain: str, by: Locating, *, about: bool) -> bool:
    """Return whether the words around a name that is also a word say that it is a place here."""
    before = plain[max(0, mention.start - _LONGEST_TITLE) : mention.start]
    if by.kind.match(plain, mention.end) or by.titled.search(before):
        return True
    return about and bool(by.before.search(before) or by.after.match(plain, mention.end))


def is_located(mention: Mention, plain: str, by: Locating) -> bool:
    """Return whether the mention says where something is, rather than who acts or speaks."""
    before = plain[max(0, mention.start - 50) : mention.start]
    if by.kind.match(plain, mention.end) or by.after.match(plain, mention.end):
        return True
    return _is_led(before, by.leads) or bool(by.titled.search(before))


def _is_led(before: str, leads: frozenset[str]) -> bool:
    """Return whether a text ends with a preposition and a few words, with no stop among them."""
    words = before.split(" ")
    if words.pop():  # all places begin after a space
        return False
    for word in reversed(words[-_WORDS_FROM_IN - 1 :]):
        if word in leads:
            return True
        if not word:  # two spaces: punctuation
            return False
    return False


def within(found: list[Mention], span: tuple[int, int]) -> list[Mention]:
    """Return the mentions of one sentence."""
    return [m for m in found if span[0] <= m.start < span[1]]


def is_elsewhere(found: list[Mention], plain: str, by: Locating = ENGLISH) -> bool:
    """Return whether a sentence places what it says outside the monitored countries."""
    foreign = [m for m in found if not m.candidates]
    if not foreign or not any(is_located(m, plain, by) for m in foreign):
        return False
    ours = [m for m in found if m.candidates and any(c.kind != "demonym" for c in m.candidates)]
    return not any(is_located(m, plain, by) for m in ours)


def _agreed(
    mention: Mention, nearby: set[str], countries: set[str], is_city: bool
) -> Candidate | None:
    """Return the one candidate that the other places named leave, if one is left."""
    if len(mention.candidates) == 1:
        return mention.candidates[0]
    if is_city:  # "Faizabad city": the town, not a district elsewhere
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


def _rank(mention: Mention, candidate: Candidate, plain: str, by: Locating) -> tuple[int, int]:
    """Order places: those that locate first, then in the order of the text."""
    if candidate.unit == candidate.country:
        return (4, mention.start)
    located = is_located(mention, plain, by)
    if mention.dateline:
        return (3, mention.start)
    if candidate.unit in _CAPITALS and not located and by.speaks.match(plain, mention.end):
        return (5, mention.start)
    return (0 if located else 1, mention.start)


def locate(
    found: list[Mention], everywhere: list[Mention], plain: str, by: Locating = ENGLISH
) -> Place | None:
    """Return the place that a sentence's mentions name, as finely as it is certain.

    Args:
        found: The mentions of the sentence.
        everywhere: All mentions of the text, which settle ambiguous names.
        plain: The normalised text.
        by: The language's words for where.
    """
    single = [m for m in everywhere if len(m.candidates) == 1]
    nearby = {m.candidates[0].unit for m in single}
    countries = {m.candidates[0].country for m in single}
    ranked: list[tuple[tuple[int, int], Candidate]] = []
    fallback: str | None = None
    for mention in found:
        if not mention.candidates:
            continue
        is_city = by.city.match(plain, mention.end) is not None
        candidate = _agreed(mention, nearby, countries, is_city)
        if candidate:
            ranked.append((_rank(mention, candidate, plain, by), candidate))
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
