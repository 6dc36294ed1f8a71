"""The instability index: how likely a unit is to see an escalation in the next fortnight.

An escalation is a fortnight with so many violent incidents that it is in the unit's own top decile:
at least the unit's bar (`rules/base.py: Known.bar`). So the index compares a unit with its own
history and with no other's: there is no floor for a country and no weight that an editor chose.
Until a unit has been watched for 90 days its history is too short for a bar; the one that its usual
rate predicts stands in.

This file says what the index rests on: a few named features, worked out from what is known at a
step. What is made of them is a model's part (`model.py`). Training runs the same code over a
history, with a judge that only writes down what it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log, log1p
from typing import Final, Protocol

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from detectors.distributions import upper_quantile, upper_tail
from detectors.evidence import NAME
from detectors.ledger import VIOLENCE
from detectors.records import Index, Score
from detectors.rules.base import BAR_DAYS, FEWEST, HORIZON_DAYS, LEAST_BAR_DAYS, TOP, Known
from detectors.signals import SIGNALS
from detectors.signals.base import Observation
from detectors.timegrid import day_number
from detectors.world.units import UNITS, Kind

#: Raised when a feature changes its meaning: models made before are refused.
VERSION: Final = 1
KINDS: Final[frozenset[Kind]] = frozenset(("admin1", "country"))
_SUMMED: Final = "S0/rise"
#: Days' worth of incidents that are known of the last fortnight (delays of `series.py`).
_KNOWN_DAYS: Final = 12.75
#: Size of the negative binomial of a fortnight, and where incidents come in bursts.
_SIZE: Final = (10.0, 4.0)
_LEAST_CHANCE: Final = 1e-4
_MOST_RARE: Final = 12.0  # nats
_LONG_AGO: Final = 365  # days
_LEAST_SHAPE: Final = 0.3  # incidents

#: What a unit's counts and its place in the calendar say, with the sign that sense demands of a
#: model: 1 rising, -1 falling, 0 free.
COMMON: Final[dict[str, int]] = {
    "pace": 1,  # log odds of the bar being reached were all to go on as it does
    "week": 0,  # log ratio of the last 7 days to the usual, each with one incident more
    "fortnight": 0,  # ... 14 days
    "month": 0,  # ... 28 days
    "bar": -1,  # log ratio of the bar to a usual fortnight, each with one incident more
    "usual": 0,  # log of 1 + the incidents of a usual fortnight
    "bursty": 0,  # 1 where weeks vary more than chance would have it
    "since": -1,  # log of 1 + fortnights since one reached the bar, a year at most
    "season": 1,  # log ratio of what the calendar makes of the next fortnight to the last
    "coverage": 0,  # share of the usual reporting
}
#: What the evidence of all signals together says (S0).
TOGETHER: Final[dict[str, int]] = {
    "strength": 1,  # log of 1 + nats
    "rarity": 1,  # -log of the p-value, nats
}


def of_signals() -> dict[str, int]:
    """Return the features of the signals in the registry, with their signs.

    Each signal of areas has its strength (log of 1 + nats) and its rarity (-log of its p-value).
    """
    names = [s.name for s in SIGNALS.values() if s.indicator and s.kinds & KINDS]
    return {feature: 1 for name in names for feature in (name, f"{name} rarity")}


class Past(Struct):
    """What is remembered of a unit: its daily counts of two years, at most 3 KiB as JSON."""

    last: int = -1  # day number of the newest of `counts`
    counts: list[int] = []  # violent incidents by day, as last known
    half_day: int = -1  # when the bar was taken
    bar: int = 0  # incidents that put a fortnight into the unit's top decile
    reached: int = -1  # the last day on which a fortnight that reached the bar ended

    def note(self, daily: tuple[int, ...], today: int) -> None:
        """Take in the counts of the last days as they are known now, the last is `today`."""
        new = 1 if self.last < 0 else max(0, today - self.last)
        self.counts.extend([0] * new)
        self.last = max(today, self.last)
        kept = min(len(daily), len(self.counts))
        if kept:
            self.counts[-kept:] = daily[-kept:]
        if len(self.counts) > BAR_DAYS + HORIZON_DAYS:
            del self.counts[: -BAR_DAYS - HORIZON_DAYS]

    def raise_bar(self, half_day: int, usual: float, size: float) -> None:
        """Take the bar anew, once a half day.

        Args:
            half_day: Half days of local time since 1970.
            usual: Incidents a day.
            size: Of the negative binomial of a fortnight.
        """
        if half_day == self.half_day:
            return
        self.half_day = half_day
        if len(self.counts) < LEAST_BAR_DAYS:
            self.bar = max(FEWEST, upper_quantile(TOP, usual * HORIZON_DAYS, size))
        else:
            known = np.array([self.counts], dtype=np.float64)
            self.bar = int(Known(known, known, np.zeros(1, dtype=np.intp)).bar[0])

    def total(self, days: int) -> int:
        """Return the incidents of the last days."""
        return sum(self.counts[-days:])


class Judge(Protocol):
    """What makes an index of features."""

    def judge(self, seen: Observation, bar: int, features: Mapping[str, float]) -> Index | None:
        """Return a unit's index, None where there is none."""
        ...


