"""S8, claim-confirmation gap, and S16, communication tempo."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.coding.sketch import sketch
from detectors.incident_log import IncidentLog
from detectors.ledger import can_settle
from detectors.records import Coverage, Event
from detectors.signals.claims_gap import ClaimsGap, Tally, excess, usual_share
from detectors.signals.groups import is_claimed, is_confirmed
from detectors.signals.tempo import CommunicationTempo
from detectors.timegrid import seconds
from tests.core_records import clock, day, event, town
from tests.signal_records import Run, run

GAP, TEMPO = ClaimsGap(), CommunicationTempo()
DAYS = 160
TEXT = sketch("a spokesman of the group said that its fighters had attacked a post of the army")


def claim(on: int, n: int = 0, group: str = "ttp", **changes: object) -> Event:
    """Return a report of a claim of an attack in a town of its own."""
    base = event(
        f"claim-{group}-{on}-{n}/0",
        on,
        unit=group,
        place=town(f"Town{on}x{n}", "PK-KP"),
        actors=tuple(sorted((group, "pak-military"))),
        statement="claim",
        voices=("militant",),
        source="post",
        publisher="post",
    )
    return msgspec.structs.replace(base, **changes)


def confirmation(on: int, n: int = 0, group: str = "ttp") -> Event:
    """Return a report of the same attack by another outlet, that cites the authorities."""
    return claim(
        on,
        n,
        group,
        id=f"sure-{group}-{on}-{n}/0",
        report=f"sure-{group}-{on}-{n}",
        statement=None,
        voices=("pak-authorities",),
        source="wire",
        publisher="wire",
        seen_at=clock(on, hours=13),
    )


def copies(on: int) -> list[Event]:
    """Return forty reprints of a claim."""
    return [
        claim(
            on,
            id=f"copy-{n}/0",
            report=f"copy-{n}",
            source=f"outlet{n}",
            publisher=f"outlet{n}",
            language="en",
            sketch=TEXT,
        )
        for n in range(40)
    ]


def past(days: int, every: int = 2) -> list[Event]:
    """Return a past in which one claim of five is confirmed by nobody."""
    claimed = [claim(on) for on in range(0, days, every)]
    return claimed + [confirmation(on) for on in range(0, days, every) if on % 10]


def gap(events: list[Event], days: int = DAYS, **how: object) -> Run:
    return run(GAP, events, days, unit="ttp", country="PAK", **how)  # type: ignore[arg-type]


def tempo(events: list[Event], days: int = DAYS, **how: object) -> Run:
    return run(TEMPO, events, days, unit="ttp", country="PAK", **how)  # type: ignore[arg-type]


def test_who_claims_and_who_confirms() -> None:
    log = IncidentLog()
    at = seconds(clock(1))
    (alone,) = log.take(claim(0), at).new
    assert is_claimed(alone, "ttp")
    assert not is_confirmed(alone, "ttp")
    log.take(confirmation(0), at)
    assert is_confirmed(alone, "ttp")
    (denied,) = log.take(claim(0, 7, statement="denial"), at).new
    assert not is_claimed(denied, "ttp")
    assert not is_confirmed(denied, "ttp")


def test_a_claim_of_one_of_two_groups_is_nobodys() -> None:
    rivals = claim(0, actors=("iskp", "ttp"))
    (unclear,) = IncidentLog().take(rivals, seconds(clock(1))).new
    assert not is_claimed(unclear, "ttp")
    part = claim(0, actors=("jamaat-ul-ahrar", "ttp"))
    (joint,) = IncidentLog().take(part, seconds(clock(1))).new
    assert is_claimed(joint, "ttp")


def test_a_gap_as_usual_is_silent() -> None:
    found = gap(past(DAYS))
    assert found.on(60).state == "learning"
    assert found.on(62).state == "scored"
    assert max(found.strengths(62, DAYS - 1)) < 0.5
    assert not any(found.on(day).claim for day in range(DAYS))


def test_claims_that_nobody_confirms_are_found() -> None:
    boasts = [claim(on, 1) for on in range(120, 140)]
    found = gap(past(DAYS) + boasts)
    assert max(found.strengths(70, 119)) < 0.5
    first = next(day for day in range(120, DAYS) if (found.on(day).strength or 0) >= 2.0)
    assert 122 < first <= 130  # of eight boasts that have stood for two days, with 4 sound claims
    score = found.on(140)
    assert (score.strength or 0.0) > 5.0
    assert score.observed is not None
    assert score.expected is not None
    assert score.observed > 2 * score.expected
    assert score.claim is not None
    assert score.claim.probability > score.claim.base_rate
    assert can_settle(score.claim.resolver, (GAP.indicator,), series_days=len(score.daily))
    assert "confirmed by nobody else" in score.reason
    assert {ref.statements for ref in score.evidence} == {("claim",)}


def test_more_claims_with_the_same_share_confirmed_are_no_gap() -> None:
    many = [claim(on, n) for on in range(110, DAYS) for n in range(1, 4)]
    sure = [confirmation(on, n) for on in range(110, DAYS) for n in range(1, 4) if (on + n) % 5]
    assert max(gap([*past(DAYS), *many, *sure]).strengths(110, DAYS - 1)) < 0.7


def test_a_late_confirmation_closes_the_gap() -> None:
    boasts = [claim(on, 1) for on in range(130, 140)]
    late = [
        msgspec.structs.replace(confirmation(on, 1), seen_at=clock(on + 4, hours=1))
        for on in range(130, 140)
    ]
    strength = gap([*past(DAYS), *boasts, *late]).on(150).strength or 0.0
    assert strength < 0.5 < (gap([*past(DAYS), *boasts]).on(150).strength or 0.0)


def test_reprints_of_a_claim_are_no_confirmation() -> None:
    log, at = IncidentLog(), seconds(clock(1))
    (found,) = log.take(claim(0, language="en", sketch=TEXT), at).new
    for copy in copies(0):
        log.take(copy, at)
    assert (found.reports, found.publishers) == (41, ("post",))
    assert not is_confirmed(found, "ttp")


@pytest.mark.parametrize("run_one", [gap, tempo])
def test_in_the_dark_nothing_is_known(run_one) -> None:  # type: ignore[no-untyped-def]
    dark: dict[int, Coverage] = dict.fromkeys(range(120, 130), "dark")
    unheard = [each for each in past(DAYS) if not clock(120) <= each.seen_at < clock(130)]
    found = run_one(unheard, coverage=dark)
    score = found.on(125)
    assert (score.state, score.p, score.claim, score.strength) == ("unknown", None, None, None)
    assert set(map(day, range(120, 130))) <= set(found.on(131).dark_days)


def test_days_not_seen_wholly_are_not_judged() -> None:
    boasts = [claim(on, 1) for on in range(120, 140)]
    thin: dict[int, Coverage] = dict.fromkeys(range(115, 145), "thin")
    found = gap(past(DAYS) + boasts, coverage=thin)
    assert max(found.strengths(115, DAYS - 1)) < 0.5


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 200), st.integers(0, 200), st.floats(0, 500), st.floats(0, 1))
def test_the_odds_speak_only_for_a_rise(hits: int, more: int, claimed: float, share: float) -> None:
    past_tally = Tally(claimed, claimed * share, claimed)
    strength = excess(hits, hits + more, past_tally)
    assert strength >= 0.0
    assert excess(hits + 1, hits + more + 1, past_tally) >= strength - 1e-9
    if hits <= usual_share(past_tally) * (hits + more):
        assert strength == 0.0


def test_a_lull_and_a_burst_of_statements() -> None:
    talk = [claim(on, n) for on in range(DAYS) for n in range(3) if not 120 <= on < 132]
    found = tempo([*talk, *(claim(on, n) for on in range(145, 150) for n in range(3, 12))])
    assert max(found.strengths(60, 119, "fall")) < 1.0
    assert max(found.strengths(60, 119)) < 1.0
    lull = found.on(130, "fall")
    assert (lull.strength or 0.0) > 3.0
    assert lull.claim is not None
    assert "statements" in lull.reason
    burst = found.on(148)
    assert (burst.strength or 0.0) > 3.0
    assert burst.claim is not None
    assert can_settle(burst.claim.resolver, (TEMPO.indicator,), series_days=len(burst.daily))


def test_a_group_that_nobody_can_hear_is_not_silent() -> None:
    talk = [claim(on, n) for on in range(DAYS) for n in range(3) if not 120 <= on < 132]
    thin: dict[int, Coverage] = dict.fromkeys(range(120, 132), "thin")
    found = tempo(talk, 133, coverage=thin)
    for on in range(120, 132):
        score = found.on(on, "fall")
        assert (score.state, score.strength) == ("unknown", None)
        assert "unheard" in score.reason


def test_one_statement_told_by_forty_is_one() -> None:
    first = claim(20, language="en", sketch=TEXT)
    assert sum(tempo([first, *copies(20)], 25).on(24).daily) == 1


@pytest.mark.parametrize("signal", [GAP, TEMPO])
def test_an_empty_series_says_next_to_nothing(signal: ClaimsGap) -> None:
    found = run(signal, [], 120, unit="bla", country="PAK")
    for scores in found.halves:
        for score in scores:
            assert (score.strength or 0.0) < 0.3
            assert score.claim is None
    assert len(msgspec.json.encode(found.state)) < 2_000


@pytest.mark.parametrize("signal", [GAP, TEMPO])
def test_a_checkpoint_changes_nothing(signal: ClaimsGap) -> None:
    events = past(90) + [claim(on, 1) for on in range(70, 85)]
    plain = run(signal, events, 90, unit="ttp", country="PAK")
    restarted = run(signal, events, 90, unit="ttp", country="PAK", restart=True)
    assert msgspec.json.encode(plain.halves) == msgspec.json.encode(restarted.halves)
    assert len(msgspec.json.encode(plain.state)) < 8_192
