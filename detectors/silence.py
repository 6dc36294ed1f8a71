"""Is it silence? The chance that sources at work bring nothing, alone and several together.

News comes in bursts, so what counts is how many bursts were to be expected: reports divided by the
size of a burst, which each source's own counts tell. Reports that come in geometric bursts of mean
size s have a variance of 2s - 1 times their mean, and none of them comes with a chance of
exp(-mean / s) (the Poisson-stopped geometric, or Polya-Aeppli, distribution).

Many slow sources that fall silent together are known long before each alone: `together` compares
"a share of them is out" with "all work, and the world is quiet", by the likelihood of which of them
were silent. A lull thins all sources alike; an outage stops some wholly and leaves the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log
from typing import Final

from msgspec import Struct

#: How far all sources together may vary with the news: the coefficient of variation is 0.35.
LULL_SIZE: Final = 8.0
_PACES: Final = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0)
_LULL_SPREAD: Final = 0.35  # standard deviation of the logarithm
_OUT: Final = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97)  # shares that may be out
_PRIOR_VARIANCE: Final = 2.0  # of a count, by its mean
_PRIOR_EXPECTED: Final = 20.0  # reports that the prior is worth
_KEPT: Final = 0.98  # by block: half is forgotten after 34


class Burstiness(Struct):
    """How large the bursts are in which a source's reports come, from blocks of some hours."""

    squares: float = _PRIOR_VARIANCE * _PRIOR_EXPECTED  # discounted squared deviations
    expected: float = _PRIOR_EXPECTED  # discounted expected reports

    def note(self, seen: float, expected: float) -> None:
        """Take in a block of some hours in which the source was at work."""
        if expected <= 0.0:
            return
        # The prior does not fade: it is put back as much as it is discounted.
        back = (1.0 - _KEPT) * _PRIOR_EXPECTED
        self.squares = self.squares * _KEPT + (seen - expected) ** 2 + back * _PRIOR_VARIANCE
        self.expected = self.expected * _KEPT + expected + back

    @property
    def size(self) -> float:
        """The mean number of reports in a burst, at least 1."""
        return max(1.0, 0.5 * (self.squares / self.expected + 1.0))


def chance(bursts: float, size: float = LULL_SIZE) -> float:
    """Return the chance that a source at work brings nothing.

    Args:
        bursts: How many bursts of reports are usual in the time of the silence.
        size: How well that is known: the pace is Gamma distributed around it, with this shape.

    Returns:
        The chance, in (0, 1].

    >>> round(chance(8.5), 3), round(chance(8.5, 3.0), 3)
    (0.003, 0.018)
    """
    return float((1.0 + bursts / size) ** -size)


class Found(Struct, frozen=True):
    """How many of a group are out, and how much better that explains what was seen."""

    gain: float  # nats
    share: float  # of the group that is out


def outage(share: float, nats: float) -> float:
    """Return how likely a silent source is out, where a share of its group is.

    Args:
        share: The share that is out.
        nats: How much its silence is worth: minus the logarithm of its chance, were it at work.

    >>> round(outage(0.5, 3.0), 2)
    0.95
    """
    return share / (share + (1.0 - share) * exp(-nats))


def together(silent: Sequence[float], heard: Sequence[tuple[float, float]]) -> Found:
    """Compare an outage of some of a group with a lull in the world.

    Args:
        silent: The bursts that were to be expected of each source that brought nothing.
        heard: The bursts that each other brought, and those that were to be expected of it.

    Returns:
        The likeliest share that is out, and by how many nats it beats the likeliest lull. Either
        may go with any pace of the world.
    """
    came, usual = sum(seen for seen, _ in heard), sum(expected for _, expected in heard)
    quiet, alive = sum(silent), len(heard)
    lull, best, share = -inf, -inf, 0.0
    for pace in _PACES:
        told = came * log(pace) - pace * usual - 0.5 * (log(pace) / _LULL_SPREAD) ** 2
        lull = max(lull, told - pace * quiet)
        missed = [exp(-pace * x) for x in silent]
        for out in _OUT:
            found = sum(log(out + (1.0 - out) * each) for each in missed)
            found += told + alive * log(1.0 - out)
            if found > best:
                best, share = found, out
    return Found(best - lull, share)


def surplus(silent: Sequence[float], heard: Sequence[tuple[float, float]]) -> float:
    """Return how many silent bursts there were above those that chance alone leaves.

    It is cheap, and never much below `together`'s gain: a small one needs no closer look.
    """
    return sum(silent) - sum(x * exp(-x) for x in (*silent, *(expected for _, expected in heard)))
