"""What a score says will prove true: claims that daily counts can settle.

A rise claims that the next fortnight passes a count that the usual level rarely passes; a fall that
its window stays low once late reports are in. Both are settled from the same daily counts on which
the score rests (`ledger.py`).
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from math import log2
from typing import Final

from msgspec import Struct

from detectors.baseline import Level
from detectors.distributions import (
    log_odds,
    logistic,
    lower_quantile,
    lower_tail,
    upper_quantile,
    upper_tail,
)
from detectors.records import Claim, Direction, Resolver
from detectors.scan import Found
from detectors.series import Look
from detectors.signals.base import Observation
from detectors.timegrid import DAY, LOCAL_OFFSET, day_of, instant

HORIZON_DAYS: Final = 14
GRACE_DAYS: Final = 4  # after which 95 % of incidents are known
TAIL: Final = 0.10  # a claim names a count that is normally passed this rarely
#: What has risen falls back in part (regression to the mean), and a lull that was noticed was
#: chosen for being one. Log odds to add, and more for each doubling of the incidents that are usual
#: in a week: fitted on 4,457 claims in simulated worlds (half of them with episodes).
_REGRESSION: Final = {"rise": (-1.01, 0.089), "fall": (-0.14, 0.476)}


class Counted(Struct, frozen=True):
    """What a claim counts: the indicator's name, and its words."""

    indicator: str
    words: str  # plural: "violent incidents"


def rise(counted: Counted, look: Look, seen: Observation, against: Level) -> Claim:
    """Claim that the next fortnight passes a count that the level of reference rarely passes."""
    count, base_rate = _rarely_passed(against.rate * HORIZON_DAYS, against.size)
    now = _current(look)
    tail = upper_tail(count, now.rate * HORIZON_DAYS, now.size)
    probability = _honest(tail, "rise", look.level.rate)
    return _ahead(counted.indicator, counted.words, seen, count, (probability, base_rate))


def fortnight(
    counted: Counted, seen: Observation, count: int, probability: float, base_rate: float
) -> Claim:
    """Claim at least so many in the next fortnight.

    Args:
        counted: What is counted.
        seen: What the unit is scored on.
        count: How many at least.
        probability: That it will be so.
        base_rate: That it would be so at the usual level.
    """
    words = counted.words if count != 1 else single(counted.words)
    chances = (round(min(1.0, probability), 4), round(min(1.0, base_rate), 4))
    return _ahead(counted.indicator, words, seen, count, chances)


def _ahead(
    indicator: str, words: str, seen: Observation, count: int, chances: tuple[float, float]
) -> Claim:
    """Claim at least so many in the next fortnight, with its probability and base rate."""
    first, last = day_of(seen.today + 1), day_of(seen.today + HORIZON_DAYS)
    probability, base_rate = chances
    return Claim(
        statement=f"At least {count} {words} in the {HORIZON_DAYS} days {first} to {last}",
        probability=probability,
        base_rate=base_rate,
        horizon_days=HORIZON_DAYS,
        resolver=Resolver(
            indicator=indicator,
            unit=seen.unit,
            first_day=first,
            last_day=last,
            comparison="at_least",
            count=count,
            settle_at=settle_at(seen, seen.today + HORIZON_DAYS + GRACE_DAYS),
        ),
    )


def single(words: str) -> str:
    """Return the words for one of what is counted.

    >>> single("incidents with 10 or more killed")
    'incident with 10 or more killed'
    """
    first, space, rest = words.partition(" ")
    return first.removesuffix("s") + space + rest


def fall(counted: Counted, look: Look, seen: Observation, found: Found) -> Claim | None:
    """Claim that the window stays low once late reports are in. None: it is not low enough."""
    days, size = found.days, look.level.size
    usual = sum(look.usual[:days])
    count = _rarely_as_low(usual, size)
    if count is None or count < found.observed:
        return None
    now = _current(look)
    missing = max(0.0, usual - sum(look.now[:days])) / max(look.level.rate, 1e-9)  # days' worth
    first, last = day_of(seen.today - days + 1), day_of(seen.today)
    return Claim(
        statement=(
            f"At most {count} {counted.words} in the {days} days {first} to {last}, "
            "once late reports are in"
        ),
        probability=_honest(
            lower_tail(count - found.observed, now.rate * missing, now.size),
            "fall",
            look.level.rate,
        ),
        base_rate=round(lower_tail(count, usual, size), 4),
        horizon_days=GRACE_DAYS,
        resolver=Resolver(
            indicator=counted.indicator,
            unit=seen.unit,
            first_day=first,
            last_day=last,
            comparison="at_most",
            count=count,
            settle_at=settle_at(seen, seen.today + GRACE_DAYS),
        ),
    )


@lru_cache(4_096)
def _rarely_passed(usual: float, size: float) -> tuple[int, float]:
    """Return a count that is rarely reached, and how rarely."""
    count = max(1, upper_quantile(TAIL, usual, size))
    return count, round(upper_tail(count, usual, size), 4)


@lru_cache(4_096)
def _rarely_as_low(usual: float, size: float) -> int | None:
    return lower_quantile(TAIL, usual, size)


def _current(look: Look) -> Level:
    """Return the level of now: the last week, and the usual level worth another week."""
    shape = sum(look.counts[:7]) + 7 * look.level.rate
    exposure = sum(look.now[:7]) / max(look.level.rate, 1e-9) + 7
    return Level(shape / exposure, 1.0 / (1.0 / shape + 1.0 / look.level.size))


def _honest(probability: float, direction: Direction, rate: float) -> float:
    """Return what is left of a probability when it is known that the claim was chosen."""
    start, slope = _REGRESSION[direction]
    doublings = min(max(log2(7 * rate), -3.0), 7.0)
    return round(logistic(log_odds(probability) + start + slope * doublings), 4)


def settle_at(seen: Observation, day: int) -> datetime:
    """Return when the local day with a day number is over."""
    return instant((day + 1) * DAY - LOCAL_OFFSET.get(seen.country, 0))
