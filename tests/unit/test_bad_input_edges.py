"""One bad report, row, item or line costs itself and nothing beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from detectors.coding import Coded, code
from detectors.intake import Intake, IntakeState
from detectors.records import Event, Report, Tick
from detectors.timegrid import Grid, seconds
from streams import topics
from streams.agents.code import CodeCore
from streams.agents.deadletters import headers_of
from streams.codecs import LARGEST_BYTES, REASONS, encode
from streams.metrics import build_metrics
from streams.sources import Reject, SourceConfig, replayer
from streams.sources.fetch import Fetched, Validators
from streams.sources.rss import parse
from tests.filled_store import tocsin

NOW = datetime(2020, 3, 4, 12, tzinfo=UTC)
TITLE = "A blast killed 12 people in Kandahar on Tuesday."


def told(id: str, title: str = TITLE, **fields: Any) -> Report:
    return Report(id, "wire", NOW, title, **fields)


# The stage


class Defect(Exception):
    """What no report should bring to light."""


def failing(reports: Sequence[Report]) -> list[Coded]:
    """Code reports as ever, but with a defect that one kind of report meets with."""
    if any("poison" in report.text for report in reports):
        raise Defect("x" * 10_000)
    return code(reports)


BATCH = [told("a"), told("b", text="poison"), told("c"), told("d", text="poison"), told("e")]


def test_a_report_that_cannot_be_coded_costs_none_of_the_others() -> None:
    state = IntakeState()
    found = Intake(Grid(), coder=failing).take(state, enumerate(BATCH))
    assert {event.report for event in found.events} == {"a", "c", "e"}
    assert [(each.offset, each.report) for each in found.failed] == [(1, "b"), (3, "d")]
    assert all(each.error.startswith("Defect('xxx") for each in found.failed)
    assert all(len(each.error) <= 300 for each in found.failed)
    assert found.outcomes == {"coded": 3, "failed": 2}
    assert (state.offset, found.time) == (4, seconds(NOW))


def test_a_report_that_cannot_be_coded_counts_as_seen() -> None:
    records = [*BATCH[:2], Tick(0, 1, NOW + timedelta(hours=1))]
    found = Intake(Grid(), coder=failing).take(IntakeState(), enumerate(records))
    assert [health.seen for health in found.health] == [2]


def test_batches_that_fail_and_batches_that_do_not_give_the_same() -> None:
    whole = Intake(Grid(), coder=failing).take(IntakeState(), enumerate(BATCH))
    state = IntakeState()
    parts = [
        Intake(Grid(), coder=failing).take(state, [(n, report)]) for n, report in enumerate(BATCH)
    ]
    assert whole.events == [event for part in parts for event in part.events]
    assert whole.failed == [failure for part in parts for failure in part.failed]


def test_when_memory_runs_out_no_report_is_to_blame() -> None:
    def exhausted(reports: Sequence[Report]) -> list[Coded]:
        raise MemoryError

    with pytest.raises(MemoryError):
        Intake(Grid(), coder=exhausted).take(IntakeState(), enumerate(BATCH))


class Raw(NamedTuple):
    """A record as Kafka hands it over."""

    offset: int
    key: bytes | None
    value: bytes


def _core(coder: Callable[[Sequence[Report]], list[Coded]]) -> tuple[CodeCore, CollectorRegistry]:
    registry = CollectorRegistry()
    intake = Intake(Grid(), coder=coder)
    layout = topics.Layout()
    return CodeCore(0, layout, intake, build_metrics(registry), lambda: NOW), registry


def _taken(core: CodeCore, values: Sequence[bytes]) -> tuple[set[str], dict[int, dict[str, str]]]:
    """Return the reports that events came from, and the headers of dead letters by offset."""
    outputs = core.take([Raw(n, b"wire", value) for n, value in enumerate(values)])
    layout = topics.Layout()
    events = [
        msgspec.json.decode(output.value, type=Event | Tick)
        for output in outputs
        if output.topic == layout.name(topics.EVENTS)
    ]
    letters = {}
    for output in outputs:
        if output.topic == layout.name(topics.DEAD_LETTERS):
            headers = headers_of(output.headers)
            letters[int(headers["offset"])] = headers
            assert output.value == values[int(headers["offset"])]
    return {event.report for event in events if isinstance(event, Event)}, letters


def test_what_cannot_be_coded_goes_to_the_dead_letters() -> None:
    core, registry = _core(failing)
    reports, letters = _taken(core, [encode(report) for report in BATCH])
    assert reports == {"a", "c", "e"}
    assert {offset: headers["reason"] for offset, headers in letters.items()} == {
        1: "coding_failed",
        3: "coding_failed",
    }
    assert letters[1]["detail"].startswith("b: Defect(")
    assert letters[1]["stage"] == "code"
    assert "coding_failed" in REASONS
    counted = registry.get_sample_value("tocsin_dead_letters_total", {"reason": "coding_failed"})
    assert counted == 2
    failed = registry.get_sample_value("tocsin_reports_coded_total", {"outcome": "failed"})
    assert failed == 2


BAD_RECORDS = {
    "5 MB": (encode(told("x", text="a" * 5_000_000)), "too_large"),
    "a text over the limit": (encode(told("x", text="a" * 200_001)), "wrong_type"),
    "a title over the limit": (encode(told("x", "a" * 2_001)), "wrong_type"),
    "bytes that are not UTF-8": (
        encode(told("x")).replace(b"blast", b"bl\xff\xfest"),
        "invalid_utf8",
    ),
    "half a surrogate pair": (encode(told("x")).replace(b"blast", rb"\ud83d"), "broken_json"),
    "nested too deeply": (b'{"type":' * 100_000, "wrong_type"),
    "a list": (b"[]", "wrong_type"),
    "13th month": (encode(told("x")).replace(b"2020-03", b"2020-13"), "wrong_type"),
    "1970": (encode(told("x")).replace(b"2020-03", b"1970-03"), "time_too_old"),
    "2100": (encode(told("x")).replace(b"2020-03", b"2100-03"), "time_in_future"),
    "the year 0": (encode(told("x")).replace(b"2020-03", b"0000-03"), "wrong_type"),
}


def test_bad_records_cost_themselves() -> None:
    core, _ = _core(code)
    good = encode(told("good"))
    values = [value for bad, _ in BAD_RECORDS.values() for value in (bad, good)]
    reports, letters = _taken(core, values)
    assert reports == {"good"}
    reasons = [letters[2 * n]["reason"] for n in range(len(BAD_RECORDS))]
    assert reasons == [reason for _, reason in BAD_RECORDS.values()]


def test_the_largest_report_is_coded() -> None:
    core, _ = _core(code)
    value = encode(told("x" * 200, TITLE.ljust(2_000, "."), text="\x00" * 100_000))
    assert len(value) <= LARGEST_BYTES
    reports, letters = _taken(core, [value])
    assert (reports, letters) == ({"x" * 200}, {})


# Files

GOOD = {
    "title": TITLE,
    "text": "more",
    "at": "2020-03-04T12:00:00Z",
    "day": "2020-03-03",
    "dead": 3,
}
MAPPING = {
    "title": "title",
    "text": "text",
    "seen_at": "at",
    "record": {"event": {"const": "ASSAULT"}, "start": "day", "killed": {"best": "dead"}},
}


def _json(**fields: object) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


#: A foreign line of JSON -> the reason it is refused for, None where it becomes a report.
JSON_LINES: dict[str, tuple[bytes, str | None]] = {
    "a list": (b"[1, 2]", "invalid_record"),
    "a number": (b"3", "invalid_record"),
    "a text": (b'"killed"', "invalid_record"),
    "null": (b"null", "invalid_record"),
    "lists in lists": (b"[" * 100_000, None),
    "objects in objects": (b'{"title":' * 100_000, "invalid_record"),
    "half a row": (_json()[:-9], "not_json"),
    "not UTF-8": (b'{"title": "\xff\xfe"}', "not_utf8"),
    "half a surrogate pair": (rb'{"title": "\ud800"}', "not_json"),
    "a byte-order mark": (b"\xef\xbb\xbf" + _json(), None),
    "control characters": (_json(title="\x00\x1b" + TITLE), None),
    "3 MB": (_json(text="x" * 3_000_000), None),
    "5 MB": (_json(text="x" * 5_000_000), "line_too_long"),
    "a title of 9,000 characters": (_json(title="x" * 9_000), None),
    "a number of 100,000 digits": (_json().replace(b"3}", b"9" * 100_000 + b"}"), "not_json"),
    "such a number as a text": (_json(dead="9" * 100_000), "bad_value"),
    "no number": (_json(dead="nan"), "bad_value"),
    "less than none": (_json(dead=-1), "bad_value"),
    "30 February": (_json(day="2020-02-30"), "bad_time"),
    "the year 0": (_json(day="0000-01-01"), "bad_time"),
    "the last day there is": (_json(day="9999-12-31", at="2020-01-01"), "bad_time"),
    "before the calendar": (_json(at="0001-01-01T00:00:00+23:59"), "bad_time"),
    "after the calendar": (_json(at="9999-12-31T23:59:59-23:59"), "bad_time"),
    "nothing at all": (_json(title="\x00", text=" "), None),
}  # fmt: skip


def _read(kind: str, path: Path, **config: Any) -> Iterator[Report | Reject]:
    return replayer(SourceConfig(kind=kind, name="rows", path=path, **config)).read(path)


def _reasons(items: Sequence[Report | Reject]) -> list[str | None]:
    return [item.reason if isinstance(item, Reject) else None for item in items]


@pytest.mark.parametrize("own", [False, True], ids=["foreign", "own"])
def test_a_bad_line_of_json_costs_itself(tmp_path: Path, own: bool) -> None:
    path = tmp_path / "rows.jsonl"
    good = encode(told("good")) if own else _json()
    path.write_bytes(b"\n".join(part for bad, _ in JSON_LINES.values() for part in (bad, good)))
    items = list(_read("jsonl", path, **({} if own else {"mapping": MAPPING})))
    assert len(items) == 2 * len(JSON_LINES)
    assert _reasons(items[1::2]) == [None] * len(JSON_LINES)
    if own:
        assert None not in _reasons(items[::2])
        return
    found = dict(zip(JSON_LINES, _reasons(items[::2]), strict=True))
    assert found.pop("lists in lists") in ("not_json", "invalid_record")
    assert found == {name: why for name, (_, why) in JSON_LINES.items() if name in found}
    for item in items:
        if isinstance(item, Report):
            assert len(item.title) <= 2_000
            assert len(item.text) <= 200_000
            assert "\x00" not in item.title + item.text
            assert code([item])[0]


def _csv(**fields: str) -> bytes:
    return ",".join(
        '"{}"'.format(str(each).replace('"', '""')) for each in {**GOOD, **fields}.values()
    ).encode("utf-8", "surrogatepass")


CSV_ROWS: dict[str, tuple[bytes, str | None]] = {
    "a text of 3 MB": (_csv(text="x" * 3_000_000), None),
    "a text of 5 MB": (_csv(text="x" * 5_000_000), "line_too_long"),
    "NUL": (_csv(title="\x00" + TITLE), None),
    "half a surrogate pair": (_csv(title="\ud800"), "not_utf8"),
    "not UTF-8": (b"\xff\xfe,,,,", "not_utf8"),
    "too few cells": (b"a,b", "wrong_columns"),
    "after the calendar": (_csv(at="9999-12-31T23:59:59-23:59"), "bad_time"),
    "13th month": (_csv(day="1399-13-45"), "bad_time"),
    "a number of 100,000 digits": (_csv(dead="9" * 100_000), "bad_value"),
    "Arabic digits": (_csv(dead="٣"), None),
    "a cell that is never closed": (b'"open,1', "bad_csv"),
}


def test_a_bad_row_of_a_table_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = [part for bad, _ in CSV_ROWS.values() for part in (bad, _csv())]
    path.write_bytes(b"\n".join([b"\xef\xbb\xbf" + ",".join(GOOD).encode(), *rows]))
    items = list(_read("csv", path, mapping=MAPPING))
    assert _reasons(items[1::2]) == [None] * len(CSV_ROWS)
    assert _reasons(items[::2]) == [why for _, why in CSV_ROWS.values()]


# Feeds

HOSTILE = [
    "<",
    "<!--",
    "<a ",
    "</",
    "&",
    "&#9",
    "<![CDATA[",
    '<a b="',
    "<a b='\"",
    "<script>",
    "<p>",
]


def _feed(*texts: str) -> Fetched:
    items = "".join(
        f"<item><guid>{n}</guid><title>{TITLE}</title><description>{escape(text)}</description></item>"
        for n, text in enumerate(texts)
    )
    body = f'<rss version="2.0"><channel><title>F</title>{items}</channel></rss>'.encode()
    url = "https://example.org/f"
    return Fetched("fresh", url, body, "text/xml", Validators(url))


def _parsed(*texts: str) -> list[Report | Reject]:
    return parse(
        _feed(*texts), SourceConfig(kind="rss", name="f", url="https://example.org/f"), NOW
    )


@pytest.mark.parametrize("unit", HOSTILE)
def test_markup_of_a_feed_is_read_in_time_that_grows_with_it(unit: str) -> None:
    def work(times: int) -> float:
        begun = process_time()
        (report,) = _parsed(unit * times)
        assert isinstance(report, Report)
        assert code([report])[0].outcome == "coded"
        return process_time() - begun

    work(10)
    assert any(work(20_000) / work(10_000) < 3.5 for _ in range(4))


def test_an_item_with_an_impossible_character_costs_nothing() -> None:
    items = _parsed("&#" + "9" * 9_000 + ";", "&#xd800; &#0; <b>12</b> &amp; <!-- no --> more")
    first, second = items
    assert isinstance(first, Report)
    assert isinstance(second, Report)
    assert "12 & more" in second.text
    assert not any("\ud800" <= char <= "\udfff" for char in second.text)


# The command


def test_a_bad_line_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    lines = [
        b"\xef\xbb\xbf" + encode(told("a")),
        b"[1]",
        b"\xff",
        encode(told("b")),
        b"[" * 100_000,
    ]
    path.write_bytes(b"\n".join(lines))
    found = tocsin("code", "--file", str(path), "--json")
    assert found.exit_code == 2
    assert [each["report"] for each in json.loads(found.stdout)] == ["a", "b"]
    for told_of in ("line 2", "wrong_type", "line 3", "invalid_utf8", "line 5"):
        assert told_of in found.stderr


@pytest.mark.parametrize("json_", [True, False])
def test_bytes_of_the_shell_that_are_not_utf_8_are_replaced(json_: bool) -> None:
    command = "from streams.cli import main; main()"
    arguments = [sys.executable, "-c", command, "code", *(["--json"] if json_ else [])]
    done = subprocess.run(
        [*(each.encode() for each in arguments), b"bl\xff " + TITLE.encode()],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "AF-KAN" in done.stdout.decode("utf-8")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("9" * 100_000, id="digits"),
        pytest.param(TITLE * 100_000, id="5 MB"),
        pytest.param("\x1b[31m\x00\u202e" + TITLE, id="controls"),
        pytest.param("\ud800" + TITLE, id="half a surrogate pair"),
    ],
)
def test_whatever_is_typed_is_answered(text: str) -> None:
    found = tocsin("code", text)
    assert found.exit_code == 0, found.stderr
    assert "\x1b" not in found.stdout


@pytest.mark.parametrize("on", ["0001-01-01", "1969-12-31", "9999-12-31", "2020-02-30"])
def test_a_day_that_cannot_be_is_refused(on: str) -> None:
    found = tocsin("code", "--on", on, TITLE)
    assert found.exit_code == 2
    assert on in found.stderr
