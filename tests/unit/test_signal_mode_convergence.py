"""S3, mode convergence and novelty."""

from __future__ import annotations

from itertools import chain

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.incident_log import IncidentLog
from detectors.ledger import can_settle
from detectors.records import Coverage, Event
from detectors.signals.base import Observation
from detectors.signals.mode_convergence import ModeConvergence, _at_least
from detectors.signals.repertoire import FORGOTTEN_DAYS, Chances, Repertoire
from detectors.timegrid import seconds
from detectors.world.actors import aliases
from tests.core_records import clock, event, town
from tests.signal_records import FIRST, Run, run

SIGNAL = ModeConvergence()
DAYS = 150


def attack(
    on: int, mode: str | None, *actors: str, by: tuple[str, ...] = ("wire", "post"), n: int = 0
) -> list[Event]:
    """Return one attack in a town of its own, as each witness tells it."""
    place = town(f"Town{on}x{n}")
    return [
        event(
            f"{name}-{on}-{mode}-{n}/0",
            on,
            mode=mode,
            actors=tuple(sorted(actors)),
            place=place,
            source=name,
            publisher=name,
        )
        for name in by
    ]


def usual(days: int = DAYS, every: int = 2) -> list[Event]:
    """Return a past of roadside bombs and shootings by one group."""
    return [
        each
        for on in range(0, days, every)
        for each in attack(on, "explosives" if on % 4 else "firearms", "iskp", "taliban")
    ]


def after(
    *extra: list[Event], days: int = DAYS, coverage: dict[int, Coverage] | None = None
) -> Run:
    return run(SIGNAL, [*usual(days), *chain(*extra)], days, coverage=coverage)


def test_it_learns_what_is_here_before_it_calls_anything_new() -> None:
    found = after(attack(30, "suicide-attack", "ttp"))
    assert "learning" in found.on(30).reason
    assert found.on(62).state == "learning"
    assert found.on(63).state == "scored"
    assert all(not any(found.on(day).daily) for day in range(100))


def test_what_is_usual_is_silent() -> None:
    found = after()
    assert max(found.strengths(63, DAYS - 1)) < 0.5
    assert not any(found.on(day).claim for day in range(DAYS))


def test_a_first_mode_told_by_two_is_strong_on_its_day() -> None:
    found = after(attack(121, "suicide-attack", "iskp", n=1))
    assert (found.on(120).strength or 0.0) < 0.5
    score = found.on(121)
    assert (score.strength or 0.0) > 0.5
    three = after(attack(121, "suicide-attack", "iskp", by=("wire", "post", "radio"), n=1)).on(121)
    assert (three.strength or 0.0) > (score.strength or 0.0)
    assert "first suicide-attack known here (2 witnesses" in score.reason
    assert "watched since 2024-01-01" in score.reason
    assert score.daily[-1] == 1


def test_a_new_actor_with_a_new_mode_makes_a_claim() -> None:
    where = attack(121, "aerial", "pak-military", by=("wire", "post", "radio", "un"), n=1)
    score = after(where).on(121)
    assert (score.strength or 0.0) > 2.0
    assert score.claim is not None
    assert can_settle(score.claim.resolver, {SIGNAL.indicator}, series_days=28)
    assert score.claim.probability > score.claim.base_rate
    assert [ref.publishers for ref in score.evidence] == [("post", "radio", "un", "wire")]


def test_one_report_of_one_witness_weighs_little() -> None:
    one = after(attack(121, "aerial", "pak-military", by=("wire",), n=1)).on(121)
    assert (one.strength or 0.0) < 1.0
    assert one.claim is None


def test_a_reprint_is_no_second_witness() -> None:
    original, copy = attack(121, "aerial", "pak-military", n=1)
    copy = msgspec.structs.replace(copy, wire="wire")
    reprinted = after([original, copy]).on(121)
    alone = after([original]).on(121)
    assert reprinted.strength == alone.strength


def test_a_renaming_is_no_new_actor() -> None:
    """Two names that the registry gives one organisation mean one id; so nothing happens here."""
    names = {alias.text: alias.actor for alias in aliases() if alias.actor == "ttp"}
    assert len(set(names)) > 1  # it is called by several names,
    assert set(names.values()) == {"ttp"}  # all of one id
    past = [e for on in range(0, 140, 2) for e in attack(on, "firearms", "ttp")]
    assert max(run(SIGNAL, past, 140).strengths(63, 139)) < 0.5


def test_a_faction_where_its_whole_is_known_is_no_new_actor() -> None:
    known = Repertoire()
    known.learn(100, known.called((("ttp", "firearms"),)))
    assert known.called((("hizb-ul-ahrar", "firearms"),)) == [("ttp", "firearms")]
    assert known.called((("bla", "firearms"),)) == [("bla", "firearms")]


def test_an_actor_is_new_again_after_two_years() -> None:
    known = Repertoire()
    known.learn(100, [("bla", "firearms")])
    for gap, new in ((1, False), (FORGOTTEN_DAYS, False), (FORGOTTEN_DAYS + 1, True)):
        assert known.is_new(("bla", "firearms"), 100 + gap, 101) == (new, new)
    known.learn(1_000, [("bla", "firearms")])
    assert known.is_new(("bla", "firearms"), 1_010, 101) == (True, True)
    assert known.is_new(("bla", "firearms"), 1_030, 101) == (False, False)


