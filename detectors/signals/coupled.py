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
from operator import add
from typing import Final

from msgspec import Struct

#: Log likelihood ratios by accounts: of one's own x of the other's, one row after the other.
Cells = Sequence[float]

#: What of an excess is left a day later: kernels with a mean lag of 2 and of 7 days.
KEPT: Final = (0.5, 6 / 7)
#: How much a trace weighs: none, or so much of that of the one kernel, or of the other.
_OWN: Final = (0.3, 0.6)
_CROSS: Final = (0.2, 0.5, 1.0)
OWNS: Final = 1 + 2 * len(_OWN)
CROSSES: Final = 1 + 2 * len(_CROSS)
CELLS: Final = OWNS * CROSSES
_LEAST: Final = 0.2  # of what is usual: below this no quiet of one's own brings the mean


class Day(Struct, frozen=True, gc=False):
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


def ratios(day: Day) -> Cells:
    """Return the log likelihood ratio of each account to what is usual on a day, nats."""
    count, usual, known, size = day.count, day.usual, day.known, day.size
    weight, below, least = count + size, size + usual * known, _LEAST * usual
    fast, slow = day.other
    alike = fast <= 0.0 and slow <= 0.0  # without an excess all accounts of the other side are one
    excess = (day.scale * max(fast, 0.0), day.scale * max(slow, 0.0))
    crosses = [0.0] if alike else _accounts(excess, _CROSS)
    more = [cross * known / below for cross in crosses]
    bases = [max(usual + own, least) for own in _accounts(day.own, _OWN)]
    quiets = [(size + base * known) / below for base in bases]
    found = [-weight * log(quiet + each) for quiet in quiets for each in more]
    if count:
        gains = [count * log((base + cross) / usual) for base in bases for cross in crosses]
        found = list(map(add, gains, found))
    return [cell for cell in found for _ in range(CROSSES)] if alike else found


def evidence(cells: Cells) -> float:
    """Return the log ratio of the coupled accounts to the uncoupled ones, nats.

    Args:
        cells: Log likelihood ratios.
    """
    weights = _weights(cells)
    alone, every = sum(weights[::CROSSES]), sum(weights)
    mean = (every - alone) / (OWNS * (CROSSES - 1))
    return log(max(mean, 1e-300)) - log(max(alone / OWNS, 1e-300))


def either(first: float, second: float) -> float:
    """Return the evidence that one side follows the other, or each the other, from both ways.

    >>> round(either(0.0, 0.0), 6)
    0.0
    """
    ways = (first, second, first + second)
    top = max(ways)
    return top + log(sum(exp(way - top) for way in ways) / len(ways))


def followers(cells: Cells, led: Sequence[float], scale: float) -> float:
    """Return how many incidents of a side follow those of the other, the mean of all accounts.

    Args:
        cells: Log likelihood ratios.
        led: Sums of the other side's positive traces over the days.
        scale: `s`.
    """
    weights = _weights(cells)
    by_cross = [sum(weights[cross::CROSSES]) for cross in range(CROSSES)]
    led_by = zip(by_cross, _accounts(led, _CROSS), strict=True)
    return sum(weight * each for weight, each in led_by) / sum(weights) * scale


def _accounts(traces: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return what each account makes of the traces of both kernels."""
    return [0.0, *[weight * trace for trace in traces for weight in weights]]


def _weights(cells: Cells) -> list[float]:
    """Return the likelihoods of accounts, that of the likeliest 1."""
    top = max(cells)
    return [exp(cell - top) for cell in cells]
