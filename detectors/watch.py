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

from detectors import evidence, index
from detectors.climate import Climate, Volumes
from detectors.coverage import AS_USUAL, UNIT_OK, Judged, Sources, UnitCoverage
from detectors.incident_log import NONE, Change, IncidentLog, netted
from detectors.incidents import Incident
from detectors.model import untrained
from detectors.records import Event, EventType, Score, SourceHealth, Tick
from detectors.signals import ALWAYS, SIGNALS, Observation, Signal, applies
from detectors.signals.base import NO_CLIMATE
from detectors.timegrid import LOCAL_OFFSET, Grid, local_half_days, seconds
from detectors.watermarks import Watermarks
from detectors.world.units import UNITS

VERSION = "watch@3:" + ",".join(
    f"{name}@{version}"
    for name, version in [
        (evidence.NAME, evidence.VERSION),
        ("index", index.VERSION),
        *((s.name, s.version) for s in SIGNALS.values()),
    ]
)


class UnitState(Struct):
    """What is remembered of one unit."""

    version: str = VERSION
    closed: int = 0  # the last step scored, seconds
    incidents: IncidentLog = msgspec.field(default_factory=IncidentLog)  # of violence
    acts: dict[EventType, IncidentLog] = {}  # of every other type
    coverage: UnitCoverage = msgspec.field(default_factory=UnitCoverage)
    half_day: int = -1  # when it was last looked at
    since: int = -1  # the local day number when it was first looked at
    judged: Judged = AS_USUAL
    signals: dict[str, Any] = {}
    past: index.Past = msgspec.field(default_factory=index.Past)  # what the index rests on
    published: dict[str, Score] = {}  # "signal/direction" -> the last score that said something new


class WatchState(Struct):
    """What is remembered of one partition of the events, besides its units."""

    version: str = VERSION
    offset: int = -1  # the last record taken in, but for events whose step is not over
    closed: int = 0  # stream time: all steps up to here are over
    coarse: int = 0  # the last coarse step; 0 until a source's first hour has ended
    watermarks: Watermarks = msgspec.field(default_factory=Watermarks)
    sources: Sources = msgspec.field(default_factory=Sources)
    due: dict[int, list[SourceHealth]] = {}  # health to be known from a step on
    volumes: Volumes = msgspec.field(default_factory=Volumes)
    climates: dict[str, Climate] = {}  # country -> its usual pace


class Watch:
    """Scores the units of one partition of the events."""

    def __init__(self, grid: Grid, units: Sequence[str], judge: index.Judge | None = None) -> None:
        """Take the grid, the codes of the units that belong to the partition, what makes the index.

        Without a `judge` it is the untrained model.
        """
        self._grid = grid
        self._judge = judge or untrained()
        self._signals = {
            code: tuple(name for name, signal in SIGNALS.items() if applies(signal, code))
            for code in units
        }
        self._countries = {code: (UNITS[code].country, UNITS[code].countries) for code in units}
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
        self.state.volumes.note(tick, self.state.coarse)
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
            for code in units:
                scores.extend(self._step(code, end, received.get(code)))
        state.closed = time
        return scores

    def _know(self, end: int) -> None:
        """Let the sources' health, and how much they told of each country, be known up to `end`."""
        state = self.state
        told = [h for at in sorted(state.due) if at <= end for h in state.due.pop(at)]
        state.sources.know(told, end)
        volumes = state.volumes.close(end)
        covered = state.sources.share >= UNIT_OK
        for country in LOCAL_OFFSET:
            climate = state.climates.setdefault(country, Climate())
            climate.take(country, end, volumes.get(country, 0), covered=covered)

    def _step(self, code: str, end: int, received: list[Event] | None) -> list[Score]:
        unit = self.units[code]
        if end <= unit.closed:
            return []
        country, countries = self._countries[code]
        half_day = local_half_days(end, country)
        judged = unit.coverage.judge(self.state.sources, countries)
        if received is None and half_day == unit.half_day and judged == unit.judged:
            return []
        change = _count(unit, received, end) if received else NONE
        if half_day != unit.half_day:
            for log in (unit.incidents, *unit.acts.values()):
                log.forget(half_day // 2)
        if unit.since < 0:
            unit.since = half_day // 2
        turned = half_day != unit.half_day or judged.state != unit.judged.state
        unit.half_day, unit.judged, unit.closed = half_day, judged, end
        self.touched.add(code)
        seen = Observation(
            unit=code,
            country=country,
            at=end,
            half_day=half_day,
            coverage=judged.state,
            share=judged.share,
            missing=judged.missing,
            incidents=unit.incidents,
            new=change.new,
            gone=change.gone,
            acts=unit.acts,
            turned=turned,
            since=unit.since,
            climate=self.state.climates.get(country, NO_CLIMATE),
        )
        return _score(unit, seen, self._signals[code], self._judge)


def _count(unit: UnitState, received: list[Event], end: int) -> Change:
    """Take the events of a step into incidents, in canonical order; return what that changed."""
    changes = []
    for event in sorted(received, key=lambda e: (e.seen_at, e.id)):
        log = _log(unit, event)
        if log is None or event.id in log.seen:
            continue
        changes.append(log.take(event, end))
        if event.id in log.seen:
            unit.coverage.take(event)
    return netted(changes)


def _log(unit: UnitState, event: Event) -> IncidentLog | None:
    """Return where incidents of the event's type are put together; None: it is none.

    What is of the past, the future or a supposition is none, but for what says of violence that it
    did not happen.
    """
    if event.event == "ASSAULT":
        taken_back = event.statement in ("denial", "retraction")
        return unit.incidents if not event.auxiliary or taken_back else None
    if event.auxiliary:
        return None
    return unit.acts.setdefault(event.event, IncidentLog())


def _score(
    unit: UnitState, seen: Observation, signals: tuple[str, ...], judge: index.Judge
) -> list[Score]:
    """Run the signals that this may change; return the scores that say something new."""
    found: list[Score] = []
    changed = (*seen.new, *seen.gone)
    for name in signals:
        signal = SIGNALS[name]
        if not _due(signal, unit, seen, changed):
            continue
        if name not in unit.signals:
            unit.signals[name] = signal.initial()
        unit.signals[name], scores = signal.step(unit.signals[name], seen)
        found.extend(scores)
    fresh = [score for score in found if _publish(unit, score)]
    if fresh:
        summed = evidence.sum_up(seen, unit.published)
        summed = index.attach(judge, unit.past, seen, summed, unit.published)
        fresh.extend(score for score in summed if _publish(unit, score))
    return fresh


def _due(signal: Signal, unit: UnitState, seen: Observation, changed: tuple[Incident, ...]) -> bool:
    """Whether a signal may say something new of a unit.

    Of what never happened there nothing needs to be said; when it happens, the days without it
    since the unit is watched are known to the signal.
    """
    if not signal.indicator:
        return True  # it measures how well is seen
    speaks = signal.name in ALWAYS or signal.name in unit.signals
    return (seen.turned and speaks) or any(map(signal.concerns, changed))


def _publish(unit: UnitState, score: Score) -> bool:
    """Remember a score as the last one, and return whether it says something new."""
    key = f"{score.signal}/{score.direction}"
    last = unit.published.get(key)
    if last is not None and replace(score, id=last.id, at=last.at) == last:
        return False
    unit.published[key] = score
    return True
