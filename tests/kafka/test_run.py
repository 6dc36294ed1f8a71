"""`tocsin run` as a process of its own: what comes in, what it serves, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from lxml import etree

from deploy.kafka.node import KafkaNode
from detectors.records import Heartbeat, Report, Tick
from streams import kafka, topics
from streams.broker import EmbeddedBroker
from streams.codecs import decoder
from streams.partitioning import partition_of
from streams.settings import Kafka
from streams.state import StateTopic
from tests.feed_server import feed_server, gives, rss, rss_item

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from streams.cli import main; main()", "run")
PARTITIONS = 2
START_SECONDS = 60.0
STOP_SECONDS = 10.0
ARTICLE = rss_item("g1", "Bomb kills 5 in Kandahar", "Five people were killed in Kandahar city.")
decode = decoder(*topics.REPORTS.values)


class Run:
    """One `tocsin run`, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.where: dict[str, str] = {}

    async def told(self) -> None:
        """Read where its pages are."""
        assert self.process.stdout is not None
        while "sources" not in self.where:
            line = (await self.process.stdout.readline()).decode()
            assert line, f"it ended with {await self.process.wait()}:\n{self.log()}"
            name, _, rest = line.strip().partition(" ")
            self.where[name] = rest.strip()

    async def page(self, name: str) -> tuple[int, bytes]:
        base = self.where["metrics"].removesuffix("/metrics")
        async with aiohttp.ClientSession() as client, client.get(f"{base}/{name}") as answer:
            return answer.status, await answer.read()

    async def sample(self, start: str) -> float | None:
        """The value of the first metric whose line begins so."""
        _, body = await self.page("metrics")
        for line in body.decode().splitlines():
            if line.startswith(start):
                return float(line.rpartition(" ")[2])
        return None

    async def ready(self) -> bool:
        return (await self.page("readyz"))[0] == 200

    async def ended(self, seconds: float = STOP_SECONDS) -> int:
        return await asyncio.wait_for(self.process.wait(), seconds)

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")


@asynccontextmanager
async def run(folder: Path, *arguments: str, **environment: str) -> AsyncIterator[Run]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            cwd=folder,
            env=inherited
            | {"PYTHONPATH": str(ROOT), "TOCSIN_WORKER_METRICS_PORT": "0"}
            | {"TOCSIN_WORKER_CHECKPOINT_SECONDS": "0.5"}
            | environment,
            stdout=PIPE,
            stderr=log,
        )
    try:
        yield Run(process, folder)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = START_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - another process is asked
            await asyncio.sleep(0.05)


def options(bootstrap: str, prefix: str) -> Kafka:
    return Kafka(bootstrap=bootstrap, prefix=prefix, group=prefix, partitions=PARTITIONS)


def environment(bootstrap: str, prefix: str) -> dict[str, str]:
    return {
        "TOCSIN_KAFKA_BOOTSTRAP": bootstrap,
        "TOCSIN_KAFKA_PREFIX": prefix,
        "TOCSIN_KAFKA_GROUP": prefix,
        "TOCSIN_KAFKA_IDEMPOTENT": "false",
        "TOCSIN_KAFKA_SESSION_SECONDS": "6",
    }


def configure(folder: Path, url: str) -> None:
    source = f'[[sources]]\nkind = "rss"\nname = "example"\nurl = "{url}"\ninterval = 0.5\n'
    (folder / "tocsin.toml").write_text(source, encoding="utf-8")


async def read_reports(of: Kafka) -> list[tuple[int, int, Report | Heartbeat | Tick]]:
    """Partition, offset and record of all reports once there is an article among them."""
    found: list[tuple[int, int, Report | Heartbeat | Tick]] = []
    name = kafka.layout(of).name(topics.REPORTS)
    async with asyncio.timeout(START_SECONDS), kafka.reader(of) as reader:
        reader.assign([TopicPartition(name, partition) for partition in range(PARTITIONS)])
        while not any(isinstance(record, Report) for _, _, record in found):
            for records in (await reader.getmany(timeout_ms=200)).values():
                found += [(each.partition, each.offset, decode(each.value)) for each in records]
    return found


