"""How far probabilities can be trusted: the Brier score taken apart, and the calibration curve.

The Brier score is reliability less resolution plus uncertainty (Murphy 1973, Journal of Applied
Meteorology 12), up to what differs within bins (Stephenson, Coelho & Jolliffe 2008, Weather and
Forecasting 23). Bins of few claims make reliability look worse and resolution better than they
are; the terms without that bias are those of Ferro & Fricker (2012), Quarterly Journal of the
Royal Meteorological Society 138. Consistency bars say how far a bin of a perfectly reliable
forecaster strays by chance (Bröcker & Smith 2007, Weather and Forecasting 22).

Resampling has a fixed seed: the same claims give the same figures. It takes claims as
independent; those of one surge in several units are not, so intervals are too narrow rather than
too wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.special import gammaincinv

#: A claim's probability, and whether it came true.
Forecast: TypeAlias = tuple[float, bool]

MOST_BINS: Final = 10
LEAST_IN_BIN: Final = 5
#: Fewer settled claims tell nothing of calibration.
LEAST_CLAIMS: Final = 10
RESAMPLES: Final = 1_000
_SEED: Final = 20_070_651
_MOST_DRAWN: Final = 1_000_000  # claims in memory at a time
_Floats: TypeAlias = NDArray[np.float64]


class Bin(Struct, frozen=True):
    """Claims of like probability: one point of the calibration curve."""

    low: float  # the lowest and highest probability in it
    high: float
    claims: int
    mean: float  # of the probabilities
    share: float  # that came true
    bar: tuple[float, float]  # 90 % of the shares that a reliable forecaster would see


class Decomposition(Struct, frozen=True):
    """The Brier score taken apart, over the bins of the calibration curve."""

    brier: float
    reliability: float  # 0 is best
    resolution: float  # the uncertainty is best
    uncertainty: float
    within: float  # what differs within the bins: brier less the three terms
    reliability_corrected: float
    resolution_corrected: float
    uncertainty_corrected: float


class Calibration(Struct, frozen=True):
    """How far a set of probabilities can be trusted."""

    claims: int
    curve: tuple[Bin, ...]
    decomposition: Decomposition
    error: float  # expected calibration error: mean distance of shares from probabilities
    error_interval: tuple[float, float]  # 90 %, bootstrap
    error_of_chance: float  # the mean error that a reliable forecaster would show over these bins


def calibration(forecasts: Sequence[Forecast]) -> Calibration | None:
    """Return the calibration of settled claims, or None where there are too few to tell."""
    if len(forecasts) < LEAST_CLAIMS:
        return None
    given = sorted(forecasts)
    p = np.array([probability for probability, _ in given])
    hit = np.array([float(came_true) for _, came_true in given])
    edges = _edges(p)
    number = np.searchsorted(edges, p, side="left")
    reliable, chance_errors = _were_it_reliable(p, edges)
    bars = np.nanquantile(reliable, (0.05, 0.95), axis=0)
    curve = []
    for i in range(len(edges)):
        inside = number == i
        of = p[inside]
        curve.append(
            Bin(
                low=float(of[0]),
                high=float(of[-1]),
                claims=len(of),
                mean=float(of.mean()),
                share=float(hit[inside].mean()),
                bar=(float(bars[0, i]), float(bars[1, i])),
            )
        )
    error = sum(b.claims * abs(b.mean - b.share) for b in curve) / len(given)
    return Calibration(
        claims=len(given),
        curve=tuple(curve),
        decomposition=decompose(curve, float(np.mean((p - hit) ** 2))),
        error=error,
        error_interval=_error_interval(error, _bootstrap_errors(p, hit, edges)),
        error_of_chance=float(chance_errors.mean()),
    )


def decompose(curve: Sequence[Bin], brier: float) -> Decomposition:
    """Take a Brier score apart over bins; a bin of one claim cannot show its own bias.

    Corrected terms are cut off at 0 so that their balance stays (Ferro & Fricker 2012).
    """
    n = sum(b.claims for b in curve)
    base = sum(b.claims * b.share for b in curve) / n
    reliability = sum(b.claims * (b.mean - b.share) ** 2 for b in curve) / n
    resolution = sum(b.claims * (b.share - base) ** 2 for b in curve) / n
    uncertainty = base * (1 - base)
    noise = sum(b.claims * b.share * (1 - b.share) / (b.claims - 1) for b in curve if b.claims > 1)
    of_base = uncertainty / (n - 1) if n > 1 else 0.0
    fair_reliability = reliability - noise / n
    fair_resolution = resolution - noise / n + of_base
    return Decomposition(
        brier=brier,
        reliability=reliability,
        resolution=resolution,
        uncertainty=uncertainty,
        within=brier - (reliability - resolution + uncertainty),
        reliability_corrected=max(fair_reliability, fair_reliability - fair_resolution, 0.0),
        resolution_corrected=max(fair_resolution, fair_resolution - fair_reliability, 0.0),
        uncertainty_corrected=uncertainty + of_base,
    )


def _edges(p: _Floats) -> _Floats:
    """Return the upper edges of bins of about as many claims each; equal ones stay together."""
    bins = max(1, min(MOST_BINS, len(p) // LEAST_IN_BIN))
    last = np.ceil(np.arange(1, bins + 1) * len(p) / bins).astype(int) - 1
    return np.unique(p[last])


def _shares(p: _Floats, hit: _Floats, edges: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Return claims, mean probability and share of hits by row and bin; NaN where it is empty."""
    rows, bins = len(p), len(edges)
    number = np.searchsorted(edges, p, side="left") + bins * np.arange(rows)[:, None]
    place, size = number.ravel(), rows * bins
    claims = np.bincount(place, minlength=size).astype(float)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, p.ravel(), size) / claims
        share = np.bincount(place, hit.ravel(), size) / claims
    return claims.reshape(rows, bins), mean.reshape(rows, bins), share.reshape(rows, bins)


