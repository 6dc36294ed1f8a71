"""M2: open warnings, what answers them, and how long that takes."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from detectors.records import Event
from detectors.signals.warning_gap import OPEN_FOR, WarningGap, median_time
from tests.core_records import event, town
from tests.signal_records import FIRST, run

SIGNAL = WarningGap()


def _warning(day: int, *about: str, family: str = "wire", **changes: Any) -> Event:
    base = event(
        f"{family}-warns-{day}-{'-'.join(about)}/0",
        day,
        unit="AFG",
        event="REQUEST",
        themes=("warning",),
        actors=about,
        voices=("un",),
        publisher=family,
        source=family,
        place=town("Kabul", "AF-KAB"),
    )
    return msgspec.structs.replace(base, **changes)


def _response(day: int, *about: str, witnesses: int = 2, **changes: Any) -> list[Event]:
    told = {"event": "AID", "unit": "AFG", "place": town("Kabul", "AF-KAB"), **changes}
    return [
        event(f"{family}-acts-{day}/0", day, actors=about, publisher=family, source=family, **told)
        for family in ("wire", "post", "radio")[:witnesses]
    ]


def _run(events: list[Event], days: int, **changes: Any) -> Any:
    return run(SIGNAL, events, days, unit="AFG", **changes)


def test_an_open_warning_grows_older_and_is_told() -> None:
    found = _run([_warning(5, "iskp")], 40)
    score = found.on(30)
    assert "1 warning open, the oldest for 25 days (since 2024-01-06)" in score.reason
    assert score.window_days == 25
    assert len(score.evidence) == 1
    assert found.on(4).reason.startswith("0 warnings open")


def test_it_adds_no_strength_and_makes_no_claim() -> None:
    for scores in _run([_warning(5, "iskp"), *_response(20, "iskp")], 40).halves:
        assert all((s.strength, s.usual, s.claim, s.p) == (None, None, None, None) for s in scores)


def test_a_response_on_the_subject_answers_it() -> None:
    found = _run([_warning(5, "iskp"), *_response(20, "iskp")], 40)
    assert "0 warnings open; 1 of 1 answered, median time to a response 15 days" in (
        found.on(30).reason
    )


def test_what_is_about_something_else_or_came_before_answers_nothing() -> None:
    other = _run([_warning(5, "iskp"), *_response(20, "ttp")], 30)
    before = _run([*_response(3, "iskp"), _warning(5, "iskp")], 30)
    alone = _run([_warning(5, "iskp"), *_response(20, "iskp", witnesses=1)], 30)
    for found in (other, before, alone):
        assert found.on(29).reason.startswith("1 warning open")


def test_a_second_witness_who_comes_later_counts() -> None:
    first, second = _response(20, "iskp")
    late = msgspec.structs.replace(second, seen_at=second.seen_at.replace(day=23))
    found = _run([_warning(5, "iskp"), first, late], 30)
    assert found.on(21).reason.startswith("1 warning open")
    assert found.on(25).reason.startswith("0 warnings open")


def test_a_warning_repeated_within_a_week_is_one() -> None:
    soon = _run([_warning(5, "iskp"), _warning(9, "iskp", family="post")], 20)
    later = _run([_warning(5, "iskp"), _warning(15, "iskp", family="post")], 20)
    assert soon.on(19).observed == 1
    assert later.on(19).observed == 2


def test_a_warning_nobody_answers_runs_out_and_is_not_called_answered() -> None:
    found = _run([_warning(5, "iskp")], OPEN_FOR + 20)
    last = found.on(OPEN_FOR + 19)
    assert last.reason == ("0 warnings open; 0 of 1 answered, median time to a response not known")


def test_in_the_dark_it_is_unknown_and_goes_on_afterwards() -> None:
    found = _run([_warning(5, "iskp")], 40, coverage=dict.fromkeys(range(10, 15), "dark"))
    assert found.on(12).state == "unknown"
    assert found.on(12).observed is None
    assert found.on(20).window_days == 15
    assert found.state.open[0].dark == 5


def test_a_checkpoint_changes_nothing_and_a_busy_year_stays_small() -> None:
    busy = [_warning(day, f"group-{day % 17}", "afg-forces") for day in range(365)]
    busy += [each for day in range(0, 365, 9) for each in _response(day, f"group-{day % 17}")]
    kept, restarted = _run(busy, 365), _run(busy, 365, restart=True)
    assert kept.halves == restarted.halves
    assert len(msgspec.json.encode(kept.state)) < 8192
    assert kept.state.today == FIRST + 364


times = st.lists(st.tuples(st.integers(1, 180), st.booleans()), max_size=30)


@given(times)
def test_the_median_is_a_day_on_which_something_was_answered(times: list[tuple[int, bool]]) -> None:
    middle = median_time(times)
    assert middle is None or (middle, True) in times


@given(times, st.integers(1, 180))
def test_a_warning_still_open_never_shortens_the_median(
    times: list[tuple[int, bool]], age: int
) -> None:
    before, after = median_time(times), median_time([*times, (age, False)])
    assert after is None or (before is not None and after >= before)
