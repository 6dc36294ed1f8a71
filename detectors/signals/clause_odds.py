"""How likely it is that a clause is broken: log odds by what came, and by what did not come.

An incident that bears on a clause is `weight` nats likelier where the clause is broken (Good 1950),
so under a breach such incidents come exp(weight) times as often as while it is kept. Hence each day
adds the log likelihood ratio of its count (Wald 1947): what came speaks for a breach, a quiet day
that could be seen speaks against it, by as much as is usual. "Usual" is the level while the clause
is kept, with a half-life of 30 days and a guard gap of 7, of which each day teaches as much as it
is likely that the clause was kept; of a clause that begins while its unit is watched, it is the
level before, divided by exp(weight). Counts are negative binomial, as incidents hang together.

Several incidents of one day are not as many pieces of evidence when the same outlet tells them: n
of them with m independent witnesses count for n^(1 - 2^-m). What is older decays towards the prior.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, expm1, log1p
from typing import Final, Literal

from msgspec import Struct

from detectors.baseline import GUARD_DAYS
from detectors.distributions import logistic

WINDOW_DAYS: Final = 14
PRIOR: Final = -2.2  # log odds that a clause is broken when nothing is known: one in ten
OVERDUE: Final = 1.0  # nats: its day passed, and nothing told that it was done
FULFILLED: Final = 1.0  # nats towards keeping by which it is taken as done
_HALF_LIFE_DAYS: Final = 30
_DISCOUNT: Final = 0.5 ** (1 / _HALF_LIFE_DAYS)
_MOST: Final = (-3.0, 6.0)  # log odds that older days may add
_PRIOR_LEVEL: Final = (0.2, 10.0)  # incidents, days
_BEGUN_DAYS: Final = 14.0  # what the level before is worth for a clause that has begun
#: What a day teaches at least, however likely it is that the clause was broken on it.
_LEAST_LEARNED: Final = 0.2
#: Size of the negative binomial by days: 6 to 7.6 in even stretches of fights in Afghanistan,
#: January to May 2020 (UCDP GED 23.1).
_SIZE: Final = 7.0
_WEIGHT: Final = 0.7  # nats of an incident, where none is known

State = Literal["kept", "at risk", "breached", "overdue"]
_AT_RISK: Final = 0.3
_BREACHED: Final = 0.8


class Day(Struct, array_like=True):
    """What one day brought that bears on a clause."""

    towards: int = 0  # incidents that speak for a breach
    nats: float = 0.0  # their weight together
    against: int = 0
    against_nats: float = 0.0
    witnesses: int = 0  # independent families that tell any of it

    def add(self, nats: float, number: int) -> None:
        """Add an incident that bears by so many nats, or take it back (`number` -1)."""
        if nats > 0.0:
            self.towards = max(0, self.towards + number)
            self.nats = round(max(0.0, self.nats + number * nats), 6)
        else:
            self.against = max(0, self.against + number)
            self.against_nats = round(max(0.0, self.against_nats - number * nats), 6)

    @property
    def counted(self) -> float:
        """How many pieces of evidence for a breach its incidents are worth."""
        return float(self.towards ** (1.0 - 0.5**self.witnesses)) if self.towards else 0.0

    @property
    def kept(self) -> float:
        """Nats that speak for keeping, by the same rule."""
        if not self.against:
            return 0.0
        alike = float(self.against ** (1.0 - 0.5**self.witnesses))
        return alike * self.against_nats / self.against


class ClauseOdds(Struct, dict=True):
    """What is remembered of a clause in a unit. Days are day numbers."""

    first: int  # the first day on which the clause is in force
    days: dict[int, Day] = {}  # of the last `WINDOW_DAYS`, where something came
    older: float = 0.0  # log odds that earlier days add
    count: float = _PRIOR_LEVEL[0]  # discounted: pieces of evidence for a breach
    incidents: float = _PRIOR_LEVEL[0]  # discounted: incidents
    exposure: float = _PRIOR_LEVEL[1]  # discounted days
    weight: float = _WEIGHT  # mean nats of an incident
    before: bool = False  # whether the level is that of the time before the clause
    fulfilled: float = 0.0  # all nats towards keeping of earlier days
    now: float = PRIOR  # log odds that it is broken, when they were last looked at
    learned: int = -1  # days before this one are in the level
    folded: int = -1  # days before this one are in `older`

    @property
    def done(self) -> bool:
        """Whether enough has been told that it was done."""
        lately = sum(day.against_nats for number, day in self.days.items() if number >= self.first)
        return self.fulfilled + lately >= FULFILLED

    def level(self) -> tuple[float, float]:
        """Return what a day brings while the clause is kept: pieces of evidence, incidents."""
        kept = exp(-self.weight) if self.before else 1.0
        return kept * self.count / self.exposure, kept * self.incidents / self.exposure

    def adds(self, day: int, share: float) -> float:
        """Return the nats that one day adds; `share` of what is usual could be known by now."""
        return self.brings(self.days.get(day), self.level()[0] * share)

    def brings(self, came: Day | None, mean: float) -> float:
        """Return the nats of what came on a day, `mean` being usual as far as it could be known."""
        weight = came.nats / came.towards if came and came.towards else self.weight
        counted = came.counted if came else 0.0
        quiet = (counted + _SIZE) * log1p(expm1(weight) * mean / (_SIZE + mean))
        return weight * counted - quiet - (came.kept if came else 0.0)

    def learn(self, today: int, seen: Callable[[int], float]) -> None:
        """Let what has left the guard gap be usual, and what has left the window decay.

        Args:
            today: The day number.
            seen: Which share of a day could be seen; below 1 it teaches nothing.
        """
        if self.folded > today - WINDOW_DAYS and self.learned >= today - GUARD_DAYS:
            return  # done for today
        self.forget_risen()
        while self.folded <= today - WINDOW_DAYS:
            if self.folded >= self.first:
                added = self.older * _DISCOUNT + self.adds(self.folded, seen(self.folded))
                self.fulfilled += self.days.get(self.folded, _NOTHING).against_nats
                self.older = min(max(added, _MOST[0]), _MOST[1])
            self.folded += 1
        while self.learned < today - GUARD_DAYS:
            self._learn_day(self.learned, seen(self.learned))
            self.learned += 1
        for day in [day for day in self.days if day < self.folded]:
            del self.days[day]

    def forget_risen(self) -> None:
        """Forget what was found of these odds (`risen_lately`): they are about to change."""
        self.__dict__.clear()

    def risen_lately(self, today: int, shares: tuple[float, ...], passed: int | None) -> Risen:
        """Return what `risen` says, found once until something changes.

        Args:
            today: The day number.
            shares: Which share is known by now of today's incidents, of yesterday's, ...
            passed: As `risen` takes it.
        """
        asked = (today, passed, shares)
        if self.__dict__.get("asked") != asked:
            found = risen(self, today, lambda day: shares[today - day], passed)
            self.__dict__.update(asked=asked, found=found)
        known: Risen = self.__dict__["found"]
        return known

    def _learn_day(self, day: int, share: float) -> None:
        if self.before and day >= self.first:
            kept, worth = exp(-self.weight), min(1.0, _BEGUN_DAYS / self.exposure)
            self.count, self.incidents = self.count * kept * worth, self.incidents * kept * worth
            self.exposure *= worth
            self.before = False
        if share < 1.0:
            return
        came, kept = self.days.get(day, _NOTHING), max(_LEAST_LEARNED, 1.0 - logistic(self.now))
        fading = 1.0 - kept * (1.0 - _DISCOUNT)
        self.count = self.count * fading + kept * came.counted
        self.incidents = self.incidents * fading + kept * came.towards
        self.exposure = self.exposure * fading + kept
        if came.towards:
            self.weight += 0.1 * (came.nats / came.towards - self.weight)


_NOTHING: Final = Day()


class Risen(Struct, frozen=True):
    """By how much the log odds of a breach have risen, and what they are."""

    rise: float  # nats, the largest over stretches of up to `WINDOW_DAYS` that end today
    days: int  # of that stretch
    observed: int  # incidents for a breach in it
    expected: float  # how many are usual in it
    odds: float  # log odds of a breach
    towards: int  # incidents in the window
    against: int

    @property
    def probability(self) -> float:
        """That the clause is broken."""
        return logistic(self.odds)

    @property
    def state(self) -> State:
        """Kept, at risk or breached; whether it is overdue is not told by incidents."""
        probability = self.probability
        return (
            "breached"
            if probability >= _BREACHED
            else "at risk"
            if probability >= _AT_RISK
            else "kept"
        )


#: A clause on which nothing has borne yet.
NOTHING: Final = Risen(0.0, 1, 0, 0.0, PRIOR, 0, 0)


def risen(
    odds: ClauseOdds, today: int, shares: Callable[[int], float], passed: int | None
) -> Risen:
    """Return how the log odds of a clause have moved in the last days.

    Args:
        odds: What is remembered of it.
        today: The day number.
        shares: Which share of a day's incidents is known by now.
        passed: The day on which it became overdue, or None.
    """
    total = best = expected = best_expected = 0.0
    days, observed, towards, against = 1, 0, 0, 0
    pieces, incidents = odds.level()
    for day in range(today, max(odds.first, odds.folded) - 1, -1):
        share, came = shares(day), odds.days.get(day)
        total += odds.brings(came, pieces * share) + (OVERDUE if day == passed else 0.0)
        expected += incidents * share
        if came is not None:
            towards, against = towards + came.towards, against + came.against
        if total > best:
            best, days, observed, best_expected = total, today - day + 1, towards, expected
    return Risen(best, days, observed, best_expected, PRIOR + odds.older + total, towards, against)
