"""What signals of rare things have in common: a level without seasons, and a scan for bursts.

Where something happens once in a month or a year, twice in a week is news, although twice the
usual rate would say little of it. So a stretch of days is compared with a mixture of rates twice
and eight times the usual: the mean of likelihood ratios is itself one, as safe as each (Shafer &
Vovk 2019, Game-Theoretic Foundations for Probability and Finance).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, log1p
from typing import ClassVar, Final

from msgspec.structs import replace

from detectors.scan import RISE, Found
from detectors.series import EVEN, Look, Series, even
from detectors.signals.base import Observation
from detectors.signals.counting import Counting, Judged

#: The ratios to the usual that a stretch is tested for, as likely as one another.
RATIOS: Final = (RISE, 8.0)
_LOGS: Final = (log(RATIOS[0]), log(RATIOS[1]))
LONGEST_DAYS: Final = 21
_PRIOR_INCIDENTS: Final = 0.7  # that a prior rate is worth (`baseline.py`)


class Rare(Counting):
    """Counting of what is rare: no seasons, and two in a short time may be a rise."""

    fewest: ClassVar[int] = 2
    rate: ClassVar[float] = 0.02  # a day, before anything is known

    def look(self, series: Series, seen: Observation) -> Look:
        """Return the last days beside what is usual for them, having learned older ones."""
        return steady(series, seen, self.rate)

    def _rise(self, look: Look) -> Judged:
        found = burst(look.counts, look.ahead, look.level.size)
        if found.observed < self.fewest:
            found = replace(found, strength=0.0)
        return Judged(found, look.level, "usual")


def steady(series: Series, seen: Observation, prior: float) -> Look:
    """Return the last days beside what is usual for them, having learned older ones.

    Args:
        series: Of something that has no weekdays and seasons.
        seen: What the unit is scored on.
        prior: The rate before anything is known, a day.

    A low prior rate is worth many days. Where the unit's own past is above it all the same, that
    past is the prior (a step of empirical Bayes), or a busy unit would be held down for ever.
    """
    series.fold(seen.today, even, prior)
    past = series.baseline
    own = past.total / (past.days + _PRIOR_INCIDENTS / prior)
    return series.look(seen.half_day, EVEN, max(prior, own))


def burst(counts: Sequence[int], expected: Sequence[float], size: float) -> Found:
    """Return the stretch that ends today and speaks most for a rate above the usual.

    Args:
        counts: By day, today first.
        expected: What is usual for each of these days, as far as it can be known by now.
        size: Of the negative binomial.

    >>> burst([2, 0, 0], [0.01, 0.01, 0.01], 1.0).strength > 2.5
    True
    >>> burst([0, 0], [0.5, 0.5], 1.0).strength
    0.0
    """
    best, best_days = 0.0, 1
    if not any(counts):  # where nothing happened, nothing speaks for a rise
        return Found(best, best_days, 0, expected[0])
    (low, high), (log_low, log_high) = RATIOS, _LOGS
    of_low = of_high = 0.0
    days = zip(counts[:LONGEST_DAYS], expected[:LONGEST_DAYS], strict=True)
    for age, (count, mean) in enumerate(days):
        below, number = size + mean, count + size
        of_low += count * log_low - number * log1p((low - 1.0) * mean / below)
        of_high += count * log_high - number * log1p((high - 1.0) * mean / below)
        most, least = (of_low, of_high) if of_low > of_high else (of_high, of_low)
        if most <= best:
            continue  # the mixture is at most that
        mixed = most + log((1.0 + exp(least - most)) / len(RATIOS))
        if mixed > best:
            best, best_days = mixed, age + 1
    return Found(best, best_days, sum(counts[:best_days]), sum(expected[:best_days]))
