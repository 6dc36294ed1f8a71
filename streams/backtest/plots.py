"""The backtest's pictures: SVG that is the same for the same figures, and readable in print."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import matplotlib as mpl
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from detectors.world.units import name_of
from streams import drawing
from streams.backtest.account import ALERTS, At, Level, Row
from streams.backtest.walk import INDEX, STRENGTH

_WIDTH: Final = 8.0  # inches
_OURS: Final = (ALERTS, INDEX, STRENGTH)
_MARKS: Final = ("o", "s", "^", "D", "v", "P")
_SHADES: Final = (drawing.RISE, drawing.WINDOW, drawing.INK, "#7d8792", "#a06a00", "#4c7a4c")
#: Rules whose calibration is drawn beside Tocsin's own.
_REFERENCES: Final = ("no-change", "climatology")
_RC: Final = {"svg.hashsalt": "tocsin", "svg.fonttype": "path", "font.size": 8.5}


def _svg(draw: Callable[[Any], None], height: float) -> str:
    """Return a picture as SVG; `draw` fills an empty figure, `height` in inches."""
    with mpl.rc_context(_RC):
        figure = drawing.figure(_WIDTH, height)
        draw(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Creator": "tocsin", "Date": None})
    return out.getvalue()


def skill_plot(level: Level) -> str:
    """Draw each rule's average precision and its recall of onsets, with their intervals."""
    rows = list(reversed(level.rows))

    def draw(figure: Any) -> None:  # noqa: ANN401
        left, right = figure.subplots(1, 2, sharey=True)
        for place, row in enumerate(rows):
            colour = drawing.RISE if row.name in _OURS else drawing.WINDOW
            if row.ranked is not None:
                _dot(left, place, row.ranked.average_precision, row.ranked.interval, colour)
            first = row.at[0]
            if first.leads.recall is not None:
                _dot(right, place, first.leads.recall, first.recall_interval, colour)
        base = level.period.base_rate
        if base is not None:
            left.axvline(base, color=drawing.FAINT, linewidth=0.8, linestyle=(0, (3, 2)))
        left.set_yticks(range(len(rows)), [row.title for row in rows])
        left.set_xlabel("average precision (dashed: base rate)")
        right.set_xlabel("share of onsets called ahead, at equal alarms")
        for axes in (left, right):
            _plain(axes)
            axes.set_xlim(left=0)
            axes.grid(axis="x", color=drawing.GRID, linewidth=0.7)
        figure.subplots_adjust(left=0.22, right=0.98, top=0.97, bottom=0.13, wspace=0.08)

    return _svg(draw, 1.0 + 0.26 * len(rows))


def _dot(
    axes: Any,  # noqa: ANN401
    place: int,
    value: float,
    interval: tuple[float, float] | None,
    colour: str,
) -> None:
    if interval is not None:
        axes.hlines(place, *interval, color=colour, linewidth=1.6, alpha=0.55)
    axes.plot([value], [place], "o", color=colour, markersize=5)


def reliability_plot(level: Level) -> str | None:
    """Draw how often what was given a probability came true; None where nothing was given one."""
    wanted = (*_OURS, *_REFERENCES)
    rows = [row for row in level.rows if row.trusted is not None and row.name in wanted]
    if not rows:
        return None

    def draw(figure: Any) -> None:  # noqa: ANN401
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=drawing.FAINT, linewidth=0.8)
        top = 0.05
        for row, mark, colour in zip(rows, _MARKS, _SHADES, strict=False):
            bins = row.trusted.curve if row.trusted else ()
            means, shares = [b.mean for b in bins], [b.share for b in bins]
            top = max(top, *means, *shares)
            axes.vlines(
                means, [b.bar[0] for b in bins], [b.bar[1] for b in bins], color=colour, alpha=0.35
            )
            axes.plot(
                means, shares, marker=mark, color=colour, linewidth=1, markersize=5, label=row.title
            )
        axes.set_xlim(0, min(1.0, 1.1 * top))
        axes.set_ylim(0, min(1.0, 1.1 * top))
        axes.set_xlabel("probability given")
        axes.set_ylabel("share that came true")
        axes.legend(frameon=False, loc="upper left")
        _plain(axes)
        axes.grid(color=drawing.GRID, linewidth=0.7)
        figure.subplots_adjust(left=0.1, right=0.98, top=0.97, bottom=0.14)

    return _svg(draw, 4.0)


