"""The parts of `bench_line.py`, each a process of its own, so that its CPU is counted alone.

`python line_parts.py PART OPTIONS-AS-JSON` runs one of `PARTS` and prints JSON lines: while it
works, how far it is; at the end, what it took. What was spent before the first record came, such
as imports and joining a group, is not counted.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import pstats
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import faust
import msgspec
import workload
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from detectors.monitor import BATCH, Monitor
from streams import kafka, replay, topics
from streams.app import STAGES, Worker
from streams.codecs import decoder, encode
from streams.metrics import build_metrics
from streams.settings import Kafka, Settings, Steps

_TELL_SECONDS = 0.1
_TOP = 25


class Options(msgspec.Struct):
    """What a part is told."""

    bootstrap: str = ""
    prefix: str = ""
    idempotent: bool = True
    partitions: int = 4
    reports: int = 0  # how many reports the topic holds
    records: int = 0  # how many records: with the ticks
    end: int = 0  # stream time, seconds, at which the line is done; 0: never
    fine: int = 60
    instance: str | None = None
    profile: bool = False

    def settings(self) -> Settings:
        """Return the settings of a worker."""
        return Settings(
            kafka=Kafka(
                bootstrap=self.bootstrap, prefix=self.prefix, group=self.prefix,
                partitions=self.partitions, idempotent=self.idempotent, instance=self.instance,
                # Joins of the embedded broker take half the session's time.
                session_seconds=30 if self.idempotent else 6,
            ),
            steps=Steps(fine=self.fine),
        )  # fmt: skip


def tell(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Meter:
    """Wall and processor time since the first record."""

    def __init__(self) -> None:
        self._wall = self._used = 0.0

    def start(self) -> None:
        self._wall, self._used = time.perf_counter(), _cpu()

    def result(self, reports: int) -> dict[str, float]:
        wall, used = time.perf_counter() - self._wall, _cpu() - self._used
        return {
            "reports": reports,
            "wall_seconds": wall,
            "cpu_seconds": used,
            "reports_per_second": reports / wall,
            "reports_per_cpu_second": reports / used,
            "cpu_microseconds_per_report": 1e6 * used / reports,
            "peak_rss_bytes": peak_rss(),
        }


def peak_rss() -> int:
    """Return the most memory this program has had resident, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # `ru_maxrss` also counts the parent's, from before the program began
        line = next(x for x in status.read_text("ascii").splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@contextmanager
def profiled(wanted: bool) -> Iterator[None]:
    """Print the functions that took longest, by their own time, to stderr."""
    if not wanted:
        yield
        return
    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        stats = pstats.Stats(profile, stream=sys.stderr)
        stats.strip_dirs().sort_stats("tottime").print_stats(_TOP)
        stats.sort_stats("cumulative").print_stats(_TOP)


async def stock(options: Options) -> None:
    """A stock Faust agent that does nothing with the bytes it gets."""
    meter, count, done = Meter(), 0, asyncio.Event()
    app = faust.App(
        f"{options.prefix}-stock",
        broker=[f"kafka://{options.bootstrap}"],
        autodiscover=False,
        web_enabled=False,
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        worker_redirect_stdouts=False,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
    )
    name = kafka.layout(options.settings().kafka).name(topics.REPORTS)

    async def agent(stream: Any) -> None:
        nonlocal count
        async for _ in stream:
            if not count:
                meter.start()
            count += 1
            if count == options.records:
                tell(**meter.result(options.reports))
                done.set()

    topic = app.topic(name, key_serializer="raw", value_serializer="raw")
    app.agent(topic, name="nothing")(agent)
    await app.start()
    await _telling(done, lambda: count)
    await app.stop()


async def bare(options: Options) -> None:
    """An aiokafka loop that only decodes."""
    meter, decode, count = Meter(), decoder(*topics.REPORTS.values), 0
    settings = options.settings().kafka
    name = kafka.layout(settings).name(topics.REPORTS)
    consumer: AIOKafkaConsumer = kafka.reader(settings)
    await consumer.start()
    consumer.assign([TopicPartition(name, n) for n in range(options.partitions)])
    await consumer.seek_to_beginning()
    while count < options.records:
        for records in (await consumer.getmany(timeout_ms=1_000, max_records=2_000)).values():
            if not count:
                meter.start()
            for record in records:
                decode(record.value)
            count += len(records)
    tell(**meter.result(options.reports))
    await consumer.stop()


async def line(options: Options) -> None:
    """The whole line in one worker: reports in, alerts out."""
    meter, registry, done = Meter(), CollectorRegistry(), asyncio.Event()
    metrics = build_metrics(registry)
    worker = Worker(options.settings(), metrics)
    taken = metrics.records_processed.labels("code")._value  # to ask the registry is dear

    def stage(name: str, sample: str) -> float:
        return registry.get_sample_value(f"tocsin_{sample}", {"stage": name}) or 0.0

    async def follow() -> None:
        while not taken.get():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.002)
        meter.start()
        while not options.end or worker.time("alert") < options.end:
            if worker.failure is not None:
                raise RuntimeError("the worker crashed") from worker.failure
            await asyncio.sleep(0.02)
        result: dict[str, Any] = meter.result(options.reports)
        result["stages"] = {
            name: {
                "seconds": stage(name, "batch_duration_seconds_sum"),
                "records": stage(name, "records_processed_total"),
            }
            for name in STAGES
        }
        tell(**result)
        done.set()

    await worker.start()
    with profiled(options.profile):
        following = asyncio.create_task(follow())
        following.add_done_callback(lambda _: done.set())
        await _telling(done, lambda: int(taken.get()), worker.time)
        await following
    await worker.stop()


async def _telling(
    done: asyncio.Event, count: Callable[[], int], reached: Callable[[str], int] | None = None
) -> None:
    """Tell how far the part has come, until it is done."""
    while not done.is_set():
        at = {"time": reached("alert")} if reached else {}
        tell(progress=count(), **at)
        try:
            await asyncio.wait_for(done.wait(), _TELL_SECONDS)
        except TimeoutError:
            continue


async def inline(options: Options) -> None:
    """The same line in process, from bytes."""
    monitor = Monitor()
    fed = replay.timed(workload.feed_of(options.reports), monitor.grid)
    values = [encode(record) for record in fed]
    decode, meter, alerts = decoder(*topics.REPORTS.values), Meter(), 0
    monitor.take([])
    Monitor().take([next(workload.feed_of(1))])  # the dictionaries are compiled at first use
    with profiled(options.profile):
        meter.start()
        left = iter(values)
        while batch := list(islice(left, BATCH)):
            alerts += len(monitor.take([decode(value) for value in batch]).alerts)
        tell(**meter.result(options.reports), alerts=alerts)


PARTS = {"stock": stock, "bare": bare, "line": line, "inline": inline}

if __name__ == "__main__":
    asyncio.run(PARTS[sys.argv[1]](msgspec.json.decode(sys.argv[2], type=Options)))
