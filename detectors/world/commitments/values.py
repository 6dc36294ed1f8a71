"""What the registry of commitments is made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, Literal

from msgspec import Struct

from detectors.records import EventType

#: What the days and the words of a commitment or a clause rest on, the firmest first.
CERTAINTIES: Final = (
    "published text", "announced by both sides", "announced by one side", "reported",
    "claimed by one side",
)  # fmt: skip
#: state, states: one or several; organisations; people: who is protected, and acts for no side.
PARTY_KINDS: Final = ("state", "states", "organisations", "people")
#: A mode of evidence that is none: the report does not tell how it was done.
NO_MODE: Final = "-"

#: undated: no day. ahead: its day, or its first day, is to come. running: from day to day, on this
#: day too. passed: its day was before. over: its last day was before.
Stage = Literal["undated", "ahead", "running", "passed", "over"]


class Party(Struct, frozen=True):
    """Who is no organisation of the actor registry: a state, several, or people."""

    id: str
    name: str
    kind: str
    country: str  # ISO 3166-1 alpha-3, or nothing
    actors: tuple[str, ...]  # ids of the actor registry that act for it
    note: str


class Due(Struct, frozen=True):
    """Until when a thing is to be done, or from when to when it holds from day to day."""

    first: date | None  # None: there is one day, `last`, by which it is to be done
    last: date | None  # None: it has no end

    @property
    def continuous(self) -> bool:
        """Whether it holds from day to day."""
        return self.first is not None


class Evidence(Struct, frozen=True):
    """A kind of event that bears on a clause. What is empty is not asked for.

    Of each of the others one must be met, of `countries` all.
    """

    events: tuple[EventType, ...]
    modes: tuple[str, ...]  # `NO_MODE`: the report tells none
    themes: tuple[str, ...]
    acting: tuple[str, ...]  # who acts: ids of parties or of the actor registry
    upon: tuple[str, ...]  # who is acted upon
    countries: tuple[str, ...]  # ISO 3166-1 alpha-3
    contexts: tuple[str, ...]  # PLOVER contexts
    weight: float  # nats towards a breach, of one independently witnessed report; below 0: kept
    note: str


class Clause(Struct, frozen=True):
    """One thing that somebody is to do or to leave."""

    id: str  # commitment/part
    commitment: str
    statement: str  # in our own words
    obliged: tuple[str, ...]  # ids of parties or of the actor registry
    beneficiary: tuple[str, ...]
    units: tuple[str, ...]  # codes of the units that it is about
    due: Due | None
    certainty: str
    first: date  # in force so
    last: date | None
    note: str
    evidence: tuple[Evidence, ...]  # the first that fits an event decides

    def holds(self, on: date) -> bool:
        """Whether it is in force on that day."""
        return self.first <= on and (self.last is None or on <= self.last)

    def stage(self, on: date) -> Stage:
        """Return how its day, or its days, lie to a day.

        A day that has passed says nothing of whether the thing was done.
        """
        if self.due is None:
            return "undated"
        if self.due.last is not None and self.due.last < on:
            return "over" if self.due.continuous else "passed"
        return "running" if self.due.first is not None and self.due.first <= on else "ahead"


class Commitment(Struct, frozen=True):
    """A text, an announcement or an understanding that obliges somebody."""

    id: str
    title: str
    parties: tuple[str, ...]  # ids of parties or of the actor registry
    signed: date | None  # or announced
    first: date  # in force so
    last: date | None
    source: str  # name of the public document
    certainty: str
    superseded_by: str  # id, or nothing
    note: str
    clauses: tuple[Clause, ...]

    def holds(self, on: date) -> bool:
        """Whether it is in force on that day."""
        return self.first <= on and (self.last is None or on <= self.last)


def due_of(text: str) -> Due | None:
    """Return when something is due; None for nothing.

    >>> due_of("2020-03-10"), due_of("2020-02-29..").first
    (Due(first=None, last=datetime.date(2020, 3, 10)), datetime.date(2020, 2, 29))

    Raises:
        ValueError: It is neither a day nor two days that follow each other.
    """
    if not text:
        return None
    first, between, last = text.partition("..")
    if not between:
        return Due(None, date.fromisoformat(first))
    due = Due(date.fromisoformat(first), date.fromisoformat(last) if last else None)
    if due.first and due.last and due.last < due.first:
        raise ValueError(f"{text!r} ends before it begins")
    return due


def fits_pattern(pattern: str, codes: Iterator[str]) -> tuple[str, ...]:
    """Return the codes that a pattern means; `*` stands for letters only, never for a sign.

    >>> fits_pattern("AF-*", iter(["AF-NAN", "AF-NAN~PK-KP", "PK-KP"]))
    ('AF-NAN',)
    """
    parts = pattern.split("*")
    if len(parts) == 1:
        return tuple(code for code in codes if code == pattern)
    return tuple(code for code in codes if _fits(code, parts))


def _fits(code: str, parts: list[str]) -> bool:
    head, *rest = parts
    if not code.startswith(head):
        return False
    if not rest:
        return code == head
    left = code[len(head) :]
    tail = left.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return tail != left and _fits(tail, rest)
