"""Onsets matched with claims, and leads that do not leave out the misses."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.onsets import Onset
from detectors.records import Alert
from detectors.warned import HORIZON, Call, kaplan_meier, leads, match
from tests.alert_records import alert
from tests.core_records import clock, day

UNIT = "AF-KAN"
#: Local midnight of a day in Kandahar, in days of UTC.
_MIDNIGHT = -4.5 / 24


def _onset(number: int, unit: str = UNIT) -> Onset:
    return Onset(unit, day(number), 9, 3.0, 8, day(number + 3))


def _claim(opened: float, last: int | None = None, name: str = "", **rule: object) -> Alert:
    """Return an alert that opened so many days after `START`, and claims a fortnight from then."""
    at = clock(opened)
    base = alert(1, opened_at=at, id=name or f"S1-rise-{UNIT}-{opened:g}")
    days = {"first_day": at.date(), "last_day": day(int(opened) + 14 if last is None else last)}
    resolver = replace(base.claim.resolver, **{"unit": UNIT, **days, **rule})
    return replace(base, claim=replace(base.claim, resolver=resolver))


@pytest.mark.parametrize(
    ("claim", "called", "lead"),
    [
        pytest.param(_claim(15.0), "ahead", 5 + _MIDNIGHT, id="opened before, still open"),
        pytest.param(_claim(10.0, last=19), "missed", None, id="over the day before"),
        pytest.param(_claim(10.0, last=20), "ahead", 10 + _MIDNIGHT, id="its last day"),
        pytest.param(_claim(19.8), "ahead", 0.2 + _MIDNIGHT, id="minutes before local midnight"),
        pytest.param(_claim(19.9), "late", 0.1 + _MIDNIGHT, id="on the day, by local time"),
        pytest.param(_claim(25.0), "late", -5 + _MIDNIGHT, id="days after"),
        pytest.param(_claim(33.7), "late", -13.7 + _MIDNIGHT, id="in the fortnight"),
        pytest.param(_claim(34.0), "missed", None, id="after the fortnight"),
        pytest.param(_claim(15.0, unit="AF-HEL"), "missed", None, id="of another unit"),
        pytest.param(_claim(15.0, comparison="at_most"), "missed", None, id="of calm"),
        pytest.param(_claim(15.0, indicator="strikes"), "missed", None, id="of another indicator"),
    ],
)
def test_an_onset_is_warned_of_by_a_claim_that_is_open(
    claim: Alert, called: str, lead: float | None
) -> None:
    (call,) = match([_onset(20)], [claim])
    assert call.called == called
    assert call.lead_days == (None if lead is None else pytest.approx(lead, abs=1e-3))
    assert call.alert == (None if lead is None else claim.id)


def test_one_claim_stands_for_one_onset() -> None:
    calls = match([_onset(20), _onset(22)], [_claim(15.0)])
    assert [each.called for each in calls] == ["ahead", "missed"]
    calls = match([_onset(20)], [_claim(15.0), _claim(16.0)])
    assert [each.alert for each in calls] == [_claim(15.0).id]


def test_the_claim_that_ends_first_is_taken_first_so_that_both_onsets_are_warned_of() -> None:
    short, long = _claim(15.0, last=21, name="short"), _claim(14.0, last=40, name="long")
    calls = match([_onset(20), _onset(30)], [long, short])
    assert [each.alert for each in calls] == ["short", "long"]


def test_a_warning_is_not_taken_for_a_late_call() -> None:
    # The claim is late for the first onset and ahead of the second.
    calls = match([_onset(20), _onset(26)], [_claim(22.0)])
    assert [each.called for each in calls] == ["missed", "ahead"]


def _best(onsets: list[Onset], claims: list[Alert]) -> int:
    """Return the most onsets that can be warned of, by trying every way."""
    if not onsets:
        return 0
    best = _best(onsets[1:], claims)
    for i, claim in enumerate(claims):
        if match(onsets[:1], [claim])[0].called == "ahead":
            best = max(best, 1 + _best(onsets[1:], claims[:i] + claims[i + 1 :]))
    return best


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(15, 30), unique=True, max_size=4),
    st.lists(st.tuples(st.integers(5, 30), st.integers(1, 14)), unique=True, max_size=4),
)
def test_as_many_are_matched_as_can_be(days: list[int], spans: list[tuple[int, int]]) -> None:
    onsets = [_onset(number) for number in days]
    claims = [_claim(a, last=a + n, name=f"{a}/{n}") for a, n in spans]
    calls = match(onsets, claims)
    assert sum(call.called == "ahead" for call in calls) == _best(onsets, claims)
    used = [call.alert for call in calls if call.alert]
    assert len(used) == len(set(used))


def test_the_survivor_function_of_the_first_paper_on_it() -> None:
    # Kaplan & Meier (1958), section 2: deaths at 0.8, 3.1, 5.4, 9.2; losses at 1.0, 2.7, 7.0, 12.1.
    deaths, losses = [0.8, 3.1, 5.4, 9.2], [1.0, 2.7, 7.0, 12.1]
    steps = kaplan_meier([*((t, True) for t in deaths), *((t, False) for t in losses)])
    assert [left for _, left, _, _ in steps] == pytest.approx([7 / 8, 7 / 10, 21 / 40, 21 / 80])


def _call(lead: float | None, unseen: float | None = None) -> Call:
    called = "missed" if lead is None else "ahead" if lead > 0 else "late"
    return Call(_onset(20), called, None, lead, unseen)  # type: ignore[arg-type]


def test_leads_by_hand() -> None:
    found = leads([_call(10.0), _call(4.0), _call(-3.0), _call(None)])
    assert (found.onsets, found.ahead, found.late, found.missed) == (4, 2, 1, 1)
    assert found.recall == 0.5
    assert found.mean_days == pytest.approx((10 + 4 + 0 + 0) / 4)
    assert found.median_days == 4.0


def test_misses_are_not_left_out() -> None:
    called = [_call(8.0), _call(6.0)]
    assert leads(called).median_days == 8.0
    assert leads([*called, *[_call(None)] * 3]).median_days is None
    assert leads([*called, *[_call(None)] * 3]).mean_days == pytest.approx(14 / 5)
    assert leads([_call(-2.0), _call(-5.0), _call(None)]).median_days == -5.0


def test_what_could_not_be_seen_is_censored_rather_than_missed() -> None:
    seen = leads([_call(5.0), _call(None), _call(None)])
    unseen = leads([_call(5.0), _call(None, unseen=-13.0), _call(None, unseen=-12.0)])
    assert seen.mean_days is not None
    assert unseen.mean_days == pytest.approx(5.0)
    assert seen.mean_days < unseen.mean_days
    dark = {UNIT: [day(18), day(30)]}
    assert match([_onset(20)], [], dark)[0].unseen_from == -2.0


def test_nothing_is_not_zero() -> None:
    found = leads([])
    assert (found.recall, found.median_days, found.mean_days) == (None, None, None)
    missed = leads([_call(None)] * 4)
    assert (missed.recall, missed.median_days, missed.mean_days) == (0.0, None, 0.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(-13, 30)), min_size=1, max_size=25))
def test_without_the_dark_the_mean_lead_is_the_plain_mean(values: list[float | None]) -> None:
    found = leads([_call(value) for value in values])
    plain = np.mean([min(max(value or 0.0, 0.0), HORIZON) for value in values])
    assert found.mean_days == pytest.approx(plain, abs=1e-6)
    assert found.mean_interval is not None
    low, high = found.mean_interval
    assert low <= plain + 1e-6
    assert plain - 1e-6 <= high


def test_times_are_those_of_the_unit() -> None:
    at: datetime = clock(20) - timedelta(hours=4.75)  # 23:45 in Kandahar, 00:15 in Peshawar
    for unit, called in (("AF-KAN", "ahead"), ("PK-KP", "late")):
        claim = replace(_claim(15.0, unit=unit), opened_at=at)
        assert match([_onset(20, unit)], [claim])[0].called == called
