"""The topic of subscriptions, for commands: read to its end, changed, and seen to be changed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final, Literal, NoReturn

from msgspec import Struct

from detectors.delivery_records import Subscription
from streams import kafka, topics
from streams.commands import connect
from streams.commands.base import NOTHING, Problem, near, open_store
from streams.delivery.means import Installation
from streams.secrets import challenge_text
from streams.settings import Settings
from streams.sinks import SINKS, Delivered, Message, Retry, SinkContext
from streams.sinks.context import context_of
from streams.subscribing import NAMED, TYPED
from streams.subscriptions import Directory, in_state, key_of, write

_DEADLINE: Final = 20.0
#: What a change makes of a subscription; it raises `Problem` where it cannot.
Change = Callable[[Subscription, Directory], Subscription]


class Sent(Struct, frozen=True):
    """What came of a message that was sent on the spot."""

    subscription: str
    sink: str
    kind: Literal["test", "challenge"]
    result: Literal["delivered", "retry", "rejected"]
    reason: str
    state: str  # of the subscription afterwards


@asynccontextmanager
async def directory(settings: Settings) -> AsyncIterator[Directory]:
    """Read every subscription.

    Raises:
        Problem: No broker answers, it has no such topic, or it cannot be read within 20 s.
    """
    counts = await asyncio.to_thread(connect.partition_counts, settings, topics.SUBSCRIPTIONS)
    if set(counts.values()) != {1}:
        raise Problem(f"{next(iter(counts))} must have one partition: see tocsin topics diff")
    known = Directory(settings)
    running = asyncio.create_task(known.run())
    try:
        await _before(running, known.ready())
        yield known
    finally:
        known.stop()
        with suppress(asyncio.CancelledError):
            await running


async def _before(running: asyncio.Task[None], waiting: Coroutine[Any, Any, None]) -> None:
    """Wait for something that the directory's run brings about, but not for ever."""
    task = asyncio.create_task(waiting)
    done, _ = await asyncio.wait(
        {running, task}, timeout=_DEADLINE, return_when=asyncio.FIRST_COMPLETED
    )
    if task not in done:
        task.cancel()
        if running in done:
            running.result()
        raise Problem(f"the subscriptions could not be read within {_DEADLINE:.0f} s", NOTHING)


def known(settings: Settings) -> list[Subscription]:
    """Return every subscription that is not removed, by id."""

    async def read() -> list[Subscription]:
        async with directory(settings) as found:
            return found.all()

    return asyncio.run(read())


def find(directory: Directory, id: str) -> Subscription:
    """Return a subscription by its id.

    Raises:
        Problem: There is none.
    """
    found = directory.get(id)
    if found is not None:
        return found
    if directory.is_taken(id):
        raise Problem(f"the subscription {id!r} was removed", NOTHING)
    missing(id, (each.id for each in directory.all()))


def missing(id: str, known: Iterable[str]) -> NoReturn:
    """Say that there is no such subscription, and which may be meant.

    Raises:
        Problem: Always.
    """
    mend = near(id, known) or "; see tocsin subscriptions list"
    raise Problem(f"there is no subscription {id!r}{mend}", NOTHING)


def change(settings: Settings, id: str, how: Change) -> Subscription:
    """Change a subscription, and return it as it is then."""

    async def work() -> Subscription:
        async with directory(settings) as found:
            changed = how(find(found, id), found)
            await put(settings, changed)
            return changed

    return asyncio.run(work())


async def put(settings: Settings, subscription: Subscription) -> None:
    """Write a subscription to the topic.

    Raises:
        aiokafka.errors.KafkaError: The broker did not take it.
    """
    producer = kafka.producer(settings.kafka)
    await producer.start()
    try:
        await write(producer, kafka.layout(settings.kafka), subscription)
    finally:
        await producer.stop()


# Messages that are sent on the spot


def send(settings: Settings, id: str) -> Sent:
    """Send a test to a subscription; one that is pending is asked whether it wants alerts.

    A receiver that answers the question is active from then on.

    Raises:
        Problem: There is no such subscription, or it is paused.
    """

    async def work() -> Sent:
        async with directory(settings) as found:
            subscription = find(found, id)
            sent = await _send(settings, subscription)
            if sent.kind == "challenge" and sent.state == "active":
                changed = in_state(
                    subscription, "active", "it answered the challenge", datetime.now(UTC)
                )
                await put(settings, changed)
            return sent

    return asyncio.run(work())


async def _send(settings: Settings, subscription: Subscription) -> Sent:
    now = datetime.now(UTC)
    message = _message(settings, subscription, now)
    secret = Installation(settings, lambda: now).secrets(subscription)
    if secret is None and subscription.sink == "webhook":
        key_of(settings)  # which tells how to set it
    with _context(settings, subscription.sink) as context:
        sink = SINKS[subscription.sink](context)
        try:
            answer = await sink.send(message, subscription, secret)
        finally:
            await sink.close()
    is_delivered = isinstance(answer, Delivered)
    kind: Literal["test", "challenge"] = "test" if message.kind == "test" else "challenge"
    proved = is_delivered and kind == "challenge" and subscription.sink == "webhook"
    return Sent(
        subscription=subscription.id,
        sink=subscription.sink,
        kind=kind,
        result="delivered"
        if is_delivered
        else "retry"
        if isinstance(answer, Retry)
        else "rejected",
        reason="" if isinstance(answer, Delivered) else answer.reason,
        state="active" if proved else subscription.state,
    )


def _message(settings: Settings, subscription: Subscription, now: datetime) -> Message:
    id = subscription.id
    if subscription.state == "pending":
        text = challenge_text(key_of(settings), id, subscription.secret)
        return Message(f"challenge/{id}/{subscription.secret}", "challenge", now, text=text)
    text = f"A test of the subscription {id}: alerts will arrive here."
    return Message(f"test/{id}/{uuid.uuid4().hex}", "test", now, text=text)


@contextmanager
def _context(settings: Settings, sink: str) -> Iterator[SinkContext]:
    """Yield what sinks need; only documents need a store."""
    try:
        store = open_store(settings)
    except Problem:
        if sink not in TYPED and sink not in NAMED:
            raise
        yield context_of(settings, alerts_for=lambda _: (), revisions=lambda _: ())
        return
    with store:
        yield context_of(settings, alerts_for=store.alerts_for, revisions=store.revisions)
