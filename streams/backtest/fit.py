"""From a rule's risk to a probability, learned on the past only, again every month.

At the start of each month the targets that can be told by then are taken, by the counts as known
then, and a rising step function is laid through them: isotonic regression by pooling adjacent
violators (Ayer et al. 1955, Annals of Mathematical Statistics 26) over groups of about as many
unit-days each, each group drawn towards the share of all by `_PRIOR` unit-days.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.timegrid import day_of
from streams.backtest.walk import SETTLED_DAYS

Floats = NDArray[np.float64]

_GROUPS: Final = 40
_PRIOR: Final = 10.0  # unit-days
_LEAST_DAYS: Final = 300  # unit-days to learn from
_LEAST_HITS: Final = 10  # of them with the target
_LONGEST: Final = 5 * 366  # days that are learned from


class Steps(Struct, frozen=True):
    """A step function: the probability up to and including each edge; the last goes on for ever."""

    edges: Floats
    levels: Floats

    def of(self, risk: Floats) -> Floats:
        """Return the probability of each risk; NaN stays so."""
        place = np.minimum(np.searchsorted(self.edges, risk, side="left"), len(self.levels) - 1)
        told: Floats = np.where(np.isnan(risk), np.nan, self.levels[place])
        return told


def isotonic(risk: Floats, hit: Floats) -> Steps:
    """Return the rising step function that fits hits to risks.

    Args:
        risk: At least one.
        hit: 1 or 0 for each.
    """
    order = np.argsort(risk, kind="stable")
    risk, hit = risk[order], hit[order]
    last = np.ceil(np.arange(1, _GROUPS + 1) * len(risk) / _GROUPS).astype(int) - 1
    edges = np.unique(risk[last])  # equal risks stay together
    group = np.searchsorted(edges, risk, side="left")
    count = np.bincount(group, minlength=len(edges)).astype(float)
    total = np.bincount(group, hit, len(edges))
    base = float(hit.mean())
    levels = (total + _PRIOR * base) / (count + _PRIOR)
    return Steps(edges, _pooled(levels, count + _PRIOR))


def _pooled(levels: Floats, weights: Floats) -> Floats:
    """Pool neighbours until the levels rise."""
    blocks: list[list[float]] = []  # level, weight, how many
    for level, weight in zip(levels, weights, strict=True):
        blocks.append([float(level), float(weight), 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            newest = blocks.pop()
            older = blocks[-1]
            both = older[1] + newest[1]
            older[0] = (older[0] * older[1] + newest[0] * newest[1]) / both
            older[1] = both
            older[2] += newest[2]
    return np.concatenate([np.full(int(many), level) for level, _, many in blocks])


def probabilities(
    risk: Floats, learnt: Floats, usable: NDArray[np.bool_], first_day: int, origin: int
) -> Floats:
    """Return a rule's probabilities by day and unit, each learned before its month began.

    Args:
        risk: By day and unit.
        learnt: The target as known `SETTLED_DAYS` after each day, by day and unit.
        usable: Units and days that may be learned from.
        first_day: Day number of the first row.
        origin: The row of the first fit; before it nothing is said.

    Returns:
        Probabilities; NaN before the origin, and where the past was too short to learn from.
    """
    told = np.full_like(risk, np.nan)
    starts = [
        row for row in range(origin, len(risk)) if row == origin or day_of(first_day + row).day == 1
    ]
    for start, end in zip(starts, [*starts[1:], len(risk)], strict=True):
        # What was known at the end of the day before the month: rows settled by then.
        rows = slice(max(0, start - _LONGEST), max(0, start - SETTLED_DAYS))
        given, hit = risk[rows], learnt[rows]
        kept = ~np.isnan(given) & ~np.isnan(hit) & usable[rows]
        if kept.sum() >= _LEAST_DAYS and hit[kept].sum() >= _LEAST_HITS:
            told[start:end] = isotonic(given[kept], hit[kept]).of(risk[start:end])
    return told
