"""Channels that deliver alerts to subscribers, one file each, and the list of them.

`SINKS` is the whole list: a subscription's `sink` is one of its names. How to add one, and what
a sink must and must not do, is in `README.md` beside this file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from streams.sinks.alertmanager import EVERY, AlertmanagerSink
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
from streams.sinks.cap import CapSink
from streams.sinks.chat import ChatSink
from streams.sinks.documents import DocumentSink
from streams.sinks.email import EmailSink
from streams.sinks.feed import AtomSink
from streams.sinks.ics import IcsSink
from streams.sinks.jsonfeed import JsonFeedSink
from streams.sinks.stix import StixSink
from streams.sinks.webhook import WebhookSink

#: The sinks that keep documents which may be read over HTTP.
DOCUMENTS: Final[tuple[type[DocumentSink], ...]] = (
    AtomSink,
    JsonFeedSink,
    CapSink,
    StixSink,
    IcsSink,
)
#: How to make each sink, by its name.
SINKS: Final[dict[str, Callable[[SinkContext], Sink]]] = {
    WebhookSink.name: WebhookSink,
    EmailSink.name: EmailSink,
    **{each.name: each for each in DOCUMENTS},
    ChatSink.name: ChatSink,
    AlertmanagerSink.name: AlertmanagerSink,
}
#: Sinks that forget what they were told, and how often they are told anew.
FORGETFUL: Final = {AlertmanagerSink.name: EVERY}

__all__ = [
    "DOCUMENTS",
    "FORGETFUL",
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