def _errors(claims: _Floats, mean: _Floats, share: _Floats) -> _Floats:
    found: _Floats = np.nansum(claims * np.abs(mean - share), axis=1) / claims.sum(axis=1)
    return found


def _blocks(n: int) -> list[int]:
    """Return how many resamples of `n` claims to draw at a time, so that memory stays small."""
    most = max(1, _MOST_DRAWN // n)
    return [min(most, RESAMPLES - first) for first in range(0, RESAMPLES, most)]


def _were_it_reliable(p: _Floats, edges: _Floats) -> tuple[_Floats, _Floats]:
    """Return the shares by bin, and the errors, of claims that come true as often as they say."""
    generator = np.random.default_rng(_SEED)
    shares, errors = [], []
    for rows in _blocks(len(p)):
        drawn = generator.choice(p, (rows, len(p)))
        hit = (generator.random(drawn.shape) < drawn).astype(float)
        claims, mean, share = _shares(drawn, hit, edges)
        shares.append(share)
        errors.append(_errors(claims, mean, share))
    return np.concatenate(shares), np.concatenate(errors)


def _bootstrap_errors(p: _Floats, hit: _Floats, edges: _Floats) -> _Floats:
    generator = np.random.default_rng(_SEED + 1)
    errors = []
    for rows in _blocks(len(p)):
        drawn = generator.integers(0, len(p), (rows, len(p)))
        errors.append(_errors(*_shares(p[drawn], hit[drawn], edges)))
    return np.concatenate(errors)


def _error_interval(error: float, drawn: _Floats) -> tuple[float, float]:
    """Return the percentile interval, moved by how much resampling adds to the error itself."""
    low, high = np.quantile(drawn, (0.05, 0.95)) - (drawn.mean() - error)
    return max(0.0, float(low)), min(1.0, float(high))


def rate_interval(events: int, exposure: float, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a Poisson rate (Garwood 1936, Biometrika 28).

    Args:
        events: How many there were.
        exposure: Over how much, for example unit-years; above 0.
        level: The least share of times that the interval holds the rate.

    >>> tuple(round(x, 3) for x in rate_interval(0, 1.0))
    (0.0, 3.689)
    """
    tail = (1 - level) / 2
    low = float(gammaincinv(events, tail)) if events else 0.0
    return low / exposure, float(gammaincinv(events + 1, 1 - tail)) / exposure
