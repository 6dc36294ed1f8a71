"""From report to alert: a live feed, incidents planted in it, and a clock on the alerts.

History first: weeks in which nothing happens in any unit. Then reports of other news at a steady
rate, ticks five times a second as the pollers send them, and every second one unit gets incidents
from two publishers, enough that its alert opens at the end of the step. Times run from the moment
before the incidents' reports are handed to the producer to the moment their alert's record has
come back from the broker. A step of stream time ends up to a second after the report: that wait is
shown apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import workload
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from line_parts import Options

from detectors.records import Tick
from detectors.timegrid import instant
from detectors.world.units import of_kind
from streams import kafka, replay, topics
from streams.agents.stage import Output, send
from streams.codecs import decoder

RATE: Final = 100  # reports a second
HISTORY_ENDS: Final = 240  # seconds before the live feed begins
_HISTORY_DAYS: Final = 35  # a unit learns for four weeks
_TICKS_A_SECOND: Final = 5
_INCIDENTS: Final = 10  # of a burst
_FIRST_BURST: Final = 5  # seconds after the feed begins
_GRACE_SECONDS: Final = 15.0

_decode: Final = decoder(*topics.ALERTS.values)


def history(options: Options, end: float) -> list[replay.Fed]:
    """Return five weeks of other news from every source, up to a little before `end`."""
    last = datetime.fromtimestamp(end, UTC) - timedelta(seconds=HISTORY_ENDS - 120)
    grid = options.settings().grid()
    reports = workload.quiet(_HISTORY_DAYS, last)
    return [*workload.ticked(reports, grid), Tick(0, 1, instant(int(last.timestamp())))]


class _Feed:
    """The live feed, and what it measures."""

    def __init__(self, options: Options, producer: AIOKafkaProducer) -> None:
        self._layout = kafka.layout(options.settings().kafka)
        self._producer = producer
        self._units = [unit.code for unit in of_kind("admin1")]
        self.handed: dict[str, tuple[float, float]] = {}  # unit -> monotonic, wait for the step
        self.latencies: dict[str, float] = {}
        self.planted = False  # no more bursts will come
        self.all_told = asyncio.Event()  # every burst has its alert

    async def run(self, seconds: int) -> None:
        """Feed for so many seconds, in slices of a tick."""
        started = time.monotonic()
        slices = seconds * _TICKS_A_SECOND
        each = RATE // _TICKS_A_SECOND
        for number in range(slices):
            await asyncio.sleep(max(0.0, started + number / _TICKS_A_SECOND - time.monotonic()))
            now = datetime.now(UTC)
            records: list[replay.Fed] = [
                workload.one(
                    workload.SOURCES[(number * each + i) % len(workload.SOURCES)],
                    f"live/{number}/{i}",
                    now,
                )
                for i in range(each)
            ]
            await self._send([Tick(0, 1, instant(int(now.timestamp()))), *records])
            second, part = divmod(number, _TICKS_A_SECOND)
            # A little later each time, so that all parts of a step have their turn.
            due = second >= _FIRST_BURST and part == second % _TICKS_A_SECOND
            if due and self._units and not self.planted:
                await self._burst(self._units.pop(0))

    async def _burst(self, unit: str) -> None:
        now = datetime.now(UTC)
        reports = workload.burst(unit, now, _INCIDENTS)
        stamp = now.timestamp()
        self.handed[unit] = time.monotonic(), int(stamp) + 1 - stamp
        await self._send(reports)

    async def _send(self, records: Sequence[replay.Fed]) -> None:
        found: list[Output] = []
        for record in records:
            found.extend(replay.outputs(record, self._layout))
        await asyncio.gather(*await send(self._producer, found))

    async def watch(self, consumer: AIOKafkaConsumer) -> None:
        """Take the time of every alert on a unit with a burst."""
        async for record in consumer:
            alert = _decode(record.value)
            if alert.revision == 0 and alert.direction == "rise" and alert.unit in self.handed:
                took = time.monotonic() - self.handed[alert.unit][0]
                self.latencies.setdefault(alert.unit, took)
                if self.planted and len(self.latencies) == len(self.handed):
                    self.all_told.set()


async def measure(options: Options, seconds: int) -> dict[str, Any]:
    """Run the live feed for so many seconds; return the latencies."""
    settings = options.settings().kafka
    producer, consumer = kafka.producer(settings), kafka.reader(settings)
    await producer.start()
    await consumer.start()
    try:
        name = kafka.layout(settings).name(topics.ALERTS)
        consumer.assign([TopicPartition(name, n) for n in range(settings.partitions)])
        feed = _Feed(options, producer)
        watching = asyncio.create_task(feed.watch(consumer))
        await feed.run(seconds)
        feed.planted = True
        if len(feed.latencies) == len(feed.handed):
            feed.all_told.set()
        # Time must go on for the last bursts to be judged.
        after = asyncio.create_task(feed.run(int(_GRACE_SECONDS)))
        with contextlib.suppress(TimeoutError):  # the number of alerts will tell
            await asyncio.wait_for(feed.all_told.wait(), _GRACE_SECONDS)
        after.cancel()
        watching.cancel()
    finally:
        await consumer.stop()
        await producer.stop()
    waits = {unit: feed.handed[unit][1] for unit in feed.latencies}
    return {
        "reports_per_second": RATE,
        "fine_step_seconds": options.fine,
        "triggers": len(feed.handed),
        "alerts": len(feed.latencies),
        "total_seconds": _quantiles(list(feed.latencies.values())),
        "wait_for_step_seconds": _quantiles(list(waits.values())),
        "beyond_step_seconds": _quantiles(
            [took - waits[unit] for unit, took in feed.latencies.items()]
        ),
    }


def _quantiles(values: list[float]) -> dict[str, float]:
    """Return the median and the 99th percentile (nearest rank)."""
    if not values:
        raise RuntimeError("no alert came: nothing to measure")
    ordered = sorted(values)
    return {
        f"p{percent}": ordered[min(len(ordered) - 1, -(-percent * len(ordered) // 100) - 1)]
        for percent in (50, 99)
    }
