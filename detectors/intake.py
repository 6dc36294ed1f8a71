"""The code stage: reports become events, watermarks and the health of their sources.

One `Intake` works on one partition of the reports. Its state says how far stream time has come in
that partition, and what its sources brought in the hours that are still open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from detectors.cells import RETIRED, SourceMonitor, cell_of_report
from detectors.coding import Coded as CodedReport
from detectors.coding import code
from detectors.records import Event, Heartbeat, Report, SourceHealth, Tick, Volume
from detectors.timegrid import Grid, instant, seconds
from detectors.world.units import UNITS

_LONGEST_GAP: Final = 90 * 86_400  # seconds: of a longer silence only the end is told by hours
_TICK_HEALTH: Final = 500  # health records in a tick: some 75 KB
_LONGEST_ERROR: Final = 300  # characters

#: Codes reports, in their order.
Coder = Callable[[Sequence[Report]], Sequence[CodedReport]]


class IntakeState(Struct):
    """What is remembered of one partition of the reports."""

    version: str = "intake@2"
    offset: int = -1  # the last record taken in
    time: int = 0  # the watermark: all up to here has come, seconds
    newest: int = 0  # the newest time seen
    sources: dict[str, SourceMonitor] = {}
    open: dict[int, dict[str, dict[str, str]]] = {}  # hour's end -> source -> report id -> cell
    violent: dict[int, dict[str, set[str]]] = {}  # hour's end -> country -> report ids
    errors: dict[int, dict[str, str]] = {}  # hour's end -> source -> why it could not be fetched


class Failure(Struct, frozen=True):
    """A report that could not be coded: a defect of the coder, whatever the report says."""

    offset: int
    report: str
    error: str


class Coded(Struct):
    """What a batch of reports came to."""

    events: list[Event]
    health: list[SourceHealth]  # of sources, by hour, then by source
    time: int  # the watermark after the batch, seconds
    advanced: bool  # whether the batch moved it
    outcomes: Counter[str]
    late: int  # reports whose step was over
    failed: list[Failure] = []
    cells: list[SourceHealth] = []  # of cells, by hour, then by source
    volumes: list[Volume] = []  # by hour, then by country; what is not told is 0

    def ticks(self, partition: int, of: int) -> list[Tick]:
        """Return the watermark as ticks, each small enough for one record, the last the highest."""
        if not self.advanced:
            return []
        chunks: list[list[SourceHealth]] = [[]]
        for health in self.cells:
            chunk = chunks[-1]
            if len(chunk) >= _TICK_HEALTH and health.at != chunk[-1].at:
                chunks.append(chunk := [])
            chunk.append(health)
        ends = [*(chunk[-1].at for chunk in chunks[:-1]), instant(self.time)]
        ticks, start = [], 0
        for end, chunk in zip(ends, chunks, strict=True):
            stop = start
            while stop < len(self.volumes) and self.volumes[stop].at <= end:
                stop += 1
            ticks.append(Tick(partition, of, end, tuple(chunk), tuple(self.volumes[start:stop])))
            start = stop
        return ticks


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
        coded_to = Coded([], [], 0, False, outcomes, 0)
        events, failed = coded_to.events, coded_to.failed
        told: dict[str, set[str]] = {}  # report id -> countries in which it tells of violence
        for coded in self._coded(reports):
            if isinstance(coded, Failure):
                outcomes["failed"] += 1
                failed.append(coded)
                continue
            outcomes[coded.outcome] += 1
            events.extend(coded.events)
            for event in coded.events:
                if _tells_of_violence(event):
                    told.setdefault(event.report, set()).add(event.unit)
        for _, record in fresh:
            coded_to.late += self._note(state, record, told)
            self._advance(state, coded_to)
        if fresh:
            state.offset = fresh[-1][0]
        coded_to.time, coded_to.advanced = state.time, state.time > before
        return coded_to

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

    def _note(
        self,
        state: IntakeState,
        record: Report | Heartbeat | Tick,
        told: Mapping[str, set[str]],
    ) -> bool:
        """Note one record; return whether it is a report that came after its step was over."""
        at = seconds(record.time if isinstance(record, Tick) else record.seen_at)
        state.newest = max(state.newest, at)
        if isinstance(record, Tick):
            return False
        hour = (at // self._grid.coarse + 1) * self._grid.coarse
        monitor = state.sources.get(record.source)
        if monitor is None:
            monitor = state.sources[record.source] = SourceMonitor(record.source, since=hour)
        monitor.heard = max(monitor.heard, hour)
        if hour > state.time:  # what comes late, or twice, is no sign of how much is seen now
            if isinstance(record, Report):
                _count(state, hour, record, told.get(record.id, ()))
            elif record.error is not None:
                state.errors.setdefault(hour, {})[record.source] = record.error
        return isinstance(record, Report) and self._grid.boundary_after(at) <= state.time

    def _advance(self, state: IntakeState, found: Coded) -> None:
        """Let stream time reach what the newest record tells; add what the hours came to."""
        time = self._grid.floor(state.newest - self._disorder)
        if time <= state.time:
            return
        coarse = self._grid.coarse
        since = max(state.time or time, time - _LONGEST_GAP)
        first = (since // coarse + 1) * coarse
        state.time = time
        for hour in range(first, time + 1, coarse):
            _close(state, hour, found)


def _tells_of_violence(event: Event) -> bool:
    """Whether an event is a country's copy of violence that happened, and no reprint."""
    unit = UNITS.get(event.unit)
    happened = event.event == "ASSAULT" and not event.auxiliary and event.wire is None
    return happened and unit is not None and unit.is_country


def _count(state: IntakeState, hour: int, report: Report, countries: Iterable[str]) -> None:
    """Count a report in its hour: once for its cell, and once for each country."""
    by_source = state.open.get(hour)
    if by_source is None:
        by_source = state.open[hour] = {}
    ids = by_source.get(report.source)
    if ids is None:
        ids = by_source[report.source] = {}
    ids[report.id] = cell_of_report(report)
    for country in countries:
        state.violent.setdefault(hour, {}).setdefault(country, set()).add(report.id)


def _close(state: IntakeState, hour: int, found: Coded) -> None:
    """Close an hour: judge every source, and tell how much there was of each country."""
    seen, errors = state.open.pop(hour, {}), state.errors.pop(hour, {})
    violent = state.violent.pop(hour, {})
    found.volumes.extend(Volume(c, instant(hour), len(violent[c])) for c in sorted(violent))
    for source in sorted(state.sources):
        monitor = state.sources[source]
        if monitor.heard < hour - RETIRED:  # it is no more polled
            del state.sources[source]
        elif hour >= monitor.since:
            counts = Counter(seen[source].values()) if source in seen else {}
            whole, cells = monitor.close_hour(counts, hour, errors.get(source))
            found.health.append(whole)
            found.cells.extend(cells)
