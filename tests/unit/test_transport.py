"""What the transport mends in Faust's own, each defect shown on the stock driver first.

Each test runs on both drivers. `stock` asserts the defect: the day it fails, Faust has mended it
and the override in `streams/transport.py` that it stands for can go. No broker is needed: the
consumers are built by an app as in production and run by Faust's own loop
(`Consumer._drain_messages`); only what the broker would answer is given by the test.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import faust
import pytest
from aiokafka import ConsumerRecord
from faust.sensors.prometheus import FaustMetrics, PrometheusMonitor
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from prometheus_client import CollectorRegistry
from yarl import URL

from streams.app import new_app
from streams.settings import Kafka, Settings
from streams.transport import (
    BATCH_RECORDS,
    FETCH_WAIT_MS,
    Batch,
    Consumer,
    ConsumerThread,
    Transport,
)

STREAM = TP("input", 0)
OTHER = TP("input", 1)
#: Nobody answers here: port 1 of the loopback interface.
NOWHERE = "127.0.0.1:1"
Fetch = Mapping[TP, Sequence[int]]  # offsets of the records that one answer of the broker holds


def record(tp: TP, offset: int) -> ConsumerRecord:
    return ConsumerRecord(
        topic=tp.topic,
        partition=tp.partition,
        offset=offset,
        timestamp=1_000 * offset,
        timestamp_type=0,
        key=None,
        value=b"{}",
        checksum=None,
        serialized_key_size=-1,
        serialized_value_size=2,
        headers=(),
    )


class Answers:
    """Mixed into a consumer: what the broker answers, in place of the connection to it."""

    def expect(self, *fetches: Fetch) -> None:
        self.fetches = [
            {tp: [record(tp, offset) for offset in offsets] for tp, offsets in fetch.items()}
            for fetch in fetches
        ]
        self.all_fetched = asyncio.Event()

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109 - as Faust calls it
    ) -> dict[TP, Any]:
        if self.fetches:
            return self.fetches.pop(0)
        self.all_fetched.set()
        await asyncio.sleep(0)
        return {}

    assigned: set[TP]

    def assignment(self) -> set[TP]:
        return self.assigned

    high: int | None = 1_000

    def highwater(self, tp: TP) -> int | None:
        return self.high

    commits_fail = False

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        if self.commits_fail:
            return False
        self.committed.append(dict(offsets))
        return True

    async def _seek(self, partition: TP, offset: int) -> None:
        self.sought.append((partition, offset))


class StockConsumer(Answers, driver.Consumer):
    pass


class OurConsumer(Answers, Consumer):
    pass


DRIVERS: dict[str, tuple[type[Any], type[Any]]] = {
    "stock": (driver.Transport, StockConsumer),
    "ours": (Transport, OurConsumer),
}


class Line:
    """A consumer of an app, and the messages it has handed out."""

    def __init__(self, kind: str, *, monitor: Any = None) -> None:
        self.app = new_app(Settings(kafka=Kafka(bootstrap=NOWHERE)))
        if monitor is not None:
            self.app.monitor = monitor
        self.app.topics._acking_topics.add(STREAM.topic)
        transport, consumer = DRIVERS[kind]
        self.messages: list[ConsumerMessage] = []
        self.then: Callable[[ConsumerMessage], Any] | None = None

        async def callback(message: ConsumerMessage) -> None:
            self.consumer.track_message(message)
            self.messages.append(message)
            if self.then is not None:
                await self.then(message)

        async def rebalanced(*_: Any) -> None:
            pass

        self.consumer = consumer(
            transport([URL(f"kafka://{NOWHERE}")], self.app), callback, rebalanced, rebalanced
        )
        self.consumer.committed = []
        self.consumer.sought = []
        self.consumer.assigned = {STREAM, OTHER}
        self.consumer._set_active_tps({STREAM, OTHER})

    async def fetch(self, *fetches: Fetch) -> None:
        """Let Faust's loop take these answers, one after the other."""
        self.consumer.expect(*fetches)
        fetcher = faust.Service()
        drain = asyncio.ensure_future(self.consumer._drain_messages(fetcher))
        fetched = asyncio.ensure_future(self.consumer.all_fetched.wait())
        await asyncio.wait({drain, fetched}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        fetcher._stopped.set()
        fetched.cancel()
        await drain

    async def each(self, *offsets: int) -> None:
        """Fetch these offsets, each in an answer of its own: one message each on both drivers."""
        await self.fetch(*({STREAM: [offset]} for offset in offsets))

    def acknowledge(self, *offsets: int) -> None:
        for message in self.messages:
            if message.offset in offsets:
                self.consumer.ack(message)

    @property
    def handed_out(self) -> list[int]:
        """All offsets of the partition handed out, in their order."""
        found: list[int] = []
        for message in self.messages:
            if isinstance(message.value, Batch):
                found.extend(r.offset for r in message.value.records)
            else:
                found.append(message.offset)
        return found

    @property
    def commits(self) -> list[int]:
        return [offsets[STREAM] for offsets in self.consumer.committed if STREAM in offsets]


@pytest.fixture(params=list(DRIVERS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_commits_do_not_pass_a_message_in_work(kind: str):
    """faust-streaming #606: off by one, the first message in work is taken for done."""
    line = Line(kind)
    await line.each(33)
    line.acknowledge(33)
    await line.consumer.commit()
    await line.each(34, 35, 36)
    line.acknowledge(35, 36)  # 34 is still in work
    await line.consumer.commit()
    assert line.commits == ([34, 37] if kind == "stock" else [34])


async def test_commits_do_not_pass_a_gap_before_a_message_in_work(kind: str):
    """faust-streaming #401: the gap before a message is noted as if it held the message itself."""
    line = Line(kind)
    await line.each(10, 15, 20)  # a compacted topic, or transaction markers
    line.acknowledge(10, 20)  # 15 is still in work
    await line.consumer.commit()
    assert line.commits == ([21] if kind == "stock" else [11])


async def test_commits_pass_a_gap_when_all_around_it_is_done(kind: str):
    line = Line(kind)
    await line.each(10, 15, 20)
    line.acknowledge(10, 15, 20)
    await line.consumer.commit()
    # Stock: the gap's account holds 15 a second time, and the run of what is done ends there.
    assert line.commits == ([16] if kind == "stock" else [21])


async def test_a_commit_that_failed_is_made_again(kind: str):
    """faust-streaming #316: noted as committed although the broker did not take it."""
    line = Line(kind)
    await line.each(0, 1)
    line.acknowledge(0, 1)
    line.consumer.commits_fail = True
    await line.consumer.commit()
    noted = line.consumer._committed_offset[STREAM]
    line.consumer.commits_fail = False
    await line.consumer.commit()
    if kind == "stock":
        assert (noted, line.commits) == (2, [])  # nobody will ever commit it
    else:
        assert (noted, line.commits) == (None, [2])


async def test_a_high_water_mark_not_known_in_a_rebalance_does_not_stop_the_line(kind: str):
    """faust-streaming #214: Faust's own Prometheus sensor raises on it, and the loop ends."""
    metrics = FaustMetrics.create(CollectorRegistry(), "line")
    line = Line(kind, monitor=PrometheusMonitor(metrics=metrics))
    line.consumer.high = None
    if kind == "stock":
        with pytest.raises(TypeError):
            await line.fetch({STREAM: [0, 1]})
        assert line.handed_out == []
    else:
        await line.fetch({STREAM: [0, 1]})
        assert line.handed_out == [0, 1]


async def test_full_buffers_hold_the_line_up_only_for_a_moment(kind: str):
    """With every partition's buffer full, the stock loop sleeps 1 s, also if all empty at once."""
    line = Line(kind)
    for tp in (STREAM, OTHER):
        line.consumer.on_buffer_full(tp)
    line.consumer.expect()
    started = monotonic()
    waiting = asyncio.ensure_future(line.consumer._wait_next_records(1.0))
    await asyncio.sleep(0)
    for tp in (STREAM, OTHER):
        line.consumer.on_buffer_drop(tp)
    await waiting
    waited = monotonic() - started
    assert waited > 0.9 if kind == "stock" else waited < 0.5


async def test_what_is_sought_during_work_is_read_again(kind: str):
    """The stock loop notes a message as read after the work on it, over what a seek noted."""
    line = Line(kind)

    async def seek_once(message: ConsumerMessage) -> None:
        if message.offset == 12 and not line.consumer.sought:
            await line.consumer.seek(STREAM, 10)

    line.then = seek_once
    await line.fetch({STREAM: [10, 11, 12]}, {STREAM: [10, 11, 12, 13]})
    assert line.consumer.sought == [(STREAM, 10)]
    again = [12, 13] if kind == "stock" else [10, 11, 12, 13]
    assert line.handed_out == [10, 11, 12, *again]


@asynccontextmanager
async def client_of(kind: str) -> AsyncIterator[Any]:
    """The aiokafka client that a driver's thread works with, never started."""
    thread = driver.AIOKafkaConsumerThread if kind == "stock" else ConsumerThread
    line = Line(kind)
    loop = asyncio.get_running_loop()
    client = thread(line.consumer, loop=loop)._create_worker_consumer(line.consumer.transport)
    yield client
    await client.stop()


async def test_a_fetch_waits_briefly_for_partitions_left_out_of_it(kind: str):
    async with client_of(kind) as client:
        assert client._fetch_max_wait_ms == (1500 if kind == "stock" else FETCH_WAIT_MS)


async def test_the_thread_of_our_consumer_is_ours():
    assert isinstance(Line("ours").consumer._thread, ConsumerThread)


async def test_records_are_handed_out_in_batches_with_where_they_are_from():
    line = Line("ours")
    await line.fetch({STREAM: range(2 * BATCH_RECORDS + 1), OTHER: [7]})
    batches = [message.value for message in line.messages]
    assert [(b.partition, b.first, b.last) for b in batches] == [
        (0, 0, BATCH_RECORDS - 1),
        (0, BATCH_RECORDS, 2 * BATCH_RECORDS - 1),
        (0, 2 * BATCH_RECORDS, 2 * BATCH_RECORDS),
        (1, 7, 7),
    ]
    last = line.messages[0]
    assert (last.topic, last.offset, last.timestamp) == ("input", 499, 499.0)


async def test_a_batch_is_committed_whole_and_only_when_acknowledged():
    line = Line("ours")
    await line.fetch({STREAM: range(2 * BATCH_RECORDS)})
    await line.consumer.commit()
    line.acknowledge(BATCH_RECORDS - 1)
    await line.consumer.commit()
    line.acknowledge(2 * BATCH_RECORDS - 1)
    await line.consumer.commit()
    assert line.commits == [BATCH_RECORDS, 2 * BATCH_RECORDS]


async def test_a_second_acknowledgement_of_a_batch_counts_for_nothing():
    line = Line("ours")
    await line.each(0)
    message = line.messages[0]
    assert [line.consumer.ack(message), line.consumer.ack(message)] == [True, False]


async def test_partitions_that_others_have_now_are_not_committed():
    line = Line("ours")
    await line.fetch({STREAM: [0], OTHER: [0]})
    line.acknowledge(0)
    line.consumer.assigned = {OTHER}
    await line.consumer.commit()
    assert line.consumer.committed == [{OTHER: 1}]


async def test_the_account_of_a_revoked_partition_is_forgotten():
    line = Line("ours")
    await line.each(0, 1)
    line.acknowledge(0, 1)
    await line.consumer.on_partitions_revoked({STREAM})
    await line.consumer.commit()
    assert line.consumer.committed == []


async def test_nothing_is_handed_out_once_a_rebalance_began():
    line = Line("ours")

    async def rebalance(message: ConsumerMessage) -> None:
        line.app.consumer_generation_id += 1

    line.then = rebalance
    await line.fetch({STREAM: range(3 * BATCH_RECORDS)})
    assert len(line.messages) == 1


async def test_all_that_is_read_after_a_seek_is_told_from_what_was_read_before():
    """Also what a fetch brings that is under way when the seek is asked for."""
    line = Line("ours")
    consumer = line.consumer
    positions = {STREAM: 5}

    def seek(tp: TP, offset: int) -> None:
        positions[tp] = offset

    async def seek_wait(wanted: Mapping[TP, int]) -> None:
        positions.update(wanted)

    # The connection, which there is not: it reads on from its position, two records a time.
    consumer._thread.seek, consumer._thread.seek_wait = seek, seek_wait
    fetches = 0

    async def fetch(**_: Any) -> dict[TP, Any]:
        nonlocal fetches
        fetches += 1
        if fetches == 2:
            await consumer.seek_back(STREAM, 2)
        first = positions[STREAM]
        positions[STREAM] = first + 2
        return {STREAM: [record(STREAM, first), record(STREAM, first + 1)]}

    consumer._getmany = fetch
    for _ in range(5):
        async for _, message in consumer.getmany(1.0):
            line.messages.append(message)
    assert consumer.seeks(STREAM) == 1
    after = [message.value.first for message in line.messages if message.value.seeks == 1]
    assert after == [2, 4, 6]


async def test_what_was_handed_out_before_a_seek_says_nothing_about_what_is_read_again():
    line = Line("ours")

    async def seek_wait(wanted: Mapping[TP, int]) -> None:
        """The connection, which there is not."""

    line.consumer._thread.seek_wait = seek_wait
    await line.each(5)
    await line.consumer.seek_back(STREAM, 2)
    await line.each(2)
    assert [message.value.seeks for message in line.messages] == [0, 1]
    line.acknowledge(5)
    await line.consumer.commit()
    assert line.commits == []
