"""Which states are party to what a sentence says, apart from where it happened.

A state is a party where its name stands by itself ("Pakistan accuses ..."), where its nationality
stands beside a word for an organ of a state ("Afghan forces", "Indian envoy"), where its capital
speaks for it ("Kabul rejects"), or where one of its organisations is named. It is none where its
name says where something is ("in Pakistan", "southern Afghanistan", "Quetta, Pakistan"), where its
people are meant ("Afghan refugees"), and, of violence, where it only speaks ("Iran condemns the
attack"). The words of each language are `parties.csv`:

- name, demonym, capital: a state of `detectors/world/dyads.csv`. The lexicon has names and
  nationalities of the two monitored countries, so these are not repeated.
- state: beside a nationality, an organ or a deed of the state.
- before, direction, after: words around a country's name that make it a place.
- toward: before a name that is also an adjective, where the state itself is meant ("with the US").
- and: joins two nationalities of one organ ("Afghan and Pakistani forces").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from typing import Final, NamedTuple

from detectors.coding import normalise, script
from detectors.coding.actors import named
from detectors.coding.lexicon import Hit
from detectors.coding.places import COUNTRIES, Mention
from detectors.coding.tongue import Sentence, Tongue
from detectors.tables import rows
from detectors.world.actors import ACTORS

_SIDES: Final = ("state", "de-facto-authority")
_LOOK: Final = 40  # characters around a name that are looked at
#: The classes of `parties.csv` that name a state.
_NAMING: Final = ("name", "demonym", "capital")
#: Arabic particles that are written as one with the word after them.
_PREFIXES: Final = {"ar": "وفبل"}


class _Named(NamedTuple):
    """A state named at a stretch of the text, and how: one of `_NAMING`."""

    start: int
    end: int
    state: str
    kind: str


class _Words(NamedTuple):
    """The compiled words of one language."""

    first: frozenset[str]  # with which a name begins: most sentences have none of these
    naming: re.Pattern[str]
    states: dict[str, tuple[str, str]]  # phrase -> state, class
    capitals: frozenset[str]  # phrases that count only in capital letters: "US", not "us"
    organ_after: re.Pattern[str]  # begins just after a nationality
    organ_before: re.Pattern[str]  # ends just before one
    toward: re.Pattern[str]
    joined: re.Pattern[str]
    before: re.Pattern[str]
    after: re.Pattern[str]


def parties(
    told: Iterable[Sentence], tongue: Tongue, country: str | None, today: date, *, violent: bool
) -> tuple[str, ...]:
    """Return the states that are party to what some sentences tell, sorted.

    Args:
        told: The sentences, all of one text.
        tongue: Its language.
        country: Where it happened, which says what generic names ("police") mean.
        today: The day on which names are understood.
        violent: Whether violence is told: then who only speaks of it is no party to it.
    """
    found: set[str] = set()
    words = _words(tongue.code)
    for sentence in told:
        held: list[Hit] = []
        for hit in sentence.hits:
            if hit.entry.aliases:
                held.append(hit)
                if violent and tongue.where.speaks.match(sentence.text.plain, hit.end):
                    continue
                found.update(_states((hit,), country, today))
        for each in _named(sentence, words, held):
            if each.state not in found and _is_party(each, sentence, tongue, words, violent):
                found.add(each.state)
    return tuple(sorted(found))


def stands_for_state(mention: Mention, sentence: Sentence, tongue: Tongue) -> bool:
    """Return whether the name of a capital means a government there, and not the city."""
    if tongue.where.kind.match(sentence.text.plain, mention.end):
        return False
    each = _Named(mention.start, mention.end, "", "capital")
    return _is_party(each, sentence, tongue, _words(tongue.code), violent=False)


def states_of(actors: Iterable[str], day: date) -> set[str]:
    """Return the states that some organisations act for on a day."""
    return {state for actor in actors if (state := _state(actor, day))}


def _states(hits: Iterable[Hit], country: str | None, today: date) -> set[str]:
    return states_of(named(hits, country, today), today)


def _state(actor: str, day: date) -> str:
    known = ACTORS.get(actor)
    role = known.role(day) if known else None
    return known.country if known and role and role.side in _SIDES else ""


def _named(sentence: Sentence, words: _Words, held: list[Hit]) -> Iterator[_Named]:
    """Yield the names of states in a sentence, but those inside an organisation's name."""
    for start, end, entry in sentence.hits:
        for place in entry.places:
            if place.unit == place.country and not entry.aliases:
                kind = "demonym" if place.kind == "demonym" else "name"
                yield _Named(start, end, place.country, kind)
                break
    text = sentence.text
    if words.first.isdisjoint(text.plain[sentence.start : sentence.end].split()):
        return
    for match in words.naming.finditer(text.plain, sentence.start, sentence.end):
        start, end = match.span(1)
        if any(hit.start <= start and end <= hit.end for hit in held):
            continue
        phrase = match[1]
        if phrase in words.capitals and not text.folded[start:end].isupper():
            continue
        yield _Named(start, end, *words.states[phrase])


