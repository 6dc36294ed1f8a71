"""What is wrong with a registry, in words that name the row to mend."""

from __future__ import annotations

from msgspec import Struct


class Problem(Struct, frozen=True, order=True):
    """One fault of one table."""

    table: str  # as in "actors/names.csv"
    line: int  # of the file, its header being line 1
    text: str

    def __str__(self) -> str:
        return f"{self.table}:{self.line}: {self.text}"
