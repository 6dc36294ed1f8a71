"""S12: new accusers count, not how often they accuse."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detectors.ledger import can_settle
from detectors.records import Event
from detectors.series import SERIES_DAYS
from detectors.signals.complicity import NEW_AFTER, Complicity
from detectors.signals.scored import SUSPECT
from tests.core_records import event, town
from tests.signal_records import run

SIGNAL = Complicity()
DYAD = "AFG~PAK"


def _says(family: str, day: int, **changes: Any) -> Event:
    """Return an allegation that a family tells."""
    base = event(
        f"{family}-{day}/0",
        day,
        unit=DYAD,
        event="ACCUSE",
        mode="allege",
        themes=("complicity_alleged",),
        publisher=family,
        source=family,
        actors=("pak-isi", "ttp"),
        place=town("Kabul", "AF-KAB"),
    )
    return msgspec.structs.replace(base, **changes)


#: One outlet that accuses every fortnight.
HABIT = [_says("habitual", day) for day in range(5, 200, 14)]
#: New accusers in a fortnight, two of them states.
CHORUS = [
    _says("north", 150),
    _says("south", 153, voices=("pak-authorities",)),
    _says("east", 156),
    _says("west", 159, voices=("un",)),
]


def _run(events: list[Event], days: int, **changes: Any) -> Any:
    return run(SIGNAL, events, days, unit=DYAD, **changes)


def test_new_accusers_are_remarkable_and_the_reason_tells_who() -> None:
    found = _run(HABIT + CHORUS, 165)
    strengths = found.strengths(140, 164)
    assert max(strengths[:10]) < 1.0
    assert next(140 + n for n, each in enumerate(strengths) if each >= SUSPECT) <= 156
    last = found.on(160)
    assert "4 publishers and 2 sides" in last.reason
    assert "pak-authorities, un" in last.reason
    assert last.claim is not None
    assert can_settle(last.claim.resolver, {SIGNAL.indicator}, series_days=SERIES_DAYS)
    assert {name for ref in last.evidence for name in ref.publishers} >= {"north", "west"}


def test_an_old_accuser_who_accuses_daily_is_no_news() -> None:
    daily = [_says("habitual", day) for day in range(150, 165)]
    found = _run(HABIT + daily, 165)
    assert max(found.strengths(60, 164)) < 0.5
    assert sum(found.on(164).daily) > 10


def test_many_copies_of_one_allegation_are_one_accuser_and_little_more() -> None:
    copies = [_says(f"copy{n}", 150, wire="agency") for n in range(12)]
    told = [_says(f"outlet{n}", 150) for n in range(12)]
    reprinted, retold = _run(HABIT + copies, 152), _run(HABIT + told, 152)
    assert reprinted.on(151).strength < 1.0
    assert retold.on(151).strength < SUSPECT


def test_after_half_a_year_of_silence_an_accuser_is_new_again() -> None:
    days = 40 + NEW_AFTER + 60
    again = [_says("north", 40), _says("north", 45), _says("north", days - 10)]
    soon = [_says("north", 40), _says("north", 150), _says("north", days - 10)]
    new, known = _run(again, days), _run(soon, days)
    assert new.on(days - 1).strength > 0.0
    assert known.on(days - 1).strength == 0.0


def test_a_formal_complaint_weighs_more_than_a_statement() -> None:
    said = [_says("north", 150, voices=("pak-authorities",))]
    formal = [
        msgspec.structs.replace(each, themes=("complicity_alleged", "demarche")) for each in said
    ]
    assert _run(HABIT + formal, 152).on(151).strength > _run(HABIT + said, 152).on(151).strength


def test_what_is_withdrawn_is_no_accusation() -> None:
    back = _says("north", 151, statement="retraction", id="north-151/1")
    taken_back = _run([*HABIT, _says("north", 151), back], 156)
    assert taken_back.on(155).strength == 0.0


@pytest.mark.parametrize("coverage", ["thin", "dark"])
def test_coverage_that_is_lost_teaches_nothing(coverage: Any) -> None:
    lost = dict.fromkeys(range(100, 130), coverage)
    found = _run(HABIT, 140, coverage=lost)
    assert found.on(110).state == ("unknown" if coverage == "dark" else "scored")
    assert found.on(139).state == "scored"
    assert len(found.on(139).dark_days) == 18


def test_it_falls_back_when_nobody_new_accuses() -> None:
    found = _run(HABIT + CHORUS, 200)
    assert found.on(160).strength > SUSPECT
    assert found.on(199).strength == 0.0


def test_nothing_at_all_says_nothing() -> None:
    found = _run([], 90)
    assert set(found.strengths(35, 89)) == {0.0}
    assert found.on(20).state == "learning"


def test_a_checkpoint_changes_nothing_and_a_busy_year_stays_small() -> None:
    busy = [_says(f"family{(day * n) % 60}", day) for day in range(365) for n in (1, 7)]
    kept, restarted = _run(busy, 365), _run(busy, 365, restart=True)
    assert kept.halves == restarted.halves
    assert len(msgspec.json.encode(kept.state)) < 8192
