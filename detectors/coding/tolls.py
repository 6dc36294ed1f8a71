"""Casualties in Pashto, Dari, Urdu and Arabic: numbers, and the words of harm they belong to.

A number counts people when a noun for people or a word of harm stands beside it. In Pashto, Dari
and Urdu it belongs to the next word of harm after it ("12 people killed and 5 wounded" in this
order), in Arabic to the one before, unless a noun of harm follows at once ("12 dead"). Conventions
for vague numbers are those of `casualties.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from detectors.coding.casualties import ZERO, Harm
from detectors.coding.lone import Lone, lone
from detectors.coding.victims_eastern import Names, victims
from detectors.records import Casualties

HarmKind = Literal["kill", "injure"]

_REACH: Final = 12  # tokens, from a number to its word of harm before it
_TO_VERB: Final = 30  # the same, to the verb that ends its sentence
_NOUN: Final = 4  # tokens, from a number to the noun that it counts
_BESIDE: Final = 2  # tokens, from a number to a word of harm that counts for a noun
_DUAL: Final = 2
#: "Between", as it is before the first of two numbers.
_BETWEEN: Final = frozenset(("بین", "میان", "مابین"))
_AFTER_ROOT_W: Final = "ف"  # of "death" (وفاة), which begins with the letter that is also "and"
#: Kinds of words that say how a number is meant.
QUALIFIERS: Final = ("at_least", "at_most", "about")
LONGEST: Final = 3  # tokens of a word for a number
_MULTIPLIERS: Final = ("hundred", "thousand")
_MOST: Final = 99_999


class Token(NamedTuple):
    """A word of a sentence, and what it is to the dictionaries."""

    text: str
    classes: frozenset[str]  # of the terms that cover it
    starts: bool  # whether it begins such a term, or none covers it
    clause: int  # grows with each mark of punctuation before it


class Number(NamedTuple):
    """What a word says of a number: its range, and how it combines with its neighbours."""

    low: int
    best: int
    high: int
    kind: str  # unit, ten, hundred, thousand, vague, join, at_least, at_most, about


class Grammar(NamedTuple):
    """What reading numbers takes to know of a language."""

    numbers: dict[str, Number]  # by words in plain text, of up to three tokens
    begins: Mapping[str, int]  # the first words of these, and the most words from each on
    qualify: frozenset[str]  # the last words of what qualifies a number that follows
    verb_first: bool
    inside: frozenset[str]
    inside_after: frozenset[str]
    after: frozenset[str]  # the first words of these
    between: frozenset[str]
    joins: frozenset[str]
    toll: frozenset[str]
    lone: dict[str, int]  # nouns that count one, or two, without a number
    lone_begins: Mapping[str, int]  # the first words of these, and the most words from each on
    plural: frozenset[str]  # verbs and auxiliaries in the plural
    neither: frozenset[str]  # numbers that, said twice, are "neither ... nor"
    names: Names  # the words that tell who is counted


class _Quantity(NamedTuple):
    start: int  # first token, with its qualifiers
    end: int  # token after the last
    low: int
    best: int
    high: int
    inside: bool = False
    civilian: bool = False


def harm(tokens: Sequence[Token], grammar: Grammar) -> Harm:
    """Return the casualties that the tokens of a sentence state."""
    known = [(i, token) for i, token in enumerate(tokens) if token.classes]
    none_hurt = any("none_hurt" in token.classes for _, token in known)
    verbs = [(i, kind) for i, token in known if token.starts and (kind := _kind(token))]
    if not verbs:
        return Harm(ZERO, ZERO) if none_hurt else Harm()
    found: dict[HarmKind, list[_Quantity]] = {"kill": [], "injure": []}
    last: tuple[_Quantity, HarmKind] | None = None
    for quantity in _people(tokens, grammar):
        kind = _belongs(tokens, quantity, verbs, grammar)
        if kind is None and last is not None and _ends_list(tokens, last[0], quantity, grammar):
            kind = last[1]
        last = (quantity, kind) if kind is not None else None
        if kind is not None:
            found[kind].append(quantity)
    numbered = [Lone(q.start, q.end, q.best, kind) for kind in found for q in found[kind]]
    for one in lone(tokens, verbs, numbered, grammar):
        civilian = any("civilian" in token.classes for token in tokens[one.start : one.end])
        quantity = _Quantity(one.start, one.end, *(one.people,) * 3, civilian=civilian)
        found[one.kind] = sorted([*found[one.kind], quantity])
    dead, hurt = (_without_articles(tokens, found[kind], grammar) for kind in ("kill", "injure"))
    killed = _total(dead)
    civilians = _total([q._replace(inside=False) for q in dead if q.civilian])
    if civilians and killed and civilians.best > killed.best:
        civilians = killed
    if none_hurt and not dead and not hurt:
        return Harm(ZERO, ZERO)
    if killed == ZERO:
        return Harm(killed, _total(hurt), civilians)
    spans = [(q.start, q.end) for q in found["kill"] if q.inside or q in dead]
    whole = any(not q.inside for q in dead)
    whom = partial(victims, tokens, spans, grammar.names, whole=whole)
    return Harm(killed, _total(hurt), civilians, whom=whom)


def _without_articles(
    tokens: Sequence[Token], found: list[_Quantity], grammar: Grammar
) -> list[_Quantity]:
    """Drop a "one" that is an article: "a member of the council says six were killed".

    In a list ("a soldier and two policemen were killed") it counts.
    """
    kept = [
        q
        for number, q in enumerate(found)
        if q.best > 1
        or tokens[q.start].text.isdigit()
        or any(
            _is_list(tokens, first, second, grammar)
            for first, second in pairwise(found[max(0, number - 1) : number + 2])
        )
    ]
    # Of several articles that alone of the victim stands nearest to the verb that ends a sentence.
    return kept or (found if grammar.verb_first else found[-1:])


def _is_list(
    tokens: Sequence[Token], first: _Quantity, second: _Quantity, grammar: Grammar
) -> bool:
    """Return whether two numbers are members of a list: "and", or a comma, stands between."""
    between = tokens[first.end : second.start]
    if any(token.text in grammar.joins for token in between):
        return True
    if grammar.verb_first and _begins_with_and(tokens[second.start].text, grammar):
        return len(between) <= _NOUN
    clauses = tokens[second.start].clause - tokens[first.start].clause
    official = between and grammar.names.kind([token.text for token in between]) == "other"
    return clauses == 1 and len(between) <= _NOUN and not official  # "an official: two soldiers"


def _ends_list(
    tokens: Sequence[Token], first: _Quantity, second: _Quantity, grammar: Grammar
) -> bool:
    """Return whether a number goes on with a list whose word of harm stands before it."""
    return (
        second.start - first.end <= _NOUN
        and (second.inside or _is_list(tokens, first, second, grammar))
        and not any(_kind(token) for token in tokens[first.end :])
    )


def _begins_with_and(text: str, grammar: Grammar) -> bool:
    """Return whether "and" is written as one with a number, or with a noun that counts as one."""
    rest = text[1:]
    counts = rest.isdigit() or rest in grammar.numbers or rest in grammar.lone
    return text[0] in grammar.joins and counts


def _kind(token: Token) -> HarmKind | None:
    if "kill" in token.classes:
        return "kill"
    return "injure" if "injure" in token.classes else None


def _words(tokens: Sequence[Token], start: int, end: int) -> str:
    return " ".join([token.text for token in tokens[start:end]])


def _number_at(tokens: Sequence[Token], at: int, grammar: Grammar) -> tuple[Number, int] | None:
    """Return the number word that begins at a token, the longest, and the token after it."""
    text = tokens[at].text
    longest = grammar.begins.get(text, 0)
    if not longest and not text[-1].isdigit():
        return None
    for length in range(min(longest, len(tokens) - at), 0, -1):
        number = grammar.numbers.get(_words(tokens, at, at + length))
        if number is not None:
            return number, at + length
    if grammar.verb_first and not text[0].isdigit() and text[1:].isdigit():
        text = text[1:]  # "and" is written as one with what follows it
    if text.isascii() and text.isdigit() and int(text) <= _MOST:
        value = int(text)
        return Number(value, value, value, "digits"), at + 1
    return None


def _read(tokens: Sequence[Token], at: int, grammar: Grammar) -> _Quantity | None:
    """Return the number that stands at a token, composed of its words, without qualifiers."""
    first = _number_at(tokens, at, grammar)
    if first is None or first[0].kind == "join" or first[0].kind in QUALIFIERS:
        return None
    number, end = first
    low, best, high = number.low, number.best, number.high
    while end < len(tokens):
        joined = end + 1 if tokens[end].text in grammar.joins else end
        following = _number_at(tokens, joined, grammar) if joined < len(tokens) else None
        if following is None:
            break
        more = following[0]
        if more.kind in _MULTIPLIERS and best < more.best and joined == end:
            low, best, high = low * more.best, best * more.best, high * more.best
        elif joined > end and number.kind != "digits" and _adds(more, best):
            low, best, high = low + more.low, best + more.best, high + more.high
        else:
            break
        end = following[1]
    return _Quantity(at, end, low, best, high)


def _adds(more: Number, best: int) -> bool:
    """Return whether "twenty and one", "hundred and twenty" is one number, not two."""
    if more.kind == "hundred":
        return best % 1000 == 0
    if more.kind not in ("unit", "ten"):
        return False
    return (best % 10 == 0 and more.best < 10 and best >= 20) or (
        best % 100 == 0 and more.best < 100
    )


def _people(tokens: Sequence[Token], grammar: Grammar) -> list[_Quantity]:
    """Return the numbers of people, in order."""
    begins = grammar.begins
    numbers = [i for i, t in enumerate(tokens) if t.text in begins or t.text[-1].isdigit()]
    found: list[_Quantity] = []
    neither = _neither(tokens, grammar) if len(numbers) > 1 else ()
    read_to = 0
    for at in numbers:
        if at < read_to or at in neither:
            continue
        quantity = _read(tokens, at, grammar)
        if quantity is None:
            continue
        quantity = _ranged(tokens, quantity, grammar)
        read_to = quantity.end
        noun = _noun(tokens, quantity, grammar)
        if noun is not None:
            found.append(_qualified(tokens, quantity, grammar, civilian=noun == "civilian"))
    return found


def _neither(tokens: Sequence[Token], grammar: Grammar) -> set[int]:
    """Return where words stand that are no numbers: "neither soldiers nor policemen"."""
    told = [i for i, token in enumerate(tokens) if token.text in grammar.neither]
    twice = len(told) > 1 and told[-1] - told[0] > 1
    return set(told) if twice else set()


def _ranged(tokens: Sequence[Token], q: _Quantity, grammar: Grammar) -> _Quantity:
    """Return "3 to 5" as one number, if that stands here."""
    if q.end + 1 < len(tokens) and tokens[q.end].text in grammar.between:
        last = _read(tokens, q.end + 1, grammar)
        joined = tokens[q.end].text in grammar.joins  # "3 and 5"
        if last and last.best > q.best and not joined:
            return _Quantity(q.start, last.end, q.best, (q.best + last.best) // 2, last.best)
    if q.start and tokens[q.start - 1].text in _BETWEEN and q.end < len(tokens):
        following = q.end + 1 if tokens[q.end].text in grammar.joins else q.end
        last = _read(tokens, following, grammar) if following < len(tokens) else None
        if last and last.best > q.best:
            return _Quantity(q.start, last.end, q.best, (q.best + last.best) // 2, last.best)
    return q


def _noun(tokens: Sequence[Token], q: _Quantity, grammar: Grammar) -> str | None:
    """Return what a number counts, if that is people: `person`, `civilian`, or `harm`."""
    before = tokens[q.start - 1] if q.start else None
    if grammar.verb_first and q.best <= _DUAL:  # adjectives in Arabic, or duals of nouns
        if tokens[q.start].classes & {"person", "armed", "civilian", "kill", "injure"}:
            return "civilian" if "civilian" in tokens[q.start].classes else "person"
        if before is not None and "person" in before.classes:
            return "person"
    for distance, token in enumerate(tokens[q.end : q.end + _NOUN]):
        ends = token.clause != tokens[q.end - 1].clause and distance
        if ends or _number_at(tokens, q.end + distance, grammar):
            break
        if "not_people" in token.classes:
            return None
        following = tokens[q.end + distance + 1 : q.end + distance + 2]
        noun = _as_people(token, following[0] if following else None, distance)
        if noun is not None:
            return noun
    return "harm" if before is not None and _kind(before) else None


def _as_people(token: Token, following: Token | None, distance: int) -> str | None:
    """Return what a word after a number makes it count, if that is people."""
    if "civilian" in token.classes:
        return "civilian"
    if token.classes & {"person", "armed"}:
        of_civilians = following is not None and "civilian" in following.classes
        return "civilian" if of_civilians else "person"
    return "harm" if _kind(token) and distance < _BESIDE else None


def _is_led(tokens: Sequence[Token], start: int, grammar: Grammar) -> bool:
    """Return whether the word before a token may be the last of what qualifies a number."""
    return start > 0 and tokens[start - 1].text in grammar.qualify


def _qualified(
    tokens: Sequence[Token], q: _Quantity, grammar: Grammar, *, civilian: bool
) -> _Quantity:
    """Return a number with what the words around it make of it."""
    start, low, high = q.start, q.low, q.high
    for length in (4, 3, 2, 1) if _is_led(tokens, start, grammar) else ():
        before = tokens[max(0, q.start - length) : q.start]
        said = grammar.numbers.get(_words(before, 0, length))
        if said is not None and said.kind in QUALIFIERS:
            low = 1 if said.kind == "at_most" else low
            start = q.start - len(before)
            break
    inside = _is_led(tokens, start, grammar) and any(
        _words(tokens, max(0, start - n), start) in grammar.inside for n in (1, 2, 3, 4)
    )
    inside = inside or any(
        _words(tokens, at, at + n) in grammar.inside_after
        for at in range(q.end, min(q.end + 3, len(tokens)))
        if tokens[at].text in grammar.after
        for n in (1, 2)
    )
    return _Quantity(start, q.end, low, q.best, high, inside, civilian)


def _belongs(
    tokens: Sequence[Token],
    q: _Quantity,
    verbs: Sequence[tuple[int, HarmKind]],
    grammar: Grammar,
) -> HarmKind | None:
    """Return the kind of harm that a number belongs to."""
    words = tokens[q.start : q.end]
    itself = next((kind for word in words if (kind := _kind(word))), None)  # "two dead" in one
    if itself is not None:
        return itself
    after = next((verb for verb in verbs if verb[0] >= q.end), None)
    before = next((verb for verb in reversed(verbs) if verb[0] < q.start), None)
    reach = _REACH if grammar.verb_first else _TO_VERB
    if after is not None and after[0] - q.end > reach:
        after = None
    if after is not None and _is_both(tokens, verbs, after[0], grammar):
        return None
    chosen = after
    if grammar.verb_first:
        near = before is not None and q.start - before[0] <= _REACH
        at_once = after is not None and after[0] == q.end and not _joins(tokens[q.end], grammar)
        chosen = before if near and not at_once else after
        if near and chosen is before and _is_both_before(tokens, verbs, before, grammar):
            return None
    elif after is None and before is not None:
        near = q.start - before[0] <= _NOUN
        chosen = before if near or _is_toll(tokens, before[0], grammar) else None
    return chosen[1] if chosen is not None else None


def _joins(token: Token, grammar: Grammar) -> bool:
    """Return whether "and" is written as one with a word of harm: it begins another count."""
    return token.text[0] in grammar.joins and token.text[1:2] not in _AFTER_ROOT_W


def _is_both_before(
    tokens: Sequence[Token],
    verbs: Sequence[tuple[int, HarmKind]],
    last: tuple[int, HarmKind] | None,
    grammar: Grammar,
) -> bool:
    """Return whether "killed and wounded 12" stands here, "and" being written to the word."""
    if last is None:
        return False
    earlier = [verb for verb in verbs if verb[0] < last[0]]
    return bool(earlier) and earlier[-1][0] == last[0] - 1 and earlier[-1][1] != last[1]


def _is_toll(tokens: Sequence[Token], at: int, grammar: Grammar) -> bool:
    """Return whether a word of harm is what is counted: "the number of the dead rose to"."""
    near = tokens[max(0, at - _BESIDE) : at + _NOUN + _BESIDE]
    return any(token.text in grammar.toll for token in near)


def _is_both(
    tokens: Sequence[Token],
    verbs: Sequence[tuple[int, HarmKind]],
    at: int,
    grammar: Grammar,
) -> bool:
    """Return whether "12 killed and wounded" stands here: how many of each is not said."""
    if "both" in tokens[at].classes:
        return True
    kind = next(k for i, k in verbs if i == at)
    end = at + 1
    while end < len(tokens) and _kind(tokens[end]) == kind and not tokens[end].starts:
        end += 1
    following = next(((i, k) for i, k in verbs if i >= end), None)
    if following is None or following[1] == kind:
        return False
    between = tokens[end : following[0]]
    return len(between) <= 1 and all(t.text in grammar.joins for t in between)


def _total(chosen: list[_Quantity]) -> Casualties | None:
    whole = [q for q in chosen if not q.inside]
    if not whole:  # "militants, including three commanders": how many there are is not said
        return None
    return Casualties(
        sum(q.low for q in whole), sum(q.best for q in whole), sum(q.high for q in whole)
    )
