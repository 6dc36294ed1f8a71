"""The code stage on Kafka: one partition of reports in; events, ticks and source health out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import structlog

from detectors.intake import Coded, Failure, Intake, IntakeState
from detectors.records import Event, Report
from detectors.timegrid import Grid, seconds
from streams import topics
from streams.agents.deadletters import DeadLetters
from streams.agents.stage import MARK, Output
from streams.codecs import Rejected, check_time, decoder, encode
from streams.metrics import Metrics
from streams.partitioning import partition_of

_decode = decoder(*topics.REPORTS.values)
_log = structlog.get_logger(__name__)


class CodeCore:
    """Codes one partition of the reports."""

    def __init__(
        self,
        partition: int,
        layout: topics.Layout,
        intake: Intake,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        """Take the partition, the topics, the pure stage, the metrics and a wall clock.

        The clock only refuses times that lie ahead of it.
        """
        self._partition = partition
        self._layout = layout
        self._intake = intake
        self._metrics = metrics
        self._now = now
        self._state = IntakeState()
        self._dead = DeadLetters("code", topics.REPORTS, layout, metrics)

    @property
    def time(self) -> int:
        """The partition's watermark, in seconds."""
        return self._state.time

    def restore(self, states: dict[bytes, bytes]) -> int:
        """Go on from a checkpoint."""
        if MARK in states:
            self._state = msgspec.json.decode(states[MARK], type=IntakeState)
        return self._state.offset + 1

    def checkpoint(self) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return the state: it is all in the mark."""
        return [], msgspec.json.encode(self._state)

    def take(self, records: Sequence[Any]) -> list[Output]:
        """Code a batch of raw records."""
        now = self._now()

        def decode(value: bytes) -> Any:  # noqa: ANN401 - one of the topic's records
            record = _decode(value)
            check_time(record, now)
            return record

        readable, outputs = self._dead.decode(records, self._partition, decode)
        coded = self._intake.take(self._state, readable)
        if records:  # also what could not be read is done with
            self._state.offset = max(self._state.offset, records[-1].offset)
        outputs.extend(self._not_coded(records, coded.failed))
        self._measure(readable, coded)
        events, n = self._layout.name(topics.EVENTS), self._layout.partitions
        for event in coded.events:
            outputs.append(
                Output(events, partition_of(event.unit, n), event.unit.encode(), encode(event))
            )
        coverage = self._layout.name(topics.COVERAGE)
        for health in coded.health:
            source = health.source
            outputs.append(
                Output(coverage, partition_of(source, n), source.encode(), encode(health))
            )
        for tick in coded.ticks(self._partition, n):
            value = encode(tick)
            outputs.extend(Output(events, partition, None, value) for partition in range(n))
        return outputs

    def _not_coded(self, records: Sequence[Any], failed: Sequence[Failure]) -> list[Output]:
        """Return the dead letters of the reports that could not be coded."""
        if not failed:
            return []
        raw = {record.offset: record for record in records}
        for each in failed:
            _log.error("coding_failed", report=each.report, error=each.error)
        return [
            self._dead.letter(
                raw[each.offset],
                self._partition,
                Rejected("coding_failed", f"{each.report}: {each.error}"),
            )
            for each in failed
        ]

    def _measure(self, readable: Sequence[tuple[int, Any]], coded: Coded) -> None:
        metrics = self._metrics
        received = Counter(r.source for _, r in readable if isinstance(r, Report))
        for source, count in received.items():
            metrics.reports_received.labels(source).inc(count)
        for outcome, count in coded.outcomes.items():
            metrics.reports_coded.labels(outcome).inc(count)
        metrics.reports_late.inc(coded.late)
        for event in coded.events:
            _measure_delay(metrics, event)


def _measure_delay(metrics: Metrics, event: Event) -> None:
    if event.occurred is not None and event.place is not None and event.unit == event.place.country:
        start = event.occurred.start
        occurred = datetime(start.year, start.month, start.day, tzinfo=event.seen_at.tzinfo)
        metrics.report_delay.observe(max(0, seconds(event.seen_at) - seconds(occurred)))


def new_core(
    layout: topics.Layout, grid: Grid, disorder: int, metrics: Metrics, now: Callable[[], datetime]
) -> Callable[[int], CodeCore]:
    """Return how to make the core of a partition."""
    intake = Intake(grid, disorder)
    return lambda partition: CodeCore(partition, layout, intake, metrics, now)
