"""What sinks get of the installation, from its settings: for workers and commands alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from detectors.delivery_records import Subscription
from detectors.records import Alert
from streams.settings import Delivery, Settings
from streams.sinks.base import SinkContext
from streams.unsubscribe import unsubscribe_url


def context_of(
    settings: Settings,
    *,
    alerts_for: Callable[[Subscription], Sequence[Alert]],
    revisions: Callable[[str], Sequence[Alert]],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SinkContext:
    """Return what sinks need.

    Args:
        settings: All settings.
        alerts_for: `Store.alerts_for`.
        revisions: `Store.revisions`.
        now: The wall clock, in UTC.
    """
    delivery = settings.delivery
    return SinkContext(
        source=delivery.source,
        now=now,
        alerts_for=alerts_for,
        revisions=revisions,
        feeds=settings.worker.data_dir / "feeds",
        cap_status=delivery.cap_status,
        allowed_hosts=frozenset(host.lower() for host in delivery.allowed_hosts),
        timeout_seconds=delivery.timeout_seconds,
        chats={each.name: each.url.get_secret_value() for each in delivery.chats},
        alertmanagers={each.name: each.url.get_secret_value() for each in delivery.alertmanagers},
        smtp=delivery.smtp,
        unsubscribe_url=_unsubscribe_url(delivery),
    )


def _unsubscribe_url(delivery: Delivery) -> Callable[[str], str] | None:
    """Return how to link to the end of a subscription, if links can be made and opened."""
    if delivery.key is None or delivery.smtp is None or delivery.smtp.public_url is None:
        return None
    return partial(unsubscribe_url, delivery.smtp.public_url, delivery.key.get_secret_value())
