"""Alerts reach people: through receivers that fail and workers that are killed, all of them do."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from random import Random
from time import monotonic

import pytest
from msgspec.structs import replace

from deploy.kafka.node import KafkaNode
from detectors.delivery_records import Subscription
from detectors.records import Alert
from detectors.world.units import UNITS
from streams import kafka, topics
from streams.settings import Delivery, Settings
from streams.sinks.base import idempotency_key, wants
from streams.sinks.webhook import message_id
from tests.alert_records import OPENED, alert
from tests.kafka import line, post

ALERTS, REVISIONS, SUBSCRIBERS = 500, 4, 100
DEADLINE = 420.0  # seconds
TROUBLE = 0.3
KEY = "a key of the tests that is long enough for its use"
PLACES = sorted(code for code, unit in UNITS.items() if unit.kind == "admin1")


def settings(node: KafkaNode, prefix: str) -> Settings:
    """Settings of a line that may post to receivers on this machine."""
    options = line.settings(node.bootstrap, prefix, 4)
    delivery = Delivery(allowed_hosts=("localhost",), stale_hours=1e6, key=KEY, timeout_seconds=1.0)
    return options.model_copy(update={"delivery": delivery})


def worker(options: Settings, folder: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Run a worker that delivers, in a process of its own."""
    delivery = options.delivery
    more = {
        "TOCSIN_WORKER_DATA_DIR": str(folder),
        "TOCSIN_DELIVERY_ALLOWED_HOSTS": json.dumps(delivery.allowed_hosts),
        "TOCSIN_DELIVERY_KEY": KEY,
        "TOCSIN_DELIVERY_STALE_HOURS": str(delivery.stale_hours),
        "TOCSIN_DELIVERY_TIMEOUT_SECONDS": str(delivery.timeout_seconds),
    }
    return line.worker(options, "one", "tests.kafka.post", more)


def _story(number: int) -> list[Alert]:
    unit = PLACES[number % len(PLACES)]
    states = ["open", "acknowledged", "open", "resolved"]
    severities = ["watch", "warning", "critical", "watch"]
    return [
        replace(
            alert(1, revision, unit=unit, state=states[revision], evidence=()),
            id=f"S1-rise-{unit}-{number}",
            severity=severities[revision],
            opened_at=OPENED,
        )
        for revision in range(REVISIONS)
    ]


def _subscriptions(base: str) -> list[Subscription]:
    random = Random(11)
    found = []
    for number in range(SUBSCRIBERS):
        units = tuple(sorted(random.sample(PLACES, 4)))
        name = f"desk-{number:03}"
        least = random.choice(("watch", "watch", "warning"))
        found.append(
            Subscription(name, "webhook", f"{base}/{name}", minimum_severity=least, units=units)
        )
    return found


def _wanted(subscription: Subscription, stories: Sequence[Sequence[Alert]]) -> set[tuple[str, int]]:
    """Return the revisions that a subscription is to be told of: from the first it asks for on."""
    found = set()
    for story in stories:
        first = next((a.revision for a in story if wants(subscription, a)), REVISIONS)
        found |= {(a.id, a.revision) for a in story if a.revision >= first}
    return found


async def _until(receivers: post.Receivers, number: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until so many revisions have been taken, each counted once for each subscription."""

    def reached() -> bool:
        assert process.poll() is None, f"the worker ended with {process.poll()}"
        return len(receivers.ids) >= number

    in_time = await receivers.until(reached, DEADLINE)
    assert in_time, f"{receivers.taken} of {number} after {DEADLINE:.0f} s"


async def _delivered(options: Settings, folder: Path) -> tuple[post.Receivers, list[Subscription]]:
    receivers = post.Receivers(TROUBLE)
    stories = [_story(number) for number in range(ALERTS)]
    async with post.receiving(receivers) as base:
        subscriptions = _subscriptions(base)
        await post.subscribe(options, subscriptions)
        await post.tell(options, [story[r] for r in range(REVISIONS) for story in stories])
        number = sum(len(_wanted(each, stories)) for each in subscriptions)
        for part in (0.2, 0.55):
            with worker(options, folder) as process:
                await _until(receivers, int(part * number), process)
                process.kill()
        with worker(options, folder) as process:
            await _until(receivers, number, process)
    return receivers, subscriptions


@pytest.fixture(scope="module")
def delivered(
    apache_kafka: KafkaNode, tmp_path_factory: pytest.TempPathFactory
) -> tuple[post.Receivers, list[Subscription]]:
    options = settings(apache_kafka, f"test-delivery-{os.getpid()}")
    admin = kafka.admin(options.kafka)
    try:
        topics.create(admin, options.kafka.prefix, options.kafka.partitions)
    finally:
        admin.close()
    started = monotonic()
    receivers, subscriptions = asyncio.run(_delivered(options, tmp_path_factory.mktemp("post")))
    print(
        f"{receivers.taken} messages taken in {monotonic() - started:.0f} s, "
        f"trouble {dict(receivers.refused)}"
    )
    return receivers, subscriptions


def test_all_that_match_get_every_revision_and_nobody_else(
    delivered: tuple[post.Receivers, list[Subscription]],
) -> None:
    receivers, subscriptions = delivered
    stories = [_story(number) for number in range(ALERTS)]
    for each in subscriptions:
        got = {(alert, revision) for _, alert, revision, _ in receivers.got.get(each.id, ())}
        assert got == _wanted(each, stories), each.id
    assert set(receivers.got) <= {each.id for each in subscriptions}
    assert sum(receivers.refused.values()) > 0.2 * receivers.taken


def test_the_revisions_of_an_alert_come_in_order(
    delivered: tuple[post.Receivers, list[Subscription]],
) -> None:
    receivers, _ = delivered
    for name, got in receivers.got.items():
        first: dict[str, dict[int, float]] = {}
        for _, told, revision, at in got:
            first.setdefault(told, {}).setdefault(revision, at)
        for told, times in first.items():
            ordered = [times[revision] for revision in sorted(times)]
            assert all(a < b for a, b in pairwise(ordered)), (name, told, times)


def test_what_comes_twice_has_the_same_id(
    delivered: tuple[post.Receivers, list[Subscription]],
) -> None:
    receivers, subscriptions = delivered
    names = {each.id: each for each in subscriptions}
    twice = 0
    for name, got in receivers.got.items():
        ids: dict[tuple[str, int], set[str]] = {}
        for id, told, revision, _ in got:
            ids.setdefault((told, revision), set()).add(id)
        for (told, revision), found in ids.items():
            key = idempotency_key(replace(alert(1), id=told, revision=revision), names[name])
            assert found == {message_id(key)}
        twice += len(got) - len(ids)
    print(f"{twice} came twice")
    assert twice < 0.2 * receivers.taken
