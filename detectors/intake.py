"""The code stage: reports become events, watermarks and the health of their sources.

One `Intake` works on one partition of the reports. Its state says how far stream time has come in
that partition, and what its sources brought in the hours that are still open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from detectors.coding import Coded as CodedReport
from detectors.coding import code
from detectors.coverage import SourceMonitor
from detectors.records import Event, Heartbeat, Report, SourceHealth, Tick
from detectors.timegrid import Grid, instant, seconds

_LONGEST_GAP: Final = 90 * 86_400  # seconds: of a longer silence only the end is told by hours
_TICK_HEALTH: Final = 500  # health records in a tick: some 75 KB
_LONGEST_ERROR: Final = 300  # characters

#: Codes reports, in their order.
Coder = Callable[[Sequence[Report]], Sequence[CodedReport]]


class IntakeState(Struct):
    """What is remembered of one partition of the reports."""

    version: str = "intake@1"
    offset: int = -1  # the last record taken in
    time: int = 0  # the watermark: all up to here has come, seconds
    newest: int = 0  # the newest time seen
    sources: dict[str, SourceMonitor] = {}
    open: dict[int, dict[str, set[str]]] = {}  # hour's end -> source -> report ids
    errors: dict[int, dict[str, str]] = {}  # hour's end -> source -> why it could not be fetched


class Failure(Struct, frozen=True):
    """A report that could not be coded: a defect of the coder, whatever the report says."""

    offset: int
    report: str
    error: str


class Coded(Struct):
    """What a batch of reports came to."""

    events: list[Event]
    health: list[SourceHealth]  # by hour, then by source
    time: int  # the watermark after the batch, seconds
    advanced: bool  # whether the batch moved it
    outcomes: Counter[str]
    late: int  # reports whose step was over
    failed: list[Failure] = []

    def ticks(self, partition: int, of: int) -> list[Tick]:
        """Return the watermark as ticks, each small enough for one record, the last the highest."""
        if not self.advanced:
            return []
        chunks: list[list[SourceHealth]] = [[]]
        for health in self.health:
            chunk = chunks[-1]
            if len(chunk) >= _TICK_HEALTH and health.at != chunk[-1].at:
                chunks.append(chunk := [])
            chunk.append(health)
        *earlier, last = chunks
        ticks = [Tick(partition, of, chunk[-1].at, tuple(chunk)) for chunk in earlier]
        return [*ticks, Tick(partition, of, instant(self.time), tuple(last))]


class Intake:
    """Codes batches of one partition's reports and keeps its stream time."""

    def __init__(self, grid: Grid, disorder: int = 0, coder: Coder = code) -> None:
        """Take what a partition's reports are read with.

        Args:
            grid: The steps of stream time.
            disorder: By how many seconds reports of one partition may be out of order.
            coder: Codes the reports.
        """
        self._grid = grid
        self._disorder = disorder
        self._code = coder

    def take(
        self, state: IntakeState, records: Iterable[tuple[int, Report | Heartbeat | Tick]]
    ) -> Coded:
        """Take in records with their offsets; those at or before the state's offset are skipped.

        Events are in the order of the reports. Health comes at each hour that ended, by source. A
        report that cannot be coded is told in `failed`, and counts as seen; the others are coded.
        """
        before = state.time
        fresh = [(offset, record) for offset, record in records if offset > state.offset]
        reports = [(offset, record) for offset, record in fresh if isinstance(record, Report)]
        outcomes: Counter[str] = Counter()
        events: list[Event] = []
        failed: list[Failure] = []
        for coded in self._coded(reports):
            if isinstance(coded, Failure):
                outcomes["failed"] += 1
                failed.append(coded)
                continue
            outcomes[coded.outcome] += 1
            events.extend(coded.events)
        health: list[SourceHealth] = []
        late = 0
        for _, record in fresh:
            late += self._note(state, record)
            health.extend(self._advance(state))
        if fresh:
            state.offset = fresh[-1][0]
        return Coded(events, health, state.time, state.time > before, outcomes, late, failed)

    def _coded(self, reports: Sequence[tuple[int, Report]]) -> Iterable[CodedReport | Failure]:
        """Code reports, one by one where one of them cannot be coded."""
        try:
            return self._code([report for _, report in reports])
        except MemoryError:
            raise  # of the process, not of a report
        except Exception:  # which one it was is found out by coding each alone
            return [self._alone(offset, report) for offset, report in reports]

    def _alone(self, offset: int, report: Report) -> CodedReport | Failure:
        try:
            (coded,) = self._code([report])
        except MemoryError:
            raise
        except Exception as error:  # a defect that one report brings to light must not stop all
            return Failure(offset, report.id, repr(error)[:_LONGEST_ERROR])
        return coded

    def _note(self, state: IntakeState, record: Report | Heartbeat | Tick) -> bool:
        """Note one record; return whether it is a report that came after its step was over."""
        at = seconds(record.time if isinstance(record, Tick) else record.seen_at)
        state.newest = max(state.newest, at)
        if isinstance(record, Tick):
            return False
        hour = (at // self._grid.coarse + 1) * self._grid.coarse
        if record.source not in state.sources:
            state.sources[record.source] = SourceMonitor(record.source, since=hour)
        if hour > state.time:  # what comes late, or twice, is no sign of how much is seen now
            if isinstance(record, Report):
                seen = state.open.get(hour)
                if seen is None:
                    seen = state.open[hour] = {}
                ids = seen.get(record.source)
                if ids is None:
                    ids = seen[record.source] = set()
                ids.add(record.id)
            elif record.error is not None:
                state.errors.setdefault(hour, {})[record.source] = record.error
        return isinstance(record, Report) and self._grid.boundary_after(at) <= state.time

    def _advance(self, state: IntakeState) -> Sequence[SourceHealth]:
        time = self._grid.floor(state.newest - self._disorder)
        if time <= state.time:
            return ()
        coarse = self._grid.coarse
        since = max(state.time or time, time - _LONGEST_GAP)
        first = (since // coarse + 1) * coarse
        state.time = time
        health = []
        for hour in range(first, time + 1, coarse):
            seen, errors = state.open.pop(hour, {}), state.errors.pop(hour, {})
            for source in sorted(state.sources):
                monitor = state.sources[source]
                if hour < monitor.since:
                    continue
                count = len(seen.get(source, ()))
                health.append(monitor.close_hour(count, hour, errors.get(source)))
        return health
