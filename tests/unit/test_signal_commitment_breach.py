"""S11: what speaks for and against the breach of clauses that are in force on the day.

Days here are real ones, on which clauses of the registry were in force.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.incident_log import IncidentLog
from detectors.ledger import can_settle
from detectors.records import Coverage, Event, EventType, Interval, Score
from detectors.series import SERIES_DAYS
from detectors.signals.base import Observation
from detectors.signals.bearing import bears
from detectors.signals.clause_odds import PRIOR, ClauseOdds, Day, risen
from detectors.signals.commitment_breach import BreachState, CommitmentBreach
from detectors.timegrid import DAY, HALF_DAY, day_number, day_of, instant
from tests.core_records import event, town

SIGNAL = CommitmentBreach()
ONE = 2.0  # nats: what an analyst would want to look at


def _event(on: date, unit: str, *, id: str = "", family: str = "wire", **changes: Any) -> Event:
    at = instant(day_number(on) * DAY + 6 * 3600)
    base = event(
        f"{family}-{on}-{id}/0",
        unit=unit,
        publisher=family,
        source=family,
        seen_at=at,
        place=town(f"Town {id}", unit if len(unit) == 6 else "AF-KAB"),
    )
    return msgspec.structs.replace(base, occurred=Interval(on, on), **changes)


class Told(msgspec.Struct):
    """What S11 said, by day."""

    state: BreachState
    scores: dict[date, Score]

    def first(self, nats: float = ONE) -> date | None:
        """Return the first day on which the strength reached so many nats."""
        return next((d for d, s in self.scores.items() if (s.strength or 0.0) >= nats), None)

    def strength(self, on: date) -> float:
        """Return the strength at the end of a day, 0 where it is not known."""
        return self.scores[on].strength or 0.0

    def most(self, first: date, last: date) -> float:
        """Return the largest strength from first to last."""
        return max(s.strength or 0.0 for d, s in self.scores.items() if first <= d <= last)


def _run(
    events: list[Event],
    unit: str,
    first: date,
    last: date,
    *,
    coverage: dict[date, Coverage] | None = None,
    restart: bool = False,
) -> Told:
    """Run S11 in two half days each day, told what occurred in the first of them."""
    due: dict[date, list[Event]] = {}
    for each in events:
        due.setdefault(each.seen_at.date(), []).append(each)
    logs: dict[EventType, IncidentLog] = {"ASSAULT": IncidentLog()}
    state, scores = SIGNAL.initial(), dict[date, Score]()
    country = "PAK" if unit.startswith("PK") or unit in ("PAK", "ttp") else "AFG"
    for half in range(2 * day_number(first), 2 * day_number(last) + 2):
        at, today = (half + 1) * HALF_DAY, day_of(half // 2)
        told = due.get(today, []) if half % 2 == 0 else []
        changes = [logs.setdefault(e.event, IncidentLog()).take(e, at) for e in told]
        for log in logs.values():
            log.forget(half // 2)
        if restart:
            raw = msgspec.json.decode(msgspec.json.encode(state))
            state = msgspec.convert(raw, BreachState, str_keys=True)
        known = (coverage or {}).get(today, "ok")
        seen = Observation(
            unit=unit,
            country=country,
            at=at,
            half_day=half,
            coverage=known,
            share={"ok": 1.0, "thin": 0.5, "dark": 0.1}[known],
            incidents=logs["ASSAULT"],
            acts={name: log for name, log in logs.items() if name != "ASSAULT"},
            new=tuple(i for change in changes for i in change.new),
            gone=tuple(i for change in changes for i in change.gone),
        )
        state, found = SIGNAL.step(state, seen)
        if found:
            scores[today] = found[0]
    return Told(state, scores)


def _bombings(first: date, last: date, unit: str, each: int, per_day: int = 1) -> list[Event]:
    """Return bombings of the Republic's forces, some each so many days."""
    days = range(day_number(first), day_number(last) + 1, each)
    return [
        _event(
            day_of(day),
            unit,
            id=f"{day}-{n}",
            family=("wire", "post", "radio")[(day + n) % 3],
            mode="explosives",
            actors=("afg-forces", "taliban"),
        )
        for day in days
        for n in range(per_day)
    ]


