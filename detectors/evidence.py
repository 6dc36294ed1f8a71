"""S0, instability: the evidence of all signals on one unit, summed up.

Each signal measures how strongly its own series speaks for a change, in nats. These are log
likelihood ratios, so what several weak signals say together is their sum (Fisher 1932 sums
p-values; sums of CUSUM statistics find changes that several series share sooner, Mei 2010,
Biometrika 97). The sum, not the single signal, is judged against the budget (`budget.py`): a unit
with ten signals would otherwise give ten times the false alarms. Signals that rest on the same
incidents are not independent: the strongest counts whole, the others half, and the threshold is
learned from how large such sums are.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log2
from typing import Final

from msgspec.structs import replace

from detectors.records import Direction, IncidentRef, Part, Score
from detectors.signals import SIGNALS
from detectors.signals.base import Observation
from detectors.signals.counting import MOST_EVIDENCE, REMARKABLE
from detectors.timegrid import instant
from detectors.world.units import UNITS

NAME: Final = "S0"
VERSION: Final = 1
TITLE: Final = "Instability, all signals together"
#: What a further signal adds of its strength: most of what it rests on has been counted.
SHARED: Final = 0.5
#: Incidents a week in the classes of units that are compared: powers of two.
CLASSES: Final = (-3, 8)
#: The class from which it shows whether incidents come in bursts.
BURSTY_FROM: Final = 2


def sum_up(seen: Observation, scores: Mapping[str, Score]) -> tuple[Score, ...]:
    """Return what a unit's last scores come to: one score for rises, one for falls.

    Args:
        seen: What the unit was scored on.
        scores: The last score of each signal and direction.
    """
    directions: tuple[Direction, ...] = ("rise", "fall")
    adding = [s for s in scores.values() if s.usual is not None and s.signal in SIGNALS]
    sides = [(each, [s for s in adding if s.direction == each]) for each in directions]
    return tuple(_summed(seen, direction, mine) for direction, mine in sides if mine)


def _summed(seen: Observation, direction: Direction, scores: list[Score]) -> Score:
    base = Score(
        id=f"{NAME}/{direction}/{seen.unit}/{seen.at}",
        signal=NAME,
        version=VERSION,
        unit=seen.unit,
        direction=direction,
        at=instant(seen.at),
        state="scored",
        coverage=seen.coverage,
        coverage_share=seen.share,
        daily=scores[0].daily,
        series_end=scores[0].series_end,
        dark_days=scores[0].dark_days,
        indicators=_indicators(scores),
        stratum=_stratum(seen.unit, scores),
    )
    judged = [s for s in scores if s.state == "scored"]
    if not judged or seen.coverage == "dark":
        return replace(base, state=scores[0].state, reason=scores[0].reason)
    ranked = sorted(judged, key=lambda s: (-(s.strength or 0.0), s.signal))
    lead, parts = ranked[0], tuple(_part(s, s is not ranked[0]) for s in ranked if s.strength)
    strength = round(sum((part.strength for part in parts), 0.0), 4)
    claim = next((s.claim for s in ranked if s.claim is not None), None)
    return replace(
        base,
        strength=strength,
        parts=parts,
        p=_p(judged),
        observed=lead.observed,
        expected=lead.expected,
        window_days=lead.window_days,
        claim=claim if strength >= REMARKABLE else None,
        evidence=_evidence(ranked),
        reason="; ".join(part.reason for part in parts) or lead.reason,
    )


def _part(score: Score, further: bool) -> Part:
    """Return what a score adds; a further one shares incidents with those before."""
    adds = round((score.strength or 0.0) * (SHARED if further else 1.0), 4)
    return Part(score.signal, adds, score.observed, score.expected, score.reason)


def _p(scores: list[Score]) -> float:
    """Return the least p-value, corrected for their number (Bonferroni)."""
    return round(min(1.0, min(s.p if s.p is not None else 1.0 for s in scores) * len(scores)), 6)


def _evidence(ranked: list[Score]) -> tuple[IncidentRef, ...]:
    """Return the incidents behind the scores, those of the strongest first in line, by day."""
    found: dict[str, IncidentRef] = {}
    for score in ranked:
        for incident in score.evidence:
            if len(found) < MOST_EVIDENCE:
                found.setdefault(incident.id, incident)
    return tuple(sorted(found.values(), key=lambda each: (each.day, each.id)))


def _indicators(scores: list[Score]) -> dict[str, tuple[int, ...]]:
    return {SIGNALS[score.signal].indicator: score.daily for score in scores if any(score.daily)}


def _stratum(unit: str, scores: list[Score]) -> str:
    """Return which units this one is comparable to.

    That is its kind, the power of two of the incidents that are usual in a week, by the signal that
    counts most of them, and "+" where they come in bursts: "admin1/3+".
    """
    most = max(scores, key=lambda score: (score.usual or 0.0, score.signal))
    usual = 7 * (most.usual or 0.0)
    low, high = CLASSES
    level = min(max(floor(log2(max(usual, 1e-9))), low), high)
    return f"{UNITS[unit].kind}/{level}{'+' if most.bursty and level >= BURSTY_FROM else ''}"
