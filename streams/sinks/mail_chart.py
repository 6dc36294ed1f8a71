"""The picture in a mail: the daily counts of an alert, and what was expected of its window.

It is small, and says less than `tocsin explain --plot`: a mail is read on a telephone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from msgspec import Struct

from detectors.records import Alert
from detectors.world.units import name_of
from streams import drawing
from streams.wording import number

#: Inches; with 150 dots to an inch 900 by 450.
_WIDTH: Final = 6.0
_HEIGHT: Final = 3.0
#: Days before the alert's last count that are shown.
_DAYS: Final = 60


class Chart(Struct, frozen=True):
    """A picture, and the same in words for those who do not see it."""

    png: bytes
    alternative: str


def chart(alert: Alert, revisions: Sequence[Alert]) -> Chart | None:
    """Draw the daily counts that an alert rests on, the days of its window darker.

    The line of what was expected is drawn only where the alert's own count is that of these days:
    an alert may rest on a signal that counts something else.

    Args:
        alert: The revision that is told.
        revisions: Those before it, the first first; the series is the longer for them.

    Returns:
        None where no daily count is known. The same input gives the same bytes.

    Raises:
        OSError: There is no room for a temporary file.
    """
    told = tuple(each for each in revisions if each.revision < alert.revision)
    return _drawn(alert, told)


@lru_cache(maxsize=64)
def _drawn(alert: Alert, before: tuple[Alert, ...]) -> Chart | None:
    counts: dict[date, int] = {}
    for each in (*before, alert):
        counts |= _daily(each)
    if alert.series_end is None or not _daily(alert):
        return None
    first = alert.series_end - timedelta(days=_DAYS - 1)
    counts = {day: count for day, count in counts.items() if day >= first}
    window = _window(alert)
    title, words = _words(alert, counts, window)
    with tempfile.TemporaryDirectory(prefix="tocsin-mail-") as folder:
        path = Path(folder) / "chart.png"
        _draw(alert, counts, window, path, (title, words))
        return Chart(path.read_bytes(), f"{title}. {words}")


def _draw(
    alert: Alert,
    counts: dict[date, int],
    window: dict[date, int],
    path: Path,
    said: tuple[str, str],
) -> None:
    title, words = said
    figure = drawing.figure(_WIDTH, _HEIGHT)
    axes = figure.add_axes((0.08, 0.33, 0.9, 0.53))
    drawing.draw_bars(axes, counts)
    drawing.draw_bars(axes, window, drawing.WINDOW)
    handles: list[Any] = [Patch(color=drawing.BARS, label="count of a day")]
    if window:
        handles.append(Patch(color=drawing.WINDOW, label="days of the alert"))
    level = _expected_a_day(alert, window)
    if level is not None:
        ends = drawing.number_of(min(window)) - 0.5, drawing.number_of(max(window)) + 0.5
        axes.hlines(level, *ends, color="white", linewidth=4.4, zorder=4)
        axes.hlines(level, *ends, color=drawing.EXPECTED, linewidth=2.4, zorder=5)
        handles.append(
            Line2D([], [], color=drawing.EXPECTED, linewidth=2.4, label="expected a day")
        )
    drawing.finish(axes, counts, [])
    if drawing.draw_unknown(axes, counts):
        handles.append(drawing.unknown_handle())
    axes.set_ylim(top=max(axes.get_ylim()[1], 1.12 * (level or 0.0)))
    figure.text(0.02, 0.92, title, fontsize=10, fontweight="bold", color=drawing.INK)
    drawing.draw_legend(figure, handles, 0.0)
    drawing.save(figure, path, title, words)


def _words(alert: Alert, counts: dict[date, int], window: dict[date, int]) -> tuple[str, str]:
    title = f"Counts by day in {name_of(alert.unit)}"
    words = f"Bars show {sum(counts.values())} from {min(counts)} to {max(counts)}."
    if window:
        words += f" The last {len(window)} days, those of the alert, have {sum(window.values())}"
        level = _expected_a_day(alert, window)
        usual = "" if level is None else f" against {number(alert.expected or 0.0)} expected"
        words += f"{usual}."
    return title, words


def _daily(alert: Alert) -> dict[date, int]:
    if alert.series_end is None:
        return {}
    first = alert.series_end - timedelta(days=len(alert.daily) - 1)
    return {first + timedelta(days=i): count for i, count in enumerate(alert.daily)}


def _window(alert: Alert) -> dict[date, int]:
    """Return the counts of the alert's window, as many of its days as are known."""
    known = _daily(alert)
    days = sorted(known)[-alert.window_days :] if alert.window_days else []
    return {day: known[day] for day in days}


def _expected_a_day(alert: Alert, window: dict[date, int]) -> float | None:
    """Return what was expected of a day of the window; None if it was expected of other counts."""
    whole = bool(window) and len(window) == alert.window_days
    if alert.expected is None or not whole or sum(window.values()) != alert.observed:
        return None
    return alert.expected / len(window)
