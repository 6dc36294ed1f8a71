"""The whole line on a broker, for tests: feed it, run workers in processes of their own, read it.

A worker runs as `python -m tests.kafka.line`, with its settings in the environment, until it gets
SIGTERM; SIGKILL it at will.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import MappingProxyType

import msgspec
from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from detectors.alerting import DeskState
from detectors.monitor import Monitor
from detectors.records import Alert, Report
from detectors.timegrid import Grid, seconds
from streams import kafka, replay, topics
from streams.app import Worker
from streams.codecs import encode
from streams.metrics import build_metrics
from streams.settings import Kafka, Settings, load
from streams.settings import Worker as WorkerSettings
from streams.state import MARK

ROOT = Path(__file__).parents[2]
DEADLINE = 240.0  # seconds for one whole replay
STOP_SECONDS = 10.0
Revisions = dict[str, list[bytes]]  # alert id -> its revisions, in order


def settings(bootstrap: str, prefix: str, partitions: int, *, embedded: bool = False) -> Settings:
    """Settings of a line of its own on a broker."""
    return Settings(
        kafka=Kafka(
            bootstrap=bootstrap,
            prefix=prefix,
            group=prefix,
            partitions=partitions,
            session_seconds=6,
            idempotent=not embedded,
        ),
        worker=WorkerSettings(checkpoint_seconds=0.5),
    )


def scenario() -> list[Report]:
    """The reports of the bundled scenario."""
    return [r for r in replay.read("doha-2020") if isinstance(r, Report)]


def shuffled(reports: Sequence[Report], seed: int) -> list[Report]:
    """The reports in another order within each minute."""
    order = Random(seed)
    keyed = [(seconds(r.seen_at) // 60, order.random(), r) for r in reports]
    return [report for _, _, report in sorted(keyed, key=lambda k: k[:2])]


def doubled(reports: Iterable[Report]) -> list[Report]:
    """Every report twice."""
    return [report for report in reports for _ in range(2)]


def inline(reports: Iterable[Report]) -> Revisions:
    """What the reports come to in process."""
    found: Revisions = {}
    for alert in Monitor().run(replay.timed(reports, Grid())):
        found.setdefault(alert.id, []).append(encode(alert))
    return found


def fed(options: Settings, reports: Iterable[Report]) -> int:
    """Create the topics, send the reports; return the stream time at which all is decided."""
    admin = kafka.admin(options.kafka)
    try:
        topics.create(admin, options.kafka.prefix, options.kafka.partitions)
    finally:
        admin.close()

    async def send() -> int:
        async with kafka.producer(options.kafka) as producer:
            records = replay.timed(reports, options.grid())
            return await replay.feed(producer, kafka.layout(options.kafka), records)

    return asyncio.run(send())


@contextmanager
def worker(
    options: Settings,
    name: str = "one",
    module: str = "tests.kafka.line",
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker in a process of its own; it is told to stop at the end.

    Args:
        options: How the line lies on the broker.
        name: Of the worker in its group.
        module: What is run.
        more: Further settings, as environment variables.
    """
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")},
        "PYTHONPATH": str(ROOT),
        "TOCSIN_KAFKA_INSTANCE": name,
        "TOCSIN_KAFKA_BOOTSTRAP": str(options.kafka.bootstrap),
        "TOCSIN_KAFKA_PREFIX": options.kafka.prefix,
        "TOCSIN_KAFKA_GROUP": options.kafka.group,
        "TOCSIN_KAFKA_PARTITIONS": str(options.kafka.partitions),
        "TOCSIN_KAFKA_IDEMPOTENT": str(options.kafka.idempotent),
        "TOCSIN_KAFKA_SESSION_SECONDS": str(options.kafka.session_seconds),
        "TOCSIN_WORKER_CHECKPOINT_SECONDS": str(options.worker.checkpoint_seconds),
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def wait_until_it_works(process: subprocess.Popen[bytes]) -> None:
    """Wait until a worker has taken its first batch."""
    said: list[bytes] = []
    for said_now in process.stdout or ():
        if said_now == b"at work\n":
            return
        said.append(said_now)
    raise AssertionError(f"the worker ended with {process.wait(20)} before its first batch: {said}")


async def _read(
    options: Settings, end: int, workers: Sequence[subprocess.Popen[bytes]]
) -> Revisions:
    """Wait until all partitions have decided up to `end`; return the alert revisions."""
    layout = kafka.layout(options.kafka)
    marks = [TopicPartition(layout.name(topics.STATE_ALERT), p) for p in range(layout.partitions)]
    closed = dict.fromkeys(marks, 0)
    async with kafka.reader(options.kafka) as reader:
        reader.assign(marks)
        while min(closed.values()) < end:
            for each in workers:
                assert each.poll() is None, f"a worker ended with {each.poll()} at {closed}"
            for tp, records in (await reader.getmany(timeout_ms=200)).items():
                for record in records:
                    if record.key == MARK:
                        mark = zlib.decompress(record.value)
                        closed[tp] = msgspec.json.decode(mark, type=DeskState).closed
    return await revisions(options)


async def revisions(options: Settings) -> Revisions:
    """Return all alert revisions so far; one that was sent twice must be the same both times."""
    layout = kafka.layout(options.kafka)
    tps = [TopicPartition(layout.name(topics.ALERTS), p) for p in range(layout.partitions)]
    found: Revisions = {}
    async with kafka.reader(options.kafka) as reader:
        reader.assign(tps)
        for tp in tps:
            while reader.highwater(tp) is None or await reader.position(tp) < reader.highwater(tp):
                for record in (await reader.getmany(tp, timeout_ms=200)).get(tp, ()):
                    _note(found, record.value)
    return found


def _note(found: Revisions, value: bytes) -> None:
    alert = msgspec.json.decode(value, type=Alert)
    known = found.setdefault(alert.id, [])
    if alert.revision < len(known):
        assert known[alert.revision] == value, f"{alert.id} revision {alert.revision} was rewritten"
    else:
        assert alert.revision == len(known), f"{alert.id} lacks revision {len(known)}"
        known.append(value)


def decided(options: Settings, end: int, *workers: subprocess.Popen[bytes]) -> Revisions:
    """Wait until everything up to `end` is decided; return the alert revisions.

    The workers must not end meanwhile.
    """
    return asyncio.run(asyncio.wait_for(_read(options, end, workers), DEADLINE))


async def _work(options: Settings, ready: Callable[[], None]) -> None:
    line = Worker(options, build_metrics(CollectorRegistry()))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    def at_work() -> bool:
        return stop.is_set() or any(stage.times() for stage in line.stages.values())

    try:
        await line.start()
        await replay.until(at_work, lambda: line.failure)
        ready()
        await replay.until(stop.is_set, lambda: line.failure)
    finally:
        await asyncio.wait_for(line.stop(), STOP_SECONDS)


if __name__ == "__main__":
    asyncio.run(_work(load(), lambda: print("at work", flush=True)))
