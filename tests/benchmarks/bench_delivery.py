"""From an alert revision written to Kafka until receivers have it, beside a bare POST loop.

Run: `make bench-delivery ARGS="--seconds 60 --rate 50 --subscribers 20"`, some two minutes. Every
subscriber wants every alert: 50 alerts a second are 1,000 messages a second, on one Apache Kafka
and one worker. The baseline posts bodies of the same size to the same receivers at the same pace,
from a loop that does nothing else. The ratio of the medians is what the line adds: two topics,
a mailbox, a signature, a record of what became of each.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import aiohttp
from msgspec.structs import replace

from deploy.kafka.node import KafkaNode
from detectors.delivery_records import Subscription
from detectors.records import Alert
from streams import kafka, topics
from streams.agents.stage import Output, send
from streams.codecs import encode
from streams.partitioning import partition_of
from streams.settings import Settings
from streams.sinks.base import of_alert
from streams.sinks.webhook import cloud_event
from tests.alert_records import alert
from tests.kafka import post
from tests.kafka.test_delivery import settings, worker


def alerts(number: int) -> list[Alert]:
    """Return so many first revisions."""
    return [replace(alert(1), id=f"S1-rise-AF-KAN-{n:06}") for n in range(number)]


def paced(number: int, rate: float) -> list[float]:
    """Return at what times to send, so many a second."""
    begun = monotonic() + 0.5
    return [begun + n / rate for n in range(number)]


async def line(options: Settings, told: Sequence[Alert], rate: float) -> dict[str, float]:
    """Write alerts to their topic at a pace; return when each was written."""
    layout, written = kafka.layout(options.kafka), {}
    topic = layout.name(topics.ALERTS)
    async with kafka.producer(options.kafka) as producer:
        for at, each in zip(paced(len(told), rate), told, strict=True):
            await asyncio.sleep(max(0.0, at - monotonic()))
            written[each.id] = monotonic()
            partition = partition_of(each.id, layout.partitions)
            await send(producer, [Output(topic, partition, each.id.encode(), encode(each))])
        await producer.flush()
    return written


async def bare(
    base: str, names: Sequence[str], told: Sequence[Alert], rate: float
) -> dict[str, float]:
    """Post the same bodies to the same receivers at the same pace; return when."""
    written: dict[str, float] = {}
    bodies = [
        (each, cloud_event(of_alert(each, Subscription("x", "webhook", "x")), "https://t.example/"))
        for each in told
    ]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:

        async def one(name: str, body: bytes, id: str) -> None:
            async with session.post(f"{base}/{name}", data=body, headers={"webhook-id": id}):
                pass

        tasks = []
        for at, (each, body) in zip(paced(len(told), rate), bodies, strict=True):
            await asyncio.sleep(max(0.0, at - monotonic()))
            written[each.id] = monotonic()
            tasks += [asyncio.create_task(one(name, body, each.id)) for name in names]
        await asyncio.gather(*tasks)
    return written


def waits(receivers: post.Receivers, written: dict[str, float]) -> list[float]:
    """Return how long each message took, seconds, sorted."""
    taken = (each for got in receivers.got.values() for each in got)
    return sorted(at - written[told] for _, told, _, at in taken if told in written)


def show(name: str, found: list[float], expected: int) -> None:
    """Print a line."""
    middle, late = found[len(found) // 2], found[int(0.99 * (len(found) - 1))]
    print(
        f"{name}: {len(found):,} of {expected:,} messages, "
        f"p50 {1e3 * middle:.1f} ms, p99 {1e3 * late:.1f} ms"
    )


async def measure(options: Settings, folder: Path, rate: float, seconds: int, many: int) -> None:
    """Print both."""
    names = [f"desk-{n:02}" for n in range(many)]
    told = alerts(int(rate * seconds))
    warm = [replace(each, id=f"warm-{n}") for n, each in enumerate(told[:20])]
    receivers, plain = post.Receivers(0.0), post.Receivers(0.0)
    async with post.receiving(receivers) as base:
        asked = [Subscription(name, "webhook", f"{base}/{name}") for name in names]
        await post.subscribe(options, asked)
        with worker(options, folder):
            await line(options, warm, rate)
            await receivers.until(lambda: receivers.taken >= len(warm) * many, 120.0)
            written = await line(options, told, rate)
            number = (len(warm) + len(told)) * many
            await receivers.until(lambda: receivers.taken >= number, 120.0)
    async with post.receiving(plain) as base:
        sent = await bare(base, names, told, rate)
    ours, baseline = waits(receivers, written), waits(plain, sent)
    show("Tocsin", ours, len(told) * many)
    show("bare POST loop", baseline, len(told) * many)
    half = len(ours) // 2
    print(f"ratio of the medians {ours[half] / baseline[half]:.1f}")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60, help="for how long alerts come")
    parser.add_argument("--rate", type=float, default=50.0, help="alerts a second")
    parser.add_argument("--subscribers", type=int, default=20)
    given = parser.parse_args()
    with KafkaNode() as node, tempfile.TemporaryDirectory() as folder:
        options = settings(node, "bench-delivery")
        admin = kafka.admin(options.kafka)
        try:
            topics.create(admin, options.kafka.prefix, options.kafka.partitions)
        finally:
            admin.close()
        measured = measure(options, Path(folder), given.rate, given.seconds, given.subscribers)
        asyncio.run(measured)


if __name__ == "__main__":
    main()
