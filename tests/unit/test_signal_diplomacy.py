"""S15: the balance of acts of conflict and of co-operation between two states."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.incident_log import IncidentLog
from detectors.ledger import can_settle
from detectors.records import Event, EventType
from detectors.series import SERIES_DAYS
from detectors.signals.diplomacy import Balance, Diplomacy, act, shift
from detectors.signals.scored import SUSPECT
from detectors.timegrid import seconds
from tests.core_records import event, town
from tests.signal_records import FIRST, run

SIGNAL = Diplomacy()
DYAD = "AFG~PAK"


def _act(day: int, type: EventType, *themes: str, **changes: Any) -> Event:
    """Return an act of the two states."""
    base = event(
        f"{type}-{'-'.join(themes)}-{day}/0",
        day,
        unit=DYAD,
        event=type,
        themes=themes,
        actors=("pak-government", "taliban"),
        place=town("Kabul", "AF-KAB"),
    )
    return msgspec.structs.replace(base, **changes)


def _usual(days: int) -> list[Event]:
    """Return talks each five days and a rejection each ten."""
    talks = [_act(day, "CONSULT") for day in range(1, days, 5)]
    return talks + [_act(day, "REJECT") for day in range(3, days, 10)]


RUPTURE = [
    _act(121, "SANCTION", "envoy_recalled"),
    _act(122, "THREATEN"),
    _act(123, "SANCTION", "visas_suspended"),
    _act(125, "REJECT", "talks_failed"),
    _act(126, "ACCUSE", "demarche"),
    _act(127, "SANCTION", "flights_suspended"),
]
REPAIR = [
    _act(121, "RETREAT", "envoy_returned"),
    _act(122, "CONSULT", "talks_opened"),
    _act(123, "AGREE", "agreement_signed"),
    _act(124, "RETREAT", "flights_resumed"),
    _act(125, "SUPPORT", "recognition"),
    _act(126, "AGREE"),
    _act(127, "COOPERATE"),
]


def _run(events: list[Event], days: int, **changes: Any) -> Any:
    return run(SIGNAL, events, days, unit=DYAD, **changes)


def test_a_rupture_is_a_rise_with_its_acts_and_a_claim() -> None:
    found = _run(_usual(120) + RUPTURE, 130)
    strengths = found.strengths(110, 129)
    assert max(strengths[:10]) < 1.0
    assert next(110 + n for n, each in enumerate(strengths) if each >= SUSPECT) <= 126
    last = found.on(128)
    assert found.on(128, "fall").strength == 0.0
    assert last.claim is not None
    assert can_settle(last.claim.resolver, {SIGNAL.indicator}, series_days=SERIES_DAYS)
    assert last.claim.probability > last.claim.base_rate
    assert "6 acts of conflict" in last.reason
    assert "envoy_recalled" in {theme for ref in last.evidence for theme in ref.themes}


def test_a_repair_is_a_fall() -> None:
    quarrels = [_act(day, "ACCUSE") for day in range(1, 120, 4)]
    talks = [_act(day, "CONSULT") for day in range(2, 120, 20)]
    found = _run(quarrels + talks + REPAIR, 130)
    assert max(found.strengths(60, 119, "fall")) < 1.0
    assert found.on(128, "fall").strength >= SUSPECT
    assert found.on(128).strength == 0.0
    assert "of co-operation are usual" in found.on(128, "fall").reason


def test_more_of_everything_is_neither() -> None:
    both = [_act(day, type) for day in range(120, 135) for type in ("CONSULT", "REJECT")]
    found = _run(_usual(120) + both, 135)
    assert max(found.strengths(120, 134)) < SUSPECT
    assert max(found.strengths(120, 134, "fall")) < SUSPECT


def test_one_act_makes_no_rupture() -> None:
    found = _run(_usual(120) + RUPTURE[:1], 130)
    assert max(found.strengths(110, 129)) < 1.0


def test_it_closes_when_acts_are_as_before() -> None:
    later = [each for each in _usual(200) if each.seen_at.month >= 6]
    found = _run(_usual(120) + RUPTURE + later, 190)
    assert found.on(127).strength >= SUSPECT
    assert found.on(189).strength < 1.0


@pytest.mark.parametrize(
    ("type", "themes", "expected"),
    [
        ("CONSULT", ("talks_failed",), 1),
        ("REJECT", ("agreement_signed",), -1),
        ("REJECT", ("agreement_signed", "talks_failed"), 0),
        ("ASSAULT", ("border_fire",), 0),
        ("THREATEN", (), 1),
        ("AGREE", (), -1),
        ("PROTEST", (), 0),
    ],
)
def test_themes_go_before_types(type: EventType, themes: tuple[str, ...], expected: int) -> None:
    told = _act(1, type, *themes)
    (incident,) = IncidentLog().take(told, seconds(told.seen_at)).new
    assert act(incident) == expected


def test_in_the_dark_both_directions_are_unknown() -> None:
    found = _run(_usual(60), 60, coverage={50: "dark", 55: "thin"})
    for direction in ("rise", "fall"):
        assert found.on(50, direction).state == "unknown"
        assert found.on(55, direction).state == "scored"


def test_nothing_at_all_says_nothing() -> None:
    found = _run([], 90)
    assert set(found.strengths(20, 89)) == set(found.strengths(20, 89, "fall")) == {0.0}


def test_a_checkpoint_changes_nothing_and_a_busy_year_stays_small() -> None:
    types: tuple[EventType, ...] = ("CONSULT", "REJECT", "THREATEN", "AGREE")
    busy = [_act(day, type) for day in range(365) for type in types]
    kept, restarted = _run(busy, 365), _run(busy, 365, restart=True)
    assert kept.halves == restarted.halves
    assert len(msgspec.json.encode(kept.state)) < 8192


@given(st.integers(0, 20), st.integers(0, 20), st.floats(0.5, 50), st.floats(0.5, 50))
def test_each_act_more_speaks_for_its_own_side(
    acts: int, rivals: int, conflict: float, cooperation: float
) -> None:
    level = (conflict, cooperation)
    assert shift(acts + 1, 0, level) >= shift(acts, 0, level)
    assert shift(0, rivals, level) <= 0.0 <= shift(acts, 0, level)


@given(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 4), st.integers(0, 4)), max_size=20))
def test_the_two_directions_mirror_each_other(days: list[tuple[int, int, int]]) -> None:
    one, other = Balance(), Balance()
    for balance in (one, other):
        balance.fold(FIRST)
    for day, conflict, cooperation in days:
        one.put(FIRST + day, conflict, cooperation)
        other.put(FIRST + day, cooperation, conflict)
    assert one.change(FIRST + 29, "rise") == other.change(FIRST + 29, "fall")
