"""The detect stage on Kafka: one partition of events in, the scores of its units out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from detectors.index import Judge
from detectors.records import Tick
from detectors.timegrid import Grid, instant
from detectors.watch import UnitState, Watch, WatchState
from streams import topics
from streams.agents.deadletters import DeadLetters
from streams.agents.stage import MARK, Output
from streams.codecs import decoder, encode
from streams.metrics import Metrics, show_score
from streams.partitioning import partition_of, units_of

_decode = decoder(*topics.EVENTS.values)


class DetectCore:
    """Scores the units of one partition of the events."""

    def __init__(
        self,
        partition: int,
        layout: topics.Layout,
        grid: Grid,
        metrics: Metrics,
        judge: Judge | None = None,
    ) -> None:
        """Take the partition, the topics, the steps of time, the metrics, what makes the index."""
        self._partition = partition
        self._layout = layout
        self._metrics = metrics
        self._watch = Watch(grid, units_of(partition, layout.partitions), judge)
        self._dead = DeadLetters("detect", topics.EVENTS, layout, metrics)

    @property
    def time(self) -> int:
        """The stream time up to which all units are scored, in seconds."""
        return self._watch.state.closed

    def restore(self, states: dict[bytes, bytes]) -> int:
        """Go on from a checkpoint."""
        if MARK in states:
            mark = msgspec.json.decode(states[MARK], type=WatchState)
            units = {
                key.decode(): msgspec.json.decode(value, type=UnitState)
                for key, value in states.items()
                if key != MARK
            }
            self._watch.restore(mark, units)
        return self._watch.state.offset + 1

    def checkpoint(self) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return the units that changed, and the mark."""
        touched = sorted(self._watch.touched)
        self._watch.touched.clear()
        states = [(code.encode(), msgspec.json.encode(self._watch.units[code])) for code in touched]
        return states, msgspec.json.encode(self._watch.mark())

    def take(self, records: Sequence[Any]) -> list[Output]:
        """Score what a batch of raw records brings to its end."""
        readable, outputs = self._dead.decode(records, self._partition, _decode)
        before = self._watch.state.closed
        scores = self._watch.take(readable)
        topic, n = self._layout.name(topics.SCORES), self._layout.partitions
        for score in scores:
            show_score(self._metrics, score)
            signal = score.signal
            outputs.append(Output(topic, partition_of(signal, n), signal.encode(), encode(score)))
        if self._watch.state.closed > before:
            tick = encode(Tick(self._partition, n, instant(self._watch.state.closed)))
            outputs.extend(Output(topic, partition, None, tick) for partition in range(n))
        return outputs


def new_core(
    layout: topics.Layout, grid: Grid, metrics: Metrics, judge: Judge | None = None
) -> Callable[[int], DetectCore]:
    """Return how to make the core of a partition."""
    return lambda partition: DetectCore(partition, layout, grid, metrics, judge)
