"""The backtest: nothing is known before its time, and every rule is held to the same account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import msgspec
import numpy as np
import pytest

from detectors.intake import Coded
from detectors.monitor import Monitor, Passed
from detectors.records import (
    Casualties,
    Coverage,
    Event,
    IncidentRecord,
    Interval,
    Place,
    Report,
    Score,
)
from detectors.rules import RULES
from detectors.timegrid import Grid, day_number
from streams.backtest.account import EQUAL, PUBLISHED, Level
from streams.backtest.deaths import Deaths
from streams.backtest.evaluate import evaluate
from streams.backtest.history import History, Recorder, TooShortError, record
from streams.backtest.report import Backtest, render
from streams.backtest.walk import Walk, walk
from streams.replay import timed
from tests.filled_store import tocsin

UNITS = ("AF-KDZ", "AF-KAN", "AFG")
START = date(2020, 1, 1)
FIRST = day_number(START)
CALM = 200  # days of the invented history


# An invented history, without the live code


def score(at: datetime, daily: Sequence[int], coverage: Coverage = "ok") -> Score:
    """S1 of Kunduz at an instant; the last count is that of the local day."""
    local = at + timedelta(hours=4, minutes=30)
    return Score(
        id=f"S1/rise/AF-KDZ/{at:%s}",
        signal="S1",
        version=1,
        unit="AF-KDZ",
        direction="rise",
        at=at,
        state="scored",
        coverage=coverage,
        coverage_share=1.0,
        p=0.01,
        daily=tuple(daily),
        series_end=local.date(),
    )


def passed(*scores: Score) -> Passed:
    return Passed(Coded([], [], 0, False, Counter(), 0), list(scores), [])


def test_a_vintage_is_what_was_known_when_the_local_day_ended() -> None:
    recorder = Recorder(["AF-KDZ"])
    first = datetime(2020, 3, 1, 12, tzinfo=UTC)
    recorder.take(passed(score(first, [0, 1]), score(first + timedelta(hours=7), [0, 2])))
    # Half past midnight in Kabul, and still the same day by UTC: two late reports of yesterday.
    recorder.take(passed(score(first + timedelta(hours=8), [4, 0])))
    recorder.take(passed(score(first + timedelta(hours=32), [4, 0, 0])))
    found = recorder.history(0)
    assert found.days == 2
    assert found.incidents[0, 0, -1] == 2
    assert found.incidents[1, 0, -2:].tolist() == [4, 0]


def test_days_of_which_nothing_was_told_are_not_seen() -> None:
    recorder = Recorder(["AF-KDZ"])
    first = datetime(2020, 3, 1, 12, tzinfo=UTC)
    recorder.take(passed(score(first, [3]), score(first + timedelta(days=3), [3, 0, 0, 1])))
    recorder.take(passed(score(first + timedelta(days=4), [3, 0, 0, 1, 0])))
    found = recorder.history(0)
    assert found.seen[:, 0].tolist() == [True, False, False, True]
    assert np.isnan(found.strength[1:3]).all()
    assert found.incidents[2, 0, -3:].tolist() == [3, 0, 0]


def event(number: int, killed: int, seen: datetime, place: str = "Kunduz") -> Event:
    day = date(2020, 3, 1)
    return Event(
        id=f"r{number}/0",
        unit="AF-KDZ",
        report=f"r{number}",
        source="a",
        publisher="a",
        seen_at=seen,
        event="ASSAULT",
        occurred=Interval(day, day),
        place=Place(place, "town", "AFG", "AF-KDZ"),
        killed=Casualties(killed, killed, killed),
    )


def test_deaths_of_one_place_and_day_count_once_from_when_they_are_known() -> None:
    deaths = Deaths("AFG")
    noon = datetime(2020, 3, 1, 12, tzinfo=UTC)
    for each in (
        event(1, 3, noon),
        event(2, 5, noon + timedelta(hours=1)),
        event(3, 4, noon + timedelta(hours=2), "Imam Sahib"),
        event(4, 20, noon + timedelta(hours=8)),  # after midnight in Kabul
    ):
        deaths.take(each)
    day = day_number(date(2020, 3, 1))
    assert deaths.close(day, 2) == [0, 9]
    assert deaths.close(day + 1, 2) == [24, 0]


# From reports to the report


def reports(days: int) -> list[Report]:
    """Two outlets tell of some incidents a day in Kunduz and Kandahar, and of two surges."""
    generator = np.random.default_rng(8)
    found = []
    for day in range(170):
        surge = 4 if day in range(60, 74) or day in range(128, 142) else 1
        counts = generator.poisson((0.8 * surge, 1.2), 2)
        delays = generator.uniform(0.1, 2.5, (2, 60))
        if day >= days:
            continue
        for unit, count, late in zip(UNITS, counts, delays, strict=False):
            found.extend(_incident(unit, day, n, float(late[n])) for n in range(2 * int(count)))
        found.extend(_incident("AF-BAL", day, n, 0.4 + n) for n in range(2) if day % 9 == 0)
    return sorted(found, key=lambda each: (each.seen_at, each.id))


def _incident(unit: str, day: int, number: int, delay: float) -> Report:
    occurred, source = START + timedelta(days=day), ("north", "south")[number % 2]
    return Report(
        id=f"{source}/{unit}/{day}/{number}",
        source=source,
        seen_at=datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=day + delay),
        title=f"Incident {number // 2}",
        publisher=source,
        record=IncidentRecord(
            event="ASSAULT",
            occurred=Interval(occurred, occurred),
            country="AFG",
            admin1=unit,
            place=f"Place {number // 2}",
            precision="town",
            killed=Casualties(1, 2, 3),
        ),
    )


GRID = Grid(21_600, 21_600)


def run(days: int) -> tuple[History, Walk]:
    given = reports(days)
    found = record(Monitor(GRID), timed(given, GRID))
    return found, walk(found, RULES)


@pytest.fixture(scope="module")
def whole() -> tuple[History, Walk]:
    return run(170)


def test_reports_to_come_change_nothing_of_earlier_days(whole: tuple[History, Walk]) -> None:
    known, walked = run(120)
    days = known.days - 3  # the last reports come two days and a half late
    assert days > 100
    np.testing.assert_array_equal(whole[0].incidents[:days], known.incidents[:days])
    np.testing.assert_array_equal(whole[0].deaths[:days], known.deaths[:days])
    np.testing.assert_array_equal(whole[0].strength[:days], known.strength[:days])
    for name, risk in walked.risk.items():
        np.testing.assert_array_equal(whole[1].risk[name][:days], risk[:days], err_msg=name)
    end = day_number(START) + days
    before = [a.id for a in known.opened if day_number(a.opened_at.date()) < end]
    assert [a.id for a in whole[0].opened if day_number(a.opened_at.date()) < end] == before


@pytest.fixture(scope="module")
def level(whole: tuple[History, Walk]) -> Level:
    return evaluate(*whole, RULES, "admin1")


def test_every_rule_is_held_to_the_same_days(level: Level) -> None:
    assert {row.name for row in level.rows} >= {*RULES, "tocsin", "tocsin-strength"}
    ranked = {row.ranked.unit_days for row in level.rows if row.ranked}
    assert len(ranked) == 1
    ours = level.rows[0].at[0]
    for row in level.rows:
        for at in row.at:
            assert at.hits + at.false + at.void == at.alarms
            assert at.leads.ahead + at.leads.late + at.leads.missed == len(level.warned)
            assert at.budget != EQUAL or at.alarms <= ours.alarms
            assert at.allowed is None or at.alarms <= at.allowed


def test_the_surge_is_found_as_an_onset(level: Level) -> None:
    surge = START + timedelta(days=128)
    found = [each.onset for each in level.warned if each.onset.unit == "AF-KDZ"]
    assert any(abs((onset.day - surge).days) <= 3 for onset in found)


def test_a_published_threshold_is_used_as_it_is(level: Level) -> None:
    for row in level.rows:
        rule = RULES.get(row.name)
        used = [at.threshold for at in row.at if at.budget == PUBLISHED]
        assert used == ([] if rule is None or rule.limit is None else [rule.limit])


def test_only_the_days_asked_for_are_judged(whole: tuple[History, Walk]) -> None:
    start, end = START + timedelta(days=110), START + timedelta(days=140)
    found = evaluate(*whole, RULES, "admin1", start, end)
    assert (found.period.start, found.period.end) == (start, end)
    assert all(start <= each.onset.day <= end for each in found.warned)
    with pytest.raises(TooShortError, match="no day can be judged"):
        evaluate(*whole, RULES, "admin1", START + timedelta(days=400))


def test_the_same_figures_give_the_same_bytes(level: Level, whole: tuple[History, Walk]) -> None:
    again = evaluate(*whole, RULES, "admin1")
    assert msgspec.json.encode(again) == msgspec.json.encode(level)
    pages = [render(Backtest("x", 1, {}, START, START, (each,))) for each in (level, again)]
    assert pages[0] == pages[1]


def test_text_from_outside_is_escaped(level: Level) -> None:
    text = render(Backtest("<b>&", 1, {}, START, START, (level,)))
    assert "<b>" not in text
    assert "&lt;b&gt;&amp;" in text


# The command


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("backtest")
    file = folder / "history.jsonl"
    file.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in reports(170)))
    settings = folder / "tocsin.toml"
    settings.write_text("[steps]\nfine = 21600\ncoarse = 21600\n")
    return file, settings


def test_the_command_writes_the_report_and_every_figure(
    command: tuple[Path, Path], level: Level, tmp_path: Path
) -> None:
    file, settings = command
    page, figures = tmp_path / "out.html", tmp_path / "out.json"
    found = tocsin(
        "--settings", str(settings), "backtest", str(file),
        "--report", str(page), "--json", str(figures),
    )  # fmt: skip
    assert found.exit_code == 0, found.stderr
    assert "onsets" in found.stdout
    told = msgspec.json.decode(figures.read_bytes(), type=Backtest)
    assert told.history == file.name
    # Two runs of the live code, and the way through a file, come to the same to the last bit.
    assert msgspec.json.encode(told.levels[0]) == msgspec.json.encode(level)
    text = page.read_text(encoding="utf-8")
    assert text == render(told)
    for row in level.rows:
        assert row.title in unescape(text)
    assert "<script" not in text
    assert "http" not in text.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--from", "2020-05-02", "--to", "2020-05-01"), "is after"),
        (("--from", "2031-01-01"), "no day can be judged"),
    ],
)
def test_a_period_that_cannot_be_is_refused(
    command: tuple[Path, Path], options: tuple[str, ...], words: str
) -> None:
    found = tocsin("--settings", str(command[1]), "backtest", str(command[0]), *options)
    assert found.exit_code == 2
    assert words in found.stderr


def test_a_history_that_is_not_there_is_refused(tmp_path: Path) -> None:
    found = tocsin("backtest", str(tmp_path / "none.jsonl"))
    assert found.exit_code == 2
    assert "no file and no scenario" in found.stderr
