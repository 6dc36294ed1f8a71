"""The alert stage's edge: bytes in, alerts and dead letters out, one checkpoint."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Struct
from prometheus_client import CollectorRegistry

from detectors.alerting import Policy
from detectors.records import Alert, Command, Record, Score, Tick
from detectors.timegrid import Grid
from streams import topics
from streams.agents.alert import AlertCore, new_core
from streams.agents.deadletters import headers_of
from streams.agents.stage import MARK, Output
from streams.codecs import decoder, encode
from streams.metrics import build_metrics
from tests.core_records import clock, score, tick

LAYOUT = topics.Layout(partitions=2)
ALERT = "S1-rise-AF-KAN-20240101T010000Z"


class Raw(Struct):
    """A record as the transport hands it over."""

    offset: int
    value: bytes
    key: bytes | None = None


def _core() -> AlertCore:
    return new_core(LAYOUT, Grid(), Policy(), build_metrics(CollectorRegistry()))(1)


def _take(core: AlertCore, *records: Record, first: int = 0) -> list[Output]:
    return core.take([Raw(first + n, encode(each)) for n, each in enumerate(records)])


def _opened() -> list[Score | Tick]:
    given = score(clock(0, 1), 30.0)
    return [given, tick(given.at)]


def test_an_act_that_cannot_be_done_is_a_dead_letter_with_its_reason() -> None:
    command = Command("c-1", "no-such-alert", "acknowledge", clock(0, 2), "desk")
    outputs = _take(_core(), *_opened(), command, tick(clock(0, 3)))
    (letter,) = [each for each in outputs if each.topic == LAYOUT.name(topics.DEAD_LETTERS)]
    assert decoder(Command)(letter.value) == command
    assert letter.key == b"no-such-alert"
    told = headers_of(letter.headers)
    assert told == {
        "reason": "act_refused",
        "detail": "no alert of this id lives, or ended in the last 30 days",
        "stage": "alert",
        "topic": LAYOUT.name(topics.SCORES),
        "partition": "1",
        "offset": "2",
    }


def test_an_act_that_is_done_is_a_revision() -> None:
    command = Command("c-1", ALERT, "dispute", clock(0, 2), "desk", note="an old report")
    outputs = _take(_core(), *_opened(), command, tick(clock(0, 3)))
    assert {each.topic for each in outputs} == {LAYOUT.name(topics.ALERTS)}
    alerts = [decoder(Alert)(each.value) for each in outputs]
    assert [a.changed for a in alerts] == ["opened", "disputed by desk: an old report"]


def test_the_checkpoint_is_one_state() -> None:
    core = _core()
    command = Command("c-1", ALERT, "acknowledge", clock(0, 2), "desk")
    _take(core, *_opened(), command)  # its step is not over: it is read again
    states, mark = core.checkpoint()
    assert states == []
    again = _core()
    assert again.restore({MARK: mark}) == 2
    outputs = _take(again, command, tick(clock(0, 3)), first=2)
    (alert,) = [decoder(Alert)(each.value) for each in outputs]
    assert (alert.revision, alert.acknowledged_by) == (1, "desk")
    assert msgspec.json.decode(again.checkpoint()[1])["offset"] == 3


def test_a_checkpoint_of_the_version_before_is_refused_with_the_way_on() -> None:
    mark = b'{"version":"desk@2","offset":7,"closed":60}'
    with pytest.raises(ValueError, match="start from a replay"):
        _core().restore({MARK: mark, b"S0": b'{"version":"desk@2"}'})
