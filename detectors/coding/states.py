"""The names of states, and the words around them: `parties.csv`, compiled.

- name, demonym, capital: a state of `detectors/world/dyads.csv`. The lexicon has names and
  nationalities of the two monitored countries, so these are not repeated.
- stranger: the nationality of a state with which no relations are watched, beside an office.
- state: beside a nationality, an organ or a deed of the state.
- before, direction, after: words around a country's name that make it a place.
- toward: before a name that is also an adjective, where the state itself is meant ("with the US").
- and: joins two nationalities of one organ ("Afghan and Pakistani forces").
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from detectors.coding import normalise, script
from detectors.coding.lexicon import Hit
from detectors.coding.tongue import Sentence
from detectors.tables import rows

#: Characters around a name that are looked at.
LOOK: Final = 40
#: The classes of `parties.csv` that name a state.
_NAMING: Final = ("name", "demonym", "capital")
#: Arabic particles that are written as one with the word after them.
_PREFIXES: Final = {"ar": "وفبل"}


class Named(NamedTuple):
    """A state named at a stretch of the text, and how: one of `_NAMING`."""

    start: int
    end: int
    state: str
    kind: str


class Words(NamedTuple):
    """The compiled words of one language."""

    first: frozenset[str]  # with which a name begins: most sentences have none of these
    naming: re.Pattern[str]
    states: dict[str, tuple[str, str]]  # phrase -> state, class
    capitals: frozenset[str]  # phrases that count only in capital letters: "US", not "us"
    organ_after: re.Pattern[str]  # begins just after a nationality
    organ_before: re.Pattern[str]  # ends just before one
    toward: re.Pattern[str]
    joined: re.Pattern[str]
    before: re.Pattern[str]
    after: re.Pattern[str]
    demonym_before: re.Pattern[str]  # ends just before an office
    demonym_after: re.Pattern[str]  # begins just after one


def spoken_for(hit: Hit, plain: str, language: str) -> str:
    """Return the state that a country's or a capital's name may speak for, or "".

    >>> from detectors.coding.lexicon import Entry
    >>> spoken_for(Hit(0, 6, Entry(elsewhere="IRN")), "tehran said", "en")
    'IRN'
    """
    for place in hit.entry.places:
        if place.unit == place.country and place.kind == "name":
            return place.country
    words, phrase = words_of(language), plain[hit.start : hit.end]
    known = words.states.get(phrase)
    if known is None and phrase[:1] in _PREFIXES.get(language, "\0"):
        known = words.states.get(phrase[1:])
    return known[0] if known and known[1] != "demonym" else ""


def nationality(sentence: Sentence, start: int, end: int, language: str) -> Named | None:
    """Return the nationality of another state that stands beside an office, if one does.

    Its `state` is "" where no relations with it are watched.
    """
    words, text = words_of(language), sentence.text
    first = max(sentence.start, start - LOOK)
    before = words.demonym_before.search(text.plain, first, start)
    match = before or words.demonym_after.match(text.plain, end, sentence.end)
    if match is None:
        return None
    first, last = match.span(1)
    if match[1] in words.capitals and not text.folded[first:last].isupper():
        return None
    state, _ = words.states.get(match[1], ("", ""))
    return Named(first, last, state, "demonym")


@cache
def words_of(language: str) -> Words:
    """Return the words of a language, compiled at first use."""
    key = normalise.key if language == "en" else script.key
    found: dict[str, set[str]] = {}
    states: dict[str, tuple[str, str]] = {}
    capitals: set[str] = set()
    for row in rows("detectors.coding", "parties.csv"):
        if row["language"] != language:
            continue
        phrase = key(row["phrase"])
        if row["class"] in _NAMING:
            states[phrase] = (row["state"], row["class"])
            if row["phrase"].isupper() and row["phrase"].isascii() and "." not in row["phrase"]:
                capitals.add(phrase)
        else:
            found.setdefault(row["class"], set()).add(phrase)

    def any_of(*classes: str) -> str:
        phrases = set().union(*(found.get(name, set()) for name in classes))
        # A language without such words has none that match.
        return "|".join(sorted(map(re.escape, phrases), key=lambda p: (-len(p), p))) or "\0"

    joined = _PREFIXES.get(language, "")
    prefix = f"[{joined}]?" if joined else ""
    first = {phrase.partition(" ")[0] for phrase in states}
    naming = "|".join(sorted(map(re.escape, states), key=lambda p: (-len(p), p)))
    known = {phrase for phrase, (_, kind) in states.items() if kind == "demonym"}
    strangers = found.get("stranger", set())
    nations = "|".join(sorted(map(re.escape, known | strangers), key=lambda p: (-len(p), p)))
    return Words(
        frozenset(first | {letter + word for letter in joined for word in first}),
        re.compile(rf"(?<![^ ]){prefix}({naming})(?![^ ])"),
        states,
        frozenset(capitals),
        re.compile(rf"(?: (?:{any_of('and')}))?(?: [^ ]+)? (?:{any_of('state')}) "),
        re.compile(rf"(?<![^ ]){prefix}(?:{any_of('state')})(?: [^ ]+)? $"),
        re.compile(rf"(?<![^ ])(?:{any_of('toward')})(?: the)? $"),
        re.compile(rf" (?:{any_of('and')}) "),
        re.compile(rf"(?<![^ ])(?:{any_of('before', 'direction')})(?: the)? $"),
        re.compile(rf"(?: s)? (?:{any_of('after', 'direction')}) "),
        re.compile(rf"(?<![^ ])({nations})(?: s)? \Z"),
        re.compile(rf" ({nations})(?![^ ])"),
    )
