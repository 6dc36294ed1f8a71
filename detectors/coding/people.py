"""Of which people a sentence in English tells how many: "12 policemen", "a soldier", "dozens"."""

from __future__ import annotations

from typing import Final, NamedTuple

from detectors.coding.casualty_words import (
    AFTER_NUMBER,
    BE,
    BEFORE_NUMBER,
    BREAKS,
    CIVILIAN,
    COLLECTIVE,
    COUNTED,
    ENDS_NOUN,
    FELLOWS,
    HARM,
    HARM_OR_STOP,
    INSIDE,
    MONTHS,
    NOT_PEOPLE,
    OF_ONE,
    PASSIVE,
    PERSON,
    SPEAKS,
    STOP,
    SUFFERED,
    VAGUE,
    WORDS,
)

#: Of what is no people, what several people do not belong to either.
_NOT_SEVERAL: Final = NOT_PEOPLE - OF_ONE
_MAY_DO: Final = (["have"], ["be"], ["also"], ["not"], ["still"])
_TO_SPEECH: Final = 7  # tokens, from a person to the verb of speech
#: After "killed" they say that who stands before it killed: "policeman killed three colleagues".
_OBJECTS: Final = (
    frozenset(("his", "her", "their", "at least", "more", "over", "dozens")) | PERSON | WORDS.keys()
)


class Quantity(NamedTuple):
    """A number of people, and the tokens of the sentence that tell it."""

    start: int  # first token of the number with its modifiers
    end: int  # token after the number
    low: int
    best: int
    high: int
    inside: bool  # "including two children": a part of another number
    civilian: bool


def number_of(token: str) -> int | None:
    """Return the number that a token is, in digits or as a word."""
    if token[0].isdigit():
        digits = token.replace(",", "")
        return int(digits) if digits.isdigit() and len(digits) <= 5 else None
    return WORDS.get(token)


def _noun_is_people(tokens: list[str], at: int, best: int) -> bool:
    following = tokens[at : at + 2]
    if following and (following[0] in HARM_OR_STOP or following[0] in (",", ";")):
        return True
    if following[:1] == ["may"] and following[1:] not in _MAY_DO:
        return False  # the month
    others = NOT_PEOPLE if best == 1 else _NOT_SEVERAL
    return others.isdisjoint(following)


def _is_civilian(tokens: list[str], at: int) -> bool:
    for token in tokens[at : at + 4]:
        if token in CIVILIAN:
            return True
        if token in ENDS_NOUN:
            return False
    return False


