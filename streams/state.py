"""Checkpoints: a stage's state in a compacted topic, with a mark that makes it valid.

Each partition of a stage has the same partition of its state topic. A checkpoint writes the states
that changed, then, once they are stored, the mark: what has been read, up to where. A reader takes
the last record of each key. Whoever takes a partition over raises its epoch first; records of an
older epoch after that come from a worker that did not yet know it had lost the partition, and are
ignored. So a state may be ahead of the mark, but never behind it.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import stamina
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

MARK: Final = b"mark"
_EPOCH_KEY: Final = b"epoch"
_EPOCH_HEADER: Final = "epoch"
_POLL_MS: Final = 100
_AWAY_SECONDS: Final = 60.0  # as long as the worker's producer waits for a broker
_LONGEST_WAIT: Final = 1.0


class StateTopic:
    """Reads and writes the checkpoints of one stage."""

    def __init__(
        self, topic: str, consumer: Callable[[], AIOKafkaConsumer], producer: AIOKafkaProducer
    ) -> None:
        """Take the topic's name, a factory of group-less consumers, and a producer."""
        self._topic = topic
        self._consumer = consumer
        self._producer = producer
        self._epochs: dict[int, int] = {}

    async def take_over(self, partition: int) -> dict[bytes, bytes]:
        """Read a partition's checkpoint to its end, and raise its epoch; return values by key.

        It waits for a broker that is away, as it is while it restarts, for up to a minute.

        Raises:
            aiokafka.errors.KafkaError: when the broker does not come back, or refuses.
        """
        tries = stamina.retry_context(
            on=_is_passing, attempts=None, timeout=_AWAY_SECONDS, wait_max=_LONGEST_WAIT
        )
        async for attempt in tries:
            with attempt:
                states, epoch = await self._load(TopicPartition(self._topic, partition))
        self._epochs[partition] = epoch + 1
        await self._send(partition, _EPOCH_KEY, str(epoch + 1).encode())
        return states

    async def _load(self, tp: TopicPartition) -> tuple[dict[bytes, bytes], int]:
        consumer = self._consumer()
        try:
            await consumer.start()
            consumer.assign([tp])
            await consumer.seek_to_beginning(tp)
            return await _read(consumer, tp)
        finally:
            await consumer.stop()

    async def write(
        self, partition: int, states: Sequence[tuple[bytes, bytes]], mark: bytes
    ) -> None:
        """Store a checkpoint: the changed states first, then the mark.

        Raises:
            aiokafka.errors.KafkaError: when the broker did not take it.
        """
        await asyncio.gather(*(self._send(partition, key, value) for key, value in states))
        await self._send(partition, MARK, mark)

    async def _send(self, partition: int, key: bytes, value: bytes) -> None:
        epoch = str(self._epochs[partition]).encode()
        packed = zlib.compress(value, level=1)  # states are JSON: they shrink to a fifth
        await self._producer.send_and_wait(
            self._topic, packed, key, partition=partition, headers=[(_EPOCH_HEADER, epoch)]
        )


def _is_passing(error: Exception) -> bool:
    """Tell whether an error is one that goes when the broker is back."""
    return isinstance(error, KafkaError) and bool(error.retriable)


async def _read(consumer: AIOKafkaConsumer, tp: TopicPartition) -> tuple[dict[bytes, bytes], int]:
    """Read to the high-water mark that fetches report.

    It is right on every broker, unlike the log's end as listed on request.
    """
    states: dict[bytes, bytes] = {}
    epoch = 0
    while True:
        found: Mapping[TopicPartition, Sequence[object]]
        found = await consumer.getmany(tp, timeout_ms=_POLL_MS)
        for record in found.get(tp, ()):
            written = int(dict(record.headers)[_EPOCH_HEADER])  # type: ignore[attr-defined]
            if written < epoch:
                continue
            epoch = written
            if record.key != _EPOCH_KEY:  # type: ignore[attr-defined]
                states[record.key] = zlib.decompress(record.value)  # type: ignore[attr-defined]
        end = consumer.highwater(tp)
        if end is not None and await consumer.position(tp) >= end:
            return states, epoch
