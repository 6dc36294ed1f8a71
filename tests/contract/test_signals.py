"""What every signal keeps to, whatever it measures.

Each is run on one unit of each of its kinds, on months of rich and invented news: violence in all
its modes with deaths, and every theme of `detectors/coding/themes.csv` with the type and mode that
the coder gives it, told by several witnesses, sides and groups, some of it claimed, denied or taken
back. In the end there is much more of everything, and what a group claims nobody confirms.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any

import msgspec
import pytest

from detectors.budget import QUIET
from detectors.evidence import SHARED, sum_up
from detectors.incident_log import IncidentLog
from detectors.ledger import can_settle
from detectors.records import Coverage, Event, EventType, Score, Statement, Voice
from detectors.series import SERIES_DAYS
from detectors.signals import INDICATORS, SIGNALS, Observation, Signal
from detectors.signals.counting import REMARKABLE
from detectors.tables import rows
from detectors.timegrid import DAY, day_number, seconds
from detectors.world.units import UNITS, Kind
from tests.core_records import START, day, event, toll, town
from tests.signal_records import Run, run

DAYS = 120
SURGE = 95  # from this day on there is much more of everything
UNIT_OF: dict[Kind, str] = {
    "admin1": "AF-NAN",
    "country": "AFG",
    "border": "AF-NAN~PK-KP",
    "dyad": "AFG~PAK",
    "actor": "ttp",
}
#: A coverage that is lost and comes back.
COVERAGE: dict[int, Coverage] = {
    on: "dark" if on % 20 == 17 else "thin" for on in range(DAYS) if on % 20 in (17, 18)
}
MODES = ("firearms", "explosives", "suicide-attack", "heavy-weapons", "aerial", "abduct", None)
PLACES = (town("Torkham", "AF-NAN"), town("Jalalabad", "AF-NAN"), town("Landi Kotal", "PK-KP"))
GROUPS = ("ttp", "iskp", "taliban", "jamaat-ul-ahrar", "al-qaida")
STATES = ("afg-forces", "pak-military", "pak-government")
STATEMENTS: tuple[Statement | None, ...] = (
    None, None, None, "claim", "claim", "counter-claim", "confirmation", "denial", "retraction",
)  # fmt: skip
VOICES: tuple[Voice, ...] = ("militant", "afg-authorities", "pak-authorities", "independent", "un")
CONTEXTS = ("military", "diplomatic", "terrorism", "migration")


def _kinds(signal: Signal) -> list[Kind]:
    return [kind for kind in UNIT_OF if kind in signal.kinds]


def _acts() -> list[tuple[EventType, str | None, tuple[str, ...]]]:
    """Return a type, a mode and themes for each theme, and for violence without one."""
    themes = [
        (r["event"], r["mode"] or None, (r["theme"],))
        for r in rows("detectors.coding", "themes.csv")
    ]
    return [*themes, *(("ASSAULT", mode, ()) for mode in MODES)]  # type: ignore[list-item]


def _claimed(rng: Random, on: int, number: int, unit: str) -> Iterator[Event]:
    """Yield an attack that a group claims; before the surge others tell of it too."""
    told = event(
        f"wire-{on}-{number}/0",
        on,
        unit=unit,
        mode=rng.choice(MODES),
        actors=("ttp",),
        place=rng.choice(PLACES),
        killed=toll(rng.choice([0, 2, 9])),
        statement="claim",
        voices=("militant",),
    )
    yield told
    if on < SURGE and rng.random() < 0.7:
        yield msgspec.structs.replace(
            told,
            id=f"post-{on}-{number}/0",
            report=f"post-{on}-{number}",
            source="post",
            publisher="post",
            statement=None,
            voices=("pak-authorities",),
        )


def _act(rng: Random, on: int, number: int) -> tuple[Any, ...]:
    """Return any of the acts; when there is much of everything, one after the other."""
    acts = _acts()
    return acts[(12 * on + number) % len(acts)] if on >= SURGE + 7 else rng.choice(acts)


def _told(rng: Random, on: int, number: int, unit: str) -> Iterator[Event]:
    """Yield what some witnesses tell of one happening; in the end often that a haven is alleged."""
    alleged = on >= SURGE and number % 4 == 1
    kind, mode, themes = (
        ("ACCUSE", "allege", ("sanctuary_alleged",)) if alleged else _act(rng, on, number)
    )
    actors = tuple(
        sorted({*rng.sample(GROUPS[:1], rng.choice([0, 1])), rng.choice(GROUPS + STATES)})
    )
    place = rng.choice(PLACES)
    statement = rng.choice(STATEMENTS)
    for witness in rng.sample(("wire", "post", "desk", "herald"), rng.choice([1, 2, 3])):
        yield event(
            f"{witness}-{on}-{number}/0",
            on,
            unit=unit,
            event=kind,
            mode=mode,
            themes=themes,
            actors=actors,
            place=place,
            killed=toll(rng.choice([0, 1, 2, 5, 40])) if kind == "ASSAULT" else None,
            victims=("civilians",) if rng.random() < 0.5 and kind == "ASSAULT" else (),
            statement=statement,
            voices=tuple(sorted({rng.choice(VOICES)})) if rng.random() < 0.7 else (),
            contexts=tuple(sorted(rng.sample(CONTEXTS, 2))),
            source=witness,
            publisher=witness,
            language=rng.choice(["en", "ps", "fa", "ur"]),
            countries=("AFG", "PAK"),
        )


@cache
def _news(unit: str, seed: int) -> tuple[Event, ...]:
    """Return news of `DAYS` days: quiet weeks, then much of everything."""
    rng = Random(seed)
    return tuple(
        told
        for on in range(DAYS)
        for number in range(rng.choice([0, 1, 2, 4]) if on < SURGE else 12)
        for told in (_claimed if number % 4 == 3 else _told)(rng, on, number, unit)
    )


@cache
def _run(name: str, kind: Kind, seed: int = 1, restart: bool = False) -> Run:
    unit = UNIT_OF[kind]
    country = UNITS[unit].country
    return run(
        SIGNALS[name],
        _news(unit, seed),
        DAYS,
        unit=unit,
        country=country,
        coverage=COVERAGE,
        restart=restart,
    )


def _scores(signal: Signal, seed: int = 1) -> list[Score]:
    """Return what a signal says of a unit of each of its kinds."""
    return [
        score
        for kind in _kinds(signal)
        for step in _run(signal.name, kind, seed).halves
        for score in step
    ]


every = pytest.mark.parametrize("signal", SIGNALS.values(), ids=SIGNALS)


def test_the_registry_is_by_name() -> None:
    assert [signal.name for signal in SIGNALS.values()] == list(SIGNALS)
    assert len({signal.title for signal in SIGNALS.values()}) == len(SIGNALS)
    assert {s.indicator for s in SIGNALS.values()} - {""} == INDICATORS


def test_the_news_are_rich() -> None:
    """Every theme and every statement is told of, or the tests below say little."""
    told = _news("AFG", 1)
    assert {theme for each in told for theme in each.themes} == {
        r["theme"] for r in rows("detectors.coding", "themes.csv")
    }
    assert {each.statement for each in told} == set(STATEMENTS)
    assert len({each.event for each in told}) >= 8


@every
def test_a_signal_says_what_it_is(signal: Signal) -> None:
    assert re.fullmatch(r"[SM][0-9]+", signal.name)  # the first part of an alert's id, before "-"
    assert signal.version >= 1
    assert signal.title
    assert _kinds(signal)
    assert signal.kinds <= UNIT_OF.keys()
    assert re.fullmatch(r"([a-z]+(_[a-z]+)*)?", signal.indicator)
    module = sys.modules[type(signal).__module__].__doc__ or ""
    assert module.startswith(f"{signal.name}, ")
    assert (type(signal).__doc__ or "").startswith(signal.name)


@every
def test_a_state_survives_its_checkpoint_at_every_step(signal: Signal) -> None:
    for kind in _kinds(signal):
        kept, restarted = (_run(signal.name, kind, restart=again) for again in (False, True))
        assert msgspec.json.encode(kept.halves) == msgspec.json.encode(restarted.halves)
        assert msgspec.json.encode(kept.state) == msgspec.json.encode(restarted.state)


@every
def test_a_state_stays_small(signal: Signal) -> None:
    for kind in _kinds(signal):
        assert len(msgspec.json.encode(_run(signal.name, kind).state)) <= 8_192


@every
def test_a_step_is_deterministic(signal: Signal) -> None:
    kind = _kinds(signal)[0]
    again = _run.__wrapped__(signal.name, kind)
    assert msgspec.json.encode(again) == msgspec.json.encode(_run(signal.name, kind))


@every
def test_scores_have_ids_of_their_own_and_say_what_they_saw(signal: Signal) -> None:
    scores = _scores(signal)
    assert scores
    assert len({score.id for score in scores}) == len(scores)
    for score in scores:
        at = seconds(score.at)
        assert score.id == f"{score.signal}/{score.direction}/{score.unit}/{at}"
        assert (score.signal, score.version) == (signal.name, signal.version)
        on = (at - seconds(START) - 1) // DAY
        assert score.coverage == COVERAGE.get(on, "ok")
        assert score.reason


@every
def test_scores_come_in_a_fixed_order(signal: Signal) -> None:
    for kind in _kinds(signal):
        steps = {tuple(s.direction for s in step) for step in _run(signal.name, kind).halves}
        assert len(steps) == 1


@every
@pytest.mark.parametrize("seed", [1, 2])
def test_strengths_and_p_values_are_in_bounds_and_unknown_in_the_dark(
    signal: Signal, seed: int
) -> None:
    scores = _scores(signal, seed)
    assert {score.coverage for score in scores} == {"ok", "thin", "dark"}
    for score in scores:
        assert score.p is None or 0.0 <= score.p <= 1.0
        assert score.strength is None or 0.0 <= score.strength < 1_000.0
        if score.state != "scored":
            assert (score.p, score.strength, score.claim) == (None, None, None)
        if score.coverage == "dark" and signal.indicator:
            assert score.state == "unknown"
            assert score.evidence == ()


@every
def test_what_has_a_strength_has_all_that_is_summed(signal: Signal) -> None:
    scores = [score for score in _scores(signal) if score.strength is not None]
    assert bool(scores) == bool(signal.indicator)
    for score in scores:
        assert score.p is not None
        assert score.usual is not None
        assert score.usual >= 0.0
        assert len(score.daily) == SERIES_DAYS
        assert score.series_end is not None
        if score.strength:
            assert score.observed is not None
            assert score.expected is not None
            assert score.window_days is not None
    kinds = {score.unit: score for score in scores}
    assert len(kinds) == (len(_kinds(signal)) if signal.indicator else 0)


@every
def test_much_of_everything_is_strong_somewhere(signal: Signal) -> None:
    """Where everything is ten times as frequent, a signal that never moves is none."""
    scores = _scores(signal)
    strongest = max((score.strength or 0.0 for score in scores), default=0.0)
    assert (strongest >= REMARKABLE) == bool(signal.indicator)


@every
def test_claims_can_be_settled_and_come_with_evidence(signal: Signal) -> None:
    claimed = [score for score in _scores(signal) if score.claim is not None]
    assert bool(claimed) == bool(signal.indicator)
    for score in claimed:
        claim = score.claim
        assert claim is not None
        resolver = claim.resolver
        assert (resolver.indicator, resolver.unit) == (signal.indicator, score.unit)
        assert can_settle(resolver, INDICATORS, series_days=SERIES_DAYS)
        assert 0.0 <= claim.probability <= 1.0
        assert 0.0 <= claim.base_rate <= 1.0
        assert str(resolver.count) in claim.statement
        assert (score.strength or 0.0) >= REMARKABLE - 1e-3
        assert resolver.settle_at > score.at


@every
def test_evidence_is_of_incidents_that_were_told(signal: Signal) -> None:
    for score in _scores(signal):
        ids = [ref.id for ref in score.evidence]
        assert len(set(ids)) == len(ids)
        for ref in score.evidence:
            assert ref.publishers
            assert ref.events
            assert ref.day <= (score.series_end or date.max)


@every
def test_the_dark_days_of_a_score_are_those_on_which_coverage_was_not_ok(signal: Signal) -> None:
    lost = {day(on) for on in COVERAGE}
    back = {day(on + 1) for on in COVERAGE}  # on its first half nobody knew that it was back
    for score in _scores(signal):
        assert set(score.dark_days) <= lost | back
    if signal.indicator:
        last = _scores(signal)[-1]
        assert {each for each in lost if each >= day(DAYS - SERIES_DAYS)} <= set(last.dark_days)


@every
def test_where_nothing_happens_next_to_nothing_is_said(signal: Signal) -> None:
    """A prior of some incidents makes nothing at all a faint fall, too faint for an episode."""
    for kind in _kinds(signal):
        found = run(signal, (), DAYS, unit=UNIT_OF[kind], country=UNITS[UNIT_OF[kind]].country)
        for step in found.halves:
            for score in step:
                assert (score.strength or 0.0) < (0.0001 if score.direction == "rise" else QUIET)
                assert (score.claim, score.evidence) == (None, ())
        usual = [s.usual for s in found.halves[-1] if s.usual is not None]
        assert all(each < 0.1 for each in usual)


@every
def test_one_report_in_months_wakes_nobody(signal: Signal) -> None:
    for kind in _kinds(signal):
        unit = UNIT_OF[kind]
        told = [event("w-1/0", 70, unit=unit, place=PLACES[0], killed=toll(1))]
        found = run(signal, told, 100, unit=unit, country=UNITS[unit].country)
        assert max(s.strength or 0.0 for step in found.halves for s in step) < 3.0


@every
def test_a_unit_is_first_learned(signal: Signal) -> None:
    if signal.indicator:
        for kind in _kinds(signal):
            for step in _run(signal.name, kind).halves[:14]:
                assert {score.state for score in step} <= {"learning", "unknown"}


@every
def test_a_signal_is_asked_of_what_it_counts_and_not_of_everything(signal: Signal) -> None:
    """What measures coverage alone is asked of nothing; no signal is asked of every type."""
    asked: Counter[EventType] = Counter()
    told: Counter[EventType] = Counter()
    logs: dict[EventType, IncidentLog] = {}
    for each in _news(UNIT_OF[_kinds(signal)[0]], 1):
        change = logs.setdefault(each.event, IncidentLog()).take(each, seconds(each.seen_at) + 1)
        for incident in change.new:
            told[each.event] += 1
            asked[each.event] += signal.concerns(incident)
    assert bool(sum(asked.values())) == (signal.name != "M1")
    assert sum(asked.values()) < sum(told.values())


def test_signals_that_share_an_indicator_count_the_same() -> None:
    """What a claim counts must not depend on whose score it is settled by."""
    shared = [name for name, n in Counter(s.indicator for s in SIGNALS.values()).items() if n > 1]
    for indicator in shared:
        signals = [s for s in SIGNALS.values() if indicator and s.indicator == indicator]
        for one, other in pairwise(signals):
            for kind in set(_kinds(one)) & set(_kinds(other)):
                pairs = zip(_run(one.name, kind).halves, _run(other.name, kind).halves, strict=True)
                for mine, theirs in pairs:
                    assert mine[0].daily == theirs[0].daily


@every
def test_scores_survive_the_wire(signal: Signal) -> None:
    for score in _scores(signal):
        assert msgspec.json.decode(msgspec.json.encode(score), type=Score) == score


@pytest.mark.parametrize("kind", UNIT_OF)
def test_all_signals_of_a_unit_can_be_summed(kind: Kind) -> None:
    """At every step: the strongest whole, the others half; the sum can settle its claim."""
    names = [name for name, signal in SIGNALS.items() if kind in signal.kinds]
    halves: Any = zip(*(_run(name, kind).halves for name in names), strict=True)
    claims = 0
    for half, told in enumerate(halves):
        scores = {f"{s.signal}/{s.direction}": s for step in told for s in step}
        on = half // 2
        seen = Observation(
            unit=UNIT_OF[kind],
            country="AFG",
            at=seconds(START) + (half + 1) * DAY // 2,
            half_day=2 * day_number(START.date()) + half,
            coverage=COVERAGE.get(on, "ok"),
            share=1.0,
            incidents=IncidentLog(),
        )
        for summed in sum_up(seen, scores):
            parts = [s for s in scores.values() if s.direction == summed.direction]
            if seen.coverage == "dark":
                assert (summed.state, summed.strength, summed.claim) == ("unknown", None, None)
            elif summed.state == "scored":
                first, *others = sorted((s.strength or 0.0 for s in parts), reverse=True)
                assert summed.strength == pytest.approx(first + SHARED * sum(others), abs=1e-3)
            if summed.claim is not None:
                claims += 1
                resolver = summed.claim.resolver
                assert can_settle(resolver, INDICATORS, series_days=SERIES_DAYS)
    assert claims
