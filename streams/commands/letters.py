"""Reading the dead-letters topic, and sending letters back to where they came from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from streams import kafka, topics
from streams.agents import deadletters
from streams.commands import base, connect
from streams.settings import Settings

_POLL_MS: Final = 200
_PATIENCE_SECONDS: Final = 30.0
_IN_FLIGHT: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Letter(Struct, frozen=True):
    """One dead letter: where it lies, what its headers say, and the original bytes."""

    partition: int
    offset: int
    at: datetime  # when it was written, by the broker's or the worker's clock
    key: bytes | None
    value: bytes
    headers: dict[str, str]

    @property
    def place(self) -> str:
        """Where it lies, as the commands take it."""
        return f"{self.partition}:{self.offset}"

    def header(self, name: str) -> str:
        """Return a header, or "unknown" where the letter has none of that name."""
        return self.headers.get(name, "unknown")


def of_reason(reason: str | None) -> Callable[[Letter], bool]:
    """Return a test for letters of one reason; of any, for None."""
    return lambda letter: reason is None or letter.header(deadletters.REASON) == reason


async def scan(
    settings: Settings, ends: Mapping[int, int] | None = None
) -> AsyncGenerator[Letter, None]:
    """Yield every dead letter, each partition in order, up to `ends` or to what is there now.

    Close it (`contextlib.aclosing`) if it is left early.

    Raises:
        Problem: The topic is missing, or the broker falls silent for 30 s.
    """
    name = kafka.layout(settings.kafka).name(topics.DEAD_LETTERS)
    count = connect.partition_counts(settings, topics.DEAD_LETTERS)[name]
    consumer = kafka.reader(settings.kafka)
    await consumer.start()
    try:
        open_ = [TopicPartition(name, number) for number in range(count)]
        consumer.assign(open_)
        heard = monotonic()
        while open_:
            found = await consumer.getmany(*open_, timeout_ms=_POLL_MS)
            for records in found.values():
                heard = monotonic()
                for record in records:
                    if ends is None or record.offset < ends.get(record.partition, 0):
                        yield _letter(record)
            open_ = [tp for tp in open_ if not await _is_done(consumer, tp, ends)]
            if monotonic() - heard > _PATIENCE_SECONDS:
                raise base.Problem(f"{name} cannot be read: the broker is silent", base.NOTHING)
    finally:
        await consumer.stop()


async def _is_done(
    consumer: AIOKafkaConsumer, tp: TopicPartition, ends: Mapping[int, int] | None
) -> bool:
    # The end that fetches report is right on every broker, unlike the one listed on request.
    end = consumer.highwater(tp) if ends is None else ends.get(tp.partition, 0)
    return end is not None and await consumer.position(tp) >= end


async def one(settings: Settings, partition: int, offset: int) -> Letter | None:
    """Return the dead letter at a place, if there is one."""
    name = kafka.layout(settings.kafka).name(topics.DEAD_LETTERS)
    count = connect.partition_counts(settings, topics.DEAD_LETTERS)[name]
    if partition >= count:
        return None
    tp = TopicPartition(name, partition)
    consumer = kafka.reader(settings.kafka)
    await consumer.start()
    try:
        consumer.assign([tp])
        consumer.seek(tp, offset)
        deadline = monotonic() + _PATIENCE_SECONDS
        while monotonic() < deadline:
            found = await consumer.getmany(tp, timeout_ms=_POLL_MS)
            for record in found.get(tp, ()):
                return _letter(record) if record.offset == offset else None
            end = consumer.highwater(tp)
            if end is not None and offset >= end:
                return None
        raise base.Problem(f"{name} cannot be read: the broker is silent", base.NOTHING)
    finally:
        await consumer.stop()


def _letter(record: Any) -> Letter:  # noqa: ANN401 - aiokafka's own
    return Letter(
        partition=record.partition,
        offset=record.offset,
        at=_EPOCH + timedelta(milliseconds=record.timestamp),
        key=record.key,
        value=record.value or b"",
        headers=deadletters.headers_of(record.headers),
    )


class Sender:
    """Sends letters back, some hundreds at a time.

    A letter says itself where it came from, so that is checked: it must be a topic of the table,
    and a partition that it has.
    """

    def __init__(self, settings: Settings) -> None:
        """Take the settings, and ask the broker for its topics."""
        allowed = [topic for topic in topics.TOPICS if bytes not in topic.values]
        self._partitions = connect.partition_counts(settings, *allowed)
        self._producer = kafka.producer(settings.kafka)
        self._waits: list[Any] = []
        self.sent = 0

    async def __aenter__(self) -> Sender:
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._flush()
        finally:
            await self._producer.stop()

    def target(self, letter: Letter) -> tuple[str, int]:
        """Return the topic and partition that a letter came from.

        Raises:
            Problem: Its headers do not name a topic and partition of ours.
        """
        topic = letter.header(deadletters.TOPIC)
        number = letter.header(deadletters.PARTITION)
        known = number.isdecimal() and int(number) < self._partitions.get(topic, 0)
        if not known:
            raise base.Problem(
                f"dead letter {letter.place} says it came from {topic} partition {number}, "
                "which is not there: see tocsin topics diff"
            )
        return topic, int(number)

    async def send(self, letter: Letter) -> None:
        """Send one letter's original bytes and key back."""
        topic, partition = self.target(letter)
        self._waits.append(
            await self._producer.send(topic, letter.value, letter.key, partition=partition)
        )
        if len(self._waits) >= _IN_FLIGHT:
            await self._flush()

    async def _flush(self) -> None:
        waits, self._waits = self._waits, []
        await asyncio.gather(*waits)
        self.sent += len(waits)
