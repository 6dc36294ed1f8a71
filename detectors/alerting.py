"""The alert stage: scores become alerts, with a life.

One `Desk` works on one partition of the scores; where `S0`, the evidence of all signals on a unit,
belongs there, it sees it for all units. It takes scores step by step in canonical order, opens an
alert when the evidence passes the threshold that the budget allows, freezes it when coverage is
lost, steps its severity down one level at a time, resolves it when the unit has been as usual for a
week, and settles its claim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from detectors import ledger
from detectors.budget import QUIET, SEVERITIES, Budget, Governor
from detectors.evidence import NAME
from detectors.records import Alert, Command, Direction, Score, Severity, Tick
from detectors.series import SERIES_DAYS
from detectors.signals import INDICATORS
from detectors.timegrid import DAY, Grid, instant, seconds
from detectors.tracks import Track
from detectors.watermarks import Watermarks

VERSION: Final = "desk@2"
#: Share of the strength that opens an alert below which a unit counts as usual again.
USUAL: Final = 1 / 3


class Policy(Struct, frozen=True):
    """How alerts live. Times in days."""

    budget: Budget = Budget()
    least_publishers: int = 2  # independent witnesses before a rise may open an alert
    quiet_days: float = 7.0  # as usual for so long: resolved
    step_down_days: float = 3.0  # below its severity for so long: one level down
    longest_days: float = 60.0  # open for so long: expired


class SignalState(Struct):
    """What is remembered of the alerts."""

    version: str = VERSION
    closed: int = 0  # the last step taken, seconds
    tracks: dict[str, Track] = {}  # "unit/direction"
    governors: dict[Direction, Governor] = {}
    unsettled: dict[str, Alert] = {}  # alerts whose claim is open, last revision
    done: dict[str, int] = {}  # commands carried out: id -> when

    @property
    def live(self) -> bool:
        """Whether time may change anything."""
        return bool(self.unsettled or self.tracks)


class DeskState(Struct):
    """What is remembered of one partition of the scores, besides its signals."""

    version: str = VERSION
    offset: int = -1  # the last record taken in, but for those whose step is not over
    closed: int = 0  # stream time: all steps up to here are over
    watermarks: Watermarks = msgspec.field(default_factory=Watermarks)


class Spending(Struct, frozen=True):
    """Alerts of one direction at a severity or above, beside the budget."""

    signal: str
    direction: Direction
    severity: Severity
    spent: float
    allowed: float


class Desk:
    """Keeps the alerts of the signals of one partition."""

    def __init__(self, grid: Grid, policy: Policy) -> None:
        """Take the grid and the policy."""
        self._grid = grid
        self._policy = policy
        self.state = DeskState()
        self.signals: dict[str, SignalState] = {}
        self.touched: set[str] = set()
        #: Signal -> end of step -> offsets and records.
        self._pending: dict[str, dict[int, list[tuple[int, Score | Command]]]] = {}

    def restore(self, state: DeskState, signals: dict[str, SignalState]) -> None:
        """Go on from a checkpoint: read on after `state.offset`.

        Raises:
            ValueError: when the checkpoint is of another version.
        """
        for version in {state.version, *(s.version for s in signals.values())}:
            if version != VERSION:
                raise ValueError(f"state is of {version}, this is {VERSION}: start from a replay")
        self.state, self.signals = state, signals

    def mark(self) -> DeskState:
        """Return the state from which another could go on, given the signals' states."""
        steps = (records for signal in self._pending.values() for records in signal.values())
        held = [offset for records in steps for offset, _ in records]
        return replace(self.state, offset=min(held, default=self.state.offset + 1) - 1)

    def spending(self) -> Iterator[Spending]:
        """Yield what the alerts of each signal and direction have cost, beside the budget."""
        for name, signal in sorted(self.signals.items()):
            for direction, governor in sorted(signal.governors.items()):
                for severity in SEVERITIES:
                    spent = governor.spent(severity)
                    allowed = governor.allowed(severity, self._policy.budget)
                    yield Spending(name, direction, severity, spent, allowed)

    def take(self, records: Iterable[tuple[int, Score | Tick | Command]]) -> list[Alert]:
        """Take in records with their offsets; return the alert revisions of the steps that ended.

        A revision comes after all earlier ones of its alert.
        """
        revisions: list[Alert] = []
        for offset, record in records:
            if offset <= self.state.offset:
                continue
            self.state.offset = offset
            if isinstance(record, Tick):
                time = self.state.watermarks.note(record)
                if time is not None:
                    revisions.extend(self._close(self._grid.floor(time)))
            else:
                self._hold(offset, record)
        return revisions

    def _hold(self, offset: int, record: Score | Command) -> None:
        if isinstance(record, Score):
            if record.signal != NAME:
                return
            end = seconds(record.at)
        else:
            at = seconds(record.at)
            if at > self.state.closed + DAY:  # of another time than the stream's, as in a replay
                at = self.state.closed
            end = self._grid.boundary_after(max(at, self.state.closed))
        if end > self.state.closed:  # a score of a step that is over came twice
            steps = self._pending.setdefault(NAME, {})
            steps.setdefault(end, []).append((offset, record))

    def _close(self, time: int) -> list[Alert]:
        if time <= self.state.closed:
            return []
        revisions: list[Alert] = []
        coarse = self._grid.coarse
        for name in sorted(self._pending.keys() | self.signals.keys()):
            signal = self.signals.setdefault(name, SignalState())
            steps = self._pending.get(name, {})
            ends = {end for end in steps if end <= time}
            if signal.live or ends:
                first = max(self.state.closed, signal.closed) if signal.live else min(ends) - coarse
                ends.update(range(first // coarse * coarse + coarse, time + 1, coarse))
            for end in sorted(ends):
                due = [record for _, record in steps.pop(end, ())]
                revisions.extend(self._step(name, signal, end, due))
        self.state.closed = time
        return revisions

    def _step(
        self, name: str, signal: SignalState, end: int, due: list[Score | Command]
    ) -> list[Alert]:
        if end <= signal.closed or not (due or signal.live):
            return []
        signal.closed = end
        self.touched.add(name)
        scores = {r.id: r for r in due if isinstance(r, Score)}
        revisions: list[Alert] = []
        for _, score in sorted(scores.items()):
            revisions.extend(self._take_score(signal, score, end))
        for command in sorted((r for r in due if isinstance(r, Command)), key=lambda c: c.id):
            revisions.extend(_obey(signal, command, end))
        if end % self._grid.coarse == 0:
            for key in sorted(signal.tracks):
                revisions.extend(self._age(signal, key, end))
                track = signal.tracks[key]
                if track.quiet_for(end, self._policy.quiet_days):
                    track.end_episode(signal.governors)
            revisions.extend(_settle(signal, end))
        if end % DAY == 0:
            for direction, governor in sorted(signal.governors.items()):
                governor.watch(_watched(signal, direction), end)
        return revisions

    def _take_score(self, signal: SignalState, score: Score, end: int) -> list[Alert]:
        key = f"{score.unit}/{score.direction}"
        track = signal.tracks.get(key)
        if track is None:
            track = signal.tracks[key] = Track(score)
        track.score = score
        if score.state == "scored" and score.direction not in signal.governors:
            signal.governors[score.direction] = Governor(at=end)
        strength = self._eligible(score)
        track.follow(score, strength, self._quiet(signal, track, score), end)
        severity = self._severity(signal, track, strength)
        alert = track.alert
        if alert is None:
            may = severity is not None and track.opened is None
            return self._open(signal, track, severity, end) if severity and may else []
        if score.coverage != "ok":
            if alert.state == "frozen":
                return []
            track.lower_since = None
            return [_revise(signal, track, end, "coverage lost: frozen", state="frozen")]
        revisions = []
        if alert.state == "frozen":
            state = "acknowledged" if alert.acknowledged_by else "open"
            revisions.append(_revise(signal, track, end, "coverage is back", state=state))
        if severity and SEVERITIES.index(severity) > SEVERITIES.index(alert.severity):
            changed = f"severity raised from {alert.severity} to {severity}"
            revisions.append(_revise(signal, track, end, changed, severity=severity))
            signal.governors[score.direction].spend(revisions[-1])
        _watch_lower(track, severity, end)
        return revisions

    def _eligible(self, score: Score) -> float:
        """Return the strength of evidence that may open an alert, 0 where it may not.

        It needs full coverage, a claim that can be settled, and for a rise independent witnesses.
        """
        if score.strength is None or score.coverage != "ok" or score.claim is None:
            return 0.0
        if not ledger.can_settle(score.claim.resolver, INDICATORS, series_days=SERIES_DAYS):
            return 0.0
        if score.direction == "rise":
            witnesses = {p for incident in score.evidence for p in incident.publishers}
            if len(witnesses) < self._policy.least_publishers:
                return 0.0
        return score.strength

    def _quiet(self, signal: SignalState, track: Track, score: Score) -> float:
        """Return the strength below which a unit is as usual: far below what opens an alert."""
        governor = signal.governors.get(score.direction)
        stratum = track.stratum or score.stratum
        if governor is None or not stratum:
            return QUIET
        opens = governor.threshold(stratum, score.direction, "watch", self._policy.budget)
        return max(QUIET, opens * USUAL)

    def _severity(self, signal: SignalState, track: Track, strength: float) -> Severity | None:
        if strength < QUIET:
            return None
        direction, budget = track.score.direction, self._policy.budget
        governor = signal.governors[direction]
        for severity in reversed(SEVERITIES):
            if strength >= governor.threshold(track.stratum, direction, severity, budget):
                return severity
        return None

    def _open(self, signal: SignalState, track: Track, severity: Severity, end: int) -> list[Alert]:
        score = track.score
        if score.claim is None:
            return []
        governor = signal.governors[score.direction]
        probability = governor.calibrated(score.claim.probability)
        stamp = instant(end).strftime("%Y%m%dT%H%M%SZ")
        alert = Alert(
            id=f"{_lead(score)}-{score.direction}-{score.unit}-{stamp}",
            revision=0,
            signal=_lead(score),
            direction=score.direction,
            unit=score.unit,
            state="open",
            severity=severity,
            at=instant(end),
            opened_at=instant(end),
            changed="opened",
            claim=replace(score.claim, probability=probability),
            stratum=track.stratum,
            per_year=governor.per_year(track.stratum, score.direction, score.strength or 0.0),
            **_measured(score),
        )
        track.alert = alert
        track.opened, track.lower_since = alert.id, None
        signal.unsettled[alert.id] = alert
        governor.spend(alert)
        return [*_end_opposite(signal, alert, end), alert]

    def _age(self, signal: SignalState, key: str, end: int) -> list[Alert]:
        """Let time pass for one track: step down, resolve, expire."""
        track, policy = signal.tracks[key], self._policy
        alert = track.alert
        if alert is None or alert.state == "frozen":
            return []
        revisions: list[Alert] = []
        if end - seconds(alert.opened_at) >= policy.longest_days * DAY:
            revisions.append(_revise(signal, track, end, "open for too long", state="expired"))
            # What goes on is a new episode, with a claim of its own.
            track.end_episode(signal.governors)
        elif track.quiet_for(end, policy.quiet_days):
            changed = f"as usual for {policy.quiet_days:g} days"
            revisions.append(_revise(signal, track, end, changed, state="resolved"))
        elif (
            track.lower_since is not None
            and alert.severity != "watch"
            and end - track.lower_since >= policy.step_down_days * DAY
        ):
            lower = SEVERITIES[SEVERITIES.index(alert.severity) - 1]
            changed = f"severity lowered from {alert.severity} to {lower}"
            revisions.append(_revise(signal, track, end, changed, severity=lower))
            track.lower_since = end
        if revisions and revisions[-1].state in ("resolved", "expired"):
            track.alert = None
        return revisions


def _end_opposite(signal: SignalState, opened: Alert, end: int) -> list[Alert]:
    """Resolve the alert that said the opposite of the same counts: what rises is low no longer."""
    opposite = "fall" if opened.direction == "rise" else "rise"
    track = signal.tracks.get(f"{opened.unit}/{opposite}")
    alert = track.alert if track else None
    if track is None or alert is None or alert.state == "frozen":
        return []
    if alert.claim.resolver.indicator != opened.claim.resolver.indicator:
        return []
    changed = f"ended by the {opened.direction} that {opened.id} tells of"
    revision = _revise(signal, track, end, changed, state="resolved")
    track.alert = None
    track.end_episode(signal.governors)
    return [revision]


def _lead(score: Score) -> str:
    """Return the signal that an alert is called after: the strongest."""
    return score.parts[0].signal if score.parts else score.signal


def _watched(signal: SignalState, direction: Direction) -> dict[str, int]:
    """Return how many units are scored and well seen, by stratum."""
    return Counter(
        track.stratum or track.score.stratum
        for track in signal.tracks.values()
        if track.score.direction == direction
        and (track.score.state, track.score.coverage) == ("scored", "ok")
    )


def _measured(score: Score) -> dict[str, Any]:
    """Return what an alert repeats of the score behind it."""
    return {
        "p": score.p,
        "strength": score.strength,
        "parts": score.parts,
        "observed": score.observed,
        "expected": score.expected,
        "window_days": score.window_days,
        "coverage": score.coverage,
        "coverage_share": score.coverage_share,
        "reason": score.reason,
        "evidence": score.evidence,
        "daily": score.daily,
        "series_end": score.series_end,
    }


def _revise(signal: SignalState, track: Track, end: int, changed: str, **changes: Any) -> Alert:  # noqa: ANN401
    """Write the next revision of a track's alert, with what is measured now."""
    alert = track.alert
    if alert is None:
        raise RuntimeError("a track without an alert has nothing to revise")
    measured = _measured(track.score)
    if not track.score.evidence:  # what the alert was opened on stays with it
        del measured["evidence"]
    revised = replace(
        alert,
        revision=alert.revision + 1,
        at=instant(end),
        changed=changed,
        **{**measured, **changes},
    )
    track.alert = revised
    if alert.id in signal.unsettled:
        signal.unsettled[alert.id] = revised
    return revised


def _watch_lower(track: Track, severity: Severity | None, end: int) -> None:
    """Note since when the track has been below its alert's severity."""
    alert = track.alert
    if alert is None:
        return
    reached = SEVERITIES.index(severity) if severity else -1
    if reached >= SEVERITIES.index(alert.severity):
        track.lower_since = None
    elif track.lower_since is None:
        track.lower_since = end


def _obey(signal: SignalState, command: Command, end: int) -> list[Alert]:
    """Carry out an analyst's command, once."""
    if command.id in signal.done:
        return []
    signal.done[command.id] = end
    signal.done = {done: at for done, at in signal.done.items() if at > end - 30 * DAY}
    for track in signal.tracks.values():
        alert = track.alert
        if alert is not None and alert.id == command.alert and alert.acknowledged_by is None:
            state = "acknowledged" if alert.state == "open" else alert.state
            changed = f"acknowledged by {command.by}"
            return [
                _revise(
                    signal,
                    track,
                    end,
                    changed,
                    state=state,
                    acknowledged_by=command.by,
                    note=command.note,
                )
            ]
    return []


def _settle(signal: SignalState, end: int) -> list[Alert]:
    """Settle the claims that are due, from the counts known now."""
    revisions = []
    for name in sorted(signal.unsettled):
        alert = signal.unsettled[name]
        if not ledger.is_due(alert.claim.resolver, end):
            continue
        track = signal.tracks[f"{alert.unit}/{alert.direction}"]
        outcome = ledger.settle(alert.claim.resolver, track.score, end)
        revised = replace(
            alert,
            revision=alert.revision + 1,
            at=instant(end),
            changed=f"claim settled: {outcome.verdict}",
            outcome=outcome,
        )
        if track.alert is not None and track.alert.id == alert.id:
            track.alert = revised
        del signal.unsettled[name]
        governor = signal.governors[alert.direction]
        if outcome.verdict != "VOID":
            governor.learn(alert, hit=outcome.verdict == "HIT")
        revisions.append(revised)
    return revisions
