"""What all stages share: batches in, outputs out, checkpoints, and only then acknowledgement.

A stage works on each of its partitions through a core: a pure fold with a state. `Stage` loads the
core's last checkpoint when the partition is assigned, hands it batches, sends what comes out at
once, and every few seconds writes a checkpoint and acknowledges what it covers. After a crash the
batches since the checkpoint are read again; the core's state makes that change nothing, and what
is sent again is the same to the last byte. So delivery is at least once and the effect is once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, Final, Protocol, runtime_checkable

import structlog
from aiokafka import AIOKafkaProducer
from faust.types import TP
from msgspec import Struct

from streams.metrics import Metrics
from streams.state import MARK, StateTopic
from streams.transport import Batch, Consumer

_MOST_RECORDS: Final = 20_000  # between two checkpoints
_log = structlog.get_logger()


class Output(Struct, frozen=True):
    """One record to send."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Core(Protocol):
    """One partition of a stage."""

    @property
    def time(self) -> int:
        """The stream time it has reached, in seconds."""
        ...

    def take(self, records: Sequence[Any]) -> list[Output]:
        """Take in raw records in order of their offsets; return what to send."""
        ...

    def restore(self, states: dict[bytes, bytes]) -> int:
        """Go on from a checkpoint (empty: from nothing); return the next offset to read."""
        ...

    def checkpoint(self) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return the states that changed since the last checkpoint, and the mark."""
        ...


@runtime_checkable
class Timed(Protocol):
    """A core in which something may happen while nothing comes in."""

    @property
    def changed(self) -> bool:
        """Whether there is something that the last checkpoint does not cover."""
        ...

    def pass_time(self) -> list[Output]:
        """Do what is due by the clock; return what to send."""
        ...


class _Part:
    """A partition at work."""

    def __init__(self, core: Core, generation: int, following: int) -> None:
        self.core = core
        self.generation = generation
        self.following = following  # the first offset that the checkpoint does not cover
        self.events: list[Any] = []  # taken, not yet acknowledged
        self.sends: list[Awaitable[Any]] = []
        self.outputs: list[Output] = []  # emitted, not yet sent
        self.records = 0
        self.checkpointed = monotonic()

    @property
    def changed(self) -> bool:
        """Whether there is something that the last checkpoint does not cover."""
        return bool(self.events) or (isinstance(self.core, Timed) and self.core.changed)


class Stage:
    """Runs the cores of one stage's partitions inside a Faust agent."""

    def __init__(
        self,
        name: str,
        new_core: Callable[[int], Core],
        state: StateTopic,
        *,
        checkpoint_seconds: float,
        metrics: Metrics,
        timed: str | None = None,
    ) -> None:
        """Take the stage's name, how to make a partition's core, and where its state is.

        Args:
            name: Of the stage.
            new_core: Makes a partition's core.
            state: Where its checkpoints are.
            checkpoint_seconds: How often they are written.
            metrics: Where it is measured.
            timed: The topic that it reads, where its cores are `Timed`: they go to work when the
                partition is assigned, not when its first record comes.
        """
        self.name = name
        self._new_core = new_core
        self._state = state
        self._every = checkpoint_seconds
        self._metrics = metrics
        self._timed = timed
        self._parts: dict[int, _Part] = {}
        self._lock = asyncio.Lock()

    def cores(self, generation: int) -> list[Core]:
        """Return the cores of this worker's partitions in a generation of the group."""
        return [part.core for part in self._parts.values() if part.generation == generation]

    async def emit(self, app: Any, core: Core, make: Callable[[], Sequence[Output]]) -> bool:  # noqa: ANN401
        """Do something to a core between two batches; `flush` sends what comes of it.

        Returns:
            Whether it was done: not where the partition is another worker's by now.
        """
        async with self._lock:
            for part in self._parts.values():
                if part.core is core and part.generation == app.consumer_generation_id:
                    part.outputs.extend(make())
                    return True
        return False

    async def flush(self, app: Any) -> None:  # noqa: ANN401
        """Send what has been emitted, in whole batches."""
        async with self._lock:
            for part in self._parts.values():
                await self._flush(app, part)

    async def _flush(self, app: Any, part: _Part) -> None:  # noqa: ANN401
        if part.outputs:
            outputs, part.outputs = part.outputs, []
            part.sends.extend(await send(producer_of(app), outputs))

    def times(self) -> dict[int, int]:
        """Return the stream time that each partition at work has reached."""
        return {number: part.core.time for number, part in self._parts.items()}

    async def run(self, stream: Any) -> AsyncIterator[None]:  # noqa: ANN401 - Faust's own type
        """Work through the batches of a Faust stream."""
        app = stream.app
        ticker = asyncio.create_task(self._checkpoint_when_idle(app))
        try:
            async for event in stream.noack().events():
                async with self._lock:
                    await self._take(app, event)
                yield None
        finally:
            ticker.cancel()

    async def _take(self, app: Any, event: Any) -> None:  # noqa: ANN401
        batch: Batch = event.value
        if batch.generation != app.consumer_generation_id:
            return  # fetched before a rebalance: whoever has the partition now reads it again
        part = await self._part(app, batch)
        if batch.seeks < app.consumer.seeks(TP(batch.topic, batch.partition)):
            return  # fetched before the partition was sought: what it lacks comes first
        started = monotonic()
        outputs = part.core.take(batch.records)
        part.sends.extend(await send(producer_of(app), outputs))
        part.events.append(event)
        part.records += len(batch.records)
        self._measure(part, batch, monotonic() - started)
        if monotonic() - part.checkpointed >= self._every or part.records >= _MOST_RECORDS:
            await self._checkpoint(app, batch.partition, part)

    def _measure(self, part: _Part, batch: Batch, seconds: float) -> None:
        self._metrics.batch_duration.labels(self.name).observe(seconds)
        self._metrics.records_processed.labels(self.name).inc(len(batch.records))
        if batch.first < part.following:
            again = min(batch.last + 1, part.following) - batch.first
            self._metrics.duplicates.labels(self.name).inc(again)
        self._metrics.stream_time.labels(self.name).set(min(self.times().values()))

    async def _part(self, app: Any, batch: Batch) -> _Part:  # noqa: ANN401
        part = self._parts.get(batch.partition)
        if part is not None and part.generation == batch.generation:
            return part
        tp = TP(batch.topic, batch.partition)
        return await self._take_over(app, tp, batch.generation, batch.first)

    async def _take_over(self, app: Any, tp: TP, generation: int, first: int | None) -> _Part:  # noqa: ANN401
        """Load a partition's checkpoint, and have it read from where that ends.

        Args:
            app: The Faust app.
            tp: The partition.
            generation: Of the group, in which it is ours.
            first: The offset of the first record that came; None where none has.
        """
        core = self._new_core(tp.partition)
        following = core.restore(await self._state.take_over(tp.partition))
        self._parts = {n: p for n, p in self._parts.items() if p.generation == generation}
        self._parts[tp.partition] = part = _Part(core, generation, following)
        if first is None or first > following:
            # The checkpoint, not the group's commit, says where to go on.
            consumer: Consumer = app.consumer
            await consumer.seek_back(tp, following)
            if first is not None:
                _log.info("read_again", stage=self.name, partition=tp.partition, since=following)
        return part

    async def _checkpoint(self, app: Any, number: int, part: _Part) -> None:  # noqa: ANN401
        """Write down what was done, then acknowledge it. Called under the lock."""
        part.checkpointed = monotonic()
        part.records = 0
        await self._flush(app, part)
        sends, part.sends = part.sends, []
        events, part.events = part.events, []
        await asyncio.gather(*sends)
        if part.generation != app.consumer_generation_id:
            return
        states, mark = part.core.checkpoint()
        await self._state.write(number, states, mark)
        for event in events:
            event.ack()
        self._metrics.checkpoint.labels(self.name).set_to_current_time()

    async def checkpoint(self, app: Any) -> None:  # noqa: ANN401
        """Write down all that was done: before a worker stops."""
        async with self._lock:
            for number, part in list(self._parts.items()):
                if part.changed and part.generation == app.consumer_generation_id:
                    await self._checkpoint(app, number, part)

    async def _checkpoint_when_idle(self, app: Any) -> None:  # noqa: ANN401
        """Write checkpoints also when nothing comes in any more."""
        while True:
            await asyncio.sleep(self._every)
            async with self._lock:
                try:
                    await self._adopt(app)
                    for number, part in list(self._parts.items()):
                        if part.generation == app.consumer_generation_id:
                            await self._pass_time(app, number, part)
                except Exception as error:
                    await app.crash(error)
                    raise

    async def _adopt(self, app: Any) -> None:  # noqa: ANN401
        """Put partitions to work that are ours and from which nothing has come yet."""
        if self._timed is None or app.rebalancing:
            return
        generation = app.consumer_generation_id
        for tp in app.consumer.assignment():
            part = self._parts.get(tp.partition)
            if tp.topic == self._timed and (part is None or part.generation != generation):
                await self._take_over(app, tp, generation, None)

    async def _pass_time(self, app: Any, number: int, part: _Part) -> None:  # noqa: ANN401
        if isinstance(part.core, Timed):
            part.sends.extend(await send(producer_of(app), part.core.pass_time()))
        if part.changed and monotonic() - part.checkpointed >= self._every:
            await self._checkpoint(app, number, part)


