"""Signals that count: incidents of some kind by days, against what is normal for them.

`Counting` does what they have in common: counts, baseline (`baseline.py`), scan for the strongest
stretch of days (`scan.py`), calibration by the unit's own past (`calibrated.py`), claim and
evidence. A signal says which incidents it counts, of which units, and how they are called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.baseline import Level
from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import Direction, EventType, IncidentRef, Score
from detectors.scan import FALL, LONGEST_FALL, LONGEST_RISE, RISE, Found, costs, scan
from detectors.series import EVEN, SERIES_DAYS, Look, Series, even
from detectors.signals import claims
from detectors.signals.base import Observation, once
from detectors.signals.calibrated import Ranks
from detectors.signals.scored import framed, rank
from detectors.world.units import Kind

FEWEST: Final = 3  # incidents
SHORTEST_FALL: Final = 3  # days
#: Nats from which a score carries evidence and a claim.
REMARKABLE: Final = 0.5
MOST_EVIDENCE: Final = 50  # incidents told with a score
LULL_DAYS: Final = 7
LULL: Final = 1.5  # nats: a week so far below the usual is a lull
_LULL_REACH: Final = 7  # days that a return may be old


class CountState(Struct):
    """What is remembered of a unit."""

    series: Series = field(default_factory=Series)
    rises: Ranks = field(default_factory=Ranks)
    falls: Ranks = field(default_factory=Ranks)
    half_day: int = -1


class Judged(Struct, frozen=True):
    """A stretch of days, and the level that it was compared with."""

    found: Found
    level: Level
    against: str  # "usual", or "the lull before"


class Counting:
    """The common part of signals that count incidents by days, in both directions."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    title: ClassVar[str]
    kinds: ClassVar[frozenset[Kind]]
    indicator: ClassVar[str]
    words: ClassVar[str]  # what is counted, plural
    events: ClassVar[tuple[EventType, ...]] = ("ASSAULT",)
    directions: ClassVar[tuple[Direction, ...]] = ("rise", "fall")
    #: Whether later reports may change whether an incident counts: then a week is counted anew.
    revised: ClassVar[bool] = True
    seasonal: ClassVar[bool] = False  # whether it has the rhythm of violence by days and seasons

    def weight(self, incident: Incident) -> int:
        """Return how many an incident counts for; 0 where it is none of these."""
        raise NotImplementedError

    def initial(self) -> CountState:
        """Return the state of a unit never seen before."""
        return CountState()

    def concerns(self, incident: Incident) -> bool:
        """Whether an incident that is new, or gone, may change what the signal says."""
        return incident.event in self.events and self.weight(incident) != 0

    def step(self, state: CountState, seen: Observation) -> tuple[CountState, tuple[Score, ...]]:
        """Score the unit's last days, having counted what is new."""
        series = state.series
        series.start(seen.began)
        self.count(state, seen)
        look = self.look(series, seen)
        return state, tuple(
            self._score(state, seen, look, direction) for direction in self.directions
        )

    def count(self, state: CountState, seen: Observation) -> None:
        """Count what is new, and take back what is gone."""
        series, today = state.series, seen.today
        if self.revised and seen.half_day != state.half_day:
            self._recount(series, seen)
        state.half_day = seen.half_day
        for day, number in sorted(self._by_day(seen.new).items()):
            series.add(day, number, today)
        for day, number in sorted(self._by_day(seen.gone).items()):
            series.add(day, -number, today)
        series.follow(seen.coverage, seen.share, seen.at, today)

    def _by_day(self, incidents: Iterable[Incident]) -> dict[int, int]:
        """Return how many of some incidents count, by day."""
        found: dict[int, int] = {}
        for incident in incidents:
            if incident.event in self.events and (number := self.weight(incident)):
                found[incident.day] = found.get(incident.day, 0) + number
        return found

    def _recount(self, series: Series, seen: Observation) -> None:
        """Count the days anew on which later reports may still say what an incident was."""
        first = seen.today - OPEN_DAYS
        fresh = {incident.id for incident in seen.new}  # these are counted by the step itself
        counts = dict.fromkeys(range(first, seen.today + 1), 0)
        for incident in seen.between(first, seen.today, self.events):
            if incident.id not in fresh and incident.day in counts:
                counts[incident.day] += self.weight(incident)
        gone = [i for i in seen.gone if i.event in self.events and i.day in counts]
        for incident in gone:  # these are taken back by the step itself
            counts[incident.day] += self.weight(incident)
        series.counts.update({d: n for d, n in counts.items() if n or d in series.counts})

    def look(self, series: Series, seen: Observation) -> Look:
        """Return the last days beside what is usual for them, having learned older ones."""
        if not self.seasonal:
            series.fold(seen.today, even, None)
            return series.look(seen.half_day, EVEN, None)
        series.fold(seen.today, seen.climate.factor, seen.prior)
        factors = seen.climate.factors(seen.today, SERIES_DAYS)
        return series.look(seen.half_day, factors, seen.prior)

    def _score(
        self, state: CountState, seen: Observation, look: Look, direction: Direction
    ) -> Score:
        score = framed(self, state.series, look, seen, direction)
        if score.state != "scored":
            return score
        judged = self._rise(look) if direction == "rise" else _fall(look)
        ranks = state.rises if direction == "rise" else state.falls
        strength, p = rank(judged.found.strength, ranks, state.series, seen)
        return replace(score, strength=strength, p=p, **self._told(direction, judged, look, seen))

    def _told(
        self, direction: Direction, judged: Judged, look: Look, seen: Observation
    ) -> dict[str, Any]:
        """Return what a score tells; what is remarkable gets evidence and a claim."""
        found, claim = judged.found, None
        evidence: tuple[IncidentRef, ...] = ()
        if found.strength >= REMARKABLE:
            evidence = self.evidence(seen, found.days)
            counted = claims.Counted(self.indicator, self.words)
            if direction == "rise":
                claim = claims.rise(counted, look, seen, judged.level)
            else:
                claim = claims.fall(counted, look, seen, found)
        return {
            "observed": found.observed,
            "expected": round(found.expected, 3),
            "window_days": found.days,
            "claim": claim,
            "evidence": evidence,
            "reason": (
                f"{found.observed} {self.words} in {found.days} day{'s'[: found.days > 1]} against "
                f"{found.expected:.1f} expected ({judged.against})"
            ),
        }

    def evidence(self, seen: Observation, days: int) -> tuple[IncidentRef, ...]:
        """Return the weightiest incidents of the last days, in their order, so many as fit."""
        window = seen.between(seen.today - days + 1, seen.today, self.events)
        return weightiest([incident for incident in window if self.weight(incident)])

    def _rise(self, look: Look) -> Judged:
        best = Judged(_risen(look), look.level, "usual")
        for judged in _returns(look):
            if judged.found.strength > best.found.strength:
                best = judged
        return best


