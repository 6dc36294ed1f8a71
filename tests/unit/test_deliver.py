"""To whom an alert's revisions go: who asked for one of them is told of all that follow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from detectors.records import Part
from streams import topics
from streams.agents.deliver import Deliverer
from streams.metrics import build_metrics
from streams.store import Store
from tests.alert_records import alert, subscription

STRIKES = (Part("S1", 3.2, 9, 2.0, ""), Part("S14", 0.9, 2, 0.4, ""))
STORY = (
    alert(1, 0, signal="S1", parts=STRIKES),
    alert(1, 1, signal="S1", parts=STRIKES[:1]),
    alert(1, 2, signal="S1", state="resolved", severity="watch"),
)
ASKED = [
    pytest.param({"signals": ("S14",)}, [True, True, True], id="for a signal that fades"),
    pytest.param({"signals": ("S1",)}, [True, True, True], id="for the one that gives the name"),
    pytest.param({"signals": ("S4",)}, [False, False, False], id="for another signal"),
    pytest.param({"minimum_severity": "warning"}, [True] * 3, id="for a severity that is lowered"),
    pytest.param({"minimum_severity": "critical"}, [False] * 3, id="for what it never was"),
    pytest.param({"units": ("AF-HEL",)}, [False] * 3, id="for another place"),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


def deliverer(store: Store) -> Deliverer:
    metrics = build_metrics(CollectorRegistry())
    return Deliverer(topics.Layout(), [], 1, metrics, store.revisions)


@pytest.mark.parametrize(("asked", "expected"), ASKED)
async def test_who_was_told_of_an_alert_hears_how_it_ends(
    store: Store, asked: dict[str, Any], expected: list[bool]
) -> None:
    running, desk = deliverer(store), subscription(**asked)
    assert [await running.follows(desk, each) for each in STORY] == expected


@pytest.mark.parametrize(("asked", "expected"), ASKED)
async def test_a_worker_that_began_in_between_knows_it_from_the_store(
    store: Store, asked: dict[str, Any], expected: list[bool]
) -> None:
    store.apply("t", [(0, number, each) for number, each in enumerate(STORY[:2])])
    assert await deliverer(store).follows(subscription(**asked), STORY[2]) is expected[2]


async def test_what_comes_later_does_not_count_for_an_earlier_revision(store: Store) -> None:
    low = alert(1, 1, severity="watch")
    story = [alert(1, 0, severity="watch"), low, alert(1, 2, severity="critical")]
    store.apply("t", [(0, number, each) for number, each in enumerate(story)])
    desk = subscription(minimum_severity="critical")
    assert not await deliverer(store).follows(desk, low)
    assert await deliverer(store).follows(desk, story[2])


async def test_subscriptions_are_told_apart(store: Store) -> None:
    running = deliverer(store)
    strikes, other = subscription(signals=("S14",)), subscription(id="other", signals=("S4",))
    assert await running.follows(strikes, STORY[0])
    assert not await running.follows(other, STORY[0])
    assert not await running.follows(other, STORY[2])
