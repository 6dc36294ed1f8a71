"""What is wrong with the tables of commitments, read as they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from detectors.world.actors import ACTORS
from detectors.world.commitments import check_evidence
from detectors.world.commitments.reading import table, units_of
from detectors.world.commitments.values import CERTAINTIES, PARTY_KINDS, due_of, fits_pattern
from detectors.world.problem import Days, Problem, days_of, faults, numbered
from detectors.world.units import UNITS

Row = Mapping[str, str]

COLUMNS: Final = {
    "commitments": (
        "id", "title", "parties", "signed", "valid_from", "valid_to", "source", "certainty",
        "superseded_by", "note",
    ),
    "clauses": ("id", "statement", "obliged", "beneficiary", "units", "due", "certainty", "note"),
    "evidence": (
        "clause", "sign", "event", "mode", "theme", "acting", "upon", "countries", "contexts",
        "weight", "note",
    ),
    "parties": ("id", "name", "kind", "country", "actors", "note"),
}  # fmt: skip
_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_COUNTRY: Final = re.compile(r"[A-Z]{3}|")
_EVERY_STATE: Final = "un-members"


class Tables(Struct, frozen=True):
    """The registry's rows as they stand in the files."""

    commitments: Sequence[Row]
    clauses: Sequence[Row]
    evidence: Sequence[Row]
    parties: Sequence[Row]


def shipped() -> Tables:
    """Return the tables of the package."""
    return Tables(**{name: table(f"{name}.csv") for name in COLUMNS})


def problems(tables: Tables | None = None) -> list[Problem]:
    """Return what is wrong with the tables, those of the package if none are given."""
    return faults("commitments", tables or shipped(), COLUMNS, _CHECKS)


def _say(name: str, number: int, text: str) -> Problem:
    return Problem(f"commitments/{name}.csv", number, text)


def _ids(tables: Tables) -> Iterator[Problem]:
    for name in ("commitments", "clauses", "parties"):
        first: dict[str, int] = {}
        for number, row in numbered(getattr(tables, name)):
            parts = row["id"].split("/")
            if len(parts) != (2 if name == "clauses" else 1) or not all(map(_ID.fullmatch, parts)):
                yield _say(name, number, f"the id {row['id']!r} has not the form of the others")
            before = first.setdefault(row["id"], number)
            if before != number:
                yield _say(name, number, f"the same as line {before}: {row['id']}")
    for number, row in numbered(tables.parties):
        if row["id"] in ACTORS:
            yield _say("parties", number, f"{row['id']!r} is an organisation of the actor registry")


def _words(tables: Tables) -> Iterator[Problem]:
    """Yield cells that are empty where they must not be, or hold none of the words they may."""
    for name, column, known in (
        ("commitments", "certainty", CERTAINTIES),
        ("clauses", "certainty", (*CERTAINTIES, "")),
        ("parties", "kind", PARTY_KINDS),
    ):
        for number, row in numbered(getattr(tables, name)):
            if row[column] not in known:
                said = f"the {column} {row[column]!r} is none of {', '.join(filter(None, known))}"
                yield _say(name, number, said)
    for name, columns in (
        ("commitments", ("title", "parties", "valid_from", "source")),
        ("clauses", ("statement", "obliged", "beneficiary", "units")),
        ("parties", ("name",)),
    ):
        for number, row in numbered(getattr(tables, name)):
            for column in columns:
                if not row[column].strip():
                    yield _say(name, number, f"{row['id']} has no {column}")
    for number, row in numbered(tables.parties):
        if not _COUNTRY.fullmatch(row["country"]):
            yield _say("parties", number, f"{row['country']!r} is no ISO 3166-1 alpha-3 code")


def _dangling(tables: Tables) -> Iterator[Problem]:
    commitments = {row["id"] for row in tables.commitments}
    known = set(ACTORS) | {row["id"] for row in tables.parties}
    for name, column, ids in (
        ("commitments", "parties", known),
        ("commitments", "superseded_by", commitments),
        ("clauses", "obliged", known),
        ("clauses", "beneficiary", known),
        ("parties", "actors", set(ACTORS)),
    ):
        for number, row in numbered(getattr(tables, name)):
            for id in row[column].split():
                if id not in ids:
                    yield _say(name, number, f"{column}: there is no {id!r}")


