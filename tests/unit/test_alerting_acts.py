"""What analysts do with alerts: what each act changes, and what cannot be done, with its reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

import pytest

from detectors.acts import ALLOWED, LONGEST_TEXT, MOST_REMARKS, Refused
from detectors.alerting import Desk, Policy
from detectors.budget import Budget
from detectors.life import ENDED, KEPT_DAYS, LIVING, NEXT
from detectors.records import Action, Alert, Command, Remark, Scope, Score, Silence, Tick
from detectors.timegrid import Grid
from tests.core_records import clock, score, tick, unseen

POLICY = Policy(Budget(watch=6.0, warning=0.3, critical=0.0005))
WATCH, WARNING, USUAL = 4.0, 16.0, 0.0
ALERT = "S1-rise-AF-KAN-20240101T010000Z"
OTHER = "S1-rise-PK-PB-20240101T010000Z"
Fed = Score | Tick | Command


class Told:
    """A desk, and what it has decided."""

    def __init__(self) -> None:
        self.desk = Desk(Grid(), POLICY)
        self.alerts: list[Alert] = []
        self.refused: list[Refused] = []

    def take(self, *records: Fed) -> Told:
        decided = self.desk.take(enumerate(records, self.desk.state.offset + 1))
        self.alerts += decided.alerts
        self.refused += decided.refused
        return self

    def score(self, on: float, strength: float | None = WATCH, **changes: Any) -> Told:
        """Tell of a day's evidence at 01:00; None: coverage is lost."""
        at = clock(on, 1)
        lost = strength is None
        told = unseen(at, **changes) if lost else score(at, strength, **changes)
        return self.take(told, tick(at))

    def act(self, action: Action, at: float, alert: str = ALERT, **changes: Any) -> Told:
        """Do something `at` hours after the start, and let its step end."""
        id = changes.pop("id", f"{action}-{at}")
        by = changes.pop("by", "desk")
        command = Command(id, alert, action, clock(0, at), by, **changes)
        return self.take(command, tick(clock(0, at, 1)))

    @property
    def last(self) -> Alert:
        return self.alerts[-1]

    @property
    def reasons(self) -> list[str]:
        return [each.reason for each in self.refused]

    @property
    def states(self) -> list[str]:
        return [each.state for each in self.alerts]


@pytest.fixture
def told() -> Told:
    return Told().score(0)


def _quiet(told: Told, days: int = 9, first: int = 1) -> Told:
    for on in range(first, first + days):
        told.score(on, USUAL)
    return told


def test_an_alert_is_acknowledged_once(told: Told) -> None:
    told.act("acknowledge", 2, note="looked into")
    assert told.states == ["open", "acknowledged"]
    assert (told.last.acknowledged_by, told.last.note) == ("desk", "looked into")
    assert told.last.at == told.last.acknowledged_at == clock(0, 2, 1)
    told.act("acknowledge", 3, by="another")
    assert told.reasons == ["it was acknowledged before, by desk"]


def test_the_first_acknowledgement_stays_known(told: Told) -> None:
    told.act("acknowledge", 2).act("unacknowledge", 3, by="night desk", note="not ours")
    assert (told.last.state, told.last.acknowledged_by) == ("open", None)
    assert told.last.acknowledged_at == clock(0, 2, 1)
    assert told.last.changed == "acknowledgement by desk taken back by night desk"
    assert told.last.remarks == (Remark("night desk", clock(0, 3, 1), "note", "not ours"),)
    told.act("acknowledge", 5, by="day desk")
    assert (told.last.state, told.last.acknowledged_by) == ("acknowledged", "day desk")
    assert told.last.acknowledged_at == clock(0, 2, 1)


def test_what_nobody_acknowledged_cannot_be_taken_back(told: Told) -> None:
    told.act("unacknowledge", 2)
    assert (told.states, told.reasons) == (["open"], ["nobody has acknowledged it"])


