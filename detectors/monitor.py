"""The stages composed in one process: for replay, backtest and measurement.

The same pure steps as on Kafka, with one partition everywhere and time as an input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from msgspec import Struct

from detectors.alerting import Desk, Policy
from detectors.index import Judge
from detectors.intake import Coded, Intake, IntakeState
from detectors.records import Alert, Event, Heartbeat, Report, Score, Tick
from detectors.timegrid import Grid, instant
from detectors.watch import Watch
from detectors.world.units import UNITS

BATCH = 500


class Passed(Struct, frozen=True):
    """What a batch of reports led to."""

    coded: Coded
    scores: list[Score]
    alerts: list[Alert]


class Monitor:
    """The whole line from reports to alerts."""

    def __init__(
        self,
        grid: Grid | None = None,
        policy: Policy | None = None,
        disorder: int = 0,
        judge: Judge | None = None,
    ) -> None:
        """Start with an empty history.

        Args:
            grid: Steps of stream time.
            policy: How alerts live.
            disorder: In seconds, as `Intake` takes it.
            judge: What makes the instability index; the untrained model unless given.
        """
        self.grid = grid or Grid()
        self._intake = Intake(self.grid, disorder)
        self._state = IntakeState()
        self._watch = Watch(self.grid, list(UNITS), judge)
        self._desk = Desk(self.grid, policy or Policy())
        self._reports = self._events = self._scores = 0  # the next offsets

    def take(self, records: Sequence[Report | Heartbeat | Tick]) -> Passed:
        """Take in a batch in order of arrival; return what it led to."""
        first = self._reports
        self._reports += len(records)
        coded = self._intake.take(self._state, enumerate(records, first))
        events: list[Event | Tick] = [*coded.events, *coded.ticks(0, 1)]
        first = self._events
        self._events += len(events)
        closed = self._watch.state.closed
        scores = self._watch.take(enumerate(events, first))
        onward: list[Score | Tick] = list(scores)
        if self._watch.state.closed > closed:
            onward.append(Tick(0, 1, instant(self._watch.state.closed)))
        first = self._scores
        self._scores += len(onward)
        return Passed(coded, scores, self._desk.take(enumerate(onward, first)).alerts)

    def run(
        self,
        records: Iterable[Report | Heartbeat | Tick],
        progress: Callable[[Passed], None] = lambda passed: None,
    ) -> Iterator[Alert]:
        """Take in records to their end; yield every alert revision."""
        source = iter(records)
        while batch := list(islice(source, BATCH)):
            passed = self.take(batch)
            progress(passed)
            yield from passed.alerts
