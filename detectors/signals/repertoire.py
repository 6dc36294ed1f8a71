"""Who does what in a unit: armed actors by modes of attack, and how surprising a combination is.

The combinations are drawn from a Dirichlet-multinomial, discounted with a half-life of a year,
whose base is what the unit's actors and its modes let expect by themselves (as in hierarchical
Dirichlet processes, Teh et al. 2006, JASA 101). What was never seen has a chance too, the smaller
the more is known (Blackwell & MacQueen 1973, Annals of Statistics 1).
"""

from __future__ import annotations

from functools import lru_cache
from math import expm1, log, log1p
from typing import Final

from msgspec import Struct

from detectors.incidents import Incident
from detectors.linkage import parties
from detectors.timegrid import day_of
from detectors.world.actors import ACTORS

LEARNING_DAYS: Final = 56  # seen days before anything is called new
#: The chance that one witness, or the reading of its report, has an actor or a mode wrong.
MISTAKEN: Final = 0.1
#: Days after which an actor or a mode that was not seen is new again.
FORGOTTEN_DAYS: Final = 730
#: Days from its first incident for which an actor or a mode is called new.
NEW_DAYS: Final = 30
_KEPT: Final = 0.5 ** (1 / 365)  # per day
_MOST_CELLS: Final = 80
_MOST_CALLED: Final = 500  # combinations of names whose ids are kept until more is learned
#: What the chance of a new actor, of a new mode, and of a new combination is worth in incidents.
_NEW_ACTOR: Final = 1.0
_NEW_MODE: Final = 0.5
_NEW_PAIR: Final = 2.0
_ARMED: Final = ("armed-group", "government", "foreign")
_OWN: Final = ("state", "state-aligned", "de-facto-authority")
NEW: Final = "new"  # stands for every actor, or mode, that was never seen

Pair = tuple[str, str]  # actor ("" where none is named), mode ("" where none is told)


class Spell(Struct, array_like=True):
    """The days on which an actor or a mode was first and last seen, without a gap of two years."""

    first: int
    last: int


class Repertoire(Struct, dict=True):
    """What is remembered of a unit. Days are day numbers."""

    day: int = 0  # to which the cells are discounted
    cells: dict[str, float] = {}  # "actor|mode" -> discounted incidents
    actors: dict[str, Spell] = {}
    modes: dict[str, Spell] = {}

    @property
    def chances(self) -> Chances:
        """What it lets expect; kept until more is learned."""
        kept: Chances | None = self.__dict__.get("chances")
        if kept is None:
            kept = self.__dict__["chances"] = Chances(self)
        return kept

    def called(self, found: tuple[Pair, ...]) -> list[Pair]:
        """Return pairs with their actors as the unit knows them: a movement is known by one id.

        A faction that is named where its whole was known is not new, nor the other way round: how
        closely an outlet names an organisation is no event. Names of one organisation have one id.
        What is found is kept until more is learned.
        """
        memo: dict[tuple[Pair, ...], list[Pair]] = self.__dict__.setdefault("by_names", {})
        known = memo.get(found)
        if known is None:
            if len(memo) >= _MOST_CALLED:
                memo.clear()
            known = memo[found] = sorted({(self._movement(actor), mode) for actor, mode in found})
        return known

    def learn(self, day: int, found: list[Pair]) -> None:
        """Learn one incident of a day by its pairs (`called`), which share its weight."""
        if not found:
            return
        self.__dict__.clear()  # what was made of what was known before
        if day > self.day:
            kept = _KEPT ** (day - self.day)
            self.cells = {cell: weight * kept for cell, weight in self.cells.items()}
            self.day = day
        for actor, mode in found:
            cell = f"{actor}|{mode}"
            self.cells[cell] = self.cells.get(cell, 0.0) + 1.0 / len(found)
            if actor:
                _see(self.actors, actor, day)
            if mode:
                _see(self.modes, mode, day)
        if len(self.cells) > _MOST_CELLS:
            weakest = min(self.cells, key=lambda cell: (self.cells[cell], cell))
            del self.cells[weakest]

    def is_new(self, pair: Pair, day: int, since: int) -> tuple[bool, bool]:
        """Return whether the actor and the mode of a pair (`called`) are new on a day.

        Args:
            pair: The pair.
            day: The day.
            since: From this day on what is seen for the first time is news; before, all is new.
        """
        actor, mode = pair
        return (
            bool(actor) and _new(self.actors.get(actor), day, since),
            bool(mode) and _new(self.modes.get(mode), day, since),
        )

    def _movement(self, actor: str) -> str:
        if not actor or actor in self.actors:
            return actor
        mine = parties((actor,))
        akin = (
            (spell.first, known)
            for known, spell in self.actors.items()
            if known in mine or actor in parties((known,))
        )
        return min(akin, default=(0, actor))[1]


