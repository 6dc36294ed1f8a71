"""The alert's life under any sequence of scores, commands and restarts."""

from __future__ import annotations

from typing import Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from detectors.alerting import Desk, DeskState, Policy, SignalState
from detectors.records import Alert, Command, Score, Tick
from detectors.timegrid import Grid
from tests.core_records import claim, clock, day, score, tick, unseen

Fed = Score | Tick | Command
#: Lives go by faster than in earnest, so that runs of some dozen steps see all of one.
POLICY: Final = Policy(quiet_days=2.0, step_down_days=1.0, longest_days=12.0)
ENDED: Final = {"resolved", "expired", "retracted"}
STRENGTHS: Final = [0.0, 0.1, 0.5, 3.0, 8.0, 20.0, 200.0]
UNITS: Final = ["AF-KAN", "AF-HEL"]
DIRECTIONS: Final = ["rise", "fall"]


def _saved(desk: Desk) -> tuple[bytes, dict[str, bytes]]:
    signals = {name: msgspec.json.encode(signal) for name, signal in desk.signals.items()}
    return msgspec.json.encode(desk.mark()), signals


def _restored(mark: bytes, signals: dict[str, bytes]) -> Desk:
    desk = Desk(Grid(), POLICY)
    desk.restore(
        msgspec.json.decode(mark, type=DeskState),
        {name: msgspec.json.decode(raw, type=SignalState) for name, raw in signals.items()},
    )
    return desk


def _told(
    on: int, hour: int, unit: str, direction: str, strength: float | None, count: int
) -> Score:
    at = clock(on, hour)
    if strength is None:
        return unseen(at, unit=unit, direction=direction)
    last = claim(on + 1, on + 3, 2)
    daily = (*(0,) * 20, *(count,) * 8)
    return score(
        at, strength, unit=unit, direction=direction, claim=last, daily=daily, series_end=day(on)
    )


