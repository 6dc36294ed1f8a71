"""S5: which crossings are closed, how surely, and fire and expulsions at a border."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.incidents import Incident
from detectors.ledger import can_settle
from detectors.linkage import Told
from detectors.records import Event
from detectors.series import SERIES_DAYS
from detectors.signals.border_friction import BorderFriction
from detectors.signals.crossings import CLOSED, OPENED, Gate, Pace, at, crossings_of, news, paces
from detectors.world.border import CROSSINGS
from detectors.world.units import of_kind
from tests.core_records import day, event, town
from tests.signal_records import Run, run

STRONG = 2.0  # nats
SIGNAL = BorderFriction()
UNIT = "AF-NAN~PK-KP"
TORKHAM = town("Torkham", "AF-NAN")


def _told(on: int, theme: str, publisher: str = "wire", number: int = 0, **changes: Any) -> Event:
    types = {CLOSED: "COERCE", OPENED: "CONCEDE", "border_fire": "ASSAULT", "deportation": "COERCE"}
    base = event(
        f"{publisher}-{on}-{theme}-{number}/0",
        on,
        unit=UNIT,
        event=types[theme],
        themes=(theme,),
        publisher=publisher,
        source=publisher,
        place=TORKHAM,
    )
    return msgspec.structs.replace(base, **changes)


def _both(on: int, theme: str, **changes: Any) -> list[Event]:
    return [_told(on, theme, name, **changes) for name in ("wire", "post")]


def _run(events: Sequence[Event], days: int = 60, **changes: Any) -> Run:
    return run(SIGNAL, events, days, **{"unit": UNIT, **changes})


def _closure(first: int, last: int, every: int = 4) -> list[Event]:
    """Return a closure that is told of now and then, and its end."""
    told = [e for on in range(first, last, every) for e in _both(on, CLOSED)]
    return [*told, *_both(last, OPENED)]


def test_a_closure_is_a_rise_and_an_opening_a_fall() -> None:
    found = _run(_closure(30, 56), 75)
    assert max(found.strengths(20, 29)) == 0.0
    score = found.on(30)
    assert (score.strength or 0) > 1.0
    assert f"Torkham probably closed since {day(30)}" in score.reason
    assert (found.on(36).strength or 0) >= STRONG  # it is confirmed
    assert (found.on(55).strength or 0) > (found.on(36).strength or 0)  # and lasts
    assert found.on(55).reason.startswith("Torkham probably closed since")
    assert (found.on(56, "fall").strength or 0) > 1.5
    assert (
        f"Torkham probably open again since {day(56)} after 26 days" in found.on(56, "fall").reason
    )
    assert "probably closed" not in found.on(57).reason
    assert "open again" not in found.on(64, "fall").reason  # told for a week


def test_a_claim_can_be_settled() -> None:
    found = _run(_closure(30, 56), 75)
    rise, fall = found.on(45).claim, found.on(62, "fall").claim
    assert rise is not None
    assert fall is not None
    for claim in (rise, fall):
        assert claim.resolver.indicator == "friction_incidents"
        assert can_settle(claim.resolver, {SIGNAL.indicator}, series_days=SERIES_DAYS)
        assert 0.0 < claim.base_rate < claim.probability < 1.0
    assert rise.resolver.comparison == "at_least"
    assert fall.resolver.comparison == "at_most"


def test_an_open_border_is_silent() -> None:
    found = _run(_both(30, OPENED), 60)
    assert found.strengths(20, 59) == [0.0] * 40
    assert max(found.strengths(20, 59, "fall")) < STRONG


def test_fire_adds_to_a_closure() -> None:
    fire = [e for on in (40, 41, 42) for n in (0, 1) for e in _fire(on, n)]
    with_fire = _run([*_closure(38, 80), *fire])
    assert (with_fire.on(42).strength or 0) > (_run(_closure(38, 80)).on(42).strength or 0) + 1.0
    assert (_run(fire).on(42).strength or 0) > 1.0


def _fire(on: int, number: int) -> list[Event]:
    place = town(("Torkham", "Lal Pur")[number], "AF-NAN")
    modes = ("firearms", "heavy-weapons")
    return [
        _told(on, "border_fire", name, number, place=place, mode=modes[number])
        for name in ("wire", "post")
    ]


def test_a_reprint_makes_it_no_surer() -> None:
    one, two = [_told(30, CLOSED)], _both(30, CLOSED)
    reprinted = [two[0], msgspec.structs.replace(two[1], wire="wire")]
    assert _run(reprinted).on(31).strength == _run(one).on(31).strength
    assert (_run(two).on(31).strength or 0) > (_run(one).on(31).strength or 0)


def test_in_the_dark_nothing_is_said_and_belief_drifts() -> None:
    dark = _run(_both(30, CLOSED), coverage=dict.fromkeys(range(34, 55), "dark"))
    clear = _run(_both(30, CLOSED))
    for each in range(34, 55):
        for score in dark.halves[2 * each]:
            assert (score.state, score.strength, score.p, score.claim) == (
                "unknown",
                None,
                None,
                None,
            )
    assert dark.state.gates["torkham"].closed < clear.state.gates["torkham"].closed
    assert day(40) in dark.on(56).dark_days


def test_silence_about_a_closed_crossing_is_no_opening() -> None:
    """It would have been told. There is no fall, only a belief that fades."""
    found = _run(_both(30, CLOSED), 100)
    assert "Torkham probably closed" in found.on(36).reason
    assert "Torkham" not in found.on(80).reason
    assert not any("open again" in found.on(each, "fall").reason for each in range(30, 100))


def test_the_relations_of_two_states_know_all_crossings() -> None:
    events = [msgspec.structs.replace(e, unit="AFG~PAK") for e in _both(30, CLOSED)]
    chaman = [
        msgspec.structs.replace(e, place=town("Spin Boldak", "AF-KAN"))
        for e in _both(30, CLOSED, number=1, unit="AFG~PAK")
    ]
    found = _run([*events, *chaman], unit="AFG~PAK")
    assert "and 1 more probably closed" in found.on(31).reason
    assert len(msgspec.json.encode(found.state)) <= 8_192


def test_other_states_have_counts_only() -> None:
    fire = [
        msgspec.structs.replace(e, unit="AFG~IRN", place=town("Islam Qala", "AF-HER"))
        for on in range(40, 44)
        for e in _both(on, "border_fire", mode="firearms")
    ]
    found = _run(fire, unit="AFG~IRN")
    assert found.state.gates == {}
    assert (found.on(43).strength or 0) > 0.0


def test_a_state_goes_on_from_a_checkpoint_and_stays_small() -> None:
    busy = [e for first in range(10, 150, 30) for e in _closure(first, first + 12, 2)]
    busy += [e for on in range(0, 150, 3) for e in _both(on, "deportation")]
    kept, again = _run(busy, 160), _run(busy, 160, restart=True)
    assert msgspec.json.encode(kept.halves) == msgspec.json.encode(again.halves)
    assert len(msgspec.json.encode(kept.state)) <= 8_192


def test_every_border_has_its_crossings_and_every_crossing_a_pace() -> None:
    assert set(paces()) == set(CROSSINGS)
    of_borders = [id for unit in of_kind("border") for id in crossings_of(unit.code)]
    assert sorted(of_borders) == sorted(CROSSINGS)
    assert all(0.0 < pace.share < 0.5 for pace in paces().values())


def _incident(*themes: str, place: str = "Torkham", seen: int = 0, families: int = 2) -> Incident:
    told = [Told(f"{seen}-{n}/0", seen, 0, 0, f"p{n}", f"p{n}", "AF-NAN") for n in range(families)]
    return Incident(
        id=f"i-{seen}", day=0, filed=0, last=0, first_seen=seen, admin1="AF-NAN", place=place,
        told=told, themes=themes,
    )  # fmt: skip


def test_the_later_news_of_a_day_counts() -> None:
    among = crossings_of(UNIT)
    closed, opened = _incident(CLOSED, seen=1), _incident(OPENED, seen=2)
    assert news([opened, closed], among)["torkham"] < 0.0
    assert news([closed], among)["torkham"] > 0.0
    assert news([_incident(CLOSED, OPENED)], among) == {}


def test_news_of_the_border_as_a_whole_say_less() -> None:
    among = crossings_of(UNIT)
    assert news([_incident(CLOSED, place="")], among)["torkham"] > 0
    whole, named = news([_incident(CLOSED, place="")], among), news([_incident(CLOSED)], among)
    assert whole["torkham"] < named["torkham"]
    assert set(whole) == {"torkham"}  # only the official crossings


@pytest.mark.parametrize(
    ("place", "unit", "id"),
    [
        ("Torkham", "PK-KP", "torkham"),
        ("Chaman", "PK-BA", "chaman"),
        ("Spin Boldak", "AF-KAN", "chaman"),
        ("Ghulam Khan", "PK-KP", "ghulam-khan"),
        ("Kharlachi", "PK-KP", "kharlachi"),
    ],
)
def test_crossings_are_known_by_the_names_of_both_sides(place: str, unit: str, id: str) -> None:
    assert at(place, unit, CROSSINGS) == (id,)


@given(
    st.lists(st.tuples(st.floats(-7, 7), st.booleans()), max_size=120),
    st.floats(0.1, 12),
    st.floats(0.0, 0.95),
)
def test_a_belief_stays_a_probability(
    days: list[tuple[float, bool]], closings: float, told: float
) -> None:
    pace = Pace(closings, 6.0, told, 0.1)
    gate = Gate(pace.share)
    for number, (nats, covered) in enumerate(days, start=1):
        gate.pass_day(pace, number, nats, covered=covered)
        assert 0.0 < gate.closed < 1.0
        assert 0.0 < gate.usual(pace) < 1.0
        assert 0.0 <= gate.closure(pace, number) < 20.0
        assert 0.0 <= gate.opening(pace, number, within=7) < 20.0