def test_an_alert_is_assigned_and_assigned_again(told: Told) -> None:
    told.act("assign", 2, to="south").act("assign", 3, to="south").act("assign", 4, to="east")
    assert [a.assigned_to for a in told.alerts] == [None, "south", "east"]
    assert told.reasons == ["it is assigned to south already"]
    assert told.last.changed == "assigned to east by desk"
    assert told.last.state == "open"


def test_remarks_are_kept_in_their_order(told: Told) -> None:
    told.act("note", 2, note="asked the office").act("dispute", 3, note="an old report", by="b")
    assert told.last.remarks == (
        Remark("desk", clock(0, 2, 1), "note", "asked the office"),
        Remark("b", clock(0, 3, 1), "dispute", "an old report"),
    )
    assert told.last.changed == "disputed by b: an old report"
    assert told.last.state == "open"


def test_a_retracted_alert_has_ended_and_its_claim_is_settled_all_the_same(told: Told) -> None:
    told.act("retract", 2, note="a hoax")
    assert told.last.changed == "retracted by desk: a hoax"
    for on in range(1, 25):
        told.score(on, WATCH)
    assert told.states == ["open", "retracted", "retracted"]
    assert told.last.outcome is not None
    assert told.last.remarks[0].text == "retracted: a hoax"


@pytest.mark.parametrize(
    ("after", "opens"),
    [
        pytest.param([WATCH] * 5, 0, id="while the same goes on it opens no other"),
        pytest.param([WARNING], 1, id="what is graver goes before the quiet"),
        pytest.param([WATCH, WARNING, WARNING], 1, id="and opens one"),
        pytest.param([*[USUAL] * 8, WATCH], 1, id="after a quiet week there may be another"),
    ],
)
def test_what_opens_after_a_retraction(told: Told, after: list[float], opens: int) -> None:
    told.act("retract", 2, note="a hoax")
    for on, strength in enumerate(after, start=1):
        told.score(on, strength)
    assert told.states == ["open", "retracted", *["open"] * opens]


def test_severity_goes_before_any_quiet_period(told: Told) -> None:
    """Six of the seven quiet days are over; then a grave day comes."""
    _quiet(told, 6).score(7, WARNING)
    assert [a.severity for a in told.alerts] == ["watch", "warning"]
    assert told.last.at == clock(7, 1)


@pytest.mark.parametrize("action", ["acknowledge", "note", "retract"])
def test_what_is_frozen_takes_acts(told: Told, action: Action) -> None:
    told.score(1, None).act(action, 26, note="seen")
    expected = "retracted" if action == "retract" else "frozen"
    assert told.states == ["open", "frozen", expected]
    assert told.reasons == []


def test_a_frozen_alert_is_acknowledged_when_coverage_is_back(told: Told) -> None:
    told.score(1, None).act("acknowledge", 26).score(3, WATCH)
    assert told.states == ["open", "frozen", "frozen", "acknowledged"]


def test_an_acknowledged_alert_resolves_like_any_other(told: Told) -> None:
    assert _quiet(told.act("acknowledge", 2)).states == ["open", "acknowledged", "resolved"]


@pytest.mark.parametrize(
    ("action", "allowed"), [(action, bool(states & ENDED)) for action, states in ALLOWED.items()]
)
def test_an_alert_that_ended_takes_what_the_table_says(
    told: Told, action: Action, allowed: bool
) -> None:
    _quiet(told).act(action, 24 * 10, note="a reason", to="south")
    assert told.states == ["open", "resolved", *["resolved"] * allowed]
    expected = [] if allowed else ["the alert is resolved: it can only take a note or dispute"]
    assert told.reasons == expected


def test_the_tables_of_states_speak_of_the_same_states() -> None:
    assert set(NEXT) == LIVING | ENDED
    assert all(following <= set(NEXT) for following in NEXT.values())
    assert set(ALLOWED) | {"silence", "unsilence"} == set(get_args(Action))


