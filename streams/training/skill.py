"""How good probabilities were: the figures that a model card tells, with 95 % intervals.

The intervals are a bootstrap over blocks of two weeks with all units in them, as in the backtest
(`streams/backtest/measures.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.model import Figure, Skill
from streams.backtest.measures import (
    Blocks,
    average_precision,
    blocks,
    interval,
    mean_interval,
    precision_interval,
    ranking,
)

Floats = NDArray[np.float64]
_BINS: Final = 10
_LEAST: Final = 1e-3  # probabilities nearer to 0 or 1 are taken as this, for the log loss
_FEWEST_BLOCKS: Final = 4


def skill(name: str, given: Floats, hit: Floats, rows: NDArray[np.intp]) -> Skill:
    """Return the figures of some probabilities.

    Args:
        name: Whose they are.
        given: Probabilities.
        hit: 1 or 0 for each.
        rows: The day of each, as a number from 0.
    """
    rows = rows - rows.min()
    over = blocks(int(rows.max()) + 1)
    order = ranking(given)
    return Skill(
        name=name,
        average_precision=_figure(
            average_precision(order, hit), precision_interval(order, hit, rows, over)
        ),
        brier=_mean((given - hit) ** 2, rows, over),
        log_loss=_mean(log_losses(given, hit), rows, over),
        calibration_error=_calibration_error(given, hit, rows, over),
    )


def log_losses(given: Floats, hit: Floats) -> Floats:
    """Return the log loss of each probability, nats."""
    p = np.clip(given, _LEAST, 1.0 - _LEAST)
    loss: Floats = -np.where(hit > 0, np.log(p), np.log1p(-p))
    return loss


def _mean(values: Floats, rows: NDArray[np.intp], over: Blocks) -> Figure:
    return _figure(float(values.mean()), mean_interval(rows, values, over))


def _calibration_error(given: Floats, hit: Floats, rows: NDArray[np.intp], over: Blocks) -> Figure:
    """Return the mean distance of shares from probabilities over bins of about as many rows."""
    last = np.ceil(np.arange(1, _BINS + 1) * len(given) / _BINS).astype(int) - 1
    edges = np.unique(np.sort(given)[last])
    place = np.searchsorted(edges, given, side="left")
    off = np.zeros((over.draws.shape[1], len(edges)))
    np.add.at(off, (over.of_row[rows], place), given - hit)
    found = np.abs(off.sum(axis=0)).sum() / len(given)
    count = np.bincount(over.of_row[rows], minlength=over.draws.shape[1]).astype(float)
    if over.draws.shape[1] < _FEWEST_BLOCKS:
        return Figure(round(float(found), 4))
    trials = over.draws @ count
    drawn = np.abs(over.draws @ off).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _figure(float(found), interval(np.where(trials > 0, drawn / trials, np.nan)))


def _figure(value: float, between: tuple[float, float] | None) -> Figure:
    low, high = (None, None) if between is None else (round(each, 4) for each in between)
    return Figure(round(value, 4), low, high)
