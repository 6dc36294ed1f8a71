"""Streams of a simulated world through the whole line, beside a twin that is undisturbed.

A world is read up to a moment; from a copy of the monitor at that moment the twin goes on with the
same stream, and others with a stream that was disturbed. What differs is due to the disturbance.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from datetime import timedelta
from itertools import islice

from msgspec import Struct, field

from detectors.alerting import Policy
from detectors.budget import Budget
from detectors.monitor import Monitor
from detectors.records import Alert, Coverage, Heartbeat, Report, Tick
from detectors.timegrid import DAY, Grid, instant, seconds
from streams.simulator.arrivals import stage

HOUR = 3_600
FOREVER = 1 << 60
GRID = Grid()
#: More alerts than a user would ask for, so that there are some at stake.
POLICY = Policy(Budget(watch=12.0, warning=4.0, critical=1.0))
#: The same change may be told so much sooner or later.
_NEAR = 3 * DAY
_OVER = ("resolved", "expired", "retracted")
_BATCH = 500

Fed = Report | Heartbeat | Tick
#: Unit and direction.
Key = tuple[str, str]


class Run(Struct):
    """What one stream led to. Times in seconds."""

    alerts: list[Alert] = []  # every revision
    coverage: dict[str, list[tuple[int, Coverage]]] = {}  # of units: since when which state
    events: dict[str, Counter[str]] = field(default_factory=dict)  # unit -> events by source

    def state(self, unit: str, at: int) -> Coverage | None:
        """Return a unit's coverage at a time; None where none has been told yet."""
        told = [state for since, state in self.coverage.get(unit, ()) if since <= at]
        return told[-1] if told else None

    def opened(self, first: int, last: int) -> list[Alert]:
        """Return the first revisions of the alerts opened after `first` and up to `last`."""
        return [a for a in self.alerts if a.revision == 0 and first < seconds(a.at) <= last]

    def at(self, time: int) -> list[Alert]:
        """Return the revisions that stand at a time, of the alerts that are not over then."""
        last = {a.id: a for a in self.alerts if seconds(a.at) <= time}
        return [alert for alert in last.values() if alert.state not in _OVER]

    def ended(self, first: int, last: int) -> list[Alert]:
        """Return the revisions by which alerts ended after `first` and up to `last`."""
        before: set[str] = set()
        found = []
        for alert in self.alerts:
            if alert.state in _OVER and alert.id not in before:
                before.add(alert.id)
                if first < seconds(alert.at) <= last:
                    found.append(alert)
        return found

    def lives(self) -> dict[Key, list[tuple[int, int]]]:
        """Return from when to when there was an alert on each unit, by direction."""
        ends = {a.id: seconds(a.at) for a in self.ended(-1, FOREVER)}
        found: defaultdict[Key, list[tuple[int, int]]] = defaultdict(list)
        for alert in self.opened(-1, FOREVER):
            life = seconds(alert.at), ends.get(alert.id, FOREVER)
            found[alert.unit, alert.direction].append(life)
        return found


def go(monitor: Monitor, records: Iterable[Fed], before: Run | None = None) -> Run:
    """Feed records to a monitor; return what they led to, after what was before."""
    run = deepcopy(before) if before else Run()
    source = iter(records)
    while batch := list(islice(source, _BATCH)):
        passed = monitor.take(batch)
        run.alerts.extend(passed.alerts)
        for event in passed.coded.events:
            run.events.setdefault(event.unit, Counter())[event.source] += 1
        for score in passed.scores:
            if score.signal == "M1":
                told = run.coverage.setdefault(score.unit, [])
                if not told or told[-1][1] != score.coverage:
                    told.append((seconds(score.at), score.coverage))
    return run


def clocked(reports: Iterable[Report], first: int, last: int) -> Iterator[Fed]:
    """Yield reports among the hourly heartbeats of all outlets, and a last tick.

    So stream time goes on where nothing is reported, and silence is mere silence: each outlet can
    be fetched, and has nothing new.
    """
    beats: Iterator[Report | Heartbeat] = (
        Heartbeat(outlet.source, instant(at))
        for at in range(first, last, HOUR)
        for outlet in stage()
    )
    streams: tuple[Iterable[Report | Heartbeat], ...] = (beats, reports)
    yield from heapq.merge(*streams, key=lambda record: record.seen_at)
    yield Tick(0, 1, instant(last))


def unlike(run: Run, twin: Run, first: int, last: int) -> list[Alert]:
    """Return the alerts opened after `first` and up to `last` that the twin lacks.

    It has one if one of the same unit and direction lives within three days of the opening.
    """
    lives = twin.lives()
    return [
        alert
        for alert in run.opened(first, last)
        if not any(
            begun - _NEAR <= seconds(alert.at) <= ended + _NEAR
            for begun, ended in lives.get((alert.unit, alert.direction), ())
        )
    ]


def ended_alone(run: Run, twin: Run, first: int, last: int) -> list[Alert]:
    """Return the alerts that ended after `first` and up to `last`, and did not in the twin.

    The twin ended one if it ended one of the same unit and direction within three days of that.
    """
    return [
        alert
        for alert in run.ended(first, last)
        if not any(
            (other.unit, other.direction) == (alert.unit, alert.direction)
            and abs(other.at - alert.at) <= timedelta(seconds=_NEAR)
            for other in twin.ended(-1, FOREVER)
        )
    ]


def told(alerts: Sequence[Alert]) -> list[str]:
    """Return alerts in words: what, when, why."""
    return [
        f"{alert.id} {alert.severity} {alert.state} ({alert.changed}) at "
        f"{alert.at:%Y-%m-%d %H:%M}, coverage {alert.coverage} {alert.coverage_share:.0%}: "
        f"{alert.reason}"
        for alert in alerts
    ]
