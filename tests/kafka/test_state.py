"""Checkpoints on real brokers: what is written is what is found, also after a change of owner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from deploy.kafka.node import KafkaNode
from streams import kafka, topics
from streams.settings import Kafka
from streams.state import MARK, StateTopic

TOPIC = topics.STATE_DETECT
PARTITIONS = 2
DEADLINE = 30.0


@pytest.fixture
def settings(request: pytest.FixtureRequest, bootstrap: str, prefix: str) -> Kafka:
    """The settings of a broker with the topics on it."""
    embedded = "embedded_broker" in request.node.callspec.id
    made = Kafka(bootstrap=bootstrap, prefix=prefix, partitions=PARTITIONS, idempotent=not embedded)
    with closing(kafka.admin(made)) as admin:
        topics.create(admin, prefix, PARTITIONS)
    return made


@asynccontextmanager
async def owners(settings: Kafka, count: int) -> AsyncIterator[list[StateTopic]]:
    """So many owners of the state, each with a producer of its own, as workers have."""
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(count):
            producer: AIOKafkaProducer = kafka.producer(settings)
            await producer.start()
            stack.push_async_callback(producer.stop)
            name = kafka.layout(settings).name(TOPIC)
            found.append(StateTopic(name, lambda: kafka.reader(settings), producer))
        yield found


async def taken_over(state: StateTopic, partition: int = 0) -> dict[bytes, bytes]:
    async with asyncio.timeout(DEADLINE):
        return await state.take_over(partition)


async def keys_in_order(settings: Kafka, partition: int, until: bytes) -> list[bytes]:
    """The keys as they lie in the topic, up to the first that is `until`."""
    tp = TopicPartition(kafka.layout(settings).name(TOPIC), partition)
    consumer = kafka.reader(settings)
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        found: list[bytes] = []
        async with asyncio.timeout(DEADLINE):
            while until not in found:
                found.append((await consumer.getone(tp)).key)
        return found
    finally:
        await consumer.stop()


async def test_a_partition_never_written_is_empty(settings: Kafka):
    async with owners(settings, 1) as (state,):
        assert await taken_over(state) == {}


async def test_what_one_owner_wrote_the_next_finds(settings: Kafka):
    async with owners(settings, 2) as (first, second):
        await taken_over(first)
        await first.write(0, [(b"AF-KAB", b"one"), (b"AF-HER", b"two")], b"up to 5")
        assert await taken_over(second) == {b"AF-KAB": b"one", b"AF-HER": b"two", MARK: b"up to 5"}


async def test_a_take_over_waits_for_a_broker_that_is_away(
    apache_kafka_fresh: Callable[[], KafkaNode], prefix: str
):
    node = apache_kafka_fresh()
    made = Kafka(bootstrap=node.bootstrap, prefix=prefix, partitions=PARTITIONS)
    with closing(kafka.admin(made)) as admin:
        topics.create(admin, prefix, PARTITIONS)
    async with owners(made, 2) as (first, second):
        await taken_over(first)
        await first.write(0, [(b"AF-KAB", b"one")], b"up to 5")
        node.kill()
        taking = asyncio.create_task(taken_over(second))
        await asyncio.to_thread(node.restart)
        assert await taking == {b"AF-KAB": b"one", MARK: b"up to 5"}


async def test_the_last_value_of_each_key_counts(settings: Kafka):
    async with owners(settings, 2) as (first, second):
        await taken_over(first)
        await first.write(0, [(b"AF-KAB", b"one"), (b"AF-HER", b"two")], b"up to 5")
        await first.write(0, [(b"AF-KAB", b"three")], b"up to 9")
        assert await taken_over(second) == {
            b"AF-KAB": b"three",
            b"AF-HER": b"two",
            MARK: b"up to 9",
        }


async def test_partitions_do_not_mix(settings: Kafka):
    async with owners(settings, 2) as (first, second):
        for partition in range(PARTITIONS):
            await taken_over(first, partition)
            await first.write(partition, [(b"unit", str(partition).encode())], b"mark")
        found = [await taken_over(second, partition) for partition in range(PARTITIONS)]
        assert [states[b"unit"] for states in found] == [b"0", b"1"]


async def test_a_checkpoint_of_marks_alone_is_found(settings: Kafka):
    async with owners(settings, 2) as (first, second):
        await taken_over(first)
        await first.write(0, [], b"up to 5")
        assert await taken_over(second) == {MARK: b"up to 5"}


async def test_what_an_owner_writes_after_a_take_over_is_ignored(settings: Kafka):
    async with owners(settings, 3) as (old, new, next_one):
        await taken_over(old)
        await old.write(0, [(b"AF-KAB", b"old")], b"up to 5")
        await taken_over(new)
        await old.write(0, [(b"AF-KAB", b"late"), (b"AF-HER", b"late")], b"up to 6")
        assert await taken_over(next_one) == {b"AF-KAB": b"old", MARK: b"up to 5"}


async def test_a_new_owner_goes_on_over_what_an_old_one_writes_late(settings: Kafka):
    async with owners(settings, 3) as (old, new, next_one):
        await taken_over(old)
        await old.write(0, [(b"AF-KAB", b"old")], b"up to 5")
        await taken_over(new)
        await new.write(0, [(b"AF-KAB", b"new")], b"up to 7")
        await old.write(0, [(b"AF-KAB", b"late")], b"up to 6")
        assert await taken_over(next_one) == {b"AF-KAB": b"new", MARK: b"up to 7"}


async def test_an_owner_may_take_its_own_partition_over_again(settings: Kafka):
    async with owners(settings, 1) as (state,):
        for round_ in (b"one", b"two", b"three"):
            await taken_over(state)
            await state.write(0, [(b"AF-KAB", round_)], round_)
        assert await taken_over(state) == {b"AF-KAB": b"three", MARK: b"three"}


async def test_large_states_come_back_whole(settings: Kafka):
    large = bytes(range(256)) * 8_192  # 2 MiB
    async with owners(settings, 2) as (first, second):
        await taken_over(first)
        await first.write(0, [(b"AF-KAB", large), (b"AF-HER", large[::-1])], b"up to 5")
        found = await taken_over(second)
    assert found[b"AF-KAB"] == large
    assert found[b"AF-HER"] == large[::-1]


async def test_many_checkpoints_are_read_to_their_end(settings: Kafka):
    rounds, units = 100, 20
    async with owners(settings, 2) as (first, second):
        await taken_over(first)
        for n in range(rounds):
            value = str(n).encode()
            await first.write(0, [(f"unit {u}".encode(), value) for u in range(units)], value)
        found = await taken_over(second)
    assert set(found.values()) == {str(rounds - 1).encode()}
    assert len(found) == units + 1


async def test_the_mark_comes_after_the_states_that_it_is_about(settings: Kafka):
    units = [f"unit {n}".encode() for n in range(50)]
    async with owners(settings, 1) as (state,):
        await taken_over(state)
        await state.write(0, [(unit, b"x" * 10_000) for unit in units], b"mark")
    found = await keys_in_order(settings, 0, until=MARK)
    assert found[-1] == MARK
    assert set(found[1:-1]) == set(units)  # the first is the epoch
