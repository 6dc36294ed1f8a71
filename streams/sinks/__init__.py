"""Channels that deliver alerts to subscribers, one file each, and the list of them.

`SINKS` is the whole list: a subscription's `sink` is one of its names. How to add one, and what
a sink must and must not do, is in `README.md` beside this file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from streams.sinks.base import (
    Answer,
    Delivered,
    Message,
    Rejected,
    Retry,
    Sink,
    SinkContext,
    idempotency_key,
    of_alert,
    wants,
)
from streams.sinks.feed import AtomSink
from streams.sinks.webhook import WebhookSink

#: How to make each sink, by its name.
SINKS: Final[dict[str, Callable[[SinkContext], Sink]]] = {
    WebhookSink.name: WebhookSink,
    AtomSink.name: AtomSink,
}

__all__ = [
    "SINKS",
    "Answer",
    "Delivered",
    "Message",
    "Rejected",
    "Retry",
    "Sink",
    "SinkContext",
    "idempotency_key",
    "of_alert",
    "wants",
]
