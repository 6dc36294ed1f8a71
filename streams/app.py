"""The only wiring: settings in, a worker out that runs every stage.

A worker is a Faust app with one agent for each stage, on the transport of `streams/transport.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import faust
from faust.types import AppT

from streams import kafka, topics
from streams.agents import alert, code, deliver, detect, route
from streams.agents.deadletters import DeadLetters
from streams.agents.stage import Core, Stage, producer_of, send
from streams.delivery.courier import Courier
from streams.delivery.mailbox import Terms
from streams.delivery.means import Installation
from streams.delivery.office import Post
from streams.metrics import Metrics
from streams.settings import Settings
from streams.sinks import FORGETFUL, SINKS
from streams.sinks.base import SinkContext
from streams.sinks.documents import DocumentSink
from streams.state import StateTopic
from streams.subscriptions import Directory
from streams.transport import Batch, BatchSchema, Transport

STAGES: Final = ("code", "detect", "alert")


class App(faust.App):  # type: ignore[misc]
    """A Faust app on the batch transport."""

    idempotent = True  # whether its producer is

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Transport:
        return Transport(self.conf.broker_producer, self)


def new_app(settings: Settings) -> App:
    """Return a Faust app with our transport and no agents yet."""
    session = settings.kafka.session_seconds
    app = App(
        settings.kafka.group,
        **kafka.faust_options(settings.kafka),
        autodiscover=False,
        web_enabled=False,
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        stream_buffer_maxsize=32,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.kafka.instance,
        broker_session_timeout=session,
        broker_heartbeat_interval=session / 6,
        broker_request_timeout=max(90.0, session + 10),
        broker_commit_interval=1.0,
        broker_max_poll_records=2_000,
        producer_max_batch_size=512 * 1024,
        producer_max_request_size=topics.LARGEST_MESSAGE,
        producer_request_timeout=60.0,
        worker_redirect_stdouts=False,
    )
    app.idempotent = settings.kafka.idempotent
    return app


class Worker:
    """Runs the stages of one process."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        *,
        deliveries: tuple[SinkContext, Directory] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the settings and the metrics.

        Args:
            settings: All settings.
            metrics: Where the stages are measured.
            deliveries: What sinks need, and all subscriptions; None: nothing is delivered.
            now: The clock.
        """
        self._settings = settings
        self._metrics = metrics
        self._layout = kafka.layout(settings.kafka)
        self.app = new_app(settings)
        self.stages: dict[str, Stage] = {}
        grid = settings.grid()
        self._add(
            "code",
            topics.REPORTS,
            topics.STATE_CODE,
            code.new_core(self._layout, grid, settings.steps.disorder, metrics, now),
        )
        self._add(
            "detect",
            topics.EVENTS,
            topics.STATE_DETECT,
            detect.new_core(self._layout, grid, metrics, settings.judge()),
        )
        self._add(
            "alert",
            topics.SCORES,
            topics.STATE_ALERT,
            alert.new_core(self._layout, grid, settings.policy(), metrics),
        )
        self._add_commands()
        if deliveries is not None:
            self._add_deliveries(*deliveries)

    def _channel(self, topic: topics.Topic) -> Any:  # noqa: ANN401 - Faust's own type
        return self.app.topic(
            self._layout.name(topic),
            schema=BatchSchema(key_serializer="raw", value_serializer="raw"),
        )

    def _add(
        self,
        name: str,
        topic: topics.Topic,
        state: topics.Topic,
        new_core: Callable[[int], Core],
        *,
        timed: bool = False,
    ) -> None:
        async def agent(stream: Any) -> None:  # noqa: ANN401 - Faust's own type
            stage = self._stage(name, state, new_core, topic if timed else None)
            async for _ in stage.run(stream):
                pass

        self.app.agent(self._channel(topic), name=name)(_guarded(self.app, agent))

    def _stage(
        self,
        name: str,
        state: topics.Topic,
        new_core: Callable[[int], Core],
        timed: topics.Topic | None = None,
    ) -> Stage:
        """Return a stage, made when Faust has its producer; `timed`: the topic of such a one."""
        if name not in self.stages:
            self.stages[name] = Stage(
                name,
                new_core,
                StateTopic(
                    self._layout.name(state),
                    lambda: kafka.reader(self._settings.kafka),
                    producer_of(self.app),
                ),
                checkpoint_seconds=self._settings.worker.checkpoint_seconds,
                metrics=self._metrics,
                timed=None if timed is None else self._layout.name(timed),
            )
        return self.stages[name]

    def _add_commands(self) -> None:
        dead = DeadLetters("commands", topics.COMMANDS, self._layout, self._metrics)

        async def agent(stream: Any) -> None:  # noqa: ANN401
            async for event in stream.events():
                batch: Batch = event.value
                outputs = alert.forward(batch.records, batch.partition, self._layout, dead)
                for wait in await send(producer_of(stream.app), outputs):
                    await wait

        channel = self._channel(topics.COMMANDS)
        self.app.agent(channel, name="commands")(_guarded(self.app, agent))

    def _add_deliveries(self, context: SinkContext, directory: Directory) -> None:
        """Add the stages that tell subscribers: who is told of what, and how it gets there."""
        settings, metrics = self._settings, self._metrics
        self._add(
            "route",
            topics.ALERTS,
            topics.STATE_ROUTE,
            route.new_core(self._layout, directory, metrics, context.now, FORGETFUL),
            timed=True,
        )
        sinks = {name: make(context) for name, make in SINKS.items()}
        means = Installation(settings, context.now)
        courier = Courier(self._layout, directory, sinks, means, metrics, context.now)
        terms = Terms(
            attempts=settings.delivery.attempts,
            stale=timedelta(hours=settings.delivery.stale_hours),
            documents=frozenset(n for n, each in sinks.items() if isinstance(each, DocumentSink)),
        )
        new_core = deliver.new_core(self._layout, terms, metrics, courier.wake, context.now)

        async def agent(stream: Any) -> None:  # noqa: ANN401
            stage = self._stage("deliver", topics.STATE_DELIVER, new_core, topics.OUTBOX)
            try:
                await Post(self.app, stage, courier).run(stream)
            finally:
                for sink in sinks.values():
                    await sink.close()

        self.app.agent(self._channel(topics.OUTBOX), name="deliver")(_guarded(self.app, agent))

    async def start(self) -> None:
        """Join the group and begin to work."""
        await self.app.start()

    async def stop(self) -> None:
        """Write last checkpoints, acknowledge what they cover, and leave the group."""
        try:
            if self.failure is None and self.app.started:
                for stage in self.stages.values():
                    await stage.checkpoint(self.app)
                await self.app.consumer.commit()
            await self.app.stop()
        finally:
            # Where Faust was cut off, its supervisors would start cancelled agents for ever.
            for agent in self.app.agents.values():
                if agent.supervisor is not None:
                    agent.supervisor._stopped_set()

    @property
    def failure(self) -> BaseException | None:
        """What crashed the worker, if anything did."""
        reason: BaseException | None = self.app.crash_reason
        return reason

    def time(self, stage: str) -> int:
        """Return the stream time that all partitions of a stage have reached here, in seconds.

        0 while this worker does not have all of them, or has not begun.
        """
        times = self.stages[stage].times() if stage in self.stages else {}
        if len(times) < self._layout.partitions:
            return 0
        return min(times.values())


def _guarded(app: AppT, agent: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Crash the app when an agent does: a supervisor starts it anew from the last checkpoint.

    Faust would acknowledge what failed and go on with the next.
    """

    async def guarded(stream: Any) -> None:  # noqa: ANN401
        try:
            await agent(stream)
        except Exception as error:
            await app.crash(error)
            raise

    return guarded
