"""S9: strain inside the governing organisation, by its weight and not its number."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.ledger import can_settle
from detectors.records import Event, EventType, Score
from detectors.series import SERIES_DAYS
from detectors.signals.cohesion import RegimeCohesion, kinds
from detectors.signals.pressure import Pressure, surprises
from detectors.signals.scored import SUSPECT
from tests.core_records import event, town
from tests.signal_records import FIRST, run

SIGNAL = RegimeCohesion()
TYPES: dict[str, EventType] = {"resignation": "RETREAT", "public_rebuke": "ACCUSE"}


def _strain(kind: str, day: int, witnesses: int = 2, **changes: Any) -> list[Event]:
    """Return a strain event of the de facto authorities, told by some families."""
    told = {"unit": "AFG", "actors": ("taliban",), "place": town("Kabul", "AF-KAB"), **changes}
    return [
        event(
            f"{family}-{kind}-{day}/0",
            day,
            event=TYPES.get(kind, "RETREAT"),
            themes=(f"strain_{kind}",),
            publisher=family,
            source=family,
            **told,
        )
        for family in ("wire", "post", "radio")[:witnesses]
    ]


def _usual(days: int) -> list[Event]:
    """Return a dismissal each 25 days."""
    return [each for day in range(10, days, 25) for each in _strain("dismissal", day)]


def _run(events: list[Event], days: int, **changes: Any) -> Any:
    return run(SIGNAL, events, days, unit="AFG", **changes)


#: A month in which a decree is ignored and reversed, officials resign, rebuke and contradict.
CRISIS = [
    each
    for day, kind in [
        (152, "edict_ignored"), (155, "public_rebuke"), (158, "resignation"),
        (161, "rival_decrees"), (164, "edict_reversed"), (167, "absence"),
    ]
    for each in _strain(kind, day)
]  # fmt: skip


def test_a_month_of_rare_signs_of_strain_is_remarkable_and_claims_more() -> None:
    found = _run(_usual(150) + CRISIS, 170)
    strengths = found.strengths(150, 169)
    assert strengths[1] < 1.0
    assert next(150 + n for n, each in enumerate(strengths) if each >= SUSPECT) <= 161
    last: Score = found.on(168)
    assert last.claim is not None
    assert last.claim.probability > last.claim.base_rate
    assert can_settle(last.claim.resolver, {SIGNAL.indicator}, series_days=SERIES_DAYS)
    assert "1 public rebuke" in last.reason
    assert "two witnesses or sides" in last.reason
    assert sum(last.daily) == 6
    assert sum("strain_edict_reversed" in ref.themes for ref in last.evidence) == 1


def test_what_is_usual_is_silent() -> None:
    found = _run(_usual(300), 300)
    assert max(found.strengths(40, 299)) < 1.0


def test_rare_kinds_weigh_more_than_usual_ones() -> None:
    usual = [each for day in (152, 155, 158, 161, 164, 167) for each in _strain("dismissal", day)]
    crisis, dismissals = _run(_usual(150) + CRISIS, 170), _run(_usual(150) + usual, 170)
    assert crisis.on(169).strength > dismissals.on(169).strength


def test_a_single_witness_counts_half_and_a_second_side_makes_it_whole() -> None:
    alone = [each for each in CRISIS if each.publisher == "wire"]
    cited = [msgspec.structs.replace(each, voices=("un", "afg-authorities")) for each in alone]
    strengths = [_run(_usual(150) + some, 170).on(169).strength for some in (alone, cited, CRISIS)]
    assert strengths[0] < strengths[1]
    assert strengths[1] == strengths[2]


def test_strain_of_armed_groups_is_no_strain_of_the_regime() -> None:
    rebels = [msgspec.structs.replace(each, actors=("ttp",)) for each in CRISIS]
    found = _run(_usual(150) + rebels, 170)
    assert found.on(169).strength < 1.0
    assert not any(found.on(169).daily)


def test_in_the_dark_it_is_unknown_and_nothing_is_learned() -> None:
    dark = dict.fromkeys(range(100, 120), "dark")
    found = _run(_usual(170), 130, coverage=dark)
    assert found.on(110).state == "unknown"
    assert (found.on(110).strength, found.on(110).p, found.on(110).claim) == (None, None, None)
    assert found.on(125).state == "scored"
    assert len(found.on(125).dark_days) == 20


def test_it_learns_for_a_month_before_it_speaks() -> None:
    found = _run(CRISIS, 60)
    assert found.on(29).state == "learning"
    assert found.on(50).state == "scored"


def test_nothing_at_all_says_nothing() -> None:
    found = _run([], 120)
    assert set(found.strengths(40, 119)) == {0.0}
    assert found.on(119).usual < 0.1


def test_a_checkpoint_changes_nothing_and_a_busy_year_stays_small() -> None:
    busy = [each for day in range(365) for each in _strain(kinds()[day % 10][7:], day)]
    kept, restarted = _run(busy, 365), _run(busy, 365, restart=True)
    assert kept.halves == restarted.halves
    assert len(msgspec.json.encode(kept.state)) < 8192


@given(st.lists(st.tuples(st.integers(0, 80), st.floats(0.1, 3.0)), max_size=20))
def test_more_of_it_today_never_weakens_a_rise(marks: list[tuple[int, float]]) -> None:
    pressure = Pressure()
    pressure.fold(FIRST, 90)
    for day, weight in marks:
        pressure.put(FIRST + day, weight)
    today = FIRST + 89
    before = pressure.rise(today, 90).strength
    pressure.put(today, 2.0)
    assert pressure.rise(today, 90).strength >= before


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(0, 50)))
def test_surprise_is_one_on_average(counts: dict[str, float]) -> None:
    named = tuple("abcd")
    weights = surprises(counts, named, 1.0)
    total = sum(counts.get(kind, 0.0) + 1.0 for kind in named)
    mean = sum(weights[k] * (counts.get(k, 0.0) + 1.0) / total for k in named)
    assert mean == pytest.approx(1.0)