WINTER = _bombings(date(2020, 1, 1), date(2020, 2, 21), "AF-KDZ", 1)
LULL = _bombings(date(2020, 2, 22), date(2020, 2, 29), "AF-KDZ", 7)
SPRING = _bombings(date(2020, 3, 2), date(2020, 3, 15), "AF-KDZ", 1)


def _kunduz(events: list[Event], last: date = date(2020, 3, 15), **changes: Any) -> Told:
    return _run(events, "AF-KDZ", date(2020, 1, 1), last, **changes)


def test_attacks_that_return_after_the_reduction_speak_for_a_breach() -> None:
    found = _kunduz(WINTER + LULL + SPRING)
    assert found.most(date(2020, 1, 20), date(2020, 2, 29)) < 1.0
    first = found.first()
    assert first is not None
    assert date(2020, 3, 4) <= first <= date(2020, 3, 12)
    score = found.scores[date(2020, 3, 12)]
    assert "reduction-in-violence-continued" in score.reason
    assert "claimed by one side" in score.reason
    assert len(score.evidence) >= 10
    assert score.claim is not None
    assert can_settle(score.claim.resolver, {SIGNAL.indicator}, series_days=SERIES_DAYS)
    assert 0.0 < score.claim.base_rate <= 0.1 < score.claim.probability


def test_a_reduction_that_holds_is_kept() -> None:
    quiet = _bombings(date(2020, 3, 2), date(2020, 3, 15), "AF-KDZ", 5)
    found = _kunduz(WINTER + LULL + quiet)
    assert found.most(date(2020, 2, 22), date(2020, 3, 15)) < 1.0
    assert not found.scores[date(2020, 2, 21)].daily[-1]
    assert sum(found.scores[date(2020, 3, 15)].daily) == len(LULL + quiet)


def test_bombs_while_no_truce_holds_is_no_breach() -> None:
    found = _run(
        _bombings(date(2019, 6, 1), date(2019, 9, 30), "AF-KDZ", 1, 2),
        "AF-KDZ",
        date(2019, 6, 1),
        date(2019, 9, 30),
    )
    assert found.first(0.01) is None
    assert not any(found.scores[date(2019, 9, 30)].daily)


def _ended(family: str, **changes: Any) -> Event:
    return _event(
        date(2022, 11, 28),
        "ttp",
        family=family,
        event="REJECT",
        themes=("truce_ended",),
        actors=("ttp",),
        **changes,
    )


def test_a_truce_that_is_called_off_is_breached_on_that_day() -> None:
    days = date(2022, 9, 1), date(2022, 11, 28)
    one = _run([_ended("wire")], "ttp", *days)
    assert one.first() == date(2022, 11, 28)
    score = one.scores[date(2022, 11, 28)]
    assert "ttp-truce-2022/ttp" in score.reason
    assert (score.observed, len(score.evidence)) == (1, 1)


def test_what_speaks_against_takes_away() -> None:
    days = date(2022, 9, 1), date(2022, 11, 28)
    attacks = [
        _event(
            date(2022, 11, day), "ttp", id=f"{day}", mode="explosives", actors=("pak-police", "ttp")
        )
        for day in (20, 22, 24)
    ]
    longer = _event(
        date(2022, 11, 25),
        "ttp",
        family="post",
        event="AGREE",
        themes=("truce_extended",),
        actors=("pak-government", "ttp"),
    )
    broken, mended = _run(attacks, "ttp", *days), _run([*attacks, longer], "ttp", *days)
    last = date(2022, 11, 27)
    assert broken.strength(last) > ONE
    assert mended.strength(last) < broken.strength(last)
    assert "1 against" in mended.scores[last].reason or not mended.strength(last)


def test_one_witness_who_tells_of_much_on_one_day_says_less_than_several() -> None:
    alone, several = ClauseOdds(0), ClauseOdds(0)
    for odds, witnesses in ((alone, 1), (several, 4)):
        day = odds.days.setdefault(20, Day(witnesses=witnesses))
        for _ in range(4):
            day.add(1.0, 1)
    assert alone.adds(20, 1.0) < several.adds(20, 1.0)
    assert alone.days[20].counted == pytest.approx(2.0)


