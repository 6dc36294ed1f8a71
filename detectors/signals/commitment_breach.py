"""S11, commitment breach: what speaks for and against the breach of each clause that is in force.

The clauses are those of `detectors/world/commitments/` that are about the unit. Each has log odds
of being broken (`clause_odds.py`): a prior, what incidents bear on it (`bearing.py`), what did not
come though it is usual, decay. It is kept, at risk or breached, or overdue when its day has passed
and nothing told that it was done. The strength is the largest rise of the log odds of a clause
within 14 days; of another clause the part of its rise is added that rests on incidents of its own,
so that an attack which bears on three clauses of one substance is one piece of evidence.

A breach is a judgement of a model from news; who says what of whom is in the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar, Final, NamedTuple, get_args

from msgspec import field
from msgspec.structs import replace

from detectors.baseline import Level
from detectors.incidents import MEMORY_DAYS, OPEN_DAYS, Incident
from detectors.records import Direction, EventType, Score
from detectors.series import Look, Series
from detectors.signals import claims
from detectors.signals.base import Observation, witnesses
from detectors.signals.bearing import Bearing, bears, clauses_about, watched
from detectors.signals.clause_odds import NOTHING, WINDOW_DAYS, ClauseOdds, Day, Risen
from detectors.signals.counting import REMARKABLE, Counting, CountState
from detectors.signals.repeated import again, forget, keep
from detectors.signals.scored import framed, ranked
from detectors.signals.weighed import refs
from detectors.timegrid import day_number, day_of
from detectors.world.commitments import CLAUSES, COMMITMENTS, Clause, commitments
from detectors.world.units import UNITS, Kind

_DISPERSION: Final = 0.15  # of weeks, beyond chance
_DISPUTED: Final = ("claimed by one side", "reported")


class BreachState(CountState, dict=True):
    """What is remembered of a unit."""

    odds: dict[str, ClauseOdds] = field(default_factory=dict)  # by clause, where anything came


class Judged(NamedTuple):
    """A clause in force, and how its log odds have moved."""

    clause: Clause
    risen: Risen
    overdue: bool

    @property
    def state(self) -> str:
        """Return in one word how it stands."""
        return "overdue" if self.overdue and self.risen.state != "breached" else self.risen.state


class CommitmentBreach(Counting):
    """S11 for one unit: the log odds that a clause in force is broken, rises only."""

    name: ClassVar[str] = "S11"
    title: ClassVar[str] = "Commitment breach"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("country", "dyad", "border", "admin1", "actor"))
    indicator: ClassVar[str] = "commitment_breaches"
    words: ClassVar[str] = "incidents that speak for a breach"
    events: ClassVar[tuple[EventType, ...]] = get_args(EventType)
    directions: ClassVar[tuple[Direction, ...]] = ("rise",)
    revised: ClassVar[bool] = False  # it counts anew while it weighs anew

    def initial(self) -> BreachState:
        """Return the state of a unit never seen before."""
        return BreachState()

    def concerns(self, incident: Incident) -> bool:
        """Whether it bears on any clause of its unit, in force or not."""
        unit = incident.id.partition("/")[0]
        return unit in UNITS and bool(bears(unit, incident))

    def weight(self, incident: Incident) -> int:
        """Return 1 for an incident that speaks for the breach of a clause in force on its day."""
        unit = incident.id.partition("/")[0]
        return _breaks(incident, bears(unit, incident)) if unit in UNITS else 0

    def step(self, state: Any, seen: Observation) -> tuple[Any, tuple[Score, ...]]:  # noqa: ANN401
        """Score the clauses in force, having weighed what is new. No clause, no score."""
        if not clauses_about(seen.unit):
            return state, ()
        said = again(state, seen)
        if said is not None and not _anything(seen):
            return state, (said,)
        anew = seen.half_day != state.half_day
        state.series.start(seen.began)
        self.count(state, seen)
        shares = state.series.shares
        for odds in state.odds.values():
            odds.learn(seen.today, lambda day: shares.get(day, 1.0))
        if anew:
            self._weigh_anew(state, seen)
        else:
            self._weigh(state, seen)
        began = state.rises.today == seen.today
        score = self._judge(state, seen, self.look(state.series, seen))
        _keep(state, seen, score, began=began)
        return state, (score,)

    def _weigh_anew(self, state: BreachState, seen: Observation) -> None:
        """Count and weigh the last days again: more may be known of their incidents."""
        first, last = seen.today - OPEN_DAYS, seen.today
        of_interest = watched(seen.unit, day_of(last))
        for id in [id for id in state.odds if id not in of_interest]:
            del state.odds[id]
        window = [
            (incident, found)
            for incident in (seen.between(first, last, self.events) if of_interest else ())
            if (found := bears(seen.unit, incident))
        ]
        counts = dict.fromkeys(range(first, last + 1), 0)
        for incident, found in window:
            counts[incident.day] += _breaks(incident, found)
            for each, _ in found:
                if each.id in of_interest and each.id not in state.odds:
                    state.odds[each.id] = _begin(each, state.series, seen)
        known = state.series.counts
        known.update({day: n for day, n in counts.items() if n or day in known})
        for odds in state.odds.values():
            odds.forget_risen()
            for day in [day for day in odds.days if day >= first]:
                del odds.days[day]
        tellers: dict[tuple[str, int], set[str]] = {}
        for incident, found in window:
            families = witnesses(incident)
            for clause, brought in self._add(state, seen, incident, found, 1):
                told = tellers.setdefault((clause, incident.day), set())
                told.update(families)
                brought.witnesses = len(told)

    def _weigh(self, state: BreachState, seen: Observation) -> None:
        for incident in seen.new:
            found = bears(seen.unit, incident)
            for _, brought in self._add(state, seen, incident, found, 1):
                brought.witnesses = max(brought.witnesses, len(witnesses(incident)))
        for incident in seen.gone:
            for _ in self._add(state, seen, incident, bears(seen.unit, incident), -1):
                pass

    def _add(
        self,
        state: BreachState,
        seen: Observation,
        incident: Incident,
        found: tuple[Bearing, ...],
        number: int,
    ) -> Iterator[tuple[str, Day]]:
        """Add an incident to the clauses it bears on, or take it back; yield what it changed."""
        of_interest = watched(seen.unit, day_of(seen.today)) if found else ()
        for clause, nats in found:
            if clause.id not in of_interest:
                continue
            odds = state.odds.get(clause.id)
            if odds is None:
                odds = state.odds[clause.id] = _begin(clause, state.series, seen)
            if not odds.folded <= incident.day <= seen.today:
                continue
            odds.forget_risen()
            day = odds.days.setdefault(incident.day, Day())
            day.add(nats, number)
            yield clause.id, day

    def _judge(self, state: BreachState, seen: Observation, look: Look) -> Score:
        on, series = day_of(seen.today), state.series
        in_force = commitments(seen.unit, on)
        level = _kept_level(state, in_force, look.level)
        score = framed(self, series, look, seen, usual=round(level.rate, 6))
        if score.state != "scored":
            return score
        judged = [_judged(clause, state, seen) for clause in in_force]
        judged.sort(key=lambda each: (-each.risen.rise, each.clause.id))
        score = ranked(score, _strength(judged, seen), state.rises, series, seen)
        score = replace(score, reason=_told(judged))
        if not judged:
            return score
        lead = judged[0].risen
        score = replace(
            score,
            observed=lead.observed,
            expected=round(lead.expected, 3),
            window_days=lead.days,
        )
        if (score.strength or 0.0) < REMARKABLE:
            return score
        counted = claims.Counted(self.indicator, self.words)
        claim = claims.rise(counted, look.against(level), seen, level) if lead.observed else None
        return replace(
            score,
            claim=claim,
            evidence=refs(_for_and_against(judged, seen)),
        )


def _anything(seen: Observation) -> bool:
    """Whether what is new, or gone, counts or bears on a clause that is of interest."""
    of_interest = watched(seen.unit, day_of(seen.today))
    for incident in (*seen.new, *seen.gone):
        found = bears(seen.unit, incident)
        if found and (_breaks(incident, found) or any(c.id in of_interest for c, _ in found)):
            return True
    return False


def _keep(state: BreachState, seen: Observation, score: Score, *, began: bool) -> None:
    """Keep a score that would be said again; `began`: the ranks had begun the day before it.

    What is remarkable shows incidents, of which more may become known at any time. Where coverage
    is lost the time counts. The first strength of a day closes the day before in the ranks.
    """
    quiet = (score.strength or 0.0) < REMARKABLE and (began or not score.strength)
    if quiet and seen.coverage == "ok" and state.series.lost is None:
        keep(state, seen, score)
    else:
        forget(state)


def _breaks(incident: Incident, found: tuple[Bearing, ...]) -> int:
    """Return 1 for an incident that speaks for the breach of a clause in force on its day."""
    kept: tuple[tuple[Bearing, ...], int] | None = incident.__dict__.get("breaks")
    if kept is None or kept[0] is not found:  # made once, until `Incident.revise` forgets it
        kept = incident.__dict__["breaks"] = (found, _speaks_for_breach(incident, found))
    return kept[1]


def _speaks_for_breach(incident: Incident, found: tuple[Bearing, ...]) -> int:
    on = day_of(incident.day)
    for clause, nats in found:
        if nats > 0.0 and clause.holds(on):
            return 1
    return 0


def _begin(clause: Clause, series: Series, seen: Observation) -> ClauseOdds:
    """Return the odds of a clause that comes into sight, by what is known of the weeks before."""
    today, first = seen.today, day_number(clause.first)
    started = series.first_day if series.first_day is not None else today
    since = max(started, today - MEMORY_DAYS + 1)
    odds = ClauseOdds(first, before=first > started, learned=since, folded=since)
    days: dict[int, list[tuple[Incident, float]]] = {}
    fresh = {incident.id for incident in seen.new}  # these are added by the step itself
    for incident in seen.between(since, today, get_args(EventType)):
        for each in bears(seen.unit, incident) if incident.id not in fresh else ():
            if each.clause is clause:
                days.setdefault(incident.day, []).append((incident, each.nats))
    for day, found in days.items():
        odds.days[day] = brought = Day()
        for _, nats in found:
            brought.add(nats, 1)
        brought.witnesses = len({family for incident, _ in found for family in witnesses(incident)})
    odds.learn(today, lambda day: series.shares.get(day, 1.0))
    return odds


def _known_shares(series: Series, seen: Observation) -> tuple[float, ...]:
    """Return which share of the incidents of the window's days, today first, tomorrow knows."""
    known = series.known_shares(seen.half_day % 2)[1:]
    days = range(seen.today, seen.today - WINDOW_DAYS, -1)
    return tuple(
        series.shares.get(day, 1.0) * share for day, share in zip(days, known, strict=True)
    )


