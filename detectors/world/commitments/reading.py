"""The tables of commitments, read once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import cast

from detectors.records import EventType
from detectors.tables import day_in, rows
from detectors.world.commitments.values import (
    Clause,
    Commitment,
    Due,
    Evidence,
    Party,
    due_of,
    fits_pattern,
)
from detectors.world.units import UNITS


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of one table as they stand in the package."""
    return rows(__package__, name)


@cache
def parties() -> dict[str, Party]:
    """Return every party that is no organisation of the actor registry, by its id."""
    return {
        row["id"]: Party(
            row["id"],
            row["name"],
            row["kind"],
            row["country"],
            tuple(row["actors"].split()),
            row["note"],
        )
        for row in table("parties.csv")
    }


def _evidence(row: Mapping[str, str]) -> Evidence:
    weight = float(row["weight"])
    return Evidence(
        cast(tuple[EventType, ...], tuple(row["event"].split())),
        tuple(row["mode"].split()),
        tuple(row["theme"].split()),
        tuple(row["acting"].split()),
        tuple(row["upon"].split()),
        tuple(row["countries"].split()),
        tuple(row["contexts"].split()),
        weight if row["sign"] == "+" else -weight,
        row["note"],
    )


def _evidence_by_clause() -> dict[str, list[Evidence]]:
    found: dict[str, list[Evidence]] = {}
    for row in table("evidence.csv"):
        evidence = _evidence(row)
        for clause in row["clause"].split():
            found.setdefault(clause, []).append(evidence)
    return found


def units_of(patterns: str) -> tuple[str, ...]:
    """Return the codes of the units that a cell of patterns means, each once, in its order."""
    found = (code for each in patterns.split() for code in fits_pattern(each, iter(UNITS)))
    return tuple(dict.fromkeys(found))


def _clause(row: Mapping[str, str], of: Mapping[str, str], evidence: list[Evidence]) -> Clause:
    due = due_of(row["due"])
    first, last = date.fromisoformat(of["valid_from"]), day_in(of["valid_to"])
    return Clause(
        row["id"],
        of["id"],
        row["statement"],
        tuple(row["obliged"].split()),
        tuple(row["beneficiary"].split()),
        units_of(row["units"]),
        due,
        row["certainty"] or of["certainty"],
        *_in_force(first, last, due),
        row["note"],
        tuple(evidence),
    )


def _in_force(first: date, last: date | None, due: Due | None) -> tuple[date, date | None]:
    """Return the days of a clause: the commitment's, or those of them on which it runs."""
    if due is None or due.first is None:
        return first, last
    return max(first, due.first), min(filter(None, (last, due.last)), default=None)


@cache
def clauses() -> dict[str, Clause]:
    """Return every clause by its id, in the order of the table."""
    of = {row["id"]: row for row in table("commitments.csv")}
    evidence = _evidence_by_clause()
    return {
        row["id"]: _clause(row, of[row["id"].partition("/")[0]], evidence.get(row["id"], []))
        for row in table("clauses.csv")
    }


@cache
def commitments() -> dict[str, Commitment]:
    """Return every commitment by its id, in the order of the table."""
    return {
        row["id"]: Commitment(
            row["id"],
            row["title"],
            tuple(row["parties"].split()),
            day_in(row["signed"]),
            date.fromisoformat(row["valid_from"]),
            day_in(row["valid_to"]),
            row["source"],
            row["certainty"],
            row["superseded_by"],
            row["note"],
            tuple(each for each in clauses().values() if each.commitment == row["id"]),
        )
        for row in table("commitments.csv")
    }
