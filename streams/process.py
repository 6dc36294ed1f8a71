"""One process of Tocsin, put together: collector, worker, projector, and their HTTP server.

`serve` runs one until it is told to stop or a part of it fails. `Process` is the same as a context,
for whatever feeds the line by other means (a demonstration, a replay).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from datetime import UTC, datetime
from importlib import metadata
from types import TracebackType
from typing import Final, Self

import structlog
from prometheus_client import CollectorRegistry

from streams import kafka, topics
from streams.app import STAGES, Worker
from streams.broker import VOLATILE, EmbeddedBroker
from streams.codecs import REASONS
from streams.collect import Collector
from streams.delivery.pages import pages_of
from streams.metrics import Server, build_metrics, declare, show_build
from streams.metrics import serve as serve_http
from streams.published import Published
from streams.settings import Kafka, Settings
from streams.sinks import SINKS, SinkContext
from streams.sinks.context import context_of
from streams.store import Store
from streams.store.projector import Projector
from streams.subscriptions import Directory

#: The exit code of a process that failed and should be started again (sysexits: software error).
FAILED: Final = 70
#: Each part has so long to stop before it is cut off: below 10 s in all, also without a broker.
_PART_SECONDS: Final = 2.0
_WORKER_SECONDS: Final = 4.0
_PRODUCER_SECONDS: Final = 1.5
_BEAT_SECONDS: Final = 0.2
_DEAF_SECONDS: Final = 15.0
_LAG_SECONDS: Final = 5.0
_STAGE_TOPICS: Final = {
    "code": topics.REPORTS,
    "detect": topics.EVENTS,
    "alert": topics.SCORES,
    "route": topics.ALERTS,
    "deliver": topics.OUTBOX,
}
_log = structlog.get_logger(__name__)


class PartFailedError(RuntimeError):
    """A part of the process has ended and must not have; the message says which and why."""

    def __init__(self, part: str, reason: BaseException | None) -> None:
        """Take the part, and what it raised (None: it ended without a word)."""
        super().__init__(f"the {part} {'ended' if reason is None else f'failed: {reason!r}'}")
        self.part = part
        self.__cause__ = reason


class Process:
    """One process: enter it to start all of its parts, leave it to stop them in order.

    Attributes:
        settings: What it runs with.
        layout: How the topics lie.
        metrics: Its metrics, on a registry of their own.
        producer: Its producer, for whoever feeds the line.
        worker: The stages.
        store: The projection. It is read also where this process does not fill it.
        projector: What fills the store, if this process does.
        collector: What polls the sources, if this process does.
        server: Serves metrics, health and the feed.
    """

    def __init__(
        self, settings: Settings, *, collect: bool = True, store: bool = True, deliver: bool = True
    ) -> None:
        """Choose the parts; nothing is started yet.

        Args:
            settings: All settings.
            collect: Poll the sources and tell the stream time: one process of an installation.
            store: Fill the store: one process of an installation. The others read it.
            deliver: Send alerts to subscribers. The same in all processes of a group.
        """
        self.settings = settings
        self.layout = kafka.layout(settings.kafka)
        self._registry = CollectorRegistry()
        self.metrics = build_metrics(self._registry)
        self._parts = {"collect": collect, "store": store, "deliver": deliver}
        self._exit = AsyncExitStack()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._since = datetime.now(UTC)
        self._beat = time.monotonic()
        self._has_joined = self._is_stopping = False
        self.projector: Projector | None = None
        self.collector: Collector | None = None

    async def __aenter__(self) -> Self:
        """Create missing topics and start all parts; a failure stops what was started.

        Raises:
            SettingsError: No broker is set.
            SourceConfigError: A source is configured in a way that cannot work.
            ValueError: The store's address cannot be used.
            TopicError: A topic cannot be created, or has another number of partitions.
            KafkaError: The broker does not answer, or refuses.
            OSError: The metrics port is taken.
        """
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._exit = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the parts: first what feeds the line, then the line, then what reads from it."""
        self._is_stopping = True
        await self._exit.aclose()

    @property
    def address(self) -> str:
        """Where `/metrics`, `/healthz`, `/readyz`, `/feed.atom` and `/feeds/` are served."""
        host = self.settings.worker.metrics_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server.port}"

    @property
    def failure(self) -> PartFailedError | None:
        """What failed, if anything did: the process should be ended and started anew."""
        if self.worker.failure is not None:
            return PartFailedError("worker", self.worker.failure)
        for name, task in self._tasks.items():
            if task.done():
                return PartFailedError(name, None if task.cancelled() else task.exception())
        return None

    def why_unhealthy(self) -> str | None:
        """Return None while the event loop answers, else how long it has not."""
        silent = time.monotonic() - self._beat
        return (
            f"the event loop has not answered for {silent:.0f} s"
            if silent > _DEAF_SECONDS
            else None
        )

    def why_unready(self) -> str | None:
        """Return None once partitions are assigned and the store is level, else what is missing."""
        if self._is_stopping:
            return "stopping"
        if (failure := self.failure) is not None:
            return str(failure)
        if not self._has_joined:
            return "the worker has not joined its group yet"
        if self.projector is not None and not self.projector.is_live:
            return "the store has not read all of the topics yet"
        return None

    # Starting

    async def _start(self, stack: AsyncExitStack) -> None:
        settings = self.settings
        self.producer = kafka.producer(settings.kafka)
        if self._parts["collect"]:
            self.collector = Collector(settings, self.layout, self.producer, self.metrics, _now)
        await asyncio.to_thread(create_topics, settings.kafka)
        self.store = await asyncio.to_thread(
            Store, settings.store_url(), evidence_days=settings.worker.evidence_days
        )
        stack.callback(self.store.close)
        await self.producer.start()
        stack.push_async_callback(_stop, "producer", self.producer.stop, _PRODUCER_SECONDS)
        self._declare()
        self.directory = Directory(settings, self.metrics)
        context = self._sink_context()
        deliveries = None if context is None else (context, self.directory)
        self.worker = Worker(settings, self.metrics, deliveries=deliveries)
        self.worker.app.on_partitions_assigned.connect(self._note_joined, weak=False)
        self.server = stack.enter_context(self._serve_http())
        if self._parts["store"]:
            self.projector = Projector(settings, self.store, self.metrics)
            self._begin(stack, "projector", self.projector)
        if deliveries is not None:
            self._begin(stack, "directory", self.directory)
            await self._know_subscriptions()
        stack.push_async_callback(_stop, "worker", self._stop_worker, _WORKER_SECONDS)
        await self.worker.start()
        if self.collector is not None:
            self._begin(stack, "collector", self.collector)
        pulse = asyncio.create_task(self._pulse(), name="pulse")
        self._tasks["pulse"] = pulse
        stack.callback(pulse.cancel)

    async def _know_subscriptions(self) -> None:
        """Wait until all subscriptions are known: before that nobody could be told."""
        ready = asyncio.create_task(self.directory.ready())
        try:
            await asyncio.wait({ready, self._tasks["directory"]}, return_when="FIRST_COMPLETED")
        finally:
            ready.cancel()
        if (failure := self._tasks["directory"]).done():
            failure.result()

    def _declare(self) -> None:
        show_build(self.metrics, metadata.version("tocsin"))
        declare(
            self.metrics,
            stages=("collect", *STAGES, "route", "deliver", "store"),
            sources=[source.name for source in self.settings.sources],
            sinks=SINKS,
            reasons=REASONS,
        )

    def _sink_context(self) -> SinkContext | None:
        if not self._parts["deliver"]:
            return None
        store = self.store
        return context_of(
            self.settings, alerts_for=store.alerts_for, revisions=store.revisions, now=_now
        )

    def _serve_http(self) -> Server:
        worker = self.settings.worker
        published = Published(self.settings, self.store, self._since)
        return serve_http(
            self._registry,
            worker.metrics_host,
            worker.metrics_port,
            healthy=self.why_unhealthy,
            ready=self.why_unready,
            feed=lambda: published.feed(self.address),
            documents=published.document,
            pages=pages_of(self.settings, self.directory, self.producer, self.layout),
        )

    def _begin(
        self, stack: AsyncExitStack, name: str, part: Projector | Collector | Directory
    ) -> None:
        task = asyncio.create_task(part.run(), name=name)
        self._tasks[name] = task

        async def stop() -> None:
            del self._tasks[name]  # from here on it may end
            part.stop()
            _, pending = await asyncio.wait({task}, timeout=_PART_SECONDS)
            if pending:
                task.cancel()
                await asyncio.wait({task}, timeout=_PART_SECONDS)
                _log.warning("part_cut_off", part=name, after_seconds=_PART_SECONDS)
            elif not task.cancelled() and (error := task.exception()) is not None:
                _log.warning("part_failed", part=name, error=repr(error))

        stack.push_async_callback(stop)

    async def _stop_worker(self) -> None:
        """Commit what is acknowledged, which Faust leaves undone, then leave the group."""
        if self._has_joined and self.worker.failure is None:
            await self.worker.app.consumer.commit()
        await self.worker.stop()

    # Running

    async def _note_joined(self, *_: object, **__: object) -> None:
        self._has_joined = True

    async def _pulse(self) -> None:
        """Show that the event loop answers, and how far behind the stages are."""
        measured = 0.0
        while True:
            self._beat = time.monotonic()
            if self._beat - measured > _LAG_SECONDS:
                measured = self._beat
                await self._measure_lag()
            await asyncio.sleep(_BEAT_SECONDS)

    async def _measure_lag(self) -> None:
        consumer = self.worker.app.consumer
        if not self._has_joined or self.worker.app.rebalancing:
            return
        assigned = consumer.assignment()
        for stage, topic in _STAGE_TOPICS.items():
            name = self.layout.name(topic)
            ends = {tp: consumer.highwater(tp) for tp in assigned if tp.topic == name}
            if ends and None not in ends.values():
                behind = [end - await consumer.position(tp) for tp, end in ends.items()]
                self.metrics.consumer_lag.labels(stage).set(max(0, sum(behind)))


