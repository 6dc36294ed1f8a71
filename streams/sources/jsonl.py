"""JSON lines: Tocsin's own report records as they were exported, or foreign objects with a mapping.

Own records keep their id, source and `seen_at`. Foreign objects are stamped when they are polled;
in replay the mapping must say which of their fields tells when they were first seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

import msgspec

from detectors.records import Report
from streams.sources.base import RAW_LIMIT, Reject, RejectReason, RowError
from streams.sources.config import Runtime, SourceConfig
from streams.sources.files import FileSource, Line, Outcome, lines, reject_long
from streams.sources.mapping import Origin, to_report


class JsonLinesSource(FileSource):
    """A file with one JSON object on each line."""

    def __init__(self, config: SourceConfig, runtime: Runtime) -> None:
        """Check that the configuration names a file.

        Raises:
            SourceConfigError: `path` is missing, or a key means nothing to JSON lines.
        """
        config.require("path", allowed=("mapping",))
        super().__init__(config, runtime)
        self._origin = Origin(
            source=config.name, publisher=config.publisher, language=config.language
        )
        self._own = msgspec.json.Decoder(Report)
        self._foreign = msgspec.json.Decoder(dict[str, object])

    def _rows(
        self, handle: BinaryIO, start: tuple[int, int], seen_at: datetime | None, is_final: bool
    ) -> Iterator[Outcome]:
        offset, number = start
        handle.seek(offset)
        for line in lines(handle, number, is_final):
            yield Outcome(self._item(line, seen_at), line.end, line.number + 1)

    def _item(self, line: Line, seen_at: datetime | None) -> Report | Reject | None:
        if not line.is_whole:
            return reject_long(line)
        raw = line.raw.removeprefix(b"\xef\xbb\xbf").strip()
        if not raw:
            return None
        reason: RejectReason
        try:
            return self._report(raw, seen_at)
        except RowError as error:
            reason, detail = error.reason, error.detail
        except UnicodeDecodeError as error:
            reason, detail = "not_utf8", str(error)
        except RecursionError:
            reason, detail = "invalid_record", "nested too deeply"
        except msgspec.ValidationError as error:
            reason, detail = "invalid_record" if _is_json(raw) else "not_json", str(error)
        except msgspec.DecodeError as error:
            reason, detail = "not_json", str(error)
        return Reject(line.raw[:RAW_LIMIT], reason, detail, line.number)

    def _report(self, raw: bytes, seen_at: datetime | None) -> Report:
        raw.decode("utf-8")  # msgspec reports bad UTF-8 as bad JSON, which it is not
        mapping = self._config.mapping
        if mapping is None:
            return self._own.decode(raw)
        return to_report(self._foreign.decode(raw), mapping, self._origin, seen_at)


def _is_json(raw: bytes) -> bool:
    """Tell a row of another shape from a line that breaks off after an unknown field."""
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
