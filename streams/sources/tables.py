"""CSV files with a header line, and a mapping that says which column is which field."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import BinaryIO, Final

from detectors.records import Report
from streams.sources.base import RAW_LIMIT, Reject, RejectReason, RowError, SourceError
from streams.sources.config import Runtime, SourceConfig
from streams.sources.files import LINE_LIMIT, FileSource, Line, Outcome, lines, reject_long
from streams.sources.mapping import FieldMapping, Origin, to_report

#: A quoted cell may run over lines; one that runs on longer was never meant to be quoted.
_LINES_PER_RECORD: Final = 200
_OPEN_QUOTE: Final = "unexpected end of data"
#: A cell may be as long as a line: what a report cannot hold of it is cut. The module's own limit
#: (131,072) would refuse texts that a report can hold.
csv.field_size_limit(LINE_LIMIT)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One record of a CSV file: its cells, or the reason why it has none."""

    raw: bytes
    line: int
    end: int
    next_line: int
    cells: tuple[str, ...] = ()
    fault: Reject | None = None

    def refuse(self, reason: RejectReason, detail: str) -> Reject:
        """Return the refusal of this row."""
        return Reject(self.raw[:RAW_LIMIT], reason, detail, self.line)


def table_rows(
    found: Iterator[Line], delimiter: str = ",", is_final: bool = True
) -> Iterator[TableRow]:
    """Split lines into CSV records (RFC 4180), whose quoted cells may run over several lines.

    A quote that is never closed costs its own line and no other: the lines after it are read
    again on their own.

    Args:
        found: The lines, from `streams.sources.files.lines`.
        delimiter: What stands between two cells.
        is_final: Whether a record that is still open at the end is broken, or still growing.
    """
    again: deque[Line] = deque()
    held: list[Line] = []
    while True:
        line = again.popleft() if again else next(found, None)
        if line is None and (not held or not is_final):
            return
        if line is not None:
            held.append(line)
            row = _joined(held, delimiter)
            if row is None and _may_go_on(held):
                continue
        else:
            row = None
        if row is None or (row.fault is not None and len(held) > 1):
            row = _broken(held[0])
            again.extendleft(reversed(held[1:]))
        held = []
        if row.raw.strip():
            yield row


def _may_go_on(held: Sequence[Line]) -> bool:
    """Return whether a cell that is still open may be meant to be quoted."""
    size = sum(len(line.raw) for line in held)
    return len(held) < _LINES_PER_RECORD and size < LINE_LIMIT


def _joined(held: Sequence[Line], delimiter: str) -> TableRow | None:
    """Return the record of these lines; None while a quoted cell is open."""
    raw = b"\n".join(line.raw for line in held)
    last = held[-1]
    row = TableRow(raw, held[0].number, last.end, last.number + 1)
    if not last.is_whole:
        return _faulty(row, reject_long(last))
    try:
        text = raw.decode("utf-8-sig" if held[0].number == 1 else "utf-8")
        cells = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except UnicodeDecodeError as error:
        return _faulty(row, row.refuse("not_utf8", str(error)))
    except csv.Error as error:
        if _OPEN_QUOTE in str(error):
            return None
        return _faulty(row, row.refuse("bad_csv", str(error)))
    return TableRow(raw, row.line, row.end, row.next_line, tuple(cells))


def _broken(line: Line) -> TableRow:
    row = TableRow(line.raw, line.number, line.end, line.number + 1)
    return _faulty(row, row.refuse("bad_csv", "a quoted cell is never closed"))


def _faulty(row: TableRow, fault: Reject) -> TableRow:
    return TableRow(row.raw, row.line, row.end, row.next_line, (), fault)


class CsvSource(FileSource):
    """A CSV file whose first line names its columns."""

    def __init__(self, config: SourceConfig, runtime: Runtime) -> None:
        """Check that the configuration names a file and a mapping.

        Raises:
            SourceConfigError: `path` or `mapping` is missing, or a key means nothing to a table.
        """
        config.require("path", "mapping", allowed=("delimiter",))
        super().__init__(config, runtime)
        self._origin = Origin(
            source=config.name, publisher=config.publisher, language=config.language
        )

    def _rows(
        self, handle: BinaryIO, start: tuple[int, int], seen_at: datetime | None, is_final: bool
    ) -> Iterator[Outcome]:
        mapping, delimiter = self._config.mapping, self._config.delimiter
        header = _header(handle, delimiter, is_final)
        if mapping is None or header is None:  # an empty file has nothing yet
            return
        _check_columns(header.cells, mapping)
        offset, number = max(start, (header.end, header.next_line))
        handle.seek(offset)
        for row in table_rows(lines(handle, number, is_final), delimiter, is_final):
            item = self._item(row, header.cells, mapping, seen_at)
            yield Outcome(item, row.end, row.next_line)

    def _item(
        self,
        row: TableRow,
        header: tuple[str, ...],
        mapping: FieldMapping,
        seen_at: datetime | None,
    ) -> Report | Reject:
        if row.fault is not None:
            return row.fault
        if len(row.cells) != len(header):
            return row.refuse("wrong_columns", f"{len(row.cells)} cells, {len(header)} columns")
        try:
            cells = dict(zip(header, row.cells, strict=True))
            return to_report(cells, mapping, self._origin, seen_at)
        except RowError as error:
            return row.refuse(error.reason, error.detail)


def _header(handle: BinaryIO, delimiter: str, is_final: bool) -> TableRow | None:
    handle.seek(0)
    for row in islice(table_rows(lines(handle, 1, is_final), delimiter, is_final), 1):
        if row.fault is not None:
            raise SourceError("not_a_table", detail=row.fault.detail)
        return row
    return None


def _check_columns(header: tuple[str, ...], mapping: FieldMapping) -> None:
    """Refuse a file that lacks a mapped column: every row would quietly lose a field."""
    missing = {path for path in _paths(mapping.model_dump()) if path not in header}
    if missing:
        named = ", ".join(sorted(missing))
        raise SourceError("not_a_table", detail=f"the header has no column {named}")


def _paths(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(path := value.get("path"), str):
            yield path
        for part in value.values():
            yield from _paths(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _paths(part)
