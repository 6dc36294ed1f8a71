"""Signals of rare things that weigh unequally: counted by days for claims, weighed for strength.

What `Counting` does stays: counts, evidence, claims. Only the strength is another's
(`pressure.py`): stretches of up to a season, things that weigh more and less.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import field
from msgspec.structs import replace

from detectors.baseline import LEARNING_DAYS
from detectors.incidents import Incident
from detectors.records import Claim, Direction, IncidentRef, Score
from detectors.scan import Found
from detectors.series import Look
from detectors.signals import claims
from detectors.signals.base import Observation
from detectors.signals.counting import REMARKABLE, Counting, CountState, weightiest
from detectors.signals.pressure import Pressure
from detectors.signals.scored import opened, ranked


class WeighedState(CountState):
    """What is remembered of a unit."""

    pressure: Pressure = field(default_factory=Pressure)


class Weighed(Counting):
    """The common part of signals of rare things that weigh unequally; they tell rises only."""

    directions: ClassVar[tuple[Direction, ...]] = ("rise",)
    reach: ClassVar[int]  # days: the longest stretch
    lull: ClassVar[int] = LEARNING_DAYS  # days before it may speak

    def initial(self) -> WeighedState:
        """Return the state of a unit never seen before."""
        return WeighedState()

    def weigh(self, state: Any, seen: Observation, *, anew: bool) -> None:  # noqa: ANN401
        """Bring `state.pressure` up to date.

        Args:
            state: What is remembered.
            seen: What is seen.
            anew: Whether a half day has begun, so that what is known of the last days has to be
                looked at again.
        """
        raise NotImplementedError

    def told(self, state: Any, seen: Observation, found: Found) -> str:  # noqa: ANN401
        """Return the sentence that a reader is told."""
        raise NotImplementedError

    def step(self, state: Any, seen: Observation) -> tuple[Any, tuple[Score, ...]]:  # noqa: ANN401
        """Score the unit's last days, having counted and weighed what is new."""
        series, today = state.series, seen.today
        anew = seen.half_day != state.half_day
        series.start(seen.began)
        self.count(state, seen)
        state.pressure.fold(today, self.reach)
        self.weigh(state, seen, anew=anew)
        if seen.coverage != "ok":
            state.pressure.unseen(today, seen.share if seen.coverage == "thin" else 0.0)
        return state, (self._judge(state, seen, self.look(series, seen)),)

    def _judge(self, state: Any, seen: Observation, look: Look) -> Score:  # noqa: ANN401
        score = opened(self, look, seen)
        if score.state == "unknown":
            return score
        if state.series.learned < self.lull:
            reason = f"learning: {state.series.learned} of {self.lull} days"
            return replace(score, state="learning", reason=reason)
        found = state.pressure.rise(seen.today, self.reach)
        score = ranked(score, found.strength, state.rises, state.series, seen)
        claim: Claim | None = None
        evidence: tuple[IncidentRef, ...] = ()
        if (score.strength or 0.0) >= REMARKABLE:
            evidence = self.evidence(seen, found.days)
            counted = claims.Counted(self.indicator, self.words)
            claim = claims.rise(counted, look, seen, look.level)
        return replace(
            score,
            observed=found.observed,
            expected=round(found.expected, 3),
            window_days=found.days,
            reason=self.told(state, seen, found),
            evidence=evidence,
            claim=claim,
        )


def refs(incidents: list[Incident]) -> tuple[IncidentRef, ...]:
    """Return incidents as evidence, by day, so many as fit."""
    return weightiest(sorted(incidents, key=lambda each: (each.day, each.id)))
