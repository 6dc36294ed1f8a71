"""What a worker does for its subscribers by the clock: proofs, dead channels, digests, escalation.

The whole line on the embedded broker, with real receivers and a clock that the test moves.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from aiohttp import web
from aiokafka import TopicPartition
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from detectors.delivery_records import Delivery as Told
from detectors.delivery_records import Digest, Escalation, Subscription
from streams import kafka, replay, topics
from streams.agents.deadletters import headers_of
from streams.app import Worker
from streams.broker import EmbeddedBroker
from streams.codecs import decoder
from streams.metrics import build_metrics
from streams.settings import Delivery, Settings, Smtp
from streams.sinks.context import context_of
from streams.subscriptions import Directory
from tests.alert_records import alert
from tests.feed_server import FakeClock
from tests.http_receiver import Receiver, receiver, status
from tests.kafka import line, post
from tests.mail_server import mail_server

KEY = "a key of the tests that is long enough for its use"
SECONDS = 40.0
OPENED = alert(1).at
decode = decoder(Told)


class Subscribers:
    """A worker that delivers, and what is known of it."""

    def __init__(self, options: Settings, directory: Directory, clock: FakeClock) -> None:
        self.options = options
        self.directory = directory
        self.clock = clock

    async def add(self, *subscriptions: Subscription) -> None:
        await post.subscribe(self.options, subscriptions)
        await self.until(lambda: all(self.directory.get(each.id) for each in subscriptions))

    async def until(self, reached: Callable[[], bool]) -> None:
        await asyncio.wait_for(replay.until(reached, lambda: None), SECONDS)

    def state(self, id: str) -> str:
        known = self.directory.get(id)
        return known.state if known else ""

    async def records(self, topic: topics.Topic) -> list[Any]:
        layout = kafka.layout(self.options.kafka)
        tps = [TopicPartition(layout.name(topic), p) for p in range(layout.partitions)]
        found: list[Any] = []
        async with kafka.reader(self.options.kafka) as reader:
            reader.assign(tps)
            for tp in tps:
                while reader.highwater(tp) is None or await reader.position(tp) < reader.highwater(
                    tp
                ):
                    found += (await reader.getmany(tp, timeout_ms=200)).get(tp, ())
        return found

    async def told(self, id: str, number: int = 0) -> list[str]:
        """Return what became of a subscription's alerts, once there are so many records of it."""
        found = await self._told(id)
        end = monotonic() + SECONDS
        while len(found) < number and monotonic() < end:
            found = await self._told(id)
        return found

    async def _told(self, id: str) -> list[str]:
        deliveries = [decode(each.value) for each in await self.records(topics.DELIVERIES)]
        return [each.status for each in deliveries if each.subscription == id]


@pytest.fixture
def options(embedded_broker: EmbeddedBroker, prefix: str) -> Settings:
    given = line.settings(embedded_broker.bootstrap, prefix, 2, embedded=True)
    delivery = Delivery(allowed_hosts=("localhost",), key=KEY, attempts=3, timeout_seconds=2.0)
    return given.model_copy(update={"delivery": delivery})


@asynccontextmanager
async def working(options: Settings, clock: FakeClock) -> AsyncIterator[Subscribers]:
    admin = kafka.admin(options.kafka)
    try:
        topics.create(admin, options.kafka.prefix, options.kafka.partitions)
    finally:
        admin.close()
    metrics = build_metrics(CollectorRegistry())
    directory = Directory(options, metrics)
    context = context_of(options, alerts_for=lambda _: (), revisions=lambda _: (), now=clock)
    reading = asyncio.create_task(directory.run())
    worker = Worker(options, metrics, deliveries=(context, directory))
    try:
        await directory.ready()
        await worker.start()
        yield Subscribers(options, directory, clock)
    finally:
        await worker.stop()
        directory.stop()
        await reading


def clock_at(**after: float) -> FakeClock:
    clock = FakeClock()
    clock.now = OPENED + timedelta(**after)
    return clock


def hook(seen: Receiver, id: str = "desk", **changes: Any) -> Subscription:
    return replace(Subscription(id, "webhook", seen.url), **changes)


def kinds(seen: Receiver) -> list[str]:
    return [json.loads(body)["type"] for _, body in seen.requests]


async def repeat(request: web.Request) -> web.StreamResponse:
    """Answer a challenge with its text."""
    data = json.loads(await request.read())["data"]
    return web.Response(text=str(data.get("challenge", "")))


async def test_an_address_that_answers_the_challenge_gets_alerts(options: Settings) -> None:
    async with receiver(repeat) as seen, working(options, clock_at(minutes=1)) as line_:
        await line_.add(hook(seen, state="pending"))
        await line_.until(lambda: line_.state("desk") == "active")
        await post.tell(options, [alert(1)])
        await line_.until(lambda: "tocsin.alert.v1" in kinds(seen))
    assert kinds(seen) == ["tocsin.challenge.v1", "tocsin.alert.v1"]


