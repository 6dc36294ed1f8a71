"""The record of warnings by signal, unit, horizon and month."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from detectors.calibration import LEAST_CLAIMS
from detectors.ledger import skill
from detectors.onsets import Onset
from detectors.records import Alert, Outcome
from detectors.tally import ALL, WAYS, By, Exposure, Facts, forecasts, key_of, table
from tests.alert_records import OPENED, alert

VERDICTS = ["HIT", "FALSE", "FALSE", "VOID", None, "HIT"]
UNITS = ["AF-KAN", "AF-KAN", "PK-KP", "AF-KAN", "PK-KP", "AF-HEL"]


def _alerts() -> list[Alert]:
    """Six alerts, eight days apart: two signals, three units, two horizons, two months."""
    found = []
    for number, (verdict, unit) in enumerate(zip(VERDICTS, UNITS, strict=True)):
        base = alert(8 * number)
        rule = replace(base.claim.resolver, unit=unit)
        horizon = 14 if number < 4 else 7
        outcome = Outcome(verdict, base.at, 3, "") if verdict else None  # type: ignore[arg-type]
        found.append(
            replace(
                base,
                id=f"S{number}",
                unit=unit,
                signal="S1" if number % 2 else "S2",
                claim=replace(base.claim, resolver=rule, horizon_days=horizon),
                outcome=outcome,
            )
        )
    return found


def _onset(number: int, unit: str) -> Onset:
    on = OPENED.date() + timedelta(days=number)
    return Onset(unit, on, 9, 3.0, 8, on)


FACTS = Facts(
    onsets=(_onset(5, "AF-KAN"), _onset(20, "PK-KP"), _onset(20, "AF-ZAB")),
    exposures=(
        Exposure("S1", "AF-KAN", "2026-03", 30),
        Exposure("S2", "AF-KAN", "2026-03", 31),
        Exposure("S1", "PK-KP", "2026-04", 20),
    ),
)


@pytest.mark.parametrize("by", WAYS)
def test_groups_add_up_to_all(by: By) -> None:
    rows = table(_alerts(), FACTS, by)
    whole, groups = rows[0], rows[1:]
    assert whole.key == ALL
    for name in ("claims", "hits", "false", "void", "open"):
        assert sum(getattr(row.skill, name) for row in groups) == getattr(whole.skill, name)
    for row in groups:
        mine = [each for each in _alerts() if key_of(each, by) == row.key]
        assert row.skill == skill(mine)
    assert len({row.key for row in groups}) == len(groups) > 1


def test_a_group_that_nobody_warned_of_is_there_too() -> None:
    rows = {row.key: row for row in table(_alerts(), FACTS, "unit")}
    assert rows["AF-ZAB"].skill.claims == 0
    leads = rows["AF-ZAB"].leads
    assert leads is not None
    assert (leads.onsets, leads.missed) == (1, 1)
    assert sum(row.leads.onsets for row in rows.values() if row.leads) == 2 * 3  # and all of them


def test_a_signal_is_held_against_all_onsets() -> None:
    for row in table(_alerts(), FACTS, "signal"):
        assert row.leads is not None
        assert row.leads.onsets == 3
    by_name = {row.key: row.leads for row in table(_alerts(), FACTS, "signal")}
    # The claim on Kandahar that was open on day 5 is of S2, that on day 20 in Peshawar too.
    assert [by_name[key].ahead for key in (ALL, "S1 rise", "S2 rise")] == [2, 0, 2]  # type: ignore[union-attr]


def test_a_day_of_two_signals_is_one_day_of_the_unit() -> None:
    rows = {row.key: row for row in table(_alerts(), FACTS, "signal")}
    assert rows[ALL].unit_years == pytest.approx((31 + 20) / 365.25, abs=1e-3)
    assert rows["S1 rise"].unit_years == pytest.approx((30 + 20) / 365.25, abs=1e-3)
    assert rows["S2 rise"].unit_years == pytest.approx(31 / 365.25, abs=1e-3)
    assert rows[ALL].false_per_year == pytest.approx(2 / (51 / 365.25))
    low, high = rows[ALL].false_interval or (0, 0)
    assert low < rows[ALL].false_per_year < high  # type: ignore[operator]


def test_what_is_not_known_is_not_zero() -> None:
    (row,) = table(_alerts(), Facts())
    assert (row.leads, row.unit_years, row.false_per_year, row.false_interval) == (None,) * 4
    assert row.calibration is None
    (row,) = table([], FACTS)
    assert row.skill.precision is None


def test_months_are_in_order_and_horizons_by_length() -> None:
    assert [row.key for row in table(_alerts(), FACTS, "month")] == [ALL, "2026-03", "2026-04"]
    assert [row.key for row in table(_alerts(), FACTS, "horizon")] == [ALL, "7 d", "14 d"]


def test_void_and_open_claims_are_no_forecasts() -> None:
    assert forecasts(_alerts()) == [(0.34, True), (0.34, False), (0.34, False), (0.34, True)]
    many = [replace(_alerts()[0], id=str(n)) for n in range(LEAST_CLAIMS)]
    assert table(many, Facts())[0].calibration is not None