class Life(RuleBasedStateMachine):
    """Scores, ticks, commands and restarts in any order; what must hold of every revision."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(Grid(), POLICY)
        self.records: list[Fed] = []
        self.hour = 0
        self.revisions: dict[str, list[Alert]] = {}
        self.coverage: dict[tuple[str, str], str] = {}

    def _take(self, *records: Fed) -> None:
        self.records.extend(records)
        first = len(self.records) - len(records)
        for alert in self.desk.take(enumerate(records, first)):
            self._check(alert)
            self.revisions.setdefault(alert.id, []).append(alert)

    def _check(self, alert: Alert) -> None:
        known = self.revisions.get(alert.id, [])
        assert alert.revision == len(known)
        assert alert.opened_at <= alert.at <= clock(0, self.hour)
        if not known:
            assert (alert.state, alert.coverage) == ("open", "ok")
            return
        last = known[-1]
        assert last.at <= alert.at
        assert alert.claim == last.claim
        assert alert.opened_at == last.opened_at
        if last.state in ENDED:  # only its claim may still be settled
            assert (alert.state, last.outcome) == (last.state, None)
            assert alert.outcome is not None
        if last.state == "frozen":
            assert alert.state not in ENDED
            assert alert.severity == last.severity or alert.coverage == "ok"
        if last.outcome is not None:
            assert alert.outcome == last.outcome
        if last.acknowledged_by is not None:
            assert alert.acknowledged_by == last.acknowledged_by
        steps = ["watch", "warning", "critical"]
        assert steps.index(alert.severity) >= steps.index(last.severity) - 1

    @rule(
        hours=st.sampled_from([1, 5, 24]),
        unit=st.sampled_from(UNITS),
        direction=st.sampled_from(DIRECTIONS),
        strength=st.sampled_from([*STRENGTHS, None]),
        count=st.integers(0, 2),
    )
    def tell(
        self, hours: int, unit: str, direction: str, strength: float | None, count: int
    ) -> None:
        self.hour += hours
        told = _told(self.hour // 24, self.hour % 24, unit, direction, strength, count)
        self.coverage[unit, direction] = told.coverage
        self._take(told, tick(told.at))

    @rule(hours=st.sampled_from([1, 30, 200]))
    def wait(self, hours: int) -> None:
        self.hour += hours
        self._take(tick(clock(0, self.hour)))

    @rule(number=st.integers(0, 5), id=st.sampled_from("abcdef"))
    def acknowledge(self, number: int, id: str) -> None:
        alerts = sorted(self.revisions) or ["S1-rise-AF-KAN-20240101T000000Z"]
        alert = alerts[-1 - number % len(alerts)]
        self.hour += 1
        self._take(
            Command(id, alert, "acknowledge", clock(0, self.hour, -30), "desk"),
            tick(clock(0, self.hour)),
        )

    @rule()
    def restart(self) -> None:
        self.desk = _restored(*_saved(self.desk))

    @rule()
    def read_again(self) -> None:
        assert self.desk.take(enumerate(self.records)) == []

    @invariant()
    def at_most_one_alert_lives_for_each_unit_and_direction(self) -> None:
        living = [r[-1] for r in self.revisions.values() if r[-1].state not in ENDED]
        keys = [(a.unit, a.direction) for a in living]
        assert len(set(keys)) == len(keys)

    @invariant()
    def an_alert_is_frozen_just_while_its_coverage_is_lost(self) -> None:
        for (alert,) in ((r[-1],) for r in self.revisions.values() if r[-1].state not in ENDED):
            seen = self.coverage[alert.unit, alert.direction] == "ok"
            assert (alert.state == "frozen") == (not seen)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


def _stream(drawn: list[tuple[int, str, str, float | None, int, str]]) -> list[Fed]:
    """Return scores and commands, some of them ahead of the ticks that end their step."""
    records: list[Fed] = []
    hour = 0
    for hours, unit, direction, strength, count, then in drawn:
        hour += hours
        records.append(_told(hour // 24, hour % 24, unit, direction, strength, count))
        if then == "command":
            alert = f"S1-{direction}-{unit}-{clock(0, hour):%Y%m%dT%H%M%SZ}"
            records.append(Command(f"c-{hour}", alert, "acknowledge", clock(0, hour, 20), "desk"))
        if then != "hold":
            records.append(tick(clock(0, hour)))
    return [*records, tick(clock(0, hour + 400))]


streams = st.lists(
    st.tuples(
        st.sampled_from([1, 7, 24]),
        st.sampled_from(UNITS),
        st.sampled_from(DIRECTIONS),
        st.sampled_from([*STRENGTHS, None]),
        st.integers(0, 2),
        st.sampled_from(["tick", "hold", "command"]),
    ),
    min_size=1,
    max_size=25,
).map(_stream)


def _wire(alerts: list[Alert]) -> list[bytes]:
    return sorted(msgspec.json.encode(alert) for alert in alerts)


def _rest(desk: Desk, records: list[Fed]) -> list[Alert]:
    after = desk.state.offset + 1
    return desk.take(enumerate(records[after:], after))


@given(streams, st.data())
@settings(max_examples=25, deadline=None)
def test_a_restart_from_a_checkpoint_gives_the_same_revisions(
    records: list[Fed], data: st.DataObject
) -> None:
    whole = Desk(Grid(), POLICY).take(enumerate(records))
    split = data.draw(st.integers(0, len(records)))
    desk = Desk(Grid(), POLICY)
    before = desk.take(enumerate(records[:split]))
    again = _restored(*_saved(desk))
    assert _wire([*before, *_rest(again, records)]) == _wire(whole)


@given(streams, st.data())
@settings(max_examples=25, deadline=None)
def test_signals_ahead_of_the_mark_change_nothing(records: list[Fed], data: st.DataObject) -> None:
    """A crash between the signals' states and the mark: the signals are newer than the mark."""
    whole = Desk(Grid(), POLICY).take(enumerate(records))
    first = data.draw(st.integers(0, len(records)))
    second = data.draw(st.integers(first, len(records)))
    desk = Desk(Grid(), POLICY)
    sent = desk.take(enumerate(records[:first]))
    mark, _ = _saved(desk)
    sent += desk.take(enumerate(records[first:second], first))
    _, newer = _saved(desk)
    again = _restored(mark, newer)
    assert _wire([*sent, *_rest(again, records)]) == _wire(whole)


@given(streams)
@settings(max_examples=12, deadline=None)
def test_all_at_once_or_one_by_one_comes_to_the_same(records: list[Fed]) -> None:
    desk = Desk(Grid(), POLICY)
    single = [a for n, record in enumerate(records) for a in desk.take([(n, record)])]
    assert single == Desk(Grid(), POLICY).take(enumerate(records))
