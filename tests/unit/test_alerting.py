"""The alert's life: what opens, freezes, steps down, resolves and settles it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest

from detectors.alerting import Desk, DeskState, Policy
from detectors.budget import Budget
from detectors.records import Alert, Score, Tick
from detectors.timegrid import Grid
from tests.core_records import claim, clock, day, score, tick, unseen, witnessed

Fed = Score | Tick
#: Budgets so far apart that these strengths keep their severity, whatever was spent or saved.
POLICY = Policy(Budget(watch=6.0, warning=0.3, critical=0.0005))
WATCH, WARNING, CRITICAL, BETWEEN, USUAL = 4.0, 16.0, 400.0, 0.8, 0.0


def _desk(records: Iterable[Fed], desk: Desk | None = None) -> list[Alert]:
    desk = desk or Desk(Grid(), POLICY)
    return desk.take(enumerate(records, desk.state.offset + 1)).alerts


def _told(*days: float | Score | None, **changes: Any) -> list[Fed]:
    """Return a score for each day, from its strength (None: dark), each followed by a tick."""
    records: list[Fed] = []
    for on, strength in enumerate(days):
        at = clock(on, 1)
        if isinstance(strength, Score):
            records.append(strength)
        else:
            lost = strength is None
            records.append(unseen(at, **changes) if lost else score(at, strength, **changes))
        records.append(tick(at))
    return records


def _unsettled(alerts: Sequence[Alert]) -> list[Alert]:
    """Leave out the revisions that only settle a claim."""
    return [a for a in alerts if not a.changed.startswith("claim settled")]


def _states(alerts: Sequence[Alert]) -> list[str]:
    return [a.state for a in alerts]


@pytest.mark.parametrize(
    ("changes", "opens"),
    [
        pytest.param({}, True, id="strong evidence with two witnesses and a claim opens"),
        pytest.param({"strength": BETWEEN}, False, id="evidence within the budget does not"),
        pytest.param({"claim": None}, False, id="without a claim none opens"),
        pytest.param(
            {"evidence": witnessed(["wire"])}, False, id="one witness is not enough for a rise"
        ),
        pytest.param({"evidence": ()}, False, id="no witness is not enough for a rise"),
        pytest.param({"coverage": "thin"}, False, id="thin coverage opens none"),
        pytest.param(
            {"coverage": "dark", "state": "unknown", "strength": None},
            False,
            id="the dark opens none",
        ),
        pytest.param(
            {"strength": None, "state": "learning"}, False, id="while learning none opens"
        ),
        pytest.param({"direction": "fall", "evidence": ()}, True, id="a fall needs no witness"),
        pytest.param({"signal": "M1"}, False, id="coverage opens none"),
        pytest.param({"signal": "S1"}, False, id="a single signal opens none"),
        pytest.param(
            {"claim": claim(1, 14, 5, indicator="rainfall")},
            False,
            id="a claim about what nobody counts opens none",
        ),
    ],
)
def test_what_opens_an_alert(changes: dict[str, Any], opens: bool) -> None:
    given = score(clock(0, 1), changes.pop("strength", WATCH), **changes)
    alerts = _desk([given, tick(given.at)])
    assert _states(alerts) == (["open"] if opens else [])


def test_an_alert_repeats_what_it_was_opened_on() -> None:
    given = score(clock(0, 1), WATCH)
    (alert,) = _desk([given, tick(given.at)])
    assert alert.id == "S1-rise-AF-KAN-20240101T010000Z"
    assert (alert.revision, alert.severity, alert.changed) == (0, "watch", "opened")
    assert (alert.at, alert.opened_at) == (given.at, given.at)
    for name in (
        "p",
        "strength",
        "parts",
        "observed",
        "expected",
        "window_days",
        "coverage",
        "reason",
        "evidence",
    ):
        assert getattr(alert, name) == getattr(given, name)
    assert alert.claim == given.claim
    assert alert.outcome is None


@pytest.mark.parametrize(
    ("strength", "severity"),
    [
        pytest.param(WATCH, "watch", id="watch"),
        pytest.param(WARNING, "warning", id="warning"),
        pytest.param(CRITICAL, "critical", id="critical"),
        pytest.param(1e6, "critical", id="as strong as can be"),
    ],
)
def test_severity_follows_from_the_strength(strength: float, severity: str) -> None:
    assert [a.severity for a in _desk(_told(strength))] == [severity]


def test_an_alert_that_goes_on_opens_no_second() -> None:
    assert _states(_desk(_told(*[WATCH] * 5))) == ["open"]


def test_the_other_direction_and_other_units_have_alerts_of_their_own() -> None:
    at = clock(0, 1)
    given = [
        score(at, WATCH, unit=unit, direction=direction)
        for unit in ("AF-KAN", "AFG")
        for direction in ("rise", "fall")
    ]
    assert len({a.id for a in _desk([*given, tick(at)])}) == 4


@pytest.mark.parametrize(
    ("first", "second", "indicator", "ended"),
    [
        pytest.param("fall", "rise", "violent_incidents", True, id="a rise ends a fall"),
        pytest.param("rise", "fall", "violent_incidents", True, id="a fall ends a rise"),
        pytest.param("fall", "rise", "border_incidents", False, id="of other counts it does not"),
        pytest.param("rise", "rise", "violent_incidents", False, id="the same opens no second"),
    ],
)
def test_what_is_opposite_of_the_same_counts_ends(
    first: str, second: str, indicator: str, ended: bool
) -> None:
    other = claim(1, 14, 5, indicator=indicator)
    given: list[Fed] = [
        score(clock(0, 1), WATCH, direction=first),
        tick(clock(0, 1)),
        score(clock(1, 1), WATCH, direction=second, claim=other),
        tick(clock(1, 1)),
    ]
    alerts = _desk(given)
    resolved = [a for a in alerts if a.state == "resolved"]
    assert [a.direction for a in resolved] == ([first] if ended else [])
    assert [a.changed for a in resolved] == [
        f"ended by the {second} that {a.id} tells of" for a in alerts[1:] if a.state == "open"
    ][: len(resolved)]


def test_what_is_frozen_is_not_ended_by_its_opposite() -> None:
    given: list[Fed] = [
        score(clock(0, 1), WATCH, direction="fall"),
        tick(clock(0, 1)),
        unseen(clock(1, 1), direction="fall"),
        tick(clock(1, 1)),
        score(clock(2, 1), WATCH, direction="rise"),
        tick(clock(2, 1)),
    ]
    assert _states(_desk(given)) == ["open", "frozen", "open"]


def test_severity_is_raised_at_once() -> None:
    alerts = _desk(_told(WATCH, CRITICAL))
    assert [(a.revision, a.severity) for a in alerts] == [(0, "watch"), (1, "critical")]
    assert alerts[-1].at == clock(1, 1)
    assert "from watch to critical" in alerts[-1].changed


def test_severity_falls_one_level_at_a_time_after_three_days_each() -> None:
    alerts = _desk(_told(CRITICAL, *[BETWEEN] * 9))
    assert [(a.severity, (a.at - clock(1, 1)).days) for a in alerts[1:]] == [
        ("warning", 3),
        ("watch", 6),
    ]


def test_a_relapse_starts_the_three_days_anew() -> None:
    alerts = _desk(_told(WARNING, BETWEEN, BETWEEN, WARNING, BETWEEN, BETWEEN, BETWEEN, BETWEEN))
    assert [(a.severity, a.at) for a in alerts[1:]] == [("watch", clock(7, 1))]


def test_after_a_week_as_usual_an_alert_is_resolved() -> None:
    alerts = _desk(_told(WATCH, *[USUAL] * 9))
    assert _states(alerts) == ["open", "resolved"]
    assert alerts[-1].at == clock(8, 1)


@pytest.mark.parametrize("strength", [BETWEEN, 1.5 * BETWEEN])
def test_between_opening_and_usual_an_alert_stays_as_it_is(strength: float) -> None:
    alerts = _desk(_told(WATCH, *[strength] * 40))
    assert {a.state for a in alerts} == {"open"}
    assert [a.changed for a in alerts] == ["opened", "claim settled: FALSE"]


def test_a_bad_day_starts_the_quiet_week_anew() -> None:
    alerts = _desk(_told(WATCH, *[USUAL] * 6, BETWEEN, *[USUAL] * 8))
    assert [a.at for a in alerts if a.state == "resolved"] == [clock(15, 1)]


def test_after_its_end_a_unit_may_open_another() -> None:
    alerts = _desk(_told(WATCH, *[USUAL] * 8, WATCH))
    assert _states(alerts) == ["open", "resolved", "open"]
    assert len({a.id for a in alerts}) == 2


def test_after_sixty_days_an_alert_expires() -> None:
    alerts = _unsettled(_desk(_told(*[WATCH] * 62)))
    assert _states(alerts) == ["open", "expired", "open"]
    assert alerts[1].at == clock(60, 1)


@pytest.mark.parametrize("coverage", ["dark", "thin"])
def test_when_coverage_is_lost_an_alert_freezes_and_when_it_is_back_goes_on(coverage: str) -> None:
    lost = [unseen(clock(n, 1), coverage) for n in (1, 2, 3)]
    alerts = _desk(_told(WATCH, *lost, WATCH))
    assert _states(alerts) == ["open", "frozen", "open"]
    assert alerts[1].coverage == coverage
    assert (alerts[1].at, alerts[2].at) == (clock(1, 1), clock(4, 1))


def test_what_is_frozen_neither_resolves_nor_expires() -> None:
    lost = [unseen(clock(n, 1)) for n in range(2, 90)]
    alerts = _unsettled(_desk(_told(WATCH, USUAL, *lost)))
    assert _states(alerts) == ["open", "frozen"]


def test_days_in_the_dark_are_not_days_as_usual() -> None:
    """Two days as usual, six in the dark, one as usual: three quiet days, not nine."""
    lost = [unseen(clock(n, 1)) for n in range(3, 9)]
    alerts = _desk(_told(WATCH, USUAL, USUAL, *lost, 0.5, 0.5))
    assert _states(alerts) == ["open", "frozen", "open"]


def test_days_in_the_dark_do_not_lower_severity() -> None:
    lost = [unseen(clock(n, 1)) for n in range(2, 8)]
    alerts = _desk(_told(CRITICAL, BETWEEN, *lost, BETWEEN))
    assert {a.severity for a in alerts} == {"critical"}


def test_frozen_alerts_do_not_rise_either() -> None:
    lost = unseen(clock(1, 1), "thin")
    alerts = _desk(_told(WATCH, msgspec.structs.replace(lost, strength=CRITICAL)))
    assert [(a.state, a.severity) for a in alerts] == [("open", "watch"), ("frozen", "watch")]


def _counted(on: int, count: int, dark: tuple[int, ...] = ()) -> Score:
    """Return a usual score of day `on`, with `count` incidents on day 10."""
    daily = tuple(count if n == 10 else 0 for n in range(on - 27, on + 1))
    given = score(clock(on, 1), USUAL, daily=daily, series_end=day(on))
    return msgspec.structs.replace(given, dark_days=tuple(day(n) for n in dark))


@pytest.mark.parametrize(
    ("count", "dark", "verdict"),
    [
        pytest.param(5, (), "HIT", id="what was claimed came"),
        pytest.param(4, (), "FALSE", id="what was claimed did not come"),
        pytest.param(4, (10,), "VOID", id="what was claimed could not be seen"),
        pytest.param(5, (10,), "HIT", id="what was claimed came in spite of the dark"),
    ],
)
def test_a_claim_is_settled_at_its_time(count: int, dark: tuple[int, ...], verdict: str) -> None:
    opened = score(clock(0, 1), WATCH, claim=claim(1, 14, 5))
    days = [_counted(on, count, dark) for on in range(1, 22)]
    alerts = _desk(_told(opened, *days))
    assert _states(alerts) == ["open", "resolved", "resolved"]
    settled = alerts[-1]
    assert settled.outcome is not None
    assert (settled.outcome.verdict, settled.outcome.at) == (verdict, clock(19))
    assert settled.at == clock(19)
    assert [a.revision for a in alerts] == [0, 1, 2]
    assert len({msgspec.json.encode(a.claim) for a in alerts}) == 1


def test_a_claim_is_settled_while_its_alert_lives_on() -> None:
    alerts = _desk(_told(*[WATCH] * 25))
    assert [(a.state, a.outcome and a.outcome.verdict) for a in alerts] == [
        ("open", None),
        ("open", "FALSE"),
    ]


def test_time_alone_ages_and_settles() -> None:
    """After the last score only ticks come: quiet, resolution and settlement still happen."""
    ticks = [tick(clock(n)) for n in range(2, 40)]
    alerts = _desk([*_told(WATCH, USUAL), *ticks])
    assert _states(alerts) == ["open", "resolved", "resolved"]
    assert alerts[1].at == clock(8, 1)


def test_a_step_is_over_when_all_partitions_upstream_have_passed_it() -> None:
    desk = Desk(Grid(), POLICY)
    assert _desk([score(clock(0, 1), WATCH), tick(clock(0, 2), partition=0, of=2)], desk) == []
    assert _states(_desk([tick(clock(0, 1), partition=1, of=2)], desk)) == ["open"]


def test_a_score_sent_twice_changes_nothing() -> None:
    given = score(clock(0, 1), WATCH)
    desk = Desk(Grid(), POLICY)
    assert len(_desk([given, given, tick(given.at)], desk)) == 1
    assert _desk([given, tick(clock(0, 2))], desk) == []


def test_foreign_state_is_refused() -> None:
    with pytest.raises(ValueError, match="start from a replay"):
        Desk(Grid(), POLICY).restore(DeskState(version="desk@2"))


def test_the_checkpoint_of_the_version_before_is_refused_by_name() -> None:
    """It held less in its mark, and the alerts beside it."""
    before = b'{"version":"desk@2","offset":7,"closed":1704067200,"watermarks":{"times":{}}}'
    with pytest.raises(ValueError, match="state is of desk@2, this is desk@3"):
        Desk(Grid(), POLICY).restore(msgspec.json.decode(before, type=DeskState))
