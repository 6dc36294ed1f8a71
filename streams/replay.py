"""Recorded reports back through the line: in process, or through Kafka.

Stream time is the reports' own `seen_at`; the wall clock plays no part. Both ways take the same
records in the same order, and come to the same alerts, byte for byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaProducer

from detectors.records import Heartbeat, Report, Tick
from detectors.timegrid import Grid, instant, seconds
from streams import topics
from streams.agents.stage import Output, send
from streams.codecs import encode
from streams.partitioning import partition_of
from streams.scenarios.render import SCENARIOS, render
from streams.sources import Reject, SourceConfig, replayer

Fed = Report | Heartbeat | Tick
_TICK_EVERY: Final = 50  # records: so often all partitions hear how far time has come
_SEND_EVERY: Final = 500


def read(what: str) -> Iterator[Report | Reject]:
    """Yield the reports of a file, or of a bundled scenario by its name.

    `.csv` files are read as UCDP GED or Candidate; anything else as JSON lines of reports.

    Raises:
        FileNotFoundError: when there is neither such a file nor such a scenario.
    """
    if what in SCENARIOS:
        yield from render(what)
        return
    path = Path(what)
    if not path.is_file():
        known = ", ".join(sorted(SCENARIOS))
        raise FileNotFoundError(f"no file and no scenario {what!r}; bundled scenarios: {known}")
    kind = "ucdp" if path.suffix == ".csv" else "jsonl"
    config = SourceConfig(kind=kind, name=path.stem, path=path)
    yield from replayer(config).read(path)


def timed(records: Iterable[Report | Heartbeat], grid: Grid) -> Iterator[Fed]:
    """Yield records with ticks among them, and a last tick that ends the last step.

    The ticks carry stream time to partitions that have no source of their own.
    """
    newest = 0
    for number, record in enumerate(records, 1):
        yield record
        newest = max(newest, seconds(record.seen_at))
        if number % _TICK_EVERY == 0:
            yield _tick(grid.floor(newest))
    if newest:
        yield _tick(end_of(newest, grid))


def end_of(newest: int, grid: Grid) -> int:
    """Return the stream time at which everything up to `newest` has been scored."""
    return (newest // grid.coarse + 1) * grid.coarse


def _tick(time: int) -> Tick:
    return Tick(partition=0, of=1, time=instant(time))


def outputs(record: Fed, layout: topics.Layout) -> list[Output]:
    """Return a record as it goes on the reports topic: a tick goes to every partition."""
    topic, n = layout.name(topics.REPORTS), layout.partitions
    value = encode(record)
    if isinstance(record, Tick):
        return [Output(topic, partition, None, value) for partition in range(n)]
    key = record.source
    return [Output(topic, partition_of(key, n), key.encode(), value)]


async def feed(
    producer: AIOKafkaProducer,
    layout: topics.Layout,
    records: Iterable[Fed],
    progress: Callable[[int], None] = lambda count: None,
) -> int:
    """Send records to Kafka in order; return the time of the last tick, in seconds.

    Raises:
        aiokafka.errors.KafkaError: when the broker did not take a record.
    """
    last = 0
    pending: list[Output] = []
    count = 0
    for record in records:
        pending.extend(outputs(record, layout))
        if isinstance(record, Tick):
            last = seconds(record.time)
        else:
            count += 1
        if len(pending) >= _SEND_EVERY:
            await asyncio.gather(*await send(producer, pending))
            pending.clear()
            progress(count)
    await asyncio.gather(*await send(producer, pending))
    progress(count)
    return last


async def until(
    reached: Callable[[], bool], failure: Callable[[], BaseException | None], every: float = 0.02
) -> None:
    """Wait until a condition holds; raise what failed meanwhile.

    Raises:
        RuntimeError: when the worker crashed, with its reason.
    """
    while not reached():
        crashed = failure()
        if crashed is not None:
            raise RuntimeError(f"the worker crashed: {crashed!r}") from crashed
        await asyncio.sleep(every)


__all__ = ["end_of", "feed", "outputs", "read", "timed", "until"]
