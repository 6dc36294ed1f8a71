"""What else an alert could be, how far from the usual it is, and what would close it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from detectors.alerting import Policy
from detectors.records import Alert, Casualties, IncidentRef, Outcome, Part, Voice
from streams.commands.alternatives import anniversary, coverage, drift, one_sided
from streams.commands.closing import closing, difference, usual_again
from streams.store import Store
from tests.alert_records import alert, event, incident
from tests.filled_store import tocsin


def _told_by(number: int, publishers: str, *voices: Voice) -> IncidentRef:
    base = incident(f"i{number}", date(2026, 2, 27), (), None)
    return replace(base, publishers=tuple(publishers), voices=voices)


@pytest.mark.parametrize(
    ("incidents", "suspected"),
    [
        pytest.param([], None, id="nothing to look at"),
        pytest.param([_told_by(1, "a"), _told_by(2, "a")], True, id="one publisher"),
        pytest.param([_told_by(1, "a"), _told_by(2, "b")], None, id="no side is cited"),
        pytest.param(
            [_told_by(1, "a", "militant"), _told_by(2, "bc", "militant"), _told_by(3, "c")],
            True,
            id="one side by all that cite one",
        ),
        pytest.param(
            [_told_by(1, "a", "militant"), _told_by(2, "bc", "afg-authorities")],
            False,
            id="each side tells of another",
        ),
        pytest.param(
            [_told_by(1, "a", "militant", "un"), _told_by(2, "b", "militant")],
            False,
            id="both sides of one",
        ),
    ],
)
def test_one_sided_reporting(incidents: list[IncidentRef], suspected: bool | None) -> None:
    assert one_sided(incidents).suspected is suspected


def _past(*days: date, dead: int = 40) -> list[Alert]:
    large = [incident(f"p{day}", day, (), Casualties(dead, dead, dead)) for day in days]
    return [alert(-400, evidence=tuple(large))]


NOW = [incident("n", date(2026, 3, 2), (), None)]


@pytest.mark.parametrize(
    ("earlier", "suspected"),
    [
        pytest.param(_past(date(2025, 3, 1)), True, id="a year and a day"),
        pytest.param(_past(date(2025, 3, 13)), True, id="an Islamic year"),
        pytest.param(_past(date(2025, 2, 1)), False, id="a year and a month"),
        pytest.param(_past(date(2025, 3, 1), dead=4), None, id="a small one is not remembered"),
        pytest.param(_past(date(2026, 1, 1)), None, id="the record is too short"),
        pytest.param([], None, id="no record"),
        pytest.param(
            _past(*[date(2024, 1, 1) + timedelta(days=20 * n) for n in range(20)]),
            None,
            id="so many that any day is near one",
        ),
    ],
)
def test_an_anniversary(earlier: list[Alert], suspected: bool | None) -> None:
    assert anniversary(NOW, [], earlier).suspected is suspected


def test_reports_of_the_past_are_told() -> None:
    found = anniversary(NOW, [event(auxiliary=("historical",)), event("b/1/0")], [])
    assert found.suspected is True
    assert found.text.startswith("1 of its reports")


@pytest.mark.parametrize(
    ("now", "before", "suspected"),
    [
        pytest.param({"a": 10, "b": 10}, {"a": 30, "b": 30}, False, id="the same mix"),
        pytest.param({"c": 12}, {"a": 30, "b": 30}, True, id="one never read before"),
        pytest.param({"a": 6, "b": 4}, {"a": 30, "b": 30}, False, id="chance"),
        pytest.param({"c": 4}, {"a": 30}, None, id="too few now"),
        pytest.param({"c": 12}, {"a": 19}, None, id="too few before"),
    ],
)
def test_a_drift_of_what_is_read(
    now: dict[str, int], before: dict[str, int], suspected: bool | None
) -> None:
    assert drift("publishers", Counter(now), Counter(before)).suspected is suspected


@pytest.mark.parametrize(
    ("direction", "share", "lost", "suspected"),
    [
        ("rise", 0.5, 0, False),
        ("rise", 1.0, 4, True),
        ("fall", 1.0, 0, False),
        ("fall", 0.8, 0, True),
        ("fall", 1.0, 1, True),
    ],
)
def test_thin_coverage(direction: str, share: float, lost: int, suspected: bool) -> None:
    found = coverage(alert(direction=direction, coverage_share=share), lost)
    assert found.suspected is suspected
    assert f"{lost} of the 14 days" in found.text


def test_how_far_from_the_usual_and_since_when() -> None:
    daily = (*(1, 2, 1, 1) * 5, 4, 5, 4, 5, 5)
    end = date(2026, 3, 1)
    found = difference(alert(daily=daily, series_end=end, per_year=0.4))
    assert (found.observed, found.expected, found.per_year) == (23, 9.1, 0.4)
    assert found.more == pytest.approx(13.9)
    assert found.times == pytest.approx(23 / 9.1, abs=1e-3)
    assert found.since == date(2026, 2, 25)


def test_an_old_alert_says_less_rather_than_zero() -> None:
    found = difference(alert(observed=None, expected=None))
    assert (found.more, found.times, found.since, found.per_year) == (None,) * 4


def test_the_days_of_another_indicator_are_not_told_as_its_own() -> None:
    base = alert(unit="AFG~PAK", daily=(1,) * 28, series_end=date(2026, 3, 1))
    assert difference(base).since is None
    told = " ".join(closing(base, [base], Policy()))
    assert "counted up to" not in told


@pytest.mark.parametrize("mean", [0.2, 1.0, 4.0, 9.1, 40.0])
def test_as_usual_is_on_the_side_of_the_mean(mean: float) -> None:
    most, least = usual_again("rise", mean), usual_again("fall", mean)
    assert least - 1 <= mean <= most + 1
    assert usual_again("rise", mean, 2.0) >= most
    assert usual_again("fall", mean, 2.0) <= least


def test_what_would_close_it_is_told_in_numbers() -> None:
    base = alert()
    rule = replace(base.claim.resolver, first_day=date(2026, 3, 3), last_day=date(2026, 3, 16))
    counted = replace(
        base,
        claim=replace(base.claim, resolver=rule),
        daily=(2,) * 28,
        series_end=date(2026, 3, 7),
    )
    told = " ".join(closing(counted, [counted], Policy()))
    assert f"about at most {usual_again('rise', 9.1)} in any 7 days" in told
    expires = base.opened_at + timedelta(days=Policy().longest_days)
    assert f"expires on {expires:%Y-%m-%d}" in told
    assert (
        "fails with fewer than 20 from 2026-03-03 to 2026-03-16; 10 counted up to 2026-03-07"
        in (told)
    )


def test_what_is_over_has_nothing_to_close() -> None:
    first, last = alert(), alert(revision=3, state="resolved")
    settled = replace(last, outcome=Outcome("HIT", last.at, 30, ""))
    assert list(closing(settled, [first, settled], Policy())) == [
        f"It is closed: resolved on {last.at:%Y-%m-%d}"
    ]


def test_the_parts_of_an_alert_are_explained(tmp_path: Path) -> None:
    parts = (Part("S1", 4.21, 23, 9.1, "many incidents"), Part("S99", 1.0, None, None, ""))
    told = alert(signal="S1", id="S1-rise-AF-KAN-1", parts=parts, strength=5.21, per_year=0.31)
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        store.apply("tocsin.alerts.v1", [(0, 0, told)])
    found = tocsin("explain", "S1-rise", data=tmp_path)
    assert found.exit_code == 0, found.stderr
    for words in (
        "S1 Violence surge: +4.2 nats; seen 23, expected 9.1; many incidents",
        "S99 S99: +1.0 nats; seen unknown, expected unknown",
        "0.3 times in a usual year",
        "Seen 23, expected 9.1: 13.9 more, 2.5 times as many",
        "no claim of this signal and direction had been settled",
        "What else it could be",
        "an anniversary: cannot be told",
    ):
        assert words in found.stdout


def test_how_often_such_alerts_were_right_is_told_with_its_number(tmp_path: Path) -> None:
    late = datetime(2027, 1, 1, tzinfo=UTC)
    others = [
        alert(n, signal="S1", id=f"S1-rise-{n}", outcome=Outcome("HIT", late, 3, ""))
        for n in range(3)
    ]
    told = alert(9, signal="S1", id="S1-rise-AF-KAN-9")
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        store.apply("tocsin.alerts.v1", [(0, n, a) for n, a in enumerate([*others, told])])
    found = tocsin("explain", told.id, data=tmp_path)
    assert "When it opened: no claim" in found.stdout
    assert "By now, of all others of its kind: of 3 settled claims 3 came true" in found.stdout
