"""The alert stage: scores and analysts' acts become alerts, with a life.

The `Desk` takes scores of `S0`, the evidence of all signals on a unit, and commands, step by step
in canonical order. It opens an alert when the evidence passes the threshold that the budget allows,
freezes it when coverage is lost, steps its severity down one level at a time, resolves it when the
unit has been as usual for a week, carries out what analysts ask for, and settles its claim. See
`life.py` for which state may follow which, `acts.py`, `silencing.py` and `stories.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from detectors import acts, ledger, silencing
from detectors.acts import CannotBeDone, Refused
from detectors.budget import QUIET, SEVERITIES, Budget, Governor
from detectors.evidence import NAME
from detectors.life import KEPT_DAYS, Case, lead, measured, revise, standing
from detectors.records import Alert, Command, Direction, Score, Severity, Tick
from detectors.series import SERIES_DAYS
from detectors.signals import INDICATORS
from detectors.stories import story_of
from detectors.timegrid import DAY, Grid, instant, seconds
from detectors.tracks import Track, is_graver
from detectors.watermarks import Watermarks

VERSION: Final = "desk@3"
#: Share of the strength that opens an alert below which a unit counts as usual again.
USUAL: Final = 1 / 3
#: A record of a step that is not over, and its offset.
Held: TypeAlias = tuple[int, Score | Command]


class Policy(Struct, frozen=True):
    """How alerts live. Times in days."""

    budget: Budget = Budget()
    least_publishers: int = 2  # independent witnesses before a rise may open an alert
    quiet_days: float = 7.0  # as usual for so long: resolved
    step_down_days: float = 3.0  # below its severity for so long: one level down
    longest_days: float = 60.0  # open for so long: expired


class DeskState(Struct):
    """All that is remembered. Times in seconds."""

    version: str = VERSION
    offset: int = -1  # the last record taken in, but for those whose step is not over
    closed: int = 0  # stream time: all steps up to here are over
    watermarks: Watermarks = msgspec.field(default_factory=Watermarks)
    tracks: dict[str, Track] = {}  # "unit/direction"
    governors: dict[Direction, Governor] = {}
    cases: dict[str, Case] = {}  # alerts that live, whose claim is open, or that ended of late
    silences: dict[str, silencing.Silenced] = {}  # by name
    done: dict[str, int] = {}  # ids of commands that were answered -> until when they are kept


class Decided(Struct, frozen=True):
    """What records led to."""

    alerts: list[Alert]  # revisions, those of one alert in their order
    refused: list[Refused]  # commands that could not be carried out


class Spending(Struct, frozen=True):
    """Alerts of one direction at a severity or above, beside the budget."""

    direction: Direction
    severity: Severity
    spent: float
    allowed: float


class Desk:
    """Keeps the alerts of all units."""

    def __init__(self, grid: Grid, policy: Policy) -> None:
        """Take the grid and the policy."""
        self._grid = grid
        self._policy = policy
        self.state = DeskState()
        self._pending: dict[int, list[Held]] = {}  # by the end of their step
        self._ends: list[int] = []  # of the steps that are pending: a heap

    def restore(self, state: DeskState) -> None:
        """Go on from a checkpoint: read on after `state.offset`.

        Raises:
            ValueError: when the checkpoint is of another version.
        """
        if state.version != VERSION:
            raise ValueError(f"state is of {state.version}, this is {VERSION}: start from a replay")
        self.state = state

    def mark(self) -> DeskState:
        """Return the state from which another could go on."""
        held = [offset for records in self._pending.values() for offset, _ in records]
        return replace(self.state, offset=min(held, default=self.state.offset + 1) - 1)

    def spending(self) -> Iterator[Spending]:
        """Yield what the alerts of each direction have cost, beside the budget."""
        for direction, governor in sorted(self.state.governors.items()):
            for severity in SEVERITIES:
                spent = governor.spent(severity)
                allowed = governor.allowed(severity, self._policy.budget)
                yield Spending(direction, severity, spent, allowed)

    def take(self, records: Iterable[tuple[int, Score | Tick | Command]]) -> Decided:
        """Take in records with their offsets; return what the steps that ended led to."""
        decided = Decided([], [])
        for offset, record in records:
            if offset <= self.state.offset:
                continue
            self.state.offset = offset
            if isinstance(record, Tick):
                time = self.state.watermarks.note(record)
                if time is not None:
                    self._close(self._grid.floor(time), decided)
            else:
                self._hold(offset, record)
        return decided

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
            if end not in self._pending:
                heappush(self._ends, end)
            self._pending.setdefault(end, []).append((offset, record))

    def _close(self, time: int, decided: Decided) -> None:
        while (end := self._next_end(time)) is not None:
            due: list[Held] = []
            while self._ends and self._ends[0] <= end:
                due += self._pending.pop(heappop(self._ends))
            self._step(end, due, decided)
            self.state.closed = end
        self.state.closed = max(self.state.closed, time)

    def _next_end(self, time: int) -> int | None:
        """Return the next time, up to `time`, at which anything may change."""
        ends = self._ends[:1]
        if self.state.tracks:
            ends.append((self.state.closed // self._grid.coarse + 1) * self._grid.coarse)
        over = silencing.next_end(self.state.silences.values(), self._grid)
        if over is not None:
            ends.append(max(over, self.state.closed + self._grid.fine))
        return min((end for end in ends if end <= time), default=None)

    def _step(self, end: int, due: list[Held], decided: Decided) -> None:
        state, revisions = self.state, decided.alerts
        if silencing.expire(state.silences, end):
            revisions.extend(self._spread(end))
        scores = {record.id: record for _, record in due if isinstance(record, Score)}
        for _, score in sorted(scores.items()):
            revisions.extend(self._take_score(score, end))
        for offset, command in acts.in_order(due):
            try:
                revisions.extend(self._obey(command, end))
            except CannotBeDone as why:
                decided.refused.append(Refused(command, str(why), offset))
        if end % self._grid.coarse == 0:
            revisions.extend(self._let_pass(end))
        if end % DAY == 0:
            for direction, governor in sorted(state.governors.items()):
                governor.watch(_watched(state.tracks.values(), direction), end)

    def _let_pass(self, end: int) -> Iterator[Alert]:
        """Do what is due at a coarse step: age, end episodes, settle, forget."""
        state = self.state
        for _, track in sorted(state.tracks.items()):
            yield from self._age(track, end)
            if track.quiet_for(end, self._policy.quiet_days):
                track.end_episode(state.governors)
        yield from self._settle(end)
        state.cases = {id: case for id, case in state.cases.items() if not case.is_past(end)}
        state.done = {id: until for id, until in state.done.items() if until >= end}

    def _take_score(self, score: Score, end: int) -> Iterator[Alert]:
        governors = self.state.governors
        key = f"{score.unit}/{score.direction}"
        track = self.state.tracks.get(key)
        if track is None:
            track = self.state.tracks[key] = Track(score)
        track.score = score
        if score.state == "scored" and score.direction not in governors:
            governors[score.direction] = Governor(at=end)
        strength = self._eligible(score)
        track.follow(score, strength, self._quiet(track, score), end)
        severity = self._severity(track, strength)
        if track.alert is None:
            if severity is not None and track.may_open(severity):
                yield from self._open(track, severity, end)
            return
        case = self.state.cases[track.alert]
        if score.coverage != "ok":
            if case.alert.state != "frozen":
                track.lower_since = None
                changes = {"state": "frozen", **_now(track)}
                yield revise(case, end, "coverage lost: frozen", **changes)
            return
        if case.alert.state == "frozen":
            changes = {"state": standing(case.alert), **_now(track)}
            yield revise(case, end, "coverage is back", **changes)
        before = case.alert.severity
        if severity is not None and is_graver(severity, before):
            changed = f"severity raised from {before} to {severity}"
            yield revise(case, end, changed, severity=severity, **_now(track))
            governors[score.direction].spend(case.alert)
        track.watch_lower(case.alert, severity, end)

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

    def _quiet(self, track: Track, score: Score) -> float:
        """Return the strength below which a unit is as usual: far below what opens an alert."""
        governor = self.state.governors.get(score.direction)
        stratum = track.stratum or score.stratum
        if governor is None or not stratum:
            return QUIET
        opens = governor.threshold(stratum, score.direction, "watch", self._policy.budget)
        return max(QUIET, opens * USUAL)

    def _severity(self, track: Track, strength: float) -> Severity | None:
        if strength < QUIET:
            return None
        direction, budget = track.score.direction, self._policy.budget
        governor = self.state.governors[direction]
        for severity in reversed(SEVERITIES):
            if strength >= governor.threshold(track.stratum, direction, severity, budget):
                return severity
        return None

    def _open(self, track: Track, severity: Severity, end: int) -> Iterator[Alert]:
        score = track.score
        if score.claim is None:
            return
        governor = self.state.governors[score.direction]
        probability = governor.calibrated(score.claim.probability)
        stamp = instant(end).strftime("%Y%m%dT%H%M%SZ")
        alert = Alert(
            id=f"{lead(score)}-{score.direction}-{score.unit}-{stamp}",
            revision=0,
            signal=lead(score),
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
            **measured(score),
        )
        silence = silencing.covering(self.state.silences, alert)
        changed = f"opened, {silencing.change(None, silence)}" if silence else "opened"
        story = story_of(alert, self.state.cases.values(), end)
        alert = replace(alert, story=story, silence=silence, changed=changed)
        track.alert, track.opened, track.retracted, track.lower_since = alert.id, True, None, None
        self.state.cases[alert.id] = Case(alert)
        governor.spend(alert)
        yield from self._end_opposite(alert, end)
        yield alert

    def _end_opposite(self, opened: Alert, end: int) -> Iterator[Alert]:
        """Resolve the alert that said the opposite of the same counts: what rises is not low."""
        opposite = "fall" if opened.direction == "rise" else "rise"
        track = self.state.tracks.get(f"{opened.unit}/{opposite}")
        if track is None or track.alert is None:
            return
        case = self.state.cases[track.alert]
        told = case.alert.claim.resolver.indicator
        if case.alert.state == "frozen" or told != opened.claim.resolver.indicator:
            return
        changed = f"ended by the {opened.direction} that {opened.id} tells of"
        yield revise(case, end, changed, state="resolved", **_now(track))
        track.alert = None
        track.end_episode(self.state.governors)

    def _age(self, track: Track, end: int) -> Iterator[Alert]:
        """Let time pass for one track: step down, resolve, expire."""
        case = self.state.cases[track.alert] if track.alert is not None else None
        if case is None or case.alert.state == "frozen":
            return
        policy, alert = self._policy, case.alert
        if end - seconds(alert.opened_at) >= policy.longest_days * DAY:
            yield revise(case, end, "open for too long", state="expired", **_now(track))
            track.alert = None
            # What goes on is a new episode, with a claim of its own.
            track.end_episode(self.state.governors)
        elif track.quiet_for(end, policy.quiet_days):
            changed = f"as usual for {policy.quiet_days:g} days"
            yield revise(case, end, changed, state="resolved", **_now(track))
            track.alert = None
        elif (
            track.lower_since is not None
            and alert.severity != "watch"
            and end - track.lower_since >= policy.step_down_days * DAY
        ):
            lower = SEVERITIES[SEVERITIES.index(alert.severity) - 1]
            changed = f"severity lowered from {alert.severity} to {lower}"
            yield revise(case, end, changed, severity=lower, **_now(track))
            track.lower_since = end

    def _obey(self, command: Command, end: int) -> list[Alert]:
        """Carry out an analyst's command, once.

        Raises:
            CannotBeDone: It cannot be carried out.
        """
        if command.id in self.state.done:
            return []
        self.state.done[command.id] = acts.remembered_until(command, end)
        acts.check(command, end)
        if command.action == "silence":
            silencing.set_silence(self.state.silences, command, end)
            return list(self._spread(end))
        if command.action == "unsilence":
            silencing.lift(self.state.silences, command)
            return list(self._spread(end))
        case = self.state.cases.get(command.alert)
        if case is None:
            raise CannotBeDone(f"no alert of this id lives, or ended in the last {KEPT_DAYS} days")
        changed, changes = acts.perform(case.alert, command, end)
        track = self._track(case.alert)
        now = _now(track) if case.lives else {}
        revision = revise(case, end, changed, **{**now, **changes})
        if revision.state == "retracted":
            track.alert, track.retracted = None, revision.severity
        return [revision]

    def _spread(self, end: int) -> Iterator[Alert]:
        """Let the alerts that live say under which silence they are, where that changed."""
        for _, case in sorted(self.state.cases.items()):
            before = case.alert.silence
            now = silencing.covering(self.state.silences, case.alert)
            if case.lives and now != before:
                changes = {**_now(self._track(case.alert)), "silence": now}
                yield revise(case, end, silencing.change(before, now), **changes)

    def _track(self, alert: Alert) -> Track:
        return self.state.tracks[f"{alert.unit}/{alert.direction}"]

    def _settle(self, end: int) -> Iterator[Alert]:
        """Settle the claims that are due, from the counts known now."""
        for _, case in sorted(self.state.cases.items()):
            alert = case.alert
            if alert.outcome is not None or not ledger.is_due(alert.claim.resolver, end):
                continue
            outcome = ledger.settle(alert.claim.resolver, self._track(alert).score, end)
            if outcome.verdict != "VOID":
                governor = self.state.governors[alert.direction]
                governor.learn(alert, hit=outcome.verdict == "HIT")
            yield revise(case, end, f"claim settled: {outcome.verdict}", outcome=outcome)


def _watched(tracks: Iterable[Track], direction: Direction) -> dict[str, int]:
    """Return how many units are scored and well seen, by stratum."""
    return Counter(
        track.stratum or track.score.stratum
        for track in tracks
        if track.score.direction == direction
        and (track.score.state, track.score.coverage) == ("scored", "ok")
    )


def _now(track: Track) -> dict[str, object]:
    """Return what a revision of an alert that lives repeats of the last score."""
    # What the alert was opened on stays with it.
    return measured(track.score, evidence=False)
