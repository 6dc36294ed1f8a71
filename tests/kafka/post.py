"""Delivery on a broker, for tests: a worker in a process of its own, and receivers that misbehave.

The worker runs as `python -m tests.kafka.post`, as `tests.kafka.line` does. It has no store: the
sinks that need one are not used.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random
from time import monotonic

from aiohttp import web
from prometheus_client import CollectorRegistry

from detectors.delivery_records import Subscription
from detectors.records import Alert
from streams import kafka, replay, topics
from streams.app import Worker
from streams.codecs import encode
from streams.metrics import build_metrics
from streams.partitioning import partition_of
from streams.settings import Settings, load
from streams.sinks.context import context_of
from streams.subscriptions import Directory, write

STOP_SECONDS = 20.0


class Receivers:
    """Receivers on one port, one for each subscription, that fail as told.

    Attributes:
        got: Of each subscription the ids, alerts and revisions that it took, as they came.
        ids: Of all messages that were taken.
        refused: How often each kind of trouble was made.
    """

    def __init__(self, trouble: float, seed: int = 5) -> None:
        self.got: dict[str, list[tuple[str, str, int, float]]] = {}
        self.ids: set[str] = set()
        self.refused: Counter[str] = Counter()
        self._trouble = trouble
        self._random = Random(seed)
        self._more = asyncio.Event()

    async def until(self, reached: Callable[[], bool], seconds: float) -> bool:
        """Wait until what was taken fulfils a condition; return whether it does in time."""
        end = monotonic() + seconds
        while not reached() and monotonic() < end:
            self._more.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), 1.0)
        return reached()

    @property
    def taken(self) -> int:
        """How many messages were taken."""
        return sum(map(len, self.got.values()))

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Take a message, or make trouble."""
        body = await request.read()
        if self._random.random() < self._trouble:
            kind = self._random.choice(("500", "429", "reset", "slow", "late"))
            self.refused[kind] += 1
            if kind == "reset":
                assert request.transport is not None
                request.transport.abort()
                return web.Response(status=500)
            if kind == "slow":
                return await _slow(request)
            if kind != "late":  # late: it is taken, but the answer never comes
                wait = {"Retry-After": "1"} if kind == "429" else {}
                return web.Response(status=int(kind), headers=wait)
        event = json.loads(body)
        name, alert = request.match_info["name"], event["data"]
        taken = (request.headers["webhook-id"], alert["id"], alert["revision"], monotonic())
        self.got.setdefault(name, []).append(taken)
        self.ids.add(taken[0])
        self._more.set()
        if self.refused and self._random.random() < self._trouble / 10:
            await asyncio.sleep(3.0)  # beyond the sender's patience
        return web.Response(status=204)


async def _slow(request: web.Request) -> web.StreamResponse:
    """Begin an answer that never ends."""
    answer = web.StreamResponse(status=500)
    await answer.prepare(request)
    with suppress(ConnectionError):  # the sender has had enough
        for _ in range(20):
            await answer.write(b"x" * 1_024)
            await asyncio.sleep(0.05)
    return answer


@asynccontextmanager
async def receiving(receivers: Receivers) -> AsyncIterator[str]:
    """Serve the receivers; yield the address that a subscription's name is put after."""
    app = web.Application(client_max_size=4 * 2**20)
    app.router.add_post("/{name}", receivers.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def subscribe(options: Settings, subscriptions: Iterable[Subscription]) -> None:
    """Write subscriptions to their topic."""
    async with kafka.producer(options.kafka) as producer:
        layout = kafka.layout(options.kafka)
        for subscription in subscriptions:
            await write(producer, layout, subscription)


async def tell(options: Settings, alerts: Sequence[Alert]) -> None:
    """Write alert revisions to their topic, in order."""
    layout = kafka.layout(options.kafka)
    async with kafka.producer(options.kafka) as producer:
        for alert in alerts:
            partition = partition_of(alert.id, layout.partitions)
            topic, key = layout.name(topics.ALERTS), alert.id.encode()
            await producer.send(topic, encode(alert), key, partition=partition)
        await producer.flush()


async def _work(options: Settings) -> None:
    metrics = build_metrics(CollectorRegistry())
    directory = Directory(options, metrics)
    context = context_of(options, alerts_for=lambda _: (), revisions=lambda _: ())
    reading = asyncio.create_task(directory.run())
    line = Worker(options, metrics, deliveries=(context, directory))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    try:
        await directory.ready()
        await line.start()
        await replay.until(stop.is_set, lambda: line.failure)
    finally:
        await asyncio.wait_for(line.stop(), STOP_SECONDS)
        directory.stop()
        await reading


if __name__ == "__main__":
    asyncio.run(_work(load()))
