"""Who asked for which alerts: the subscriptions of the settings and of their topic.

The topic is compacted: the last record of an id is what holds, and one that says `removed` hides
it. A subscription of the settings stays as the settings have it; the topic only adds what became of
it (paused, its channel dead) while both speak of the same address.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from detectors.delivery_records import Subscription, SubscriptionState
from streams import kafka, topics
from streams.codecs import Rejected, decoder, encode
from streams.metrics import Metrics
from streams.settings import Settings, SettingsError
from streams.sinks import SINKS
from streams.subscribing import is_zone
from streams.topics import Layout

#: Called with an id and the subscription as it is now; None once it is removed.
Listener: TypeAlias = Callable[[str, Subscription | None], None]
#: Every record is in this partition: there is but one.
_PARTITION: Final = 0
_POLL_MS: Final = 100
_FIRST_WAIT: Final = 0.2  # seconds, doubled while the broker is away
_LONGEST_WAIT: Final = 5.0
#: A topic that seems to end before what was read of it may only have changed its leader.
_SHORT_SECONDS: Final = 5.0
_POSITION_SECONDS: Final = 1.0
_ANSWER_MS: Final = 150  # by then a fetch that was under way has been answered
_decode = decoder(*topics.SUBSCRIPTIONS.values)
_log = structlog.get_logger(__name__)


def configured(settings: Settings) -> dict[str, Subscription]:
    """Return the subscriptions of the settings by id, and the feed of all alerts."""
    found = {"feed": Subscription(id="feed", sink="atom", address="alerts")}
    for webhook in settings.delivery.webhooks:
        found[webhook.name] = Subscription(
            id=webhook.name,
            sink="webhook",
            address=webhook.url,
            minimum_severity=webhook.minimum_severity,
            units=webhook.units,
            signals=webhook.signals,
        )
    return found


def merged(known: Mapping[str, Subscription], told: Subscription) -> Subscription:
    """Return what a record of the topic makes of a subscription, beside those of the settings."""
    own = known.get(told.id)
    if own is None:
        return told
    if told.state == "removed" or (own.sink, own.address) != (told.sink, told.address):
        return own
    return replace(own, state=told.state, reason=told.reason, at=told.at)


def key_of(settings: Settings) -> str:
    """Return the installation's key, from which the secrets of subscriptions are derived.

    Raises:
        SettingsError: It is not set.
    """
    if settings.delivery.key is None:
        raise SettingsError(
            "delivery.key is not set: put the output of `openssl rand -base64 48` into "
            "TOCSIN_DELIVERY_KEY, the same for every process, and keep it"
        )
    return settings.delivery.key.get_secret_value()


def in_state(
    subscription: Subscription, state: SubscriptionState, reason: str, now: datetime
) -> Subscription:
    """Return a subscription in another state, and why."""
    return replace(subscription, state=state, reason=reason, at=now)


async def write(producer: AIOKafkaProducer, layout: Layout, subscription: Subscription) -> None:
    """Write a subscription to its topic; it holds once the broker has it.

    Of one that is removed nothing is kept but that it is: no address, no owner.

    Raises:
        aiokafka.errors.KafkaError: The broker did not take it.
    """
    if subscription.state == "removed":
        subscription = replace(subscription, address="", owner="")
    await producer.send_and_wait(
        layout.name(topics.SUBSCRIPTIONS),
        encode(subscription),
        subscription.id.encode(),
        partition=_PARTITION,
    )


class Directory:
    """Knows every subscription, and says when one changes. One for each process.

    Run it beside what uses it: it reads the topic to its end, then on, and waits for a broker that
    is away. All is for one event loop.
    """

    def __init__(self, settings: Settings, metrics: Metrics | None = None) -> None:
        """Take the settings, and where records that cannot be used are counted."""
        self._settings = settings
        self._metrics = metrics
        self._own = configured(settings)
        self._tp = TopicPartition(
            kafka.layout(settings.kafka).name(topics.SUBSCRIPTIONS), _PARTITION
        )
        self._known: dict[str, Subscription] = dict(self._own)
        self._removed: set[str] = set()
        self._listeners: list[Listener] = []
        self._changed = asyncio.Event()  # a new one for each change
        self._stepped = asyncio.Event()  # a new one for each step
        self._level = asyncio.Event()
        self._stopping = asyncio.Event()
        self._next = 0  # everything before this offset is known
        self._consumer: AIOKafkaConsumer | None = None

    # What it knows

    def get(self, id: str) -> Subscription | None:
        """Return a subscription, or None where there is none, or no longer."""
        return self._known.get(id)

    def all(self) -> list[Subscription]:
        """Return every subscription that is not removed, by id."""
        return [self._known[id] for id in sorted(self._known)]

    def active(self) -> list[Subscription]:
        """Return the subscriptions that are to be served, by id."""
        return [each for each in self.all() if each.state == "active"]

    def is_taken(self, id: str) -> bool:
        """Tell whether an id is in use, or was: what was told under it must stay one thing."""
        return id in self._known or id in self._removed

    def is_of_settings(self, id: str) -> bool:
        """Tell whether a subscription stands in the settings: only its state can be changed."""
        return id in self._own

    def listen(self, listener: Listener) -> None:
        """Have a function called with each change, before `changed` returns; it must not raise."""
        self._listeners.append(listener)

    async def changed(self) -> None:
        """Wait for the next change."""
        await self._changed.wait()

    @property
    def is_ready(self) -> bool:
        """Whether the topic has been read to its end once."""
        return self._level.is_set()

    async def ready(self) -> None:
        """Wait until the topic has been read to its end once.

        It waits for as long as `run` does; race it against a deadline and against `run`.
        """
        await self._level.wait()

    async def catch_up(self) -> None:
        """Wait until all is known that the topic held when this was called.

        It waits for as long as `run` does, as `ready` does.
        """
        heard_after = int(time.time() * 1000) + _ANSWER_MS
        while not self._is_level_after(heard_after):
            await self._stepped.wait()

    def _is_level_after(self, moment: int) -> bool:
        if self._consumer is None:
            return False
        heard, end = (
            self._consumer.last_poll_timestamp(self._tp),
            self._consumer.highwater(self._tp),
        )
        return heard is not None and heard > moment and end is not None and self._next >= end

    # Reading

    async def run(self) -> None:
        """Follow the topic until `stop`.

        Raises:
            aiokafka.errors.KafkaError: The broker does not let us read.
        """
        wait = _FIRST_WAIT
        while not self._stopping.is_set():
            try:
                await self._follow()
                wait = _FIRST_WAIT
            except KafkaError as error:
                if not error.retriable:
                    raise
                _log.warning("subscriptions_unread", error=repr(error), retry_after_seconds=wait)
                await self._pause(wait)
                wait = min(2 * wait, _LONGEST_WAIT)

    def stop(self) -> None:
        """End `run` with the step that is at work."""
        self._stopping.set()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _follow(self) -> None:
        """Read the topic from its beginning, then on; return when it began anew, or to stop.

        What is known stays until the beginning has been read to its end: nobody is without alerts
        while a broker restarts.
        """
        consumer = kafka.reader(self._settings.kafka)
        try:
            await consumer.start()
            consumer.assign([self._tp])
            await consumer.seek_to_beginning(self._tp)
            self._consumer, self._next = consumer, 0
            await self._read(consumer)
        finally:
            self._consumer = None
            await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        found: dict[str, Subscription | None] = {}
        is_level = False
        short_since: float | None = None
        while not self._stopping.is_set():
            batch = await consumer.getmany(self._tp, timeout_ms=_POLL_MS)
            records: Sequence[Any] = batch.get(self._tp, ())
            if records and records[0].offset < self._next:
                return
            told = self._usable(records)
            if is_level:
                self._take(told)
            else:
                found |= told
            end = consumer.highwater(self._tp)
            if end is not None and end < self._next:
                short_since = short_since or time.monotonic()
                if time.monotonic() - short_since > _SHORT_SECONDS:
                    return
                continue
            short_since = None
            self._next = await self._position(consumer)
            if not is_level and end is not None and self._next >= end:
                is_level = True
                self._take(dict.fromkeys(self._known) | found)
                self._level.set()
            self._stepped.set()
            self._stepped = asyncio.Event()

    async def _position(self, consumer: AIOKafkaConsumer) -> int:
        """Return where the reader is, also past records that were compacted away."""
        with suppress(TimeoutError):
            return int(await asyncio.wait_for(consumer.position(self._tp), _POSITION_SECONDS))
        return self._next

    def _usable(self, records: Sequence[Any]) -> dict[str, Subscription | None]:
        """Return the last usable record of each id; what cannot be used changes nothing."""
        told: dict[str, Subscription | None] = {}
        for record in records:
            try:
                id, subscription = _subscription(record)
            except Rejected as rejected:
                if self._metrics is not None:
                    self._metrics.dead_letters.labels(rejected.reason).inc()
                _log.warning(
                    "subscription_skipped",
                    offset=record.offset,
                    reason=rejected.reason,
                    detail=rejected.detail,
                )
            else:
                told[id] = subscription
        return told

    def _take(self, told: Mapping[str, Subscription | None]) -> None:
        """Take changes over, and tell of what is no longer as it was."""
        is_changed = False
        for id, subscription in told.items():
            before = self._known.get(id)
            now = self._own.get(id) if subscription is None else merged(self._own, subscription)
            if now is not None and now.state == "removed":
                self._removed.add(id)
                now = None
            if now == before:
                continue
            is_changed = True
            if now is None:
                del self._known[id]
            else:
                self._known[id] = now
            for listener in self._listeners:
                listener(id, now)
        if is_changed:
            self._changed.set()
            self._changed = asyncio.Event()


def _subscription(record: Any) -> tuple[str, Subscription | None]:  # noqa: ANN401 - aiokafka's
    """Return the id a record is about, and the subscription; None where its key was deleted.

    Raises:
        Rejected: It is no subscription, or one that cannot be served here.
    """
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError as error:
        raise Rejected("invalid_utf8", f"the key: {error}") from error
    if record.value is None:
        return key, None
    subscription: Subscription = _decode(record.value)
    if subscription.id != key:
        raise Rejected("wrong_type", f"the key {key!r} is not the id {subscription.id!r}")
    if subscription.state != "removed":
        if subscription.sink not in SINKS:
            raise Rejected("wrong_type", f"there is no sink {subscription.sink!r}")
        if not is_zone(subscription.time_zone):
            raise Rejected("wrong_type", f"there is no time zone {subscription.time_zone!r}")
    return key, subscription
