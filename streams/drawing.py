"""The drawing that all plots share: figures without pyplot's global state, axes, words, files.

What is drawn is told apart in print by lightness and hatching, not by hue alone, and files carry
an alternative text in their metadata.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from math import ceil, floor
from pathlib import Path
from typing import Any, Final, cast

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from detectors.timegrid import LOCAL_OFFSET
from streams.wording import DISCLAIMER

#: The endings of files that can be written.
FORMATS: Final = (".png", ".svg")
INK, FAINT, GRID = "#1b1f24", "#5c6570", "#e3e6ea"
BARS, WINDOW, EXPECTED, HORIZON, DARK = "#b4bec9", "#1f4e79", "#b3370a", "#f3e3b3", "#7a7a7a"
RISE, FALL = "#b3370a", "#2b6ca8"
_DPI: Final = 150
_UNKNOWN: Final[dict[str, Any]] = {
    "facecolor": "none",
    "edgecolor": "#a9b0b8",
    "hatch": "xxx",
    "linewidth": 0,
}


def figure(width: float, height: float) -> Figure:
    """Return an empty white figure; width and height in inches."""
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def number_of(day: date) -> float:
    """Return where the middle of a day's bar lies on an axis of dates."""
    return float(date2num(day))


def moment_of(at: datetime, country: str) -> float:
    """Return where an instant lies: within the bar of its local day."""
    local = at + timedelta(seconds=LOCAL_OFFSET.get(country, 0))
    return float(date2num(local)) - 0.5


def draw_bars(axes: Any, counts: dict[date, int], colour: str = BARS) -> None:  # noqa: ANN401
    """Draw counts by day."""
    days = sorted(counts)
    axes.bar(
        [number_of(day) for day in days],
        [counts[day] for day in days],
        width=0.86,
        color=colour,
        zorder=3,
    )


def draw_unknown(axes: Any, counts: dict[date, int]) -> bool:  # noqa: ANN401
    """Hatch crosswise the days in sight that have no count, and tell if there are any.

    Not known is not zero.
    """
    left, right = axes.get_xlim()
    first, last = ceil(left), floor(right)
    known = {round(number_of(day)) for day in counts}
    unknown = [day for day in range(first, last + 1) if day not in known]
    for day in unknown:
        axes.axvspan(day - 0.5, day + 0.5, zorder=2, **_UNKNOWN)
    return bool(unknown)


def unknown_handle() -> Patch:
    """Return the legend's entry for days that have no count."""
    return Patch(**_UNKNOWN, label="count not known")


def draw_unseen(axes: Any, spells: Sequence[tuple[float, float]]) -> None:  # noqa: ANN401
    """Hatch the times in which coverage was not ok."""
    for start, end in spells:
        axes.axvspan(
            start,
            end,
            facecolor="none",
            edgecolor=DARK,
            hatch="////",
            linewidth=0,
            zorder=2,
        )


def finish(axes: Any, counts: dict[date, int], also: Sequence[date]) -> None:  # noqa: ANN401
    """Set the limits and marks of an axis of daily counts; `also` must be in sight too."""
    shown = [*counts, *also]
    axes.set_xlim(number_of(min(shown)) - 0.7, number_of(max(shown)) + 0.7)
    axes.set_ylim(0, max(3.0, 1.12 * max(counts.values(), default=0)))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.grid(axis="y", color=GRID, linewidth=0.7, zorder=0)
    axes.set_axisbelow(True)
    draw_dates(axes)


def draw_dates(axes: Any) -> None:  # noqa: ANN401
    """Mark the dates on an axis."""
    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.tick_params(labelsize=8, colors=INK)
    axes.xaxis.get_offset_text().set_fontsize(8)
    axes.spines[["top", "right", "left"]].set_visible(False)


def draw_words(figure: Figure, title: str, subtitle: str) -> None:
    """Write the title, the subtitle and the disclaimer."""
    inches = float(figure.get_figheight())
    figure.text(0.02, 1 - 0.33 / inches, title, fontsize=12, fontweight="bold", color=INK)
    top = 1 - 0.47 / inches
    figure.text(0.02, top, subtitle, fontsize=8.5, color=FAINT, va="top", linespacing=1.5)
    figure.text(0.02, 0.09 / inches, DISCLAIMER, fontsize=6.5, color=FAINT)


def draw_legend(figure: Figure, handles: list[Any], bottom: float) -> None:
    """Draw the legend from `bottom` (a share of the height) upwards, in two rows if it is long."""
    figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.01, bottom),
        ncol=len(handles) if len(handles) < 5 else (len(handles) + 1) // 2,
        frameon=False,
        fontsize=7.5,
        handlelength=1.8,
        columnspacing=1.4,
    )


def unseen_handle() -> Patch:
    """Return the legend's entry for coverage that was not ok."""
    return Patch(
        facecolor="none", edgecolor=DARK, hatch="////", linewidth=0, label="coverage not ok"
    )


def save(figure: Figure, path: Path, title: str, description: str) -> None:
    """Write the figure with its title and alternative text; the same input, the same bytes."""
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise ValueError(f"{path}: a plot's file ends in {' or '.join(FORMATS)}")
    metadata: dict[str, str | None] = {"Title": title, "Description": description}
    # Left to itself it would write its own version or the time.
    metadata |= {"Software": "tocsin"} if ending == ".png" else {"Creator": "tocsin", "Date": None}
    figure.savefig(path, format=ending[1:], metadata=cast(dict[str, Any], metadata))
