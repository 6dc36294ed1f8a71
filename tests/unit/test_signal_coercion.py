"""S10, coercion and rights tightening."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.incident_log import IncidentLog
from detectors.ledger import can_settle
from detectors.records import Coverage, Event
from detectors.signals.coercion import Coercion, kinds_of
from detectors.timegrid import seconds
from tests.core_records import clock, event, town
from tests.signal_records import Run, run

SIGNAL = Coercion()
DAYS = 160


def act(
    on: int, *themes: str, by: tuple[str, ...] = ("wire",), n: int = 0, **told: object
) -> list[Event]:
    """Return one restriction of rights in a town of its own, as each witness tells it."""
    changes = {"event": "COERCE", "themes": themes, "place": town(f"Town{on}x{n}"), **told}
    return [event(f"{name}-{on}-{n}/0", on, source=name, publisher=name, **changes) for name in by]


def usual(days: int = DAYS, every: int = 10) -> list[Event]:
    return [e for on in range(0, days, every) for e in act(on, "rights_arrest_wave")]


def after(*extra: list[Event], coverage: dict[int, Coverage] | None = None) -> Run:
    return run(SIGNAL, [*usual(), *(e for some in extra for e in some)], DAYS, coverage=coverage)


def test_what_is_usual_is_silent() -> None:
    found = after()
    assert max(found.strengths(70, DAYS - 1)) < 1.0
    assert found.on(DAYS - 1).claim is None
    assert found.on(DAYS - 1).usual == pytest.approx(0.1, abs=0.05)


def test_many_in_a_week_are_strong_and_claimed() -> None:
    wave = [act(132 + n // 3, "rights_arrest_wave", n=1 + n) for n in range(8)]
    score = after(*wave).on(134)
    assert (score.strength or 0.0) > 3.0
    assert score.observed == sum(score.daily[-(score.window_days or 0) :])
    assert score.claim is not None
    assert score.claim.probability > score.claim.base_rate
    assert can_settle(score.claim.resolver, {SIGNAL.indicator}, series_days=28)
    assert "restrictions of rights" in score.reason


def test_the_first_of_its_kind_adds_to_the_strength() -> None:
    two = [act(132 + n, "rights_arrest_wave", n=1) for n in range(2)]
    new = [act(132 + n, "rights_women_banned", by=("wire", "post"), n=1) for n in range(2)]
    known, first = after(*two).on(133), after(*new).on(133)
    assert (first.strength or 0.0) > (known.strength or 0.0) + 0.2
    assert "the first of its kind here: women banned (2 witnesses)" in first.reason
    assert "first of its kind" not in known.reason


def test_one_witness_of_a_first_adds_nothing() -> None:
    one = after(act(132, "rights_women_banned", n=1)).on(132)
    known = after(act(132, "rights_arrest_wave", n=1)).on(132)
    assert one.strength == known.strength


def test_nothing_is_a_first_while_it_learns() -> None:
    early = run(SIGNAL, [*usual(), *act(40, "rights_women_banned", by=("a", "b"), n=1)], 60)
    assert "first of its kind" not in early.on(40).reason
    late = after(
        act(40, "rights_women_banned", by=("a", "b"), n=1),
        act(132, "rights_women_banned", by=("a", "b"), n=1),
    )
    assert "first of its kind" not in late.on(132).reason  # it was seen ninety days ago


def test_it_is_new_for_a_week() -> None:
    found = after(*[act(132 + n, "rights_women_banned", by=("a", "b", "c"), n=1) for n in range(2)])
    strengths = found.strengths(133, 150)
    assert min(strengths[:5]) > max(strengths[8:])
    assert "first of its kind" not in found.on(141).reason


def test_contexts_and_themes_tell_what_a_restriction_is() -> None:
    log, at = IncidentLog(), seconds(clock(1))

    def weight(**told: object) -> tuple[int, tuple[str, ...]]:
        number = len(log.seen)
        changes = {"event": "COERCE", "place": town(f"T{number}"), **told}
        incident = log.take(event(f"w-{number}/0", 0, **changes), at).new[0]
        return SIGNAL.weight(incident), kinds_of(incident)

    assert weight(contexts=("rights_freedoms",)) == (1, ("rights_freedoms",))
    assert weight(contexts=("gender",), mode="ban") == (1, ("ban",))
    assert weight(themes=("rights_decree",), mode="restrict") == (1, ("rights_decree",))
    assert weight(contexts=("economic",))[0] == 0
    assert weight(themes=("border_closed",))[0] == 0
    assert weight(event="ASSAULT", themes=("rights_protest_crushed",))[0] == 1
    assert weight(event="ASSAULT", contexts=("repression",))[0] == 0


@pytest.mark.parametrize("state", ["dark", "thin"])
def test_half_seen_days_teach_nothing(state: Coverage) -> None:
    unseen: dict[int, Coverage] = dict.fromkeys(range(100, 130), state)
    found = after(coverage=unseen)
    assert found.on(110).state == ("unknown" if state == "dark" else "scored")
    assert (found.on(110).strength is None) == (state == "dark")
    assert found.state.seen_days == after().state.seen_days - 30


def test_nothing_at_all_says_nothing() -> None:
    found = run(SIGNAL, [], DAYS)
    assert max(found.strengths(30, DAYS - 1)) == 0.0
    assert 0.0 < (found.on(DAYS - 1).usual or 0.0) <= SIGNAL.rate


def test_a_state_survives_its_checkpoint_and_stays_small() -> None:
    themes = ("rights_decree", "rights_women_banned", "rights_media_closed", "rights_arrest_wave")
    events = [e for on in range(120) for n in range(3) for e in act(on, themes[on % 4], n=n)]
    kept, again = run(SIGNAL, events, 120), run(SIGNAL, events, 120, restart=True)
    assert msgspec.json.encode(kept.state) == msgspec.json.encode(again.state)
    assert kept.halves == again.halves
    assert len(msgspec.json.encode(kept.state)) < 8_192


@given(st.lists(st.integers(0, 4), min_size=70, max_size=100), st.sets(st.integers(0, 99)))
@settings(max_examples=15, deadline=None)
def test_scores_and_claims_are_consistent(counts: list[int], dark: set[int]) -> None:
    every = [(on, each) for on, number in enumerate(counts) for each in range(number)]
    events = [e for on, each in every for e in act(on, n=each, contexts=("repression",))]
    found = run(SIGNAL, events, len(counts), coverage=dict.fromkeys(dark, "dark"))
    for score in (score for half in found.halves for score in half):
        assert (score.p is None) == (score.state != "scored")
        assert (score.strength is None) == (score.state != "scored")
        if score.claim is not None:
            assert can_settle(score.claim.resolver, {SIGNAL.indicator}, series_days=28)
            assert score.evidence or score.direction == "fall"
