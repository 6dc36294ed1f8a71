"""What waits for a subscriber: order, digests, quiet hours, budgets, trouble and its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.delivery_records import Digest, Quiet, Subscription
from detectors.records import Alert
from streams.delivery.mailbox import Box, Mailbox, Outcome, Sending, Terms, backoff
from streams.delivery.router import parcel
from streams.delivery.times import next_digest, quiet_until
from streams.sinks.base import Answer, Delivered, Rejected, Retry
from tests.alert_records import alert, subscription

NOW = alert(1).at + timedelta(minutes=1)
TERMS = Terms(attempts=3)
AWAY = Retry(0.0, "no connection")


def _box(*alerts: Alert, asked: Subscription | None = None, at: datetime = NOW) -> Mailbox:
    mailbox, to = Mailbox("desk", TERMS), asked or subscription()
    for offset, each in enumerate(alerts):
        assert mailbox.add(offset, parcel(each, to, at))
    return mailbox


def _sent(mailbox: Mailbox, to: Subscription, now: datetime) -> list[Sending]:
    """Return all that may be on its way at once."""
    mailbox.settle(to, now)
    found = []
    while (sending := mailbox.next(to, now)) is not None:
        found.append(sending)
    return found


def _revisions(sendings: Sequence[Sending]) -> list[list[tuple[str, int]]]:
    return [[(a.id, a.revision) for a in sending.message.alerts] for sending in sendings]


def _states(outcome: Outcome) -> list[str]:
    return [each.status for each in outcome.deliveries]


def _answer(
    mailbox: Mailbox, to: Subscription, answer: Answer, now: datetime
) -> tuple[list[Outcome], list[Sending]]:
    sendings = _sent(mailbox, to, now)
    return [mailbox.answer(each, to, answer, now) for each in sendings], sendings


def test_revisions_of_one_alert_go_one_after_the_other() -> None:
    to, mailbox = subscription(), _box(alert(1, 0), alert(1, 1), alert(2, 0))
    first = _sent(mailbox, to, NOW)
    assert _revisions(first) == [[(alert(1).id, 0)], [(alert(2).id, 0)]]
    done = mailbox.answer(first[0], to, Delivered(), NOW)
    assert (done.done, _states(done)) == ([0], ["delivered"])
    assert _revisions(_sent(mailbox, to, NOW)) == [[(alert(1).id, 1)]]


def test_a_parcel_that_comes_twice_is_one() -> None:
    to, mailbox = subscription(), _box(alert(1, 0))
    assert not mailbox.add(9, parcel(alert(1, 0), to, NOW))
    _answer(mailbox, to, Delivered(), NOW)
    assert not mailbox.add(10, parcel(alert(1, 0), to, NOW))
    assert mailbox.add(11, parcel(alert(1, 1), to, NOW))


def test_trouble_is_tried_again_later_under_the_same_id_then_given_up() -> None:
    to, mailbox, now = subscription(), _box(alert(1, 0)), NOW
    ids, states = set(), []
    for _ in range(TERMS.attempts):
        outcomes, sendings = _answer(mailbox, to, AWAY, now)
        ids |= {each.message.id for each in sendings}
        states += [state for each in outcomes for state in _states(each)]
        assert _sent(mailbox, to, now) == []
        now += timedelta(hours=2)
    assert states == ["retry", "retry", "given_up"]
    assert [each.given_up[0].id for each in outcomes] == list(ids)
    assert mailbox.waiting == 0
    # From the dead letters it may come again.
    assert mailbox.add(7, parcel(alert(1, 0), to, now))
    (outcome,), _ = _answer(mailbox, to, Delivered(), now)
    assert _states(outcome) == ["delivered"]


def test_what_the_receiver_asks_to_wait_is_waited() -> None:
    to, mailbox = subscription(), _box(alert(1, 0))
    _answer(mailbox, to, Retry(600.0, "HTTP 429"), NOW)
    assert _sent(mailbox, to, NOW + timedelta(seconds=599)) == []
    assert len(_sent(mailbox, to, NOW + timedelta(seconds=601))) == 1


def test_a_channel_in_trouble_is_probed_by_one_message_at_a_time() -> None:
    to, mailbox = subscription(), _box(alert(1, 0), alert(2, 0), alert(3, 0), at=alert(3).at)
    sendings = _sent(mailbox, to, alert(3).at)
    assert len(sendings) == 3
    for each in sendings:
        mailbox.answer(each, to, AWAY, alert(3).at)
    later = alert(3).at + timedelta(minutes=1)
    probe = _sent(mailbox, to, later)
    assert len(probe) == 1
    mailbox.answer(probe[0], to, Delivered(), later)
    assert len(_sent(mailbox, to, later)) == 2


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("removed", "the subscription was removed"),
        ("paused", "the subscription is paused"),
        ("pending", "the subscription is pending"),
    ],
)
def test_what_comes_for_a_closed_subscription_is_not_sent(state: Any, reason: str) -> None:
    mailbox = _box(alert(1, 0))
    outcome = mailbox.settle(subscription(state=state), NOW)
    assert [(d.status, d.reason) for d in outcome.deliveries] == [("rejected", reason)]
    assert mailbox.waiting == 0


def test_what_is_refused_is_told_and_the_next_goes_on() -> None:
    to, mailbox = subscription(), _box(alert(1, 0), alert(1, 1))
    (outcome,), _ = _answer(mailbox, to, Rejected("HTTP 404"), NOW)
    assert [(d.status, d.reason) for d in outcome.deliveries] == [("rejected", "HTTP 404")]
    assert len(_sent(mailbox, to, NOW)) == 1


def test_old_alerts_are_not_told_as_news_but_their_end_is_to_who_knew() -> None:
    to, late = subscription(), NOW + timedelta(days=3)
    assert _states(_box(alert(1, 0)).settle(to, late)) == ["stale"]
    mailbox = _box(alert(1, 0))
    _answer(mailbox, to, Delivered(), NOW)
    mailbox.add(1, parcel(alert(1, 1, state="resolved"), to, late))
    assert len(_sent(mailbox, to, late)) == 1


def test_documents_show_old_alerts_too() -> None:
    feed = subscription("atom", "alerts")
    mailbox = Mailbox("desk", Terms(documents=frozenset(("atom",))))
    mailbox.add(0, parcel(alert(1, 0), feed, NOW))
    assert len(_sent(mailbox, feed, NOW + timedelta(days=400))) == 1


def test_beyond_the_weeks_budget_new_alerts_are_left_out_with_all_that_follows() -> None:
    to = subscription(most_per_week=2)
    at = alert(3).at
    mailbox = _box(*(alert(n, 0) for n in (1, 2, 3)), alert(1, 1), asked=to, at=at)
    outcome = mailbox.settle(to, at)
    assert [(d.alert, d.status) for d in outcome.deliveries] == [(alert(3).id, "over_budget")]
    mailbox.add(9, parcel(alert(3, 1, severity="critical"), to, at))
    assert _states(mailbox.settle(to, at)) == ["over_budget"]
    assert [a for each in _revisions(_sent(mailbox, to, at)) for a, _ in each] == [
        alert(1).id,
        alert(2).id,
    ]
    week = at + timedelta(days=7, minutes=1)
    mailbox.add(10, parcel(alert(11, 0), to, alert(11).at))
    assert alert(11).at > week
    assert mailbox.settle(to, alert(11).at).deliveries == []


NIGHT = Quiet("22:00", "07:00", override="critical")
KABUL = {"time_zone": "Asia/Kabul", "quiet": NIGHT}  # UTC+04:30
EVENING = datetime(2026, 3, 2, 19, 0, tzinfo=UTC)  # 23:30 in Kabul
MORNING = datetime(2026, 3, 3, 2, 30, tzinfo=UTC)  # 07:00 in Kabul


def _night(*alerts: Alert) -> tuple[Subscription, Mailbox]:
    to = subscription(**KABUL)
    return to, _box(*alerts, asked=to, at=EVENING)


def test_in_quiet_hours_alerts_wait_and_come_as_one_digest_as_they_then_stand() -> None:
    one, two = alert(1, 0, at=EVENING), alert(2, 0, at=EVENING)
    to, mailbox = _night(one, two, alert(1, 1, at=EVENING))
    assert _states(mailbox.settle(to, EVENING)) == ["held"] * 3
    assert mailbox.next(to, EVENING) is None
    assert mailbox.wakes_at() == MORNING
    (digest,) = _sent(mailbox, to, MORNING)
    assert digest.message.kind == "digest"
    assert [(a.id, a.revision) for a in digest.message.alerts] == [(one.id, 1), (two.id, 0)]
    outcome = mailbox.answer(digest, to, Delivered(), MORNING)
    assert sorted(outcome.done) == [0, 1, 2]
    assert _states(outcome) == ["delivered"] * 3


def test_a_single_alert_of_the_night_is_told_as_an_alert() -> None:
    to, mailbox = _night(alert(1, 0, at=EVENING), alert(1, 1, at=EVENING))
    mailbox.settle(to, EVENING)
    (sending,) = _sent(mailbox, to, MORNING)
    assert (sending.message.kind, _revisions([sending])) == ("alert", [[(alert(1).id, 1)]])


def test_what_is_grave_is_told_at_night_and_what_was_held_before_it_first() -> None:
    grave = alert(1, 1, at=EVENING, severity="critical")
    to, mailbox = _night(alert(1, 0, at=EVENING), alert(2, 0, at=EVENING), grave)
    (first,) = _sent(mailbox, to, EVENING)
    assert _revisions([first]) == [[(grave.id, 0)]]
    mailbox.answer(first, to, Delivered(), EVENING)
    assert _revisions(_sent(mailbox, to, EVENING)) == [[(grave.id, 1)]]


def test_a_digest_that_is_tried_again_is_the_same_and_later_alerts_wait_for_the_next() -> None:
    to, mailbox = _night(alert(1, 0, at=EVENING), alert(2, 0, at=EVENING))
    mailbox.settle(to, EVENING)
    (first,) = _sent(mailbox, to, MORNING)
    mailbox.answer(first, to, AWAY, MORNING)
    late = subscription(digest=Digest("day"), time_zone="Asia/Kabul")
    mailbox.add(7, parcel(alert(3, 0, at=MORNING), late, MORNING))
    mailbox.settle(late, MORNING)
    (again,) = _sent(mailbox, to, MORNING + timedelta(minutes=1))
    assert again.message == first.message


def test_a_daily_digest_comes_at_its_time() -> None:
    to = subscription(digest=Digest("day", at="08:00"), time_zone="Asia/Karachi")
    mailbox = _box(alert(1, 0), alert(2, 0), asked=to, at=NOW)
    due = next_digest(Digest("day", at="08:00"), "Asia/Karachi", NOW)
    assert _sent(mailbox, to, due - timedelta(seconds=1)) == []
    (digest,) = _sent(mailbox, to, due)
    assert len(digest.message.alerts) == 2


def test_what_is_remembered_survives_a_restart() -> None:
    to, mailbox = subscription(), _box(alert(1, 0))
    _answer(mailbox, to, Delivered(), NOW)
    kept = msgspec.json.decode(msgspec.json.encode(mailbox.box), type=Box)
    again = Mailbox("desk", TERMS, kept)
    assert kept == mailbox.box
    assert not again.add(0, parcel(alert(1, 0), to, NOW))
    again.forget(NOW + timedelta(days=91))
    assert again.box.told == {}


@given(st.text(max_size=20), st.integers(1, 200))
def test_waits_grow_and_stay_below_an_hour(key: str, attempt: int) -> None:
    longest = min(3_600.0, 2.0 ** (attempt - 1))
    assert longest / 2 <= backoff(key, attempt) <= longest


_CLOCK = st.times().map(lambda t: f"{t.hour:02}:{t.minute:02}")
_ZONE = st.sampled_from(["UTC", "Asia/Kabul", "Asia/Karachi", "Europe/London", "America/St_Johns"])
_INSTANT = st.integers(0, 3_652 * 1_440).map(lambda n: NOW + timedelta(minutes=n - 1_000_000))


@given(_CLOCK, _CLOCK, _ZONE, _INSTANT)
def test_quiet_hours_end_within_a_day(first: str, until: str, zone: str, now: datetime) -> None:
    end = quiet_until(Quiet(first, until), zone, now)
    if end is not None:
        assert now < end <= now + timedelta(hours=25)
        assert quiet_until(Quiet(first, until), zone, end) is None


@given(st.sampled_from(["day", "week"]), _CLOCK, st.integers(0, 6), _ZONE, _INSTANT)
def test_digests_come_one_after_the_other(
    every: Any, at: str, weekday: int, zone: str, now: datetime
) -> None:
    digest = Digest(every, at, weekday)
    first = next_digest(digest, zone, now)
    second = next_digest(digest, zone, first)
    days = 1 if every == "day" else 7
    assert now < first <= now + timedelta(days=days, hours=1)
    assert timedelta(days=days) - timedelta(hours=2) <= second - first
    assert second - first <= timedelta(days=days, hours=2)


_ANSWERS = st.sampled_from([Delivered(), AWAY, Rejected("HTTP 404"), Retry(5.0, "HTTP 429")])


@given(
    st.lists(st.tuples(st.integers(1, 4), _ANSWERS), min_size=1, max_size=40),
    st.sampled_from([{}, KABUL, {"digest": Digest("day")}]),
)
def test_whatever_receivers_answer_each_parcel_is_dealt_with_once_and_in_order(
    plan: list[tuple[int, Answer]], how: dict[str, Any]
) -> None:
    to, mailbox = subscription(**how), Mailbox("desk", Terms(attempts=3))
    revisions: dict[int, int] = {}
    done: list[int] = []
    told: dict[str, list[int]] = {}
    now = NOW + timedelta(days=4)
    answers = [answer for _, answer in plan]
    for offset, (number, _) in enumerate(plan):
        revision = revisions[number] = revisions.get(number, -1) + 1
        mailbox.add(offset, parcel(alert(number, revision, at=now), to, now))
    for step in range(2_000):
        if not mailbox.waiting:
            break
        done += mailbox.settle(to, now).done
        sending = mailbox.next(to, now)
        if sending is None:
            now = max(now, mailbox.wakes_at() or now) + timedelta(seconds=1)
            continue
        answer = answers[step % len(answers)]
        if isinstance(answer, Delivered):
            for each in sending.message.alerts:
                told.setdefault(each.id, []).append(each.revision)
        done += mailbox.answer(sending, to, answer, now).done
    assert sorted(done) == list(range(len(plan)))
    assert all(found == sorted(set(found)) for found in told.values())
