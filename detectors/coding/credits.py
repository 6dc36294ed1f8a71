"""The names that a text may credit, and the words by which it does: the dictionary of `byline.py`.

Nearly all texts credit nobody, so everything is asked first for what is cheap to know: whether a
stretch begins as any name does, or with the letter of any phrase.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import product
from typing import Final

from msgspec import Struct

from detectors.world.families import (
    FAMILIES,
    ID,
    Outlet,
    by_domain,
    by_name,
    family_of,
    key,
    names,
    table,
    word_key,
)

#: The longest name that may stand alone, in characters, and in words.
LONGEST: Final = 50
_WORDS: Final = 6
#: The end of a sentence, in any of the five languages.
STOPS: Final = frozenset(".!?۔؟…\"'”»)")
#: Kinds of family that are quoted rather than reprinted.
_SPEAKERS: Final = frozenset({"office", "un", "ngo", "dataset"})

#: What may stand around a name.
_AROUND: Final = " \t\r\n.,:;،؛۔\"'“”«»-–—\u200e\u200f"
_CLOSED: Final = _AROUND + ")]"
_PARTS: Final = re.compile(r"\s*[/,،;&]\s*|\s+-+\s*|-\s+|\s+(?:and|و|او|اور)\s+")
_LATIN: Final = re.compile(r"[A-Za-z]")
_DIGIT: Final = re.compile(r"\d")
_SMALL: Final = frozenset({"of", "the", "and"})
#: Letters that are typed for one another.
_TYPINGS: Final = ("یيىېۍ", "کكڪ", "هہھةە", "اأإآ", "گګ")
_SAME: Final = {char: group for group in _TYPINGS for char in group}


class _Phrase(Struct, frozen=True):
    """Words that credit whom they stand beside; the group `name` is where that one stands."""

    pattern: re.Pattern[str]
    side: str  # of the name in the group: "first", "last" or "all" of it
    sign: str = ""  # stands in every text that the pattern can be found in


#: The family of texts that credit agencies without naming any.
UNNAMED: Final = "agencies"

#: Phrases that open a stretch of text, by its first two characters.
_Openers = dict[str, tuple[_Phrase, ...]]


class Credits(Struct, frozen=True):
    """The tables as they are searched. One for all texts; see `credits`."""

    beginnings: frozenset[str]  # of keys of names: what the first words of any may be
    alone: frozenset[str]  # keys that are a name, or a first word of `agency`
    agency: frozenset[str]  # keys of words that stand beside a name: "news agency"
    article: frozenset[str]  # keys of words that may stand before any name
    outlet: frozenset[str]  # keys of words that an outlet's name ends in
    desk: frozenset[str]  # keys of words for the outlet's own staff
    start: _Openers  # phrases that open a text
    head: tuple[_Phrase, ...]  # phrases near its beginning
    end: _Openers  # phrases that open its last sentence
    after: tuple[str, ...]  # phrases that close it
    unnamed: tuple[str, ...]
    rest: tuple[str, ...]  # what may follow a credit
    endings: tuple[str, ...]  # all the three

    def listed(self, text: str, weak: bool = False) -> str | None:
        """Return the family of a name that the tables have and that may be reprinted."""
        if len(text) > LONGEST + 4:
            return None
        name = self._name(text.strip(_AROUND))
        outlet = _found(name) if name else None
        if outlet is None:
            name = self._without_agency(name.split())
            outlet = _found(name) if name else None
        if outlet is None or FAMILIES[outlet.family].kind in _SPEAKERS:
            return None
        # "By dawn" names no newspaper.
        is_word = name[0].islower() and not outlet.text[0].islower()
        counts = outlet.kind == "domain" or not is_word
        return outlet.family if counts and (weak or outlet.kind != "weak") else None

    def _name(self, text: str) -> str:
        """Return a text without its article if it may be a name; nothing if it cannot be one."""
        words = text.split(None, 2)
        if not words or self._may_be(words) or "." in words[0][1:-1]:
            return text  # also a domain
        if len(words) > 1 and word_key(words[0]) in self.article and self._may_be(words[1:]):
            return " ".join(words[1:])
        return ""

    def _may_be(self, words: list[str]) -> bool:
        """Whether any name begins with these words; nearly no other text does."""
        first = word_key(words[0])
        if first in self.alone:
            return True
        if first not in self.beginnings:
            return False
        return len(words) == 1 or first + word_key(words[1]) in self.beginnings

    def first(self, text: str, own: str | None, *, weak: bool, unlisted: bool) -> str | None:
        """Return the first of the names in a bracket, others before oneself.

        Args:
            text: What stands in the bracket or after the dash.
            own: The report's own family.
            weak: Whether names count that are also something else.
            unlisted: Whether a name counts that no table has.
        """
        if found := self.listed(text, weak):
            return found
        parts = _PARTS.split(text)
        if len(parts) > 1:
            families = [each for part in parts if (each := self.listed(part, weak))]
            if families:
                return next((each for each in families if each != own), own)
        unknown = self._unlisted(text) if unlisted else None
        return family_of(unknown) if unknown else None

    def opening(self, head: str) -> str | None:
        """Return whom a phrase at the beginning of a text credits."""
        found = self._opened(self.start, head.lstrip(_AROUND))
        return found if found or head.isascii() else self._signed(head)

    def closing(self, last: str) -> str | None:
        """Return whom the last sentence of a text credits, or the words in brackets there."""
        if found := self._opened(self.end, last.lstrip(_AROUND)):
            return found
        words = last[-LONGEST:].rstrip(_CLOSED).casefold()
        if not words.endswith(self.endings):
            return None
        if words.endswith(self.unnamed):
            return UNNAMED
        phrase = next((each for each in self.after if words.endswith(each)), "")
        return self._within(last.rstrip(_CLOSED)[: -len(phrase)], "last") if phrase else None

    def is_rest(self, sentence: str) -> bool:
        """Whether a last sentence is one that follows a credit."""
        return sentence.rstrip(_CLOSED).casefold().endswith(self.rest)

    def _opened(self, phrases: _Openers, text: str) -> str | None:
        for phrase in phrases.get(text[:2], ()):
            match = phrase.pattern.match(text) if phrase.sign in text else None
            if match and (found := self._within(match["name"], phrase.side)):
                return found
        return None

    def _signed(self, head: str) -> str | None:
        for phrase in self.head:
            if phrase.sign in head:
                for match in phrase.pattern.finditer(head):
                    if found := self._within(match["name"], phrase.side):
                        return found
        return None

    def _within(self, text: str, side: str) -> str | None:
        """Return the family of the longest name at one side of a text, or of all of it."""
        if side == "all":
            return self.listed(text)
        words = text.split()
        while side == "first" and words and (_DIGIT.search(words[0]) or not key(words[0])):
            words = words[1:]  # the year of a copyright
        if side == "first" and not self._name(" ".join(words[:3])):
            return None
        for count in range(min(_WORDS, len(words)), 0, -1):
            span = words[-count:] if side == "last" else words[:count]
            if found := self.listed(" ".join(span)):
                return found
        return None

    def _without_agency(self, words: list[str]) -> str:
        """Return a name without the words that say what it is; nothing if it has none of these."""
        kept = words
        for count in (3, 2, 1):
            if len(kept) > count and key(" ".join(kept[:count])) in self.agency:
                kept = kept[count:]
            if len(kept) > count and key(" ".join(kept[-count:])) in self.agency:
                kept = kept[:-count]
        return " ".join(kept) if len(kept) < len(words) else ""

    def _unlisted(self, text: str) -> str | None:
        """Return a name that no table has, where it is evidently an outlet's."""
        words = text.strip(_AROUND).split()
        if not 2 <= len(words) <= _WORDS or len(text) > LONGEST or _DIGIT.search(text):
            return None
        keys = [key(word) for word in words]
        if _LATIN.search(text):
            is_name = all(word[0].isupper() or word in _SMALL for word in words)
            is_outlet = keys[-1] in self.outlet
        else:
            is_name = True
            is_outlet = any("".join(keys[:count]) in self.outlet for count in (1, 2, 3))
        return " ".join(words) if is_name and is_outlet and not self.desk & set(keys) else None


