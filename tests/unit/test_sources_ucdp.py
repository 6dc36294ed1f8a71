"""UCDP files: every row a report, a counted row of another country, or a reject with a reason."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from detectors.records import Casualties, Interval, Report
from streams.sources import Fetcher, Reject, Runtime, SourceError, build
from streams.sources.ucdp import COLUMNS, UcdpSource
from tests.feed_server import FakeClock, feed_server, gives, gives_conditionally

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "ucdp"
CANDIDATE = SHARED / "candidate_2023_10_afg_pak.csv"
DERIVED = SHARED / "afg_2020_h1_events.csv"
needs_candidate = pytest.mark.skipif(not CANDIDATE.exists(), reason="no UCDP file beside us")
needs_derived = pytest.mark.skipif(not DERIVED.exists(), reason="no UCDP extract beside us")

#: An invented event: the form is UCDP's, the happening is not.
ROW = {
    **dict.fromkeys(COLUMNS, ""),
    "id": "1",
    "year": "2023",
    "type_of_violence": "1",
    "side_a": "Government of Afghanistan",
    "side_b": "IS",
    "source_office": "An Outlet",
    "source_date": "2023-10-04",
    "source_headline": "A headline that names Somebody",
    "source_original": "Somebody",
    "where_prec": "1",
    "where_coordinates": "Khost town",
    "where_description": "the house of Somebody",
    "adm_1": "Khost province",
    "adm_2": "Khost district",
    "country": "Afghanistan",
    "date_start": "2023-10-02 00:00:00.000",
    "date_end": "2023-10-03 00:00:00.000",
    "deaths_civilians": "1",
    "best": "3",
    "high": "5",
    "low": "2",
}


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    clock = FakeClock()
    async with Fetcher(clock) as fetcher:
        yield Runtime(clock, fetcher, tmp_path / "state")


def written(*rows: dict[str, str], header: bool = True, order: tuple[str, ...] = COLUMNS) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, order, extrasaction="ignore", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def ucdp(runtime: Runtime, path: Path, **extra: Any) -> UcdpSource:
    source = build({"kind": "ucdp", "name": "ucdp", "path": path, **extra}, runtime)
    assert isinstance(source, UcdpSource)
    return source


def read(runtime: Runtime, tmp_path: Path, text: str, **extra: Any) -> list[Report | Reject]:
    path = tmp_path / "ged.csv"
    path.write_text(text)
    return list(ucdp(runtime, path, **extra).read(path))


def read_one(runtime: Runtime, tmp_path: Path, **changed: str) -> Report | Reject:
    (item,) = read(runtime, tmp_path, written({**ROW, **changed}))
    return item


async def test_a_row_becomes_a_report_with_a_record(runtime: Runtime, tmp_path: Path) -> None:
    report = read_one(runtime, tmp_path)
    assert isinstance(report, Report)
    assert report.publisher == "An Outlet"
    assert report.published_at is None
    assert report.seen_at == datetime(2023, 10, 4, 23, 59, 59, tzinfo=UTC)
    assert report.title == (
        "State-based conflict between Government of Afghanistan and IS in Khost town, Khost, "
        "Afghanistan, 2023-10-02 to 2023-10-03: 3 killed (at least 2, at most 5)"
    )
    record = report.record
    assert record is not None
    assert (record.event, record.occurred) == (
        "ASSAULT",
        Interval(date(2023, 10, 2), date(2023, 10, 3)),
    )
    assert (record.country, record.admin1, record.place, record.precision) == (
        "AFG", "AF-KHO", "Khost town", "town",
    )  # fmt: skip
    assert record.actors == ("Government of Afghanistan", "IS")
    assert (record.killed, record.civilians_killed) == (Casualties(2, 3, 5), Casualties(1, 1, 1))
    assert "Somebody" not in repr(report)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"where_prec": "2"}, ("AF-KHO", "Khost town", "town")),
        ({"where_prec": "3"}, ("AF-KHO", "Khost town", "district")),
        ({"where_prec": "3", "where_coordinates": ""}, ("AF-KHO", "Khost district", "district")),
        ({"where_prec": "4"}, ("AF-KHO", None, "admin1")),
        ({"where_prec": "5"}, ("AF-KHO", None, "admin1")),
        ({"where_prec": "5", "adm_1": ""}, (None, None, "country")),
        ({"where_prec": "6"}, (None, None, "country")),
        ({"where_prec": "7"}, (None, None, "country")),
        ({"where_coordinates": "Khost airport"}, ("AF-KHO", "Khost district", "district")),
        ({"where_coordinates": "A mosque", "adm_2": ""}, ("AF-KHO", None, "admin1")),
        ({"adm_1": "Nowhere province"}, (None, "Khost town", "town")),
        (
            {"country": "Pakistan", "adm_1": "Federally Administered Tribal Areas"},
            ("PK-KP", "Khost town", "town"),
        ),
    ],
    ids=[
        "near a town is a town",
        "a district",
        "a district by its own column",
        "a province",
        "a line or fuzzy area is its province",
        "a fuzzy area without a province is the country",
        "a country is never narrowed to a province",
        "airspace is the country",
        "what is finer than a town is its district",
        "what is finer than a town and has no district is its province",
        "an unknown province is not guessed",
        "the former tribal areas are Khyber Pakhtunkhwa",
    ],
)
async def test_places_are_as_precise_as_stated(
    runtime: Runtime,
    tmp_path: Path,
    changed: dict[str, str],
    expected: tuple[str | None, str | None, str],
) -> None:
    report = read_one(runtime, tmp_path, **changed)
    assert isinstance(report, Report)
    assert report.record is not None
    record = report.record
    assert (record.admin1, record.place, record.precision) == expected


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"date_end": "2023-11-02"}, "interval_too_long"),
        ({"date_end": "2023-10-01"}, "bad_interval"),
        ({"date_start": "October"}, "bad_time"),
        ({"source_date": ""}, "missing_time"),
        ({"source_date": "soon"}, "bad_time"),
        ({"best": ""}, "bad_value"),
        ({"low": "-1"}, "bad_value"),
        ({"where_prec": "8"}, "bad_value"),
        ({"type_of_violence": "4"}, "bad_value"),
    ],
    ids=[
        "more than a month says too little",
        "an end before the start",
        "no date",
        "nothing says when it was known",
        "a source date that is none",
        "a missing count is no zero",
        "a negative count",
        "an unknown precision",
        "an unknown type",
    ],
)
async def test_faulty_rows_are_refused_one_by_one(
    runtime: Runtime, tmp_path: Path, changed: dict[str, str], reason: str
) -> None:
    bad, good = {**ROW, **changed}, {**ROW, "id": "2"}
    first, second = read(runtime, tmp_path, written(bad, good))
    assert isinstance(first, Reject)
    assert (first.reason, first.line) == (reason, 2)
    assert isinstance(second, Report)


async def test_thirty_one_days_are_still_an_interval(runtime: Runtime, tmp_path: Path) -> None:
    assert isinstance(read_one(runtime, tmp_path, date_end="2023-11-01"), Report)


@pytest.mark.parametrize(
    ("low", "best", "high", "mended"),
    [
        ("2", "3", "5", Casualties(2, 3, 5)),
        ("4", "3", "5", Casualties(3, 3, 5)),
        ("2", "3", "1", Casualties(1, 3, 3)),
        ("0", "0", "0", Casualties(0, 0, 0)),
    ],
    ids=["in order", "low above best", "high below best", "stated zeros"],
)
async def test_ranges_in_disorder_are_mended(
    runtime: Runtime, tmp_path: Path, low: str, best: str, high: str, mended: Casualties
) -> None:
    report = read_one(runtime, tmp_path, low=low, best=best, high=high)
    assert isinstance(report, Report)
    assert report.record is not None
    assert report.record.killed == mended


@pytest.mark.parametrize(
    ("source_date", "seen"),
    [
        ("2023-10-04;2023-10-09", date(2023, 10, 4)),
        ("2023-10-09;2023-10-04", date(2023, 10, 4)),
        ("2023-10-03", date(2023, 10, 3)),
        ("2023-10-01", date(2023, 10, 4)),
    ],
    ids=[
        "the first of several sources counts",
        "whatever their order",
        "the day it ended will do",
        "nothing is known before it is over",
    ],
)
async def test_replay_follows_the_first_source(
    runtime: Runtime, tmp_path: Path, source_date: str, seen: date
) -> None:
    report = read_one(runtime, tmp_path, source_date=source_date)
    assert isinstance(report, Report)
    assert report.seen_at == datetime(seen.year, seen.month, seen.day, 23, 59, 59, tzinfo=UTC)


async def test_a_vintage_says_when_all_of_it_was_known(runtime: Runtime, tmp_path: Path) -> None:
    text = written({**ROW, "source_date": ""})
    (report,) = read(runtime, tmp_path, text, vintage=date(2023, 11, 20))
    assert isinstance(report, Report)
    assert report.seen_at.date() == date(2023, 11, 20)


@pytest.mark.parametrize(
    ("changed", "actors"),
    [
        ({"type_of_violence": "3", "side_b": "Civilians"}, ("Government of Afghanistan",)),
        ({"side_b": "A faction (forces of Somebody)"}, ("Government of Afghanistan", "A faction")),
        ({"side_b": "Forces of Somebody"}, ("Government of Afghanistan",)),
    ],
    ids=["civilians are no actor", "a leader's name is dropped", "a leader alone is dropped"],
)
async def test_actors_are_organisations(
    runtime: Runtime, tmp_path: Path, changed: dict[str, str], actors: tuple[str, ...]
) -> None:
    report = read_one(runtime, tmp_path, **changed)
    assert isinstance(report, Report)
    assert report.record is not None
    assert report.record.actors == actors
    assert "Somebody" not in repr(report)


@pytest.mark.parametrize(
    ("office", "publisher"),
    [
        ("An Outlet;Another", "An Outlet"),
        ("@somebody;Another", "Another"),
        ("Somebody on Twitter (X)", "UCDP"),
        ("", "UCDP"),
    ],
    ids=["the first outlet", "not an account", "no outlet but an account", "no outlet at all"],
)
async def test_the_publisher_is_an_outlet(
    runtime: Runtime, tmp_path: Path, office: str, publisher: str
) -> None:
    report = read_one(runtime, tmp_path, source_office=office)
    assert isinstance(report, Report)
    assert report.publisher == publisher


async def test_other_countries_are_counted_only(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "ged.csv"
    path.write_text(written(ROW, {**ROW, "country": "Iran"}, {**ROW, "country": "India"}))
    source = ucdp(runtime, path)
    assert len(list(source.read(path))) == 1
    assert source.counts["other_country"] == 2


async def test_columns_may_come_in_any_order_under_a_header(
    runtime: Runtime, tmp_path: Path
) -> None:
    plain = read(runtime, tmp_path, written(ROW))
    assert read(runtime, tmp_path, written(ROW, order=COLUMNS[::-1])) == plain
    assert read(runtime, tmp_path, written(ROW, header=False)) == plain


@pytest.mark.parametrize(
    "text",
    ["", "a,b,c\n1,2,3\n", ",".join(COLUMNS[::-1]) + "x\n", ",".join("x" * 49) + "\n"],
    ids=["empty", "another table", "a column missing", "49 columns of something else"],
)
async def test_what_is_no_ucdp_file_is_a_fault(runtime: Runtime, tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError, match="not_ucdp"):
        read(runtime, tmp_path, text)


async def test_a_newer_release_gives_what_is_new_or_revised(
    runtime: Runtime, tmp_path: Path
) -> None:
    path = tmp_path / "ged.csv"
    source = ucdp(runtime, path)
    path.write_text(written(ROW))
    assert len(await source.poll()) == 1
    await source.commit()
    assert await source.poll() == []
    path.write_text(written({**ROW, "best": "4"}, {**ROW, "id": "2"}, ROW))
    assert len(await source.poll()) == 2
    with pytest.raises(SourceError, match="file_unreadable"):
        await ucdp(runtime, tmp_path / "none.csv").poll()


async def test_a_release_is_fetched_from_the_web(runtime: Runtime) -> None:
    async with feed_server() as server:
        url = server.script("/ged.csv", gives_conditionally(written(ROW), '"v1"'))
        source = build({"kind": "ucdp", "name": "web", "url": url}, runtime)
        (report,) = await source.poll()
        assert report.seen_at == runtime.clock()
        await source.commit()
        assert await source.poll() == []
        assert server.requests[1][1]["If-None-Match"] == '"v1"'
        server.script("/ged.csv", gives("<html>moved</html>"))
        with pytest.raises(SourceError, match="not_ucdp"):
            await source.poll()


@needs_candidate
async def test_the_candidate_file_reads_the_same_with_and_without_its_header(
    runtime: Runtime, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.csv"
    bare.write_bytes(CANDIDATE.read_bytes().split(b"\n", 1)[1])
    source = ucdp(runtime, CANDIDATE)
    items = list(source.read(CANDIDATE))
    assert items == list(source.read(bare))
    reports = [item for item in items if isinstance(item, Report)]
    assert len(reports) == len(items) == len({report.id for report in reports}) == 67
    assert source.counts == {"unknown_admin1": 0, "mended_range": 0}
    records = [report.record for report in reports if report.record is not None]
    assert Counter(record.country for record in records) == {"PAK": 55, "AFG": 12}
    assert Counter(record.admin1 for record in records)["PK-KP"] == 42
    assert sum(record.admin1 is None for record in records) == 1
    assert all(
        report.seen_at.date() >= record.occurred.end
        for report, record in zip(reports, records, strict=True)
    )
    assert not any("@" in (report.publisher or "") for report in reports)


#: The mapping of the extract with 24 columns: an example of what a mapping can say.
EXTRACT = {
    "id": "id",
    "title": {"const": "UCDP GED event"},
    "publisher": {"path": "source_office", "split": ";"},
    "seen_at": {"path": "source_date", "split": ";"},
    "record": {
        "event": {"const": "ASSAULT"},
        "start": "date_start",
        "end": "date_end",
        "country": {"path": "country", "values": {"Afghanistan": "AFG", "Pakistan": "PAK"}},
        "admin1": "admin1_iso",
        "actors": ["side_a", {"path": "side_b"}],
        "killed": {"low": "low", "best": "best", "high": "high"},
        "civilians_killed": {"best": "deaths_civilians"},
    },
}


@needs_derived
async def test_an_extract_with_other_columns_is_read_through_a_mapping(runtime: Runtime) -> None:
    source = build({"kind": "csv", "name": "extract", "path": DERIVED, "mapping": EXTRACT}, runtime)
    reports = await source.poll()
    assert len(reports) == len({report.id for report in reports}) == 1_595
    assert Counter(reject.reason for reject in source.rejects) == {"interval_too_long": 13}
    records = [report.record for report in reports if report.record is not None]
    assert len({record.admin1 for record in records} - {None}) == 32
    ranges = [record.killed for record in records if record.killed is not None]
    assert all(killed.low <= killed.best <= killed.high for killed in ranges)
    calm = [
        record.killed.best
        for record in records
        if record.killed and date(2020, 2, 22) <= record.occurred.start <= date(2020, 2, 28)
    ]
    assert len(calm) == 24
    assert sum(calm) == 44