async def test_an_address_that_does_not_gets_none(options: Settings) -> None:
    async with receiver(status(200)) as seen, working(options, clock_at(minutes=1)) as line_:
        await line_.add(hook(seen, state="pending"))
        await line_.until(lambda: bool(line_.directory.get("desk").reason))  # type: ignore[union-attr]
        await post.tell(options, [alert(1)])
        await line_.add(hook(seen, "other"))
        await post.tell(options, [alert(2)])
        await line_.until(lambda: "tocsin.alert.v1" in kinds(seen))
    assert line_.state("desk") == "pending"
    assert kinds(seen) == ["tocsin.challenge.v1", "tocsin.alert.v1"]


async def test_a_digest_survives_a_restart_and_comes_at_its_time(options: Settings) -> None:
    clock = clock_at(minutes=1)
    async with receiver(status(204)) as seen:
        async with working(options, clock) as line_:
            await line_.add(hook(seen, digest=Digest("day")))
            await post.tell(options, [alert(1), alert(1, 1), replace(alert(1), id="another")])
            held = await line_.told("desk", 3)
        assert (held, seen.requests) == (["held"] * 3, [])
        clock.advance(86_400.0)
        async with working(options, clock) as line_:
            await line_.until(lambda: bool(seen.requests))
    assert kinds(seen) == ["tocsin.digest.v1"]
    told = json.loads(seen.requests[0][1])["data"]["alerts"]
    found = {(each["alert"]["id"], each["alert"]["revision"]) for each in told}
    assert found == {(alert(1).id, 1), ("another", 0)}


async def test_what_nobody_acknowledges_goes_to_another_with_its_end(options: Settings) -> None:
    clock = clock_at(minutes=1)
    async with (
        receiver(status(204)) as day,
        receiver(status(204)) as duty,
        working(options, clock) as line_,
    ):
        rule = Escalation(after_hours=6.0, to="duty")
        await line_.add(hook(day, escalation=rule), hook(duty, "duty", minimum_severity="critical"))
        await post.tell(options, [alert(1)])
        await line_.until(lambda: len(day.requests) == 1)
        assert duty.requests == []
        clock.advance(7 * 3_600.0)
        await line_.until(lambda: len(duty.requests) == 1)
        await post.tell(options, [alert(1, 1, state="resolved")])
        await line_.until(lambda: len(day.requests) == len(duty.requests) == 2)


async def test_a_dead_channel_is_told_to_its_owner_and_lives_again(options: Settings) -> None:
    clock, broken = clock_at(minutes=1), [True]

    async def moody(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503 if broken[0] else 204)

    async with mail_server() as mail, receiver(moody) as seen:
        smtp = Smtp(host="127.0.0.1", port=mail.port, security="none", sender="a@tocsin.example")
        delivery = options.delivery.model_copy(update={"smtp": smtp, "attempts": 99})
        whole = options.model_copy(update={"delivery": delivery})
        async with working(whole, clock) as line_:
            await line_.add(hook(seen, owner="owner@desk.example"))
            await post.tell(options, [alert(1)])
            assert await line_.told("desk", 1) == ["retry"]
            clock.advance(25 * 3_600.0)
            await line_.until(lambda: line_.state("desk") == "failing")
            await line_.until(lambda: len(mail.envelopes) == 1)
            broken[0] = False
            clock.advance(2 * 3_600.0)
            await line_.until(lambda: line_.state("desk") == "active")
            await line_.until(lambda: len(mail.envelopes) == 2)
    assert [each["To"] for each in mail.mails()] == ["owner@desk.example"] * 2
    assert "does not work" in str(mail.mails()[0])


async def test_what_is_given_up_is_a_dead_letter_that_can_be_sent_again(options: Settings) -> None:
    clock, broken = clock_at(minutes=1), [True]

    async def moody(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503 if broken[0] else 204)

    async with receiver(moody) as seen, working(options, clock) as line_:
        await line_.add(hook(seen))
        await post.tell(options, [alert(1)])
        for tries in range(1, 4):
            assert len(await line_.told("desk", tries)) == tries
            clock.advance(3_600.0)
        letters: list[Any] = []
        while not letters:
            letters = await asyncio.wait_for(line_.records(topics.DEAD_LETTERS), SECONDS)
        assert headers_of(letters[0].headers)["reason"] == "undelivered"
        assert await line_.told("desk") == ["retry", "retry", "given_up"]
        broken[0] = False
        layout = kafka.layout(options.kafka)
        async with kafka.producer(options.kafka) as producer:
            partition = int(headers_of(letters[0].headers)["partition"])
            outbox = layout.name(topics.OUTBOX)
            await producer.send_and_wait(outbox, letters[0].value, b"desk", partition=partition)
        await line_.until(lambda: len(seen.requests) == 4)
    ids = {headers["webhook-id"] for headers, _ in seen.requests}
    assert len(ids) == 1
