"""JSON lines and CSV: growing files, replay, and rows that cannot be read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.records import Report
from streams.sources import (
    Fetcher,
    Reject,
    Replayable,
    Runtime,
    Source,
    SourceConfigError,
    SourceError,
    build,
)
from streams.sources.base import RAW_LIMIT
from streams.sources.files import lines
from streams.sources.tables import table_rows
from tests.feed_server import FakeClock

MAPPING = {"id": "key", "title": "head.line", "seen_at": "first", "published_at": "out"}
TABLE = {"title": "title", "seen_at": "seen"}


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    clock = FakeClock()
    async with Fetcher(clock) as fetcher:
        yield Runtime(clock, fetcher, tmp_path / "state")


def own(name: str) -> Report:
    return Report(name, "elsewhere", datetime(2024, 1, 1, tzinfo=UTC), f"title of {name}")


def own_lines(*names: str) -> bytes:
    return b"".join(msgspec.json.encode(own(name)) + b"\n" for name in names)


def jsonl(runtime: Runtime, path: Path, **extra: Any) -> Source:
    return build({"kind": "jsonl", "name": "demo", "path": path, **extra}, runtime)


def table(runtime: Runtime, path: Path, **extra: Any) -> Source:
    settings = {"kind": "csv", "name": "demo", "path": path, "mapping": TABLE, **extra}
    return build(settings, runtime)


def replayed(source: Source, path: Path) -> list[Report | Reject]:
    assert isinstance(source, Replayable)
    return list(source.read(path))


def told(items: list[Report | Reject]) -> list[str]:
    return [item.reason if isinstance(item, Reject) else item.title for item in items]


async def stored(source: Source) -> list[str]:
    titles = [report.title for report in await source.poll()]
    await source.commit()
    return titles


async def test_own_records_come_back_as_they_were(tmp_path: Path, runtime: Runtime) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(own_lines("a", "b"))
    source = jsonl(runtime, path)
    assert await source.poll() == [own("a"), own("b")]
    assert replayed(source, path) == [own("a"), own("b")]


async def test_a_growing_file_gives_each_row_once(tmp_path: Path, runtime: Runtime) -> None:
    path = tmp_path / "grows.jsonl"
    path.write_bytes(own_lines("a"))
    source = jsonl(runtime, path)
    assert await stored(source) == ["title of a"]
    assert await stored(source) == []
    with path.open("ab") as handle:
        handle.write(own_lines("b", "c")[:-5])
    assert await stored(source) == ["title of b"]
    with path.open("ab") as handle:
        handle.write(own_lines("c")[-5:])
    assert await stored(jsonl(runtime, path)) == ["title of c"]  # a new process


async def test_a_file_that_was_replaced_is_read_from_its_start(
    tmp_path: Path, runtime: Runtime
) -> None:
    path = tmp_path / "rotates.jsonl"
    source = jsonl(runtime, path)
    path.write_bytes(own_lines("a", "b"))
    assert await stored(source) == ["title of a", "title of b"]
    path.write_bytes(own_lines("c"))
    assert await stored(source) == ["title of c"]
    path.write_bytes(own_lines("e", "c", "d"))
    assert await stored(source) == ["title of e", "title of d"]


async def test_a_missing_file_is_a_fault(tmp_path: Path, runtime: Runtime) -> None:
    source = jsonl(runtime, tmp_path / "none.jsonl")
    with pytest.raises(SourceError, match="file_missing"):
        await source.poll()
    with pytest.raises(SourceError, match="file_missing"):
        replayed(source, tmp_path / "none.jsonl")


async def test_an_unreadable_line_costs_nothing_else(tmp_path: Path, runtime: Runtime) -> None:
    path = tmp_path / "bad.jsonl"
    bad = [
        b'{"cut": ',
        b"\xff\xfe\xfa",
        b'{"type": "event.v1"}',
        b'{"type": "report.v1", "id": "x"}',
        b"[1, 2]",
        b"",
    ]
    path.write_bytes(own_lines("a") + b"\n".join(bad) + b"\n" + own_lines("b"))
    source = jsonl(runtime, path)
    found = replayed(source, path)
    assert told(found) == [
        "title of a", "not_json", "not_utf8", "invalid_record", "invalid_record",
        "invalid_record", "title of b",
    ]  # fmt: skip
    rejects = [item for item in found if isinstance(item, Reject)]
    assert [item.raw for item in rejects] == bad[:-1]
    assert [item.line for item in rejects] == [2, 3, 4, 5, 6]
    assert [report.id for report in await source.poll()] == ["a", "b"]
    assert list(source.rejects) == rejects


async def test_an_endless_line_costs_nothing_else(tmp_path: Path, runtime: Runtime) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(own_lines("a") + b"x" * 9_000_000 + b"\n" + own_lines("b"))
    source = jsonl(runtime, path)
    assert [report.id for report in await source.poll()] == ["a", "b"]
    (reject,) = source.rejects
    assert (reject.reason, reject.line, len(reject.raw)) == ("line_too_long", 2, RAW_LIMIT)


@pytest.mark.parametrize(
    ("row", "seen_at"),
    [
        ({"first": "2025-02-10T00:41:19Z"}, datetime(2025, 2, 10, 0, 41, 19, tzinfo=UTC)),
        ({"first": "2025-02-10T05:11:19+04:30"}, datetime(2025, 2, 10, 0, 41, 19, tzinfo=UTC)),
        ({"first": "2025-02-10"}, datetime(2025, 2, 10, 23, 59, 59, tzinfo=UTC)),
        ({"out": "2025-02-09T12:00:00Z"}, datetime(2025, 2, 9, 12, tzinfo=UTC)),
        ({}, "missing_time"),
        ({"first": ""}, "missing_time"),
        ({"first": "2025-02-10T00:41:19"}, "bad_time"),
        ({"first": "lately"}, "bad_time"),
    ],
    ids=[
        "a moment is kept",
        "a moment is turned to UTC",
        "a day counts from its end",
        "the published moment stands in",
        "no time is no report",
        "a blank time is no report",
        "a time without a zone is refused",
        "a word is refused",
    ],
)
async def test_replay_never_invents_when_a_foreign_row_was_seen(
    tmp_path: Path, runtime: Runtime, row: dict[str, str], seen_at: datetime | str
) -> None:
    path = tmp_path / "foreign.jsonl"
    path.write_text(json.dumps({"head": {"line": "A"}, **row}) + "\n")
    (item,) = replayed(jsonl(runtime, path, mapping=MAPPING), path)
    assert (item.reason if isinstance(item, Reject) else item.seen_at) == seen_at


async def test_a_live_foreign_row_is_stamped_by_the_clock(tmp_path: Path, runtime: Runtime) -> None:
    path = tmp_path / "foreign.jsonl"
    rows = [{"head": {"line": "A"}}, {"head": {"line": "B"}, "first": "2020-01-01T00:00:00Z"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = jsonl(runtime, path, mapping=MAPPING)
    reports = await source.poll()
    assert [report.seen_at for report in reports] == [runtime.clock()] * 2
    recorded = [item.id for item in replayed(source, path) if isinstance(item, Report)]
    assert recorded == [reports[1].id]


async def test_an_edited_foreign_row_is_a_new_report(tmp_path: Path, runtime: Runtime) -> None:
    path = tmp_path / "foreign.jsonl"
    rows = [{"key": 7, "head": {"line": title}} for title in ("A", "A, corrected", "A")]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = jsonl(runtime, path, mapping=MAPPING)
    assert await stored(source) == ["A", "A, corrected"]


async def test_stamps_without_marks_are_read_by_their_format(
    tmp_path: Path, runtime: Runtime
) -> None:
    path = tmp_path / "foreign.jsonl"
    path.write_text('{"t": "خبر", "seen": 20250210004119}\n')
    seen = {"path": "seen", "format": "%Y%m%d%H%M%S", "timezone": "UTC"}
    source = jsonl(runtime, path, mapping={"title": "t", "seen_at": seen})
    (item,) = replayed(source, path)
    assert isinstance(item, Report)
    assert item.seen_at == datetime(2025, 2, 10, 0, 41, 19, tzinfo=UTC)


CSV_CASES = [
    pytest.param("A,2025-01-01\n", ["A"], id="a row is a report"),
    pytest.param('"A, B",2025-01-01\r\n', ["A, B"], id="a quoted cell may hold the delimiter"),
    pytest.param('"A ""B""",2025-01-01\n', ['A "B"'], id="a doubled quote is a quote"),
    pytest.param('"A\nB",2025-01-01\nC,2025-01-01', ["A\nB", "C"], id="a cell may hold lines"),
    pytest.param('5" A,2025-01-01\nB,2025-01-01\n', ['5" A', "B"], id="a quote inside is text"),
    pytest.param("A\nB,2025-01-01\n", ["wrong_columns", "B"], id="a short row is refused"),
    pytest.param("A,2025-01-01,x\n", ["wrong_columns"], id="a long row is refused"),
    pytest.param("A,\nB,2025-01-01\n", ["missing_time", "B"], id="a row without a time"),
    pytest.param("\n\nA,2025-01-01\n\n", ["A"], id="blank lines are nothing"),
    pytest.param(
        '"A,2025-01-01\nB,2025-01-01\nC,2025-01-01\n',
        ["bad_csv", "B", "C"],
        id="a quote that is never closed costs its own line only",
    ),
    pytest.param('"A"x,2025-01-01\nB,2025-01-01\n', ["bad_csv", "B"], id="text after a quote"),
]