def _is_party(
    each: _Named, sentence: Sentence, tongue: Tongue, words: _Words, violent: bool
) -> bool:
    plain = sentence.text.plain
    before = plain[max(sentence.start, each.start - _LOOK) : each.start]
    after = plain[each.end : min(sentence.end, each.end + _LOOK)] + " "
    speaks = bool(tongue.where.speaks.match(plain, each.end))
    if each.kind == "demonym":
        organ = words.organ_after.match(after) or words.organ_before.search(before)
        meant = words.toward.search(before) or words.joined.match(after)
        alone = each.state not in COUNTRIES and meant
        return bool(organ) or (not violent and (speaks or bool(alone)))
    if violent and (speaks or each.kind == "capital"):
        return False
    if words.before.search(before) or words.after.match(after):
        return False
    return not _is_address(each, sentence)


def _is_address(each: _Named, sentence: Sentence) -> bool:
    """Return whether a name only says where a place beside it is: "Quetta, Pakistan"."""
    plain = sentence.text.plain
    for hit in sentence.hits:
        if not any(place.unit != place.country for place in hit.entry.places):
            continue
        if hit.start == each.start:
            continue
        if hit.end <= each.start and not plain[hit.end : each.start].strip():
            return True
        if each.end <= hit.start and plain[each.end : hit.start].strip() == "s":
            return True
    return False


@cache
def _words(language: str) -> _Words:
    key = normalise.key if language == "en" else script.key
    found: dict[str, set[str]] = {}
    states: dict[str, tuple[str, str]] = {}
    capitals: set[str] = set()
    for row in rows("detectors.coding", "parties.csv"):
        if row["language"] != language:
            continue
        phrase = key(row["phrase"])
        if row["class"] in _NAMING:
            states[phrase] = (row["state"], row["class"])
            if row["phrase"].isupper() and row["phrase"].isascii() and "." not in row["phrase"]:
                capitals.add(phrase)
        else:
            found.setdefault(row["class"], set()).add(phrase)

    def any_of(*classes: str) -> str:
        phrases = set().union(*(found.get(name, set()) for name in classes))
        # A language without such words has none that match.
        return "|".join(sorted(map(re.escape, phrases), key=lambda p: (-len(p), p))) or "\0"

    joined = _PREFIXES.get(language, "")
    prefix = f"[{joined}]?" if joined else ""
    first = {phrase.partition(" ")[0] for phrase in states}
    naming = "|".join(sorted(map(re.escape, states), key=lambda p: (-len(p), p)))
    return _Words(
        frozenset(first | {letter + word for letter in joined for word in first}),
        re.compile(rf"(?<![^ ]){prefix}({naming})(?![^ ])"),
        states,
        frozenset(capitals),
        re.compile(rf"(?: (?:{any_of('and')}))?(?: [^ ]+)? (?:{any_of('state')}) "),
        re.compile(rf"(?<![^ ]){prefix}(?:{any_of('state')})(?: [^ ]+)? $"),
        re.compile(rf"(?<![^ ])(?:{any_of('toward')})(?: the)? $"),
        re.compile(rf" (?:{any_of('and')}) "),
        re.compile(rf"(?<![^ ])(?:{any_of('before', 'direction')})(?: the)? $"),
        re.compile(rf"(?: s)? (?:{any_of('after', 'direction')}) "),
    )
