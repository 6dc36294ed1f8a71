"""Which states are party to what a sentence says, apart from where it happened.

A state is a party where its name stands by itself ("Pakistan accuses ..."), where its nationality
stands beside a word for an organ of a state ("Afghan forces", "Indian envoy"), where its capital
speaks for it ("Kabul rejects"), or where one of its organisations is named. It is none where its
name says where something is ("in Pakistan", "southern Afghanistan", "Quetta, Pakistan"), where its
people are meant ("Afghan refugees"), and, of violence, where it only speaks ("Iran condemns the
attack"). The words of each language are `parties.csv` (`states.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Final

from detectors.coding.actors import meant
from detectors.coding.lexicon import Hit
from detectors.coding.nations import beside
from detectors.coding.places import COUNTRIES, Mention
from detectors.coding.states import LOOK, Named, Words, words_of
from detectors.coding.tongue import Sentence, Tongue
from detectors.world.actors import ACTORS

_SIDES: Final = ("state", "de-facto-authority")


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
    words = words_of(tongue.code)
    for sentence in told:
        held: list[Hit] = []
        for hit in sentence.hits:
            if hit.entry.aliases:
                held.append(hit)
                if violent and tongue.where.speaks.match(sentence.text.plain, hit.end):
                    continue
                found.update(states_of(_meant(hit, sentence, country, today, tongue.code), today))
        for each in _named(sentence, words, held):
            if each.state not in found and _is_party(each, sentence, tongue, words, violent):
                found.add(each.state)
    return tuple(sorted(found))


def stands_for_state(mention: Mention, sentence: Sentence, tongue: Tongue) -> bool:
    """Return whether the name of a capital means a government there, and not the city."""
    if tongue.where.kind.match(sentence.text.plain, mention.end):
        return False
    each = Named(mention.start, mention.end, "", "capital")
    return _is_party(each, sentence, tongue, words_of(tongue.code), violent=False)


def states_of(actors: Iterable[str], day: date) -> set[str]:
    """Return the states that some organisations act for on a day."""
    return {state for actor in actors if (state := _state(actor, day))}


def organisations(
    told: Iterable[Sentence], language: str, country: str | None, day: date
) -> tuple[str, ...]:
    """Return the registry ids of the organisations that some sentences name, sorted.

    A generic name ("police", "army") is that of the nation beside it ("Pakistan's army"), or else
    of the country of the event, on that day. A name counts whoever calls it so: news quotes one
    party's name for another.

    Args:
        told: The sentences, all of one text.
        language: Its language.
        country: Where it happened.
        day: The day on which names are understood.
    """
    found: set[str] = set()
    for sentence in told:
        for hit in sentence.hits:
            if hit.entry.aliases:
                found.update(_meant(hit, sentence, country, day, language))
    return tuple(sorted(found))


def _meant(
    hit: Hit, sentence: Sentence, country: str | None, day: date, language: str
) -> Iterator[str]:
    for alias in hit.entry.aliases:
        if alias.scope == "generic":
            nation = beside(sentence, hit.start, hit.end, language, placed=False)
            country = nation.country if nation else country
            break
    return meant(hit.entry.aliases, country, day)


@lru_cache(4096)
def _state(actor: str, day: date) -> str:
    known = ACTORS.get(actor)
    role = known.role(day) if known else None
    return known.country if known and role and role.side in _SIDES else ""


def _named(sentence: Sentence, words: Words, held: list[Hit]) -> Iterator[Named]:
    """Yield the names of states in a sentence, but those inside an organisation's name."""
    for start, end, entry in sentence.hits:
        for place in entry.places:
            if place.unit == place.country and not entry.aliases:
                kind = "demonym" if place.kind == "demonym" else "name"
                yield Named(start, end, place.country, kind)
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
        yield Named(start, end, *words.states[phrase])


def _is_party(each: Named, sentence: Sentence, tongue: Tongue, words: Words, violent: bool) -> bool:
    plain = sentence.text.plain
    before = plain[max(sentence.start, each.start - LOOK) : each.start]
    after = plain[each.end : min(sentence.end, each.end + LOOK)] + " "
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


def _is_address(each: Named, sentence: Sentence) -> bool:
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
