"""What every kind of source owes the pipeline, checked for every entry of the registry."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detectors.records import Report
from streams.sources import (
    SOURCES,
    Fetcher,
    FetchLimits,
    Reject,
    Replayable,
    Runtime,
    Source,
    SourceError,
    build,
)
from streams.sources.ucdp import COLUMNS
from tests.feed_server import FakeClock, FeedServer, feed_server, gives, rss, rss_item

OWN_TIME = datetime(2024, 1, 1, tzinfo=UTC)
BAD = "bad"


def _rss(names: list[str]) -> str:
    return rss(*(rss_item(name, "" if name == BAD else name) for name in names))


def _jsonl(names: list[str]) -> str:
    records = [
        "{" if name == BAD else msgspec.json.encode(Report(name, "own", OWN_TIME, name)).decode()
        for name in names
    ]
    return "".join(record + "\n" for record in records)


def _foreign(names: list[str]) -> str:
    return "".join(("{" if name == BAD else json.dumps({"t": name})) + "\n" for name in names)


def _csv(names: list[str]) -> str:
    return "t,when\n" + "".join((BAD if name == BAD else f"{name},") + "\n" for name in names)


def _ucdp(names: list[str]) -> str:
    stated = {
        "type_of_violence": "1", "country": "Pakistan", "adm_1": "Sindh", "where_prec": "4",
        "date_start": "2023-10-01", "date_end": "2023-10-01", "best": "1", "low": "1",
        "high": "1", "side_a": "A", "side_b": "B",
    }  # fmt: skip
    rows = [
        {**stated, "id": name, "side_b": name, "best": "" if name == BAD else "1"} for name in names
    ]
    body = [",".join(row.get(column, "") for column in COLUMNS) for row in rows]
    return "\n".join([",".join(COLUMNS), *body]) + "\n"


@dataclass(frozen=True)
class Kind:
    """How to write a feed of one kind, and how to configure a source for it."""

    kind: str
    write: Callable[[list[str]], str]
    broken: str | None  # a content that is a fault as a whole; None where rows fail one by one
    is_fetched: bool = False
    keeps_time: bool = False
    extra: dict[str, Any] | None = None


KINDS = {
    "rss": Kind("rss", _rss, "<html></html>", is_fetched=True),
    "jsonl": Kind("jsonl", _jsonl, None, keeps_time=True),
    "jsonl, foreign": Kind("jsonl", _foreign, None, extra={"mapping": {"title": "t"}}),
    "csv": Kind("csv", _csv, "x,y\n1,2\n", extra={"mapping": {"title": "t", "seen_at": "when"}}),
    "ucdp": Kind("ucdp", _ucdp, "x,y\n1,2\n"),
    "ucdp, fetched": Kind("ucdp", _ucdp, "x,y\n1,2\n", is_fetched=True),
}


class Bench:
    """One feed that a test rewrites, and sources that read it."""

    def __init__(self, kind: Kind, server: FeedServer, folder: Path, fetcher: Fetcher) -> None:
        self.kind = kind
        self.file = folder / "feed"
        self.clock = FakeClock()
        self._server = server
        self._runtime = Runtime(self.clock, fetcher, folder / "state")

    def carries(self, *names: str) -> None:
        self.holds(self.kind.write(list(names)))

    def holds(self, content: str) -> None:
        self.file.write_text(content)
        self._server.script("/feed", gives(content))

    def source(self, name: str = "demo") -> Source:
        where = {"url": self._server.url("/feed")} if self.kind.is_fetched else {"path": self.file}
        config = {"kind": self.kind.kind, "name": name, **where, **(self.kind.extra or {})}
        return build(config, self._runtime)


@pytest.fixture(params=list(KINDS))
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with feed_server() as server, Fetcher(FakeClock(), limits=FetchLimits(attempts=1)) as f:
        yield Bench(KINDS[request.param], server, tmp_path, f)


def ids(reports: list[Report]) -> list[str]:
    return [report.id for report in reports]


def test_every_registered_kind_is_under_contract() -> None:
    assert {kind.kind for kind in KINDS.values()} == set(SOURCES)


async def test_ids_are_deterministic_and_distinct(bench: Bench) -> None:
    bench.carries("a", "b")
    first, second = bench.source(), bench.source()
    found = ids(await first.poll())
    assert found == ids(await second.poll())
    assert len(set(found)) == 2


async def test_a_second_poll_after_the_commit_gives_nothing_new(bench: Bench) -> None:
    bench.carries("a", "b")
    source = bench.source()
    assert len(await source.poll()) == 2
    await source.commit()
    assert await source.poll() == []


async def test_a_crash_before_the_commit_gives_the_items_again(bench: Bench) -> None:
    bench.carries("a", BAD)
    crashed = bench.source()
    found, rejected = ids(await crashed.poll()), crashed.rejects
    restarted = bench.source()
    assert ids(await restarted.poll()) == found
    assert restarted.rejects == rejected
    await restarted.commit()
    later = bench.source()
    assert await later.poll() == []
    assert later.rejects == ()


async def test_a_poll_before_the_commit_gives_the_same_reports_again(bench: Bench) -> None:
    bench.carries("a")
    source = bench.source()
    found = await source.poll()
    bench.clock.advance(600)
    assert await source.poll() == found


async def test_what_is_added_is_found(bench: Bench) -> None:
    source = bench.source()
    bench.carries("a")
    await source.poll()
    await source.commit()
    bench.carries("a", "b")
    assert len(await source.poll()) == 1


async def test_no_time_is_invented(bench: Bench) -> None:
    bench.carries("a")
    (report,) = await bench.source().poll()
    assert report.seen_at == (OWN_TIME if bench.kind.keeps_time else bench.clock())
    assert report.published_at is None


async def test_what_has_no_time_is_refused_in_replay(bench: Bench) -> None:
    bench.carries("a")
    source = bench.source()
    if not isinstance(source, Replayable):
        return
    (item,) = source.read(bench.file)
    if bench.kind.keeps_time:
        assert isinstance(item, Report)
    else:
        assert isinstance(item, Reject)
        assert item.reason == "missing_time"


async def test_a_bad_item_is_refused_and_the_others_are_kept(bench: Bench) -> None:
    bench.carries("a", BAD, "b")
    source = bench.source()
    assert len(await source.poll()) == 2
    (reject,) = source.rejects
    assert reject.raw
    assert reject.detail
    await source.commit()
    assert source.rejects == ()


async def test_reports_fit_their_record_and_name_their_source(bench: Bench) -> None:
    bench.carries("a", "ولایت")
    for report in await bench.source().poll():
        assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
        assert report.source == ("own" if bench.kind.keeps_time else "demo")


async def test_a_fault_is_an_error_and_never_an_empty_success(bench: Bench) -> None:
    source = bench.source()
    bench.carries("a")
    await source.poll()
    await source.commit()
    if bench.kind.broken is not None:
        bench.holds(bench.kind.broken)
    elif not bench.kind.is_fetched:
        bench.file.unlink()
    with pytest.raises(SourceError):
        await source.poll()
    bench.carries("a", "b")
    assert len(await source.poll()) == 1


async def test_a_commit_without_a_poll_does_nothing(bench: Bench) -> None:
    await bench.source().commit()
    bench.carries("a")
    assert len(await bench.source().poll()) == 1


async def test_sources_of_different_names_have_different_ids_and_cursors(bench: Bench) -> None:
    bench.carries("a")
    one, other = bench.source("one"), bench.source("other")
    first = await one.poll()
    await one.commit()
    second = await other.poll()
    assert len(second) == 1
    assert (ids(first) == ids(second)) == bench.kind.keeps_time
