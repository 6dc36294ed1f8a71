"""The alert stage under any sequence of scores, commands and restarts: the same bytes."""

from __future__ import annotations

from typing import Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.alerting import Decided, Desk, DeskState, Policy
from detectors.records import Command, Score, Tick
from detectors.timegrid import Grid
from tests.core_records import claim, clock, day, score, tick, unseen

Fed = Score | Tick | Command
#: Lives go by faster than in earnest, so that runs of some dozen steps see all of one.
POLICY: Final = Policy(quiet_days=2.0, step_down_days=1.0, longest_days=12.0)
STRENGTHS: Final = [0.0, 0.1, 0.5, 3.0, 8.0, 20.0, 200.0]
UNITS: Final = ["AF-KAN", "AF-HEL"]
DIRECTIONS: Final = ["rise", "fall"]


def _restarted(desk: Desk) -> Desk:
    """Return another desk that goes on from the first one's checkpoint."""
    another = Desk(Grid(), POLICY)
    another.restore(msgspec.json.decode(msgspec.json.encode(desk.mark()), type=DeskState))
    return another


def _told(
    on: int, hour: int, unit: str, direction: str, strength: float | None, count: int
) -> Score:
    at = clock(on, hour)
    if strength is None:
        return unseen(at, unit=unit, direction=direction)
    last = claim(on + 1, on + 3, 2)
    daily = (*(0,) * 20, *(count,) * 8)
    return score(
        at, strength, unit=unit, direction=direction, claim=last, daily=daily, series_end=day(on)
    )


def _stream(drawn: list[tuple[int, str, str, float | None, int, str]]) -> list[Fed]:
    """Return scores and commands, some of them ahead of the ticks that end their step."""
    records: list[Fed] = []
    hour = 0
    for hours, unit, direction, strength, count, then in drawn:
        hour += hours
        records.append(_told(hour // 24, hour % 24, unit, direction, strength, count))
        if then == "command":
            alert = f"S1-{direction}-{unit}-{clock(0, hour):%Y%m%dT%H%M%SZ}"
            records.append(Command(f"c-{hour}", alert, "acknowledge", clock(0, hour, 20), "desk"))
        if then != "hold":
            records.append(tick(clock(0, hour)))
    return [*records, tick(clock(0, hour + 400))]


streams = st.lists(
    st.tuples(
        st.sampled_from([1, 7, 24]),
        st.sampled_from(UNITS),
        st.sampled_from(DIRECTIONS),
        st.sampled_from([*STRENGTHS, None]),
        st.integers(0, 2),
        st.sampled_from(["tick", "hold", "command"]),
    ),
    min_size=1,
    max_size=25,
).map(_stream)


def _wire(*decided: Decided) -> list[bytes]:
    """Return all that was decided, without regard to its order."""
    found = [each for one in decided for each in (*one.alerts, *one.refused)]
    return sorted(msgspec.json.encode(each) for each in found)


def _rest(desk: Desk, records: list[Fed]) -> Decided:
    after = desk.state.offset + 1
    return desk.take(enumerate(records[after:], after))


@given(streams, st.data())
@settings(max_examples=25, deadline=None)
def test_a_restart_from_a_checkpoint_gives_the_same_revisions(
    records: list[Fed], data: st.DataObject
) -> None:
    whole = Desk(Grid(), POLICY).take(enumerate(records))
    split = data.draw(st.integers(0, len(records)))
    desk = Desk(Grid(), POLICY)
    before = desk.take(enumerate(records[:split]))
    assert _wire(before, _rest(_restarted(desk), records)) == _wire(whole)


@given(streams)
@settings(max_examples=12, deadline=None)
def test_all_at_once_or_one_by_one_comes_to_the_same(records: list[Fed]) -> None:
    desk = Desk(Grid(), POLICY)
    single = [desk.take([(n, record)]) for n, record in enumerate(records)]
    whole = Desk(Grid(), POLICY).take(enumerate(records))
    assert [each for one in single for each in one.alerts] == whole.alerts
    assert [each for one in single for each in one.refused] == whole.refused
