"""All dictionaries in one lexicon: places, places elsewhere, actors, and terms.

Aho and Corasick's matcher (1975, Communications of the ACM 18) finds every entry in one pass. Most
news names nothing of the monitored countries, so a smaller matcher looks for that alone first. An
entry is a sequence of whole tokens: it begins and ends at a space of the normalised text, so `ttp`
is not found in `http`. Where entries overlap the longest wins, which is how a phrase such as
"Kabul River" keeps the place inside it from being seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from operator import itemgetter
from typing import Final, NamedTuple

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind
from msgspec import Struct

from detectors.coding.normalise import key, spellings
from detectors.records import EventType, Precision
from detectors.tables import rows
from detectors.world.actors import Alias as Alias
from detectors.world.actors import aliases as aliases
from detectors.world.actors import masks

_LINKS: Final = ("e", "i", "ye")
ARMED: Final = ("armed-group", "government", "foreign")
#: Kinds of names that mean a place whatever stands around them.
SURE: Final = ("name", "demonym")
#: Classes of terms that no event is coded without: of violence, and the other event types.
TRIGGERS: Final = ("act", "blast", "fight", "act_weak", "kill", "injure")
OTHERS: Final[tuple[EventType, ...]] = (
    "PROTEST", "SANCTION", "COERCE", "AGREE", "THREATEN", "CONCEDE", "RETREAT", "ACCUSE", "REJECT",
    "MOBILIZE", "AID", "REQUEST", "SUPPORT", "COOPERATE", "CONSULT",
)  # fmt: skip


class Candidate(Struct, frozen=True):
    """One place that a name may mean."""

    name: str
    unit: str
    country: str
    precision: Precision
    kind: str  # name, weak (also a word), shared (also elsewhere), demonym


class Entry(Struct):
    """All that a normalised phrase may mean."""

    places: list[Candidate] = []
    aliases: list[Alias] = []
    terms: list[tuple[str, str]] = []  # class, mode
    elsewhere: str | None = None
    mask: bool = False
    capitals: str | None = None  # the exact spelling an acronym must have
    armed: bool = False  # may name an organisation that bears arms
    tells: bool = False  # has a term that an event may be coded from
    # Filled in by `settle`, for those who ask of every word of every report:
    classes: frozenset[str] = frozenset()  # of its terms; "armed" also where it is `armed`
    about: frozenset[str] = frozenset()  # the countries of the organisations that it names
    doubtful: bool = False  # names a place only where the text around it says so


class Hit(NamedTuple):
    """An entry found in characters `start` to `end` of the folded text."""

    start: int
    end: int
    entry: Entry


def variants(name: str) -> set[str]:
    """Return a name's normalised spellings, with its linking vowel written in each usual way.

    >>> sorted(variants("Pul-e Khumri"))
    ['pul e khumri', 'pul i khumri', 'pul khumri', 'pul ye khumri', 'pule khumri', 'puli khumri']
    """
    found = spellings(name)
    tokens = key(name).split()
    if len(tokens) == 3 and tokens[1] in _LINKS and len(tokens[0]) > 2 < len(tokens[2]):
        first, _, last = tokens
        found |= {f"{first} {link} {last}" for link in _LINKS}
        found |= {f"{first} {last}", f"{first}i {last}", f"{first}e {last}"}
    return found


def _places(entries: dict[str, Entry]) -> None:
    for row in rows("detectors.world", "places.csv"):
        if row["kind"] == "mask":
            entries.setdefault(key(row["name"]), Entry()).mask = True
            continue
        precision: Precision = row["precision"]  # type: ignore[assignment]
        place = Candidate(row["name"], row["unit"], row["country"], precision, row["kind"])
        for spelling in variants(row["name"]):
            entry = entries.setdefault(spelling, Entry())
            # A province and its capital share a name: the province is what is certain.
            if all(other.unit != place.unit for other in entry.places):
                entry.places = [*entry.places, place]
            if len(row["name"]) <= 3 and row["name"].isupper():
                entry.capitals = row["name"]


def _actors(entries: dict[str, Entry]) -> None:
    for alias in aliases("en"):
        if alias.scope == "record":
            continue
        for spelling in spellings(alias.text):
            _actor(entries.setdefault(spelling, Entry()), alias)
    for hidden in masks("en"):
        entries.setdefault(key(hidden.phrase), Entry()).mask = True


def _actor(entry: Entry, alias: Alias) -> None:
    entry.aliases = [*entry.aliases, alias]
    entry.armed |= alias.kind in ARMED
    if alias.text.isupper() and len(alias.text) <= 5:
        entry.capitals = alias.text
    # "Afghan soldiers" says which country as "Afghan" alone would.
    nation = {"afghan": "AFG", "pakist": "PAK"}.get(key(alias.text)[:6])
    if nation and alias.kind == "government" and not entry.places:
        name = "Afghanistan" if nation == "AFG" else "Pakistan"
        entry.places = [Candidate(name, nation, nation, "country", "demonym")]


def _compile() -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    _places(entries)
    _actors(entries)
    for row in rows("detectors.world", "elsewhere.csv"):
        entries.setdefault(key(row["name"]), Entry()).elsewhere = row["country"]
    for row in rows("detectors.coding", "terms_en.csv"):
        entry = entries.setdefault(key(row["term"]), Entry())
        if row["class"] == "mask":
            entry.mask = True
        elif (row["class"], row["mode"]) not in entry.terms:
            entry.terms = [*entry.terms, (row["class"], row["mode"])]
            entry.tells |= row["class"] in TRIGGERS or row["class"] in OTHERS
    return entries


def settle(entries: Iterable[Entry]) -> None:
    """Fill in what the meanings of each entry come to, once all are known."""
    same: dict[frozenset[str], frozenset[str]] = {}  # most entries share a few sets
    for entry in entries:
        classes = frozenset(name for name, _ in entry.terms) | ({"armed"} if entry.armed else set())
        about = frozenset(a.country for a in entry.aliases if a.scope == "own" and a.country)
        entry.classes = same.setdefault(classes, classes)
        entry.about = same.setdefault(about, about)
        entry.doubtful = any(place.kind not in SURE for place in entry.places)


def _is_ours(entry: Entry) -> bool:
    named = any(a.scope == "own" and a.country for a in entry.aliases)
    return bool(entry.places) or named


class Lexicon:
    """The compiled dictionaries."""

    def __init__(self) -> None:
        entries = _compile()
        ordered = sorted(entries, key=lambda phrase: (not _is_ours(entries[phrase]), phrase))
        self._entries = [entries[phrase] for phrase in ordered]
        settle(self._entries)
        padded = [f" {phrase} ".encode("ascii") for phrase in ordered]
        ours = sum(_is_ours(entry) for entry in self._entries)
        # Every report passes this one: it takes the most memory for its size and the least time.
        self._ours = BytesAhoCorasick(
            padded[:ours], matchkind=MatchKind.Standard, implementation=Implementation.DFA
        )
        self._all = BytesAhoCorasick(padded, matchkind=MatchKind.Standard)

    def scan(self, normalised: bytes) -> list[tuple[int, int, int]] | None:
        """Return the raw matches, or None where nothing ties the text to a monitored country."""
        if not self._ours.find_matches_as_indexes(normalised):
            return None
        found: list[tuple[int, int, int]] = self._all.find_matches_as_indexes(
            normalised, overlapping=True
        )
        return found

    def resolve(self, found: list[tuple[int, int, int]], folded: str) -> list[Hit]:
        """Return the longest matches from left to right whose capitals are as they must be."""
        hits: list[Hit] = []
        end_of_last = 0
        entries = self._entries
        # The matcher reports by end: of those with one start, reversed, the longest comes first.
        for index, start, end in sorted(reversed(found), key=itemgetter(1)):
            if start < end_of_last:
                continue
            entry = entries[index]
            written = folded[start : end - 2]
            if entry.capitals and written != entry.capitals and not entry.terms:
                continue
            end_of_last = end - 1
            if not entry.mask or entry.terms:
                hits.append(Hit(start, end - 2, entry))
        return hits


@cache
def lexicon() -> Lexicon:
    """Return the compiled dictionaries, built at first use."""
    return Lexicon()
