"""The detect stage: events become scores, in steps of stream time.

One `Watch` works on one partition of the events and owns the units that belong there. It holds
events until every partition upstream has passed their step, then scores the units that received
something, in canonical order; at each coarse step it looks at every unit, so that quiet is seen
too. So neither the number of partitions and workers nor the order of arrival within a step can
change a score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from detectors.coverage import UnitCoverage
from detectors.incidents import NONE, Change, Incident, IncidentLog
from detectors.records import Coverage, Event, Score, SourceHealth, Tick
from detectors.signals import SIGNALS, Observation
from detectors.timegrid import Grid, local_half_days, seconds
from detectors.watermarks import Watermarks
from detectors.world.units import UNITS

VERSION = "watch@2:" + ",".join(f"{s.name}@{s.version}" for s in SIGNALS.values())


class UnitState(Struct):
    """What is remembered of one unit."""

    version: str = VERSION
    closed: int = 0  # the last step scored, seconds
    incidents: IncidentLog = msgspec.field(default_factory=IncidentLog)
    coverage: UnitCoverage = msgspec.field(default_factory=UnitCoverage)
    half_day: int = -1  # when it was last looked at
    judged: tuple[Coverage, float] = ("ok", 1.0)
    signals: dict[str, Any] = {}
    published: dict[str, Score] = {}  # "signal/direction" -> the last score that said something new


class WatchState(Struct):
    """What is remembered of one partition of the events, besides its units."""

    version: str = VERSION
    offset: int = -1  # the last record taken in, but for events whose step is not over
    closed: int = 0  # stream time: all steps up to here are over
    coarse: int = 0  # the last coarse step; 0 until a source's first hour has ended
    watermarks: Watermarks = msgspec.field(default_factory=Watermarks)
    health: dict[str, SourceHealth] = {}
    due: dict[int, list[SourceHealth]] = {}  # health to be known from a step on


class Watch:
    """Scores the units of one partition of the events."""

    def __init__(self, grid: Grid, units: Sequence[str]) -> None:
        """Take the grid and the codes of the units that belong to the partition."""
        self._grid = grid
        self.state = WatchState()
        self.units = {unit: UnitState() for unit in sorted(units)}
        self.touched: set[str] = set()  # units changed since the last checkpoint
        self._pending: dict[int, list[tuple[int, Event]]] = {}  # end of step -> offsets, events

    def restore(self, state: WatchState, units: dict[str, UnitState]) -> None:
        """Go on from a checkpoint: read on after `state.offset`. Units that it lacks start anew.

        A unit may be ahead of the rest, after a crash between two writes: its `closed` and the
        events that it has counted make reading them again change nothing.

        Raises:
            ValueError: when the checkpoint was written by another version of the signals.
        """
        for version in {state.version, *(u.version for u in units.values())}:
            if version != VERSION:
                raise ValueError(f"state is of {version}, this is {VERSION}: start from a replay")
        self.state = state
        for code in units.keys() & self.units.keys():
            unit = self.units[code] = units[code]
            for name, raw in unit.signals.items():
                form = type(SIGNALS[name].initial())
                unit.signals[name] = msgspec.convert(raw, form, str_keys=True)

    def mark(self) -> WatchState:
        """Return the state from which another could go on, given the units' states.

        Events whose step is not over are not part of it: they are read again.
        """
        held = [offset for events in self._pending.values() for offset, _ in events]
        return replace(self.state, offset=min(held, default=self.state.offset + 1) - 1)

    def take(self, records: Iterable[tuple[int, Event | Tick]]) -> list[Score]:
        """Take in records with their offsets; return the scores of the steps that ended."""
        scores: list[Score] = []
        for offset, record in records:
            if offset <= self.state.offset:
                continue
            self.state.offset = offset
            if isinstance(record, Event):
                self._hold(offset, record)
            else:
                scores.extend(self._tick(record))
        return scores

    def _hold(self, offset: int, event: Event) -> None:
        if event.unit in self.units:
            # What comes after its step was over belongs to the step that is open now.
            at = max(seconds(event.seen_at), self.state.closed)
            self._pending.setdefault(self._grid.boundary_after(at), []).append((offset, event))

    def _tick(self, tick: Tick) -> list[Score]:
        for health in tick.sources:
            if seconds(health.at) > self.state.coarse:
                self.state.due.setdefault(seconds(health.at), []).append(health)
        time = self.state.watermarks.note(tick)
        return [] if time is None else self._close(self._grid.floor(time))

    def _close(self, time: int) -> list[Score]:
        """Score all steps up to `time`."""
        state, coarse = self.state, self._grid.coarse
        if time <= state.closed:
            return []
        ends = {end for end in self._pending if end <= time}
        first = state.coarse + coarse if state.coarse else min(state.due, default=time + 1)
        if first <= time:
            ends.update(range(first, time + 1, coarse))
            state.coarse = time - time % coarse
        scores: list[Score] = []
        for end in sorted(ends):
            received: dict[str, list[Event]] = {}
            for _, event in self._pending.pop(end, ()):
                received.setdefault(event.unit, []).append(event)
            units: Iterable[str] = sorted(received)
            if end % coarse == 0:
                self._know(end)
                units = self.units
            ailing = any(h.state != "ok" for h in state.health.values())
            for code in units:
                scores.extend(self._step(code, end, received.get(code), ailing))
        state.closed = time
        return scores

    def _know(self, end: int) -> None:
        """Let the sources' health up to `end` be known."""
        state = self.state
        for at in sorted(at for at in state.due if at <= end):
            for health in state.due.pop(at):
                state.health[health.source] = health
        # In canonical order, so that sums over sources have the same bits everywhere.
        if list(state.health) != sorted(state.health):
            state.health = dict(sorted(state.health.items()))

    def _step(self, code: str, end: int, received: list[Event] | None, ailing: bool) -> list[Score]:
        unit = self.units[code]
        if end <= unit.closed:
            return []
        country = UNITS[code].country
        half_day = local_half_days(end, country)
        judged: tuple[Coverage, float] = ("ok", 1.0)
        if ailing:
            judged = unit.coverage.judge(self.state.health)
        if received is None and half_day == unit.half_day and judged == unit.judged:
            return []
        change = _count(unit, received, end) if received else NONE
        if half_day != unit.half_day:
            unit.incidents.forget(half_day // 2)
        unit.half_day, unit.judged, unit.closed = half_day, judged, end
        self.touched.add(code)
        seen = Observation(
            unit=code,
            country=country,
            at=end,
            half_day=half_day,
            coverage=judged[0],
            share=judged[1],
            incidents=unit.incidents,
            new=change.new,
            gone=change.gone,
        )
        return _score(unit, seen)


def _count(unit: UnitState, received: list[Event], end: int) -> Change:
    """Take the events of a step into incidents, in canonical order; return what that changed."""
    new: dict[str, Incident] = {}
    gone: dict[str, Incident] = {}
    for event in sorted(received, key=lambda e: (e.seen_at, e.id)):
        if not _counts(event) or event.id in unit.incidents.seen:
            continue
        change = unit.incidents.take(event, end)
        if event.id in unit.incidents.seen:
            unit.coverage.take(event.source)
        for incident in change.new:
            if gone.pop(incident.id, None) is None:
                new[incident.id] = incident
        for incident in change.gone:
            if new.pop(incident.id, None) is None:
                gone[incident.id] = incident
    return Change(tuple(new.values()), tuple(gone.values()))


def _counts(event: Event) -> bool:
    """Whether an event is of violence that happened, or says of such that it did not."""
    taken_back = event.statement in ("denial", "retraction")
    return event.event == "ASSAULT" and (not event.auxiliary or taken_back)


def _score(unit: UnitState, seen: Observation) -> list[Score]:
    """Run every signal; return the scores that say something new."""
    fresh = []
    for name, signal in SIGNALS.items():
        if name not in unit.signals:
            unit.signals[name] = signal.initial()
        unit.signals[name], scores = signal.step(unit.signals[name], seen)
        for score in scores:
            key = f"{score.signal}/{score.direction}"
            last = unit.published.get(key)
            if last is None or replace(score, id=last.id, at=last.at) != last:
                unit.published[key] = score
                fresh.append(score)
    return fresh