@pytest.mark.parametrize("after", [KEPT_DAYS - 1, KEPT_DAYS + 1])
def test_an_alert_of_long_ago_is_no_longer_at_hand(told: Told, after: int) -> None:
    """Its claim was settled on day 19."""
    _quiet(told)
    told.take(tick(clock(19 + after))).act("dispute", 24 * (19 + after) + 1, note="never was")
    if after < KEPT_DAYS:
        assert (told.last.changed, told.refused) == ("disputed by desk: never was", [])
    else:
        assert told.reasons == ["no alert of this id lives, or ended in the last 30 days"]


@pytest.mark.parametrize("alert", ["S1-rise-AFG-20240101T010000Z", "nonsense", "-", "S99-x"])
def test_an_act_on_an_alert_that_is_not_there_is_answered(told: Told, alert: str) -> None:
    told.act("acknowledge", 2, alert=alert, id="c-7")
    (refused,) = told.refused
    assert (refused.command.id, refused.command.alert) == ("c-7", alert)
    assert refused.offset == 2
    assert "no alert of this id" in refused.reason


@pytest.mark.parametrize(
    ("action", "changes", "reason"),
    [
        pytest.param("note", {}, "to note takes a reason", id="a note without words"),
        pytest.param("dispute", {"note": " "}, "to dispute takes a reason", id="only spaces"),
        pytest.param("retract", {}, "to retract takes a reason", id="a retraction without reason"),
        pytest.param("assign", {}, "takes to whom", id="assigned to nobody"),
        pytest.param("assign", {"to": "x" * 201}, "takes to whom", id="assigned to a long name"),
        pytest.param("note", {"note": "x" * 1_001}, "more than 1,000", id="a text too long"),
        pytest.param("silence", {"note": "x"}, "takes a scope and an end", id="without a scope"),
        pytest.param("unsilence", {}, "no silence is called", id="no such silence"),
    ],
)
def test_an_act_that_lacks_something_is_answered(
    told: Told, action: Action, changes: dict[str, Any], reason: str
) -> None:
    told.act(action, 2, **changes)
    assert told.states == ["open"]
    assert [reason in each for each in told.reasons] == [True]


def test_remarks_do_not_outgrow_a_message(told: Told) -> None:
    notes = [
        Command(f"n{n:03}", ALERT, "note", clock(0, 2), "desk", note="x" * LONGEST_TEXT)
        for n in range(MOST_REMARKS + 1)
    ]
    told.take(*notes, tick(clock(0, 3)))
    assert len(told.last.remarks) == MOST_REMARKS
    assert told.reasons == [f"it has {MOST_REMARKS} remarks already"]


# Once


def test_an_act_is_done_once_however_often_it_comes(told: Told) -> None:
    for at in (2, 2.2, 30, 24 * 29):
        told.act("note", at, id="c", note="once")
    assert [a.changed for a in told.alerts].count("noted by desk") == 1
    assert told.refused == []


@pytest.mark.parametrize("days", [29, 31, 400])
def test_an_act_that_comes_again_after_its_memory_is_gone_is_not_done_again(
    told: Told, days: int
) -> None:
    command = Command("c", ALERT, "note", clock(0, 2), "desk", note="once")
    told.take(command, tick(clock(0, 3)))
    for on in range(1, min(days, 60)):
        told.score(on, WATCH)
    told.take(tick(clock(days)), command, tick(clock(days, 2)))
    assert sum("noted" in a.changed for a in told.alerts) == 1
    late = ["it was made more than 30 days ago: it is done already, or came too late"]
    assert told.reasons == (late if days > 30 else [])


def test_an_act_of_another_clock_is_remembered_until_that_is_past(told: Told) -> None:
    """In a replay the stream's time is not the analyst's."""
    command = Command("c", ALERT, "note", clock(200), "desk", note="once")
    told.take(command, tick(clock(0, 3)))
    for on in range(1, 60):
        told.score(on, WATCH)
    told.take(command, tick(clock(59, 4)))
    assert sum("noted" in a.changed for a in told.alerts) == 1


