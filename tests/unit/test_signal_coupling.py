"""S4: when incidents on one side of a border follow those on the other, and when they do not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.ledger import can_settle
from detectors.records import Event
from detectors.series import SERIES_DAYS
from detectors.signals.coupled import CELLS, Cells, Day, either, evidence, ratios, trace
from detectors.signals.coupling import CrossBorderCoupling
from tests.core_records import event, town
from tests.signal_records import Run, run

STRONG = 2.0  # nats
SIGNAL = CrossBorderCoupling()
UNIT = "AF-NAN~PK-KP"
AFGHAN, PAKISTANI = town("Lal Pur", "AF-NAN"), town("Landi Kotal", "PK-KP")
MODES = ("firearms", "heavy-weapons", "explosives", "suicide-attack", "abduct", "assassinate")


def _attacks(side: int, days: Sequence[int], **changes: Any) -> list[Event]:
    """Return one attack of a side for each of some days, each on other people."""
    found = []
    for number, on in enumerate(days):
        base = event(
            f"wire-{side}-{number}/0",
            on,
            unit=UNIT,
            place=(AFGHAN, PAKISTANI)[side],
            mode=MODES[number % len(MODES)],
        )
        found.append(msgspec.structs.replace(base, **changes))
    return found


def _run(events: Sequence[Event], days: int, **changes: Any) -> Run:
    return run(SIGNAL, events, days, unit=UNIT, **changes)


#: Attacks on one side on three days, each answered on the other a day or two later.
LED = [80, 80, 80, 90, 90, 90, 100, 100, 100]
ANSWERS = [81, 81, 82, 91, 91, 92, 101, 101, 102]
QUIET = [5, 20, 34, 51, 66]  # of either side


def test_answers_across_the_border_are_found() -> None:
    found = _run([*_attacks(0, [*QUIET, *LED]), *_attacks(1, [*QUIET, *ANSWERS])], 110)
    assert max(found.strengths(25, 80)) < STRONG  # before the first answer
    score = found.on(102)
    assert (score.strength or 0) >= STRONG
    assert "on the Pakistani side in 28 days" in score.reason
    assert "follow from those of the other side" in score.reason
    assert score.evidence
    claim = score.claim
    assert claim is not None
    assert can_settle(claim.resolver, {SIGNAL.indicator}, series_days=SERIES_DAYS)
    assert 0.0 < claim.base_rate < claim.probability < 1.0


def test_the_other_way_is_found_alike() -> None:
    found = _run([*_attacks(1, [*QUIET, *LED]), *_attacks(0, [*QUIET, *ANSWERS])], 110)
    assert (found.on(102).strength or 0) >= STRONG
    assert "on the Afghan side in 28 days" in found.on(102).reason


def test_a_wave_on_one_side_is_no_coupling() -> None:
    found = _run([*_attacks(0, [*QUIET, *LED, *ANSWERS]), *_attacks(1, QUIET)], 110)
    assert found.strengths(67, 109) == [0.0] * 43


def test_incidents_that_come_months_apart_are_no_coupling() -> None:
    later = [day + 60 for day in ANSWERS]
    found = _run([*_attacks(0, [*QUIET, *LED]), *_attacks(1, [*QUIET, *later])], 175)
    assert max(found.strengths(25, 174)) < STRONG


def test_independent_series_are_silent() -> None:
    rng = Random(4)
    sides = [[day for day in range(250) for _ in range(2) if rng.random() < 0.15] for _ in (0, 1)]
    found = _run([*_attacks(0, sides[0]), *_attacks(1, sides[1])], 250)
    over = [strength for strength in found.strengths(40, 249) if strength >= STRONG]
    assert not over


def test_what_names_no_side_counts_for_the_whole_only() -> None:
    nowhere = _attacks(0, [60, 62, 64], place=None)
    found = _run(nowhere, 70)
    assert sum(found.on(69).daily) == 3
    assert not any(side.series.counts for side in found.state.sides)


def test_dark_days_are_unknown_and_no_lull() -> None:
    events = [*_attacks(0, [*QUIET, *LED]), *_attacks(1, [*QUIET, *ANSWERS])]
    found = _run(events, 115, coverage=dict.fromkeys(range(103, 108), "dark"))
    for each in range(103, 108):
        assert (found.on(each).state, found.on(each).claim) == ("unknown", None)
    assert (found.on(108).strength or 0) > 1.0
    assert len(found.on(110).dark_days) == 5


def test_an_empty_border_says_nothing() -> None:
    found = _run([], 40)
    assert found.on(12).state == "learning"
    assert found.strengths(25, 39) == [0.0] * 15
    assert found.on(39).usual is not None


def test_a_late_report_counts_on_its_day() -> None:
    """Told five days late or at once: once both are known, the days are the same."""
    events = [*_attacks(0, [*QUIET, *LED]), *_attacks(1, QUIET)]
    at_once = _attacks(1, [95])
    late = [msgspec.structs.replace(at_once[0], id="late/0", seen_at=_seen(98))]
    assert _run([*events, *late], 100).on(99).daily == _run([*events, *at_once], 100).on(99).daily


def _seen(on: int) -> datetime:
    return event(on=on).seen_at


def test_a_state_goes_on_from_a_checkpoint_and_stays_small() -> None:
    rng = Random(1)
    sides = [[day for day in range(120) for _ in range(3) if rng.random() < 0.4] for _ in (0, 1)]
    events = [*_attacks(0, sides[0]), *_attacks(1, sides[1])]
    dark = {day: "thin" for day in range(20, 120, 9)}
    kept, again = _run(events, 120, coverage=dark), _run(events, 120, restart=True, coverage=dark)
    assert msgspec.json.encode(kept.halves) == msgspec.json.encode(again.halves)
    assert len(msgspec.json.encode(kept.state)) <= 8_192


@pytest.mark.parametrize("side", [0, 1])
def test_while_nothing_speaks_for_either_way_the_busier_side_is_told(side: int) -> None:
    found = _run(_attacks(side, [5, 8]), 27)  # what came while it learned is no evidence
    name = ("Afghan", "Pakistani")[side]
    for half in found.halves[44:]:
        assert half[0].reason.startswith(f"2 violent incidents on the {name} side")


@pytest.mark.parametrize(
    ("unit", "side"), [("AF-NAN", 0), ("PK-KP", 1), (None, None), ("IR-11", None)]
)
def test_a_side_is_that_of_the_unit(unit: str | None, side: int | None) -> None:
    place = None if unit is None else town("A town", unit)
    found = _run([event(place=place, unit=UNIT)], 1)
    counted = [n for n, each in enumerate(found.state.sides) if each.series.counts]
    assert counted == ([] if side is None else [side])


def _days(counts: Sequence[int], usual: float, other: float) -> list[Day]:
    own = (0.0, 0.0)
    days = []
    for count in counts:
        days.append(Day(count, usual, 1.0, 5.0, own, (other, other), 1.0))
        own = trace(own, count - usual)
    return days


def _cells(days: Sequence[Day]) -> Cells:
    return [sum(cell) for cell in zip(*map(ratios, days), strict=True)]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.floats(0.02, 3.0))
def test_without_an_excess_of_the_other_side_there_is_no_evidence(
    counts: list[int], usual: float
) -> None:
    cells = _cells(_days(counts, usual, -1.0))
    assert len(cells) == CELLS
    assert evidence(cells) == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.floats(0.02, 3.0), st.floats(0, 5))
def test_quiet_days_after_an_excess_speak_against_coupling(
    counts: list[int], usual: float, other: float
) -> None:
    quiet = _cells(_days([0] * len(counts), usual, other))
    assert evidence(quiet) <= 1e-9
    assert np.isfinite(evidence(_cells(_days(counts, usual, other))))


@settings(max_examples=50)
@given(st.integers(0, 9), st.floats(0.02, 3.0), st.floats(-1, 5), st.floats(-1, 5))
def test_a_ratio_is_that_of_two_negative_binomials(
    count: int, usual: float, own: float, other: float
) -> None:
    """By the formula of the model, for each account, written out."""
    found = ratios(Day(count, usual, 0.6, 5.0, (own, -own), (other, other / 2), 0.8))
    accounts = [
        max(usual + mine, 0.2 * usual) + 0.8 * theirs
        for mine in (0.0, 0.3 * own, 0.6 * own, -0.3 * own, -0.6 * own)
        for theirs in (
            max(kernel, 0.0) * each
            for kernel, each in (
                (other, 0.0), (other, 0.2), (other, 0.5), (other, 1.0),
                (other / 2, 0.2), (other / 2, 0.5), (other / 2, 1.0),
            )
        )
    ]  # fmt: skip

    def likelihood(mean: float) -> float:
        share = 0.6 * mean / (5.0 + 0.6 * mean)
        return float(5.0 * np.log1p(-share) + count * np.log(share))

    expected = [likelihood(mean) - likelihood(usual) for mean in accounts]
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_ratio_of_uncoupled_days_is_one_on_average() -> None:
    """The chance of every count by the usual, times its ratio, adds up to 1 for every account."""
    usual, size = 0.7, 4.0
    total, chance = np.zeros(CELLS), (size / (size + usual)) ** size
    for count in range(400):
        day = Day(count, usual, 1.0, size, (0.4, -0.2), (1.5, 0.5), 1.0)
        total += chance * np.exp(ratios(day))
        chance *= (size + count) / (count + 1) * usual / (size + usual)
    assert np.allclose(total, 1.0)


def test_either_way_is_the_mean_of_three() -> None:
    assert either(3.0, -50.0) == pytest.approx(3.0 - np.log(3))
    assert either(3.0, 3.0) > either(3.0, -50.0)
