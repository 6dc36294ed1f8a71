"""Live collection: sources are polled, their reports go to Kafka, and stream time is told to all.

One process of an installation collects. Everything that it sends is stamped and handed to the
producer under one lock, so within a partition no tick overtakes a report with an earlier time.
A cursor moves only after the broker has everything that a poll brought: after a crash it is sent
again, under the same ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Final

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError

from detectors.records import Heartbeat, Report, Tick
from streams import topics
from streams.agents.deadletters import DETAIL, OFFSET, PARTITION, REASON, STAGE, TOPIC
from streams.agents.stage import Output, send
from streams.codecs import LARGEST_BYTES, encode
from streams.metrics import Metrics
from streams.partitioning import partition_of
from streams.settings import Settings
from streams.sources import Clock, Fetcher, Reject, Runtime, Source, SourceError, build_all

_LONGEST_TICK_SECONDS: Final = 1.0
_LONGEST_FIRST_WAIT: Final = 2.0  # seconds over which the first polls are spread
_JITTER: Final = 0.1  # of the interval, to either side
_FIRST_RETRY: Final = 0.5  # seconds until what was not stored is sent again, doubled each time
_LONGEST_RETRY: Final = 30.0
#: What of a report that is too large goes to the dead letters: less than a broker takes.
_LARGEST_LETTER: Final = topics.LARGEST_MESSAGE - 64 * 1024
_log = structlog.get_logger(__name__)


class Collector:
    """Polls every source of the settings, and broadcasts stream time."""

    def __init__(
        self,
        settings: Settings,
        layout: topics.Layout,
        producer: AIOKafkaProducer,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """Make the sources; nothing is fetched or sent yet.

        Args:
            settings: Which sources, how stream time advances, where cursors are.
            layout: How the topics lie.
            producer: A started producer. Nobody else may send reports or ticks of live sources.
            metrics: Where polls and failures are counted.
            clock: The present moment, with a zone.

        Raises:
            SourceConfigError: A source is configured in a way that cannot work.
        """
        self._layout = layout
        self._producer = producer
        self._metrics = metrics
        self._clock = clock
        self._fetcher = Fetcher(clock, settings.worker.contact or None)
        runtime = Runtime(clock, self._fetcher, settings.worker.data_dir / "sources")
        self._sources = build_all(settings.sources, runtime)
        self._tick_seconds = min(settings.grid().fine / 2, _LONGEST_TICK_SECONDS)
        self._newest = datetime.min.replace(tzinfo=UTC)
        self._lock = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._random = Random()  # noqa: S311 - spreads polls, guards nothing

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources."""
        return tuple(self._sources)

    async def run(self) -> None:
        """Collect until `stop`. Cancelling is safe: what was not committed comes again.

        Raises:
            ExceptionGroup: Something failed that trying again does not mend.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tick_on(), name="ticks")
                for name, source in self._sources.items():
                    group.create_task(self._poll_on(source), name=f"source {name}")
        finally:
            await self._fetcher.aclose()

    def stop(self) -> None:
        """Let every poll that is under way come to its end, and begin no other."""
        self._stopping.set()

    async def _stopped_within(self, seconds: float) -> bool:
        """Wait so long, or until `stop`; return whether it was said."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True

    # Stream time

    def _now(self) -> datetime:
        """Return the time to stamp with; call it under the lock. It never runs backwards."""
        self._newest = max(self._newest, self._clock())
        return self._newest

    async def _tick_on(self) -> None:
        while True:
            try:
                await self.tick()
            except KafkaError as error:
                _refuse_fatal(error)
                _log.warning("tick_not_stored", error=repr(error))
            if await self._stopped_within(self._tick_seconds):
                return

    async def tick(self) -> None:
        """Tell every partition of the reports how far stream time has come.

        Raises:
            aiokafka.errors.KafkaError: The broker did not take it.
        """
        topic, n = self._layout.name(topics.REPORTS), self._layout.partitions
        async with self._lock:
            now = self._now()
            value = encode(Tick(partition=0, of=1, time=now))
            waits = await send(
                self._producer, [Output(topic, partition, None, value) for partition in range(n)]
            )
        await asyncio.gather(*waits)
        self._metrics.stream_time.labels("collect").set(now.timestamp())

    # Sources

    async def _poll_on(self, source: Source) -> None:
        wait = self._random.uniform(0, min(_LONGEST_FIRST_WAIT, source.interval * _JITTER))
        while not await self._stopped_within(wait):
            asked = await self.poll(source.name)
            spread = self._random.uniform(1 - _JITTER, 1 + _JITTER)
            wait = max(source.interval * spread, asked)

    async def poll(self, name: str) -> float:
        """Poll one source, store what is new, then commit its cursor.

        Returns:
            How long the far end asked us to wait before the next poll, in seconds.

        Raises:
            KeyError: There is no such source.
            aiokafka.errors.KafkaError: The broker refuses for good what the source brought.
        """
        source = self._sources[name]
        reports: Sequence[Report] = ()
        rejects: Sequence[Reject] = ()
        error: str | None = None
        wait = 0.0
        try:
            reports = await source.poll()
            rejects = source.rejects
        except SourceError as failure:
            error, wait = failure.reason, failure.retry_after or 0.0
            _log.warning("source_failed", source=name, reason=error, detail=failure.detail)
        except Exception:  # one source's defect must not stop the others
            error = "internal_error"
            _log.exception("source_failed", source=name, reason=error)
        self._count(name, error)
        if await self._store(name, reports, rejects, error) and error is None:
            await self._commit(source)
        return wait

    def _count(self, name: str, error: str | None) -> None:
        if error is None:
            self._metrics.source_success.labels(name).set(self._clock().timestamp())
        else:
            self._metrics.source_failures.labels(name).inc()

    async def _commit(self, source: Source) -> None:
        try:
            await source.commit()
        except SourceError as failure:
            # The reports are stored; without the cursor they come again after a restart.
            self._metrics.source_failures.labels(source.name).inc()
            _log.error("cursor_failed", source=source.name, reason=failure.reason)

    async def _store(
        self, name: str, reports: Sequence[Report], rejects: Sequence[Reject], error: str | None
    ) -> bool:
        """Send what a poll brought until the broker has it; return False if stopped before."""
        wait = _FIRST_RETRY
        while True:
            try:
                await self._send(name, reports, rejects, error)
            except KafkaError as failure:
                _refuse_fatal(failure)
                _log.warning("reports_not_stored", source=name, error=repr(failure))
            else:
                self._metrics.records_processed.labels("collect").inc(len(reports))
                if reports or rejects:
                    _log.info("collected", source=name, reports=len(reports), rejects=len(rejects))
                return True
            if await self._stopped_within(wait):
                return False
            wait = min(wait * 2, _LONGEST_RETRY)

    async def _send(
        self, name: str, reports: Sequence[Report], rejects: Sequence[Reject], error: str | None
    ) -> None:
        letters = [self._letter(name, each.raw, each.reason, each.detail) for each in rejects]
        async with self._lock:
            now = self._now()
            outputs: list[Output] = []
            for report in reports:
                stamped = msgspec.structs.replace(report, seen_at=now)
                value = encode(stamped)
                if len(value) <= LARGEST_BYTES:
                    outputs.append(self._output(stamped.source, value))
                else:
                    size = f"{len(value)} bytes, at most {LARGEST_BYTES}: {report.id}"
                    letters.append(self._letter(name, value[:_LARGEST_LETTER], "too_large", size))
            beat = Heartbeat(source=name, seen_at=now, error=error)
            outputs.append(self._output(name, encode(beat)))
            waits = await send(self._producer, [*letters, *outputs])
        await asyncio.gather(*waits)
        for letter in letters:
            self._metrics.dead_letters.labels(dict(letter.headers)[REASON].decode()).inc()

    def _output(self, source: str, value: bytes) -> Output:
        partition = partition_of(source, self._layout.partitions)
        return Output(self._layout.name(topics.REPORTS), partition, source.encode(), value)

    def _letter(self, source: str, raw: bytes, reason: str, detail: str) -> Output:
        """Return the dead letter of what a source brought; it has no place in Kafka yet."""
        headers = {
            REASON: reason,
            DETAIL: detail[:500],
            STAGE: "collect",
            TOPIC: source,
            PARTITION: "",
            OFFSET: "",
        }
        return Output(
            topic=self._layout.name(topics.DEAD_LETTERS),
            partition=partition_of(source, self._layout.partitions),
            key=source.encode(),
            value=raw,
            headers=tuple((key, text.encode(errors="replace")) for key, text in headers.items()),
        )


def _refuse_fatal(error: KafkaError) -> None:
    """Raise again what sending once more does not mend."""
    if not (error.retriable or isinstance(error, KafkaTimeoutError)):
        raise error
