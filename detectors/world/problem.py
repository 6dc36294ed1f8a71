"""What is wrong with a registry, in words that name the row to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeVar

from msgspec import Struct

T = TypeVar("T")


class Problem(Struct, frozen=True, order=True):
    """One fault of one table."""

    table: str  # as in "actors/names.csv"
    line: int  # of the file, its header being line 1
    text: str

    def __str__(self) -> str:
        return f"{self.table}:{self.line}: {self.text}"


class Days(Struct, frozen=True):
    """The days from first to last; open ends are the ends of the calendar."""

    first: date
    last: date

    def meets(self, other: Days) -> bool:
        """Whether they have a day in common."""
        return self.first <= other.last and other.first <= self.last


def days_of(row: Mapping[str, str]) -> Days | None:
    """Return the days of a row; None where they are no days or end before they begin."""
    try:
        first = date.fromisoformat(row["valid_from"]) if row["valid_from"] else date.min
        last = date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max
    except ValueError:
        return None
    return Days(first, last) if first <= last else None


def misshapen(rows: Iterable[Mapping[str, str]], columns: tuple[str, ...]) -> Iterator[int]:
    """Yield the lines of rows that have other columns than their table should."""
    for number, row in numbered(rows):
        # The reader keeps too many cells under None, and fills too few with None.
        if tuple(row) != columns or None in row.values():
            yield number


def numbered(rows: Iterable[T]) -> Iterator[tuple[int, T]]:
    """Yield the rows of a table with their lines in its file."""
    return enumerate(rows, start=2)  # the header is line 1


def faults(
    folder: str,
    tables: T,
    columns: Mapping[str, tuple[str, ...]],
    checks: Sequence[Callable[[T], Iterator[Problem]]],
) -> list[Problem]:
    """Return what is wrong with the tables of a registry, each fault once, by table and line.

    Args:
        folder: The registry's folder, as problems name it.
        tables: The rows of each table, as attributes by its name.
        columns: What the columns of each table must be. One without them cannot be read further.
        checks: What else is asked of the tables.
    """
    found = [
        Problem(f"{folder}/{name}.csv", number, f"the columns must be {', '.join(wanted)}")
        for name, wanted in columns.items()
        for number in misshapen(getattr(tables, name), wanted)
    ]
    return sorted(set(found or [problem for check in checks for problem in check(tables)]))
