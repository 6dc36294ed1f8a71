"""S2, mass-casualty tail."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.incident_log import IncidentLog
from detectors.ledger import can_settle
from detectors.records import Event
from detectors.signals.hazard import Excitement, Pulse, Tail, worst
from detectors.signals.mass_casualty import MassCasualty
from detectors.timegrid import seconds
from tests.core_records import clock, event, toll, town
from tests.signal_records import Run, run

SIGNAL = MassCasualty()


def attack(on: int, killed: int | None, place: str = "", **changes: object) -> Event:
    """Return an attack in a town of its own for each day and toll."""
    name = place or f"Town{on}x{killed}"
    dead = None if killed is None else toll(killed)
    return event(f"w-{on}-{killed}-{name}/0", on, place=town(name), killed=dead, **changes)


def quiet(days: int, every: int = 20, killed: int = 6) -> list[Event]:
    """Return a past in which a grave incident is rare."""
    return [attack(on, killed) for on in range(0, days, every)]


def scored(*events: Event, days: int = 140, past: list[Event] | None = None) -> Run:
    return run(SIGNAL, [*(quiet(120) if past is None else past), *events], days)


def test_it_learns_for_four_weeks_and_says_so() -> None:
    found = scored(days=40)
    assert found.on(26).state == "learning"
    assert "learning: 13 of 14" in found.on(26).reason
    assert found.on(27).state == "scored"


def test_what_is_usual_is_silent() -> None:
    found = scored(past=quiet(200, every=10), days=200)
    assert max(found.strengths(60, 199)) < 1.0
    assert all(found.on(day).claim is None for day in range(60, 200))


def test_an_incident_beyond_the_tail_is_strong_on_its_day() -> None:
    found = scored(attack(121, 60))
    assert found.on(120).strength == 0.0
    score = found.on(121)
    assert (score.strength or 0.0) > 2.0
    assert "killed 60" in score.reason
    assert score.observed == 1
    assert [ref.killed for ref in score.evidence] == [toll(60)]


def test_the_larger_the_toll_the_stronger() -> None:
    strengths = [scored(attack(121, killed)).on(121).strength or 0.0 for killed in (9, 10, 25, 80)]
    assert strengths == sorted(strengths)
    assert strengths[0] < 0.25 < strengths[1] < 1.0 < strengths[3]


def test_grave_incidents_that_follow_one_another_raise_the_chance() -> None:
    series = [attack(day, 7) for day in (121, 123, 125, 127, 128)]
    found = scored(*series)
    after_each = [found.on(day).strength or 0.0 for day in (121, 123, 125, 127, 128)]
    assert after_each == sorted(after_each)
    score = found.on(128)
    assert score.claim is not None
    assert score.claim.probability > score.claim.base_rate
    spread = scored(*(attack(day, 7) for day in (121, 128, 136)))
    assert max(spread.strengths(121, 139)) < (score.strength or 0.0)


def test_it_fades_and_does_not_flicker() -> None:
    """Once the fortnight is over it has fallen for good: the strength never jumps up by itself."""
    strengths = scored(attack(121, 60), days=150).strengths(121, 149)
    assert min(strengths[:7]) > 2.0
    assert max(strengths[7:]) < 0.5


def test_the_claim_can_be_settled_from_its_counts() -> None:
    claim = scored(attack(121, 60)).on(121).claim
    assert claim is not None
    assert can_settle(claim.resolver, {SIGNAL.indicator}, series_days=28)
    assert (claim.resolver.count, claim.resolver.comparison) == (1, "at_least")
    assert 0.0 < claim.base_rate < claim.probability < 1.0


def test_where_one_is_usual_more_are_claimed() -> None:
    past = [attack(on, 6 + 5 * n, f"T{on}{n}") for on in range(0, 150, 2) for n in range(4)]
    rise = [attack(150, 40, f"R{n}") for n in range(9)]
    claim = run(SIGNAL, [*past, *rise], 152).on(151).claim
    assert claim is not None
    assert claim.resolver.count > 5
    assert claim.base_rate <= 0.1


def test_a_toll_that_rises_later_is_read_anew() -> None:
    first = attack(121, 3, "Maiwand", publisher="wire", source="wire")
    later = attack(121, 40, "Maiwand", publisher="post", source="post", risen=True)
    later = msgspec.structs.replace(later, seen_at=clock(122, hours=3))
    found = scored(first, later)
    assert found.on(121).strength == 0.0
    assert (found.on(122).strength or 0.0) > 1.5
    assert sum(found.on(122).daily) == 1


def test_an_untold_toll_is_not_a_zero() -> None:
    assert worst(None) == 0
    assert scored(attack(121, None)).on(121).daily == scored().on(121).daily


@pytest.mark.parametrize("state", ["dark", "thin"])
def test_days_that_were_not_seen_teach_nothing(state: str) -> None:
    unseen = dict.fromkeys(range(60, 90), state)
    hidden = [e for e in quiet(200, 5) if not 60 <= int(e.id.split("-")[1]) < 90]
    whole, gap = run(SIGNAL, quiet(200, 5), 200), run(SIGNAL, hidden, 200, coverage=unseen)  # type: ignore[arg-type]
    assert gap.state.excitement.usual == pytest.approx(whole.state.excitement.usual, rel=0.15)
    score = gap.on(70)
    assert score.state == ("unknown" if state == "dark" else "scored")
    if state == "dark":
        assert (score.p, score.claim, score.strength) == (None, None, None)
    assert len(gap.on(89).dark_days) == 28


def test_a_state_survives_its_checkpoint_and_stays_small() -> None:
    events = [attack(on, 5 + on % 40, f"T{on}{n}") for on in range(0, 200) for n in range(3)]
    kept, again = run(SIGNAL, events, 200), run(SIGNAL, events, 200, restart=True)
    assert msgspec.json.encode(kept.state) == msgspec.json.encode(again.state)
    assert kept.halves == again.halves
    assert len(msgspec.json.encode(kept.state)) < 8_192


def test_only_grave_violence_concerns_it() -> None:
    log = IncidentLog()
    at = seconds(clock(1))
    found = [log.take(attack(0, killed), at).new[0] for killed in (4, 5, None)]
    assert [SIGNAL.concerns(incident) for incident in found] == [False, True, False]


def test_a_tail_learns_and_is_shrunk() -> None:
    light, heavy = Tail(), Tail()
    for _ in range(50):
        light.learn(5)
        heavy.learn(100)
    assert light.beyond(25) < Tail().beyond(25) < heavy.beyond(25) < 1.0
    assert Tail().beyond(5) == 1.0


@given(st.lists(st.integers(0, 8), min_size=1, max_size=80))
@settings(max_examples=40, deadline=None)
def test_an_excitement_keeps_its_mean_and_its_shares(counts: list[int]) -> None:
    excitement = Excitement()
    for number in counts:
        excitement.learn(number, 1.0)
    week, month = excitement.branching
    assert 0.0 <= week + month < 1.0
    assert excitement.usual > 0.0
    level = Pulse(excitement.usual, excitement.usual)  # a past as usual lets expect the usual
    assert excitement.ahead(level, 14) == pytest.approx(14 * excitement.usual)
    assert excitement.ahead(excitement.now, 14) > 0.0


def test_clusters_are_learned_as_branching() -> None:
    clustered, even = Excitement(), Excitement()
    for day in range(400):
        clustered.learn(2 if day % 40 < 6 else 0, 1.0)
        even.learn(1 if day % 10 < 3 else 0, 1.0)
    assert sum(clustered.branching) > sum(even.branching)
