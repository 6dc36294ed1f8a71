"""The deliver stage on Kafka: alert revisions in, attempts to deliver them out.

Every revision goes to every subscription that asks for it, or asked for an earlier one of the same
alert: who was told that something began is told how it ends. They go in order for each
subscription, and are acknowledged when the receiver has them, refuses them, or the attempts are
used up. A crash in between sends them again under the same idempotency key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from msgspec import Struct

from detectors.records import Alert, Delivery, Subscription
from streams import topics
from streams.agents.deadletters import DeadLetters
from streams.agents.stage import Output, producer_of, send
from streams.codecs import decoder, encode
from streams.metrics import Metrics
from streams.partitioning import partition_of
from streams.sinks.base import Delivered, Retry, Sink, idempotency_key, of_alert, wants
from streams.transport import Batch

_decode = decoder(*topics.ALERTS.values)
_FIRST_WAIT: Final = 0.5  # seconds, doubled with each attempt
_LONGEST_WAIT: Final = 60.0
_log = structlog.get_logger()


class Address(Struct, frozen=True):
    """A subscription and what is needed to serve it."""

    subscription: Subscription
    sink: Sink
    secret: str | None = None


class Deliverer:
    """Delivers alert revisions to the subscriptions that ask for them."""

    def __init__(
        self,
        layout: topics.Layout,
        addresses: Sequence[Address],
        attempts: int,
        metrics: Metrics,
        revisions: Callable[[str], Sequence[Alert]] = lambda _: (),
    ) -> None:
        """Take the topics, the subscriptions, how often to try, and where revisions are kept.

        Args:
            layout: Of the topics.
            addresses: Whom to serve.
            attempts: At most so many for one revision.
            metrics: Where attempts are counted.
            revisions: Returns the known revisions of an alert by its id; may be asked in a thread.
        """
        self._layout = layout
        self._addresses = addresses
        self._attempts = attempts
        self._metrics = metrics
        self._revisions = revisions
        self._followed: set[tuple[str, str]] = set()  # subscription and alert
        self._dead = DeadLetters("deliver", topics.ALERTS, layout, metrics)

    async def run(self, stream: Any) -> AsyncIterator[None]:  # noqa: ANN401 - Faust's own type
        """Work through the batches of a Faust stream."""
        app = stream.app
        async for event in stream.noack().events():
            batch: Batch = event.value
            if batch.generation != app.consumer_generation_id:
                continue
            readable, outputs = self._dead.decode(batch.records, batch.partition, _decode)
            alerts = [alert for _, alert in readable]
            served = await asyncio.gather(*(self._serve(a, alerts) for a in self._addresses))
            outputs.extend(output for attempts in served for output in attempts)
            await asyncio.gather(*await send(producer_of(app), outputs))
            self._metrics.records_processed.labels("deliver").inc(len(batch.records))
            event.ack()
            yield None

    async def follows(self, subscription: Subscription, alert: Alert) -> bool:
        """Tell whether a subscription wants a revision, or wanted an earlier one of its alert."""
        key = (subscription.id, alert.id)
        if key not in self._followed and (
            wants(subscription, alert) or await self._wanted_before(subscription, alert)
        ):
            self._followed.add(key)
        return key in self._followed

    async def _serve(self, address: Address, alerts: Sequence[Alert]) -> list[Output]:
        outputs: list[Output] = []
        for alert in alerts:
            if await self.follows(address.subscription, alert):
                async for delivery in self._deliver(address, alert):
                    key = delivery.subscription
                    partition = partition_of(key, self._layout.partitions)
                    topic = self._layout.name(topics.DELIVERIES)
                    outputs.append(Output(topic, partition, key.encode(), encode(delivery)))
        return outputs

    async def _wanted_before(self, subscription: Subscription, alert: Alert) -> bool:
        """Tell from the store whether a revision was wanted before this process began."""
        if not alert.revision:
            return False
        known = await asyncio.to_thread(self._revisions, alert.id)
        return any(r.revision < alert.revision and wants(subscription, r) for r in known)

    async def _deliver(self, address: Address, alert: Alert) -> AsyncIterator[Delivery]:
        """Try to deliver one revision; yield every attempt."""
        wait = _FIRST_WAIT
        for attempt in range(1, self._attempts + 1):
            answer = await address.sink.send(
                of_alert(alert, address.subscription), address.subscription, address.secret
            )
            status, reason = _told(answer)
            self._metrics.deliveries.labels(address.sink.name, status).inc()
            yield Delivery(
                id=f"{idempotency_key(alert, address.subscription)}/{attempt}",
                alert=alert.id,
                revision=alert.revision,
                subscription=address.subscription.id,
                sink=address.sink.name,
                at=datetime.now(UTC),
                attempt=attempt,
                status=status,
                reason=reason,
            )
            if not isinstance(answer, Retry):
                return
            if attempt < self._attempts:
                await asyncio.sleep(max(wait, answer.after_seconds))
                wait = min(wait * 2, _LONGEST_WAIT)
        _log.warning("delivery_given_up", alert=alert.id, subscription=address.subscription.id)


def _told(answer: Any) -> tuple[Any, str]:  # noqa: ANN401 - one of the three answers
    if isinstance(answer, Delivered):
        return "delivered", ""
    return ("retry" if isinstance(answer, Retry) else "rejected"), answer.reason


def addresses_of(
    subscriptions: Sequence[tuple[Subscription, str | None]],
    sinks: Mapping[str, Callable[[], Sink]],
) -> list[Address]:
    """Return the subscriptions with their sinks, one sink of each kind for all.

    Raises:
        KeyError: a subscription names a sink that there is not.
    """
    made: dict[str, Sink] = {}
    for subscription, _ in subscriptions:
        if subscription.sink not in made:
            made[subscription.sink] = sinks[subscription.sink]()
    return [Address(s, made[s.sink], secret) for s, secret in subscriptions]
