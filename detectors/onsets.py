"""Events that a warning should have come for, found from counts alone, whoever warned.

An onset is where a fortnight's incidents in a unit begin to be more than usual there: the count of
14 days, as finally known, reaches three numbers: 3; the one that at most a tenth of the unit's own
fortnights of the last two years reached; and the one that steady violence at the unit's usual rate
would reach in one fortnight of a hundred, without which most onsets would be chance and no one
could warn of them. No onset may be running. Its day is where, within these 14 days, counts most
likely left the usual rate (Hinkley 1970, Biometrika 57). It is over when a whole fortnight has
passed in which the number was never reached, so that no day belongs to two. What is usual is
learned from days before the fortnight only, and from no week in which the unit could not be seen.

The search is a fold over days with a small state, so that it runs on a stream as on a table. Days
on which coverage was not ok can show an onset (what was counted, happened) but never the absence
of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from math import log
from typing import Final

from msgspec import Struct

from detectors.distributions import upper_quantile
from detectors.ledger import VIOLENCE, counts_of
from detectors.records import Direction, Score

FORTNIGHT: Final = 14
#: Fewer incidents are no onset, however quiet the unit usually is.
FEWEST: Final = 3
#: The share of usual fortnights that reach the number.
TAIL: Final = 0.10
#: The chance that a fortnight of steady violence reaches the number.
CHANCE: Final = 0.01
#: Weeks of counts to learn from: fewer say nothing, older ones are forgotten.
LEAST_WEEKS: Final = 12
MOST_WEEKS: Final = 104
#: Days after which a day's count is taken as final: by then incidents are put together.
FINAL_DAYS: Final = 7
_LEAST_RATE: Final = 0.01  # incidents a day: the usual rate of a unit where none is known


class Onset(Struct, frozen=True):
    """The beginning of a time of more incidents than usual."""

    unit: str
    day: date
    count: int  # incidents in the 14 days that showed it
    usual: float  # incidents in the unit's mean fortnight before
    threshold: int  # the count from which a fortnight is out of the usual
    shown: date  # the last of these 14 days


class OnsetState(Struct):
    """What is remembered of one unit: two years of weeks, a fortnight of days."""

    next_day: date | None = None  # the first day not taken yet
    weeks: list[int] = []  # incidents by week, the newest last
    starts: list[int] = []  # the day numbers (date.toordinal) on which these weeks began
    week: list[int] = []  # the days of the week that is being filled
    week_seen: bool = True  # whether coverage was ok on all its days
    recent: list[int] = []  # the days of the fortnight, not part of any week yet
    seen: list[bool] = []  # whether coverage was ok on them
    reached: date | None = None  # the last day on which a fortnight reached the number
    judged: int = 0  # days of which it is known whether an onset was shown


def advance(state: OnsetState, unit: str, day: date, count: int, *, seen: bool) -> Onset | None:
    """Take one day's final count, in place; return the onset that it shows, if it does.

    Args:
        state: Of the unit.
        unit: Its code.
        day: A day later than all before. Days left out were not known: the fortnight begins anew.
        count: Incidents of that day.
        seen: Whether coverage was ok on it.
    """
    if state.next_day is not None and day < state.next_day:
        return None
    if day != state.next_day:
        state.week, state.recent, state.seen = [], [], []
        state.week_seen = True
    state.next_day = day + timedelta(days=1)
    state.recent.append(count)
    state.seen.append(seen)
    if len(state.recent) > FORTNIGHT:
        _learn(state, day - timedelta(days=FORTNIGHT))
    return _judge(state, unit, day) if len(state.recent) == FORTNIGHT else None


def _learn(state: OnsetState, day: date) -> None:
    """Move the fortnight's first day, `day`, into what is usual."""
    state.week.append(state.recent.pop(0))
    state.week_seen = state.seen.pop(0) and state.week_seen
    if len(state.week) < 7:
        return
    if state.week_seen:
        state.weeks.append(sum(state.week))
        state.starts.append(day.toordinal() - 6)
        del state.weeks[:-MOST_WEEKS], state.starts[:-MOST_WEEKS]
    state.week, state.week_seen = [], True


def _judge(state: OnsetState, unit: str, day: date) -> Onset | None:
    if len(state.weeks) < LEAST_WEEKS:
        return None
    count, threshold = sum(state.recent), threshold_of(state)
    if count < threshold:
        state.judged += all(state.seen)
        return None
    state.judged += 1
    before, state.reached = state.reached, day
    if before is not None and (day - before).days < FORTNIGHT:
        return None
    usual = 2 * sum(state.weeks) / len(state.weeks)
    began = day - timedelta(days=FORTNIGHT - 1 - start_of_change(state.recent, usual / FORTNIGHT))
    return Onset(unit, began, count, round(usual, 2), threshold, day)


def threshold_of(state: OnsetState) -> int:
    """Return the count from which a fortnight is out of the usual: see the head of this file."""
    known = pairwise(zip(state.starts, state.weeks, strict=True))
    fortnights = sorted((a + b for (s, a), (t, b) in known if t - s == 7), reverse=True)
    if not fortnights:
        return max(FEWEST, 2 * max(state.weeks) + 1)
    # The rate itself is known only from so many incidents: a negative binomial of that size.
    total = sum(state.weeks) + 0.5
    steady = upper_quantile(CHANCE, 2 * total / len(state.weeks), total)
    # The first count below the top tenth was reached by more than a tenth: one more was not.
    return max(FEWEST, steady, fortnights[int(TAIL * len(fortnights))] + 1)


def start_of_change(counts: Sequence[int], rate: float, direction: Direction = "rise") -> int:
    """Return the index from which counts most likely left `rate` a day, up to the last of them.

    The start of greatest Poisson likelihood (Hinkley 1970, Biometrika 57), among those from which
    there were more than the rate gives, or fewer for a fall; the last index if there is none.

    >>> start_of_change([1, 0, 0, 4, 5], 1.0)
    3
    """
    rate = max(rate, _LEAST_RATE)
    best, start, total = 0.0, len(counts) - 1, 0
    for i in range(len(counts) - 1, -1, -1):
        total += counts[i]
        mean = rate * (len(counts) - i)
        if (total > mean) == (direction == "rise"):
            gain = (total * log(total / mean) if total else 0.0) - (total - mean)
            if gain > best:
                best, start = gain, i
    return start


def onsets(
    unit: str, counts: Mapping[date, int], dark: Iterable[date] = ()
) -> tuple[list[Onset], OnsetState]:
    """Return the onsets in a unit's final counts by day, in order, and the state after them."""
    state, unseen = OnsetState(), set(dark)
    found = [
        advance(state, unit, day, counts[day], seen=day not in unseen) for day in sorted(counts)
    ]
    return [each for each in found if each is not None], state


def take(state: OnsetState, score: Score, indicator: str = VIOLENCE) -> Iterator[Onset]:
    """Take the days of a score that have become final since the last one: the streaming form.

    Days before the first score are left out: a unit that was not watched yet has zeros there.
    """
    counts, end = counts_of(score, indicator), score.series_end
    if counts is None or end is None:
        return
    if state.next_day is None:
        state.next_day = end
    final = end - timedelta(days=FINAL_DAYS)
    for day in sorted(counts):
        if state.next_day <= day <= final:
            onset = advance(state, score.unit, day, counts[day], seen=day not in score.dark_days)
            if onset is not None:
                yield onset
