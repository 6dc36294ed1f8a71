"""The collector, on a real broker, with a real HTTP server and a clock that the test sets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerClosed
from prometheus_client import CollectorRegistry

from detectors.records import Heartbeat, Report, Tick
from streams import kafka, topics
from streams.agents.deadletters import headers_of
from streams.broker import EmbeddedBroker
from streams.codecs import LARGEST_BYTES, decoder
from streams.collect import Collector
from streams.metrics import build_metrics
from streams.partitioning import partition_of
from streams.settings import Settings
from tests.feed_server import FakeClock, FeedServer, feed_server, gives, rss, rss_item

PARTITIONS = 3
DEADLINE = 20.0
decode = decoder(*topics.REPORTS.values)


class Line:
    """One collector on topics of its own, and what it sent."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, server: FeedServer) -> None:
        self.clock = FakeClock()
        self.server = server
        self.folder = folder
        self.sources: list[dict[str, Any]] = []
        self.registry = CollectorRegistry()
        self.metrics = build_metrics(self.registry)
        self.options = {
            "kafka": {
                "bootstrap": bootstrap,
                "prefix": prefix,
                "partitions": PARTITIONS,
                "idempotent": False,
            },
            "steps": {"fine": 1},
            "worker": {"data_dir": folder / "data"},
        }
        self.producer: AIOKafkaProducer | None = None

    @property
    def settings(self) -> Settings:
        return Settings.model_validate(self.options | {"sources": self.sources})

    def feed(self, name: str, *answers: Any, interval: float = 300) -> None:
        url = self.server.script(f"/{name}", *answers)
        self.sources.append({"kind": "rss", "name": name, "url": url, "interval": interval})

    def file(self, name: str, *lines: str, interval: float = 300) -> None:
        path = self.folder / f"{name}.jsonl"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self.sources.append({"kind": "jsonl", "name": name, "path": path, "interval": interval})

    def cursor(self, name: str) -> Path:
        """Where a source's cursor is, once it was committed."""
        return self.folder / "data" / "sources" / f"{name}.cursor.json"

    def collector(self) -> Collector:
        """A collector as after a restart: it knows what is on disk and no more."""
        layout = kafka.layout(self.settings.kafka)
        assert self.producer is not None
        return Collector(self.settings, layout, self.producer, self.metrics, self.clock)

    async def read(
        self, topic: topics.Topic, enough: Callable[[list[Any]], bool] = lambda _: True
    ) -> list[Any]:
        """All raw records of a topic so far, once they are enough."""
        layout = kafka.layout(self.settings.kafka)
        tps = [TopicPartition(layout.name(topic), p) for p in range(layout.partitions)]
        found: list[Any] = []

        async def level() -> bool:
            ends = {tp: reader.highwater(tp) for tp in tps}
            positions = {tp: await reader.position(tp) for tp in tps}
            return all(end is not None and positions[tp] >= end for tp, end in ends.items())

        async with asyncio.timeout(DEADLINE), kafka.reader(self.settings.kafka) as reader:
            reader.assign(tps)
            while not (await level() and enough(found)):
                for records in (await reader.getmany(timeout_ms=100)).values():
                    found.extend(records)
        return found

    async def records(self, kind: type[Any]) -> list[Any]:
        found = [decode(raw.value) for raw in await self.read(topics.REPORTS)]
        return [record for record in found if isinstance(record, kind)]


@asynccontextmanager
async def running(collector: Collector) -> AsyncIterator[None]:
    task = asyncio.create_task(collector.run())
    try:
        yield
    finally:
        collector.stop()
        await asyncio.wait_for(task, DEADLINE)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await condition():  # noqa: ASYNC110 - it is the broker that is asked
            await asyncio.sleep(0.02)


@pytest.fixture
async def line(embedded_broker: EmbeddedBroker, prefix: str, tmp_path: Path) -> AsyncIterator[Line]:
    async with feed_server() as server:
        made = Line(embedded_broker.bootstrap, prefix, tmp_path, server)
        with closing(kafka.admin(made.settings.kafka)) as admin:
            topics.create(admin, prefix, PARTITIONS)
        async with kafka.producer(made.settings.kafka) as producer:
            made.producer = producer
            yield made


def story(number: int) -> str:
    return rss_item(f"story-{number}", f"Story {number}", "What is said to have happened.")


