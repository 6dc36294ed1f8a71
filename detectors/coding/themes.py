"""What signals watch for that PLOVER has no word for: themes, by patterns of five languages.

A border that is shut, a safe haven that is alleged, a decree taken back: PLOVER's sixteen types
(Open Event Data Alliance, 2021) are too coarse for these. `themes.csv` names the themes, and for
each the type and mode that an event has which nothing but the theme tells of. The patterns of each
language are tables (`themes_<language>.csv`). A pattern is a phrase, or several near one another,
in this order (" .. ") or in any (" + "); `@SET` stands for the members of a set, which are rows of
the same table whose theme is `@SET`. That is how forms and word orders multiply without a parser:
the notation is that of `plover.py`.

As in `types.py`, a cue near a pattern or inside it weakens it (negated, denied, future,
hypothetical, historical). A weakened theme counts for nothing beside others, and where it is all
that a sentence tells, the event has the auxiliary mode. A sentence in which a word of sport, shows
or trade in shares stands (`other`) names no theme: these borrow the words of war and diplomacy.

Like the contexts, the patterns have a matcher of their own: they hide no place and no term.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import permutations, product
from typing import Final, NamedTuple

from msgspec import Struct

from detectors.coding.parts import LONGEST, Places, Span, follow
from detectors.coding.phrases import LANGUAGES as LANGUAGES
from detectors.coding.phrases import MASK, Phrases
from detectors.coding.types import Said
from detectors.records import Auxiliary, EventType
from detectors.tables import rows

_HERE: Final = "detectors.coding"
#: Meanings of phrases that are no themes and no sets.
CUES: Final[dict[str, Auxiliary]] = {
    "negated": "negated",
    "denied": "negated",
    "hypothetical": "hypothetical",
    "future": "future",
    "infinitive": "future",
    "historical": "historical",
}
OTHER: Final = "other"
#: Types of themes that go before violence that is only spoken of.
_ALLEGED: Final = frozenset(("ACCUSE", "REJECT", "AGREE", "SANCTION"))
#: Punctuation, as a token: a cue does not reach across it.
_BREAK: Final = "|"
_PUNCTUATION: Final = re.compile(r" {2,}")


class Theme(Struct, frozen=True):
    """A theme, and what an event is that nothing else tells of."""

    name: str
    event: EventType
    mode: str | None
    over: frozenset[str]  # themes that give way to it in the same sentence
    holds: frozenset[str]  # cues that do not weaken it: a warning is of what may come
    meaning: str


class Reach(NamedTuple):
    """How far a cue may stand from a pattern, in characters, on either side."""

    before: int
    after: int


#: English and Arabic put a cue first, the others mostly last, with the verb.
_FIRST: Final = {
    "negated": Reach(26, 0),
    "denied": Reach(60, 0),
    "hypothetical": Reach(40, 0),
    "future": Reach(30, 0),
    "infinitive": Reach(0, 0),
    "historical": Reach(LONGEST, LONGEST),
}
_LAST: Final = {
    "negated": Reach(8, 14),
    "denied": Reach(30, 45),
    "hypothetical": Reach(45, 25),
    "future": Reach(20, 22),
    "infinitive": Reach(0, 0),
    "historical": Reach(LONGEST, LONGEST),
}
_REACHES: Final = {"en": _FIRST, "ar": _FIRST, "fa": _LAST, "ps": _LAST, "ur": _LAST}


class Named(Struct, frozen=True):
    """The themes of a sentence, each list with the most telling first."""

    themes: tuple[str, ...] = ()
    weakened: tuple[tuple[str, Auxiliary], ...] = ()


NONE: Final = Named()


class _Rule(NamedTuple):
    theme: str
    parts: tuple[str, ...]


@cache
def vocabulary() -> dict[str, Theme]:
    """Return every theme by its name, the most telling first."""
    found: dict[str, Theme] = {}
    for row in rows(_HERE, "themes.csv"):
        event: EventType = row["event"]  # type: ignore[assignment]
        over, holds = (frozenset(row[cell].split(";")) - {""} for cell in ("over", "holds"))
        name, mode = row["theme"], row["mode"] or None
        found[name] = Theme(name, event, mode, over, holds, row["meaning"])
    return found


def named(plain: str, language: str) -> Named:
    """Return the themes that one sentence names.

    Args:
        plain: The sentence in the plain form that the dictionaries read
            (`detectors.coding.tongue.Text.plain`), in which two spaces stand for punctuation.
        language: One of `LANGUAGES`.

    >>> named("pakistan closes torkham border  officials said", "en").themes
    ('border_closed',)
    >>> named("pakistan will not close the torkham border", "en").weakened
    (('border_closed', 'negated'),)
    """
    return _patterns(language).named(plain)


def supply(said: Said, found: Named) -> Said:
    """Return what a sentence says: by its themes, where the coder knows no type for it.

    A theme that is told for certain also goes before violence that is not: "They train in camps
    from which to attack" tells of camps. A warning of attacks stays what it is to the coder,
    violence that may come.
    """
    known = vocabulary()
    certain = [known[name] for name in found.themes]
    if said.event == "ASSAULT" and said.auxiliary:
        certain = [theme for theme in certain if theme.event in _ALLEGED]
    elif said.event is not None:
        return said
    if certain:
        return Said(certain[0].event, certain[0].mode)
    if found.weakened and said.event is None:
        name, auxiliary = found.weakened[0]
        return Said(known[name].event, known[name].mode, (auxiliary,))
    return said


class _Patterns:
    """The compiled patterns of one language."""

    def __init__(self, language: str) -> None:
        table = [(row["phrase"], row["theme"]) for row in rows(_HERE, f"themes_{language}.csv")]
        sets: dict[str, list[str]] = {}
        for phrase, meaning in table:
            if meaning.startswith("@"):
                sets.setdefault(meaning, []).append(phrase)
        self._reaches = _REACHES[language]
        self._rules: dict[str, list[_Rule]] = {}  # by their first part
        written: list[tuple[str, str]] = []
        for phrase, meaning in table:
            if meaning in CUES or meaning in (MASK, OTHER):
                written += ((each, meaning) for each in _written(phrase, sets))
            elif not meaning.startswith("@"):
                for parts in _orders(phrase):
                    self._rules.setdefault(parts[0], []).append(_Rule(meaning, parts))
        used = {part for same in self._rules.values() for rule in same for part in rule.parts}
        written += ((each, part) for part in sorted(used) for each in _written(part, sets))
        self._phrases = Phrases(written, language)

    def named(self, plain: str) -> Named:
        padded = f" {_PUNCTUATION.sub(f' {_BREAK} ', plain[:LONGEST].strip())} "
        places: Places = {}
        for match in self._phrases.find(padded):
            for symbol in match.meanings:
                places.setdefault(symbol, []).append((match.start + 1, match.end - 1))
        if not places or OTHER in places:
            return NONE
        best: dict[str, Auxiliary | None] = {}
        for theme, trail in self._told(places):
            if best.get(theme, "") is not None:
                best[theme] = self._weakened(theme, trail, places, padded)
        return _ordered(best) if best else NONE

    def _told(self, places: Places) -> Iterator[tuple[str, list[Span]]]:
        """Yield each theme whose pattern the sentence follows, with where its parts stand."""
        for symbol, spans in places.items():
            for rule in self._rules.get(symbol, ()):
                if all(part in places for part in rule.parts):
                    for first in spans:
                        if trail := follow(rule.parts, first, places):
                            yield rule.theme, trail

    def _weakened(
        self, theme: str, trail: list[Span], places: Places, padded: str
    ) -> Auxiliary | None:
        """Return how a cue inside a pattern or near it weakens its theme, or None."""
        start, end = trail[0][0], trail[-1][1]
        starts = {first for first, _ in trail}
        holds = vocabulary()[theme].holds
        for name, meaning in CUES.items():
            if name in holds:
                continue
            reach = self._reaches[name]
            for first, last in places.get(name, ()):
                if any(first < e and s < last for s, e in trail):
                    continue  # a part of the pattern itself
                if last <= start:
                    near, between = start - last - 1 <= reach.before, padded[last:start]
                elif first >= end:
                    near, between = first - end <= reach.after, padded[end:first]
                else:
                    # "To close" is not done; "added to the list" is.
                    near, between = name != "infinitive" or last + 1 in starts, ""
                if near and (_BREAK not in between or name == "historical"):
                    return meaning
        return None


def _ordered(best: dict[str, Auxiliary | None]) -> Named:
    """Return themes in the order of the vocabulary, without those that give way to others."""
    known = vocabulary()
    certain = {name for name, auxiliary in best.items() if auxiliary is None}
    hidden = frozenset[str]().union(*(known[name].over for name in certain))
    return Named(
        tuple(name for name in known if name in certain - hidden),
        tuple((n, a) for n in known if n not in hidden and (a := best.get(n)) is not None),
    )


def _orders(pattern: str) -> list[tuple[str, ...]]:
    """Return the parts of a pattern in each order in which they may stand.

    >>> _orders("a .. b"), _orders("a + b")
    ([('a', 'b')], [('a', 'b'), ('b', 'a')])
    """
    if " + " in pattern:
        return list(permutations(pattern.split(" + ")))
    return [tuple(pattern.split(" .. "))]


def _written(part: str, sets: dict[str, list[str]]) -> list[str]:
    """Return all that a part of a pattern may be, its sets written out."""
    words = (sets[word] if word.startswith("@") else [word] for word in part.split())
    return [" ".join(each) for each in product(*words)]


@cache
def _patterns(language: str) -> _Patterns:
    return _Patterns(language)
