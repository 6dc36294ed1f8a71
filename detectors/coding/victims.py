"""Who the killed were: civilians, members of security forces, militants.

The noun that a number of killed counts tells it, or the noun that suffers or undergoes a verb of
killing without a number. The nouns of a language are in `victims_<language>.csv`; the names of
organisations are those of the actor registry, and what such a name means is settled by the role of
its organisation on the day of the report, as the same name may belong to an armed group one day and
to the authorities the next. `victims_english.py` and `victims_eastern.py` find the nouns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple, get_args

from msgspec import Struct

from detectors.coding.actors import holds
from detectors.coding.vocabulary import beginnings
from detectors.records import Victims
from detectors.tables import rows
from detectors.world.actors import ACTORS, Alias, aliases

#: What a row of the tables may say of a word beside a kind of `Victims`. member: a noun that says
#: nothing itself ("members", "men"); link: a word between such a noun and what it belongs to;
#: other: a noun for somebody who is none of these, or of whom it is not known; former: who was one
#: once; death: a noun of killing whose victim follows; object: what marks the victim before a verb;
#: owner: what joins whom the counted belong to with their number; passive: what makes a verb say
#: that its subject suffered it; where: what follows a subject that is parted from its verb; some:
#: what counts without a number.
ROLES: Final = (
    "member", "link", "other", "former", "death", "object", "owner", "passive", "where", "some",
)  # fmt: skip
_BY_NAME: Final[dict[str, Victims]] = {kind: kind for kind in get_args(Victims)}
KINDS: Final = frozenset(_BY_NAME)
_ARMED: Final = ("armed-group", "government", "foreign")
_SIDES: Final[dict[str, Victims]] = {
    "insurgent": "militants",
    "unidentified": "militants",
    "de-facto-authority": "security-forces",
    "state": "security-forces",
    "state-aligned": "security-forces",
}
#: Sides that are an armed force in their own country only: elsewhere the name is another's.
_AT_HOME: Final = ("de-facto-authority", "state", "state-aligned")


class Name(Struct, frozen=True, eq=False):
    """A name, with all that it means at some time and somewhere; each is itself alone."""

    aliases: tuple[Alias, ...]


class Word(NamedTuple):
    """What a word, or a phrase, says of whom it names."""

    kind: str  # one of KINDS or ROLES, or nothing for a name
    name: Name | None = None


class Victim(NamedTuple):
    """Whom a noun names; of what side a name is shows only on the day and in the country."""

    kind: str  # one of KINDS, or nothing
    name: Name | None = None


class Lexicon(NamedTuple):
    """The words of a language, by themselves in the form that a reader of it has them in."""

    words: Mapping[str, Word]
    begins: Mapping[str, int]  # the first words of these, with the tokens of the longest

    def at(self, tokens: Sequence[str], start: int, end: int | None = None) -> tuple[Word, int]:
        """Return the longest word that begins at a token, and the token after it.

        Nothing found gives the word that says nothing, and `start`.
        """
        longest = self.begins.get(tokens[start])
        if longest is None:
            return _NOTHING, start
        if longest == 1:
            return self.words[tokens[start]], start + 1
        last = min(start + longest, len(tokens) if end is None else end)
        for stop in range(last, start, -1):
            word = self.words.get(" ".join(tokens[start:stop]))
            if word is not None:
                return word, stop
        return _NOTHING, start


_NOTHING: Final = Word("")


def lexicon(code: str, keys: Callable[[str], Iterable[str]], others: Iterable[str]) -> Lexicon:
    """Return the words of a language.

    Args:
        code: The language.
        keys: The forms in which a reader of the language has a phrase.
        others: Languages whose names of organisations its outlets use too.
    """
    words: dict[str, Word] = {}
    for row in rows("detectors.coding", f"victims_{code}.csv"):
        words |= dict.fromkeys(keys(row["word"]), Word(row["kind"]))
    names: dict[str, tuple[Alias, ...]] = {}
    for alias in (alias for one in (code, *others) for alias in aliases(one)):
        if alias.kind not in _ARMED or (alias.scope != "own" and alias.language != code):
            continue
        for phrase in keys(alias.text):
            if phrase not in words and alias.scope != "record" and not _ends_in(phrase, words):
                names[phrase] = (*names.get(phrase, ()), alias)
    words |= {phrase: Word("", Name(found)) for phrase, found in names.items()}
    return Lexicon(words, beginnings(words))


def _ends_in(phrase: str, words: Mapping[str, Word]) -> bool:
    """Return whether a noun in a name tells it already: "Afghan soldiers"."""
    parts = phrase.split()
    ends = (words.get(" ".join(parts[i:])) for i in range(1, len(parts)))
    return any(word is not None and word.kind in KINDS for word in ends)


def resolve(found: Iterable[Victim], country: str | None, day: date) -> tuple[Victims, ...]:
    """Return who the killed were, sorted.

    Args:
        found: Whom the nouns name.
        country: Where the event lies, None where that is not known.
        day: The day of the report.
    """
    told: set[Victims] = set()
    for victim in found:
        side = _side(victim.name, country, day) if victim.name else None
        side = side or _BY_NAME.get(victim.kind)
        if side is not None:
            told.add(side)
    return tuple(sorted(told))


@lru_cache(4096)
def _side(name: Name, country: str | None, day: date) -> Victims | None:
    """Return what a name makes its bearers, if it means one side there and then."""
    meant = [alias for alias in name.aliases if holds(alias, country, day)]
    here = [alias for alias in meant if alias.scope == "generic"] or meant
    sides = {_of(alias.actor, country, day) for alias in here}
    return sides.pop() if len(sides) == 1 else None


def _of(actor: str, country: str | None, day: date) -> Victims | None:
    known = ACTORS[actor]
    role = known.role(day)
    if role is None or role.kind not in _ARMED:
        return None
    abroad = country is not None and known.country not in ("", country)
    if role.side in _AT_HOME and abroad and known.country in ("AFG", "PAK"):
        return None
    return _SIDES.get(role.side)
