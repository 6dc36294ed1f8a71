"""The line from reports to alerts on the bundled scenario: invariant, and as good as promised.

The scenario: Afghanistan from January to June 2020, told by invented outlets. Violence was reduced
from 22 to 28 February and came back in March, a ceasefire held from 24 to 26 May, and the main
outlet of four northern provinces was silent from 10 to 19 April.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from random import Random

import msgspec
import pytest
from msgspec import Struct

from detectors import ledger
from detectors.budget import YEAR, Budget
from detectors.monitor import Monitor
from detectors.records import Alert, Heartbeat, Report, Score, Tick
from detectors.timegrid import Grid, seconds
from streams.replay import read, timed

Fed = Report | Heartbeat | Tick
NORTH = {"AF-BAL", "AF-KDZ", "AF-FYB", "AF-JOW"}
PREFIX = datetime(2020, 3, 6, tzinfo=UTC)  # the lull, its end, and the first alerts


class Run(Struct):
    """What a run came to."""

    scores: list[Score]
    alerts: list[Alert]

    @property
    def opened(self) -> list[Alert]:
        """The first revisions."""
        return [alert for alert in self.alerts if alert.revision == 0]

    @property
    def last(self) -> list[Alert]:
        """The last revision of each alert."""
        return list({alert.id: alert for alert in self.alerts}.values())

    def wire(self) -> tuple[bytes, bytes]:
        """All that the run came to, as bytes."""
        return msgspec.json.encode(self.scores), msgspec.json.encode(self.alerts)


def _run(records: Sequence[Fed], size: int = 500) -> Run:
    monitor, run = Monitor(), Run([], [])
    for start in range(0, len(records), size):
        passed = monitor.take(records[start : start + size])
        run.scores.extend(passed.scores)
        run.alerts.extend(passed.alerts)
    return run


@pytest.fixture(scope="session")
def reports() -> list[Report]:
    return [each for each in read("doha-2020") if isinstance(each, Report)]


@pytest.fixture(scope="session")
def whole(reports: list[Report]) -> Run:
    return _run(list(timed(reports, Grid())))


@pytest.fixture(scope="session")
def early(reports: list[Report]) -> list[Report]:
    return [report for report in reports if report.seen_at < PREFIX]


@pytest.fixture(scope="session")
def prefix(early: list[Report]) -> Run:
    return _run(list(timed(early, Grid())))


def test_the_first_months_open_alerts_in_both_directions(prefix: Run) -> None:
    assert {alert.direction for alert in prefix.opened} == {"rise", "fall"}


@pytest.mark.parametrize("size", [1, 250, 100_000])
def test_the_size_of_batches_does_not_matter(early: list[Report], prefix: Run, size: int) -> None:
    again = _run(list(timed(early, Grid())), size)
    assert again.wire() == prefix.wire()


def test_the_order_within_a_fine_step_does_not_matter(early: list[Report], prefix: Run) -> None:
    rng = Random(3)
    shuffled: list[Report] = []
    for _, step in groupby(early, key=lambda r: seconds(r.seen_at) // Grid().fine):
        together = list(step)
        rng.shuffle(together)
        shuffled.extend(together)
    assert _run(list(timed(shuffled, Grid()))).wire() == prefix.wire()


def _twice(reports: Iterable[Report]) -> Iterator[Report]:
    for report in reports:
        yield report
        yield report


def test_every_report_twice_changes_nothing(early: list[Report], prefix: Run) -> None:
    assert _run(list(timed(_twice(early), Grid()))).wire() == prefix.wire()


def test_reports_sent_again_hours_later_change_no_alert(early: list[Report], prefix: Run) -> None:
    """As after a crash of the source: a stretch of reports is sent a second time, as it was."""
    again = [*early[:900], *early[700:900], *early[900:]]
    found = _run(list(timed(again, Grid())))
    assert msgspec.json.encode(found.alerts) == msgspec.json.encode(prefix.alerts)


def test_a_second_run_gives_the_same_bytes(reports: list[Report]) -> None:
    spring = [report for report in reports if report.seen_at.month <= 3]
    first, second = (_run(list(timed(spring, Grid()))).wire() for _ in range(2))
    assert first == second


def _opened(run: Run, direction: str, first: date, last: date) -> list[Alert]:
    """Return the alerts of a direction that opened in the days, both included."""
    return [
        alert
        for alert in run.opened
        if alert.direction == direction and first <= alert.opened_at.date() <= last
    ]


def test_the_reduction_in_violence_is_called_for_the_country(whole: Run) -> None:
    found = _opened(whole, "fall", date(2020, 2, 22), date(2020, 3, 5))
    assert "AFG" in {alert.unit for alert in found}


def test_its_end_is_called_for_the_country(whole: Run) -> None:
    found = {a.unit for a in _opened(whole, "rise", date(2020, 3, 1), date(2020, 3, 12))}
    assert "AFG" in found


def test_the_breach_after_the_agreement_is_told_with_its_evidence(whole: Run) -> None:
    told = [
        score
        for score in whole.scores
        if (score.signal, score.unit) == ("S11", "AFG")
        and date(2020, 3, 1) <= score.at.date() <= date(2020, 3, 12)
        and (score.strength or 0.0) >= 2.0
    ]
    assert told
    assert "reduction" in told[0].reason.lower()
    assert len(told[0].evidence) >= 10


def test_the_ceasefire_is_called_for_the_country(whole: Run) -> None:
    found = _opened(whole, "fall", date(2020, 5, 24), date(2020, 6, 2))
    assert "AFG" in {alert.unit for alert in found}


def _coverage(run: Run, unit: str, at: datetime) -> str:
    """Return the last coverage told of a unit up to a time."""
    told = [s for s in run.scores if (s.signal, s.unit) == ("M1", unit) and s.at <= at]
    return told[-1].coverage


@pytest.mark.parametrize("unit", sorted(NORTH))
def test_the_outage_is_seen_as_one(whole: Run, unit: str) -> None:
    before = datetime(2020, 4, 9, 12, tzinfo=UTC)
    assert _coverage(whole, unit, before) == "ok"
    for on in range(13, 20):
        assert _coverage(whole, unit, datetime(2020, 4, on, 12, tzinfo=UTC)) in ("thin", "dark")
    assert _coverage(whole, unit, datetime(2020, 4, 21, 12, tzinfo=UTC)) == "ok"


def test_the_outage_is_not_taken_for_calm(whole: Run) -> None:
    found = _opened(whole, "fall", date(2020, 4, 10), date(2020, 4, 25))
    assert [alert.id for alert in found if alert.unit in NORTH] == []
    unseen = [
        score
        for score in whole.scores
        if score.unit in NORTH and score.signal == "S1" and score.coverage == "dark"
    ]
    assert unseen
    assert all(score.p is None and score.claim is None for score in unseen)
    silent = [s for s in unseen if date(2020, 4, 13) <= s.at.date() <= date(2020, 4, 19)]
    # Kunduz has reports in other languages too, so that it is thin, not dark.
    assert {score.unit for score in silent} == NORTH - {"AF-KDZ"}


def test_elsewhere_the_outage_is_not_felt(whole: Run) -> None:
    noon = datetime(2020, 4, 15, 12, tzinfo=UTC)
    assert {_coverage(whole, unit, noon) for unit in ("AF-KAN", "AF-HEL", "PK-KP", "AFG")} == {"ok"}


def test_false_alarms_stay_within_the_budget(whole: Run) -> None:
    scored = [score for score in whole.scores if score.signal == "S1" and score.state == "scored"]
    years = (scored[-1].at - scored[0].at) / timedelta(seconds=YEAR)
    units = len({score.unit for score in scored})
    false = [a for a in whole.last if a.outcome is not None and a.outcome.verdict == "FALSE"]
    assert len(false) <= Budget().watch * units * years


def test_the_claims_beat_their_base_rates(whole: Run) -> None:
    found = ledger.skill(whole.last)
    assert found.claims >= 12
    assert found.brier is not None
    assert found.brier_base is not None
    assert found.brier < found.brier_base


def test_alerts_cite_evidence_that_the_scores_can_show(whole: Run) -> None:
    for alert in whole.opened:
        assert alert.claim.resolver.unit == alert.unit
        assert alert.coverage == "ok"
        if alert.direction == "rise":
            witnesses = {p for incident in alert.evidence for p in incident.publishers}
            assert len(witnesses) >= 2


def test_time_never_runs_back(whole: Run) -> None:
    times = [score.at for score in whole.scores]
    assert times == sorted(times)
    revisions: dict[str, int] = {}
    for alert in whole.alerts:
        assert alert.revision == revisions.get(alert.id, -1) + 1
        revisions[alert.id] = alert.revision
