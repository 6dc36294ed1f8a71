"""A stage on real brokers: it goes on from its checkpoint, and a failure acknowledges nothing."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from prometheus_client import CollectorRegistry

from deploy.kafka.node import KafkaNode
from streams import kafka, topics
from streams.agents.stage import MARK, Output, Stage, producer_of
from streams.app import App, _guarded, new_app
from streams.broker import EmbeddedBroker
from streams.metrics import build_metrics
from streams.settings import Kafka, Settings
from streams.state import StateTopic
from streams.transport import BatchSchema

PARTITIONS = 2
DEADLINE = 60.0
OFTEN, NEVER = 0.2, 3_600.0  # seconds between checkpoints
FAIL = -1  # the core raises on this number
TOO_LARGE = -2  # the core answers this number with what no broker takes


def settings_on(bootstrap: str, prefix: str, *, idempotent: bool = True) -> Settings:
    """Return the settings of a worker on a broker, and make the topics."""
    made = Kafka(
        bootstrap=bootstrap,
        prefix=prefix,
        group=prefix,
        partitions=PARTITIONS,
        idempotent=idempotent,
        session_seconds=6.0,
    )
    with closing(kafka.admin(made)) as admin:
        topics.create(admin, prefix, PARTITIONS)
    return Settings(kafka=made)


@pytest.fixture
def settings(apache_kafka: KafkaNode, prefix: str) -> Settings:
    return settings_on(apache_kafka.bootstrap, prefix)


@pytest.fixture
def settings_embedded(embedded_broker: EmbeddedBroker, prefix: str) -> Settings:
    return settings_on(embedded_broker.bootstrap, prefix, idempotent=False)


class Record:
    """What the cores of one worker were given, by partition."""

    def __init__(self) -> None:
        self.restored: dict[int, int] = {}  # the offsets from which they went on
        self.taken: defaultdict[int, list[int]] = defaultdict(list)
        self.sums: dict[int, int] = {}


class Summing:
    """A core that adds numbers up, and sends each sum on."""

    def __init__(self, partition: int, events: str, record: Record) -> None:
        self.partition, self.events, self.record = partition, events, record
        self.following = self.sum = 0

    @property
    def time(self) -> int:
        return self.following

    def take(self, records: Sequence[Any]) -> list[Output]:
        outputs = []
        for record in records:
            number = int(record.value)
            if number == FAIL:
                raise ArithmeticError("this number cannot be added")
            self.record.taken[self.partition].append(record.offset)
            if record.offset < self.following:
                continue  # counted before the checkpoint
            self.following = record.offset + 1
            self.sum += max(0, number)
            size = 2 * topics.LARGEST_MESSAGE if number == TOO_LARGE else 0
            value = str(self.sum).encode().ljust(size)
            outputs.append(Output(self.events, self.partition, None, value))
        self.record.sums[self.partition] = self.sum
        return outputs

    def restore(self, states: dict[bytes, bytes]) -> int:
        if MARK in states:
            self.following, self.sum = map(int, states[MARK].split())
        self.record.restored[self.partition] = self.following
        return self.following

    def checkpoint(self) -> tuple[list[tuple[bytes, bytes]], bytes]:
        return [], f"{self.following} {self.sum}".encode()


@asynccontextmanager
async def working(settings: Settings, every: float) -> AsyncIterator[tuple[App, Record]]:
    """A worker with this one stage, stopped in order at the end."""
    app, record = new_app(settings), Record()
    layout = kafka.layout(settings.kafka)

    async def agent(stream: Any) -> None:
        stage = Stage(
            "code",
            lambda partition: Summing(partition, layout.name(topics.EVENTS), record),
            StateTopic(
                layout.name(topics.STATE_CODE),
                lambda: kafka.reader(settings.kafka),
                producer_of(stream.app),
            ),
            checkpoint_seconds=every,
            metrics=build_metrics(CollectorRegistry()),
        )
        async for _ in stage.run(stream):
            pass

    schema = BatchSchema(key_serializer="raw", value_serializer="raw")
    channel = app.topic(layout.name(topics.REPORTS), schema=schema)
    app.agent(channel, name="code")(_guarded(app, agent))
    await app.start()
    try:
        yield app, record
    finally:
        await app.stop()


async def until(reached: Callable[[], bool], app: App) -> None:
    async with asyncio.timeout(DEADLINE):
        while not reached():
            if app.crash_reason is not None:
                raise AssertionError("the worker crashed") from app.crash_reason
            await asyncio.sleep(0.02)


async def crashed(app: App) -> None:
    async with asyncio.timeout(DEADLINE):
        while app.crash_reason is None:  # noqa: ASYNC110 - the app has no event for it
            await asyncio.sleep(0.02)


async def send(settings: Settings, numbers: Iterable[int], partition: int = 0) -> None:
    topic = kafka.layout(settings.kafka).name(topics.REPORTS)
    producer = kafka.producer(settings.kafka)
    await producer.start()
    try:
        sent = [
            await producer.send(topic, str(number).encode(), partition=partition)
            for number in numbers
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


@asynccontextmanager
async def member_of_the_group(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **kafka.aiokafka_options(settings.kafka),
        group_id=settings.kafka.group,
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def reports(settings: Settings, partition: int) -> TopicPartition:
    return TopicPartition(kafka.layout(settings.kafka).name(topics.REPORTS), partition)


async def committed(settings: Settings, partition: int = 0) -> int:
    """What the group has committed of the reports; 0 for nothing."""
    async with member_of_the_group(settings) as consumer:
        return await consumer.committed(reports(settings, partition)) or 0


async def commit(settings: Settings, offset: int, partition: int = 0) -> None:
    async with member_of_the_group(settings) as consumer:
        consumer.assign([reports(settings, partition)])
        await consumer.commit({reports(settings, partition): offset})


async def sums_sent(settings: Settings, until_sum: int, partition: int = 0) -> list[int]:
    """The sums as they lie in the topic of events, up to one."""
    tp = TopicPartition(kafka.layout(settings.kafka).name(topics.EVENTS), partition)
    consumer = kafka.reader(settings.kafka)
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        found: list[int] = []
        async with asyncio.timeout(DEADLINE):
            while until_sum not in found:
                found.append(int((await consumer.getone(tp)).value))
        return found
    finally:
        await consumer.stop()


async def work_through(settings: Settings, count: int, every: float, partition: int = 0) -> Record:
    """Let a worker come to `count` records and stop in order."""
    async with working(settings, every) as (app, record):
        await until(lambda: record.taken[partition][-1:] == [count - 1], app)
        if every == OFTEN:  # until the checkpoint is there and committed
            consumer: Any = app.consumer
            tps = [tp for tp in consumer.assignment() if tp.partition == partition]
            await until(lambda: consumer._committed_offset[tps[0]] == count, app)
    return record


async def test_all_partitions_are_worked_through(settings: Settings):
    await all_partitions_are_worked_through(settings)


async def test_all_partitions_are_worked_through_on_the_embedded_broker(
    settings_embedded: Settings,
):
    await all_partitions_are_worked_through(settings_embedded)


async def all_partitions_are_worked_through(settings: Settings) -> None:
    for partition in range(PARTITIONS):
        await send(settings, [partition + 1] * 1_500, partition)
    async with working(settings, OFTEN) as (app, record):
        await until(lambda: record.sums == {0: 1_500, 1: 3_000}, app)
    assert record.restored == {0: 0, 1: 0}
    assert all(taken == list(range(1_500)) for taken in record.taken.values())
    assert await sums_sent(settings, 3_000, 1) == list(range(2, 3_001, 2))


async def test_a_restart_goes_on_from_the_checkpoint(settings: Settings):
    await send(settings, [1] * 1_000)
    await work_through(settings, 1_000, OFTEN)
    assert await committed(settings) == 1_000
    await send(settings, [1] * 10)
    record = await work_through(settings, 1_010, OFTEN)
    assert record.restored[0] == 1_000
    assert record.taken[0] == list(range(1_000, 1_010))
    assert record.sums[0] == 1_010
    assert await sums_sent(settings, 1_010) == list(range(1, 1_011))


async def test_without_a_checkpoint_nothing_is_acknowledged_and_all_is_done_again(
    settings: Settings,
):
    await send(settings, [1] * 1_000)
    await work_through(settings, 1_000, NEVER)
    assert await committed(settings) == 0
    record = await work_through(settings, 1_000, OFTEN)
    assert record.restored[0] == 0
    assert record.taken[0] == list(range(1_000))
    assert record.sums[0] == 1_000


async def test_a_commit_ahead_of_the_checkpoint_loses_nothing(settings: Settings):
    await send(settings, [1] * 1_000)
    await work_through(settings, 1_000, OFTEN)
    await send(settings, [1] * 600)
    await commit(settings, 1_500)  # by someone's hand, or by a defect
    record = await work_through(settings, 1_600, OFTEN)
    assert record.restored[0] == 1_000
    assert record.taken[0] == list(range(1_000, 1_600))
    assert record.sums[0] == 1_600
    assert await committed(settings) == 1_600


async def test_a_commit_behind_the_checkpoint_changes_nothing(settings: Settings):
    await send(settings, [1] * 1_000)
    await work_through(settings, 1_000, OFTEN)
    await commit(settings, 400)
    await send(settings, [1] * 10)
    record = await work_through(settings, 1_010, OFTEN)
    assert record.taken[0] == list(range(400, 1_010))
    assert record.sums[0] == 1_010


async def test_work_that_lost_its_state_starts_from_the_first_record(settings: Settings):
    await send(settings, [1] * 1_000)
    await commit(settings, 900)
    record = await work_through(settings, 1_000, OFTEN)
    assert record.taken[0] == list(range(1_000))
    assert record.sums[0] == 1_000


@pytest.mark.parametrize(
    ("poison", "error"),
    [(FAIL, ArithmeticError), (TOO_LARGE, MessageSizeTooLargeError)],
    ids=["the core raises", "the output is larger than the broker takes"],
)
async def test_a_failure_crashes_the_worker_and_acknowledges_nothing(
    settings: Settings, poison: int, error: type[Exception]
):
    await send(settings, [1] * 1_000)
    await work_through(settings, 1_000, OFTEN)
    await send(settings, [1, 1, poison, 1])
    async with working(settings, OFTEN) as (app, _):
        await crashed(app)
        assert isinstance(app.crash_reason, error)
    assert await committed(settings) == 1_000
    async with working(settings, OFTEN) as (app, record):
        await crashed(app)
    assert record.restored[0] == 1_000  # it failed on the same records, and nothing was skipped
