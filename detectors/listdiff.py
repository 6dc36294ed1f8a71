"""Two snapshots of a sanctions list: what was put on it, taken off it, and changed.

Lists say what they are today, seldom what they were. So each snapshot is kept as a hash that holds
the hash of the one before (a hash chain, Haber & Stornetta 1991): nobody can later say that
another list was seen. A change becomes the value of a structured report (`IncidentRecord`), whose
actors the registry codes as it codes every other record's. Organisations only: who makes the
entries leaves persons out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from hashlib import sha256
from typing import Final, Literal

import msgspec
from msgspec import Struct

from detectors.coding.actors import coded
from detectors.records import IncidentRecord, Interval
from detectors.world.actors import ACTORS, Name
from detectors.world.actors.spelling import spelling

Kind = Literal["addition", "removal", "amendment"]
#: Scopes of names that mean one organisation wherever they stand.
_SURE: Final = ("own", "record")
_SHORTEST: Final = 5  # letters of a name that is no abbreviation
_BRACKETS: Final = re.compile(r"\([^)]*\)")


class Entry(Struct, frozen=True):
    """One organisation as a list has it."""

    reference: str  # the list's own, which an entry keeps when its names change
    name: str
    aliases: tuple[str, ...] = ()
    programmes: tuple[str, ...] = ()  # under what it is listed
    listed_on: date | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All its names, the first one first."""
        return (self.name, *self.aliases)


class Snapshot(Struct, frozen=True):
    """A list as it was seen on a day."""

    list: str  # which one: "un-1267"
    seen_on: date
    entries: tuple[Entry, ...]
    before: str = ""  # the hash of the snapshot before; "" of the first one

    @property
    def hash(self) -> str:
        """SHA-256 of the list, its entries in the order of their references, and `before`.

        The day is not in it: the same list seen twice is the same.
        """
        entries = sorted(self.entries, key=lambda entry: entry.reference)
        return sha256(msgspec.json.encode([self.list, self.before, entries])).hexdigest()


class Change(Struct, frozen=True):
    """What happened to one entry between two snapshots."""

    kind: Kind
    entry: Entry  # as it is; of a removal, as it was
    fields: tuple[str, ...]  # of an amendment: which fields changed
    seen_on: date  # of the later snapshot: the change was on some day up to it
    since: date  # of the earlier snapshot
    hash: str  # of the later snapshot


def changes(old: Snapshot, new: Snapshot) -> tuple[Change, ...]:
    """Return what changed from one snapshot to the next, by reference.

    The order of entries, and of aliases, is no change.

    Raises:
        ValueError: when they are not of one list, not in order of time, not a chain, or when a
            reference stands twice.
    """
    if old.list != new.list or old.seen_on > new.seen_on:
        raise ValueError(
            f"{new.list} of {new.seen_on} does not follow {old.list} of {old.seen_on}: "
            "compare two snapshots of one list, the older first"
        )
    if new.before != old.hash:
        raise ValueError(f"{new.list} of {new.seen_on}: `before` is not the hash of {old.seen_on}")
    before, after, digest = _by_reference(old), _by_reference(new), new.hash
    return tuple(
        Change(kind, entry, fields, new.seen_on, old.seen_on, digest)
        for kind, entry, fields in _compared(before, after)
    )


def _compared(
    before: dict[str, Entry], after: dict[str, Entry]
) -> Iterator[tuple[Kind, Entry, tuple[str, ...]]]:
    for reference in sorted(before.keys() | after.keys()):
        was, now = before.get(reference), after.get(reference)
        if now is None and was is not None:
            yield "removal", was, ()
        elif was is None and now is not None:
            yield "addition", now, ()
        elif was is not None and now is not None and (fields := _differ(was, now)):
            yield "amendment", now, fields


def _differ(was: Entry, now: Entry) -> tuple[str, ...]:
    """Return the names of the fields that differ."""
    return tuple(
        field
        for field in Entry.__struct_fields__
        if _bare(getattr(was, field)) != _bare(getattr(now, field))
    )


def _bare(value: object) -> object:
    return frozenset(value) if isinstance(value, tuple) else value


def _by_reference(snapshot: Snapshot) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in snapshot.entries:
        if entry.reference in found:
            raise ValueError(f"{snapshot.list}: {entry.reference} stands twice; drop one")
        found[entry.reference] = entry
    return found


def organisations(entry: Entry) -> tuple[str, ...]:
    """Return the registry ids that an entry means, sorted: by its reference, else by its names.

    A name counts whenever it was in use, since lists keep old ones; one that has meant several
    organisations means none of them here, and an abbreviation is too short to tell.

    >>> organisations(Entry("1", "JAISH-E-MOHAMMED (JEM)")), organisations(Entry("2", "ISI"))
    (('jaish-e-mohammed',), ())
    """
    sure = _by_identifier().get(entry.reference)
    if sure:
        return (sure,)
    known = _by_name()
    read = {each for name in entry.names for each in _readings(name)}
    return tuple(sorted({known[plain] for plain in read if plain in known}))


def record(change: Change) -> IncidentRecord | None:
    """Return a change as a structured report states it; None: no organisation of the registry.

    An addition has the theme `designation`, a removal `delisting`; an amendment is a sanction of
    no theme. It occurred on the day on which it was seen, or, where the list dates an addition
    between the snapshots, on that day.
    """
    ids = organisations(change.entry)
    if not ids:
        return None
    listed = change.entry.listed_on
    dated = change.kind == "addition" and listed and change.since <= listed <= change.seen_on
    on = listed if dated and listed else change.seen_on
    theme = {"addition": ("designation",), "removal": ("delisting",), "amendment": ()}[change.kind]
    return IncidentRecord(
        event="RETREAT" if change.kind == "removal" else "SANCTION",
        occurred=Interval(on, on),
        actors=tuple(_name_on(id, change.entry, on) for id in ids),
        mode="ease" if change.kind == "removal" else None,
        themes=theme,
    )


def _name_on(id: str, entry: Entry, on: date) -> str:
    """Return a name by which the registry codes an organisation on a day, the list's own first.

    The list's first name, where the registry knows none for the day.
    """
    names = (*entry.names, *(name.text for name in ACTORS[id].names))
    return next((name for name in names if coded((name,), None, on) == (id,)), entry.name)


def _readings(name: str) -> Iterator[str]:
    """Yield what a name may say: lists write several in one, and abbreviations behind them."""
    for part in (name, *name.split("/")):
        plain = spelling(_BRACKETS.sub(" ", part))
        if len(plain) >= _SHORTEST:
            yield plain


@cache
def _by_identifier() -> dict[str, str]:
    return {reference: known.id for known in ACTORS.values() for reference in known.identifiers}


@cache
def _by_name() -> dict[str, str]:
    meant: dict[str, set[str]] = {}
    for id, name in _names():
        meant.setdefault(spelling(name.text), set()).add(id)
    return {name: ids.pop() for name, ids in meant.items() if len(ids) == 1}


def _names() -> Iterable[tuple[str, Name]]:
    for known in ACTORS.values():
        for name in known.names:
            if name.scope in _SURE:
                yield known.id, name
