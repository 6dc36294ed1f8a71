"""Rare things of unequal weight by day: whether more of them have come since some day than before.

Strain inside a regime or a new accuser comes a few times in a season, so the stretches that count
are long and what is usual is hardly known. Each stretch that ends today is compared with all days
before it: the log likelihood ratio of a rate three times as high, where the rate before is a Gamma
posterior (a change point in a Poisson rate, Raftery & Akman 1986, Biometrika 73, taken one-sided as
in a CUSUM, Page 1954). The uncertainty of the rate is in it: after a short past little can be
strong.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Final

from msgspec import Struct

from detectors.scan import Found

#: The ratio to the rate before that a stretch is tested for.
RATIO: Final = 3.0
#: Variance over mean: what belongs to one affair comes together, and weighs unequally.
_DISPERSION: Final = 1.5
_HALF_LIFE_DAYS: Final = 180
_DISCOUNT: Final = 0.5 ** (1 / _HALF_LIFE_DAYS)
#: What a rate is taken for before anything is known: so many in so many days.
_PRIOR: Final = (0.5, 25.0)


class Pressure(Struct):
    """What is remembered of a unit: the last days one by one, older ones as a rate."""

    days: dict[int, float] = {}  # day number -> weight of what came on it, of the last days
    shares: dict[int, float] = {}  # the share of a day that could be seen, where it was not all
    total: float = 0.0  # discounted weight of older days
    exposure: float = 0.0  # discounted older days, by how well they could be seen
    first: int = -1  # the first day that is not among the older ones

    def put(self, day: int, weight: float) -> None:
        """Let a day have a weight, whatever it had before."""
        if weight > 0.0:
            self.days[day] = weight
        else:
            self.days.pop(day, None)

    def unseen(self, day: int, share: float) -> None:
        """Note that a day cannot be seen wholly; one that is hardly seen teaches nothing."""
        self.shares[day] = min(share, self.shares.get(day, 1.0))

    def fold(self, today: int, reach: int) -> None:
        """Let days older than `reach` become part of the rate."""
        if self.first < 0:
            self.first = today
        while self.first <= today - reach:
            weight, share = self.days.pop(self.first, 0.0), self.shares.pop(self.first, 1.0)
            self.total = self.total * _DISCOUNT + weight
            self.exposure = self.exposure * _DISCOUNT + share
            self.first += 1
        for known in (self.days, self.shares):
            for day in [day for day in known if day < self.first]:
                del known[day]

    def rate(self) -> float:
        """Return the rate of the days that are older, with its prior: weight a day."""
        return (self.total + _PRIOR[0]) / (self.exposure + _PRIOR[1])

    def rise(self, today: int, reach: int) -> Found:
        """Return the strongest stretch of at most `reach` days that ends today.

        `observed` is the weight in it, rounded. There are at least as many days before it.
        """
        first = max(self.first, today - reach + 1)
        recent = sorted((day for day in self.days if day >= first), reverse=True)
        if not recent:
            return Found(0.0, 1, 0, 0.0)
        missing = sorted((day, 1.0 - share) for day, share in self.shares.items() if day >= first)
        shape = _PRIOR[0] + self.total + sum(self.days[day] for day in recent)
        exposure = _PRIOR[1] + self.exposure + today - first + 1 - sum(m for _, m in missing)
        best, weight = Found(0.0, 1, 0, 0.0), 0.0
        for day in recent:  # a stretch begins with what came
            weight += self.days[day]
            length = today - day + 1 - sum(m for other, m in missing if other >= day)
            if length > exposure - _PRIOR[1] - length:
                break  # fewer days are known before it than are in it
            strength = ratio(weight, length, shape - weight, exposure - length)
            if strength > best.strength:
                expected = length * (shape - weight) / (exposure - length)
                best = Found(strength, today - day + 1, round(weight), expected)
        return best


def ratio(weight: float, days: float, shape: float, exposure: float) -> float:
    """Return the log likelihood ratio of a rate `RATIO` times as high, in nats.

    It is divided by the dispersion (quasi-likelihood, Wedderburn 1974, Biometrika 61).

    Args:
        weight: What came in the stretch.
        days: Its length, by how well its days could be seen.
        shape: What came before, with the prior.
        exposure: In so many days.

    >>> ratio(0.0, 10.0, 0.5, 25.0) < 0 < ratio(3.0, 10.0, 0.5, 25.0)
    True
    """
    higher = exposure / RATIO
    quiet = log(higher / (higher + days)) - log(exposure / (exposure + days))
    return (shape * quiet + weight * log((exposure + days) / (higher + days))) / _DISPERSION


def surprises(
    counts: Mapping[str, float], kinds: tuple[str, ...], prior: float
) -> dict[str, float]:
    """Return what one of each kind weighs: how surprising it is, 1 on average.

    The kinds have a Dirichlet prior; the weight is the surprisal, -log of the posterior mean, over
    the entropy.

    Args:
        counts: How many there were of each.
        kinds: All kinds.
        prior: How many of each the prior is worth.

    >>> found = surprises({"a": 9.0}, ("a", "b"), 1.0)
    >>> found["b"] > 1.0 > found["a"]
    True
    """
    total = sum(counts.get(kind, 0.0) + prior for kind in kinds)
    shares = {kind: (counts.get(kind, 0.0) + prior) / total for kind in kinds}
    entropy = -sum(share * log(share) for share in shares.values())
    return {kind: -log(share) / entropy for kind, share in shares.items()}