@pytest.mark.parametrize(("rows", "outcome"), CSV_CASES)
async def test_tables_are_replayed_row_by_row(
    tmp_path: Path, runtime: Runtime, rows: str, outcome: list[str]
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("\ufefftitle,seen\n" + rows, newline="")
    assert told(replayed(table(runtime, path), path)) == outcome


async def test_bytes_that_are_no_text_cost_one_row(tmp_path: Path, runtime: Runtime) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"title,seen\n\xff\xfe,2025-01-01\nB,2025-01-01\n")
    first, second = replayed(table(runtime, path), path)
    assert told([first, second]) == ["not_utf8", "B"]
    assert isinstance(first, Reject)
    assert (first.line, first.raw) == (2, b"\xff\xfe,2025-01-01")


async def test_a_growing_table_waits_for_whole_rows(tmp_path: Path, runtime: Runtime) -> None:
    path = tmp_path / "table.csv"
    source = table(runtime, path, delimiter=";")
    parts = ["title;se", 'en\nA;\n"B', "\nb", '";\nC;', "\n"]
    path.write_text("")
    outcome = [await stored(source)]
    for part in parts:
        with path.open("a") as handle:
            handle.write(part)
        outcome.append(await stored(source))
    assert outcome == [[], [], ["A"], [], ["B\nb"], ["C"]]


