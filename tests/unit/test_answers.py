"""How long warnings stood unanswered, and which alerts analysts held to be wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from detectors.answers import Answers, Stood, answers, stood
from detectors.ledger import skill
from detectors.records import Alert, Outcome, Remark
from detectors.tally import Facts, contested, table
from tests.alert_records import OPENED, alert

#: Alert 1 opened a day after `OPENED`; its revisions are six hours apart.
FIRST = OPENED + timedelta(days=1)
NOW = FIRST + timedelta(hours=48)


def _life(*changes: dict[str, Any]) -> list[Alert]:
    """Revisions of one alert, each changed in something; the first opens it."""
    known: dict[str, Any] = {}
    found = []
    for revision, each in enumerate(changes):
        known |= each
        found.append(alert(1, revision, **known))
    return found


ACKNOWLEDGED = {
    "state": "acknowledged",
    "acknowledged_by": "desk",
    "acknowledged_at": FIRST + timedelta(hours=6),
}
BACK = {"state": "open", "acknowledged_by": None}


@pytest.mark.parametrize(
    ("revisions", "expected"),
    [
        pytest.param(_life({}), Stood(48.0, "waiting"), id="nobody has answered yet"),
        pytest.param(_life({}, ACKNOWLEDGED), Stood(6.0, "answered"), id="acknowledged"),
        pytest.param(
            _life({}, ACKNOWLEDGED, BACK), Stood(6.0, "answered"), id="the first time counts"
        ),
        pytest.param(
            _life({}, {}, {"state": "retracted"}), Stood(12.0, "answered"), id="retracted"
        ),
        pytest.param(_life({}, {"state": "resolved"}, {}), Stood(6.0, "ended"), id="resolved"),
        pytest.param(_life({}, {"state": "expired"}), Stood(6.0, "ended"), id="expired"),
        pytest.param(_life({}, {"state": "frozen"}), Stood(48.0, "waiting"), id="frozen"),
        pytest.param(_life({"severity": "watch"}), None, id="a watch is no warning"),
        pytest.param(
            _life({"severity": "watch"}, {"severity": "critical"}),
            Stood(42.0, "waiting"),
            id="it stands from when it became grave",
        ),
        pytest.param(
            _life({}, {"severity": "watch"}), Stood(48.0, "waiting"), id="and once grave, it was"
        ),
        pytest.param(
            _life({"severity": "watch"}, ACKNOWLEDGED, {"severity": "warning"}),
            Stood(0.0, "answered"),
            id="somebody was on it before",
        ),
    ],
)
def test_how_long_a_warning_stood(revisions: list[Alert], expected: Stood | None) -> None:
    assert stood(revisions, NOW) == expected


def test_warnings_are_summed_up() -> None:
    known = [
        Stood(2.0, "answered"),
        Stood(5.5, "answered"),
        Stood(30.0, "ended"),
        Stood(9.0, "waiting"),
    ]
    assert answers(known) == Answers(4, 2, 1, 1, 5, 30.0)


def test_without_warnings_nothing_is_made_up() -> None:
    assert answers([]) == Answers(0, 0, 0, 0, None, None)


def test_the_median_is_not_reached_where_few_answered() -> None:
    known = [Stood(2.0, "answered"), *[Stood(9.0, "waiting")] * 3]
    assert answers(known).median_hours is None


def test_answers_are_told_by_period() -> None:
    alerts = [alert(n, id=f"a{n}") for n in (1, 2, 40)]
    facts = Facts(stood={"a1": Stood(2.0, "answered"), "a40": Stood(3.0, "waiting")})
    rows = table(alerts, facts, "month")
    told = {row.key: row.answers.warnings for row in rows if row.answers is not None}
    assert told == {"all": 2, "2026-03": 1, "2026-04": 1}
    assert table(alerts, Facts())[0].answers is None


def test_what_analysts_held_to_be_wrong_is_told_with_how_it_turned_out() -> None:
    doubt = Remark("desk", FIRST, "dispute", "an old report")
    words = Remark("desk", FIRST, "note", "asked the office")
    over = Remark("desk", FIRST, "note", "retracted: a hoax")
    hit = Outcome("HIT", FIRST, 30, "30 incidents")
    alerts = [
        alert(3, id="c", remarks=(words,)),
        alert(2, id="b", remarks=(words, over), state="retracted", outcome=hit),
        alert(1, id="a", remarks=(doubt, words)),
    ]
    found = [(each.alert, each.said, each.verdict) for each in contested(alerts)]
    assert found == [("a", (doubt,), None), ("b", (over,), "HIT")]
    assert skill(alerts).hits == 1  # a retracted claim is settled like any other
