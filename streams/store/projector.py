"""The projector: reads the topics from where the store is, writes what they say to the store.

It belongs to no consumer group: the store itself says how far it has come, in the transaction that
wrote the records. So a crash loses nothing and repeats nothing, and a store that was dropped is
filled again from the first record that the broker still holds.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from detectors.records import Alert, Record, Score, SourceHealth, Tick
from detectors.signals import SIGNALS
from detectors.watermarks import Watermarks
from streams import kafka, topics
from streams.codecs import Rejected, decoder
from streams.metrics import Metrics, show_alerts, show_source
from streams.settings import Settings
from streams.store.store import Store

#: What the store is made from.
PROJECTED: Final[tuple[topics.Topic, ...]] = (
    topics.REPORTS,
    topics.EVENTS,
    topics.SCORES,
    topics.ALERTS,
    topics.COVERAGE,
    topics.SUBSCRIPTIONS,
    topics.DELIVERIES,
)
_BATCH_RECORDS: Final = 5_000
_POLL_MS: Final = 200
_ANSWER_MS: Final = 150  # by then a fetch that was under way has been answered
_POSITION_SECONDS: Final = 1.0
#: A partition that seems to end before what was read of it may only have changed its leader.
_SHORT_SECONDS: Final = 5.0
_log = structlog.get_logger(__name__)


class Projector:
    """Keeps a store level with the topics, and shows its alerts and sources as metrics."""

    def __init__(self, settings: Settings, store: Store, metrics: Metrics) -> None:
        """Take the settings, the store (nobody else may write to it), and the metrics."""
        self._settings = settings
        self._store = store
        self._metrics = metrics
        self._layout = kafka.layout(settings.kafka)
        self._decoders = {self._layout.name(topic): decoder(*topic.values) for topic in PROJECTED}
        self._scores = self._layout.name(topics.SCORES)
        self._partitions = [
            TopicPartition(self._layout.name(topic), partition)
            for topic in PROJECTED
            for partition in range(topic.partitions(self._layout.partitions))
        ]
        self._consumer: AIOKafkaConsumer | None = None
        self._next: dict[TopicPartition, int] = {}  # what is written is before these offsets
        self._alerts: dict[str, Alert] = {}
        self._watched: set[tuple[str, str, str]] = set()
        self._watermarks: defaultdict[int, Watermarks] = defaultdict(Watermarks)
        self._short_since: dict[TopicPartition, float] = {}
        self._is_live = False
        self._stepped = asyncio.Event()  # a new one for each step
        self._stopping = asyncio.Event()

    @property
    def is_live(self) -> bool:
        """Whether it has been level with the topics at least once since it started."""
        return self._is_live

    async def run(self) -> None:
        """Project until `stop`.

        Raises:
            aiokafka.errors.KafkaError: The broker does not let us read.
            sqlalchemy.exc.SQLAlchemyError: The store cannot be written.
        """
        await self._load()
        consumer = kafka.reader(self._settings.kafka)
        await consumer.start()
        try:
            consumer.assign(self._partitions)
            self._seek(consumer)
            self._consumer = consumer
            while not self._stopping.is_set():
                await self._step(consumer)
        finally:
            self._consumer = None
            await consumer.stop()

    def stop(self) -> None:
        """Finish the batch that is at work, then end."""
        self._stopping.set()

    def caught_up(self) -> bool:
        """Tell whether all is written up to the high-water marks that the last fetches reported."""
        return self._lag() == 0

    async def catch_up(self) -> None:
        """Wait until all is written that the topics held when this was called.

        It waits for as long as `run` does; race it against a deadline and against `run`.
        """
        # An answer that was under way when this was called does not count.
        heard_after = int(time.time() * 1000) + _ANSWER_MS
        while not (self._polled_since(heard_after) and self.caught_up()):
            await self._stepped.wait()

    # Where it is

    async def _load(self) -> None:
        """Go on from what the store holds."""
        self._next = {}
        for topic in self._decoders:
            progress = await asyncio.to_thread(self._store.progress, topic)
            for partition, offset in progress.items():
                self._next[TopicPartition(topic, partition)] = offset
        for alert in await asyncio.to_thread(self._store.alerts):
            self._alerts[alert.id] = alert
        for score in await asyncio.to_thread(self._store.scores):
            self._note_score(score)
        for health in await asyncio.to_thread(self._store.source_health):
            show_source(self._metrics, health)

    def _seek(self, consumer: AIOKafkaConsumer) -> None:
        for tp in self._partitions:
            consumer.seek(tp, self._next.setdefault(tp, 0))

    def _lag(self) -> int | None:
        """Return how many records are still to be written, None where that is not known yet."""
        if self._consumer is None:
            return None
        lag = 0
        for tp in self._partitions:
            end = self._consumer.highwater(tp)
            if end is None or end < self._next[tp]:
                return None  # not heard of yet, or not what it was: the next steps will tell
            lag += end - self._next[tp]
        return lag

    def _polled_since(self, moment: int) -> bool:
        """Tell whether each partition's end was heard of after a moment, in ms since 1970."""
        if self._consumer is None:
            return False
        heard = [self._consumer.last_poll_timestamp(tp) for tp in self._partitions]
        return all(at is not None and at > moment for at in heard)

    # Records in

    async def _step(self, consumer: AIOKafkaConsumer) -> None:
        found: Mapping[TopicPartition, Sequence[Any]]
        found = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_BATCH_RECORDS)
        if wiped := await self._wiped(consumer, found):
            await self._start_over(consumer, wiped)
            return
        started = time.monotonic()
        batches = self._decode(found)
        for topic, batch in batches.items():
            await asyncio.to_thread(self._store.apply, topic, batch)
        for tp, records in found.items():
            self._next[tp] = records[-1].offset + 1
        await self._pass_gaps(consumer)
        if found:
            self._metrics.batch_duration.labels("store").observe(time.monotonic() - started)
            self._metrics.records_processed.labels("store").inc(sum(map(len, found.values())))
        self._show(batches)
        self._stepped.set()
        self._stepped = asyncio.Event()

    async def _wiped(
        self, consumer: AIOKafkaConsumer, found: Mapping[TopicPartition, Sequence[Any]]
    ) -> TopicPartition | None:
        """Return a partition that ends before what was read of it: the topics began anew."""
        for tp in self._partitions:
            records = found.get(tp)
            if records and records[0].offset < self._next[tp]:
                return tp
            end = consumer.highwater(tp)
            if end is None or end >= self._next[tp]:
                self._short_since.pop(tp, None)
                continue
            # The reader goes back to the beginning where the broker says "out of range".
            since = self._short_since.setdefault(tp, time.monotonic())
            if (
                await self._position(consumer, tp) < self._next[tp]
                or time.monotonic() - since > _SHORT_SECONDS
            ):
                return tp
        return None

    async def _position(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> int:
        """Return where the reader stands in a partition; while it does not know, where we do."""
        with suppress(TimeoutError):
            return int(await asyncio.wait_for(consumer.position(tp), _POSITION_SECONDS))
        return self._next[tp]

    async def _start_over(self, consumer: AIOKafkaConsumer, wiped: TopicPartition) -> None:
        """Empty the store, and read all topics from their beginning."""
        _log.warning(
            "store_emptied",
            reason="a topic ends before what the store has read of it: the broker began anew",
            topic=wiped.topic,
            partition=wiped.partition,
            read=self._next[wiped],
        )
        await asyncio.to_thread(self._store.reset)
        self._next.clear()
        self._alerts.clear()
        self._watched.clear()
        self._watermarks.clear()
        self._short_since.clear()
        self._is_live = False
        self._seek(consumer)

    def _decode(
        self, found: Mapping[TopicPartition, Sequence[Any]]
    ) -> dict[str, list[tuple[int, int, Record]]]:
        """Return the readable records by topic; the stages have dead-lettered the others."""
        batches: defaultdict[str, list[tuple[int, int, Record]]] = defaultdict(list)
        for tp, records in found.items():
            decode = self._decoders[tp.topic]
            skipped = 0
            for raw in records:
                try:
                    batches[tp.topic].append((tp.partition, raw.offset, decode(raw.value or b"")))
                except Rejected:
                    skipped += 1
            if skipped:
                _log.warning(
                    "records_skipped", topic=tp.topic, partition=tp.partition, records=skipped
                )
        return batches

    async def _pass_gaps(self, consumer: AIOKafkaConsumer) -> None:
        """Follow the reader over offsets that hold no record, such as what was kept too long."""
        for tp in self._partitions:
            end = consumer.highwater(tp)
            if end is not None and self._next[tp] < end:
                self._next[tp] = max(self._next[tp], await self._position(consumer, tp))

    # What it shows

    def _show(self, batches: Mapping[str, Sequence[tuple[int, int, Record]]]) -> None:
        is_changed = False
        for topic, batch in batches.items():
            for partition, _, record in batch:
                is_changed |= self._note(topic, partition, record)
        self._show_stream_time()
        lag = self._lag()
        if lag is not None:
            self._metrics.consumer_lag.labels("store").set(lag)
        was_live, self._is_live = self._is_live, self._is_live or lag == 0
        # Before it is level once, the alerts shown would be those of some past day.
        if self._is_live and (is_changed or not was_live):
            show_alerts(self._metrics, self._alerts.values(), sorted(self._watched))

    def _note(self, topic: str, partition: int, record: Record) -> bool:
        """Take notice of a record; return whether it changes what is shown of alerts."""
        if isinstance(record, Alert):
            held = self._alerts.get(record.id)
            if held is None or held.revision < record.revision:
                self._alerts[record.id] = record
                return True
        elif isinstance(record, Score):
            return self._note_score(record)
        elif isinstance(record, SourceHealth):
            show_source(self._metrics, record)
        elif isinstance(record, Tick) and topic == self._scores:
            self._watermarks[partition].note(record)
        return False

    def _note_score(self, score: Score) -> bool:
        key = (score.unit, score.signal, score.direction)
        signal = SIGNALS.get(score.signal)
        if signal is None or not signal.indicator or key in self._watched:
            return False
        self._watched.add(key)
        return True

    def _show_stream_time(self) -> None:
        """Show the stream time that every partition of the scores has passed, if all are known."""
        marks = self._watermarks.values()
        if len(marks) == self._layout.partitions and all(len(m.times) >= m.of for m in marks):
            time_passed = min(min(mark.times.values()) for mark in marks)
            self._metrics.stream_time.labels("store").set(time_passed)