def _belonging(tables: Tables) -> Iterator[Problem]:
    """Yield clauses of no commitment or about no unit, and commitments without a clause."""
    commitments = {row["id"] for row in tables.commitments}
    borne = set()
    for number, row in numbered(tables.clauses):
        of = row["id"].partition("/")[0]
        borne.add(of)
        if of not in commitments:
            yield _say("clauses", number, f"no commitment has the id {of!r}")
        for pattern in row["units"].split():
            if not fits_pattern(pattern, iter(UNITS)):
                yield _say("clauses", number, f"no unit is meant by {pattern!r}")
    for number, row in numbered(tables.commitments):
        if row["id"] not in borne:
            yield _say("commitments", number, f"{row['id']} has no clause")


def _parties(tables: Tables) -> Iterator[Problem]:
    """Yield clauses that oblige who is no party, and parties that are obliged to nothing."""
    parties = {row["id"]: set(row["parties"].split()) for row in tables.commitments}
    states = {row["id"] for row in tables.parties if row["kind"] == "state"}
    obliged: set[tuple[str, str]] = set()
    for number, row in numbered(tables.clauses):
        of = row["id"].partition("/")[0]
        joined = parties.get(of, set())
        # Resolutions oblige every state, and who governs one; allies are bound with who signed.
        beyond = states | {"taliban"} if _EVERY_STATE in joined else _allies(joined)
        for id in row["obliged"].split():
            obliged.add((of, id))
            if id not in joined | beyond:
                yield _say("clauses", number, f"{id} is obliged but no party")
    for number, row in numbered(tables.commitments):
        for id in row["parties"].split():
            if id != _EVERY_STATE and (row["id"], id) not in obliged:
                yield _say("commitments", number, f"{id} is a party but obliged to nothing")


def _allies(joined: set[str]) -> set[str]:
    return {"us-allies"} if "us" in joined else set()


def _days(tables: Tables) -> Iterator[Problem]:
    spans: dict[str, Days] = {}
    for number, row in numbered(tables.commitments):
        days = days_of(row)
        if days is None:
            span = f"{row['valid_from']!r} to {row['valid_to']!r}"
            said = f"{span} are no days, or end before they begin"
            yield _say("commitments", number, said)
            continue
        spans[row["id"]] = days
        signed = _day(row["signed"])
        if row["signed"] and (signed is None or signed > days.first):
            said = f"signed on {row['signed']!r}, which is no day or after the first day in force"
            yield _say("commitments", number, said)
    yield from _superseded(tables, spans)
    for number, row in numbered(tables.clauses):
        said = _due(row, spans.get(row["id"].partition("/")[0]))
        if said:
            yield _say("clauses", number, said)


def _superseded(tables: Tables, spans: Mapping[str, Days]) -> Iterator[Problem]:
    for number, row in numbered(tables.commitments):
        one, other = spans.get(row["id"]), spans.get(row["superseded_by"])
        if one and other and one.last >= other.first:
            said = f"{row['id']} is in force when {row['superseded_by']} takes its place"
            yield _say("commitments", number, said)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _due(row: Row, days: Days | None) -> str:
    """Return what is wrong with when a clause is due, or nothing."""
    try:
        due = due_of(row["due"])
    except ValueError:
        return f"due {row['due']!r}: neither a day nor two days that follow each other"
    if due is None or days is None:
        return ""
    ends = (due.first or due.last or days.first, due.last or days.first)
    if any(not days.first <= day <= days.last for day in ends):
        return f"due {row['due']!r} lies outside the days of its commitment"
    return ""


def _seen(tables: Tables) -> Iterator[Problem]:
    """Yield clauses on which nothing bears and that do not say so, and units named twice."""
    borne = {id for row in tables.evidence for id in row["clause"].split()}
    for number, row in numbered(tables.clauses):
        if row["id"] not in borne and not row["note"]:
            said = f"no evidence bears on {row['id']}: give some, or say why in the note"
            yield _say("clauses", number, said)
        codes = [code for each in row["units"].split() for code in units_of(each)]
        if len(codes) != len(set(codes)):
            yield _say("clauses", number, f"{row['units']!r} names a unit twice")


def _evidence(tables: Tables) -> Iterator[Problem]:
    clauses = {row["id"] for row in tables.clauses}
    parties = {row["id"]: row["actors"].split() for row in tables.parties}
    for number, said in check_evidence.faults(tables.evidence, clauses, parties):
        yield _say("evidence", number, said)


_CHECKS: Final[tuple[Callable[[Tables], Iterator[Problem]], ...]] = (
    _ids,
    _words,
    _dangling,
    _belonging,
    _parties,
    _days,
    _seen,
    _evidence,
)
