"""The dictionaries of a language in Arabic script, compiled: names, places elsewhere, terms.

The counterpart of `lexicon.py` for letters beyond ASCII, with the same entries and the same rule:
whole tokens, and of overlapping entries the longest. Outlets write many names in the spelling of a
neighbouring language; such a spelling counts wherever it means nothing else in this one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from copy import copy
from operator import itemgetter
from typing import Final

from ahocorasick_rs import AhoCorasick, MatchKind

from detectors.coding import script
from detectors.coding.lexicon import ARMED, OTHERS, TRIGGERS, Candidate, Entry, Hit, settle
from detectors.coding.places import COUNTRIES
from detectors.records import Precision
from detectors.tables import rows
from detectors.world.actors import Alias, aliases, masks

_HARM: Final = ("kill", "injure")
_NOUNS: Final = frozenset(("target", "armed", "person", "civilian"))


def beginnings(phrases: Iterable[str], longest: int = sys.maxsize) -> dict[str, int]:
    """Return the first words of some phrases, with the most words of those that begin so.

    So most words of a text need no second look, and the others no more than may be found.

    >>> beginnings(["last week", "last", "today"], longest=4)
    {'last': 2, 'today': 1}
    """
    found: dict[str, int] = {}
    for phrase in phrases:
        first = phrase.partition(" ")[0]
        found[first] = max(found.get(first, 0), min(phrase.count(" ") + 1, longest))
    return found


class Vocabulary:
    """One language's dictionaries."""

    def __init__(self, code: str, prefixes: tuple[str, ...]) -> None:
        """Compile the tables.

        Args:
            code: The language.
            prefixes: Particles that are written as one with the name they stand before.
        """
        entries: dict[str, Entry] = {}
        _places(entries, code)
        _actors(entries, code)
        _elsewhere(entries, code)
        for phrase, entry in list(entries.items()):
            for prefix in prefixes:
                entries.setdefault(prefix + phrase, entry)
        _terms(entries, code)
        #: Words for what is attacked, who bears arms and who is hurt.
        self.nouns = {
            phrase
            for phrase, entry in entries.items()
            if any(name in _NOUNS for name, _ in entry.terms)
        }
        phrases = sorted(entries)
        self._entries = [entries[phrase] for phrase in phrases]
        settle(self._entries)
        self._all = AhoCorasick([f" {phrase} " for phrase in phrases], matchkind=MatchKind.Standard)
        ours = [f" {phrase} " for phrase in phrases if _is_ours(entries[phrase])]
        self._ours = AhoCorasick(ours, matchkind=MatchKind.Standard)

    def find(self, plain: str) -> list[Hit] | None:
        """Return the longest entries from left to right, None where nothing ties it to here."""
        padded = f" {plain} "
        if not self._ours.find_matches_as_indexes(padded):
            return None
        found = self._all.find_matches_as_indexes(padded, overlapping=True)
        hits: list[Hit] = []
        end_of_last = 0
        # The matcher reports by end: of those with one start, reversed, the longest comes first.
        for index, start, end in sorted(reversed(found), key=itemgetter(1)):
            if start < end_of_last:
                continue
            end_of_last = end - 1
            entry = self._entries[index]
            if not entry.mask or entry.terms:
                hits.append(Hit(start, end - 2, entry))
        return hits


def _is_ours(entry: Entry) -> bool:
    named = any(alias.scope == "own" and alias.country for alias in entry.aliases)
    return bool(entry.places) or named


def _languages(code: str) -> tuple[str, ...]:
    """Return the language, then those whose spellings of names its outlets also use."""
    return (code,) if code == "ar" else (code, *(c for c in ("fa", "ps", "ur") if c != code))


def _places(entries: dict[str, Entry], code: str) -> None:
    table = rows("detectors.world", "places_names.csv")
    for language in _languages(code):
        taken = set(entries)  # what the name means in this language counts alone
        for row in table:
            phrase = script.key(row["name"])
            if row["language"] == language and phrase and phrase not in taken:
                _place(entries.setdefault(phrase, Entry()), row)


def _place(entry: Entry, row: dict[str, str]) -> None:
    if row["kind"] == "mask":
        entry.mask = True
        return
    precision: Precision = row["precision"]  # type: ignore[assignment]
    place = Candidate(row["place"], row["unit"], row["country"], precision, row["kind"])
    # A province and its capital share a name: the province is what is certain.
    if all(other.unit != place.unit for other in entry.places):
        entry.places = [*entry.places, place]


def _actors(entries: dict[str, Entry], code: str) -> None:
    for language in _languages(code):
        for alias in aliases(language):
            # A neighbour's common noun may be another word here: خارجی is "foreign" in Persian.
            if alias.scope == "own" or (alias.scope == "generic" and language == code):
                _actor(entries.setdefault(script.key(alias.text), Entry()), alias)
    for hidden in masks(code):
        entries.setdefault(script.key(hidden.phrase), Entry()).mask = True


def _actor(entry: Entry, alias: Alias) -> None:
    entry.aliases = [*entry.aliases, alias]
    entry.armed |= alias.kind in ARMED
    # "The army of Pakistan" says which country as "Pakistani" alone would.
    if alias.kind == "government" and alias.scope == "own" and not entry.places:
        name = COUNTRIES.get(alias.country)
        if name:
            place = Candidate(name, alias.country, alias.country, "country", "demonym")
            entry.places = [place]


def _elsewhere(entries: dict[str, Entry], code: str) -> None:
    for row in rows("detectors.world", "elsewhere_names.csv"):
        if row["language"] == code:
            entry = entries.setdefault(script.key(row["name"]), Entry())
            if not entry.places:
                entry.elsewhere = row["country"]


def _terms(entries: dict[str, Entry], code: str) -> None:
    table = rows("detectors.coding", f"terms_{code}.csv")
    kill, injure = (
        {script.key(row["term"]) for row in table if row["class"] == name} for name in _HARM
    )
    for row in table:
        phrase, name, mode = script.key(row["term"]), row["class"], row["mode"]
        if not phrase:
            continue
        # A prefixed name shares its entry with the bare one: a term must not leak into it.
        shared = entries.get(phrase)
        entry = Entry() if shared is None else copy(shared)
        entries[phrase] = entry
        if name == "mask":
            entry.mask = True
            continue
        if name == "negated" and _holds(phrase, kill | injure):
            name = "none_hurt"  # "was not killed" weakens nothing but itself
        if name == "kill" and _holds(phrase, injure):
            entry.terms = [*entry.terms, ("both", "")]  # "killed and wounded"
        entry.armed |= name == "armed"
        if (name, mode) not in entry.terms:
            entry.terms = [*entry.terms, (name, mode)]
        entry.tells |= name in TRIGGERS or name in OTHERS


def _holds(phrase: str, others: set[str]) -> bool:
    """Return whether one of other phrases is a part of a phrase."""
    words = phrase.split()
    return any(
        " ".join(words[i:j]) in others
        for i in range(len(words))
        for j in range(i + 1, len(words) + 1)
    )
