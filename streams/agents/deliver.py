"""The deliver stage on Kafka: parcels in, what became of them out.

Taking a parcel in puts it into its subscription's mailbox; the courier (`delivery/courier.py`)
empties the mailboxes meanwhile. A checkpoint says up to where all parcels are dealt with, and which
later ones are: after a crash the others are read again, and sent again under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from detectors.timegrid import seconds
from streams import topics
from streams.agents.deadletters import DeadLetters
from streams.agents.stage import MARK, Output
from streams.codecs import Rejected, decoder
from streams.delivery.mailbox import Box, Mailbox, Outcome, Terms
from streams.metrics import Metrics

_decode = decoder(*topics.OUTBOX.values)


class PostMark(Struct):
    """What is remembered of one partition of the outbox, besides its mailboxes."""

    offset: int = -1  # all parcels up to here are dealt with
    done: list[int] = []  # later ones that are, sorted
    time: int = 0  # of the last revision, seconds


class PostCore:
    """Keeps the mailboxes of the subscriptions of one partition."""

    def __init__(
        self,
        partition: int,
        layout: topics.Layout,
        terms: Terms,
        metrics: Metrics,
        wake: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """Take the partition, the topics, how hard to try, the metrics.

        Also what is called when something has come in, and the clock.
        """
        self.partition = partition
        self.mailboxes: dict[str, Mailbox] = {}
        #: Subscriptions for which something may be due, in the order in which it is their turn.
        self.stirred: dict[str, None] = {}
        self.letters = DeadLetters("deliver", topics.OUTBOX, layout, metrics)
        self._terms = terms
        self._wake = wake
        self._now = now
        self._mark = PostMark()
        self._done: set[int] = set()
        self._waiting: dict[int, Any] = {}  # offset -> the raw record
        self._next = 0  # the offset after the last that was read
        self._touched: set[str] = set()
        self._moved = False

    @property
    def time(self) -> int:
        """The stream time of the last revision, in seconds."""
        return self._mark.time

    @property
    def changed(self) -> bool:
        """Whether there is something that the last checkpoint does not cover."""
        return self._moved or bool(self._touched)

    def restore(self, states: dict[bytes, bytes]) -> int:
        """Go on from a checkpoint."""
        if MARK in states:
            self._mark = msgspec.json.decode(states[MARK], type=PostMark)
            self._done = set(self._mark.done)
        for key, value in states.items():
            if key != MARK:
                box = msgspec.json.decode(value, type=Box)
                self.mailboxes[key.decode()] = Mailbox(key.decode(), self._terms, box)
        self._next = self._mark.offset + 1
        return self._next

    def checkpoint(self) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return what is remembered of the mailboxes that changed, and the mark."""
        end = min(self._waiting, default=self._next) - 1
        self._mark.offset = max(self._mark.offset, end)
        self._done = {offset for offset in self._done if offset > self._mark.offset}
        self._mark.done = sorted(self._done)
        states = []
        for name in sorted(self._touched):
            self.mailboxes[name].forget(self._now())
            states.append((name.encode(), msgspec.json.encode(self.mailboxes[name].box)))
        self._touched.clear()
        self._moved = False
        return states, msgspec.json.encode(self._mark)

    def take(self, records: Sequence[Any]) -> list[Output]:
        """Put parcels into their mailboxes."""
        fresh = [r for r in records if r.offset >= self._next and r.offset not in self._done]
        readable, outputs = self.letters.decode(fresh, self.partition, _decode)
        raw = {record.offset: record for record in fresh}
        for offset, parcel in readable:
            mailbox = self.mailbox(parcel.subscription)
            if mailbox.add(offset, parcel):
                self._waiting[offset] = raw[offset]
                self.stirred.setdefault(parcel.subscription)
            self._mark.time = max(self._mark.time, seconds(parcel.alert.at))
        self._next = max(self._next, records[-1].offset + 1)
        self._moved = True
        self._wake()
        return outputs

    def stir(self) -> None:
        """Have every mailbox looked at in which something waits: time has passed."""
        for name, mailbox in self.mailboxes.items():
            if mailbox.waiting:
                self.stirred.setdefault(name)

    def pass_time(self) -> list[Output]:
        """Do nothing: the courier has a clock of its own."""
        return []

    def mailbox(self, name: str) -> Mailbox:
        """Return the mailbox of a subscription."""
        if name not in self.mailboxes:
            self.mailboxes[name] = Mailbox(name, self._terms)
        return self.mailboxes[name]

    def touch(self, name: str) -> None:
        """Note that what is remembered of a subscription has changed."""
        self._touched.add(name)

    def finish(self, name: str, outcome: Outcome) -> list[Output]:
        """Note which parcels are dealt with; return the dead letters of those given up."""
        letters: list[Output] = []
        for offset in outcome.done:
            record = self._waiting.pop(offset)
            self._done.add(offset)
            if outcome.given_up:
                reason = Rejected("undelivered", outcome.deliveries[-1].reason)
                letters.append(self.letters.letter(record, self.partition, reason))
        if outcome.done or outcome.deliveries:
            self.touch(name)
        return letters


def new_core(
    layout: topics.Layout,
    terms: Terms,
    metrics: Metrics,
    wake: Callable[[], None],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Callable[[int], PostCore]:
    """Return how to make the core of a partition."""
    return lambda partition: PostCore(partition, layout, terms, metrics, wake, now)