def bare(text: str) -> str:
    """Return a text without what may stand around a name at its end."""
    return text.rstrip(_AROUND)


def is_spelt_out(words: Sequence[str], names: str) -> bool:
    """Whether a bracket abbreviates the words before it: "Tehreek-e-Insaf (TI)"."""
    letters = key(names)
    parts = [part for word in words[-8:] for part in word.split("-")]
    initials = "".join(part[0] for part in parts if part[:1].isupper()).casefold()
    return len(letters) > 1 and initials.endswith(letters)


@cache
def credits() -> Credits:
    """Return the names and phrases of the packaged tables, as they are searched."""
    rows = table("bylines.csv")
    credit = [row for row in rows if row["kind"] == "credit"]
    words = {
        kind: [row["words"] for row in rows if row["kind"] == kind]
        for kind in ("agency", "article", "outlet", "desk", "unnamed", "rest")
    }
    agency = frozenset(map(key, words["agency"]))
    known = frozenset(names())
    after = tuple(
        row["after"].casefold() for row in credit if row["where"] == "end" and not row["words"]
    )
    unnamed, rest = (tuple(map(str.casefold, words[kind])) for kind in ("unnamed", "rest"))
    return Credits(
        beginnings=frozenset(name[:end] for name in known for end in range(1, len(name) + 1)),
        alone=known | {key(each.split()[0]) for each in words["agency"]},
        agency=agency,
        article=frozenset(map(key, words["article"])),
        outlet=frozenset(map(key, words["outlet"])),
        desk=frozenset(map(key, words["desk"])),
        start=_openers(row for row in credit if row["where"] == "start" and row["words"]),
        head=tuple(_anywhere(credit)),
        end=_openers(row for row in credit if row["where"] == "end" and row["words"]),
        after=after,
        unnamed=unnamed,
        rest=rest,
        endings=(*after, *unnamed, *rest),
    )


