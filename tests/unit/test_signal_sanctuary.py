"""S6: who says that a group shelters somewhere, how many sides of them, and what that moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.ledger import can_settle
from detectors.records import Event, Voice
from detectors.series import SERIES_DAYS
from detectors.signals.sanctuary import (
    ALLEGED,
    DENIED,
    JUMP,
    PRIOR_SHARE,
    Belief,
    SanctuaryPressure,
)
from tests.core_records import event, town
from tests.signal_records import Run, run

STRONG = 2.0  # nats
SIGNAL = SanctuaryPressure()
PLACE = town("Khost", "AF-KHO")


def _said(
    on: int,
    voice: Voice,
    publisher: str = "wire",
    *,
    theme: str = ALLEGED,
    actors: Sequence[str] = ("ttp",),
    number: int = 0,
) -> Event:
    return event(
        f"{publisher}-{on}-{voice}-{number}/0",
        on,
        unit="AF-KHO",
        event="ACCUSE" if theme == ALLEGED else "REJECT",
        mode="allege" if theme == ALLEGED else None,
        themes=(theme,),
        publisher=publisher,
        source=publisher,
        voices=(voice,),
        actors=tuple(actors),
        place=PLACE,
    )


def _run(events: Sequence[Event], days: int = 60, **changes: Any) -> Run:
    return run(SIGNAL, events, days, unit="AF-KHO", **changes)


SEVERAL = [
    _said(40, "pak-authorities", "wire"),
    _said(40, "pak-authorities", "post"),
    _said(43, "un", "wire"),
    _said(43, "un", "post"),
    _said(45, "independent", "review"),
    _said(45, "independent", "herald"),
]


def test_several_sides_move_the_belief() -> None:
    found = _run(SEVERAL)
    assert found.strengths(25, 42) == [0.0] * 18  # one side alone, so far
    score = found.on(45)
    assert (score.strength or 0) >= STRONG
    assert "Pakistani authorities" in score.reason
    assert "the UN" in score.reason
    assert "is asserted by" in score.reason
    assert "not judged" in score.reason
    assert {ref.day.day for ref in score.evidence} == {10, 13, 15}  # of February
    claim = score.claim
    assert claim is not None
    assert claim.resolver.indicator == SIGNAL.indicator
    assert can_settle(claim.resolver, {SIGNAL.indicator}, series_days=SERIES_DAYS)
    assert 0.0 < claim.base_rate < claim.probability < 1.0


def test_one_side_that_repeats_itself_moves_little() -> None:
    events = [
        _said(on, "pak-authorities", name) for on in range(20, 58, 2) for name in ("wire", "post")
    ]
    found = _run(events)
    assert found.strengths(15, 59) == [0.0] * 45
    mean, _ = found.state.beliefs["ttp@AF-KHO"].now
    assert mean - PRIOR_SHARE < JUMP


def test_reprints_are_one_witness() -> None:
    texts = [msgspec.structs.replace(e, wire="agency") for e in SEVERAL]
    assert (_run(texts).on(45).strength or 0) < (_run(SEVERAL).on(45).strength or 0)


def test_denials_hold_the_belief_back() -> None:
    denied = [
        _said(on, voice, name, theme=DENIED)
        for on in (41, 42, 44)
        for voice in ("afg-authorities", "foreign-authorities")
        for name in ("wire", "post")
    ]
    assert (_run([*SEVERAL, *denied]).on(45).strength or 0) < (_run(SEVERAL).on(45).strength or 0)


def test_both_directions_count_alike() -> None:
    swapped = {"pak-authorities": "afg-authorities"}
    other = [
        msgspec.structs.replace(
            e,
            unit="PK-KP",
            place=town("Bannu", "PK-KP"),
            voices=tuple(swapped.get(v, v) for v in e.voices),
            actors=("iskp",),
        )
        for e in SEVERAL
    ]
    there = run(SIGNAL, other, 60, unit="PK-KP", country="PAK")
    assert there.on(45).strength == _run(SEVERAL).on(45).strength
    assert "Afghan authorities" in there.on(45).reason


def test_the_relations_of_two_states_tell_whose_soil() -> None:
    events = [msgspec.structs.replace(e, unit="AFG~PAK") for e in SEVERAL]
    found = run(SIGNAL, events, 60, unit="AFG~PAK")
    assert set(found.state.beliefs) == {"ttp@AFG"}
    assert "shelters in Afghanistan" in found.on(45).reason


def test_only_armed_groups_shelter() -> None:
    """The Taliban have governed since August 2021: named beside a group, they are no group."""
    events = [msgspec.structs.replace(e, actors=("pak-military", "taliban")) for e in SEVERAL]
    assert not _run(events).state.beliefs


def test_dark_days_are_unknown_and_do_not_forget() -> None:
    found = _run(SEVERAL, coverage=dict.fromkeys(range(46, 50), "dark"))
    for day in range(46, 50):
        assert found.on(day).state == "unknown"
        assert (found.on(day).strength, found.on(day).claim) == (None, None)
    assert (found.on(50).strength or 0) > 1.0


def test_a_jump_is_over_when_it_is_what_was_before() -> None:
    found = _run(SEVERAL, 100)
    assert found.on(80).strength == 0.0
    mean = found.state.beliefs["ttp@AF-KHO"].now[0]
    assert mean > PRIOR_SHARE + 0.1  # the belief itself decays over 180 days


def test_silence_says_nothing() -> None:
    found = _run([], 40)
    assert found.strengths(25, 39) == [0.0] * 15
    assert found.on(39).usual is not None
    assert found.on(10).state == "learning"


def test_a_state_goes_on_from_a_checkpoint_and_stays_small() -> None:
    groups = ("ttp", "iskp", "bla", "al-qaida", "etim", "imu", "nrf", "aff")
    busy = [
        _said(on, voice, name, actors=(groups[on % 8],))
        for on in range(0, 120)
        for voice in ("pak-authorities", "un", "militant")
        for name in ("wire", "post")
    ]
    kept, again = _run(busy, 120), _run(busy, 120, restart=True)
    assert msgspec.json.encode(kept.halves) == msgspec.json.encode(again.halves)
    assert len(msgspec.json.encode(kept.state)) <= 8_192


@settings(max_examples=60)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from((ALLEGED, DENIED)), st.sampled_from(("un", "militant")))
        ),
        max_size=40,
    )
)
def test_a_belief_stays_a_share(days: list[list[tuple[str, str]]]) -> None:
    belief = Belief()
    for day, said in enumerate(days):
        belief.pass_day(((theme, side, 0.5) for theme, side in said), day)
        mean, size = belief.now
        assert 0.0 < mean < 1.0
        assert 0.0 < belief.mean < 1.0
        assert size >= 4.0
        assert belief.strength(day) >= 0.0


@given(st.integers(1, 50))
def test_one_side_alone_has_no_strength(times: int) -> None:
    belief = Belief()
    belief.pass_day([(ALLEGED, "un", 1.0)] * times, 0)
    assert belief.strength(0) == 0.0
