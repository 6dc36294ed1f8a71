"""S12, state-complicity allegation pressure: new accusers say that a state backs an armed group.

What counts is who accuses, not how often: an accuser is a publisher family, or a side that is cited
(a state's authorities, the UN). It is new when it has not accused for half a year. An official
complaint (a demarche) and the United Nations weigh twice, an armed group's word half. The strength
is that of the strongest stretch of up to 30 days of new accusers against all days before it
(`pressure.py`), in both directions of a dyad together; the reason tells which side accuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final, get_args

from msgspec import Struct, field

from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import EventType
from detectors.scan import Found
from detectors.signals.base import Observation
from detectors.signals.weighed import Weighed, WeighedState
from detectors.world.families import FAMILIES
from detectors.world.units import Kind

ALLEGED: Final = "complicity_alleged"
REACH_DAYS: Final = 30
#: An accuser who has been silent for so long is new again, days.
NEW_AFTER: Final = 180
_OFFICIAL: Final = 2.0
_COMPLAINT: Final = "demarche"
#: What a side weighs as an accuser; who is not here is on no side.
_SIDES: Final = {
    "afg-authorities": 1.0,
    "pak-authorities": 1.0,
    "foreign-authorities": 1.0,
    "un": _OFFICIAL,
    "militant": 0.5,
}
_SIDE: Final = "side:"
_MOST_TOLD: Final = 6


class Accuser(Struct, array_like=True):
    """Since when somebody accuses. Days are day numbers."""

    first: int
    last: int
    weight: float


class ComplicityState(WeighedState):
    """What is remembered of a unit."""

    #: By publisher family, or "side:" and who is cited.
    accusers: dict[str, Accuser] = field(default_factory=dict)


class Complicity(Weighed):
    """S12 for one dyad or country: new independent accusers, rises only."""

    name: ClassVar[str] = "S12"
    title: ClassVar[str] = "State-complicity allegation pressure"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("dyad", "country"))
    indicator: ClassVar[str] = "complicity_allegations"
    words: ClassVar[str] = "allegations of a state's complicity"
    events: ClassVar[tuple[EventType, ...]] = get_args(EventType)
    reach: ClassVar[int] = REACH_DAYS
    lull: ClassVar[int] = 30  # before, every accuser would be new

    def initial(self) -> ComplicityState:
        """Return the state of a unit never seen before."""
        return ComplicityState()

    def weight(self, incident: Incident) -> int:
        """Return 1 for an allegation, however many repeat it."""
        return int(ALLEGED in incident.themes)

    def weigh(self, state: ComplicityState, seen: Observation, *, anew: bool) -> None:
        """Note who accuses; of the last week who it was is looked at anew each half day."""
        known, oldest = state.accusers, seen.today - OPEN_DAYS
        if anew:
            for name in [n for n, a in known.items() if a.first >= oldest]:
                del known[name]
            for name in [n for n, a in known.items() if a.last < seen.today - NEW_AFTER]:
                del known[name]
            heard = list(seen.between(oldest, seen.today, self.events))
        else:
            heard = list(seen.new)
        for incident in heard:
            if self.weight(incident):
                for name, weight in accusers(incident):
                    _note(known, name, incident.day, weight)
        self._weigh_days(state)

    def _weigh_days(self, state: ComplicityState) -> None:
        pressure, weights = state.pressure, dict[int, float]()
        for accuser in state.accusers.values():
            if accuser.first >= pressure.first:
                weights[accuser.first] = weights.get(accuser.first, 0.0) + accuser.weight
        pressure.days = weights

    def told(self, state: ComplicityState, seen: Observation, found: Found) -> str:
        """Return how many accusers are new, and who they are."""
        since = seen.today - found.days + 1
        new = sorted(name for name, a in state.accusers.items() if a.first >= since)
        sides = [name.removeprefix(_SIDE) for name in new if name.startswith(_SIDE)]
        families = [_called(name) for name in new if not name.startswith(_SIDE)]
        who = ", ".join((sides + families)[:_MOST_TOLD])
        days = f"{found.days} day{'s'[: found.days > 1]}"
        return (
            f"{len(families)} publishers and {len(sides)} sides newly tell in {days} that a state "
            f"backs an armed group, weighing {found.observed} against {found.expected:.1f} expected"
            + (f": {who}" if who else "")
        )


def accusers(incident: Incident) -> Iterator[tuple[str, float]]:
    """Yield who accuses, and what it weighs.

    Several publishers that tell one allegation repeat one accuser: each further one weighs half of
    the one before, until it tells of another.
    """
    official = _COMPLAINT in incident.themes
    for number, family in enumerate(incident.publishers):
        yield family, 0.5**number
    for voice in incident.voices:
        if voice in _SIDES:
            yield f"{_SIDE}{voice}", _OFFICIAL if official else _SIDES[voice]


def _note(known: dict[str, Accuser], name: str, day: int, weight: float) -> None:
    accuser = known.get(name)
    if accuser is None or day - accuser.last > NEW_AFTER:
        known[name] = Accuser(day, day, weight)
        return
    accuser.first, accuser.last = min(accuser.first, day), max(accuser.last, day)
    accuser.weight = max(accuser.weight, weight)


def _called(family: str) -> str:
    known = FAMILIES.get(family)
    return known.name if known else family