def test_what_is_due_and_was_not_told_to_be_done_is_overdue() -> None:
    started, due = date(2020, 1, 1), date(2020, 3, 10)
    freed = [
        _event(
            date(2020, 3, day),
            "AFG",
            family=family,
            event="RETREAT",
            mode="release",
            themes=("prisoner_release",),
            actors=("afg-forces", "taliban"),
        )
        for day, family in ((4, "wire"), (6, "post"))
    ]
    owed, done = (_run(some, "AFG", started, date(2020, 3, 20)) for some in ([], freed))
    score = owed.scores[date(2020, 3, 11)]
    assert "overdue" in score.reason
    assert 0.0 < owed.strength(date(2020, 3, 11)) < ONE
    assert score.claim is None
    assert "overdue" not in owed.scores[due].reason
    assert "prisoners-5000" not in done.scores[date(2020, 3, 11)].reason


def test_what_was_due_before_the_watch_began_is_not_called_overdue() -> None:
    found = _run([], "AFG", date(2020, 3, 5), date(2020, 4, 20))
    assert "overdue" not in found.scores[date(2020, 4, 20)].reason


def test_one_attack_that_bears_on_several_clauses_is_one_piece_of_evidence() -> None:
    raid = _event(
        date(2022, 3, 1),
        "AFG",
        event="ACCUSE",
        mode="allege",
        themes=("sanctuary_alleged",),
        actors=("taliban", "ttp"),
    )
    (incident,) = IncidentLog().take(raid, (day_number(date(2022, 3, 1)) + 1) * DAY).new
    weights = [b.nats for b in bears("AFG", incident) if b.clause.holds(date(2022, 3, 1))]
    found = _run([raid], "AFG", date(2022, 1, 1), date(2022, 3, 1))
    assert len(weights) > 2
    assert found.strength(date(2022, 3, 1)) <= max(weights)


def test_in_the_dark_nothing_is_kept_and_nothing_broken() -> None:
    dark: dict[date, Coverage] = {date(2020, 3, day): "dark" for day in range(2, 6)}
    found = _kunduz(WINTER + LULL + SPRING, coverage=dark)
    score = found.scores[date(2020, 3, 3)]
    assert (score.state, score.strength, score.p, score.claim) == ("unknown", None, None, None)
    assert found.strength(date(2020, 3, 12)) > 1.0
    assert len(found.scores[date(2020, 3, 12)].dark_days) == 4


def test_a_quiet_day_that_could_not_be_seen_does_not_speak_for_keeping() -> None:
    odds = ClauseOdds(0, count=20.0, exposure=20.0)
    assert odds.adds(5, 0.1) > odds.adds(5, 1.0)


def test_a_unit_without_clauses_is_not_scored() -> None:
    assert _run([], "AF-KAN~PK-BA", date(2024, 1, 1), date(2024, 1, 3)).scores
    assert not _run([], "jundullah", date(2024, 1, 1), date(2024, 1, 3)).scores


def test_nothing_at_all_says_nothing() -> None:
    found = _run([], "AFG", date(2023, 1, 1), date(2023, 3, 1))
    assert found.first(0.01) is None
    assert "nothing new" in found.scores[date(2023, 3, 1)].reason
    assert (found.scores[date(2023, 3, 1)].usual or 0.0) < 0.1


def test_a_checkpoint_changes_nothing_and_a_busy_year_stays_small() -> None:
    events = _bombings(date(2019, 11, 1), date(2020, 5, 31), "AFG", 1, 8)
    days = date(2019, 11, 1), date(2020, 5, 31)
    kept, restarted = _run(events, "AFG", *days), _run(events, "AFG", *days, restart=True)
    assert kept.scores == restarted.scores
    assert len(msgspec.json.encode(kept.state)) < 8192


@given(st.lists(st.tuples(st.integers(0, 13), st.integers(1, 3)), max_size=12))
def test_log_odds_rise_only_with_what_speaks_for_a_breach(days: list[tuple[int, int]]) -> None:
    odds = ClauseOdds(0, folded=0)
    quiet = risen(odds, 13, lambda _: 1.0, None)
    assert quiet.rise == 0.0
    assert quiet.odds < PRIOR
    for day, witnesses in days:
        brought = odds.days.setdefault(day, Day())
        brought.witnesses = max(brought.witnesses, witnesses)
        brought.add(0.8, 1)
    loud = risen(odds, 13, lambda _: 1.0, None)
    assert loud.odds >= quiet.odds
    assert (loud.rise > 0.0) == bool(days)