def test_acts_of_one_step_are_done_in_the_order_in_which_they_were_made(told: Told) -> None:
    acts = [
        Command("z", ALERT, "acknowledge", clock(0, 2, 0, 5), "desk"),
        Command("a", ALERT, "unacknowledge", clock(0, 2, 0, 20), "desk"),
    ]
    told.take(*reversed(acts), tick(clock(0, 3)))
    assert [a.state for a in told.alerts] == ["open", "acknowledged", "open"]


# Silences


def _silence(told: Told, at: float, until: datetime, name: str = "works", **scope: Any) -> Told:
    changes = {"scope": Scope(**scope), "until": until, "note": "road works"}
    return told.act("silence", at, alert=name, id=f"s-{at}", **changes)


def test_what_is_silenced_says_so_until_it_is_over(told: Told) -> None:
    _silence(told, 2, clock(1, 0, 30), units=("AF-KAN",))
    assert told.last.silence == Silence("desk", clock(1, 0, 30), "road works")
    assert told.last.changed == "silenced by desk until 2024-01-02 00:30 UTC: road works"
    told.take(tick(clock(1, 1)))
    assert told.last.at == clock(1, 0, 30)
    assert [a.silence is not None for a in told.alerts] == [False, True, False]
    assert told.last.changed == "no longer silenced (by desk: road works)"
    assert told.states == ["open", "open", "open"]


def test_what_opens_later_in_a_silence_carries_it() -> None:
    told = _silence(Told().take(tick(clock(0))), 0.5, clock(3), units=("AFG",))
    told.score(0).score(1, unit="PK-PB")
    assert [a.silence is not None for a in told.alerts] == [True, False]
    assert told.alerts[0].changed.startswith("opened, silenced by desk until")


@pytest.mark.parametrize(
    ("scope", "silenced"),
    [
        pytest.param({}, True, id="all"),
        pytest.param({"units": ("AF-KAN",)}, True, id="its unit"),
        pytest.param({"units": ("AFG",)}, True, id="its country"),
        pytest.param({"units": ("PAK",)}, False, id="another country"),
        pytest.param({"signals": ("S1",)}, True, id="a signal it rests on"),
        pytest.param({"signals": ("S14",)}, False, id="one it does not rest on"),
        pytest.param({"directions": ("fall",)}, False, id="the other direction"),
        pytest.param({"units": ("AFG",), "signals": ("S14",)}, False, id="only half of it"),
    ],
)
def test_which_alerts_a_silence_is_about(told: Told, scope: dict[str, Any], silenced: bool) -> None:
    _silence(told, 2, clock(3), **scope)
    assert (told.last.silence is not None) == silenced
    assert told.refused == []


def test_of_two_silences_the_longer_holds_and_each_can_be_lifted(told: Told) -> None:
    _silence(told, 2, clock(3), name="short")
    _silence(told, 3, clock(5), name="long")
    told.act("unsilence", 4, alert="long").act("unsilence", 5, alert="short")
    ends = [a.silence.until if a.silence else None for a in told.alerts]
    assert ends == [None, clock(3), clock(5), clock(3), None]


@pytest.mark.parametrize(
    ("until", "reason"),
    [
        pytest.param(clock(0, 1), "over already", id="in the past"),
        pytest.param(clock(120), "90 days at most", id="for too long"),
    ],
)
def test_a_silence_that_is_no_silence_is_answered(told: Told, until: datetime, reason: str) -> None:
    _silence(told, 2, until)
    assert [reason in each for each in told.reasons] == [True]
    assert told.states == ["open"]


def test_silence_does_not_hide_that_an_alert_becomes_graver(told: Told) -> None:
    _silence(told, 2, clock(9)).score(1, WARNING)
    assert (told.last.severity, told.last.silence is not None) == ("warning", True)


def test_a_claim_settled_after_its_alert_and_silence_ended_carries_no_silence(told: Told) -> None:
    _silence(told, 2, clock(15))
    _quiet(told, 24)
    assert [(a.state, a.silence is not None) for a in told.alerts[-2:]] == [
        ("resolved", True),
        ("resolved", False),
    ]