def own(id: str, **fields: Any) -> str:
    report = Report(id=id, source="own", seen_at=FakeClock().now, title="A report", **fields)
    return msgspec.json.encode(report).decode()


async def test_every_partition_hears_that_time_goes_on_also_without_a_source(line: Line) -> None:
    def heard(raw: list[Any]) -> bool:
        return {each.partition for each in raw} == set(range(PARTITIONS)) and len(raw) >= 9

    async with running(line.collector()):
        raw = await line.read(topics.REPORTS, heard)
    ticks = [decode(each.value) for each in raw]
    assert {(tick.partition, tick.of, tick.time) for tick in ticks} == {(0, 1, line.clock.now)}
    assert (
        line.registry.get_sample_value("tocsin_stream_time_timestamp_seconds", {"stage": "collect"})
        == line.clock.now.timestamp()
    )


async def test_a_poll_sends_reports_and_then_a_heartbeat_by_source(line: Line) -> None:
    line.feed("alpha", gives(rss(story(1), story(2))))
    line.clock.advance(60)
    await line.collector().poll("alpha")
    raw = await line.read(topics.REPORTS)
    assert {(each.key, each.partition) for each in raw} == {
        (b"alpha", partition_of("alpha", PARTITIONS))
    }
    first, second, beat = [decode(each.value) for each in raw]
    assert [first.title, second.title] == ["Story 1", "Story 2"]
    assert {first.seen_at, second.seen_at} == {line.clock.now}
    assert beat == Heartbeat(source="alpha", seen_at=line.clock.now)
    success = line.registry.get_sample_value(
        "tocsin_source_last_success_timestamp_seconds", {"source": "alpha"}
    )
    assert success == line.clock.now.timestamp()


async def test_a_poll_without_news_is_a_heartbeat_alone(line: Line) -> None:
    line.feed("alpha", gives(rss(story(1))))
    collector = line.collector()
    await collector.poll("alpha")
    await collector.poll("alpha")
    assert len(await line.records(Report)) == 1
    assert len(await line.records(Heartbeat)) == 2


async def test_a_source_that_fails_says_so_and_does_not_stop_the_others(line: Line) -> None:
    line.feed("broken", gives("gone", status=404), interval=0.2)
    line.feed("sound", gives(rss(story(1))), interval=0.2)

    async def told() -> bool:
        beats = await line.records(Heartbeat)
        return [b.error for b in beats if b.source == "broken"].count("http_404") > 1 and any(
            beat.source == "sound" for beat in beats
        )

    async with running(line.collector()):
        await until(told)
    beats = await line.records(Heartbeat)
    assert {(beat.source, beat.error) for beat in beats} == {
        ("broken", "http_404"),
        ("sound", None),
    }
    assert [report.source for report in await line.records(Report)] == ["sound"]
    failures = line.registry.get_sample_value("tocsin_source_failures_total", {"source": "broken"})
    assert failures == sum(beat.source == "broken" for beat in beats)
    labels = {"source": "broken"}
    assert (
        line.registry.get_sample_value("tocsin_source_last_success_timestamp_seconds", labels)
        is None
    )


async def test_a_source_that_asks_for_patience_is_left_alone(line: Line) -> None:
    line.feed("busy", gives("later", status=429, Retry_After="3600"), interval=0.1)
    line.file("own", own("a"), interval=0.1)

    async def polled_often() -> bool:
        beats = await line.records(Heartbeat)
        return sum(beat.source == "own" for beat in beats) > 8

    async with running(line.collector()):
        await until(polled_often)
    beats = await line.records(Heartbeat)
    assert [beat.error for beat in beats if beat.source == "busy"] == ["http_429"]


async def test_the_cursor_moves_only_once_the_broker_has_the_reports(line: Line) -> None:
    line.feed("alpha", gives(rss(story(1), story(2))))
    assert line.producer is not None
    await line.producer.stop()  # whatever the source brings cannot be stored
    with pytest.raises(ProducerClosed):
        await line.collector().poll("alpha")
    assert not line.cursor("alpha").exists()

    async with kafka.producer(line.settings.kafka) as line.producer:
        await line.collector().poll("alpha")
        assert line.cursor("alpha").exists()
        sent = [report.id for report in await line.records(Report)]
        assert len(sent) == 2
        await line.collector().poll("alpha")  # after a restart it knows what was stored
        assert [report.id for report in await line.records(Report)] == sent


