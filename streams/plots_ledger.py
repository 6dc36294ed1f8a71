"""The plot of the record of warnings: the calibration curve with its consistency bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from detectors.calibration import Bin, Calibration
from streams import drawing
from streams.wording import percent

__all__ = ["calibration_plot"]

_BAR_WIDTH = 0.014


def calibration_plot(known: Calibration, path: Path) -> None:
    """Draw how often claims came true against how likely they were said to be.

    A point outside its bar strays further than nine in ten perfectly reliable forecasters would.

    Args:
        known: The curve.
        path: Where the picture goes: .png or .svg.

    Raises:
        ValueError: The file's ending is another.
        OSError: The file cannot be written.
    """
    figure = drawing.figure(6.4, 6.2)
    axes = figure.add_axes((0.105, 0.3, 0.865, 0.545))
    counts = figure.add_axes((0.105, 0.165, 0.865, 0.085), sharex=axes)
    _draw_curve(axes, known)
    _draw_counts(counts, known)
    title = "Calibration: how often claims came true"
    terms = known.decomposition
    low, high = known.error_interval
    subtitle = (
        f"{known.claims} settled claims; Brier score {terms.brier:.3f}, reliability "
        f"{terms.reliability:.3f}, resolution {terms.resolution:.3f}\n"
        f"calibration error {known.error:.3f} (90% {low:.3f} to {high:.3f}); "
        f"{known.error_of_chance:.3f} by chance were they reliable"
    )
    drawing.draw_words(figure, title, subtitle)
    drawing.draw_legend(figure, _handles(), 0.04)
    told = " ".join(_tell(each) for each in known.curve)
    with rc_context({"svg.hashsalt": "tocsin"}):  # else the ids in an .svg file are random
        drawing.save(figure, path, title, f"{title}. {' '.join(subtitle.split())}. {told}")


def _draw_curve(axes: Any, known: Calibration) -> None:  # noqa: ANN401
    axes.plot([0, 1], [0, 1], color=drawing.FAINT, linewidth=1.0, linestyle=(0, (3, 3)), zorder=1)
    for each in known.curve:
        low, high = each.bar
        left = each.mean - _BAR_WIDTH / 2
        axes.bar(left, high - low, _BAR_WIDTH, low, align="edge", color=drawing.BARS, zorder=2)
    axes.plot(
        [each.mean for each in known.curve],
        [each.share for each in known.curve],
        color=drawing.WINDOW,
        marker="o",
        markersize=6,
        linewidth=1.2,
        zorder=3,
        clip_on=False,
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_ylabel("came true", fontsize=8.5)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(color=drawing.GRID, linewidth=0.7)
    axes.tick_params(labelsize=8, colors=drawing.INK, labelbottom=False)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_counts(axes: Any, known: Calibration) -> None:  # noqa: ANN401
    axes.bar(
        [each.mean for each in known.curve],
        [each.claims for each in known.curve],
        width=2 * _BAR_WIDTH,
        color=drawing.WINDOW,
    )
    axes.set_xlabel("said to be likely", fontsize=8.5)
    axes.set_ylabel("claims", fontsize=8.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.get_major_locator().set_params(integer=True, nbins=2)
    axes.tick_params(labelsize=8, colors=drawing.INK)
    axes.spines[["top", "right"]].set_visible(False)


def _handles() -> list[Any]:
    label = "claims of like probability"
    return [
        Line2D([], [], color=drawing.WINDOW, marker="o", linewidth=1.2, label=label),
        Patch(color=drawing.BARS, label="chance, were they reliable (90%)"),
        Line2D([], [], color=drawing.FAINT, linestyle=(0, (3, 3)), label="perfectly reliable"),
    ]


def _tell(each: Bin) -> str:
    return (
        f"Of {each.claims} claims of {percent(each.mean)} on average {percent(each.share)} came "
        f"true."
    )