def _judged(clause: Clause, state: BreachState, seen: Observation) -> Judged:
    odds = state.odds.get(clause.id)
    passed = _passed(clause, odds, state.series, day_of(seen.today))
    if odds is None and passed is None:
        return Judged(clause, NOTHING, overdue=False)
    if odds is None:
        odds = _begin(clause, state.series, seen)
    found = odds.risen_lately(seen.today, _known_shares(state.series, seen), passed)
    odds.now = round(found.odds, 4)
    return Judged(clause, found, passed is not None)


def _passed(clause: Clause, odds: ClauseOdds | None, series: Series, today: date) -> int | None:
    """Return the day on which a clause became overdue; None: it is not, or it cannot be known.

    Whether a thing was done is known only where the weeks before its day were watched.
    """
    if clause.due is None or clause.due.last is None or clause.stage(today) != "passed":
        return None
    due = day_number(clause.due.last)
    watched_since = series.first_day if series.first_day is not None else due
    if watched_since > due - WINDOW_DAYS or (odds is not None and odds.done):
        return None
    return due + 1


def _kept_level(state: BreachState, in_force: tuple[Clause, ...], level: Level) -> Level:
    """Return the level of incidents for a breach that is usual while all clauses are kept.

    The series' own level says nothing of a clause that has just begun.
    """
    known = [state.odds[clause.id] for clause in in_force if clause.id in state.odds]
    most = max(known, key=lambda odds: (odds.level()[1], odds.first), default=None)
    if most is None or most.level()[1] <= level.rate:
        return level
    return Level(most.level()[1], 1.0 / (_DISPERSION + 1.0 / most.incidents))


