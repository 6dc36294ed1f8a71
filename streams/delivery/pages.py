"""What the links of mails do: end a subscription, or confirm one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer

from detectors.delivery_records import Subscription, SubscriptionState
from streams.settings import Settings
from streams.subscriptions import Directory, in_state, write
from streams.topics import Layout
from streams.unsubscribe import SubscriptionPages

_WRITE_SECONDS = 15.0


def pages_of(
    settings: Settings, directory: Directory, producer: AIOKafkaProducer, layout: Layout
) -> SubscriptionPages | None:
    """Return what answers the links; None where the settings have no key to prove them by.

    Called on the event loop that the producer is for; the pages are served on other threads.
    """
    key, loop = settings.delivery.key, asyncio.get_running_loop()
    if key is None:
        return None

    def become(state: SubscriptionState, reason: str) -> Callable[[str], bool]:
        async def change(known: Subscription) -> None:
            await write(producer, layout, in_state(known, state, reason, datetime.now(UTC)))

        def act(id: str) -> bool:
            known = directory.get(id)
            if known is None:
                return False
            asyncio.run_coroutine_threadsafe(change(known), loop).result(_WRITE_SECONDS)
            return True

        return act

    return SubscriptionPages(
        key=key.get_secret_value(),
        find=directory.get,
        unsubscribe=become("removed", "ended by its link"),
        confirm=become("active", "confirmed by its link"),
    )
