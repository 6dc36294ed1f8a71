"""S13, sanctions and designations pulse."""

from __future__ import annotations

from datetime import date
from math import exp

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.coding.actors import coded
from detectors.incident_log import IncidentLog
from detectors.incidents import Incident
from detectors.ledger import can_settle
from detectors.listdiff import Entry, Snapshot, changes, record
from detectors.records import Coverage, Event, Interval
from detectors.signals.pulse import Jumps, larger, pulse
from detectors.signals.sanctions import SanctionsPulse
from detectors.timegrid import day_of, seconds
from tests.core_records import clock, day, event
from tests.signal_records import FIRST, Run, run

SIGNAL = SanctionsPulse()
DAYS = 150


def act(
    on: int, *actors: str, theme: str | None = "designation", unit: str = "ttp", **changes: object
) -> Event:
    """Return an act that puts groups on a list, or takes them off."""
    off = theme in ("delisting", "waiver")
    base = event(
        f"{unit}-{theme}-{on}/0",
        on,
        unit=unit,
        event="RETREAT" if off else "SANCTION",
        place=None,
        actors=tuple(sorted(actors or ("ttp",))),
        themes=(theme,) if theme else (),
        language="en",
    )
    return msgspec.structs.replace(base, **changes)


def pulsed(events: list[Event], days: int = DAYS, unit: str = "ttp", **how: object) -> Run:
    return run(SIGNAL, events, days, unit=unit, country="PAK", **how)  # type: ignore[arg-type]


def incident(told: Event) -> Incident:
    (found,) = IncidentLog().take(told, seconds(told.seen_at) + 43_200).new
    return found


@pytest.mark.parametrize(
    ("told", "weight"),
    [
        (act(0), 1),
        (act(0, theme="asset_freeze"), 1),
        (act(0, theme=None), 1),
        (act(0, theme=None, mode="withdraw"), 0),
        (act(0, theme="envoy_recalled"), 0),
        (act(0, theme="delisting"), 0),
        (act(0, "pak-government"), 0),
        (act(0, "pak-government", unit="PAK~USA"), 1),
        (act(0, "pak-government", theme=None, unit="PAK~USA"), 0),
        (act(0, "pak-government", unit="PAK"), 0),
        (act(0, "bla", unit="PAK"), 1),
    ],
)
def test_what_counts(told: Event, weight: int) -> None:
    assert SIGNAL.weight(incident(told)) == weight
    assert SIGNAL.concerns(incident(told)) == (weight == 1 or told.themes == ("delisting",))


def test_a_designation_after_quiet_months_is_a_pulse_and_fades() -> None:
    found = pulsed([act(100)])
    assert found.on(13).state == "learning"
    assert max(found.strengths(30, 99)) < 0.2
    score = found.on(100)
    assert (score.strength or 0.0) > 1.0
    assert score.claim is not None
    assert score.claim.base_rate < score.claim.probability < 0.9
    assert can_settle(score.claim.resolver, (SIGNAL.indicator,), series_days=len(score.daily))
    assert "1 designations in 1 day" in score.reason
    assert [ref.themes for ref in score.evidence] == [("designation",)]
    assert (found.on(121).strength or 0.0) < 0.3


def test_several_at_once_are_stronger_than_one() -> None:
    one = pulsed([act(100)]).on(104).strength or 0.0
    three = pulsed([act(on) for on in (98, 101, 104)]).on(104).strength or 0.0
    assert three > one + 2.0


def test_an_act_that_touches_many_groups_is_stronger() -> None:
    groups = ("bla", "blf", "bra", "ttp", "lashkar-e-jhangvi", "uba")
    one = pulsed([act(100, "bla", unit="PAK")], unit="PAK").on(100)
    many = pulsed([act(100, *groups, unit="PAK")], unit="PAK").on(100)
    assert (many.strength or 0.0) > (one.strength or 0.0) + 1.0
    assert "6 groups touched" in many.reason


def test_what_is_usual_is_silent() -> None:
    often = [act(on, id=f"m{on}/0", report=f"m{on}") for on in range(2, DAYS, 15)]
    found = pulsed(often)
    assert max(found.strengths(100, DAYS - 1)) < 1.5
    assert min(found.on(day).p or 0.0 for day in range(100, DAYS)) > 0.1


