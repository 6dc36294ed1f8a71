"""Faust's aiokafka driver, mended and made fast: batches in, batches out, commits that are true.

A stock Faust agent spends some 60 microseconds on each message before our code runs, and commits
offsets that were not processed. This driver hands an agent the raw records of one partition, up to
`BATCH_RECORDS` at a time, as the value of one event, and keeps its own account of what may be
committed. What it mends, each shown failing with the stock driver in its tests:

- commits past messages still in work, and past gaps in the offsets: a partition's commit is the end
  of the longest run of spans that are all acknowledged (`Spans`);
- an offset noted as committed although the commit failed: it is noted only when it succeeded;
- a high-water mark that is `None` while partitions are being assigned: it is not passed on;
- a fetch that waits 1.5 s for partitions left out of it, and a loop that sleeps 1 s whenever all
  buffers are full: both wait briefly;
- a thread that keeps a process alive which was told to end while the broker was away.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from mode.threads import WorkerThread
from msgspec import Struct

BATCH_RECORDS: Final = 500
FETCH_WAIT_MS: Final = 100
_FULL_WAIT_SECONDS: Final = 0.005


class Batch(Struct, frozen=True):
    """Consecutive records of one partition, and the group generation that fetched them."""

    topic: str
    partition: int
    generation: int
    seeks: int  # how often the partition had been sought when this was fetched
    records: list[Any]  # aiokafka's own: offset, key, value, timestamp, headers

    @property
    def first(self) -> int:
        """The offset of the first record."""
        return int(self.records[0].offset)

    @property
    def last(self) -> int:
        """The offset of the last record."""
        return int(self.records[-1].offset)


class Spans:
    """Which batches of one partition were handed out, and which of them are acknowledged."""

    def __init__(self) -> None:
        self._open: deque[tuple[int, int]] = deque()  # first and last offset, in order
        self._acked: set[int] = set()  # last offsets

    def hand_out(self, first: int, last: int) -> None:
        """Note a batch. One that overlaps what was handed out starts the account anew."""
        if self._open and first <= self._open[-1][1]:
            self._open.clear()
            self._acked.clear()
        self._open.append((first, last))

    def acknowledge(self, last: int) -> bool:
        """Note that the batch that ends at `last` is done; return whether it was open."""
        if not any(end == last for _, end in self._open):
            return False
        self._acked.add(last)
        return True

    def committable(self) -> int | None:
        """Return the offset after the longest run of acknowledged batches, if there is one."""
        done = None
        for _, last in self._open:
            if last not in self._acked:
                break
            done = last + 1
        return done

    def committed(self, offset: int) -> None:
        """Forget the batches before `offset`, which the broker has now committed."""
        while self._open and self._open[0][1] < offset:
            self._acked.discard(self._open.popleft()[1])


class _Unread(dict[TP, int | None]):
    """Read offsets that are never known: Faust would drop what is read again after a seek."""

    def __getitem__(self, tp: TP) -> None:
        return None


class _Thread(WorkerThread):  # type: ignore[misc]
    """A thread that does not keep a process alive which has ended: without a broker it may hang."""

    def __init__(self, service: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as mode calls it
        super().__init__(service, **kwargs)
        self.daemon = True


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The stock consumer thread, with a short wait for fetches."""

    Worker = _Thread

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:  # noqa: ANN401
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Hands out batches, and commits exactly what was acknowledged."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as Faust calls it
        super().__init__(*args, **kwargs)
        self._spans: defaultdict[TP, Spans] = defaultdict(Spans)
        self._seeks: defaultdict[TP, int] = defaultdict(int)
        self._to_seek: dict[TP, int] = {}
        self._read_offset = _Unread()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(
        self,
        timeout: float,  # noqa: ASYNC109 - as Faust calls it
    ) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Yield the fetched records in batches, each as one message."""
        await self._seek_as_asked()
        seeks = dict(self._seeks)
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            # Fetched while a rebalance began: read them again, from the committed offsets.
            await self._perform_seek_quietly()
            return
        for tp, found in records.items():
            for start in range(0, len(found), BATCH_RECORDS):
                if not self.flow_active or self.app.consumer_generation_id != generation:
                    return
                if tp not in active and tp not in self._buffered_partitions:
                    break
                self._note_highwater(tp)
                batch = found[start : start + BATCH_RECORDS]
                self._spans[tp].hand_out(batch[0].offset, batch[-1].offset)
                value = Batch(tp.topic, tp.partition, generation, seeks.get(tp, 0), batch)
                yield tp, self._to_message_of(tp, value)

    async def _perform_seek_quietly(self) -> None:
        try:
            await self.perform_seek()
        except Exception as error:  # the rebalance that is under way will seek again
            self.log.warning("could not seek while partitions are being reassigned: %r", error)

    def _note_highwater(self, tp: TP) -> None:
        highwater = self.highwater(tp)
        if highwater is not None:
            self.app.monitor.track_tp_end_offset(tp, highwater)

    def _to_message_of(self, tp: TP, batch: Batch) -> ConsumerMessage:
        last = batch.records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            None,
            None,
            batch,
            None,
            None,
            None,
            tp,
            generation_id=batch.generation,
        )

    def seeks(self, tp: TP) -> int:
        """Return how often a partition was sought: batches fetched before carry less."""
        return self._seeks[tp]

    async def seek_back(self, tp: TP, offset: int) -> None:
        """Read a partition again from an offset, whatever was handed out of it.

        It is done before the next fetch: a fetch that is under way could otherwise bring what lies
        after the offset and still count as one from before.
        """
        self._seeks[tp] += 1
        self._spans.pop(tp, None)
        self._to_seek[tp] = offset

    async def _seek_as_asked(self) -> None:
        assigned = self.assignment() if self._to_seek else set()
        wanted = {tp: offset for tp, offset in self._to_seek.items() if tp in assigned}
        self._to_seek.clear()
        if wanted:
            try:
                await self._thread.seek_wait(wanted)
            except IllegalStateError:  # no longer ours: whoever has it now sees to it
                self.log.info("could not seek %r: it was reassigned", wanted)

    async def _wait_next_records(
        self,
        timeout: float,  # noqa: ASYNC109 - as Faust calls it
    ) -> tuple[Any, Any]:
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        active = self._get_active_partitions()
        if not active:
            await asyncio.sleep(_FULL_WAIT_SECONDS)
            return {}, active
        return await self._getmany(active_partitions=active, timeout=timeout), active

    def ack(self, message: Message) -> bool:
        """Note that a batch is done."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        if message.value.seeks < self._seeks[message.tp]:
            return False  # of an account that a seek has closed
        done = self._spans[message.tp].acknowledge(message.offset)
        if done:
            self._n_acked += 1
        return done

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterable[TP]:  # noqa: ANN401
        return [tp for tp in self._spans if topics is None or tp in topics or tp.topic in topics]

    def _new_offset(self, tp: TP) -> int | None:
        return self._spans[tp].committable()

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps need no account of their own: spans only say what was handed out."""

    async def _commit_offsets(
        self, offsets: Mapping[TP, int], start_new_transaction: bool = True
    ) -> bool:
        assigned = self.assignment()
        mine = {tp: offset for tp, offset in offsets.items() if tp in assigned}
        if not mine:
            return False
        await self.app.producer.flush()
        if not await self._commit(mine):
            return False
        for tp, offset in mine.items():
            self._committed_offset[tp] = offset
            self._spans[tp].committed(offset)
        self.app.monitor.on_tp_commit(mine)
        return True

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget the account of partitions that others will go on with."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._spans.pop(tp, None)
            self._to_seek.pop(tp, None)


class Producer(driver.Producer):  # type: ignore[misc]
    """The stock producer, with an idempotent client where the app asks for one."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": self.app.idempotent}


class Transport(driver.Transport):  # type: ignore[misc]
    """Wires the consumer and producer above."""

    Consumer = Consumer
    Producer = Producer


class BatchSchema(faust.Schema):  # type: ignore[misc]
    """Passes a batch through: agents decode for themselves, record by record."""

    def compile(self, app: faust.App, **_: Any) -> Any:  # noqa: ANN401 - Faust's own type
        """Return the function that turns a message into an event."""

        async def decode(message: Message, *, propagate: bool = False) -> Any:  # noqa: ANN401
            return app.create_event(None, message.value, message.headers, message)

        return decode