def leads_plot(level: Level) -> str:
    """Draw for each rule how many onsets it called ahead, late and not at all."""
    rows = list(reversed(level.rows))

    def draw(figure: Any) -> None:  # noqa: ANN401
        axes = figure.subplots()
        places = range(len(rows))
        ahead = [row.at[0].leads.ahead for row in rows]
        late = [row.at[0].leads.late for row in rows]
        missed = [row.at[0].leads.missed for row in rows]
        axes.barh(places, ahead, color=drawing.RISE, height=0.7)
        axes.barh(places, late, left=ahead, color=drawing.BARS, height=0.7)
        both = [a + b for a, b in zip(ahead, late, strict=True)]
        axes.barh(
            places, missed, left=both, height=0.7,
            facecolor="none", edgecolor=drawing.BARS, hatch="////", linewidth=0.6,
        )  # fmt: skip
        for place, row in enumerate(rows):
            axes.text(sum(_outcomes(row.at[0])), place, f" {_lead_text(row)}", va="center")
        axes.set_yticks(places, [row.title for row in rows])
        axes.set_xlim(0, 1.32 * max(1, max(sum(_outcomes(row.at[0])) for row in rows)))
        axes.set_xlabel("onsets; mean lead with misses as zero, days")
        figure.legend(handles=_lead_handles(), loc="lower left", ncol=3, frameon=False)
        _plain(axes)
        figure.subplots_adjust(left=0.22, right=0.98, top=0.97, bottom=0.2)

    return _svg(draw, 1.3 + 0.26 * len(rows))


def _outcomes(at: At) -> tuple[int, int, int]:
    return at.leads.ahead, at.leads.late, at.leads.missed


def _lead_text(row: Row) -> str:
    mean = row.at[0].leads.mean_days
    return "no onset" if mean is None else f"{mean:.1f} d"


def _lead_handles() -> list[Any]:
    missed = Patch(
        facecolor="none", edgecolor=drawing.BARS, hatch="////", label="missed", linewidth=0.6
    )
    ahead = Patch(color=drawing.RISE, label="called ahead")
    return [ahead, Patch(color=drawing.BARS, label="called within the fortnight after"), missed]


def alarms_plot(level: Level) -> str | None:
    """Draw Tocsin's alerts and the onsets over time, a row for each unit; None without any."""
    units = {each.unit for each in level.opened} | {each.onset.unit for each in level.warned}
    if not units:
        return None
    ordered = sorted(units, key=lambda unit: (name_of(unit), unit), reverse=True)
    place = {unit: i for i, unit in enumerate(ordered)}

    def draw(figure: Any) -> None:  # noqa: ANN401
        axes = figure.subplots()
        for each in level.warned:
            start = drawing.number_of(each.onset.day) - 0.5
            axes.barh(
                place[each.onset.unit], 14, left=start, height=0.7, color=drawing.HORIZON, zorder=1
            )
        for came, colour, fill in (
            (True, drawing.RISE, drawing.RISE),
            (False, drawing.INK, "white"),
            (None, drawing.DARK, drawing.BARS),
        ):
            mine = [each for each in level.opened if each.held is came]
            axes.scatter(
                [drawing.number_of(each.day) for each in mine],
                [place[each.unit] for each in mine],
                marker="^", s=26, facecolor=fill, edgecolor=colour, linewidth=0.9, zorder=3,
            )  # fmt: skip
        axes.set_yticks(list(place.values()), [name_of(unit) for unit in place], fontsize=7)
        axes.set_ylim(-0.8, len(units) - 0.2)
        axes.set_xlim(
            drawing.number_of(level.period.start) - 1,
            drawing.number_of(level.period.end + timedelta(days=14)) + 1,
        )
        axes.grid(axis="y", color=drawing.GRID, linewidth=0.6)
        drawing.draw_dates(axes)
        figure.legend(handles=_alarm_handles(), loc="lower left", ncol=4, frameon=False)
        height = figure.get_figheight()
        figure.subplots_adjust(left=0.2, right=0.98, top=1 - 0.1 / height, bottom=0.75 / height)

    return _svg(draw, 1.1 + 0.17 * max(len(units), 3))


def _alarm_handles() -> list[Any]:
    def mark(colour: str, fill: str, label: str) -> Line2D:
        return Line2D(
            [], [], marker="^", linestyle="", color=colour, markerfacecolor=fill, label=label
        )

    return [
        Patch(color=drawing.HORIZON, label="fortnight from an onset"),
        mark(drawing.RISE, drawing.RISE, "alert that held"),
        mark(drawing.INK, "white", "false"),
        mark(drawing.DARK, drawing.BARS, "not known"),
    ]


def _plain(axes: Any) -> None:  # noqa: ANN401
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, labelsize=8, colors=drawing.INK)