def test_modes_that_come_together_are_strong() -> None:
    """Four modes in a week, all of them known here, none of them frequent."""
    rare = ("abduct", "assassinate", "heavy-weapons", "suicide-attack")
    past = [e for n, mode in enumerate(rare) for e in attack(10 + 9 * n, mode, "iskp", n=7)]
    week = [e for n, mode in enumerate(rare) for e in attack(130 + n, mode, "iskp", n=8)]
    found = after(past, week)
    assert (found.on(133).strength or 0.0) > 2.0
    assert "6 modes of attack in 7 days" in found.on(133).reason
    assert (found.on(129).strength or 0.0) < 0.5
    assert (found.on(141).strength or 0.0) < 0.5  # the week is over


def test_it_says_one_thing_all_the_week_and_then_no_more() -> None:
    strengths = after(attack(121, "aerial", "pak-military", n=1)).strengths(121, 140)
    assert max(strengths[:7]) - min(strengths[:7]) < 0.5
    assert max(strengths[7:]) < 0.5


def test_what_was_told_on_half_seen_days_is_known_all_the_same() -> None:
    thin: dict[int, Coverage] = dict.fromkeys(range(80, 100), "thin")
    past = attack(85, "suicide-attack", "iskp", n=1)
    found = after(past, attack(130, "suicide-attack", "iskp", n=2), coverage=thin)
    assert found.on(130).daily[-1] == 0  # not new
    assert found.state.seen_days < after().state.seen_days


def test_in_the_dark_it_is_unknown() -> None:
    dark: dict[int, Coverage] = dict.fromkeys(range(120, 130), "dark")
    score = after(attack(121, "aerial", "pak-military", n=1), coverage=dark).on(121)
    assert (score.state, score.strength, score.p, score.claim) == ("unknown", None, None, None)


def test_an_unnamed_actor_and_an_untold_mode_are_no_novelty() -> None:
    found = after(attack(121, None, n=1), attack(122, None, "civilians", "militants", n=2))
    assert sum(found.on(122).daily) == 0


def test_the_return_of_what_is_new_is_learned() -> None:
    news = [attack(121 + 5 * n, "aerial", "pak-military", n=1) for n in range(3)]
    found = after(*news, days=175)
    assert sum(found.on(140).daily) == 3
    assert found.state.newcomers > 2.0
    assert found.state.returned == pytest.approx(found.state.newcomers - 1.0)


def test_a_state_survives_its_checkpoint_and_stays_small() -> None:
    modes = ("abduct", "aerial", "assassinate", "explosives", "firearms", "beat", "suicide-attack")
    who = ("iskp", "ttp", "bla", "imu", "etim", "lashkar-e-jhangvi", "nrf", "aff", "blf", "aqis")
    events = [
        each
        for on in range(0, 120)
        for each in attack(on, modes[on % 7], who[(on // 3) % 10], by=("wire",))
    ]
    kept, again = run(SIGNAL, events, 120), run(SIGNAL, events, 120, restart=True)
    assert msgspec.json.encode(kept.state) == msgspec.json.encode(again.state)
    assert kept.halves == again.halves
    assert len(msgspec.json.encode(kept.state)) < 8_192


names = st.sampled_from(["", "iskp", "ttp", "bla", "nrf"])
told = st.sampled_from(["", "aerial", "firearms", "explosives"])


@given(st.lists(st.tuples(names, told), max_size=40), st.tuples(names, told))
@settings(max_examples=80, deadline=None)
def test_chances_are_a_distribution(past: list[tuple[str, str]], pair: tuple[str, str]) -> None:
    known = Repertoire()
    for day, each in enumerate(past):
        known.learn(FIRST + day, [each])
    chances = Chances(known)
    everything = [(a, m) for a in (*chances.actors, "new") for m in (*chances.modes, "new")]
    assert sum(map(chances.pair, everything)) == pytest.approx(1.0)
    assert 0.0 < chances.pair(pair) <= chances.tail(pair) + 1e-12 <= 1.0 + 1e-9


@given(st.lists(st.floats(0.0, 1.0), max_size=8), st.integers(0, 9))
@settings(max_examples=80, deadline=None)
def test_at_least_is_a_tail(chances: list[float], number: int) -> None:
    tail = _at_least(number, chances)
    assert -1e-9 <= tail <= 1.0 + 1e-9
    assert _at_least(number + 1, chances) <= tail + 1e-12
    assert _at_least(0, chances) == pytest.approx(1.0)


@pytest.mark.parametrize(("mode", "answers"), [("explosives", 0), ("aerial", 1)])
def test_between_half_days_only_what_is_rare_is_looked_at(mode: str, answers: int) -> None:
    state = after().state
    log, at = IncidentLog(), seconds(clock(DAYS - 1, hours=23))
    seen = Observation(
        unit="AF-KAN",
        country="AFG",
        at=at,
        half_day=state.half_day,
        coverage="ok",
        share=1.0,
        incidents=log,
        new=log.take(attack(DAYS - 1, mode, "iskp", n=5)[0], at).new,
        turned=False,
    )
    assert len(SIGNAL.step(state, seen)[1]) == answers
