"""The alert stage on Kafka: one partition of scores and commands in, alert revisions out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from detectors.acts import Refused
from detectors.alerting import Desk, DeskState, Policy
from detectors.evidence import NAME
from detectors.records import Alert
from detectors.timegrid import Grid
from streams import topics
from streams.agents.deadletters import DeadLetters
from streams.agents.stage import MARK, Output
from streams.codecs import Rejected, decoder, encode
from streams.metrics import Metrics
from streams.partitioning import partition_of

_decode = decoder(*topics.SCORES.values)


class _Forwarded(Struct, frozen=True):
    """A command as it lies among the scores."""

    offset: int
    key: bytes
    value: bytes


class AlertCore:
    """Keeps the alerts of the signals of one partition of the scores."""

    def __init__(self, partition: int, layout: topics.Layout, desk: Desk, metrics: Metrics) -> None:
        """Take the partition, the topics, the pure stage and the metrics."""
        self._partition = partition
        self._layout = layout
        self._metrics = metrics
        self._desk = desk
        self._dead = DeadLetters("alert", topics.SCORES, layout, metrics)

    @property
    def time(self) -> int:
        """The stream time up to which alerts are decided, in seconds."""
        return self._desk.state.closed

    def restore(self, states: dict[bytes, bytes]) -> int:
        """Go on from a checkpoint."""
        if MARK in states:
            self._desk.restore(msgspec.json.decode(states[MARK], type=DeskState))
        return self._desk.state.offset + 1

    def checkpoint(self) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return the mark, which is the whole state."""
        return [], msgspec.json.encode(self._desk.mark())

    def take(self, records: Sequence[Any]) -> list[Output]:
        """Decide on the alerts of the steps that a batch of raw records brings to their end."""
        readable, outputs = self._dead.decode(records, self._partition, _decode)
        topic, n = self._layout.name(topics.ALERTS), self._layout.partitions
        decided = self._desk.take(readable)
        outputs.extend(map(self._answer, decided.refused))
        if decided.alerts:
            self._measure_spending()
        for alert in decided.alerts:
            self._measure(alert)
            outputs.append(
                Output(topic, partition_of(alert.id, n), alert.id.encode(), encode(alert))
            )
        return outputs

    def _answer(self, refused: Refused) -> Output:
        """Return the dead letter of an act that could not be carried out: it says why."""
        command = refused.command
        record = _Forwarded(refused.offset, command.alert.encode(), encode(command))
        return self._dead.letter(record, self._partition, Rejected("act_refused", refused.reason))

    def _measure_spending(self) -> None:
        for found in self._desk.spending():
            labels = (NAME, found.direction, found.severity)
            self._metrics.budget_spent.labels(*labels).set(found.spent)
            self._metrics.budget_allowed.labels(*labels).set(found.allowed)

    def _measure(self, alert: Alert) -> None:
        self._metrics.alert_revisions.labels(alert.signal, alert.state).inc()
        if alert.revision == 0:
            waited = (datetime.now(UTC) - alert.opened_at).total_seconds()
            self._metrics.report_to_alert.observe(max(0.0, waited))


def new_core(
    layout: topics.Layout, grid: Grid, policy: Policy, metrics: Metrics
) -> Callable[[int], AlertCore]:
    """Return how to make the core of a partition."""
    return lambda partition: AlertCore(partition, layout, Desk(grid, policy), metrics)


_decode_command = decoder(*topics.COMMANDS.values)


def forward(
    records: Sequence[Any], partition: int, layout: topics.Layout, dead: DeadLetters
) -> list[Output]:
    """Return commands as records for the partition that keeps the alerts."""
    readable, outputs = dead.decode(records, partition, _decode_command)
    topic = layout.name(topics.SCORES)
    for _, command in readable:
        target = partition_of(NAME, layout.partitions)
        outputs.append(Output(topic, target, NAME.encode(), encode(command)))
    return outputs
