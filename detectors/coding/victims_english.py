"""Whom an English sentence counts among the killed: the nouns of its numbers and verbs.

A noun phrase is read from its number on. Its last noun tells who is counted ("police doctor" is no
policeman), but for the nouns that say nothing by themselves ("members of the security forces",
"Taliban commander"). Where no number of killed is told, the object of a verb of killing counts
("kills policemen"), or else the subject that suffers it ("soldiers killed in ambush").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final

from detectors.coding.casualty_words import (
    AFTER_NUMBER,
    BE,
    ENDS_NOUN,
    HARM,
    INJURE,
    KILL,
    PASSIVE,
    PERSON,
    SUFFERED,
    TOKEN,
    words_of,
)
from detectors.coding.victims import KINDS, Lexicon, Victim, Word, lexicon

_LONGEST: Final = 9  # tokens of a noun phrase
_SUBJECT: Final = 6  # tokens from a subject's first to its verb
_ASIDE: Final = 14  # tokens of ", including three commanders,"
_ITEMS: Final = 6  # of a list after "including"
_BEFORE: Final = 40  # tokens from "killed" to the "including" that follows
_PARTS: Final = 8  # tokens from "including" to the verb that it may belong to
_ENDS: Final = (
    ENDS_NOUN
    | BE
    | words_of(
        ", ; : at to for outside inside aboard amid under between over through along behind while "
        "if because but or via off about today yesterday"
    )
)
#: What stands before a subject: the sentence's beginning, a mark, or one of these.
_BEGINS_CLAUSE: Final = words_of(", ; : and as when after that said says but where while")
_SAYS_WHICH: Final = words_of("including mostly mainly all")
_TELLS_PARTS: Final = _SAYS_WHICH | {"among"}
_SAY_NOTHING: Final = ("member", "link")
_OF: Final = ("of",)
_OF_SIDES: Final = ("of", "from", "on")
_OF_TWO: Final = tuple([word, "both"] for word in _OF_SIDES)
_DETERMINERS: Final = words_of("the several many some a an of more")
#: A form that is a verb in the active voice where something follows that it is done to.
_ACTIVE: Final = KILL - AFTER_NUMBER


@cache
def words() -> Lexicon:
    """Return the English words that tell who is counted."""
    return lexicon("en", _keys, ())


def _keys(text: str) -> set[str]:
    """Return a phrase as tokens, hyphens as written, all or none: "Fitna al-Khawarij"."""
    phrase = " ".join(TOKEN.findall(text.lower()))
    return {phrase, phrase.replace("-", " "), phrase.replace(" ", "-")}


def victims(
    tokens: Sequence[str], killed: Iterable[tuple[int, int]], *, whole: bool
) -> tuple[Victim, ...]:
    """Return whom a sentence counts among the killed.

    Args:
        tokens: The sentence in lower case.
        killed: Where the numbers of killed stand, from the first token to that after the last.
        whole: Whether one of them counts all the killed; if not, verbs without a number count.
    """
    found = [
        _phrase(tokens, start, unbroken=end) if tokens[end - 1] in PERSON else _phrase(tokens, end)
        for start, end in killed
    ]
    if not whole:
        verbs = (at for at, token in enumerate(tokens) if token in KILL)
        found += (victim for at in verbs for victim in _of_verb(tokens, at))
    if not _TELLS_PARTS.isdisjoint(tokens) and (whole or any(found)):
        found += _parts(tokens)
    return tuple(victim for victim in found if victim is not None)


def _phrase(
    tokens: Sequence[str], start: int, end: int | None = None, unbroken: int = 0
) -> Victim | None:
    """Return whom the noun phrase that begins at a token names.

    Up to the token `unbroken` a word that is not known, which may be a verb, ends what came before
    it: "Taliban shoot man" is a man.
    """
    last = min(start + _LONGEST, len(tokens) if end is None else end)
    known = words()
    alone = start + 1 < last and tokens[start + 1] in _ENDS and tokens[start + 1] not in _OF_SIDES
    if alone and known.begins.get(tokens[start]) == 1:  # most often
        return _meant((known.words[tokens[start]],))
    return _read(tokens, start, last, unbroken)


def _read(tokens: Sequence[str], at: int, last: int, unbroken: int) -> Victim | None:
    """Return whom a noun phrase of several words names."""
    told: list[Word] = []
    known = words()
    while at < last:
        token = tokens[at]
        if token in known.begins:
            word, after = known.at(tokens, at, last)
            if after > at:
                if word.kind == "former":
                    return None
                if word.kind not in _SAY_NOTHING:
                    told.append(word)
                at = after
                continue
        if token in _OF and not told and tokens[at + 1 : at + 2] != ["both"]:
            at += 1
            continue
        if token in _ENDS or token in _OF or token.endswith("ing"):
            break
        if at < unbroken:
            told.clear()
        at += 1
    if not told or (at < last and list(tokens[at : at + 2]) in _OF_TWO):
        return None
    return _meant(told)


def _meant(told: Sequence[Word]) -> Victim | None:
    """Return whom the nouns of a phrase name together."""
    head = told[-1]
    if head.kind == "militants":  # the organisation that they are of says more
        names = next((word.name for word in reversed(told) if word.name), None)
        return Victim(head.kind, names)
    return Victim(*head) if head.name or head.kind in KINDS else None


def _of_verb(tokens: Sequence[str], at: int) -> list[Victim]:
    """Return whom a verb of killing without a number is done to."""
    passive = at > 0 and tokens[at - 1] in PASSIVE
    if tokens[at] in _ACTIVE and not passive:
        start = at + 1
        while start < len(tokens) and tokens[start] in _DETERMINERS:
            start += 1
        if start < len(tokens) and tokens[start] not in _ENDS:
            victim = _phrase(tokens, start)
            return [victim] if victim else []
    if passive or tokens[at] in SUFFERED or tokens[at] in ("died", "die", "dies"):
        return _subjects(tokens, at)
    return []


def _subjects(tokens: Sequence[str], verb: int) -> list[Victim]:
    """Return whom the subject right before a verb names, or its members: "soldiers, rebels"."""
    end = verb
    while end and tokens[end - 1] in BE:
        end -= 1
    if end and tokens[end - 1] == ",":
        opening = range(end - 2, max(-1, end - _ASIDE), -1)
        end = next((i for i in opening if tokens[i] == ","), 0)
    found: list[Victim] = []
    while end > 0:
        start = end
        while start and end - start < _SUBJECT and tokens[start - 1] not in _ENDS:
            start -= 1
        # A noun further from its verb is the subject of another: "a source put the dead at".
        ends = any(words().at(tokens, at, end)[1] == end for at in range(max(start, end - 3), end))
        begins = start == 0 or tokens[start - 1] in _BEGINS_CLAUSE
        victim = _phrase(tokens, start, end, unbroken=end) if begins and ends else None
        if victim is None:
            break
        found.append(victim)
        end = start - 1 if start and tokens[start - 1] in (",", "and") else 0
    return found


def _parts(tokens: Sequence[str]) -> Iterator[Victim | None]:
    """Yield whom "including ..." and "mostly ..." name besides, where it is of the killed.

    Also who stands before it in "policemen among 8 killed".
    """
    for at, word in enumerate(tokens):
        if word == "among" and _is_of_killed(tokens, at):
            yield from _subjects(tokens, at)
        among = word == "among" and tokens[at + 1 : at + 2] == ["them"]
        if not (word in _SAYS_WHICH or among) or not _is_of_killed(tokens, at):
            continue
        start = at + 2 if among else at + 1
        for _ in range(_ITEMS):
            if list(tokens[start : start + 2]) == ["of", "them"]:
                start += 2
            last = min(start + _LONGEST, len(tokens))
            end = next((i for i in range(start, last) if tokens[i] in _ENDS), last)
            goes_on = tokens[end : end + 1] in (["and"], [","])
            if tokens[start - 1] == "," and not goes_on:
                break  # "including one civilian, a security source said"
            yield _phrase(tokens, start, end)
            if not goes_on or end == start:
                break
            start = end + 1
            if any(t in HARM or t in BE for t in tokens[start : start + 4]):
                break  # ", were killed", "and four wounded"


def _is_of_killed(tokens: Sequence[str], at: int) -> bool:
    """Return whether the verb of harm around a token is one of killing only."""
    after = next((t for t in tokens[at : at + _PARTS] if t in HARM), None)
    before = next((t for t in reversed(tokens[max(0, at - _BEFORE) : at]) if t in HARM), None)
    return (before or after) in KILL and after not in INJURE
