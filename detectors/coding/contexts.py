"""What an event is about: PLOVER's contexts, by the phrases that name them.

A type says what was done, a context in which field of life: a protest about girls' schools, talks
about trade. The names in `contexts.csv` are those of the data that PLOVER's authors publish
(37 contexts), with `humanitarian`, which the manual (draft 0.8, 2021; Open Event Data Alliance, CC
BY-SA 4.0) and its conversion table have besides; `also` lists what drafts of the manual call the
same. The phrases of each language are tables (`contexts_<language>.csv`). A context of an event is
named in the sentences that tell it; that an attack has the context `election` means that elections
are spoken of, not why it was made.

The phrases have a matcher of their own, which reads only sentences that gave an event: it costs
other news nothing, and a phrase such as "court in Kabul" can hide no place and no term.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources
from typing import Final

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from detectors.coding import normalise, script
from detectors.tables import rows

_HERE: Final = "detectors.coding"
LANGUAGES: Final = ("en", "fa", "ps", "ur", "ar")
#: A phrase of this class hides the phrases inside it: "military hospital" is not military.
MASK: Final = "mask"
_ARTICLE: Final = "ال"
_SHORTEST: Final = 4  # letters of an Arabic word that a particle is joined to


@cache
def vocabulary() -> dict[str, str]:
    """Return every context with its meaning."""
    return {row["context"]: row["meaning"] for row in rows(_HERE, "contexts.csv")}


@cache
def _names() -> dict[str, str]:
    table = rows(_HERE, "contexts.csv")
    older = {name: row["context"] for row in table for name in row["also"].split(";") if name}
    return older | {row["context"]: row["context"] for row in table}


def known(name: str) -> str | None:
    """Return the context of a name as data sets write it, or None.

    >>> known("pro-democracy"), known("disease"), known("sport")
    ('pro_democracy', 'health', None)
    """
    return _names().get(name.strip().lower().replace("-", "_").replace(" ", "_"))


def named(text: str, language: str) -> tuple[str, ...]:
    """Return the contexts that a text names, sorted.

    Args:
        text: One sentence or some, in the plain form that the dictionaries read
            (`detectors.coding.tongue.Text.plain`).
        language: One of `LANGUAGES`.

    >>> named("traders protest at the closure of the border", "en")
    ('economic', 'migration')
    """
    return _phrases(language).named(text)


class _Phrases:
    """The compiled phrases of one language."""

    def __init__(self, language: str) -> None:
        meanings: dict[str, set[str]] = {}
        for row in rows(_HERE, f"contexts_{language}.csv"):
            for form in _forms(language)(row["phrase"]):
                meanings.setdefault(form, set()).add(row["context"])
        phrases = sorted(meanings)
        self._masks = frozenset(i for i, phrase in enumerate(phrases) if MASK in meanings[phrase])
        self._meanings = [tuple(meanings[phrase] - {MASK}) for phrase in phrases]
        self._matcher = AhoCorasick(
            [f" {phrase} " for phrase in phrases],
            matchkind=MatchKind.Standard,
            implementation=Implementation.ContiguousNFA,
        )

    def named(self, text: str) -> tuple[str, ...]:
        padded = f" {' '.join(text.split())} "
        hits = self._matcher.find_matches_as_indexes(padded, overlapping=True)
        if not hits:
            return ()
        hidden = [(start, end) for index, start, end in hits if index in self._masks]
        if hidden:
            hits = [hit for hit in hits if not _within(hit[1], hit[2], hidden)]
        found = {context for index, _, _ in hits for context in self._meanings[index]}
        return tuple(sorted(found))


def _within(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    """Return whether a stretch is a part, and not the whole, of one of the spans."""
    return any(s <= start and end <= e and (s, e) != (start, end) for s, e in spans)


@cache
def _phrases(language: str) -> _Phrases:
    return _Phrases(language)


@cache
def _forms(language: str) -> Callable[[str], Iterable[str]]:
    """Return what writes out all forms in which a phrase of a language may stand."""
    if language == "en":
        return lambda phrase: {normalise.key(phrase)}
    grammar = resources.files(_HERE).joinpath("grammar.toml")
    prefixes = tomllib.loads(grammar.read_text(encoding="utf-8"))[language]["prefixes"]
    article = script.key(_ARTICLE)
    if not prefixes:
        return lambda phrase: {script.key(phrase)}
    return lambda phrase: _arabic(script.key(phrase), article, tuple(map(script.key, prefixes)))


def _arabic(phrase: str, article: str, prefixes: tuple[str, ...]) -> set[str]:
    """Return an Arabic phrase with and without the article, and with particles before either.

    The article stands at the first word of a phrase, or at each word where a noun has adjectives;
    which of the two is right is not known here, and the other is never written.
    """
    words = phrase.split()
    forms = {phrase}
    if not words[0].startswith(article):
        forms.add(" ".join([article + words[0], *words[1:]]))
    if not any(word.startswith(article) for word in words):
        forms.add(" ".join(article + word for word in words))
        forms.add(" ".join([*words[:-1], article + words[-1]]))
    for form in list(forms):
        first, _, rest = form.partition(" ")
        if len(first) < _SHORTEST:
            continue
        for prefix in prefixes:
            # "To the" swallows the article's first letter.
            if prefix.endswith("لل") and first.startswith(article):
                forms.add(f"{prefix}{first.removeprefix(article)} {rest}".rstrip())
            elif not prefix.endswith("لل"):
                forms.add(f"{prefix}{form}")
    return forms
