"""What is wrong with the actor registry's tables, read as they stand."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from msgspec import Struct

from detectors.world.actors import KINDS, LANGUAGES, SCOPES, SIDES, table
from detectors.world.actors.spelling import spelling
from detectors.world.problem import Days, Problem, days_of, faults, numbered

Row = Mapping[str, str]

COLUMNS: Final = {
    "organisations": ("id", "name", "country", "identifiers"),
    "roles": ("id", "kind", "side", "within", "valid_from", "valid_to", "note"),
    "names": (
        "id", "name", "language", "speaker", "valid_from", "valid_to", "country", "scope", "note",
        "reviewer",
    ),
    "masks": ("phrase", "language", "hides", "note", "reviewer"),
}  # fmt: skip
_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_COUNTRY: Final = re.compile(r"[A-Z]{3}|")
#: Lists of the Security Council: QDe (ISIL and al-Qaida) and TAe (Taliban), entities only.
_REFERENCE: Final = re.compile(r"(?:QDe|TAe)\.\d{3}")


class Tables(Struct, frozen=True):
    """The registry's rows as they stand in the files."""

    organisations: Sequence[Row]
    roles: Sequence[Row]
    names: Sequence[Row]
    masks: Sequence[Row] = ()


class _Line(Struct, frozen=True):
    number: int
    row: Row
    days: Days


def shipped() -> Tables:
    """Return the tables of the package."""
    return Tables(**{name: table(f"{name}.csv") for name in COLUMNS})


def problems(tables: Tables | None = None) -> list[Problem]:
    """Return what is wrong with the tables, those of the package if none are given."""
    return faults("actors", tables or shipped(), COLUMNS, _CHECKS)


def _say(name: str, number: int, text: str) -> Problem:
    return Problem(f"actors/{name}.csv", number, text)


def _dated(rows: Iterable[Row]) -> list[_Line]:
    return [
        _Line(number, row, days)
        for number, row in numbered(rows)
        if (days := days_of(row)) is not None
    ]


def _spans(tables: Tables) -> dict[str, list[Days]]:
    """Return the days of each organisation's roles."""
    found: dict[str, list[Days]] = defaultdict(list)
    for line in _dated(tables.roles):
        found[line.row["id"]].append(line.days)
    return found


def _words(tables: Tables) -> Iterator[Problem]:
    """Yield cells whose value is none of those that the column has."""
    allowed = (
        ("roles", "kind", KINDS),
        ("roles", "side", SIDES),
        ("names", "language", LANGUAGES),
        ("names", "scope", SCOPES),
        ("masks", "language", LANGUAGES),
    )
    for name, column, known in allowed:
        for number, row in numbered(getattr(tables, name)):
            if row[column] not in known:
                said = f"the {column} {row[column]!r} is none of {', '.join(known)}"
                yield _say(name, number, said)
    for name in ("organisations", "names"):
        for number, row in numbered(getattr(tables, name)):
            if not _COUNTRY.fullmatch(row["country"]):
                yield _say(name, number, f"{row['country']!r} is no ISO 3166-1 alpha-3 code")


def _labels(tables: Tables) -> Iterator[Problem]:
    for number, row in numbered(tables.organisations):
        if not _ID.fullmatch(row["id"]):
            yield _say("organisations", number, f"the id {row['id']!r} is not of a-z, 0-9 and -")
        if not row["name"].strip():
            yield _say("organisations", number, f"{row['id']} has no label")
        for reference in row["identifiers"].split():
            if not _REFERENCE.fullmatch(reference):
                yield _say("organisations", number, f"{reference!r} is no reference of a UN list")


def _phrases(tables: Tables) -> Iterator[Problem]:
    for name, column in (("names", "name"), ("masks", "phrase")):
        for number, row in numbered(getattr(tables, name)):
            if not spelling(row[column]) or row[column] != row[column].strip():
                yield _say(name, number, f"the {column} {row[column]!r} is empty or padded")
            if row["language"] != "en" and not row["reviewer"]:
                yield _say(name, number, f"{row[column]!r} does not say who reviewed it")
    for number, row in numbered(tables.names):
        if row["scope"] == "generic" and not row["country"]:
            yield _say("names", number, f"the generic name {row['name']!r} has no country")


def _bad_days(tables: Tables) -> Iterator[Problem]:
    for name in ("roles", "names"):
        for number, row in numbered(getattr(tables, name)):
            if days_of(row) is None:
                span = f"{row['valid_from']!r} to {row['valid_to']!r}"
                yield _say(name, number, f"{span} are no days, or end before they begin")


