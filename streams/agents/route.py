"""The route stage on Kafka: alert revisions in, a parcel for each subscription that follows out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from detectors.delivery_records import Parcel
from detectors.timegrid import seconds
from streams import topics
from streams.agents.deadletters import DeadLetters
from streams.agents.stage import MARK, Output
from streams.codecs import decoder, encode
from streams.delivery.router import Following, Router
from streams.metrics import Metrics
from streams.partitioning import partition_of
from streams.subscriptions import Directory

_decode = decoder(*topics.ALERTS.values)
_DROPPED = b""


class RouteMark(Struct):
    """What is remembered of one partition of the alerts, besides who follows them."""

    offset: int = -1  # the last record taken in
    time: int = 0  # of the last revision, seconds


class RouteCore:
    """Tells who is to be told of the alerts of one partition."""

    def __init__(
        self,
        partition: int,
        layout: topics.Layout,
        subscriptions: Directory,
        metrics: Metrics,
        now: Callable[[], datetime],
        forgetful: Mapping[str, timedelta],
    ) -> None:
        """Take the partition, the topics, all subscriptions, the metrics and the clock.

        Also how often which sinks have to be told anew.
        """
        self._partition = partition
        self._layout = layout
        self._subscriptions = subscriptions
        self._now = now
        self._forgetful = forgetful
        self._router = Router()
        self._mark = RouteMark()
        self._dropped: list[str] = []
        self._dead = DeadLetters("route", topics.ALERTS, layout, metrics)

    @property
    def time(self) -> int:
        """The stream time of the last revision, in seconds."""
        return self._mark.time

    @property
    def changed(self) -> bool:
        """Whether there is something that the last checkpoint does not cover."""
        return bool(self._router.touched or self._dropped)

    def restore(self, states: dict[bytes, bytes]) -> int:
        """Go on from a checkpoint."""
        if MARK in states:
            self._mark = msgspec.json.decode(states[MARK], type=RouteMark)
        for key, value in states.items():
            if key != MARK and value != _DROPPED:
                following = msgspec.json.decode(value, type=Following)
                self._router.alerts[key.decode()] = following
        return self._mark.offset + 1

    def checkpoint(self) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return who follows the alerts that changed, and the mark."""
        alerts = self._router.alerts
        states = [
            (name.encode(), msgspec.json.encode(alerts[name]))
            for name in sorted(self._router.touched)
            if name in alerts
        ]
        states += [(name.encode(), _DROPPED) for name in self._dropped]
        self._router.touched.clear()
        self._dropped.clear()
        return states, msgspec.json.encode(self._mark)

    def take(self, records: Sequence[Any]) -> list[Output]:
        """Return a parcel for each revision and each subscription that follows its alert."""
        readable, outputs = self._dead.decode(records, self._partition, _decode)
        now = self._now()
        for _, alert in readable:
            parcels = self._router.take(alert, self._subscriptions.all(), now)
            outputs.extend(posted(each, self._layout) for each in parcels)
            self._mark.time = max(self._mark.time, seconds(alert.at))
        self._mark.offset = max(self._mark.offset, records[-1].offset)
        return outputs

    def pass_time(self) -> list[Output]:
        """Pass on what nobody has acknowledged for too long; remind channels that forget."""
        known, now = {each.id: each for each in self._subscriptions.all()}, self._now()
        parcels = self._router.escalate(known, now)
        parcels += self._router.remind(known, self._forgetful, now)
        self._dropped.extend(self._router.forget(now))
        return [posted(each, self._layout) for each in parcels]


def posted(parcel: Parcel, layout: topics.Layout) -> Output:
    """Return a parcel as it goes on the outbox."""
    key, partition = parcel.subscription, partition_of(parcel.subscription, layout.partitions)
    return Output(layout.name(topics.OUTBOX), partition, key.encode(), encode(parcel))


def new_core(
    layout: topics.Layout,
    subscriptions: Directory,
    metrics: Metrics,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    forgetful: Mapping[str, timedelta] = MappingProxyType({}),
) -> Callable[[int], RouteCore]:
    """Return how to make the core of a partition."""
    return lambda partition: RouteCore(partition, layout, subscriptions, metrics, now, forgetful)
