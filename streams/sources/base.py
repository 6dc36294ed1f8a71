"""What every source has in common: its protocol, its errors, its ids and its cursor.

A source pulls reports in. It stamps `seen_at` from an injected clock, gives each item an id that
is a function of the item alone, and remembers what was stored as a set of ids, never as a date.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal, Protocol, runtime_checkable

import msgspec
import structlog

from detectors.records import Report

#: Returns the present moment, with a zone. Sources know no other clock.
Clock = Callable[[], datetime]

#: Why an item was refused: a closed list, fit for a metric's label.
RejectReason = Literal[
    "bad_csv", "bad_interval", "bad_time", "bad_value", "broken_item", "broken_xml", "empty_item",
    "interval_too_long", "invalid_record", "line_too_long", "missing_time", "missing_value",
    "not_json", "not_utf8", "unmapped_value", "wrong_columns",
]  # fmt: skip

#: What of a refused item is kept; a dead letter has to fit into one Kafka message.
RAW_LIMIT: Final = 64 * 1024

_TITLE_LIMIT: Final = 2_000
_TEXT_LIMIT: Final = 200_000
_CURSOR_VERSION: Final = 1
_UNSTORABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

_log = structlog.get_logger(__name__)
_validating_decoder = msgspec.json.Decoder(Report)


class SourceError(Exception):
    """A poll failed as a whole, so nothing can be said about what the source carries.

    Attributes:
        reason: A short code from a small set, such as `timeout` or `http_503`.
        retry_after: Seconds the far end asked us to wait, or None.
        detail: What happened, for people.
    """

    def __init__(self, reason: str, retry_after: float | None = None, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.retry_after = retry_after
        self.detail = detail


class RowError(ValueError):
    """One item cannot become a report; its reader turns this into a `Reject`."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: RejectReason = reason
        self.detail = detail


class Reject(msgspec.Struct, frozen=True):
    """One item that could not become a report: its bytes (up to 64 KiB) and why."""

    raw: bytes
    reason: RejectReason
    detail: str
    line: int | None = None  # 1-based, in a file

    @property
    def key(self) -> str:
        """Identify the refused bytes, so that one bad item makes one dead letter."""
        return stable_id("reject", self.reason, self.raw.hex())


class Source(Protocol):
    """Something that is polled for reports.

    Attributes:
        name: The source id, carried by every report and heartbeat.
        interval: Seconds between two polls.
        rejects: Items that the last poll refused and that were not committed yet.
    """

    name: str
    interval: float
    rejects: tuple[Reject, ...]

    async def poll(self) -> list[Report]:
        """Return every report that is new since the last commit, oldest find first.

        Raises:
            SourceError: The source could not be read; what it carries is unknown.
        """

    async def commit(self) -> None:
        """Record that all reports and rejects of the last poll were stored for good.

        Raises:
            SourceError: The cursor could not be written; the reports will come again.
        """


@runtime_checkable
class Replayable(Protocol):
    """A source whose recorded files can be read without polling."""

    def read(self, path: Path) -> Iterator[Report | Reject]:
        """Yield what a recorded file holds, in the order of the file.

        Raises:
            SourceError: The file cannot be read, or is of another kind.
        """


def stable_id(source: str, *parts: str) -> str:
    """Return an id that depends on nothing but its arguments: `source:` and 128 bits in hex.

    >>> stable_id("demo", "a", "bc") == stable_id("demo", "ab", "c")
    False
    """
    packed = json.dumps(parts, ensure_ascii=True).encode("ascii")
    return f"{source}:{blake2b(packed, digest_size=16).hexdigest()}"


def clean(text: str) -> str:
    """Drop what no store can hold (lone surrogates, control characters) and outer blanks."""
    return _UNSTORABLE.sub("", text).strip()


def clip(text: str, limit: Literal["title", "text"]) -> str:
    """Clean a text and cut it to what a report's title or text may hold."""
    return clean(text)[: _TITLE_LIMIT if limit == "title" else _TEXT_LIMIT]


def validated(report: Report) -> Report:
    """Return the report as it will be read from the wire.

    Raises:
        RowError: It breaks a constraint of the record's schema (`invalid_record`).
    """
    try:
        return _validating_decoder.decode(msgspec.json.encode(report))
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise RowError("invalid_record", str(error)) from error


class Cursor:
    """The ids that were stored, in the order in which they were last seen, bounded, on disk.

    Ids that the feed still carries are never dropped, however many they are: dropping one would
    make an old item new. `position` is a source's own note (validators, a byte offset).
    """

    def __init__(self, path: Path, limit: int = 20_000) -> None:
        self.position: dict[str, str | int] = {}
        self._path = path
        self._limit = limit
        self._ids: dict[str, None] = {}
        self._is_dirty = False

    def __contains__(self, item: object) -> bool:
        """Whether an id was stored before."""
        return item in self._ids

    def __len__(self) -> int:
        """Count the remembered ids."""
        return len(self._ids)

    def load(self) -> None:
        """Read the cursor from its file; a missing one is empty.

        A file that cannot be understood is set aside and an empty cursor is used: items come
        again under their old ids, which loses nothing.

        Raises:
            SourceError: The file exists but cannot be read (`cursor_unreadable`).
        """
        try:
            content = json.loads(self._path.read_bytes())
            if content["version"] != _CURSOR_VERSION:
                raise ValueError(f"version {content['version']}")
            self._ids = dict.fromkeys(map(str, content["ids"]))
            self.position = dict(content["position"])
        except FileNotFoundError:
            return
        except OSError as error:
            raise SourceError("cursor_unreadable", detail=str(error)) from error
        except (ValueError, KeyError, TypeError) as error:
            aside = self._path.with_suffix(".damaged")
            self._path.replace(aside)
            _log.warning("cursor_set_aside", file=str(aside), error=str(error))

    def advance(
        self, stored: Iterable[str], present: Iterable[str], position: dict[str, str | int]
    ) -> None:
        """Remember the stored ids, keep those still present, and forget the oldest others."""
        before = len(self._ids)
        kept = list(present)
        for item in (*stored, *kept):
            self._is_dirty |= item not in self._ids
            self._ids.pop(item, None)
            self._ids[item] = None
        # Those still present are the newest now, so the oldest can go without looking.
        surplus = len(self._ids) - max(self._limit, len(set(kept)))
        for item in list(self._ids)[: max(surplus, 0)]:
            del self._ids[item]
        self._is_dirty |= len(self._ids) != before or position != self.position
        self.position = dict(position)

    def save(self) -> None:
        """Write the cursor so that a crash leaves either the old file or the new one.

        Raises:
            SourceError: It cannot be written (`cursor_unwritable`); the next save tries again.
        """
        if not self._is_dirty:
            return
        content = {
            "version": _CURSOR_VERSION,
            "ids": list(self._ids),
            "position": self.position,
        }
        try:
            _write_atomically(self._path, json.dumps(content).encode("utf-8"))
        except OSError as error:
            raise SourceError("cursor_unwritable", detail=str(error)) from error
        self._is_dirty = False


def _write_atomically(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    # The rename itself must survive a power cut, and it is the folder that holds it.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