def test_a_delisting_is_a_fall_and_no_rise() -> None:
    found = pulsed([act(100, theme="delisting"), act(104, theme="waiver")])
    fall, rise = found.on(104, "fall"), found.on(104)
    assert (fall.strength or 0.0) > 2.0
    assert "2 delistings and waivers" in fall.reason
    assert fall.claim is None
    assert {ref.themes for ref in fall.evidence} == {("delisting",), ("waiver",)}
    assert rise.strength == 0.0
    assert not any(rise.daily)
    assert pulsed([act(100)]).on(101, "fall").strength == 0.0


def test_one_act_told_by_forty_is_one() -> None:
    told = [
        act(100, id=f"c{n}/0", report=f"c{n}", source=f"o{n}", publisher=f"o{n}") for n in range(40)
    ]
    score = pulsed(told).on(101)
    assert sum(score.daily) == 1
    assert score.strength == pulsed(told[:1]).on(101).strength


def test_in_the_dark_nothing_is_known() -> None:
    dark: dict[int, Coverage] = dict.fromkeys(range(100, 104), "dark")
    found = pulsed([act(100)], coverage=dark)
    for direction in ("rise", "fall"):
        score = found.on(101, direction)
        assert (score.state, score.p, score.claim) == ("unknown", None, None)
    assert set(map(day, range(100, 104))) <= set(found.on(104).dark_days)
    assert (found.on(104).strength or 0.0) > 0.5  # it is told once it can be judged


def test_an_empty_series_says_nothing() -> None:
    found = pulsed([], 400)
    assert not any(score.strength for scores in found.halves for score in scores)
    assert 0.0 < (found.on(399).usual or 0.0) < 0.02


def test_a_checkpoint_changes_nothing_and_a_busy_state_is_small() -> None:
    busy = [act(on, theme=("designation", "delisting", "waiver")[on % 3]) for on in range(100)]
    plain, restarted = pulsed(busy, 100), pulsed(busy, 100, restart=True)
    assert msgspec.json.encode(plain.halves) == msgspec.json.encode(restarted.halves)
    assert len(msgspec.json.encode(plain.state)) < 8_192


def test_a_change_of_a_list_is_a_pulse() -> None:
    """From two snapshots, through the structured report, to the score."""
    entry = Entry("QDe.152", "JAMAAT-UL-AHRAR")
    old = Snapshot("un-1267", day_of(FIRST + 90), ())
    new = Snapshot("un-1267", day_of(FIRST + 100), (entry,), old.hash)
    (change,) = changes(old, new)
    stated = record(change)
    assert stated is not None
    on = stated.occurred.end
    (group,) = coded(stated.actors, None, on)
    told = act(
        100,
        group,
        unit=group,
        event=stated.event,
        themes=stated.themes,
        occurred=Interval(on, on),
        seen_at=clock(100, hours=3),
    )
    assert on == date(2024, 4, 10)
    score = pulsed([told], unit=group).on(100)
    assert (score.unit, score.observed) == ("jamaat-ul-ahrar", 1)
    assert (score.strength or 0.0) > 1.0


@given(st.integers(1, 40), st.floats(0.05, 5.0))
def test_larger_jumps_speak_more_for_larger_jumps(size: int, usual: float) -> None:
    assert larger(size + 1, usual, 4.0) >= larger(size, usual, 4.0)
    often = usual / (1 + usual)  # the chance of one more
    mean = sum(
        often**n / (1 + usual) * exp(larger(n + 1, usual, 4.0))
        for n in range(19)  # a longer jump counts as one of twenty
    ) + often**19 * exp(larger(20, usual, 4.0))
    assert mean <= 1.0 + 1e-9  # as of a likelihood ratio, where nothing has changed


@given(st.lists(st.lists(st.integers(1, 8), max_size=3), min_size=1, max_size=21))
def test_a_pulse_is_no_weaker_for_one_more_act_today(days: list[list[int]]) -> None:
    expected = [0.05] * len(days)
    before = pulse(days, expected, 1.0, 0.3)
    after = pulse([[*days[0], 1], *days[1:]], expected, 1.0, 0.3)
    assert after.strength >= before.strength - 1e-9 >= -1e-9


def test_jumps_are_learned() -> None:
    jumps = Jumps()
    assert jumps.usual == pytest.approx(0.3)
    for _ in range(100):
        jumps.learn(5)
    assert 3.0 < jumps.usual < 4.0
