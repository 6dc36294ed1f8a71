"""S16, communication tempo: how often an armed group speaks, against what is usual for it.

The second half of "claim-confirmation gap and communication tempo" (S8 is the first): a signal has
one indicator, and these are two. A statement is an incident of any type in which a report cites the
group itself (`groups.is_own`): one statement told by forty outlets is one. Rises and falls are
tested as in the other counts (`counting.py`: a two-sided CUSUM on negative binomial counts, Page
1954, Hoehle & Paul 2008), but only while coverage is ok: where outlets are out of reach, a group
is not silent but unheard. A fall is told as one, though lulls of output have come before surges:
that it bodes ill is for the reader to judge.
"""

from __future__ import annotations

from typing import ClassVar, get_args

from msgspec.structs import replace

from detectors.incidents import Incident
from detectors.records import EventType, Score
from detectors.signals.base import Observation
from detectors.signals.counting import Counting, CountState
from detectors.signals.groups import is_own, unit_of
from detectors.world.units import Kind


class CommunicationTempo(Counting):
    """S16 for one armed group: statements by day, bursts and lulls."""

    name: ClassVar[str] = "S16"
    title: ClassVar[str] = "Communication tempo"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("actor",))
    indicator: ClassVar[str] = "group_statements"
    words: ClassVar[str] = "statements"
    events: ClassVar[tuple[EventType, ...]] = get_args(EventType)

    def weight(self, incident: Incident) -> int:
        """Return 1 where the group is cited for it, else 0."""
        unit = unit_of(incident)
        return int(any(is_own(told, unit) for told in incident.told))

    def step(self, state: CountState, seen: Observation) -> tuple[CountState, tuple[Score, ...]]:
        """Score the group's last days, having counted what is new; judge only what can be heard."""
        state, scores = super().step(state, seen)
        if seen.coverage != "thin":
            return state, scores
        return state, tuple(_unheard(score) for score in scores)


def _unheard(score: Score) -> Score:
    """Return a score that is not judged, for thin coverage."""
    share = f"{score.coverage_share:.0%} of the usual reporting can be had"
    return replace(
        score,
        state="unknown",
        strength=None,
        p=None,
        observed=None,
        expected=None,
        window_days=None,
        claim=None,
        evidence=(),
        reason=f"{share}: whether the group is silent, or unheard, cannot be told",
    )
