"""The actor registry: organisations through time, what each was, and who calls it what.

Organisations only, never persons. The label of an organisation is neutral; what a party calls
itself or another is a row of `names.csv`, with its speaker and its days. The tables:

- `organisations.csv`: id, label, country, and references of public lists.
- `roles.csv`: what it was, on which side and within which other organisation, from day to day.
- `names.csv`: its names by language and speaker. A name holds on its own days within the roles'.
- `masks.csv`: phrases that hide a name standing in them which means something else.

Nothing is read before it is asked for, so a table at fault can still be checked (`check.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Final

from msgspec import Struct

from detectors.tables import day_in, rows
from detectors.world.registry import Registry

LANGUAGES: Final = ("en", "fa", "ps", "ur", "ar")
#: own: names it by itself. generic: means it only where the event lies in the row's country.
#: record: only what structured sources write, not prose.
SCOPES: Final = ("own", "generic", "record")
#: The first four of these bear arms or may.
KINDS: Final = (
    "armed-group", "government", "foreign", "civil-authority", "international", "political",
    "civilian",
)  # fmt: skip
SIDES: Final = (
    "insurgent", "de-facto-authority", "state", "state-aligned", "political", "neutral",
    "civilian", "unidentified",
)  # fmt: skip


class Role(Struct, frozen=True):
    """What an organisation was, from its first to its last day so; None where it is open."""

    kind: str
    side: str
    within: str  # id of the organisation that it was part of, or nothing
    first: date | None
    last: date | None
    note: str

    def holds(self, on: date) -> bool:
        """Whether it was so on that day."""
        return (self.first is None or self.first <= on) and (self.last is None or on <= self.last)


class Name(Struct, frozen=True):
    """One name, with the days on which it holds, which lie within the organisation's roles."""

    text: str
    language: str  # ISO 639-1
    speaker: str  # id of the organisation, or side, that calls it so; nothing: anyone
    first: date | None
    last: date | None
    country: str  # ISO 3166-1 alpha-3 that the name belongs to, or nothing
    scope: str
    note: str
    reviewer: str  # who read it that reads the language


class Organisation(Struct, frozen=True):
    """One organisation through all its time; `names` as they stand in the table."""

    id: str
    label: str
    country: str
    identifiers: tuple[str, ...]
    roles: tuple[Role, ...]
    names: tuple[Name, ...]

    def role(self, on: date) -> Role | None:
        """Return what it was on a day; None where it was nothing then."""
        return next((role for role in self.roles if role.holds(on)), None)


class Actor(Struct, frozen=True):
    """An organisation as it was on one day; with no role it did not act then, nor has it names."""

    id: str
    label: str
    country: str
    identifiers: tuple[str, ...]
    on: date
    role: Role | None
    names: tuple[Name, ...]

    def called(self, language: str, speaker: str = "") -> tuple[str, ...]:
        """Return what a speaker calls it in a language; with no speaker, what anyone does."""
        return tuple(
            name.text for name in self.names if (name.language, name.speaker) == (language, speaker)
        )


class Alias(Struct, frozen=True):
    """One name of an organisation in one role, from its first to its last day in that meaning."""

    actor: str
    kind: str
    text: str
    first: date | None
    last: date | None
    country: str
    scope: str
    language: str = "en"
    speaker: str = ""

    def holds(self, on: date) -> bool:
        """Whether it means its organisation on that day."""
        return (self.first is None or self.first <= on) and (self.last is None or on <= self.last)


class Mask(Struct, frozen=True):
    """A phrase in which a name of the organisation `hides` means something else."""

    phrase: str
    language: str
    hides: str
    note: str


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of one table as they stand in the package."""
    return rows(__package__, name)


def _role(row: Mapping[str, str]) -> Role:
    first, last = day_in(row["valid_from"]), day_in(row["valid_to"])
    return Role(row["kind"], row["side"], row["within"], first, last, row["note"])


def _name(row: Mapping[str, str]) -> Name:
    return Name(
        row["name"],
        row["language"],
        row["speaker"],
        day_in(row["valid_from"]),
        day_in(row["valid_to"]),
        row["country"],
        row["scope"],
        row["note"],
        row["reviewer"],
    )


@cache
def _organisations() -> dict[str, Organisation]:
    roles: dict[str, list[Role]] = {}
    names: dict[str, list[Name]] = {}
    for row in table("roles.csv"):
        roles.setdefault(row["id"], []).append(_role(row))
    for row in table("names.csv"):
        names.setdefault(row["id"], []).append(_name(row))
    return {
        row["id"]: Organisation(
            row["id"],
            row["name"],
            row["country"],
            tuple(row["identifiers"].split()),
            tuple(roles.get(row["id"], ())),
            tuple(names.get(row["id"], ())),
        )
        for row in table("organisations.csv")
    }


#: Every organisation by its id, in the order of the table.
ACTORS: Final[Mapping[str, Organisation]] = Registry(_organisations)


def actor(id: str, on: date) -> Actor:
    """Return an organisation as it was on a day.

    >>> actor("taliban", date(2020, 6, 1)).role.side, actor("taliban", date(2022, 6, 1)).role.side
    ('insurgent', 'de-facto-authority')

    Raises:
        KeyError: No organisation has this id.
    """
    known = ACTORS[id]
    role = known.role(on)
    names = tuple(
        name
        for name in known.names
        if role and (name.first or on) <= on <= (name.last or on)
    )  # fmt: skip
    return Actor(known.id, known.label, known.country, known.identifiers, on, role, names)


def overlap(
    first: date | None, last: date | None, role: Role
) -> tuple[date | None, date | None] | None:
    """Return the days, from first to last, that lie within a role; None where no day does."""
    start = max(filter(None, (first, role.first)), default=None)
    end = min(filter(None, (last, role.last)), default=None)
    return None if start and end and start > end else (start, end)


@cache
def aliases(language: str | None = None) -> tuple[Alias, ...]:
    """Return every name in every role it holds in, in the table's order; or one language's."""
    return tuple(
        Alias(
            known.id,
            role.kind,
            name.text,
            *days,
            name.country,
            name.scope,
            name.language,
            name.speaker,
        )
        for known in ACTORS.values()
        for name in known.names
        if language in (None, name.language)
        for role in known.roles
        if (days := overlap(name.first, name.last, role)) is not None
    )


@cache
def masks(language: str) -> tuple[Mask, ...]:
    """Return the phrases of a language that hide a name standing in them."""
    return tuple(
        Mask(row["phrase"], row["language"], row["hides"], row["note"])
        for row in table("masks.csv")
        if row["language"] == language
    )
