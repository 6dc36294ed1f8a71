"""What signals with a model of their own have in common with those that count (`counting.py`).

The frame of a score, how it is ranked, and which incidents of the last days carry some themes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from msgspec.structs import replace

from detectors.baseline import LEARNING_DAYS
from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import Direction, EventType, Score
from detectors.series import SERIES_DAYS, Look, Series
from detectors.signals.base import Observation, Signal, blank
from detectors.signals.calibrated import Ranks
from detectors.signals.counting import BURSTY, SUSPECT
from detectors.timegrid import day_of

#: Days of which later reports may still change what is told: they are judged anew at each step.
OPEN: Final = OPEN_DAYS + 1
#: What weekday, season and calendar make of a series that has none of their rhythm.
EVEN: Final = (1.0,) * SERIES_DAYS


def framed(
    signal: Signal, series: Series, look: Look, seen: Observation, direction: Direction
) -> Score:
    """Return a score with its counts, not judged yet; in the dark or learning it says so."""
    score = blank(
        signal,
        seen,
        direction,
        daily=look.daily,
        series_end=day_of(seen.today),
        dark_days=look.dark_days,
        usual=round(look.level.rate, 6),
        bursty=look.level.size < BURSTY,
    )
    if score.state == "scored" and series.learning:
        reason = f"learning: {series.learned} of {LEARNING_DAYS} days"
        return replace(score, state="learning", reason=reason)
    return score


def ranked(score: Score, strength: float, ranks: Ranks, series: Series, seen: Observation) -> Score:
    """Return a score with its strength, nats, and its rank in the unit's past, having noted it.

    A day whose coverage is not ok is ranked, but teaches nothing.
    """
    strength = round(max(strength, 0.0), 4)
    p = ranks.p(strength, seen.today)
    if seen.coverage == "ok":
        ranks.note(strength, seen.today)
        if strength >= SUSPECT:
            series.suspect(seen.today)
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
