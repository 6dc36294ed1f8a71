"""Files of rows: read whole for replay, or followed while they grow.

Only complete lines are read, so a row that is still being written waits for the next poll. A file
that was cut or replaced is read again from its start; known ids make that harmless.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from detectors.records import Report
from streams.sources.base import RAW_LIMIT, Reject, SourceError
from streams.sources.polling import Found, PollingSource, Position

#: Rows that one poll hands out; the rest follows with the next poll.
ROWS_PER_POLL: Final = 10_000

#: Bytes of a row in a file.
LINE_LIMIT: Final = 4 * 1024 * 1024
_HEAD: Final = 1024


class Line(NamedTuple):
    """One physical line: its bytes without the line end, its number, and where it ends."""

    raw: bytes
    number: int
    end: int
    is_whole: bool = True  # False: longer than the limit, and cut


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row, and where the next one starts."""

    item: Report | Reject | None  # None: passed over on purpose
    end: int
    next_line: int


def lines(handle: BinaryIO, number: int, is_final: bool) -> Iterator[Line]:
    """Yield the lines from the handle's position on.

    Args:
        handle: An open file, or bytes in memory.
        number: Of the first line.
        is_final: Whether a last line without a line end is complete.
    """
    end = handle.tell()
    while raw := handle.readline(LINE_LIMIT):
        end += len(raw)
        is_whole = True
        tail = raw
        while tail and not tail.endswith(b"\n") and len(tail) == LINE_LIMIT:
            is_whole = False
            tail = handle.readline(LINE_LIMIT)
            end += len(tail)
        if not tail.endswith(b"\n") and not is_final:
            return
        yield Line(raw.rstrip(b"\r\n"), number, end, is_whole)
        number += 1


def reject_long(line: Line) -> Reject:
    """Return the refusal of a line that is longer than any row may be (4 MiB)."""
    return Reject(line.raw[:RAW_LIMIT], "line_too_long", f"over {LINE_LIMIT} bytes", line.number)


class FileSource(PollingSource):
    """A source that reads rows from a growing file. A subclass says what a row is."""

    @abstractmethod
    def _rows(
        self, handle: BinaryIO, start: tuple[int, int], seen_at: datetime | None, is_final: bool
    ) -> Iterator[Outcome]:
        """Yield what becomes of each row.

        Args:
            handle: The open file.
            start: The byte offset and the line number of the first row to read.
            seen_at: The moment of a live poll, or None in replay.
            is_final: Whether the file is complete.

        Raises:
            SourceError: The file is of another kind.
        """

    def read(self, path: Path) -> Iterator[Report | Reject]:
        """Yield what a recorded file holds, in the order of the file.

        The caller sorts by `seen_at` where it replays.

        Raises:
            SourceError: The file cannot be read, or is of another kind.
        """
        with _opened(path) as handle:
            for outcome in self._rows(handle, (0, 1), None, is_final=True):
                if outcome.item is not None:
                    yield outcome.item

    async def _find(self, position: Position) -> Found:
        return await asyncio.to_thread(self._scan, position, self._runtime.clock())

    def _scan(self, position: Position, now: datetime) -> Found:
        path = self._config.path or Path()
        with _opened(path) as handle:
            offset, line = _resume(handle, position)
            outcomes = self._rows(handle, (offset, line), now, is_final=False)
            items: list[Report | Reject] = []
            for outcome in islice(outcomes, ROWS_PER_POLL):
                offset, line = outcome.end, outcome.next_line
                if outcome.item is not None:
                    items.append(outcome.item)
            handle.seek(0)
            size = min(offset, _HEAD)
            head = _digest(handle.read(size))
        return Found(items, {"offset": offset, "line": line, "head": head})


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise SourceError("file_missing", detail=str(path)) from error
    except OSError as error:
        raise SourceError("file_unreadable", detail=str(error)) from error


def _resume(handle: BinaryIO, position: Position) -> tuple[int, int]:
    """Return where to go on, or the start where this is not the file that was read before."""
    offset = int(position.get("offset", 0))
    size = handle.seek(0, 2)
    handle.seek(0)
    head = _digest(handle.read(min(offset, _HEAD)))
    handle.seek(0)
    if offset > size or head != position.get("head"):
        return 0, 1
    return offset, int(position.get("line", 1))


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()
