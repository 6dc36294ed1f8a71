"""What strikes do: to civilians, and to the violence of the days after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from typing import Final

from msgspec import Struct
from scipy.special import betaincinv

from detectors.incidents import Incident
from detectors.signals.base import Observation, once

RETALIATION_DAYS: Final = 14
#: Days after which a day's incidents, and those after it, are known.
SETTLED_DAYS: Final = RETALIATION_DAYS + 4
_JEFFREYS: Final = 0.5
_PRIOR: Final = 2.0  # incidents on either side
_KEPT: Final = 0.98  # per strike day
_FEWEST_DAYS: Final = 3  # strike days, to speak of retaliation

Test = Callable[[Incident], bool]


class Harm(Struct, array_like=True, frozen=True):
    """Who was killed in some strikes. Those whose dead are not told, or not whose, are left out.

    The share is that of civilians among the dead of a strike, each strike counting once, as those
    who die together are no independent draws.
    """

    strikes: int = 0  # all
    told: int = 0  # with a toll, and who they were
    civilians: tuple[int, int] = (0, 0)  # at least, at most
    killed: tuple[int, int, int] = (0, 0, 0)  # low, best, high; of the same strikes
    shares: float = 0.0  # the sum of the strikes' shares

    @property
    def share(self) -> tuple[float, float, float]:
        """The share of civilians, and its 90 % interval (a Beta posterior, Jeffreys' prior)."""
        return _share(_JEFFREYS + self.shares, _JEFFREYS + self.told - self.shares)

    @property
    def words(self) -> str:
        """The harm in words."""
        if not self.told:
            return "who was killed is not told"
        share, low, high = self.share
        return (
            f"civilians are {span(*self.civilians)} of the {span(self.killed[0], self.killed[2])} "
            f"killed in {self.told} of {self.strikes} strikes, a share of {share:.0%} "
            f"({low:.0%} to {high:.0%})"
        )


@lru_cache(4_096)
def _share(a: float, b: float) -> tuple[float, float, float]:
    """Return the mean of a Beta distribution and its 90 % interval."""
    low, high = (float(betaincinv(a, b, tail)) for tail in (0.05, 0.95))
    return a / (a + b), low, high


def harm(strikes: Iterable[Incident]) -> Harm:
    """Return who was killed in some strikes.

    The dead of a strike are all civilians where reports name no others, none where they name only
    others; where they name both, anything from one is possible, and the middle counts for the
    share.
    """
    return together(once(strike, "harm", _of_one) for strike in strikes)


def together(found: Iterable[Harm]) -> Harm:
    """Return the harm of all."""
    strikes = told = least = most = low = best = high = 0
    shares = 0.0
    for each in found:
        strikes += each.strikes
        if each.told:
            told += each.told
            least, most = least + each.civilians[0], most + each.civilians[1]
            low, best, high = low + each.killed[0], best + each.killed[1], high + each.killed[2]
            shares += each.shares
    return Harm(strikes, told, (least, most), (low, best, high), shares)


def _of_one(strike: Incident) -> Harm:
    killed, victims = strike.killed, strike.profile.victims
    if killed is None or not victims or not killed.high:
        return Harm(strikes=1)
    only, some = victims == {"civilians"}, "civilians" in victims
    fewest = killed.low if only else min(1, killed.low)  # where some of them were, one was
    return Harm(
        strikes=1,
        told=1,
        civilians=(fewest, killed.high) if some else (0, 0),
        killed=(killed.low, killed.best, killed.high),
        shares=1.0 if only else 0.5 if some else 0.0,
    )


class Retaliation(Struct):
    """Other violence in the fortnights after strike days, and before them: each its own control.

    A case-crossover comparison (Maclure 1991, American Journal of Epidemiology 133): what differs
    from unit to unit and from year to year does not matter.
    """

    days: int = 0  # strike days
    after: float = 0.0  # discounted incidents
    before: float = 0.0
    settled: int = -1  # days before this one have been looked at

    @property
    def ratio(self) -> float:
        """How many times as much other violence follows a strike as came before, shrunk to 1."""
        return (self.after + _PRIOR) / (self.before + _PRIOR)

    @property
    def words(self) -> str:
        """The hazard in words; nothing while too few strike days are known."""
        if self.days < _FEWEST_DAYS:
            return ""
        return (
            f"after {self.days} strike days here other violence was {self.ratio:.1f} times that of "
            f"the {RETALIATION_DAYS} days before"
        )

    def learn(self, seen: Observation, is_strike: Test, dark: Collection[int]) -> None:
        """Look at the days that are settled now, and at what came before and after the strikes.

        Args:
            seen: What the unit is scored on.
            is_strike: Whether a violent incident is a strike.
            dark: Days on which coverage was not ok; a strike day near one is left out.
        """
        if self.settled < 0:
            self.settled = seen.today
        while self.settled < seen.today - SETTLED_DAYS:
            day = self.settled
            self.settled += 1
            near = range(day - RETALIATION_DAYS, day + RETALIATION_DAYS + 1)
            struck = any(map(is_strike, seen.incidents.between(day, day)))
            if not struck or any(each in near for each in dark):
                continue
            self.days += 1
            self.after = self.after * _KEPT + _others(seen, day + 1, is_strike)
            self.before = self.before * _KEPT + _others(seen, day - RETALIATION_DAYS, is_strike)


def span(low: int, high: int) -> str:
    """Return a range in words.

    >>> span(3, 3), span(3, 5)
    ('3', '3–5')
    """
    return str(low) if low == high else f"{low}–{high}"


def _others(seen: Observation, first: int, is_strike: Test) -> int:
    window = seen.incidents.between(first, first + RETALIATION_DAYS - 1)
    return len(window) - sum(map(is_strike, window))
