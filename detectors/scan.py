"""How strong the evidence is that a series has changed, and since when.

Each stretch of days that ends today is compared with what is usual: the log likelihood ratio of a
rate twice as high (or half as high), in nats. The largest over all stretches is the strength. It is
a
CUSUM (Page 1954; for negative binomial counts Hoehle & Paul 2008) whose memory is bounded and which
is computed anew from the counts, so that a late report counts on the day to which it belongs. Its
dispersion is that of weeks, not of days: news of one thing comes in bursts.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, log1p
from typing import Final

from msgspec import Struct

#: The ratio to the usual that a stretch is tested for.
RISE: Final = 2.0
FALL: Final = 0.5
#: Days. Longer stretches, other ratios and mixtures of them found no more in simulation: what is
#: slow is the drift of a season. A lull is sharp or is none.
LONGEST_RISE: Final = 14
LONGEST_FALL: Final = 10


class Found(Struct, frozen=True):
    """The stretch of days with the strongest evidence."""

    strength: float  # nats; 0 where nothing speaks for a change
    days: int
    observed: int
    expected: float


def costs(expected: Sequence[float], size: float, ratio: float) -> list[float]:
    """Return what each incident, and `size` more, take from the evidence of a day, nats."""
    more = ratio - 1.0
    return [log1p(more * mean / (size + mean)) for mean in expected]


def scan(
    counts: Sequence[int],
    expected: Sequence[float],
    size: float,
    ratio: float,
    shortest: int = 1,
    known: Sequence[float] | None = None,
) -> Found:
    """Return the strongest stretch that ends today.

    Args:
        counts: Incidents by day, today first.
        expected: What is usual for each of these days, as far as it can be known by now.
        size: Of the negative binomial.
        ratio: Of the alternative to what is usual.
        shortest: The fewest days of a stretch.
        known: `costs` of the other arguments, where they are known already.

    >>> scan([9, 0, 0], [2.0, 2.0, 2.0], 10.0, RISE).days
    1
    >>> scan([0] * 9, [1.0] * 9, 10.0, FALL).days
    9
    """
    best, best_days, total = 0.0, shortest, 0.0
    if ratio > 1.0 and not any(counts):  # where nothing happened, nothing speaks for a rise
        return Found(0.0, shortest, 0, sum(expected[:shortest]))
    per_incident, per_day = log(ratio), known or costs(expected, size, ratio)
    for days, (count, cost) in enumerate(zip(counts, per_day, strict=True), 1):
        total += count * per_incident - (count + size) * cost
        if total > best and days >= shortest:
            best, best_days = total, days
    return Found(best, best_days, sum(counts[:best_days]), sum(expected[:best_days]))