def producer_of(app: Any) -> AIOKafkaProducer:  # noqa: ANN401
    """Return the aiokafka producer behind a Faust app: it takes whole batches."""
    return app.producer._ensure_producer()


async def send(producer: AIOKafkaProducer, outputs: Sequence[Output]) -> list[Awaitable[Any]]:
    """Send records in whole batches, in order for each partition; return what to wait for."""
    grouped: defaultdict[tuple[str, int], list[Output]] = defaultdict(list)
    for output in outputs:
        grouped[output.topic, output.partition].append(output)
    waits: list[Awaitable[Any]] = []
    for (topic, partition), group in grouped.items():
        builder = producer.create_batch()
        for output in group:
            while (
                builder.append(
                    key=output.key, value=output.value, timestamp=None, headers=list(output.headers)
                )
                is None
            ):
                if builder.record_count() == 0:  # larger than a batch: it goes alone
                    waits.append(
                        await producer.send(
                            topic,
                            output.value,
                            output.key,
                            partition=partition,
                            headers=list(output.headers),
                        )
                    )
                    break
                waits.append(await producer.send_batch(builder, topic, partition=partition))
                builder = producer.create_batch()
        if builder.record_count():
            waits.append(await producer.send_batch(builder, topic, partition=partition))
    return waits


__all__ = ["MARK", "Core", "Output", "Stage", "producer_of", "send"]
