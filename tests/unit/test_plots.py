"""Plots: what they hold beside the picture, and that the same input gives the same bytes."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from detectors.records import Alert
from streams import drawing
from streams.plots import alert_plot, overview_plot
from streams.wording import DISCLAIMER
from tests.alert_records import alert

DAYS = [date(2026, 2, 1) + timedelta(days=n) for n in range(40)]
COUNTS = [n % 5 for n in range(40)]


def series(of: Alert, days: int = 28) -> Alert:
    return replace(of, daily=tuple(range(days)), series_end=of.opened_at.date())


def story() -> list[Alert]:
    first = series(alert(1))
    gone = replace(series(alert(1, 1)), coverage="dark", state="frozen")
    back = replace(series(alert(1, 2)), daily=(9,) * 28)
    return [first, gone, back, replace(back, revision=3, state="resolved")]


def text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize("ending", drawing.FORMATS)
def test_an_alert_carries_its_alternative_text(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"alert{ending}"
    alert_plot(story()[-1], path, revisions=story())
    for words in ("rise of violent incidents in Kandahar", "23 incidents against 9.1 expected"):
        assert words in text(path)
    assert "at least 20 from" in text(path)


@pytest.mark.parametrize("ending", drawing.FORMATS)
def test_the_overview_names_every_alert(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"overview{ending}"
    overview_plot(DAYS, COUNTS, [*story(), alert(2, unit="AFG")], DAYS[3:6], path)
    assert f"{sum(COUNTS)} incidents, 2 alerts" in text(path)
    assert "warning rise in Kandahar from 2026-03-02" in text(path)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        alert_plot(alert(), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_every_picture_says_what_a_score_is(tmp_path: Path) -> None:
    figure = drawing.figure(4.0, 3.0)
    drawing.draw_words(figure, "title", "subtitle")
    assert DISCLAIMER in [each.get_text() for each in figure.texts]


def test_a_day_without_a_count_is_not_drawn_as_zero() -> None:
    axes = drawing.figure(4.0, 3.0).add_axes((0, 0, 1, 1))
    counts = {DAYS[0]: 2, DAYS[1]: 0, DAYS[3]: 1}
    drawing.finish(axes, counts, [DAYS[4]])
    assert drawing.draw_unknown(axes, counts)
    drawn = sorted(round(each.get_x() + 0.5) for each in axes.patches)
    assert drawn == [round(drawing.number_of(day)) for day in (DAYS[2], DAYS[4])]
    assert not drawing.draw_unknown(axes, dict(zip(DAYS, COUNTS, strict=True)))


def test_an_instant_lies_in_the_bar_of_its_local_day() -> None:
    # 20:00 UTC is half past midnight of the next day in Kabul.
    at = alert().opened_at.replace(hour=20)
    middle = drawing.number_of(at.date() + timedelta(days=1))
    assert abs(drawing.moment_of(at, "AFG") - middle) <= 0.5


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        pytest.param({"daily": (), "series_end": None}, 0, id="no series"),
        pytest.param({"observed": None, "expected": None, "window_days": None}, 28, id="unknown"),
        pytest.param({"unit": "XX-YY"}, 28, id="a unit that is not in the table"),
    ],
)
def test_what_is_missing_stops_no_picture(changes: dict, days: int, tmp_path: Path) -> None:
    path = tmp_path / "alert.png"
    alert_plot(replace(series(alert(), days), **changes), path)
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("days", "counts", "file"),
    [
        pytest.param(DAYS, COUNTS[:-1], "x.png", id="fewer counts than days"),
        pytest.param([], [], "x.png", id="no days"),
        pytest.param(DAYS, COUNTS, "x.gif", id="another format"),
    ],
)
def test_an_impossible_overview_is_refused(
    days: list[date], counts: list[int], file: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"counts|ends in"):
        overview_plot(days, counts, [], [], tmp_path / file)


def test_no_global_state_of_pyplot_is_used() -> None:
    code = "import sys, streams.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
