"""Phrases of one language with a matcher of their own: what `contexts.py` and `themes.py` share.

Aho and Corasick's matcher (1975, Communications of the ACM 18) finds every phrase as whole tokens
in one pass over text in the plain form (`detectors.coding.tongue.Text.plain`). A phrase of class
`MASK` hides the phrases inside it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from detectors.coding import normalise, script

LANGUAGES: Final = ("en", "fa", "ps", "ur", "ar")
#: A phrase of this class hides the phrases inside it: "military hospital" is not military.
MASK: Final = "mask"
_HERE: Final = "detectors.coding"
_ARTICLE: Final = "ال"
_SHORTEST: Final = 4  # letters of an Arabic word that a particle is joined to


class Match(NamedTuple):
    """A phrase in a padded text: from the space before it to the space after it."""

    start: int
    end: int
    meanings: tuple[str, ...]


class Phrases:
    """Compiled phrases of one language, each with its meanings."""

    def __init__(self, table: Iterable[tuple[str, str]], language: str) -> None:
        """Compile a table.

        Args:
            table: Phrases as they are written, each with a meaning or `MASK`; a phrase may come
                again with another meaning.
            language: One of `LANGUAGES`.
        """
        written: dict[str, set[str]] = {}
        for phrase, meaning in table:
            written.setdefault(phrase, set()).add(meaning)
        meanings: dict[str, set[str]] = {}
        for phrase, mine in written.items():
            for form in _forms(language)(phrase):
                meanings.setdefault(form, set()).update(mine)
        phrases = sorted(meanings)
        self._masks = frozenset(i for i, phrase in enumerate(phrases) if MASK in meanings[phrase])
        self._meanings = [tuple(sorted(meanings[phrase] - {MASK})) for phrase in phrases]
        self._matcher = AhoCorasick(
            [f" {phrase} " for phrase in phrases],
            matchkind=MatchKind.Standard,
            implementation=Implementation.ContiguousNFA,
        )

    def find(self, padded: str) -> list[Match]:
        """Return the phrases of a text, without those that a longer mask hides.

        Args:
            padded: Plain words parted by one space, with a space at either end.
        """
        hits = self._matcher.find_matches_as_indexes(padded, overlapping=True)
        if not hits:
            return []
        hidden = [(start, end) for index, start, end in hits if index in self._masks]
        if hidden:
            hits = [hit for hit in hits if not _within(hit[1], hit[2], hidden)]
        return [Match(start, end, self._meanings[index]) for index, start, end in hits]


def _within(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    """Return whether a stretch is a part, and not the whole, of one of the spans."""
    return any(s <= start and end <= e and (s, e) != (start, end) for s, e in spans)


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
