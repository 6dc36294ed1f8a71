"""What is wrong with a registry, in words that name the row to mend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def numbered(rows: Iterable[T]) -> Iterator[tuple[int, T]]:
    """Yield the rows of a table with their lines in its file."""
    return enumerate(rows, start=2)  # the header is line 1
