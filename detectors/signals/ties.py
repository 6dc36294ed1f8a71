"""Ties among armed groups: who praises, mourns or pledges to whom, how often, and since when.

A tie is between two groups. Its statements by day are compared with what is usual for the tie (a
Gamma-Poisson rate with discounted weights), and its birth with how often the group has made new
ties (a Gamma-Poisson rate of births). Both are shrunk: a group that was just begun to be watched
makes nothing but new ties.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log
from typing import Final

from msgspec import Struct

from detectors.distributions import upper_tail
from detectors.scan import Found
from detectors.signals.sparse import LONGEST_DAYS, burst

#: Days for which a new tie is news.
BIRTH_DAYS: Final = 14
#: Days after which a tie that nothing was heard of is forgotten.
FORGOTTEN_DAYS: Final = 730
MOST_TIES: Final = 40
_MEAN_DAYS: Final = 180
_DISCOUNT: Final = 1.0 - 1.0 / _MEAN_DAYS
#: What a tie's rate is taken for: so many statements in so many days.
_RATE: Final = (0.3, 60.0)
#: What the rate of births is taken for: so many in so many days.
_BIRTHS: Final = (0.5, 60.0)
_DISPERSION: Final = 0.2  # news of one thing comes in bursts

#: Statements by partner and day.
Heard = Mapping[str, Mapping[int, int]]


class Tie(Struct, array_like=True):
    """A tie with another group. Days are day numbers."""

    first: int
    last: int
    past: float = 0.0  # discounted statements of days that are folded


class Ties(Struct):
    """What is remembered of a group's ties."""

    known: dict[str, Tie] = {}
    folded: int = -1  # days before this one are in the rates
    days: float = 0.0  # discounted days that were seen wholly
    watched: int = 0  # days on which a new tie would have been seen as new

    def revise(self, heard: Heard, since: int) -> None:
        """Bring the ties in line with what is known of the days from `since` on.

        A tie that rested on what turned out to be none is none.
        """
        for partner, tie in list(self.known.items()):
            if partner not in heard and tie.first >= since:
                del self.known[partner]
        for partner, days in sorted(heard.items()):
            first, last = min(days), max(days)
            tie = self.known.setdefault(partner, Tie(first, last))
            tie.last = max(tie.last, last)
            tie.first = first if tie.first >= since else tie.first
        if len(self.known) > MOST_TIES:
            kept = sorted(self.known.items(), key=lambda each: (-each[1].last, each[0]))
            self.known = dict(sorted(kept[:MOST_TIES]))

    def fold(
        self, first: int, until: int, heard: Heard, unseen: Mapping[int, float], *, new: int
    ) -> None:
        """Let the days before `until` be part of the rates; forget ties long unheard of.

        Args:
            first: The day number on which the group was first watched.
            until: Day number.
            heard: Statements of the last days, those to be folded among them.
            unseen: Days that were not seen wholly; they teach nothing.
            new: The day number from which on a tie that is not known is a new one.
        """
        if self.folded < 0:
            self.folded = first
        while self.folded < until:
            day = self.folded
            self.folded += 1
            if day in unseen:
                continue
            self.days = self.days * _DISCOUNT + 1.0
            self.watched = min(self.watched + (day >= new), FORGOTTEN_DAYS)
            for partner, tie in self.known.items():
                tie.past = tie.past * _DISCOUNT + heard.get(partner, {}).get(day, 0)
        for partner in [p for p, t in self.known.items() if t.last < until - FORGOTTEN_DAYS]:
            del self.known[partner]

    def busier(self, today: int, heard: Heard, unseen: Mapping[int, float]) -> tuple[Found, str]:
        """Return how strongly the ties' counts speak for more than usual, and the busiest tie.

        The mean of likelihood ratios over all ties is itself one: a group with many ties gets no
        more false alarms for it.
        """
        best, busiest, total = Found(0.0, 1, 0, 0.0), "", 0.0
        shares = [unseen.get(today - age, 1.0) for age in range(LONGEST_DAYS)]
        for partner, tie in sorted(self.known.items()):
            days = heard.get(partner, {})
            if not any(day > today - LONGEST_DAYS for day in days):
                total += 1.0  # nothing speaks for more
                continue
            counts = [days.get(today - age, 0) for age in range(LONGEST_DAYS)]
            shape, rate = self._rate(tie)
            size = 1.0 / (_DISPERSION + 1.0 / shape)
            found = burst(counts, [rate * share for share in shares], size)
            total += exp(min(found.strength, 500.0))
            if found.strength > best.strength:
                best, busiest = found, partner
        if best.strength <= 0.0:
            return best, ""
        mean = max(0.0, log(total / len(self.known)))
        return Found(mean, best.days, best.observed, best.expected), busiest

    def _rate(self, tie: Tie) -> tuple[float, float]:
        shape = _RATE[0] + tie.past
        return shape, shape / (_RATE[1] + self.days)

    def born(self, today: int, new: int) -> list[str]:
        """Return the partners of the ties that are new, sorted."""
        since = max(today - BIRTH_DAYS + 1, new)
        return sorted(partner for partner, tie in self.known.items() if tie.first >= since)

    def surprise(self, today: int, new: int) -> float:
        """Return -log of the chance of so many new ties in a fortnight, nats; 0 for none."""
        births = len(self.born(today, new))
        if not births:
            return 0.0
        since = today - BIRTH_DAYS + 1
        shape = _BIRTHS[0] + sum(new <= tie.first < since for tie in self.known.values())
        mean = shape * BIRTH_DAYS / (_BIRTHS[1] + self.watched)
        return -log(max(upper_tail(births, mean, shape), 1e-300))
