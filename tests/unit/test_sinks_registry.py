"""What holds for every sink in the registry."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect

import streams.sinks
from detectors.records import Part
from streams.sinks import (
    DOCUMENTS,
    SINKS,
    Message,
    Rejected,
    SinkContext,
    idempotency_key,
    of_alert,
    wants,
)
from tests.alert_records import alert, subscription

#: An alert that is called after one signal and rests on two.
PARTS = (Part("S1", 3.2, 9, 2.0, ""), Part("S14", 2.5, 1, 0.4, ""), Part("S10", 0.1, 1, 0.9, ""))
#: Every kind of message.
KINDS = next(
    each.type.values
    for each in inspect.type_info(Message).fields  # type: ignore[union-attr]
    if each.name == "kind"
)
README = Path(streams.sinks.__file__).with_name("README.md").read_text(encoding="utf-8")


def context(folder: Path) -> SinkContext:
    return SinkContext(
        source="https://tocsin.example/",
        now=lambda: datetime(2026, 3, 9, tzinfo=UTC),
        alerts_for=lambda _: [alert(1)],
        feeds=folder,
    )


@pytest.mark.parametrize("name", SINKS)
def test_a_sink_is_listed_under_its_name_and_described(name: str, tmp_path: Path) -> None:
    assert SINKS[name](context(tmp_path)).name == name
    assert f"| `{name}` |" in README


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SINKS)
async def test_a_sink_rejects_an_address_that_makes_no_sense(
    name: str, kind: Any, tmp_path: Path
) -> None:
    sink = SINKS[name](context(tmp_path))
    asked = subscription(name, "\x00 no address")
    alerts = (alert(1),) if kind in ("alert", "digest", "test") else ()
    message = Message(f"{kind}/1", kind, alert(1).at, alerts, "a text")
    answer = await sink.send(message, asked, "whsec_c2VjcmV0")
    assert isinstance(answer, Rejected)
    assert answer.reason
    await sink.close()
    await sink.close()


def test_documents_of_one_name_do_not_get_into_each_others_way() -> None:
    assert len({sink.form.extension for sink in DOCUMENTS}) == len(DOCUMENTS)
    assert all(SINKS[sink.name] is sink for sink in DOCUMENTS)


def test_the_message_of_an_alert_has_its_key_and_time() -> None:
    told = of_alert(alert(1, 3), subscription())
    assert told == Message(f"{alert(1).id}/3/desk", "alert", alert(1, 3).at, (alert(1, 3),))


def test_the_idempotency_key_names_alert_revision_and_subscription() -> None:
    assert idempotency_key(alert(1, 3), subscription()) == f"{alert(1).id}/3/desk"


@pytest.mark.parametrize(
    ("asked", "raised", "expected"),
    [
        pytest.param({}, {}, True, id="everything is wanted"),
        pytest.param({"units": ("AF-KAN",)}, {}, True, id="a province"),
        pytest.param({"units": ("AF-HEL",)}, {}, False, id="not another province"),
        pytest.param({"units": ("AFG",)}, {}, True, id="a country stands for its provinces"),
        pytest.param({"units": ("AF-KAN",)}, {"unit": "AFG"}, False, id="not the other way"),
        pytest.param({"units": ("PAK",)}, {"unit": "AF-NAN~PK-KP"}, True, id="and for its borders"),
        pytest.param({"units": ("PAK",)}, {"unit": "IND~PAK"}, True, id="and for its relations"),
        pytest.param({"units": ("AFG",)}, {"unit": "IND~PAK"}, False, id="not for others'"),
        pytest.param({"units": ("PAK",)}, {"unit": "ttp"}, False, id="a group is no place"),
        pytest.param({"units": ("ttp",)}, {"unit": "ttp"}, True, id="a group by its id"),
        pytest.param(
            {"units": ("AFG",)}, {"unit": "unplaced"}, False, id="the unplaced is nobody's"
        ),
        pytest.param({"signals": ("x",)}, {}, False, id="not another signal"),
        pytest.param({"signals": ("S2",)}, {"signal": "S2"}, True, id="what it is called after"),
        pytest.param(
            {"signals": ("S14",)}, {"signal": "S1", "parts": PARTS}, True, id="any part of it"
        ),
        pytest.param(
            {"signals": ("S2", "S14")}, {"signal": "S1", "parts": PARTS}, True, id="one of two"
        ),
        pytest.param(
            {"signals": ("S10",)},
            {"signal": "S1", "parts": PARTS},
            False,
            id="not what adds next to nothing",
        ),
        pytest.param(
            {"signals": ("S4",)}, {"signal": "S1", "parts": PARTS}, False, id="S4 is not in S14"
        ),
        pytest.param({"unplaced": True}, {"unit": "unplaced"}, True, id="unless asked for"),
        pytest.param({"minimum_probability": 0.34}, {}, True, id="as probable as asked"),
        pytest.param({"minimum_probability": 0.35}, {}, False, id="not probable enough"),
        pytest.param({"directions": ("rise",)}, {}, True, id="a rise"),
        pytest.param({"directions": ("fall",)}, {}, False, id="not a fall"),
        pytest.param({"minimum_severity": "warning"}, {}, True, id="as severe as asked"),
        pytest.param({"minimum_severity": "critical"}, {}, False, id="not severe enough"),
    ],
)
def test_a_subscription_wants(
    asked: dict[str, Any], raised: dict[str, Any], expected: bool
) -> None:
    assert wants(subscription(**asked), alert(1, 0, **raised)) is expected
