"""How often a unit's own past was as unusual as today: conformal ranks.

A p-value from a model is wrong as far as the model is; the rank of today's strength among the days
of the past is right whatever the model (Vovk, Gammerman & Shafer 2005). A prior worth some weeks
speaks until there is a past: the strength of a log likelihood ratio passes s with a chance of
exp(-s) at
most (Wald 1947). Of each day the largest strength counts, so that looking often costs nothing.
"""

from __future__ import annotations

from math import exp, log, log1p
from typing import Final

from msgspec import Struct

_BINS: Final = 40
_PER_DOUBLING: Final = 6.0
_HALF_LIFE_DAYS: Final = 365
_DISCOUNT: Final = 0.5 ** (1 / _HALF_LIFE_DAYS)
_PRIOR_DAYS: Final = 60.0


def bin_of(strength: float) -> int:
    """Return the bin of a strength in nats: fine near zero, then in equal ratios."""
    return min(_BINS - 1, int(_PER_DOUBLING * log1p(max(strength, 0.0))))


def worth(surprise: float) -> float:
    """Return what a p-value is worth at most as a log likelihood ratio, nats.

    A small p-value speaks less against "nothing has changed" than it seems to: the bound is
    -e p log p (Sellke, Bayarri & Berger 2001, The American Statistician 55). Without it signals
    that test by tails would outweigh those that compare two accounts.

    Args:
        surprise: -log p.

    >>> round(worth(3.0), 2), round(worth(9.2), 2), worth(0.5)
    (0.9, 5.98, 0.0)
    """
    return surprise - 1.0 - log(surprise) if surprise > 1.0 else 0.0


class Ranks(Struct):
    """The strengths of past days, by bins; constant in memory."""

    days: dict[int, float] = {}  # bin -> discounted days
    today: int = -1
    highest: float = 0.0  # of today

    def note(self, strength: float, today: int) -> None:
        """Take in a strength of a day."""
        if today != self.today:
            self._close(today)
        self.highest = max(self.highest, strength)

    def p(self, strength: float, today: int) -> float:
        """Return the share of days as unusual as this one, the prior's and this one included."""
        strength = max(strength, self.highest if today == self.today else 0.0)
        if strength <= 0.0:
            return 1.0
        mine, total, above = bin_of(strength), 1.0 + _PRIOR_DAYS, 1.0
        above += _PRIOR_DAYS * exp(-strength)
        for each, days in self.days.items():
            total += days
            above += days if each > mine else 0.5 * days if each == mine else 0.0
        return round(min(1.0, above / total), 6)

    def _close(self, today: int) -> None:
        if self.today >= 0:
            kept = _DISCOUNT ** max(1, today - self.today)
            self.days = {each: days * kept for each, days in self.days.items()}
            mine = bin_of(self.highest)
            self.days[mine] = self.days.get(mine, 0.0) + 1.0
        self.today, self.highest = today, 0.0