async def committed(of: Kafka, tp: TopicPartition) -> int:
    consumer = AIOKafkaConsumer(bootstrap_servers=of.bootstrap, group_id=of.group)
    await consumer.start()
    try:
        return await consumer.committed(tp) or 0
    finally:
        await consumer.stop()


async def test_an_article_becomes_a_report_and_the_process_ends_when_told(
    bootstrap: str, prefix: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    own = options(bootstrap, prefix)
    async with feed_server() as server:
        configure(tmp_path, server.script("/rss", gives(rss(ARTICLE))))
        given = environment(bootstrap, prefix)
        given["TOCSIN_KAFKA_IDEMPOTENT"] = str("apache_kafka" in request.node.name)
        async with run(tmp_path, "--partitions", str(PARTITIONS), **given) as it:
            async with asyncio.timeout(START_SECONDS):
                await it.told()
            await until(it.ready)
            read = await read_reports(own)
            ((partition, offset, report),) = [each for each in read if isinstance(each[2], Report)]
            assert isinstance(report, Report)
            assert (report.title, report.source) == ("Bomb kills 5 in Kandahar", "example")
            assert partition == partition_of("example", PARTITIONS)
            reports = TopicPartition(kafka.layout(own).name(topics.REPORTS), partition)

            async def is_committed() -> bool:
                return await committed(own, reports) > offset

            await until(is_committed)
            assert await it.page("healthz") == (200, b"ok\n")
            assert (await it.sample("tocsin_build_info")) == 1
            status, feed = await it.page("feed.atom")
            assert status == 200
            assert etree.fromstring(feed).tag == "{http://www.w3.org/2005/Atom}feed"

            it.process.send_signal(signal.SIGTERM)
            assert await it.ended() == 0, it.log()
        assert await committed(own, reports) > offset
    with closing(sqlite3.connect(tmp_path / ".tocsin" / "store.sqlite")) as store:
        assert store.execute("SELECT title FROM reports").fetchall() == [(report.title,)]


async def test_embedded_it_needs_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    async with feed_server() as server:
        configure(tmp_path, server.script("/rss", gives(rss(ARTICLE))))
        async with run(tmp_path, "--embedded") as it:
            async with asyncio.timeout(START_SECONDS):
                await it.told()
            await until(it.ready)

            async def is_coded() -> bool:
                return await it.sample('tocsin_reports_coded_total{outcome="coded"}') == 1

            await until(is_coded)
            it.process.send_signal(signal.SIGINT)
            assert await it.ended() == 0, it.log()
    assert list((tmp_path / ".tocsin").iterdir()) == []


async def test_it_ends_when_told_also_while_the_broker_is_away(
    apache_kafka_fresh: Callable[[], KafkaNode], prefix: str, tmp_path: Path
) -> None:
    (tmp_path / "tocsin.toml").write_text("", encoding="utf-8")
    node = apache_kafka_fresh()
    given = environment(node.bootstrap, prefix)
    async with run(tmp_path, "--partitions", str(PARTITIONS), **given) as it:
        async with asyncio.timeout(START_SECONDS):
            await it.told()
        await until(it.ready)
        node.kill()
        it.process.send_signal(signal.SIGTERM)
        assert await it.ended(2 * STOP_SECONDS) == 0, it.log()


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async with run(tmp_path, "--embedded", "--no-collect") as it:
        assert it.process.stdout is not None
        await asyncio.wait_for(it.process.stdout.readline(), START_SECONDS)
        it.process.send_signal(signal.SIGINT)
        it.process.send_signal(signal.SIGTERM)
        assert await it.ended() in (128 + signal.SIGINT, 128 + signal.SIGTERM)


def broker_of(pid: int) -> int:
    """The process id of the embedded broker of a process."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    (broker,) = {int(each) for listed in children for each in listed.read_text().split()}
    return broker


async def break_broker(it: Run) -> None:
    os.kill(broker_of(it.process.pid), signal.SIGKILL)


async def break_store(it: Run) -> None:
    (path,) = (it.folder / ".tocsin").glob("*/store.sqlite")
    with closing(sqlite3.connect(path, timeout=30)) as store, store:
        store.execute("DROP TABLE progress")


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        pytest.param(break_broker, "embedded broker", id="the embedded broker dies"),
        pytest.param(break_store, "projector", id="the store cannot be written"),
    ],
)
async def test_a_part_that_fails_ends_the_process_which_says_which(
    damage: Callable[[Run], Awaitable[None]], part: str, tmp_path: Path
) -> None:
    (tmp_path / "tocsin.toml").write_text("", encoding="utf-8")
    async with run(tmp_path, "--embedded") as it:
        async with asyncio.timeout(START_SECONDS):
            await it.told()
        await until(it.ready)
        await damage(it)
        assert await it.ended(30) == 70, it.log()
    lines = [json.loads(line) for line in it.log().splitlines() if line.startswith("{")]
    (failed,) = [line for line in lines if line["event"] == "process_failed"]
    assert (failed["level"], failed["part"]) == ("critical", part)
    assert failed["reason"]


@pytest.mark.parametrize(
    ("settings", "code", "told"),
    [
        pytest.param("", 2, "take --embedded", id="without a broker"),
        pytest.param(
            '[kafka]\nbootstrap="127.0.0.1:1"\n[[sources]]\nkind="rss"\nname="a"\n',
            2,
            "rss needs url",
            id="with a source that cannot work",
        ),
        pytest.param("[worker]\ncolour = 1\n", 2, "colour", id="with an unknown key"),
    ],
)
async def test_it_does_not_run(settings: str, code: int, told: str, tmp_path: Path) -> None:
    (tmp_path / "tocsin.toml").write_text(settings, encoding="utf-8")
    async with run(tmp_path) as it:
        assert await it.ended(START_SECONDS) == code
    assert told in it.log()
    assert "Traceback" not in it.log()


async def test_a_stage_that_fails_ends_the_process(
    bootstrap: str, prefix: str, tmp_path: Path
) -> None:
    """A checkpoint of another version; Faust's supervisors would start the stage again for ever."""
    own = options(bootstrap, prefix)
    with closing(kafka.admin(own)) as admin:
        topics.create(admin, prefix, PARTITIONS)
    layout = kafka.layout(own)
    async with kafka.producer(own.model_copy(update={"idempotent": False})) as producer:
        name = layout.name(topics.STATE_DETECT)
        state = StateTopic(name, lambda: kafka.reader(own), producer)
        for partition in range(PARTITIONS):
            await state.take_over(partition)
            await state.write(partition, [], b'{"version":"watch@0"}')
    given = environment(bootstrap, prefix)
    (tmp_path / "tocsin.toml").write_text("", encoding="utf-8")
    async with run(tmp_path, "--partitions", str(PARTITIONS), **given) as it:
        assert await it.ended(START_SECONDS) == 70, it.log()
    assert "start from a replay" in it.log()


async def test_it_does_not_run_on_topics_with_another_number_of_partitions(
    embedded_broker: EmbeddedBroker, prefix: str, tmp_path: Path
) -> None:
    with closing(kafka.admin(options(embedded_broker.bootstrap, prefix))) as admin:
        topics.create(admin, prefix, PARTITIONS + 1)
    given = environment(embedded_broker.bootstrap, prefix)
    async with run(tmp_path, "--partitions", str(PARTITIONS), **given) as it:
        assert await it.ended(START_SECONDS) == 70
    assert f"TOCSIN_KAFKA_PARTITIONS={PARTITIONS + 1}" in it.log()
