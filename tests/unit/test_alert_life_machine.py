"""The alert's life under any scores, acts, restarts and deliveries: what must always hold.

The machine feeds one desk step by step. Beside it a second desk is given the same records of each
step in another order, some of them twice, and is restarted from a JSON checkpoint at any point:
both must come to the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, TypeAlias, get_args

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from detectors.alerting import Decided, Desk, DeskState, Policy
from detectors.budget import SEVERITIES
from detectors.life import ENDED, NEXT
from detectors.records import Action, Alert, Command, Scope, Score, Tick
from detectors.stories import nearness
from detectors.timegrid import Grid
from tests.core_records import claim, clock, day, score, tick, unseen

Fed = Score | Tick | Command
#: Lives go by faster than in earnest, so that runs of some dozen steps see all of one.
POLICY: Final = Policy(quiet_days=2.0, step_down_days=1.0, longest_days=12.0)
STRENGTHS: Final = [0.0, 0.1, 0.5, 3.0, 8.0, 20.0, 200.0]
UNITS: Final = ["AF-KAN", "AF-HEL", "AFG"]
DIRECTIONS: Final = ["rise", "fall"]
NAMES: Final = ["works", "fair"]
SCOPES: Final = [
    Scope(),
    Scope(units=("AF-KAN",)),
    Scope(units=("AFG",), directions=("fall",)),
    Scope(signals=("S14",)),
]

#: Of a score: unit, direction, strength (None: coverage is lost), incidents of each day.
Drawn: TypeAlias = tuple[str, str, float | None, int]
SCORES: Final = st.lists(
    st.tuples(
        st.sampled_from(UNITS),
        st.sampled_from(DIRECTIONS),
        st.sampled_from([*STRENGTHS, None]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda each: each[:2],
)


def _told(on: int, hour: int, unit: str, direction: str, strength: float | None, n: int) -> Score:
    at = clock(on, hour)
    if strength is None:
        return unseen(at, unit=unit, direction=direction)
    last = claim(on + 1, on + 3, 2)
    daily = (*(0,) * 20, *(n,) * 8)
    return score(
        at, strength, unit=unit, direction=direction, claim=last, daily=daily, series_end=day(on)
    )


class Life(RuleBasedStateMachine):
    """Scores, acts, waiting and restarts in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.desk, self.other = Desk(Grid(), POLICY), Desk(Grid(), POLICY)
        self.records: list[Fed] = []
        self.hour = 0
        self.revisions: dict[str, list[Alert]] = {}
        self.coverage: dict[tuple[str, str], str] = {}

    @initialize()
    def begin(self) -> None:
        """The stream's time is known before anybody acts."""
        self._take([], 0)

    # Feeding

    def _take(self, records: list[Score | Command], hours: int, again: int = 0) -> None:
        """Give the records of one step, and end it; the other desk has them another way."""
        self.hour += hours
        end = tick(clock(0, self.hour))
        done = set(self.desk.state.done)
        decided = self._give(self.desk, [*records, end])
        copies = [records[n % len(records)] for n in range(again)] if records else []
        elsewhere = self._give(self.other, [*copies, *reversed(records), end])
        self._compare(decided, elsewhere)
        self.records += [*records, end]
        for alert in decided.alerts:
            self._check(alert)
            # The one that changed last is the last key.
            self.revisions[alert.id] = [*self.revisions.pop(alert.id, []), alert]
        commands = {each.id: each for each in records if isinstance(each, Command)}
        for command in commands.values():
            self._check_answer(command, decided, done)

    @staticmethod
    def _give(desk: Desk, records: list[Any]) -> Decided:
        return desk.take(enumerate(records, desk.state.offset + 1))

    def _compare(self, one: Decided, other: Decided) -> None:
        assert one.alerts == other.alerts
        assert [(r.command, r.reason) for r in one.refused] == [
            (r.command, r.reason) for r in other.refused
        ]

    # What must hold of each revision

    def _check(self, alert: Alert) -> None:
        known = self.revisions.get(alert.id, [])
        assert alert.revision == len(known)
        assert alert.opened_at <= alert.at <= clock(0, self.hour)
        if not known:
            assert (alert.state, alert.coverage) == ("open", "ok")
            self._check_story(alert)
            return
        last = known[-1]
        assert alert.state == last.state or alert.state in NEXT[last.state]
        assert last.at <= alert.at
        for name in ("claim", "opened_at", "story", "signal", "unit", "direction"):
            assert getattr(alert, name) == getattr(last, name)
        assert alert.remarks[: len(last.remarks)] == last.remarks
        steps = SEVERITIES.index(alert.severity) - SEVERITIES.index(last.severity)
        assert steps >= -1
        if last.state in ENDED:  # its claim may be settled, and something said of it
            settled = (last.outcome, alert.outcome is not None) == (None, True)
            assert settled or len(alert.remarks) == len(last.remarks) + 1
        if last.state == "frozen":
            assert alert.state not in ("resolved", "expired")
            assert steps == 0 or alert.coverage == "ok"
        if last.outcome is not None:
            assert alert.outcome == last.outcome
        if last.acknowledged_at is not None:
            assert alert.acknowledged_at == last.acknowledged_at

    def _check_story(self, alert: Alert) -> None:
        if alert.story == alert.id:
            return
        told = [r[-1] for r in self.revisions.values() if r[-1].story == alert.story]
        assert any(nearness(alert.unit, each.unit) is not None for each in told)
        assert {each.direction for each in told} == {alert.direction}

    def _check_answer(self, command: Command, decided: Decided, done: set[str]) -> None:
        """An act has an effect, or a reason why not; one that came before has neither again."""
        reasons = [each.reason for each in decided.refused if each.command.id == command.id]
        if command.id in done:
            assert reasons == []
        elif reasons:
            assert len(reasons) == 1
            assert reasons[0]
        elif command.action not in ("silence", "unsilence"):  # these are held against `SCOPES`
            assert any(a.id == command.alert and _shows(a, command) for a in decided.alerts)

    # Rules

    @rule(hours=st.sampled_from([1, 5, 24]), scores=SCORES, again=st.integers(0, 4))
    def tell(self, hours: int, scores: list[Drawn], again: int) -> None:
        self._take(list(self._scores(scores, self.hour + hours)), hours, again)

    def _scores(self, drawn: list[Drawn], hour: int) -> Iterator[Score]:
        for unit, direction, strength, count in drawn:
            told = _told(hour // 24, hour % 24, unit, direction, strength, count)
            self.coverage[unit, direction] = told.coverage
            yield told

    @rule(number=st.integers(0, 3), seen=st.booleans(), hours=st.sampled_from([1, 30, 400]))
    def look(self, number: int, seen: bool, hours: int) -> None:
        """Coverage of a unit that has an alert is lost, or is back."""
        for alert in [r[-1] for r in self.revisions.values()][-1 - number :][:1]:
            drawn = (alert.unit, alert.direction, 8.0 if seen else None, 1)
            self._take(list(self._scores([drawn], self.hour + 1)), 1)
            self._take([], hours)

    @rule(hours=st.sampled_from([1, 30, 200, 900]))
    def wait(self, hours: int) -> None:
        self._take([], hours)

    @rule(
        acts=st.lists(
            st.tuples(
                st.sampled_from([*get_args(Action), "acknowledge", "unacknowledge"]),
                st.integers(0, 3),  # on which alert: 0 is the one that changed last
                st.integers(0, 60).map("c-{}".format),  # the command's id
                st.integers(0, 59),  # when, minutes
                st.booleans(),  # with a note
                st.integers(1, 90),  # how long a silence lasts, hours
                st.sampled_from(SCOPES),
            ),
            min_size=1,
            max_size=3,
            unique_by=lambda each: each[2],
        ),
        scores=st.just([]) | SCORES,
        again=st.integers(0, 5),
    )
    def act(
        self,
        acts: list[tuple[Action, int, str, int, bool, int, Scope]],
        scores: list[Drawn],
        again: int,
    ) -> None:
        alerts = list(self.revisions) or ["S1-rise-AF-KAN-20230101T000000Z"]
        records: list[Score | Command] = list(self._scores(scores, self.hour + 1))
        for action, number, id, minute, noted, lasts, scope in acts:
            at = clock(0, self.hour, minute)
            silences = action in ("silence", "unsilence")
            records.append(
                Command(
                    id=id,
                    alert=NAMES[number % 2] if silences else alerts[-1 - number % len(alerts)],
                    action=action,
                    at=at,
                    by="desk",
                    note=f"words of {id}" if noted else None,
                    to=f"desk {number}" if action == "assign" else None,
                    scope=scope if action == "silence" else None,
                    until=at + timedelta(hours=lasts) if action == "silence" else None,
                )
            )
        self._take(records, 1, again)

    @rule()
    def restart(self) -> None:
        """The other desk goes on from a checkpoint, as a worker does after a crash."""
        mark = msgspec.json.encode(self.other.mark())
        self.other = Desk(Grid(), POLICY)
        self.other.restore(msgspec.json.decode(mark, type=DeskState))

    @rule()
    def read_again(self) -> None:
        assert self.desk.take(enumerate(self.records)) == Decided([], [])

    # What must hold at any time

    @invariant()
    def both_desks_remember_the_same(self) -> None:
        one, other = self.desk.mark(), self.other.mark()
        other = msgspec.structs.replace(other, offset=one.offset)
        assert msgspec.json.encode(one) == msgspec.json.encode(other)

    @invariant()
    def at_most_one_alert_lives_for_each_unit_and_direction(self) -> None:
        living = [r[-1] for r in self.revisions.values() if r[-1].state not in ENDED]
        keys = [(a.unit, a.direction) for a in living]
        assert len(set(keys)) == len(keys)

    @invariant()
    def an_alert_is_frozen_just_while_its_coverage_is_lost(self) -> None:
        for alert in (r[-1] for r in self.revisions.values() if r[-1].state not in ENDED):
            seen = self.coverage[alert.unit, alert.direction] == "ok"
            assert (alert.state == "frozen") == (not seen)

    @invariant()
    def an_alert_that_lives_is_silenced_just_while_a_silence_is_about_it(self) -> None:
        now = clock(0, self.hour)
        for alert in (r[-1] for r in self.revisions.values() if r[-1].state not in ENDED):
            until = [
                each.silence.until
                for each in self.desk.state.silences.values()
                if _in_scope(each.scope, alert)
            ]
            assert (alert.silence.until if alert.silence else None) == max(until, default=None)
            assert alert.silence is None or alert.silence.until > now


def _in_scope(scope: Scope, alert: Alert) -> bool:
    """Whether one of `SCOPES` is about an alert; all the units are in one country."""
    return (
        scope.units in ((), ("AFG",), (alert.unit,))
        and scope.directions in ((), (alert.direction,))
        and "S14" not in scope.signals
    )


def _shows(alert: Alert, command: Command) -> bool:
    """Whether a revision is what an act should have led to."""
    noted = command.action == "acknowledge" or any(
        (command.note or "") in each.text for each in alert.remarks
    )
    return (noted or command.note is None) and {
        "acknowledge": alert.acknowledged_by == command.by and alert.note == command.note,
        "unacknowledge": alert.acknowledged_by is None,
        "assign": alert.assigned_to == command.to,
        "note": alert.changed == "noted by desk",
        "dispute": bool(alert.remarks) and alert.remarks[-1].kind == "dispute",
        "retract": alert.state == "retracted",
    }[command.action]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=50, stateful_step_count=50, deadline=None)