class Chances:
    """What a repertoire lets expect."""

    def __init__(self, known: Repertoire) -> None:
        """Sum up the cells by actors and by modes."""
        self.cells: dict[Pair, float] = {}
        self.actors: dict[str, float] = {}
        self.modes: dict[str, float] = {}
        self.total = 0.0
        for cell, weight in known.cells.items():
            actor, mode = cell.split("|")
            self.cells[actor, mode] = weight
            self.actors[actor] = self.actors.get(actor, 0.0) + weight
            self.modes[mode] = self.modes.get(mode, 0.0) + weight
            self.total += weight

    def actor(self, actor: str) -> float:
        """Return the chance of an actor; one never seen has that of all such together."""
        return self.actors.get(actor, _NEW_ACTOR) / (self.total + _NEW_ACTOR)

    def mode(self, mode: str) -> float:
        """Return the chance of a mode; one never seen has that of all such together."""
        return self.modes.get(mode, _NEW_MODE) / (self.total + _NEW_MODE)

    def pair(self, pair: Pair) -> float:
        """Return the predictive chance of a combination."""
        base = _NEW_PAIR * self.actor(pair[0]) * self.mode(pair[1])
        return (self.cells.get(pair, 0.0) + base) / (self.total + _NEW_PAIR)

    def tail(self, pair: Pair) -> float:
        """Return the chance of a combination as rare as this one, or rarer."""
        limit = self.pair(pair) * (1.0 + 1e-9)
        total = self.total + _NEW_PAIR
        modes = [(mode, self.mode(mode)) for mode in (*self.modes, NEW)]
        found = 0.0
        for actor in (*self.actors, NEW):
            base = _NEW_PAIR * self.actor(actor) / total
            for mode, share in modes:
                chance = base * share + self.cells.get((actor, mode), 0.0) / total
                if chance <= limit:
                    found += chance
        return min(1.0, found)


def surprise(chance: float, number: float) -> float:
    """Return how surprising it is that one of some incidents is what each is with a chance, nats.

    >>> round(surprise(0.01, 1), 2), round(surprise(0.01, 50), 2)
    (4.61, 0.93)
    """
    none = number * log1p(-min(chance, 1.0 - 1e-12))  # log chance that none is so
    return -log(-expm1(none))


def pairs(incident: Incident, country: str) -> tuple[Pair, ...]:
    """Return the armed actors of an incident by its modes; empty where it tells of neither.

    The state's own forces count where no other is named: they are where attacks are, as victims.
    """
    kept: tuple[str, tuple[Pair, ...]] | None = incident.__dict__.get("pairs")
    if kept is None or kept[0] != country:  # made once, until `Incident.revise` forgets it
        kept = incident.__dict__["pairs"] = (country, _pairs(incident, country))
    return kept[1]


def _pairs(incident: Incident, country: str) -> tuple[Pair, ...]:
    actors = _outsiders(incident.actors, incident.day, country)
    modes = sorted(incident.modes)
    if not actors and not modes:
        return ()
    return tuple((actor, mode) for actor in actors or ("",) for mode in modes or ("",))


@lru_cache(4_096)
def _outsiders(actors: tuple[str, ...], day: int, country: str) -> tuple[str, ...]:
    others: list[str] = []
    own: list[str] = []
    for actor in actors:
        known = ACTORS.get(actor)
        role = known.role(day_of(day)) if known else None
        if known is None or role is None:
            continue
        if role.kind in _ARMED and role.side != "unidentified":
            at_home = role.side in _OWN and known.country == country
            (own if at_home else others).append(actor)
    return tuple(others or own)


def _see(spells: dict[str, Spell], name: str, day: int) -> None:
    spell = spells.get(name)
    if spell is None or day - spell.last > FORGOTTEN_DAYS:
        spells[name] = Spell(day, day)
    else:
        spells[name] = Spell(min(spell.first, day), max(spell.last, day))


def _new(spell: Spell | None, day: int, since: int) -> bool:
    if spell is None or day - spell.last > FORGOTTEN_DAYS:
        return day >= since
    return spell.first >= since and day - spell.first < NEW_DAYS
