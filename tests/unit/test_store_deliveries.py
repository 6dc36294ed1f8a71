"""The projection of who is told of what, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from detectors.delivery_records import Delivery
from detectors.records import Record
from streams.store import Store
from tests.alert_records import OPENED, alert, delivery, score, subscription
from tests.postgres import new_database, postgresql_server  # noqa: F401 - a fixture

DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    address = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "postgresql":
        address = new_database(request.getfixturevalue("postgresql_server"))
    with Store(address) as opened:
        yield opened


def fill(store: Store, *records: Record, start: int = 0) -> None:
    store.apply("t", [(0, start + i, each) for i, each in enumerate(records)])


def test_deliveries_are_found_by_subscription_and_time(store: Store) -> None:
    early, late = delivery(alert(1)), delivery(alert(2))
    other = delivery(alert(2), subscription="night", id="x/0/night")
    fill(store, late, other, early)
    assert store.deliveries() == [early, late, other]
    assert store.deliveries(subscription="night") == [other]
    assert store.deliveries(subscription="desk", since=late.at) == [late]
    assert store.deliveries(alert(2).id, "desk") == [late]
    assert store.deliveries(subscription="nul \x00") == []


def test_what_was_held_and_then_told_with_others_is_kept_whole(store: Store) -> None:
    held = delivery(alert(1), status="held", reason="until tomorrow")
    told = [delivery(alert(n), status="delivered", reason="", id="digest/1") for n in (1, 2)]
    later = delivery(alert(1), status="delivered", reason="")
    fill(store, held, *told, later)
    assert store.deliveries() == [told[0], held, later, told[1]]
    assert store.counts()["deliveries"] == 4


def test_a_channel_fails_since_the_first_attempt_after_the_last_that_got_through(
    store: Store,
) -> None:
    def attempt(number: int, status: str, subscription: str = "desk") -> Delivery:
        at = OPENED + timedelta(minutes=number)
        return delivery(alert(1), number, status=status, subscription=subscription, at=at)

    fill(
        store,
        *(attempt(n, s) for n, s in enumerate(["retry", "delivered", "held", "retry"], 1)),
        attempt(5, "given_up"),
        attempt(6, "delivered", "well"),
        attempt(7, "over_budget", "untold"),
        attempt(8, "rejected", "new"),
    )
    found = store.channels()
    assert set(found) == {"desk", "well", "new"}
    desk = found["desk"]
    assert desk.last_delivered == OPENED + timedelta(minutes=2)
    assert desk.failing_since == OPENED + timedelta(minutes=4)
    assert (desk.failures, desk.reason) == (2, "HTTP 503")
    assert (found["well"].failing_since, found["well"].failures) == (None, 0)
    assert (found["new"].last_delivered, found["new"].failures) == (None, 1)


def test_a_subscription_is_the_last_record_of_its_id(store: Store) -> None:
    paused = subscription(state="paused")
    fill(store, subscription(), subscription(id="b"), paused, subscription(id="b"))
    assert store.subscriptions() == [subscription(id="b"), paused]
    fill(store, subscription())  # read again after a crash
    assert store.subscriptions() == [subscription(id="b"), paused]
    fill(store, subscription(id="b", state="removed", address=""), start=4)
    assert store.subscriptions() == [paused]


def test_the_days_on_which_anything_was_judged_are_told(store: Store) -> None:
    assert store.judged() is None
    fill(store, score(OPENED, state="learning"), score(OPENED + DAY), score(OPENED + 3 * DAY))
    assert store.judged() == ((OPENED + DAY).date(), (OPENED + 3 * DAY).date())