def _found(name: str) -> Outlet | None:
    """Return the outlet of a name or domain, and not of an id."""
    outlet = by_name(name) or (by_domain(name) if "." in name else None)
    return None if outlet is None or outlet.kind == ID else outlet


#: The name beside a phrase.
_BESIDE: Final = r"(?P<name>[^\n!?؟۔،()]{2,60}%s)"


def _openers(rows: Iterable[dict[str, str]]) -> _Openers:
    """Return phrases that open a stretch, by all pairs of characters that they may begin with."""
    found: dict[str, list[_Phrase]] = {}
    # The longest first: "with inputs from" before "with".
    for row in sorted(rows, key=lambda row: -len(row["words"])):
        if row["after"]:
            around = rf"{_BESIDE % '?'}\s+{_pattern(row['after'])}(?!\w)"
            pattern = rf"{_pattern(row['words'])}\s*{around}"
            phrase = _phrase(pattern, "all", _sign(row["after"]))
        else:
            phrase = _phrase(rf"{_pattern(row['words'])}\s*{_BESIDE % ''}", "first")
        for pair in product(*map(_typings, f"{row['words']} "[:2])):
            found.setdefault("".join(pair), []).append(phrase)
    return {pair: tuple(phrases) for pair, phrases in found.items()}


def _typings(char: str) -> set[str]:
    return {char.lower(), char.upper(), *_SAME.get(char, "")}


def _anywhere(rows: Iterable[dict[str, str]]) -> Iterator[_Phrase]:
    """Yield the phrases of a text's head that do not open it, and those after a name that does."""
    for row in rows:
        if row["where"] == "head":
            pattern = rf"(?<!\w){_pattern(row['words'])}\s*{_BESIDE % ''}"
            yield _phrase(pattern, "first", _sign(row["words"]))
        elif row["where"] == "start" and not row["words"]:
            pattern = rf"\A\W*{_BESIDE % '?'}\s+{_pattern(row['after'])}(?!\w)"
            yield _phrase(pattern, "last", _sign(row["after"]))


def _phrase(pattern: str, side: str, sign: str = "") -> _Phrase:
    return _Phrase(re.compile(pattern, re.IGNORECASE), side, sign)


def _sign(words: str) -> str:
    """Return the longest part of a phrase that is typed in one way only."""
    text = "".join("\n" if char in _SAME or char.isspace() else char for char in words)
    return max(text.split("\n"), key=len)


def _pattern(words: str) -> str:
    """Return the pattern of a phrase, with every letter that is typed for another."""
    parts = (
        "".join(f"[{_SAME[char]}]" if char in _SAME else re.escape(char) for char in word)
        for word in words.split()
    )
    last = words.split()[-1]
    joined = r"[\s\u200c]+".join(parts)
    # A preposition of one letter is written together with what follows.
    return joined if len(last) == 1 or not last[-1].isalnum() else rf"{joined}(?!\w)"