@pytest.mark.parametrize("header", ["title,other\n", '"never closed\n'])
async def test_a_table_without_the_mapped_columns_is_a_fault(
    tmp_path: Path, runtime: Runtime, header: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(header + "A,2025-01-01\n")
    source = table(runtime, path)
    with pytest.raises(SourceError, match="not_a_table"):
        replayed(source, path)


@given(
    rows=st.lists(
        st.lists(st.text(alphabet='a",\n é', max_size=6), min_size=2, max_size=2), max_size=8
    )
)
def test_any_written_table_is_read_back(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    found = list(table_rows(lines(io.BytesIO(text.getvalue().encode()), 1, is_final=True)))
    assert [row.fault for row in found] == [None] * len(rows)
    assert [list(row.cells) for row in found] == rows


@pytest.mark.parametrize(
    ("mapping", "complaint"),
    [
        ({"title": "a", "titel": "b"}, "titel"),
        ({"text": "a"}, "title"),
        ({"title": {}}, "path or const"),
        ({"title": {"path": "a", "const": "b"}}, "path or const"),
        ({"title": {"path": "a", "timezone": "Kabul"}}, "Kabul"),
    ],
    ids=["a typing error", "no title", "neither", "both", "a zone by name"],
)
async def test_a_wrong_mapping_is_refused_at_once(
    tmp_path: Path, runtime: Runtime, mapping: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(SourceConfigError, match=complaint):
        jsonl(runtime, tmp_path / "x", mapping=mapping)
