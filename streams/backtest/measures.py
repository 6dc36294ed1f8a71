"""How good risks and alarms were, with intervals that know that neighbouring days are alike.

Average precision: the mean of the precision at each hit down the ranking (Salton & McGill 1983),
equal risks taken together. Brier 1950, Monthly Weather Review 78. Intervals: a block bootstrap
(Künsch 1989, Annals of Statistics 17) over blocks of `BLOCK_WEEKS` whole weeks with all units in
them, since units are struck together; the seed is fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.calibration import Bin, Decomposition, decompose
from detectors.ledger import wilson

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Interval: TypeAlias = tuple[float, float]

BLOCK_WEEKS: Final = 2
_DRAWS: Final = 200
_SEED: Final = 1989
_FEWEST_BLOCKS: Final = 4  # fewer say nothing of how figures vary
_BINS: Final = 10


class Blocks(Struct, frozen=True):
    """Which block each row belongs to, and how often every draw takes each block."""

    of_row: Ints
    draws: Floats  # draw, block


def blocks(rows: int) -> Blocks:
    """Return the blocks of so many days and the draws over them."""
    of_row = np.arange(rows) // (7 * BLOCK_WEEKS)
    count = int(of_row[-1]) + 1 if rows else 0
    generator = np.random.default_rng(_SEED)
    share = np.full(count, 1 / count) if count else np.zeros(0)
    draws = generator.multinomial(count, share, size=_DRAWS).astype(float)
    return Blocks(of_row, draws)


def interval(drawn: Floats) -> Interval | None:
    """Return the 95 % percentile interval of a figure's draws; None where too few have one."""
    told = drawn[~np.isnan(drawn)]
    if len(told) < _DRAWS // 2:
        return None
    low, high = np.quantile(told, (0.025, 0.975))
    return float(low), float(high)


def mean_interval(rows: Ints, value: Floats, over: Blocks) -> Interval | None:
    """Return the interval of a mean; None where there are too few blocks.

    Args:
        rows: The row of each value.
        value: What the mean is of.
        over: The blocks of the rows.
    """
    if over.draws.shape[1] < _FEWEST_BLOCKS or not len(rows):
        return None
    count = over.draws.shape[1]
    block = over.of_row[rows]
    total = over.draws @ np.bincount(block, value, count)
    trials = over.draws @ np.bincount(block, minlength=count).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return interval(np.where(trials > 0, total / trials, np.nan))


def hits_interval(rows: Ints, hit: Floats, over: Blocks) -> Interval | None:
    """Return the interval of a share of hits; None without any trial.

    Never narrower than that of independent trials (Wilson 1927, JASA 22): blocks without a single
    hit would say that there can be none.
    """
    if not len(rows):
        return None
    low, high = wilson(int(hit.sum()), len(hit))
    drawn = mean_interval(rows, hit, over)
    return (low, high) if drawn is None else (min(low, drawn[0]), max(high, drawn[1]))


class Ranking(Struct, frozen=True):
    """Unit-days by falling risk, with where each run of equal risks ends."""

    order: Ints
    ends: Ints


def ranking(risk: Floats) -> Ranking:
    """Rank risks, the highest first."""
    order = np.argsort(-risk, kind="stable")
    fallen = np.flatnonzero(np.diff(risk[order]))
    return Ranking(order, np.append(fallen, len(risk) - 1))


def average_precision(ranked: Ranking, hit: Floats, weight: Floats | None = None) -> float:
    """Return the average precision of a ranking; NaN without any hit.

    Args:
        ranked: Of the risks.
        hit: 1 or 0 of each risk.
        weight: How often each counts; once unless given.
    """
    weights = np.ones(len(hit)) if weight is None else weight[ranked.order]
    hits = np.cumsum(weights * hit[ranked.order])[ranked.ends]
    trials = np.cumsum(weights)[ranked.ends]
    if not len(hits) or hits[-1] <= 0:
        return float("nan")
    steps = np.diff(hits, prepend=0.0)
    precision = np.divide(hits, trials, out=np.zeros_like(hits), where=trials > 0)
    return float((steps * precision).sum() / hits[-1])


def precision_interval(ranked: Ranking, hit: Floats, rows: Ints, over: Blocks) -> Interval | None:
    """Return the interval of the average precision."""
    if over.draws.shape[1] < _FEWEST_BLOCKS or not len(rows):
        return None
    block = over.of_row[rows]
    drawn = [average_precision(ranked, hit, draw[block]) for draw in over.draws]
    return interval(np.array(drawn))


def curve(probability: Floats, hit: Floats) -> tuple[Bin, ...]:
    """Return the calibration curve over ten bins of about as many unit-days each.

    The bars are the 90 % range of a reliable forecaster's shares, by the normal approximation,
    were unit-days independent; they are not, so the bars are too narrow.
    """
    last = np.ceil(np.arange(1, _BINS + 1) * len(probability) / _BINS).astype(int) - 1
    edges = np.unique(np.sort(probability)[last])
    place = np.searchsorted(edges, probability, side="left")
    found = []
    for number in range(len(edges)):
        inside = probability[place == number]
        mean, share = float(inside.mean()), float(hit[place == number].mean())
        spread = 1.645 * float(np.sqrt(mean * (1 - mean) / len(inside)))
        bar = max(0.0, mean - spread), min(1.0, mean + spread)
        found.append(Bin(float(inside.min()), float(inside.max()), len(inside), mean, share, bar))
    return tuple(found)


def decomposed(bins: Sequence[Bin], brier: float) -> tuple[Decomposition, float]:
    """Return a Brier score taken apart, and the expected calibration error over the bins."""
    trials = sum(each.claims for each in bins)
    error = sum(each.claims * abs(each.mean - each.share) for each in bins) / trials
    return decompose(bins, brier), error