async def _stop(part: str, stop: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Stop a part; cut it off when it takes too long. What it had not finished comes again."""
    try:
        await asyncio.wait_for(stop(), seconds)
    except TimeoutError:
        _log.warning("part_cut_off", part=part, after_seconds=seconds)


async def serve(
    settings: Settings,
    *,
    embedded: bool = False,
    collect: bool = True,
    store: bool = True,
    until: asyncio.Event | None = None,
    started: Callable[[Process], None] = lambda _: None,
) -> int:
    """Run one process until SIGTERM, SIGINT or `until`, or until a part of it fails.

    The first signal stops it in order, a second one at once.

    Args:
        settings: All settings.
        embedded: Bring a broker in memory, and forget everything at the end.
        collect: Poll the sources.
        store: Fill the store.
        until: Stops the process when it is set.
        started: Called once all parts run.

    Returns:
        The exit code: 0 when it was told to stop, `FAILED` when a part failed (the log says which).

    Raises:
        As `Process`, while starting; BrokerError where the embedded broker does not start.
    """
    stop = until or asyncio.Event()
    with ExitStack() as stack:
        stack.enter_context(_signals(stop))
        broker = stack.enter_context(EmbeddedBroker()) if embedded else None
        if broker is not None:
            settings = with_embedded(settings, broker)
            folder = settings.worker.data_dir
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            _log.warning("embedded_broker", note=VOLATILE, bootstrap=broker.bootstrap)
        async with Process(settings, collect=collect, store=store) as process:
            started(process)
            _log.info("started", collect=collect, store=store, address=process.address)
            failure = await _watch(process, stop, broker)
            if failure is None:
                _log.info("stopping")
            else:
                _log.critical("process_failed", part=failure.part, reason=str(failure))
    return 0 if failure is None else FAILED


async def _watch(
    process: Process, stop: asyncio.Event, broker: EmbeddedBroker | None
) -> PartFailedError | None:
    """Wait until the process is to stop (None), or a part fails."""
    while not stop.is_set():
        if (failure := process.failure) is not None:
            return failure
        if broker is not None and not _runs(broker.pid):
            return PartFailedError("embedded broker", None)
        try:
            await asyncio.wait_for(stop.wait(), _BEAT_SECONDS)
        except TimeoutError:
            continue
    return None


def embedded_kafka(options: Kafka, broker: EmbeddedBroker) -> Kafka:
    """Return how to reach an embedded broker, with the topics laid as they are otherwise."""
    return Kafka(
        bootstrap=broker.bootstrap,
        prefix=options.prefix,
        partitions=options.partitions,
        group=options.group,
        idempotent=False,
        session_seconds=6,
    )


def with_embedded(settings: Settings, broker: EmbeddedBroker) -> Settings:
    """Return the settings for a run on an embedded broker.

    It cannot do idempotent producers, joins slowly with long sessions, and forgets everything: so
    the cursors, the store and the feed are in a new folder of their own, below `worker.data_dir`.
    """
    folder = settings.worker.data_dir / f"embedded-{broker.pid}"
    shutil.rmtree(folder, ignore_errors=True)
    own = embedded_kafka(settings.kafka, broker)
    worker = settings.worker.model_copy(update={"data_dir": folder, "store": None})
    return settings.model_copy(update={"kafka": own, "worker": worker})


def create_topics(options: Kafka) -> tuple[str, ...]:
    """Create the topics that are missing, and name them. Blocks for up to some seconds.

    Raises:
        TopicError: A topic cannot be created, or one that is there has another number of
            partitions than `kafka.partitions`: keys would be looked for in the wrong place.
        KafkaError: The broker does not answer, or refuses.
    """
    admin = kafka.admin(options)
    try:
        made = topics.create(admin, options.prefix, options.partitions, options.replication)
        found = topics.diff(admin, options.prefix, options.partitions)
        wrong = [each for each in found if each.fault == "partitions"]
        if wrong:
            raise topics.TopicError(
                "; ".join(
                    f"{each.topic} has {each.found} partitions, not {each.expected}: {each.mend}"
                    for each in wrong
                )
            )
        return made
    finally:
        admin.close()


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set `stop`, and a second one end the process on the spot."""
    loop = asyncio.get_running_loop()
    handled = (signal.SIGTERM, signal.SIGINT)

    def said(number: signal.Signals) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in handled:
        loop.add_signal_handler(number, said, number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _now() -> datetime:
    return datetime.now(UTC)
