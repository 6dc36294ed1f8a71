"""Decide who reports an incident, when, and how often. All of this is invented.

Facts given are kept: the number of independent sources, and the days from the incident to its
first source where that was measured. Hours of the day, outlets, modes of violence and the sides
of the dead are drawn at random, from one generator for each incident.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Final

from msgspec import Struct

from streams.scenarios.choice import between, pick, weighted
from streams.scenarios.facts import Fact
from streams.scenarios.outlets import Outlet, of_families
from streams.scenarios.prose import Deed, Kind, rebels

#: Weight of each hour (UTC) for a first publication. Between 01:00 and 18:59 UTC the date is the
#: same in UTC, Afghanistan and Pakistan, so "today" means one day to every reader.
HOURS: Final = {
    1: 1, 2: 2, 3: 4, 4: 7, 5: 9, 6: 9, 7: 9, 8: 9, 9: 9, 10: 8,
    11: 8, 12: 7, 13: 6, 14: 5, 15: 4, 16: 3, 17: 2, 18: 1,
}  # fmt: skip
LAST_HOUR: Final = 18
MOST_WITNESSES: Final = 5
ONLY_LOCAL: Final = 0.055  # share of incidents told in no English report

#: Modes for fights between the state and an armed group: weight, the dead, the fewest deaths.
_FIGHTS: Final[Mapping[tuple[str, str], tuple[float, int]]] = {
    ("clash", "rebels"): (20, 1), ("clash", "mixed"): (12, 2), ("airstrike", "rebels"): (15, 2),
    ("raid", "rebels"): (9, 1), ("checkpoint", "GOV"): (15, 1), ("ambush", "GOV"): (9, 1),
    ("roadside", "GOV"): (8, 1), ("shooting", "GOV"): (5, 1), ("insider", "GOV"): (2, 1),
    ("suicide", "GOV"): (2, 4),
}  # fmt: skip
_SMALL: Final = frozenset({"shooting", "insider"})  # modes that are not told of many dead
_CIVILIAN_FIGHTS: Final = {"crossfire": 5, "shelling": 4, "roadside": 3, "airstrike": 2}
_CIVILIAN_ATTACKS: Final = {"shooting": 9, "roadside": 7, "shelling": 3, "sticky": 3}
_PARTLY_CIVILIAN: Final = {"clash": 5, "roadside": 3, "shelling": 2, "airstrike": 2}
_CLAIMED: Final = frozenset(
    ["checkpoint", "ambush", "roadside", "suicide", "shooting", "shelling", "sticky", "insider"]
)


class Plan(Struct, frozen=True):
    """One report that is to be written."""

    kind: Kind
    outlet: Outlet
    published: datetime
    told: int
    earlier: int
    rival: int
    of: int | None = None  # for a reprint, the place of its original in the list of plans


def invent_deed(fact: Fact, rng: Random) -> Deed:
    """Choose a mode of violence and the side of the dead that fit the parties and the deaths."""
    if fact.violence == 3:
        if fact.side_a == "GOV":
            return Deed("statefire", "CIV")
        if fact.best >= 8:
            return Deed("suicide", "CIV")
        return Deed(weighted(_CIVILIAN_ATTACKS, rng), "CIV")
    if 0 < fact.civilians == fact.best:
        return Deed(weighted(_CIVILIAN_FIGHTS, rng), "CIV")
    if fact.civilians > 0:
        many = _PARTLY_CIVILIAN | ({"suicide": 5} if fact.best >= 6 else {})
        return Deed(weighted(many, rng), "people")
    possible = {
        (mode, victim): weight
        for (mode, victim), (weight, fewest) in _FIGHTS.items()
        if fact.best >= fewest and (mode not in _SMALL or fact.best <= 8)
    }
    mode, victim = weighted(possible or {("clash", "rebels"): 1}, rng)
    return Deed(mode, rebels(fact) if victim == "rebels" else victim)


class Planner:
    """Plans the reports of one incident."""

    def __init__(self, fact: Fact, deed: Deed, found: Sequence[Outlet], rng: Random) -> None:
        """Take the incident, its invented deed, all outlets, and the incident's own generator."""
        self._fact, self._deed, self._rng = fact, deed, rng
        self._weights = {o: o.weight(fact.admin1, fact.country) for o in found}
        self._plans: list[Plan] = []
        self._families: set[str] = set()

    def plan(self, delay_days: int) -> list[Plan]:
        """Return the reports in the order in which they were decided; the first is the first."""
        rng, fact = self._rng, self._fact
        local = rng.random() < ONLY_LOCAL
        first_outlet = self._choose(local=local)
        if first_outlet is None:
            local, first_outlet = False, self._choose(local=False)
        if first_outlet is None:
            return []
        revised = fact.best >= 4 and rng.random() < 0.26 and fact.violence in (1, 3)
        early = max(1, int(fact.best * between(0.4, 0.85, rng))) if revised else fact.best
        published = self._first_time(delay_days)
        self._add("first", first_outlet, published, early)
        self._witnesses(published, early, local=local)
        if early < fact.best:
            self._revision(published, early)
        if fact.best:
            self._disputes(published, local=local)
        self._copies()
        return self._plans

    def _choose(self, *, local: bool | None) -> Outlet | None:
        """Choose an outlet of a new family; `local` asks for English or another language."""
        open_ = of_families(self._weights, self._families)
        weights = {
            o: self._weights[o]
            for o in open_
            if self._weights[o] > 0 and (local is None or (o.language != "en") == local)
        }
        return weighted(weights, self._rng) if weights else None

    def _first_time(self, delay_days: int) -> datetime:
        """Return the first publication; news of the same day comes in its later hours."""
        fact, rng = self._fact, self._rng
        if (fact.day_end - fact.day_start).days > 2:
            delay_days = max(delay_days, (fact.day_end - fact.day_start).days)
        hours = {h: w for h, w in HOURS.items() if delay_days > 0 or h >= 5}
        day = fact.day_start + timedelta(days=delay_days)
        seconds = int(rng.random() * 3600)
        return datetime.combine(day, time(weighted(hours, rng)), UTC) + timedelta(seconds=seconds)

    def _add(self, kind: Kind, outlet: Outlet, published: datetime, told: int, **more: int) -> None:
        earlier, rival, of = (more.get(key, -1) for key in ("earlier", "rival", "of"))
        self._plans.append(
            Plan(
                kind,
                outlet,
                published,
                told,
                max(earlier, 0),
                max(rival, 0),
                None if of < 0 else of,
            )
        )
        if kind in ("first", "second"):
            self._families.add(outlet.family)

    def _later(self, start: datetime, low: float, high: float) -> datetime:
        """Return a time some hours after `start`, moved to a morning where it falls in a night."""
        found = start + timedelta(seconds=int(between(low, high, self._rng) * 3600))
        if found.hour > LAST_HOUR:
            found = found.replace(hour=2) + timedelta(days=1)
        return found.replace(hour=2) if found.hour < 1 else found

    def _witnesses(self, start: datetime, early: int, *, local: bool) -> None:
        """Plan one report for each further independent source."""
        fact, rng = self._fact, self._rng
        for _ in range(min(fact.sources, MOST_WITNESSES) - 1):
            elsewhere = True if local else rng.random() < 0.36
            outlet = self._choose(local=elsewhere) or (None if local else self._choose(local=None))
            if outlet is None:
                return
            told = fact.best
            if fact.low < fact.high and rng.random() < 0.35:
                told = pick([t for t in (fact.low, fact.high) if t > 0], rng)
            elif early < fact.best and rng.random() < 0.5:
                told = early
            self._add("second", outlet, self._later(start, 1.0, 30.0), told if fact.best else 0)

    def _revision(self, start: datetime, early: int) -> None:
        again = self._plans[0].outlet
        if self._rng.random() < 0.3:
            other = self._choose(local=again.language != "en")
            again = other or again
        when = self._later(start, 5.0, 40.0)
        self._add("revision", again, when, self._fact.best, earlier=early)

    def _disputes(self, start: datetime, *, local: bool) -> None:
        """Plan what the sides say of it: other numbers, a claim, a denial."""
        rng, fact, mode = self._rng, self._fact, self._deed.mode
        if fact.violence == 1 and fact.best >= 2 and rng.random() < 0.085:
            when = self._later(start, 2.0, 26.0)
            self._add("counter", self._follower(local=local), when, fact.best, rival=self._rival())
        if mode not in _CLAIMED:
            return
        draw = rng.random()
        if draw < 0.17:
            self._add(
                "claim", self._follower(local=local), self._later(start, 2.0, 30.0), fact.best
            )
        elif draw < 0.42 and fact.civilians:
            self._add(
                "denial", self._follower(local=local), self._later(start, 2.0, 30.0), fact.best
            )

    def _follower(self, *, local: bool) -> Outlet:
        """Return who reports what the sides say: as often the first outlet as another."""
        again = self._plans[0].outlet
        return again if self._rng.random() < 0.5 else self._choose(local=local) or again

    def _rival(self) -> int:
        """Return the other side's number: fewer of its own dead, more of its enemy's."""
        best, rng = self._fact.best, self._rng
        if self._deed.victim == rebels(self._fact):
            return min(best - 1, max(1, int(best * between(0.2, 0.7, rng))))
        return max(best + 1, int(best * between(1.3, 3.0, rng)))

    def _copies(self) -> None:
        """Plan reprints of agencies and what their services in other languages carry."""
        rng = self._rng
        for number, plan in list(enumerate(self._plans)):
            if plan.kind in ("first", "second", "revision"):
                likely = 0.48 if plan.outlet.wire else 0.05
                if plan.outlet.language == "en" and rng.random() < likely:
                    self._reprint(number, plan)
            if plan.kind == "first" and plan.outlet.wire and rng.random() < 0.36:
                self._translate(plan)

    def _reprint(self, number: int, plan: Plan) -> None:
        used = {p.outlet.family for p in self._plans} | {"oxus", "garrison"}
        weights = {
            o: w
            for o, w in self._weights.items()
            if w > 0 and o.language == "en" and not o.wire and o.family not in used
        }
        if not weights:
            return
        last = plan.published.replace(hour=LAST_HOUR, minute=55)
        latest = min(plan.published + timedelta(hours=7), last)
        room = (latest - plan.published).total_seconds()
        if room < 900:
            return
        when = plan.published + timedelta(seconds=int(between(600, room, self._rng)))
        self._add("reprint", weighted(weights, self._rng), when, plan.told, of=number)

    def _translate(self, plan: Plan) -> None:
        weights = {
            o: w for o, w in self._weights.items() if w > 0 and o.language in ("fa", "ps", "ur")
        }
        same = [o for o in weights if o.family == plan.outlet.family]
        if not weights or (self._fact.country == "AFG" and not same):
            return
        outlet = same[0] if same else weighted(weights, self._rng)
        when = self._later(plan.published, 0.7, 9.0)
        self._add("translation", outlet, when, plan.told)


def within_outage(plans: Sequence[Plan], silent: Mapping[int, bool]) -> Iterator[int]:
    """Yield the places of the plans that an outage takes away, with all that rests on them.

    Args:
        plans: The reports planned for one incident.
        silent: For each place, whether the report falls within its outlet's outage.
    """
    first_lost = silent[0]
    for number, plan in enumerate(plans):
        rests_on = plan.of is not None and silent[plan.of]
        follows = first_lost and plan.outlet.source == plans[0].outlet.source
        copied = first_lost and plan.kind == "translation"
        if silent[number] or rests_on or follows or copied:
            yield number
