"""A registry that is read at first use, so that a table at fault can still be checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Values by id, in the order of their table."""

    def __init__(self, read: Callable[[], Mapping[str, T]]) -> None:
        """Take what reads the tables; it is called each time, so it should remember."""
        self._read = read

    def __getitem__(self, id: str) -> T:
        return self._read()[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())