def _dangling(tables: Tables) -> Iterator[Problem]:
    ids = {row["id"] for row in tables.organisations}
    for name, column, known in (
        ("roles", "id", ids),
        ("roles", "within", ids | {""}),
        ("names", "id", ids),
        ("names", "speaker", ids | set(SIDES) | {""}),
        ("masks", "hides", ids),
    ):
        for number, row in numbered(getattr(tables, name)):
            if row[column] not in known:
                yield _say(name, number, f"no organisation has the {column} {row[column]!r}")
    for name in ("roles", "names"):
        without = ids - {row["id"] for row in getattr(tables, name)}
        for number, row in numbered(tables.organisations):
            if row["id"] in without:
                yield _say("organisations", number, f"{row['id']} stands in no row of {name}.csv")
    for number, row in numbered(tables.roles):
        if row["within"] and row["within"] == row["id"]:
            yield _say("roles", number, f"{row['id']} is within itself")


def _duplicates(tables: Tables) -> Iterator[Problem]:
    keys: tuple[tuple[str, Callable[[Row], tuple[str, ...]]], ...] = (
        ("organisations", lambda row: (row["id"],)),
        ("roles", lambda row: (row["id"], row["kind"], row["side"], row["valid_from"])),
        ("masks", lambda row: (row["language"], spelling(row["phrase"]))),
    )
    for name, key in keys:
        first: dict[tuple[str, ...], int] = {}
        for number, row in numbered(getattr(tables, name)):
            before = first.setdefault(key(row), number)
            if before != number:
                yield _say(name, number, f"the same as line {before}: {' '.join(key(row))}")


def _overlapping_roles(tables: Tables) -> Iterator[Problem]:
    by_id: dict[str, list[_Line]] = defaultdict(list)
    for line in _dated(tables.roles):
        by_id[line.row["id"]].append(line)
    for id, lines in by_id.items():
        for one, other in combinations(lines, 2):
            if one.days.meets(other.days):
                said = f"{id} has another role on days of line {one.number}"
                yield _say("roles", other.number, said)


def _outside_roles(tables: Tables) -> Iterator[Problem]:
    """Yield names that hold on no day of a role, or begin or end outside every role.

    An open end is none of this: such a name begins or ends with the organisation.
    """
    spans = _spans(tables)
    for line in _dated(tables.names):
        roles, days = spans.get(line.row["id"], []), line.days
        said = f"{line.row['name']!r} of {line.row['id']}"
        if not any(days.meets(role) for role in roles):
            yield _say("names", line.number, f"{said} holds on no day of a role")
            continue
        for column, day in (("valid_from", days.first), ("valid_to", days.last)):
            inside = any(role.first <= day <= role.last for role in roles)
            if line.row[column] and not inside:
                yield _say("names", line.number, f"{said}: {column} lies outside every role")


def _met(one: _Line, other: _Line, roles: dict[str, list[Days]]) -> bool:
    """Return whether two names hold on the same day, each within its organisation's roles."""
    start = max(one.days.first, other.days.first)
    end = min(one.days.last, other.days.last)
    if start > end:
        return False
    both = Days(start, end)
    return any(
        Days(max(a.first, b.first), min(a.last, b.last)).meets(both)
        for a in roles.get(one.row["id"], [])
        for b in roles.get(other.row["id"], [])
        if a.meets(b)
    )


def _shared_names(tables: Tables) -> Iterator[Problem]:
    """Yield names that stand twice, and names that mean two organisations to one speaker."""
    roles = _spans(tables)
    same: dict[tuple[str, ...], list[_Line]] = defaultdict(list)
    for line in _dated(tables.names):
        row = line.row
        same[(spelling(row["name"]), row["language"], row["speaker"], row["scope"])].append(line)
    for lines in same.values():
        for one, other in combinations(lines, 2):
            a, b = one.row, other.row
            countries = {a["country"], b["country"]}
            if len(countries) > 1 and (a["scope"] == "generic" or "" not in countries):
                continue  # told apart by the country of the event
            if not _met(one, other, roles):
                continue
            if a["id"] == b["id"]:
                said = f"{b['name']!r} of {b['id']} stands in line {one.number} too"
            else:
                said = f"{b['name']!r} is {a['id']} in line {one.number}, at the same time"
            yield _say("names", other.number, said)


_CHECKS: Final[tuple[Callable[[Tables], Iterator[Problem]], ...]] = (
    _words,
    _labels,
    _phrases,
    _bad_days,
    _dangling,
    _duplicates,
    _overlapping_roles,
    _outside_roles,
    _shared_names,
)
