"""Tails and quantiles of the negative binomial, by its mean and size; log odds.

The negative binomial with mean m and size r has variance m + m²/r: a Poisson count whose rate is
itself Gamma distributed. Its tails are incomplete beta functions (Abramowitz and Stegun 26.5.26).
"""

from __future__ import annotations

from math import exp, log

from scipy.special import betainc


def upper_tail(count: int, mean: float, size: float) -> float:
    """Return P(N >= count) for N negative binomial with `mean` and `size`.

    >>> round(upper_tail(1, 2.0, 1e9), 4)  # nearly Poisson: 1 - exp(-2)
    0.8647
    >>> upper_tail(0, 2.0, 3.0)
    1.0
    """
    if count <= 0:
        return 1.0
    if mean <= 0.0:
        return 0.0
    return float(betainc(count, size, mean / (mean + size)))


def lower_tail(count: int, mean: float, size: float) -> float:
    """Return P(N <= count)."""
    if count <= 0 or mean <= 0.0:
        return float((size / (size + mean)) ** size) if count >= 0 else 0.0
    return float(betainc(size, count + 1, size / (mean + size)))


def upper_quantile(share: float, mean: float, size: float) -> int:
    """Return the smallest count k with P(N >= k) <= share.

    >>> upper_quantile(0.1, 5.0, 1e9)
    9
    """
    low, high = 0, max(4, int(mean * 2))
    while upper_tail(high, mean, size) > share:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if upper_tail(middle, mean, size) > share:
            low = middle
        else:
            high = middle
    return high


def lower_quantile(share: float, mean: float, size: float) -> int | None:
    """Return the largest count k with P(N <= k) <= share, or None when even 0 is likelier."""
    if lower_tail(0, mean, size) > share:
        return None
    low, high = 0, max(1, int(mean) + 1)
    while lower_tail(high, mean, size) <= share:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if lower_tail(middle, mean, size) <= share:
            low = middle
        else:
            high = middle
    return low


def log_odds(probability: float) -> float:
    """Return the log odds of a probability, which is kept from 0.01 to 0.99.

    >>> log_odds(0.5), log_odds(1.0) == log_odds(0.99)
    (0.0, True)
    """
    kept = min(max(probability, 0.01), 0.99)
    return log(kept / (1.0 - kept))


def logistic(odds: float) -> float:
    """Return the probability that log odds stand for.

    >>> logistic(0.0)
    0.5
    """
    return 1.0 / (1.0 + exp(-odds))
