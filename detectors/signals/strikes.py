"""S14, air and drone strikes and civilian harm: strikes beyond what is usual, and what they do.

Counted are violent incidents from the air (PLOVER mode `aerial`: aircraft, drones, quadcopters,
whoever flies them) and heavy weapons of one state on the ground of its neighbour. The counts are
judged as those of all rare things are (`sparse.py`).

With it the reason tells whom the strikes of the last fortnight killed, as a range and a share, and
how much other violence has followed strike days here within 14 days (`harm.py`). Both inform, and
are no part of the strength: the harm of one strike is no evidence that strikes have become more.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import Score
from detectors.signals.base import Observation, once
from detectors.signals.counting import CountState
from detectors.signals.harm import Harm, Retaliation, harm, together
from detectors.signals.sparse import Rare
from detectors.timegrid import day_of
from detectors.world.actors import ACTORS
from detectors.world.units import UNITS, Kind

AIR: Final = "aerial"
HEAVY: Final = "heavy-weapons"
BORDER_FIRE: Final = "border_fire"
HARM_DAYS: Final = 14
_COUNTRIES: Final = {"AF": "AFG", "PK": "PAK"}  # of admin1 units
#: States whose fire may cross a border; others' forces fight on the ground that they are on.
_NEIGHBOURS: Final = frozenset(("AFG", "CHN", "IND", "IRN", "PAK", "TJK", "TKM", "UZB"))
_FORCES: Final = ("government", "foreign")
_STATES: Final = ("state", "de-facto-authority")


class StrikeState(Struct):
    """What is remembered of a unit."""

    counted: CountState = field(default_factory=CountState)
    harm: dict[int, Harm] = {}  # by day number, of the last fortnight
    retaliation: Retaliation = field(default_factory=Retaliation)


class Strikes(Rare):
    """S14 for one unit, both directions."""

    name: ClassVar[str] = "S14"
    title: ClassVar[str] = "Air and drone strikes"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("admin1", "border", "country"))
    indicator: ClassVar[str] = "strikes"
    words: ClassVar[str] = "strikes"
    rate: ClassVar[float] = 0.02

    def weight(self, incident: Incident) -> int:
        """Return 1 for a strike."""
        return is_strike(incident)

    def initial(self) -> StrikeState:  # type: ignore[override]
        """Return the state of a unit never seen before."""
        return StrikeState()

    def step(  # type: ignore[override]
        self, state: StrikeState, seen: Observation
    ) -> tuple[StrikeState, tuple[Score, ...]]:
        """Score the unit's last days, and tell what the strikes did."""
        turned = state.counted.half_day != seen.half_day
        _, scores = super().step(state.counted, seen)
        state.retaliation.learn(seen, is_strike, state.counted.series.shares.keys())
        self._read(state, seen, turned=turned)
        rise, *others = scores
        if rise.state == "scored" and state.harm:
            told = together(state.harm.values()).words
            also = f"; {state.retaliation.words}" if state.retaliation.words else ""
            reason = f"{rise.reason}; in the last {HARM_DAYS} days {told}{also}"
            rise = replace(rise, reason=reason)
        return state, (rise, *others)

    def _read(self, state: StrikeState, seen: Observation, *, turned: bool) -> None:
        """Read anew whom the strikes killed, of the days that may have changed."""
        days = set(range(seen.today - OPEN_DAYS, seen.today + 1)) if turned else set()
        days |= {incident.day for incident in (*seen.new, *seen.gone)}
        counts = state.counted.series.counts
        for day in days:
            window = seen.incidents.between(day, day) if counts.get(day) else ()
            state.harm[day] = harm(filter(is_strike, window))
        recent = range(seen.today - HARM_DAYS + 1, seen.today + 1)
        state.harm = {d: state.harm[d] for d in recent if d in state.harm and state.harm[d].strikes}


def is_strike(incident: Incident) -> bool:
    """Whether an incident is a strike."""
    known: bool | None = incident.__dict__.get("is strike")
    return once(incident, "is strike", _is_strike) if known is None else known


def _is_strike(incident: Incident) -> bool:
    modes = incident.modes
    return AIR in modes or (HEAVY in modes and _crosses(incident))


def _crosses(incident: Incident) -> bool:
    """Whether forces of one state are named in what happened on the ground of another."""
    if BORDER_FIRE in incident.themes:
        return True
    place = _COUNTRIES.get((incident.admin1 or "")[:2])
    if place is None:
        unit = UNITS.get(incident.id.partition("/")[0])
        place = unit.country if unit is not None and unit.is_area else None
    return place is not None and _foreign_state(incident.actors, incident.day, place)


@lru_cache(4_096)
def _foreign_state(actors: tuple[str, ...], day: int, place: str) -> bool:
    on = day_of(day)
    known = [ACTORS[actor] for actor in actors if actor in ACTORS]
    return any(
        (role := each.role(on)) is not None
        and role.side in _STATES
        and role.kind in _FORCES
        and each.country in _NEIGHBOURS - {place}
        for each in known
    )
