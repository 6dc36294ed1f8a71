"""Where a report's event was: from the places it names to one place in a monitored unit.

The sentence that carries the event decides; where it names no place the title does, then the
lead. A name that several units share is settled by another place named nearby, or else given up
for the country; so is a list of several units, and a road from one to another. Names that are also
words or places elsewhere need support from the text.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple

from msgspec import Struct

from detectors.coding.lexicon import SURE, Candidate, Entry, Hit
from detectors.records import Place

COUNTRIES: Final = {"AFG": "Afghanistan", "PAK": "Pakistan"}
_CAPITALS: Final = ("AF-KAB", "PK-IS")
_WORDS_FROM_IN: Final = 4  # at most, between a preposition and the place
_LONGEST_TITLE: Final = 20  # characters
_LONGEST_ASIDE: Final = 70
#: Plain text has no such character; "(?!)" would be tried at each place.
_NEVER: Final = re.compile("\0")


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
    joined: re.Pattern[str] = _NEVER  # between two names: they are members of a list
    and_prefix: str = ""  # "and", where it is written as one with the second name
    origins: frozenset[str] = frozenset()  # leads that tell whence somebody is, or whither
    aside: re.Pattern[str] = _NEVER  # ends just before a name that is not where it happened
    travelled: re.Pattern[str] = _NEVER  # just after the second of two names: a road
    cased: bool = False  # whether names begin with a capital


ENGLISH: Final = Locating(
    leads=frozenset(
        (
            "in", "at", "near", "inside", "across", "outside", "around", "along", "through",
            "over", "between", "of", "into", "on", "from", "to",
        )
    ),
    titled=_NEVER,
    before=re.compile(r"\b(?:in|at|near|inside|outside|of|from|s)(?: the)? $"),
    after=_NEVER,
    kind=re.compile(
        r" (?:district|city|town|province|provincial|area|tehsil|agency|village|valley|bazaar|road"
        r"|highway|region|subdivision|division|bypass|suburb|and [a-z]+ districts)\b"
    ),
    city=re.compile(r" (?:city|town)\b"),
    speaks=re.compile(
        r" (?:says?|said|condemn\w*|accus\w*|urg\w*|reject\w*|denie[sd]|summon\w*|blam\w*|warn\w*"
        r"|vow\w*|regime|administration|government|must|wants?|told|ask\w*|demand\w*|calls?)\b"
    ),
    joined=re.compile(
        r"(?: (?:city|town))?(?: {2,3}| and |(?: province| district)s? and )"
        r"(?:(?:\d+|[a-z]+) (?=in ))?(?:in )?"
    ),
    origins=frozenset(("from", "to")),
    # Other deeds of who was hurt or held ("planner of attacks in", "behind the", "accused of"),
    # journeys, and neighbours.
    aside=re.compile(
        r"\b(?:(?:masterminds?|planners?|coordinators?|organi[sz]ers?|plotters?|facilitators?"
        r"|accused of|blamed for|suspected of|involved in|responsible for|linked to"
        r"|wanted (?:for|in)|convicted (?:of|for)"
        r"|behind(?=(?: [a-z]+)* (?:attack|bombing|blast|assault|killing)s? (?:in|on|at|near) $)"
        r"|behind(?= (?:(?:the|an?|last|recent|deadly) )*$))"
        r"(?: (?!(?:kill|die|dead|arrest|held|shot|detain|captur|nab|slain|gunned)[a-z]*\b)"
        r"[a-z]+)* $|(?:tours?|toured|touring|visits?|visited|visiting|visit to|arrive[sd]? in"
        r"|travel[a-z]* to|trip to|fl(?:ies|ew|ying) (?:in)?to|heads? to|headed to"
        r"|en route to|bound for"
        r"|on (?:the|his|her|their) way to|on way to|border(?:s|ing|ed by)?|neighbou?ring"
        r"|border with) $)"
    ),
    travelled=re.compile(r" (?:highway|road|motorway|railway|route|bus|coach|train)s?\b"),
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
    doubtful = False
    for start, end, entry in hits:
        if not (entry.places or entry.elsewhere):
            continue
        if by.cased and not (folded[start].isupper() or _is_typed_small(entry, plain, start)):
            continue
        if entry.places:
            found.append(Mention(start, end, tuple(entry.places), None, body <= start < line_end))
            doubtful = doubtful or entry.doubtful
        else:
            found.append(Mention(start, end, (), entry.elsewhere))
    if not doubtful:
        return found
    # In Latin letters a capital tells a name from a word, and words of organisations less.
    about = () if by.cased else (hit.entry.about for hit in hits)
    return _supported(found, plain, by, set().union(*about))


def _is_typed_small(entry: Entry, plain: str, start: int) -> bool:
    """Return whether a province is typed without its capital: "killed in logar"."""
    named = any(c.kind == "name" and c.precision == "admin1" for c in entry.places)
    return named and not entry.terms and plain.endswith(" in ", 0, start)


def _supported(found: list[Mention], plain: str, by: Locating, about: set[str]) -> list[Mention]:
    """Drop the mentions of ambiguous names that nothing in the text supports."""
    # The countries that the text is about.
    sure = about | {c.country for m in found for c in m.candidates if c.kind in SURE}
    india = any(m.elsewhere == "IND" for m in found if not m.candidates)
    kept: list[Mention] = []
    for mention in found:
        if not mention.candidates:
            kept.append(mention)
            continue
        candidates = tuple(
            c
            for c in mention.candidates
            if c.kind in SURE
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
    if by.kind.match(plain, mention.end) or by.after.match(plain, mention.end):
        return True
    before = plain[max(0, mention.start - 50) : mention.start]
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
    foreign = [m for m in found if not m.candidates] if found else found
    if not foreign or not any(is_located(m, plain, by) for m in foreign):
        return False
    ours = [m for m in found if m.candidates and any(c.kind != "demonym" for c in m.candidates)]
    return not any(is_located(m, plain, by) for m in ours)


def _agreed(
    mention: Mention, everywhere: list[Mention], plain: str, by: Locating
) -> Candidate | None:
    """Return the one candidate that the other places named leave, if one is left."""
    if len(mention.candidates) == 1:
        return mention.candidates[0]
    if by.city.match(plain, mention.end):  # "Faizabad city": the town, not a district elsewhere
        towns = [c for c in mention.candidates if c.precision == "town"]
        if len(towns) == 1:
            return towns[0]
    single = [m.candidates[0] for m in everywhere if len(m.candidates) == 1]
    nearby = {c.unit for c in single}
    by_unit = [c for c in mention.candidates if c.unit in nearby]
    if len(by_unit) == 1:
        return by_unit[0]
    countries = {c.country for c in single}
    by_country = [c for c in mention.candidates if c.country in countries]
    return by_country[0] if len(by_country) == 1 else None


def _country_only(mention: Mention) -> str | None:
    countries = {c.country for c in mention.candidates}
    return countries.pop() if len(countries) == 1 else None


class _Ranked(NamedTuple):
    """A mention settled on one candidate; the least rank is the place, then the first."""

    rank: int
    mention: Mention
    candidate: Candidate


_LEAST_SURE: Final = 2  # the last rank that says more than the country


def _rank(mention: Mention, candidate: Candidate, plain: str, by: Locating) -> int:
    """Order places: first those that locate, then the others named, then whence somebody is."""
    if candidate.unit == candidate.country:
        return 4
    if mention.dateline:
        return 3
    located = is_located(mention, plain, by)
    if candidate.unit in _CAPITALS and not located and by.speaks.match(plain, mention.end):
        return 5
    before = plain[max(0, mention.start - _LONGEST_ASIDE) : mention.start]
    if by.aside.search(before):
        return 6
    if by.origins and before.rpartition(" ")[0].rpartition(" ")[2] in by.origins:
        return 2
    return 0 if located else 1


def _without_roads(ranked: list[_Ranked], plain: str, by: Locating) -> list[_Ranked]:
    """Put last the ends of a road: "on the Kabul-Kandahar highway" is in neither."""
    ends: set[int] = set()
    for first, second in pairwise(ranked):
        between = plain[first.mention.end : second.mention.start]
        if (
            first.candidate.unit != second.candidate.unit
            and between in (" ", " to ")
            and by.travelled.match(plain, second.mention.end)
        ):
            ends |= {first.mention.start, second.mention.start}
    return [r._replace(rank=6) if r.mention.start in ends else r for r in ranked]


def _chosen(ranked: list[_Ranked], plain: str, by: Locating) -> _Ranked | None:
    """Return the first place, or None where it is a member of a list of several units.

    A member that is named again alone is the one: "Attacks in A, B and C: ten dead in B".
    """
    if len(ranked) == 1 or not _is_listed(ranked[0], ranked, plain, by):
        return ranked[0]
    sure = [r for r in ranked if r.rank <= _LEAST_SURE]
    alone = [r for r in sure if not _is_listed(r, ranked, plain, by)]
    listed = {r.candidate.unit for r in sure if r not in alone}
    return next((r for r in alone if r.candidate.unit in listed), None)


def _is_listed(one: _Ranked, ranked: list[_Ranked], plain: str, by: Locating) -> bool:
    """Return whether a place is a member of a list of several units."""
    for other in ranked:
        if other.rank > _LEAST_SURE or other.candidate.unit == one.candidate.unit:
            continue
        first, second = sorted((one.mention, other.mention), key=lambda mention: mention.start)
        between = plain[first.end : second.start]
        if by.joined.fullmatch(between):
            return True
        if by.and_prefix and between == " " and plain.startswith(by.and_prefix, second.start):
            return True
    return False


class Where(NamedTuple):
    """Where a sentence says that something was."""

    place: Place
    several: bool = False  # it names several units, of which `place` is the country


def locate(
    found: list[Mention], everywhere: list[Mention], plain: str, by: Locating = ENGLISH
) -> Where | None:
    """Return the place that a sentence's mentions name, as finely as it is certain.

    Args:
        found: The mentions of the sentence.
        everywhere: All mentions of the text, which settle ambiguous names.
        plain: The normalised text.
        by: The language's words for where.
    """
    settled: list[_Ranked] = []
    fallback: str | None = None
    for mention in found:
        if not mention.candidates:
            continue
        candidate = _agreed(mention, everywhere, plain, by)
        if candidate:
            settled.append(_Ranked(_rank(mention, candidate, plain, by), mention, candidate))
        else:
            fallback = fallback or _country_only(mention)
    ranked = settled
    if len(settled) > 1:
        ranked = sorted(_without_roads(settled, plain, by), key=lambda r: r.rank)
    first = ranked[0] if ranked else None
    if first is not None and first.rank <= _LEAST_SURE:
        chosen = _chosen(ranked, plain, by)
        if chosen is not None:
            inside = [r.candidate for r in ranked if r.rank <= _LEAST_SURE]
            return Where(_place(_finest(chosen.candidate, inside)))
        return Where(_country(first.candidate.country), several=True)
    country = fallback or (first.candidate.country if first else None)
    return Where(_country(country)) if country else None


def _finest(first: Candidate, named: list[Candidate]) -> Candidate:
    """Return a candidate, or a finer one in the same unit."""
    if first.precision != "admin1":
        return first
    same = (c for c in named if c.unit == first.unit and c.precision != "admin1")
    return next(same, first)


def _place(candidate: Candidate) -> Place:
    return Place(candidate.name, candidate.precision, candidate.country, candidate.unit)


def _country(code: str) -> Place:
    return Place(COUNTRIES[code], "country", code)
