"""What signals have in common: the frame of a score, and how its strength is ranked.

Also which incidents of the last days carry some themes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from msgspec.structs import replace

from detectors.baseline import LEARNING_DAYS
from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import Direction, EventType, Score
from detectors.series import Look, Series
from detectors.signals.base import Observation, Signal, blank
from detectors.signals.calibrated import Ranks
from detectors.timegrid import day_of

#: Days of which later reports may still change what is told: they are judged anew at each step.
OPEN: Final = OPEN_DAYS + 1
#: Nats from which a day teaches the baseline less.
SUSPECT: Final = 2.0
#: Size of the negative binomial below which a unit's news comes in bursts.
BURSTY: Final = 9.0


def opened(
    signal: Signal,
    look: Look,
    seen: Observation,
    direction: Direction = "rise",
    **changes: Any,  # noqa: ANN401
) -> Score:
    """Return a score that tells the daily counts and what is usual, not judged yet.

    In the dark it is `unknown`, and says so.
    """
    known = {"usual": round(look.level.rate, 6), "bursty": look.level.size < BURSTY}
    return blank(
        signal,
        seen,
        direction,
        daily=look.daily,
        series_end=day_of(seen.today),
        dark_days=look.dark_days,
        **known | changes,
    )


def framed(
    signal: Signal,
    series: Series,
    look: Look,
    seen: Observation,
    direction: Direction = "rise",
    **changes: Any,  # noqa: ANN401
) -> Score:
    """Return what `opened` does; while the series is learning, a score that says so."""
    score = opened(signal, look, seen, direction, **changes)
    if score.state == "scored" and series.learning:
        reason = f"learning: {series.learned} of {LEARNING_DAYS} days"
        return replace(score, state="learning", reason=reason)
    return score


def rank(strength: float, ranks: Ranks, series: Series, seen: Observation) -> tuple[float, float]:
    """Return a strength, nats, as it is told, and its rank in the unit's past, having noted it.

    A day whose coverage is not ok is ranked, but teaches nothing. One on which an alarm was near
    teaches the baseline less.
    """
    strength = round(max(strength, 0.0), 4)
    p = ranks.p(strength, seen.today)
    if seen.coverage == "ok":
        ranks.note(strength, seen.today)
        if strength >= SUSPECT:
            series.suspect(seen.today)
    return strength, p


def ranked(score: Score, strength: float, ranks: Ranks, series: Series, seen: Observation) -> Score:
    """Return a score with what `rank` gives."""
    strength, p = rank(strength, ranks, series, seen)
    return replace(score, strength=strength, p=p)


def with_themes(
    seen: Observation, first: int, last: int, themes: Collection[str]
) -> Iterator[Incident]:
    """Yield the incidents of any type that carry one of some themes, on some day numbers."""
    wanted = frozenset(themes)
    events: tuple[EventType, ...] = ("ASSAULT", *(e for e in seen.acts if e != "ASSAULT"))
    for incident in seen.between(first, last, sorted(events)):
        if not wanted.isdisjoint(incident.themes):
            yield incident