def _range(tokens: list[str], at: int) -> tuple[int, int, int, int] | None:
    """Return low, best, high, and the token after the number that stands at `at`."""
    token = tokens[at]
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    if token in VAGUE:
        low, high = VAGUE[token]
        return low, low, high, at + 1
    first = number_of(token[:-1]) if token.endswith("-") else None
    if first is not None and following and (last := number_of(following)):
        return (first, (first + last) // 2, last, at + 2) if first <= last else None
    value = number_of(token)
    if value is None:
        return None
    if following == "dozen" and value < 12:
        return 12 * value, 12 * value, 12 * value, at + 2
    if following in ("to", "and", "or") and at + 2 < len(tokens):
        last = number_of(tokens[at + 2])
        between = at and tokens[at - 1] in ("between", "from")
        if last and last > value and (following in ("to", "or") or between):
            return value, (value + last) // 2, last, at + 3
    return value, value, value, at + 1


def _with_modifiers(tokens: list[str], at: int, low: int, best: int, high: int) -> Quantity | None:
    before = tokens[max(0, at - 4) : at]
    words = " ".join(before)
    if words.endswith(("more than", "over")):
        low, best, high = low + 1, best + 1, high + 1
    elif words.endswith(("up to", "as many as")):
        low = 1
    start = at
    while start and tokens[start - 1] in BEFORE_NUMBER:
        start -= 1
    inside = _is_inside(tokens, start)
    if start and tokens[start - 1] in MONTHS:
        return None
    if tokens[at - 1 : at + 2 : 2] == [",", ","] and best < 100:  # "a girl, 12, was killed"
        return None
    return Quantity(start, at + 1, low, best, high, inside, False)


def people(tokens: list[str]) -> list[Quantity]:
    """Return the numbers of people that a sentence tells, in their order."""
    found: list[Quantity] = []
    read_to = 0
    for at in [i for i, t in enumerate(tokens) if t in COUNTED or t[0].isdigit()]:
        if at < read_to:
            continue
        if tokens[at] == "many":
            if found and _is_as_many(tokens, at):  # "5 policemen, as many insurgents"
                found.append(found[-1]._replace(start=at - 1, end=at + 1, inside=False))
            continue
        number = None if tokens[at] in PERSON else _range(tokens, at)
        if number is None:
            person = _one_person(tokens, at, found) if tokens[at] in PERSON else None
            if person:
                found.append(_nested(tokens, person, found))
            continue
        low, best, high, read_to = number
        quantity = _with_modifiers(tokens, at, low, best, high)
        if quantity and _noun_is_people(tokens, read_to, best):
            civilian = _is_civilian(tokens, read_to)
            quantity = quantity._replace(end=read_to, civilian=civilian)
            found.append(_nested(tokens, quantity, found))
    return found


def _is_inside(tokens: list[str], start: int) -> bool:
    return is_some_of(tokens, start) or tokens[max(0, start - 2) : start] == ["of", "whom"]


def is_some_of(tokens: list[str], start: int) -> bool:
    """Return whether "including", or "among them", stands before a number."""
    before = tokens[max(0, start - 2) : start]
    return before[-1:] == ["including"] or before == ["among", "them"]


def _nested(tokens: list[str], q: Quantity, found: list[Quantity]) -> Quantity:
    """Mark a number that is part of another: "two of them", "3 children among 10 killed"."""
    following = tokens[q.end : q.end + 6]
    part = following[:2] in (["of", "them"], ["of", "whom"])
    if "among" in following and "them" not in following and "whom" not in following:
        among = following.index("among")
        part = part or any(number_of(token) for token in following[among + 1 : among + 4])
    if found and _continues(tokens, found[-1], q):
        part = True
    return q._replace(inside=True) if part and not q.inside else q


def _continues(tokens: list[str], last: Quantity, this: Quantity) -> bool:
    """Return whether a number goes on with a list inside "including ..."."""
    between = tokens[last.end : this.start]
    if tokens[this.end : this.end + 1] and tokens[this.end] in HARM:  # "..., and 5 wounded"
        return False
    return last.inside and "and" in between and HARM.isdisjoint(between)


def _is_as_many(tokens: list[str], at: int) -> bool:
    """Return whether "as many" stands here for the number before, not "as many as 12"."""
    return tokens[at - 1] == "as" and tokens[at + 1 : at + 2] != ["as"]


def _one_person(tokens: list[str], at: int, found: list[Quantity]) -> Quantity | None:
    """Read "a policeman" and a headline's bare "Policeman", "kills policeman" as one person."""
    if at + 1 < len(tokens) and (tokens[at + 1] in PERSON or tokens[at + 1] in COLLECTIVE):
        return None
    start = at
    while start and at - start < 4 and tokens[start - 1] not in BREAKS:
        if tokens[start - 1] in HARM or tokens[start - 1] in INSIDE:
            break
        if _range(tokens, start - 1) and tokens[start] != "year-old":
            return None
        start -= 1
        if tokens[start] in ("a", "an"):
            break
    has_article = tokens[start] in ("a", "an")
    if _speaks(tokens, start, at + 1) or _owns(tokens, start):
        return None
    if not has_article and not _is_bare(tokens, start, at, found):
        return None
    inside = _is_inside(tokens, start)
    return Quantity(start, at + 1, 1, 1, 1, inside, tokens[at] in CIVILIAN)


def _speaks(tokens: list[str], start: int, end: int) -> bool:
    """Return whether a person is the source of the report: "a police official told reporters"."""
    if tokens[max(0, start - 2) : start] == ["according", "to"]:
        return True
    for token in tokens[end : end + _TO_SPEECH]:
        if token in SPEAKS:
            return True
        if token in HARM or token in BE or token in (",", ";", ":", "and"):
            return False
    return False


def _owns(tokens: list[str], start: int) -> bool:
    """Return whether others are somebody's, who is not hurt: "relatives of a policeman"."""
    return start > 1 and tokens[start - 1] == "of" and tokens[start - 2] in FELLOWS


def _is_bare(tokens: list[str], start: int, at: int, found: list[Quantity]) -> bool:
    """Return whether a person without an article, in a headline, is one who was hurt."""
    before = tokens[start - 1] if start else ":"
    if before in HARM and before not in AFTER_NUMBER:  # "bomb kills policeman"
        passive = start > 1 and tokens[start - 2] in PASSIVE
        return not passive and tokens[at + 1 : at + 2] != ["of"]
    in_list = before in (",", "and") and bool(found) and found[-1].end == start - 1
    if in_list and tokens[found[-1].start - 1] in HARM:  # "bomb kills policeman and civilian"
        return True
    return (before == ":" or in_list) and _is_object(tokens, at + 1)


def _is_object(tokens: list[str], at: int) -> bool:
    """Return whether a headline's bare subject suffers: "Policeman guarding team killed"."""
    for i in range(at, min(at + 6, len(tokens))):
        if tokens[i] in SUFFERED:
            following = tokens[i + 1] if i + 1 < len(tokens) else ""
            return following not in _OBJECTS and not following[:1].isdigit()
        if tokens[i] == "with" and fellows(tokens, i):
            continue
        if tokens[i] in STOP or tokens[i] in HARM:
            return False
    return False


def fellows(tokens: list[str], at: int) -> bool:
    """Return whether "with four colleagues" stands here: they share what became of another."""
    if tokens[at] != "with" or at + 2 >= len(tokens):
        return False
    after = tokens[at + 1 : at + 5]
    number = next((i for i, t in enumerate(after) if number_of(t)), None)
    return number is not None and not FELLOWS.isdisjoint(after[number + 1 :])