def _risen(look: Look) -> Found:
    size, expected = look.level.size, look.ahead[:LONGEST_RISE]
    known = look.once("rise", lambda: costs(expected, size, RISE))
    return scan(look.counts[:LONGEST_RISE], expected, size, RISE, known=known)


def _fall(look: Look) -> Judged:
    """Compare with what was learned of the unit itself: the prior's incidents cannot be missed."""
    own, size = look.level.least / look.level.rate, look.level.size
    expected = look.once("own", lambda: [mean * own for mean in look.now[:LONGEST_FALL]])
    known = look.once("fall", lambda: costs(expected, size, FALL))
    found = scan(look.counts[:LONGEST_FALL], expected, size, FALL, SHORTEST_FALL, known)
    return Judged(found, look.level, "usual")


def _returns(look: Look) -> Iterator[Judged]:
    """Yield rises against a lull: after a week far below the usual, the usual is news.

    A lull that ends was a truce, perhaps; what is normal has not changed for it.
    """
    size = look.level.size
    known = look.once("lull", lambda: costs(look.now, size, FALL))
    for days in (3, _LULL_REACH):
        before = slice(days, days + LULL_DAYS)
        if look.age < days + LULL_DAYS:
            continue
        lull = scan(look.counts[before], look.now[before], size, FALL, LULL_DAYS, known[before])
        if lull.strength < LULL:
            continue
        shape = lull.observed + 0.5  # Jeffreys' prior for a Poisson rate
        ratio = shape / max(lull.expected, 1e-9)
        expected = [mean * ratio for mean in look.ahead[:days]]
        unsure = 1.0 / (1.0 / shape + 1.0 / size)
        found = scan(look.counts[:days], expected, unsure, RISE)
        level = Level(look.level.rate * ratio, unsure)
        yield Judged(found, level, "the lull before")


def _weight(incident: Incident) -> int:
    """Return what ranks by witnesses, then by deaths."""
    killed = incident.killed
    return len(incident.publishers) * 10**9 + (killed.best if killed else 0)


def weightiest(window: list[Incident]) -> tuple[IncidentRef, ...]:
    """Return the incidents with the most witnesses and deaths, in their order, so many as fit."""
    if len(window) > MOST_EVIDENCE:
        weights = [i.__dict__.get("weight") or once(i, "weight", _weight) for i in window]
        least = sorted(weights)[-MOST_EVIDENCE]
        pairs = [(i, w) for i, w in zip(window, weights, strict=True) if w >= least]
        alike = sorted(incident.id for incident, weight in pairs if weight == least)
        left_out = set(alike[len(alike) - len(pairs) + MOST_EVIDENCE :])
        window = [incident for incident, _ in pairs if incident.id not in left_out]
    return tuple(incident.ref() for incident in window)
