"""The part of polling that all sources share: at least once, and known items only once.

A poll hands out what the cursor does not know. Until `commit`, the same items are handed out
again with the `seen_at` they had first, also when the feed no longer carries them.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from detectors.records import Report
from streams.sources.base import Cursor, Reject
from streams.sources.config import Runtime, SourceConfig

Position = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Found:
    """What one look at a source showed, known items included."""

    items: Sequence[Report | Reject]
    position: Position
    is_unchanged: bool = False  # the source still holds what it held at the last commit


class PollingSource(ABC):
    """A source with a cursor. A subclass looks (`_find`); this class knows what is new.

    Calls must not overlap: poll, store what it returned, commit, and so on.
    """

    def __init__(self, config: SourceConfig, runtime: Runtime) -> None:
        """Keep the settings; files and connections are opened by the first poll."""
        self.name = config.name
        self.interval = config.interval
        self.rejects: tuple[Reject, ...] = ()
        self._config = config
        self._runtime = runtime
        self._cursor: Cursor | None = None
        self._found: Found | None = None
        self._present: list[str] = []
        self._reports: dict[str, Report] = {}
        self._rejects: dict[str, Reject] = {}

    @abstractmethod
    async def _find(self, position: Position) -> Found:
        """Look at the source, given the position of the last commit.

        Raises:
            SourceError: It cannot be read.
        """

    async def poll(self) -> list[Report]:
        """Return every report that is new since the last commit, oldest find first.

        Raises:
            SourceError: The source could not be read; what it carries is unknown.
        """
        cursor = await self._opened()
        found = await self._find(cursor.position)
        if not found.is_unchanged:
            self._present = [_key(item) for item in found.items]
        for item in found.items:
            key = _key(item)
            if key in cursor:
                continue
            if isinstance(item, Reject):
                self._rejects.setdefault(key, item)
            else:
                self._reports.setdefault(key, item)
        self._found = found
        self.rejects = tuple(self._rejects.values())
        return list(self._reports.values())

    async def commit(self) -> None:
        """Record that all reports and rejects of the last poll were stored for good.

        Raises:
            SourceError: The cursor could not be written; the next commit tries again.
        """
        if self._found is None:
            return
        cursor = await self._opened()
        cursor.advance([*self._reports, *self._rejects], self._present, self._found.position)
        self._reports.clear()
        self._rejects.clear()
        self.rejects = ()
        await asyncio.to_thread(cursor.save)

    async def _opened(self) -> Cursor:
        if self._cursor is None:
            cursor = Cursor(self._runtime.state / f"{self.name}.cursor.json")
            await asyncio.to_thread(cursor.load)
            self._cursor = cursor
        return self._cursor


def _key(item: Report | Reject) -> str:
    return item.key if isinstance(item, Reject) else item.id