def attach(
    judge: Judge,
    past: Past,
    seen: Observation,
    summed: tuple[Score, ...],
    published: Mapping[str, Score],
) -> tuple[Score, ...]:
    """Return what sums up a unit, with its index on the score for rises.

    An index is given of areas only, and only where the unit is judged: never in the dark, never
    while what is usual is still being learned.

    Args:
        judge: Makes the index.
        past: Of the unit; is brought up to date.
        seen: What the unit was scored on.
        summed: The scores of S0.
        published: The last score of each signal, by "signal/direction".
    """
    violence = published.get(f"{_counting()}/rise")
    if UNITS[seen.unit].kind not in KINDS or violence is None:
        return summed
    if violence.series_end is not None:
        past.note(violence.daily, day_number(violence.series_end))
    return tuple(
        replace(score, index=_index(judge, past, seen, violence, {**published, _SUMMED: score}))
        if score.direction == "rise" and score.state == "scored"
        else score
        for score in summed
    )


def _index(
    judge: Judge, past: Past, seen: Observation, violence: Score, scores: Mapping[str, Score]
) -> Index | None:
    if violence.state != "scored" or violence.usual is None:
        return None
    features = _features(past, seen, violence)
    for name in (NAME, *SIGNALS):
        _add_signal(features, name, scores.get(f"{name}/rise"))
    return judge.judge(seen, past.bar, features)


def _counting() -> str:
    """Return the signal that counts violent incidents."""
    return next(s.name for s in SIGNALS.values() if s.indicator == VIOLENCE)


def _features(past: Past, seen: Observation, violence: Score) -> dict[str, float]:
    usual, size = violence.usual or 0.0, _SIZE[violence.bursty]
    past.raise_bar(seen.half_day, usual, size)
    fortnight, season = past.total(HORIZON_DAYS), _season(seen)
    if fortnight >= past.bar:
        past.reached = seen.today
    start = past.last - len(past.counts) if past.reached < 0 else past.reached
    return {
        "pace": _pace(past.bar, fortnight, usual, size, season),
        "week": _ratio(past.total(7), 7 * usual),
        "fortnight": _ratio(fortnight, HORIZON_DAYS * usual),
        "month": _ratio(past.total(28), 28 * usual),
        "bar": _ratio(past.bar, HORIZON_DAYS * usual),
        "usual": log1p(HORIZON_DAYS * usual),
        "bursty": float(violence.bursty),
        "since": log1p(min(seen.today - start, _LONG_AGO) / HORIZON_DAYS),
        "season": log(season),
        "coverage": seen.share,
    }


def _add_signal(features: dict[str, float], name: str, score: Score | None) -> None:
    if score is None or score.state != "scored" or not score.strength:
        return  # says nothing: 0
    strength, rarity = (name, f"{name} rarity") if name != NAME else ("strength", "rarity")
    features[strength] = log1p(score.strength)
    features[rarity] = min(-log(max(score.p or 1.0, 1e-12)), _MOST_RARE)


def _ratio(count: float, usual: float) -> float:
    """Return the log ratio of two counts, each with one incident more: few say little."""
    return log((count + 1.0) / (usual + 1.0))


def _season(seen: Observation) -> float:
    """Return what the calendar makes of the next fortnight, over what it made of the last."""
    factor, today = seen.climate.factor, seen.today
    ahead = sum(factor(today + day) for day in range(1, HORIZON_DAYS + 1))
    return ahead / sum(factor(today - day) for day in range(HORIZON_DAYS))


def _pace(bar: int, fortnight: int, usual: float, size: float, season: float) -> float:
    """Return the log odds that the next fortnight reaches the bar, were all to go on as it does.

    The rate is a Gamma posterior of the last fortnight, with the usual rate worth another; the
    count that it predicts is negative binomial.
    """
    shape = max(fortnight + HORIZON_DAYS * usual, _LEAST_SHAPE)
    mean = HORIZON_DAYS * season * shape / (_KNOWN_DAYS + HORIZON_DAYS)
    chance = upper_tail(bar, mean, 1.0 / (1.0 / shape + 1.0 / size))
    chance = min(max(chance, _LEAST_CHANCE), 1.0 - _LEAST_CHANCE)
    return log(chance / (1.0 - chance))


def words(index: Index, most: int = 3) -> str:
    """Return an index in one line, with what adds most to it.

    >>> from detectors.records import Factor
    >>> factors = (Factor("S1", 1.1, 1.97), Factor("bar", 0.5, -0.4))
    >>> words(Index(0.34, 0.21, 0.49, 14, "untrained", factors))
    'Instability 34 of 100 (21 to 49): +2.0 log odds from S1, -0.4 from bar (untrained)'
    """
    given = [f"{each.log_odds:+.1f}|{each.name}" for each in index.factors[:most]]
    told = [" log odds from ", *(" from ",) * most]
    parts = [each.replace("|", told[number], 1) for number, each in enumerate(given)]
    low, high = round(100 * index.low), round(100 * index.high)
    because = f": {', '.join(parts)}" if parts else ""
    untrained = " (untrained)" if index.model == "untrained" else ""
    return f"Instability {100 * index.probability:.0f} of 100 ({low} to {high}){because}{untrained}"
