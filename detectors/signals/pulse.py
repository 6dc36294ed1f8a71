"""Rare acts that come in jumps: a compound Poisson process, tested for more acts and larger ones.

Acts arrive as a negative binomial around the usual rate; each touches so many organisations, its
jump, a geometric number. A stretch of days is compared with a mixture of rates (2 and 8 times the
usual; as in `sparse.py`) and of jumps (as usual, or an excess four times as large): the mean of
likelihood ratios is itself one (Shafer & Vovk 2019), so that a chance of exp(-s) bounds how often
it passes s.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import exp, log, log1p
from typing import Final

from msgspec import Struct

from detectors.scan import RISE, Found
from detectors.signals.sparse import LONGEST_DAYS

_RATES: Final = (RISE, 8.0)
_EXCESSES: Final = (1.0, 4.0)
#: What a jump is taken for: so many organisations more than one, in so many acts.
_PRIOR: Final = (1.5, 5.0)
_DISCOUNT: Final = 0.98  # per act
_LONGEST_JUMP: Final = 20  # organisations: more say no more


class Jumps(Struct):
    """How many organisations an act usually touches."""

    acts: float = 0.0  # discounted
    excess: float = 0.0  # discounted organisations more than one an act

    def learn(self, size: int) -> None:
        """Learn the jump of one act."""
        self.acts = self.acts * _DISCOUNT + 1.0
        self.excess = self.excess * _DISCOUNT + min(size, _LONGEST_JUMP) - 1

    @property
    def usual(self) -> float:
        """Organisations more than one that an act usually touches, with its prior."""
        return (self.excess + _PRIOR[0]) / (self.acts + _PRIOR[1])


def larger(size: int, usual: float, times: float) -> float:
    """Return the log likelihood ratio, nats, of jumps with an excess so many times as large.

    Args:
        size: Organisations that an act touches, at least one.
        usual: How many more than one are usual.
        times: The excess that is tested for, to the usual one.

    >>> larger(1, 0.3, 4.0) < 0.0 < larger(4, 0.3, 4.0)
    True
    """
    higher = usual * times
    more = min(size, _LONGEST_JUMP) - 1
    return log((1.0 + usual) / (1.0 + higher)) + more * log(
        higher * (1.0 + usual) / (usual * (1.0 + higher))
    )


def pulse(
    jumps: Sequence[Sequence[int]], expected: Sequence[float], size: float, usual: float
) -> Found:
    """Return the stretch that ends today and speaks most for more acts, or for larger ones.

    Args:
        jumps: How many organisations each act of a day touches, by day, today first.
        expected: How many acts are usual for each of these days, as far as can be known by now.
        size: Of the negative binomial.
        usual: Organisations more than one that an act usually touches.

    >>> pulse([[1], [1]], [0.01, 0.01], 1.0, 0.3).strength > 2.5
    True
    >>> pulse([[], []], [0.01, 0.01], 1.0, 0.3).strength
    0.0
    """
    kinds = list(product(_RATES, _EXCESSES))
    best, best_days, sums = 0.0, 1, [0.0] * len(kinds)
    days = zip(jumps[:LONGEST_DAYS], expected[:LONGEST_DAYS], strict=True)
    for age, (acts, mean) in enumerate(days):
        for each, (rate, times) in enumerate(kinds):
            more = log1p((rate - 1.0) * mean / (size + mean))
            sums[each] += len(acts) * log(rate) - (len(acts) + size) * more
            if times != 1.0:
                sums[each] += sum(larger(jump, usual, times) for jump in acts)
        most = max(sums)
        mixed = most + log(sum(exp(each - most) for each in sums) / len(sums))
        if mixed > best:
            best, best_days = mixed, age + 1
    observed = sum(len(acts) for acts in jumps[:best_days])
    return Found(best, best_days, observed, sum(expected[:best_days]))
