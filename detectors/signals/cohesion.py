"""S9, regime cohesion: signs of strain inside the organisation that governs a country.

A decree taken back or not carried out, a dismissal, a reshuffle, a resignation, a rebuke in public,
a leader not seen, a defection, a clash among its own, orders that contradict each other: the
`strain_*` themes. Each is rare, so it is not their number that is judged but their weight: of a
kind that has been rare so far one says more (its surprisal under a Dirichlet posterior of the
kinds), and what a single witness tells, with no second side cited, counts half. The strength is
that of the strongest stretch of up to 90 days against all days before it (`pressure.py`), so both a
burst of a month and a slow rise over a season show.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import ClassVar, Final, get_args

from msgspec import field

from detectors.coding.themes import vocabulary
from detectors.incidents import MEMORY_DAYS, OPEN_DAYS, Incident
from detectors.records import EventType
from detectors.scan import Found
from detectors.signals.base import Observation
from detectors.signals.pressure import surprises
from detectors.signals.weighed import Weighed, WeighedState
from detectors.timegrid import day_of
from detectors.world.actors import ACTORS
from detectors.world.units import Kind

REACH_DAYS: Final = 90
_PREFIX: Final = "strain_"
#: How many strain events of each kind the prior is worth.
_PRIOR: Final = 1.0
#: What an event counts that one witness tells, with one side cited at most.
_UNCONFIRMED: Final = 0.5
_BEARS_ARMS_AGAINST: Final = "insurgent"


class CohesionState(WeighedState):
    """What is remembered of a country."""

    kinds: dict[str, float] = field(default_factory=dict)  # events of each kind, older than a week
    learned: int = -1  # the last day whose events are among them


class RegimeCohesion(Weighed):
    """S9 for one country: strain of the governing organisation, rises only."""

    name: ClassVar[str] = "S9"
    title: ClassVar[str] = "Regime cohesion"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("country",))
    indicator: ClassVar[str] = "strain_events"
    words: ClassVar[str] = "strain events"
    events: ClassVar[tuple[EventType, ...]] = get_args(EventType)
    reach: ClassVar[int] = REACH_DAYS
    lull: ClassVar[int] = 30

    def initial(self) -> CohesionState:
        """Return the state of a country never seen before."""
        return CohesionState()

    def weight(self, incident: Incident) -> int:
        """Return 1 for a sign of strain that is not an armed group's own."""
        return int(bool(incident.themes) and bool(_kinds(incident)) and not _rebels(incident))

    def weigh(self, state: CohesionState, seen: Observation, *, anew: bool) -> None:
        """Weigh the days anew on which something came, or of which more may be known."""
        weights = surprises(state.kinds, kinds(), _PRIOR)
        days = {incident.day for incident in (*seen.new, *seen.gone) if self.concerns(incident)}
        if anew:
            self._learn(state, seen)
            days.update(range(seen.today - OPEN_DAYS, seen.today + 1))
        days = {day for day in days if day >= state.pressure.first}
        if not days:
            return
        found = dict.fromkeys(days, 0.0)
        for incident in seen.between(min(days), max(days), self.events):
            if incident.day in found and self.weight(incident):
                found[incident.day] += sureness(incident) * _heaviest(incident, weights)
        for day, weight in found.items():
            state.pressure.put(day, weight)

    def _learn(self, state: CohesionState, seen: Observation) -> None:
        """Let the kinds of strain of the day that has just grown a week old be known."""
        day = seen.today - OPEN_DAYS - 1
        if day <= state.learned:
            return
        first = max(state.learned + 1, day - OPEN_DAYS) if state.learned >= 0 else day
        for incident in seen.between(first, day, self.events):
            for kind in _kinds(incident) if self.weight(incident) else ():
                state.kinds[kind] = state.kinds.get(kind, 0.0) + sureness(incident)
        state.learned = day

    def told(self, state: CohesionState, seen: Observation, found: Found) -> str:
        """Return how much strain came, and of which kinds."""
        known = min(found.days, MEMORY_DAYS)
        window = seen.between(seen.today - known + 1, seen.today, self.events)
        strains = [incident for incident in window if self.weight(incident)]
        said = Counter(kind for incident in strains for kind in _kinds(incident))
        sure = sum(sureness(incident) == 1.0 for incident in strains)
        what = ", ".join(f"{number} {_words(kind)}" for kind, number in sorted(said.items()))
        return (
            f"strain weighing {found.observed} in {found.days} day{'s'[: found.days > 1]} against "
            f"{found.expected:.1f} expected"
            + (f": {what}; {sure} of {len(strains)} with two witnesses or sides" if what else "")
        )


@cache
def kinds() -> tuple[str, ...]:
    """Return the themes that are kinds of strain."""
    return tuple(name for name in vocabulary() if name.startswith(_PREFIX))


def sureness(incident: Incident) -> float:
    """Return what an incident counts: whole with two independent witnesses, or two sides cited."""
    sure = len(incident.publishers) > 1 or len(incident.voices) > 1
    return 1.0 if sure else _UNCONFIRMED


def _kinds(incident: Incident) -> tuple[str, ...]:
    return tuple(theme for theme in incident.themes if theme.startswith(_PREFIX))


def _heaviest(incident: Incident, weights: dict[str, float]) -> float:
    return max(weights.get(kind, 1.0) for kind in _kinds(incident))


def _rebels(incident: Incident) -> bool:
    """Whether all organisations named in it are armed groups that do not govern."""
    named = [
        ACTORS[actor].role(day_of(incident.day)) for actor in incident.actors if actor in ACTORS
    ]
    sides = [role.side for role in named if role is not None]
    return bool(sides) and all(side == _BEARS_ARMS_AGAINST for side in sides)


def _words(kind: str) -> str:
    return kind.removeprefix(_PREFIX).replace("_", " ")
