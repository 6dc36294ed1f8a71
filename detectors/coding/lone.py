"""A lone dead without a number, in Pashto, Dari, Urdu and Arabic: "policeman killed" is one.

A noun in the singular counts beside a word of harm: in Arabic right after it ("مقتل شرطي"), in the
others shortly before it ("عالم دین قتل"), where no number belongs to that word and the verb is not
in the plural. The nouns are those of `numbers_<language>.csv` of the kind `lone`, so that a word
which may be a plural as well is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from detectors.coding.tolls import Grammar, HarmKind, Token

LONGEST: Final = 3  # tokens of a noun
_GAP: Final = 4  # tokens between the noun and the verb that ends its clause
_VERB: Final = 4  # tokens of a verb with its auxiliaries
_PEOPLE: Final = frozenset(("person", "armed", "civilian"))


class Lone(NamedTuple):
    """A noun that counts without a number, and what became of whom it names."""

    start: int
    end: int
    people: int  # 2 for a dual
    kind: HarmKind


def lone(
    tokens: Sequence[Token],
    verbs: Sequence[tuple[int, HarmKind]],
    numbered: Sequence[Lone],
    grammar: Grammar,
) -> list[Lone]:
    """Return the nouns of a sentence that count one, or two, without a number.

    Args:
        tokens: The words of the sentence.
        verbs: The words of harm among them, in order.
        numbered: The numbers of the sentence, each with its kind of harm.
        grammar: The language's numbers and closed classes.
    """
    if not grammar.lone:
        return []
    find = _after if grammar.verb_first else _before
    taken = {number.kind for number in numbered}
    found: list[Lone] = []
    for at, kind in verbs:
        if all(one.kind != kind for one in found):
            nouns = [Lone(*place, kind) for place in find(tokens, at, grammar)]
            if nouns and (kind not in taken or _goes_on(tokens, nouns[-1], numbered, grammar)):
                found += nouns
    if grammar.verb_first:
        found += [one for number in numbered for one in _beside(tokens, number, grammar)]
    return found


def _goes_on(
    tokens: Sequence[Token], last: Lone, numbered: Sequence[Lone], grammar: Grammar
) -> bool:
    """Return whether a number goes on with a list: "a policeman and 3 civilians" in Arabic."""
    joined = tokens[last.end].text[0] in grammar.joins if last.end < len(tokens) else False
    return joined and any(n.start == last.end and n.kind == last.kind for n in numbered)


def _beside(tokens: Sequence[Token], number: Lone, grammar: Grammar) -> list[Lone]:
    """Return the noun that "and" joins to a number's own: "3 soldiers and a civilian"."""
    for at in range(number.end + 1, min(number.end + _GAP, len(tokens))):
        token = tokens[at]
        if token.clause != tokens[number.start].clause or _is_harm(token):
            break
        if token.text[0] in grammar.joins and tokens[at - 1].classes & _PEOPLE:
            noun = _noun(tokens, at, grammar)
            bare = grammar.lone.get(token.text) is None  # not a noun that begins so itself
            return [Lone(*noun, number.kind)] if noun is not None and bare else []
    return []


def _noun(tokens: Sequence[Token], at: int, grammar: Grammar) -> tuple[int, int, int] | None:
    """Return start, end and number of the longest such noun that begins at a token."""
    text = tokens[at].text
    longest = grammar.lone_begins.get(text, 0)
    if grammar.verb_first and text[0] in grammar.joins:
        longest = max(longest, grammar.lone_begins.get(text[1:], 0))
    for length in range(min(longest, len(tokens) - at), 0, -1):
        words = " ".join([token.text for token in tokens[at : at + length]])
        count = grammar.lone.get(words)
        if count is None and grammar.verb_first and words[0] in grammar.joins:
            count = grammar.lone.get(words[1:])  # "and" is written as one with it
        if count is not None:
            return at, at + length, count
    return None


def _after(tokens: Sequence[Token], verb: int, grammar: Grammar) -> list[tuple[int, int, int]]:
    """Return the nouns right after a word of harm: "the killing of a policeman and a civilian"."""
    at = verb + 1
    while at < len(tokens) and not tokens[at].starts:
        at += 1
    found: list[tuple[int, int, int]] = []
    while at < len(tokens) and tokens[at].clause == tokens[verb].clause:
        noun = _noun(tokens, at, grammar)
        if noun is None or (found and tokens[at].text[0] not in grammar.joins):
            break
        found.append(noun)
        at = noun[1]
    return found


def _before(tokens: Sequence[Token], verb: int, grammar: Grammar) -> list[tuple[int, int, int]]:
    """Return the noun shortly before a verb in the singular, with those that "and" joins to it."""
    if any(token.text in grammar.plural for token in tokens[verb : verb + _VERB]):
        return []
    for end in range(verb, max(0, verb - _GAP - 1), -1):
        noun = _ending(tokens, end, grammar)
        if noun is not None:
            break
        token = tokens[end - 1]
        if token.clause != tokens[verb].clause or token.classes & _PEOPLE or _is_harm(token):
            return []
    else:
        return []
    if tokens[noun[0]].clause != tokens[verb].clause:
        return []
    found = [noun]
    while noun is not None and noun[0] > 1 and tokens[noun[0] - 1].text in grammar.joins:
        noun = _ending(tokens, noun[0] - 1, grammar)
        if noun is not None:
            found.append(noun)
    return found


def _ending(tokens: Sequence[Token], end: int, grammar: Grammar) -> tuple[int, int, int] | None:
    """Return the longest such noun that ends before a token."""
    for start in range(max(0, end - LONGEST), end):
        noun = _noun(tokens, start, grammar)
        if noun is not None and noun[1] == end:
            return noun
    return None


def _is_harm(token: Token) -> bool:
    return bool(token.classes & {"kill", "injure", "none_hurt"})
