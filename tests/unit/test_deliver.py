"""To whom an alert's revisions go: who asked for one of them is told of all that follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from detectors.delivery_records import Escalation, Parcel, Subscription
from detectors.records import Alert, Part, Silence
from streams.delivery.mailbox import Mailbox, Terms
from streams.delivery.router import Following, Router
from streams.sinks.base import Delivered
from tests.alert_records import alert, subscription

STRIKES = (Part("S1", 3.2, 9, 2.0, ""), Part("S14", 0.9, 2, 0.4, ""))
STORY = (
    alert(1, 0, signal="S1", parts=STRIKES),
    alert(1, 1, signal="S1", parts=STRIKES[:1]),
    alert(1, 2, signal="S1", state="resolved", severity="watch"),
)
OPENED = STORY[0].opened_at
SILENT = Silence("desk", OPENED + timedelta(days=2), "known exercise")


def _told(parcels: Iterable[Parcel]) -> list[tuple[str, int]]:
    return [(each.subscription, each.alert.revision) for each in parcels]


def _follow(router: Router, story: Sequence[Alert], *asked: Subscription) -> list[bool]:
    """Return for each revision whether the first subscription is told of it."""
    return [asked[0].id in {s for s, _ in _told(router.take(a, asked, OPENED))} for a in story]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, [True] * 3, id="for all"),
        pytest.param({"signals": ("S14",)}, [True] * 3, id="for a signal that fades"),
        pytest.param({"signals": ("S1",)}, [True] * 3, id="for the one that gives the name"),
        pytest.param({"signals": ("S4",)}, [False] * 3, id="for another signal"),
        pytest.param({"minimum_severity": "warning"}, [True] * 3, id="for a severity that falls"),
        pytest.param({"minimum_severity": "critical"}, [False] * 3, id="for what it never was"),
        pytest.param({"units": ("AF-HEL",)}, [False] * 3, id="for another place"),
        pytest.param({"units": ("AFG",)}, [True] * 3, id="for the country of the place"),
        pytest.param({"minimum_probability": 0.3}, [True] * 3, id="for claims as likely as this"),
        pytest.param({"minimum_probability": 0.4}, [False] * 3, id="for likelier claims"),
        pytest.param({"directions": ("fall",)}, [False] * 3, id="for falls"),
        pytest.param({"state": "paused"}, [False] * 3, id="but is paused"),
        pytest.param({"state": "pending"}, [False] * 3, id="but has not proved itself"),
        pytest.param({"state": "failing"}, [True] * 3, id="and its channel is tried on"),
    ],
)
def test_who_was_told_of_an_alert_hears_how_it_ends(
    asked: dict[str, Any], expected: list[bool]
) -> None:
    assert _follow(Router(), STORY, subscription(**asked)) == expected


def test_an_alert_of_no_known_unit_goes_only_to_who_asked_for_such() -> None:
    lost = (alert(1, 0, unit="XX-YYY"),)
    assert _follow(Router(), lost, subscription()) == [False]
    assert _follow(Router(), lost, subscription(unplaced=True)) == [True]
    assert _follow(Router(), lost, subscription(unplaced=True, units=("AFG",))) == [False]


def test_a_worker_that_took_over_in_between_still_knows_who_follows() -> None:
    first, second = Router(), Router()
    asked = subscription(signals=("S14",))
    assert _follow(first, STORY[:2], asked) == [True, True]
    kept = msgspec.json.encode(first.alerts[STORY[0].id])
    second.alerts[STORY[0].id] = msgspec.json.decode(kept, type=Following)
    assert _follow(second, STORY[2:], asked) == [True]


def test_a_revision_that_comes_again_gives_the_same_parcels() -> None:
    router, asked = Router(), (subscription(), subscription(id="other"))
    once = [router.take(each, asked, OPENED) for each in STORY]
    assert [router.take(each, asked, OPENED) for each in STORY] == once


def test_who_subscribes_later_hears_from_then_on() -> None:
    router, late = Router(), subscription(id="late")
    assert _told(router.take(STORY[0], [subscription()], OPENED)) == [("desk", 0)]
    assert _told(router.take(STORY[1], [subscription(), late], OPENED)) == [
        ("desk", 1),
        ("late", 1),
    ]


def test_of_a_silenced_alert_nobody_is_told_but_its_end_to_who_knew_of_it() -> None:
    router = Router()
    asked, late = subscription(), subscription(id="late")
    story = [
        alert(1, 0),
        alert(1, 1, silence=SILENT),
        alert(1, 2, silence=SILENT, state="resolved"),
    ]
    assert _told(router.take(story[0], [asked], OPENED)) == [("desk", 0)]
    assert router.take(story[1], [asked, late], OPENED) == []
    assert _told(router.take(story[2], [asked, late], OPENED)) == [("desk", 2)]


def test_when_a_silence_ends_the_alert_is_told() -> None:
    router, asked = Router(), [subscription()]
    assert router.take(alert(1, 0, silence=SILENT), asked, OPENED) == []
    assert _told(router.take(alert(1, 1), asked, OPENED)) == [("desk", 1)]


RULE = Escalation(after_hours=6.0, to="duty")
DUTY = subscription(id="duty", minimum_severity="critical")


@pytest.mark.parametrize(
    ("last", "hours", "passed_on"),
    [
        pytest.param({}, 7.0, True, id="unanswered for longer"),
        pytest.param({}, 5.0, False, id="unanswered for less"),
        pytest.param({"state": "acknowledged", "acknowledged_by": "a"}, 7.0, False, id="answered"),
        pytest.param({"state": "resolved"}, 7.0, False, id="over"),
        pytest.param({"state": "frozen"}, 7.0, False, id="frozen: nothing new is known"),
        pytest.param({"silence": SILENT}, 7.0, False, id="silenced"),
    ],
)
def test_what_nobody_acknowledges_is_passed_on_once(
    last: dict[str, Any], hours: float, passed_on: bool
) -> None:
    router, asked = Router(), [subscription(escalation=RULE), DUTY]
    router.take(alert(1, 0), asked, OPENED)
    router.take(alert(1, 1, **last), asked, OPENED)
    known = {each.id: each for each in asked}
    now = OPENED + timedelta(hours=hours)
    assert _told(router.escalate(known, now)) == ([("duty", 1)] if passed_on else [])
    assert router.escalate(known, now) == []


def test_to_whom_it_was_passed_on_hears_how_it_ends() -> None:
    router, asked = Router(), [subscription(escalation=RULE), DUTY]
    router.take(alert(1, 0), asked, OPENED)
    router.escalate({each.id: each for each in asked}, OPENED + timedelta(hours=7))
    assert _told(router.take(alert(1, 1, state="resolved"), asked, OPENED)) == [
        ("desk", 1),
        ("duty", 1),
    ]


def test_alerts_that_ended_long_ago_are_forgotten() -> None:
    router = Router()
    for each in STORY:
        router.take(each, [subscription()], OPENED)
    router.take(alert(2, 0), [subscription()], OPENED)
    assert router.forget(STORY[2].at + timedelta(days=89)) == []
    assert router.forget(STORY[2].at + timedelta(days=91)) == [STORY[0].id]
    assert list(router.alerts) == [alert(2).id]


HOURLY = {"atom": timedelta(hours=1)}
FEED = subscription("atom", "alerts", id="feed")


@pytest.mark.parametrize(
    ("last", "sink", "minutes", "times"),
    [
        pytest.param({}, "atom", 61, 1, id="after its time"),
        pytest.param({}, "atom", 59, 0, id="not before"),
        pytest.param({"state": "frozen"}, "atom", 61, 1, id="frozen, it still stands"),
        pytest.param({"state": "resolved"}, "atom", 61, 0, id="over"),
        pytest.param({"silence": SILENT}, "atom", 61, 0, id="silenced"),
        pytest.param({}, "webhook", 61, 0, id="a channel that does not forget"),
    ],
)
def test_channels_that_forget_are_told_anew(
    last: dict[str, Any], sink: str, minutes: int, times: int
) -> None:
    router, asked = Router(), [msgspec.structs.replace(FEED, sink=sink)]
    router.take(alert(1, 0), asked, OPENED)
    revision = alert(1, 1, **last)
    router.take(revision, asked, OPENED)
    known, now = {each.id: each for each in asked}, revision.at + timedelta(minutes=minutes)
    again = router.remind(known, HOURLY, now)
    assert [(p.alert.revision, p.again) for p in again] == [(1, 1)] * times
    assert router.remind(known, HOURLY, now + timedelta(seconds=1)) == []


def test_what_is_told_anew_has_an_id_of_its_own_and_is_not_taken_for_a_copy() -> None:
    router = Router()
    first = router.take(alert(1, 0), [FEED], OPENED)
    again = router.remind({"feed": FEED}, HOURLY, alert(1, 0).at + timedelta(hours=2))
    mailbox, now = Mailbox("feed", Terms()), alert(1, 0).at
    for offset, each in enumerate([*first, *again]):
        assert mailbox.add(offset, each)
        mailbox.settle(FEED, now)
        sending = mailbox.next(FEED, now)
        assert sending is not None
        assert mailbox.answer(sending, FEED, Delivered(), now).done == [offset]
    assert first[0].id != again[0].id
