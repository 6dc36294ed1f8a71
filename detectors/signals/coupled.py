"""Two series that may excite themselves and each other: how likely each account of them is.

A self-exciting model of daily counts (Hawkes 1971, Biometrika 58; by days and with its mean kept,
the INGARCH models of Ferland, Latour & Oraichi 2006). With what is usual of a side b(t), which has
the country's weekdays, seasons and holidays, and its excess z(t) = y(t) - b(t), a day's mean is

    m(t) = max(b(t) + own * sum g(l) z(t-l), b(t)/5) + cross * s * max(sum h(l) z'(t-l), 0)

for `own` incidents that one begets on its own side, and `cross` that one of the other side (z')
begets here, with exponential kernels g and h of a mean lag of 2 or of 7 days (96 % of it within 21
days); s = min(1, b/b') where the other side is busier. Counts are negative binomial.

`cross` = 0 are the uncoupled accounts, all else the coupled ones. Their averages over the grid of
parameters are compared (a Bayes factor). Because the grid and its weights are fixed, a series of
the uncoupled accounts passes a log ratio of s with a chance of exp(-s) at most (Ville 1939), and
the discount of what is older makes it less. What both sides have in common is in both accounts: a
side that goes on being busy explains itself by `own`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: What of an excess is left a day later: kernels with a mean lag of 2 and of 7 days.
KEPT: Final = (0.5, 6 / 7)
_OWN: Final = (0.3, 0.6)
_CROSS: Final = (0.2, 0.5, 1.0)
#: Weights of the traces of both kernels, for each account of what is one's own, and the other's.
_OWNS: Final = np.array([(0.0, 0.0), *((v, 0.0) for v in _OWN), *((0.0, v) for v in _OWN)]).T
_CROSSES: Final = np.array([(0.0, 0.0), *((v, 0.0) for v in _CROSS), *((0.0, v) for v in _CROSS)]).T
OWNS: Final = _OWNS.shape[1]
CROSSES: Final = _CROSSES.shape[1]
CELLS: Final = OWNS * CROSSES
_LEAST: Final = 0.2  # of what is usual: below this no quiet of one's own brings the mean


class Day(Struct, frozen=True):
    """One day of one side, as the day began."""

    count: int
    usual: float  # incidents, known in the end
    known: float  # the share of them that is known by now
    size: float  # of the negative binomial
    own: tuple[float, float]  # this side's traces of excess, incidents
    other: tuple[float, float]  # the other side's
    scale: float  # `s`


def trace(before: Sequence[float], excess: float) -> tuple[float, float]:
    """Return the traces of excess after a day, given those before it.

    >>> trace((0.0, 0.0), 4.0)
    (2.0, 0.5714285714285716)
    """
    (fast, slow), (old_fast, old_slow) = KEPT, before
    return fast * old_fast + (1.0 - fast) * excess, slow * old_slow + (1.0 - slow) * excess


def likelihoods(days: Sequence[Day]) -> Floats:
    """Return the log likelihood ratio of each account to what is usual, of each day.

    Returns:
        Nats, days x accounts of one's own x accounts of the other's.
    """
    if not days:
        return np.zeros((0, OWNS, CROSSES))
    count, usual, known, size, scale = np.array(
        [(d.count, d.usual, d.known, d.size, d.scale) for d in days]
    ).T[..., None, None]
    own = np.array([d.own for d in days]) @ _OWNS
    other = np.maximum(np.array([d.other for d in days]), 0.0) @ _CROSSES
    mean = np.maximum(usual + own[:, :, None], _LEAST * usual) + scale * other[:, None, :]
    seen, expected = mean * known, usual * known
    gain = np.log(mean / usual) * count
    return np.asarray(gain - (count + size) * np.log((size + seen) / (size + expected)))


def evidence(cells: Floats) -> float:
    """Return the log ratio of the coupled accounts to the uncoupled ones, nats.

    Args:
        cells: Log likelihood ratios, accounts of one's own x of the other's.
    """
    top = float(cells.max())
    weights = np.exp(cells - top)
    coupled = float(np.add.reduce(weights[:, 1:], axis=None)) / (OWNS * (CROSSES - 1))
    alone = float(np.add.reduce(weights[:, 0])) / OWNS
    return log(max(coupled, 1e-300)) - log(max(alone, 1e-300))


def either(first: float, second: float) -> float:
    """Return the evidence that one side follows the other, or each the other, from both ways.

    >>> round(either(0.0, 0.0), 6)
    0.0
    """
    ways = (first, second, first + second)
    top = max(ways)
    return top + log(sum(exp(way - top) for way in ways) / len(ways))


def followers(cells: Floats, led: Sequence[float], scale: float) -> float:
    """Return how many incidents of a side follow those of the other, the mean of all accounts.

    Args:
        cells: Log likelihood ratios, accounts of one's own x of the other's.
        led: Sums of the other side's positive traces over the days.
        scale: `s`.
    """
    weights = np.exp(cells - cells.max())
    crosses = weights.sum(axis=0) / weights.sum()
    return float(crosses @ (np.array(led) @ _CROSSES) * scale)
