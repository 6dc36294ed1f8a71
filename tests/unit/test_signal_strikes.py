"""S14, air and drone strikes and civilian harm."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.incident_log import IncidentLog
from detectors.incidents import Incident
from detectors.ledger import can_settle
from detectors.records import Coverage, Event
from detectors.signals.harm import harm
from detectors.signals.strikes import Strikes
from detectors.timegrid import seconds
from tests.core_records import clock, event, toll, town
from tests.signal_records import Run, run

SIGNAL = Strikes()
DAYS = 160


def strike(on: int, n: int = 0, **told: object) -> Event:
    """Return a strike in a town of its own."""
    changes = {"mode": "aerial", "place": town(f"Town{on}x{n}"), **told}
    return msgspec.structs.replace(event(f"w-{on}-{n}/0", on), **changes)


def other(on: int, n: int = 0) -> Event:
    """Return violence that is no strike."""
    return strike(on, n, mode="firearms", place=town(f"Shot{on}x{n}"))


def after(*events: Event, coverage: dict[int, Coverage] | None = None) -> Run:
    """Run a quiet past with three strikes in it, and then some events."""
    return run(SIGNAL, [*map(strike, (20, 60, 100)), *events], DAYS, coverage=coverage)


def incident(**told: object) -> Incident:
    told_of = msgspec.structs.replace(strike(0), **told)
    return IncidentLog().take(told_of, seconds(clock(1))).new[0]


def test_what_is_usual_is_silent() -> None:
    found = run(SIGNAL, [strike(on) for on in range(0, 300, 10)], 300)
    assert max(found.strengths(60, 299)) < 1.0
    assert not any(found.on(day).claim for day in range(300))


def test_one_strike_is_no_rise_and_three_in_three_days_are() -> None:
    assert after(strike(131)).on(131).strength == 0.0
    found = after(*(strike(131 + n) for n in range(3)))
    assert found.on(130).strength == 0.0
    score = found.on(133)
    assert (score.strength or 0.0) > 2.0
    assert score.claim is not None
    assert can_settle(score.claim.resolver, {SIGNAL.indicator}, series_days=28)
    assert score.claim.probability > score.claim.base_rate
    assert len(score.evidence) == 3
    assert max(found.strengths(156, 159)) < 1.0  # it is over


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ({"mode": "aerial"}, 1),
        ({"mode": "heavy-weapons"}, 0),
        ({"mode": "heavy-weapons", "actors": ("pak-military",)}, 1),
        ({"mode": "heavy-weapons", "actors": ("taliban",)}, 0),  # on its own ground
        ({"mode": "heavy-weapons", "actors": ("us-forces",)}, 0),  # not across the border
        ({"mode": "heavy-weapons", "themes": ("border_fire",)}, 1),
        ({"mode": "firearms", "actors": ("pak-military",)}, 0),
        ({"mode": None}, 0),
    ],
)
def test_which_incidents_are_strikes(told: dict[str, object], counts: int) -> None:
    found = incident(**told)
    assert SIGNAL.weight(found) == counts
    assert SIGNAL.concerns(found) == bool(counts)


def test_on_the_other_side_the_other_state_is_the_foreign_one() -> None:
    place = town("Khost", "AF-KHO")
    there = msgspec.structs.replace(place, country="PAK", admin1="PK-KP", name="Kurram")
    for who, counts in (("taliban", 1), ("pak-military", 0)):
        assert SIGNAL.weight(incident(mode="heavy-weapons", actors=(who,), place=there)) == counts


def test_a_mode_that_later_reports_tell_is_counted_then() -> None:
    first = strike(131, mode=None, place=town("Maiwand"), killed=toll(4))
    later = strike(131, place=town("Maiwand"), killed=toll(4), id="post-1/0", source="post")
    later = msgspec.structs.replace(later, seen_at=clock(132, hours=3), publisher="post")
    found = after(first, later)
    assert sum(found.on(131).daily[-5:]) == 0
    assert found.on(132).daily[-2] == 1


def test_the_harm_is_a_range_and_a_share() -> None:
    strikes = [
        incident(killed=toll(10, 8, 12), victims=("civilians",)),
        incident(killed=toll(6), victims=("militants",)),
        incident(killed=toll(4), victims=("civilians", "militants")),
        incident(killed=toll(9)),  # who they were is not told
        incident(killed=None, victims=("civilians",)),  # how many is not told
    ]
    found = harm(strikes)
    assert (found.strikes, found.told) == (5, 3)
    assert (found.civilians, found.killed) == ((9, 16), (18, 20, 22))
    share, low, high = found.share
    assert low < share == 0.5 < high
    assert "9–16 of the 18–22 killed in 3 of 5 strikes" in found.words
    assert harm(strikes[3:]).words == "who was killed is not told"


def test_the_reason_tells_the_harm() -> None:
    found = after(strike(131, killed=toll(7), victims=("civilians",)), strike(132))
    assert "civilians are 7 of the 7 killed in 1 of 2 strikes" in found.on(132).reason
    assert "civilians" not in found.on(159).reason  # a fortnight is over


def test_retaliation_is_learned_against_the_days_before() -> None:
    calm = [strike(on) for on in range(20, 150, 30)]
    answered = [*calm, *(other(on + n, n) for on in range(20, 150, 30) for n in range(1, 9))]
    loud, quiet = run(SIGNAL, answered, DAYS).state, run(SIGNAL, calm, DAYS).state
    assert quiet.retaliation.ratio == 1.0
    assert loud.retaliation.ratio > 3.0
    assert loud.retaliation.days == 5
    assert "times that of the 14 days before" in loud.retaliation.words


def test_retaliation_is_not_learned_where_it_was_dark() -> None:
    dark: dict[int, Coverage] = {74: "dark", 25: "thin"}
    assert after().state.retaliation.days == 3
    assert after(coverage=dark).state.retaliation.days == 1


def test_in_the_dark_it_is_unknown() -> None:
    dark: dict[int, Coverage] = dict.fromkeys(range(131, 140), "dark")
    score = after(*(strike(131 + n) for n in range(3)), coverage=dark).on(133)
    assert (score.state, score.strength, score.p, score.claim) == ("unknown", None, None, None)


def test_nothing_at_all_says_nothing() -> None:
    found = run(SIGNAL, [], DAYS)
    assert max(found.strengths(30, DAYS - 1)) == 0.0
    assert 0.0 < (found.on(DAYS - 1).usual or 0.0) <= SIGNAL.rate


def test_a_state_survives_its_checkpoint_and_stays_small() -> None:
    events = [make(on, n) for on in range(120) for n in range(2) for make in (strike, other)]
    kept, again = run(SIGNAL, events, 120), run(SIGNAL, events, 120, restart=True)
    assert msgspec.json.encode(kept.state) == msgspec.json.encode(again.state)
    assert kept.halves == again.halves
    assert len(msgspec.json.encode(kept.state)) < 8_192


tolls = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)).map(sorted)
sides = st.sets(st.sampled_from(["civilians", "militants", "security-forces"]))


@given(st.lists(st.tuples(tolls, sides), max_size=6))
@settings(max_examples=60, deadline=None)
def test_harm_stays_within_its_bounds(told: list[tuple[list[int], set[str]]]) -> None:
    found = harm(
        incident(killed=toll(best, low, high), victims=tuple(sorted(victims)))
        for (low, best, high), victims in told
    )
    assert 0 <= found.civilians[0] <= found.civilians[1] <= found.killed[2]
    assert found.killed[0] <= found.killed[1] <= found.killed[2]
    share, low, high = found.share
    assert 0.0 <= low < share < high <= 1.0