def _bearing(seen: Observation) -> Iterator[tuple[Incident, dict[str, float]]]:
    """Yield the incidents of the window that bear on clauses, with the nats for each clause."""
    for incident in seen.between(seen.today - WINDOW_DAYS + 1, seen.today, get_args(EventType)):
        if found := bears(seen.unit, incident):
            yield incident, {each.clause.id: each.nats for each in found}


def _for_and_against(judged: list[Judged], seen: Observation) -> list[Incident]:
    """Return the incidents that bear on a clause whose log odds have risen, either way."""
    rising = {each.clause.id for each in judged if each.risen.rise > 0.0}
    return [incident for incident, nats in _bearing(seen) if not rising.isdisjoint(nats)]


def _strength(judged: list[Judged], seen: Observation) -> float:
    """Return the largest rise, and of the other clauses' what rests on incidents of their own."""
    rising = [each for each in judged if each.risen.rise > 0.0]
    if not rising:
        return 0.0
    lead, *others = rising
    total, used = lead.risen.rise, set[str]()
    if total < REMARKABLE or not others:
        return total
    own: dict[str, set[str]] = {each.clause.id: set() for each in rising}
    for incident, nats in _bearing(seen):
        for clause in own.keys() & {clause for clause, weight in nats.items() if weight > 0.0}:
            own[clause].add(incident.id)
    used |= own[lead.clause.id]
    for each in others:
        if mine := own[each.clause.id]:
            total += each.risen.rise * len(mine - used) / len(mine)
            used |= mine
    return total


def _told(judged: list[Judged]) -> str:
    """Return how the clause whose odds have risen most stands, and how many others are not kept."""
    if not judged:
        return "no clause is in force"
    lead, *others = judged
    if not lead.risen.rise:
        states = [each.state for each in judged]
        counts = ", ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(sorted(states)))
        return f"nothing new bears on the {len(judged)} clauses in force ({counts})"
    clause = CLAUSES[lead.clause.id]
    disputed = f", {clause.certainty}" if clause.certainty in _DISPUTED else ""
    broken = [each for each in others if each.state != "kept"]
    also = f"; {len(broken)} other clauses not kept" if broken else ""
    return (
        f"{COMMITMENTS[clause.commitment].title} ({clause.id}{disputed}): {clause.statement}: "
        f"{lead.state}, probability of a breach {lead.risen.probability:.0%}; "
        f"{lead.risen.towards} incidents for it and {lead.risen.against} against in "
        f"{WINDOW_DAYS} days{also}"
    )