async def test_after_a_crash_before_the_commit_the_same_ids_are_sent_again(line: Line) -> None:
    line.feed("alpha", gives(rss(story(1), story(2))))
    await line.collector().poll("alpha")
    sent = [report.id for report in await line.records(Report)]
    line.cursor("alpha").unlink()  # what the disk holds when the power fails before the commit
    line.clock.advance(30)
    await line.collector().poll("alpha")
    reports = await line.records(Report)
    assert [report.id for report in reports] == sent * 2
    assert [report.seen_at for report in reports[2:]] == [line.clock.now] * 2


async def test_what_is_no_report_goes_to_the_dead_letters_with_its_reason(line: Line) -> None:
    line.file("own", own("a"), '{"id": "b", "colour": "red"}', "no json at all")
    await line.collector().poll("own")
    letters = await line.read(topics.DEAD_LETTERS)
    assert [letter.value for letter in letters] == [
        b'{"id": "b", "colour": "red"}',
        b"no json at all",
    ]
    headers = [headers_of(letter.headers) for letter in letters]
    assert [each["reason"] for each in headers] == ["invalid_record", "not_json"]
    for each in headers:
        assert each["detail"]
        assert (each["stage"], each["topic"]) == ("collect", "own")
        assert (each["partition"], each["offset"]) == ("", "")
    assert [report.id for report in await line.records(Report)] == ["a"]
    counted = line.registry.get_sample_value("tocsin_dead_letters_total", {"reason": "not_json"})
    assert counted == 1


async def test_a_report_that_is_too_large_is_a_dead_letter(line: Line) -> None:
    large = own("large", url="https://example.org/" + "x" * LARGEST_BYTES)
    line.file("own", large, own("small"))
    await line.collector().poll("own")
    (letter,) = await line.read(topics.DEAD_LETTERS)
    assert headers_of(letter.headers)["reason"] == "too_large"
    assert json.loads(letter.value)["id"] == "large"
    assert [report.id for report in await line.records(Report)] == ["small"]


async def test_a_live_report_has_the_time_at_which_it_was_sent_whatever_it_said(
    line: Line,
) -> None:
    line.file("own", own("old"))
    line.clock.advance(86_400)
    await line.collector().poll("own")
    (report,) = await line.records(Report)
    assert report.seen_at == line.clock.now


async def test_no_tick_overtakes_a_report_with_an_earlier_time(line: Line) -> None:
    stories = [rss(*(story(n) for n in range(each, each + 40))) for each in range(0, 800, 40)]
    for name in ("alpha", "beta", "gamma", "delta"):
        line.feed(name, *(gives(page) for page in stories), interval=0.01)
    collector = line.collector()
    done = asyncio.Event()

    async def let_time_pass() -> None:
        while not done.is_set():
            line.clock.advance(0.001)
            await collector.tick()

    async def all_sent() -> bool:
        polls = [path for path, _ in line.server.requests]
        return min(map(polls.count, ("/alpha", "/beta", "/gamma", "/delta"))) > len(stories)

    async with running(collector):
        passing = [asyncio.create_task(let_time_pass()) for _ in range(3)]
        await until(all_sent)
        done.set()
        await asyncio.gather(*passing)
    raw = await line.read(topics.REPORTS)
    newest: dict[int, Any] = {}
    for each in raw:
        record = decode(each.value)
        at = record.time if isinstance(record, Tick) else record.seen_at
        assert at >= newest.get(each.partition, at), f"offset {each.offset} runs backwards"
        newest[each.partition] = at
    records = [decode(each.value) for each in raw]
    assert len({each.id for each in records if isinstance(each, Report)}) == 4 * 800


async def test_stream_time_stands_still_while_the_clock_is_set_back(line: Line) -> None:
    line.feed("alpha", gives(rss(story(1))))
    collector = line.collector()
    await collector.tick()
    before = line.clock.now
    line.clock.now -= timedelta(hours=1)
    await collector.tick()
    await collector.poll("alpha")
    assert {tick.time for tick in await line.records(Tick)} == {before}
    assert [report.seen_at for report in await line.records(Report)] == [before]
