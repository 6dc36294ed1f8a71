"""S3, mode convergence and novelty: ways of attack that come together, and what is new here.

Read are the violent incidents of the last 7 days, against what was learned of the unit before
(`repertoire.py`). Two things may be unusual; the more unusual counts, less log 2 for there
being two, for what it is worth as a likelihood ratio (`calibrated.py: worth`):

- novelty: the chance of a combination of actor and mode as rare as one of the week, or rarer, under
  the unit's Dirichlet-multinomial; to which is added the chance that who reports it is mistaken,
  so that one report of one witness weighs little. Corrected for the number of incidents (Sidak
  1967, Journal of the American Statistical Association 62).
- convergence: the chance that as many modes as the week's incidents told, or as there are usually
  incidents, would be as many different ones, each told by two witnesses at least; all that are new
  count as one. Modes are taken as independent, which is cautious: in a fixed number of draws they
  displace one another (Joag-Dev & Proschan 1983, Annals of Statistics 11).

An actor is new that was not seen in the unit for two years, a mode as well; both are called so for
30 days, so that the indicator tells whether what is new comes back. Known is only what was told
since the unit has been watched: for the first 56 days seen nothing is called new, and later the
less so, the less is known. Names of one organisation are one actor, whoever calls it what.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log
from typing import ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.baseline import GUARD_DAYS
from detectors.distributions import upper_tail
from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import Claim, IncidentRef, Score
from detectors.series import Look, Series
from detectors.signals.base import Observation, witnesses
from detectors.signals.calibrated import Ranks, worth
from detectors.signals.claims import GRACE_DAYS, HORIZON_DAYS, Counted, fortnight
from detectors.signals.counting import REMARKABLE, weightiest
from detectors.signals.repertoire import (
    LEARNING_DAYS,
    MISTAKEN,
    NEW,
    Chances,
    Pair,
    Repertoire,
    pairs,
    surprise,
)
from detectors.signals.scored import opened, ranked
from detectors.signals.sparse import steady
from detectors.timegrid import day_of
from detectors.world.actors import ACTORS
from detectors.world.units import Kind

WINDOW_DAYS: Final = 7
_WORTH_TELLING: Final = 1.0  # nats
FEWEST_MODES: Final = 2
FEWEST_WITNESSES: Final = 2  # of a mode
_PRIOR_RATE: Final = 0.02  # incidents a day with something new
_PRIOR_RETURNS: Final = (2.0, 4.0)  # of so many newcomers so many come back within a fortnight
_RETURNS_KEPT: Final = 0.95  # per newcomer


class ConvergenceState(Struct):
    """What is remembered of a unit. Days are day numbers."""

    series: Series = field(default_factory=Series)  # of incidents with something new
    known: Repertoire = field(default_factory=Repertoire)
    learned: int = 0  # days before this one are in `known`
    since: int | None = None  # the first day on which what is new is called so
    seen_days: int = 0
    incidents: float = 0.0  # a week, discounted, of those that tell of an actor or a mode
    returned: float = 0.0  # discounted: newcomers after which something new came within a fortnight
    newcomers: float = 0.0  # discounted
    settled: int = 0  # newcomers of days before this one are in `returned`
    ranks: Ranks = field(default_factory=Ranks)
    half_day: int = -1


class Week(Struct):
    """The incidents of the last days that tell of an actor or a mode."""

    chances: Chances  # of what was known before
    incidents: list[Incident] = []
    witnesses: dict[Pair, set[str]] = {}
    modes: dict[str, set[str]] = {}  # mode -> witnesses
    drawn: int = 0  # modes told, each once for each incident


class Unusual(Struct, frozen=True):
    """What is unusual of a week, in nats and in words."""

    strength: float = 0.0
    words: str = ""
    pair: Pair | None = None  # the combination, where it is one


class ModeConvergence:
    """S3 for one unit: rises only, as doing less is no news of this kind."""

    name: ClassVar[str] = "S3"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Mode convergence and novelty"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("admin1",))
    indicator: ClassVar[str] = "novel_incidents"
    words: ClassVar[str] = "incidents with an actor or mode that is new here"

    def initial(self) -> ConvergenceState:
        """Return the state of a unit never seen before."""
        return ConvergenceState()

    def concerns(self, incident: Incident) -> bool:
        """Whether an incident that is new, or gone, may change what the signal says."""
        known = incident.profile
        return incident.event == "ASSAULT" and bool(known.modes or known.parties)

    def step(
        self, state: ConvergenceState, seen: Observation
    ) -> tuple[ConvergenceState, tuple[Score, ...]]:
        """Score the last week against what was learned before, then learn what has left it."""
        if state.series.first_day is None:
            state.learned = state.settled = seen.today
        state.series.start(seen.began)
        if not seen.turned and _nothing_rare(state, seen):
            return state, ()
        state.series.follow(seen.coverage, seen.share, seen.at, seen.today)
        _learn(state, seen)
        _count(state, seen)
        _settle(state, seen.today)
        return state, (self._score(state, seen),)

    def _score(self, state: ConvergenceState, seen: Observation) -> Score:
        look = steady(state.series, seen, _PRIOR_RATE)
        score = opened(self, look, seen, bursty=False)
        if score.state == "unknown":
            return score
        if state.since is None:
            reason = f"learning: {state.seen_days} of {LEARNING_DAYS} days seen"
            return replace(score, state="learning", reason=reason)
        week = _week(state, seen)
        both = (_novel(state, week), _convergent(state, week))
        found = sorted(both, key=lambda each: -each.strength)
        strength = worth(found[0].strength - log(2.0))
        score = ranked(score, strength, state.ranks, state.series, seen)
        return self._told(score, state, seen, look, (week, found))

    def _told(
        self,
        score: Score,
        state: ConvergenceState,
        seen: Observation,
        look: Look,
        judged: tuple[Week, list[Unusual]],
    ) -> Score:
        """Return the score with its words; what is remarkable gets evidence and a claim."""
        week, found = judged
        observed = sum(look.counts[:WINDOW_DAYS])
        modes = len(week.modes)
        reason = "; ".join(each.words for each in found if each.strength > _WORTH_TELLING) or (
            f"{modes} mode{'s'[: modes != 1]} of attack in {WINDOW_DAYS} days, none unusual here"
        )
        remarkable = (score.strength or 0.0) >= REMARKABLE
        return replace(
            score,
            observed=observed,
            expected=round(sum(look.usual[:WINDOW_DAYS]), 3),
            window_days=WINDOW_DAYS,
            reason=reason,
            evidence=_evidence(state, seen, week, found[0]) if remarkable else (),
            claim=self._claim(state, seen, look) if remarkable else None,
        )

    def _claim(self, state: ConvergenceState, seen: Observation, look: Look) -> Claim:
        """Claim that what is new comes again within a fortnight, or something else that is new."""
        returned, newcomers = _PRIOR_RETURNS
        usual = upper_tail(1, look.level.rate * HORIZON_DAYS, look.level.size)
        chance = (state.returned + returned) / (state.newcomers + newcomers)
        if not sum(look.counts[:WINDOW_DAYS]):
            chance = usual  # modes came together, none of them new
        return fortnight(Counted(self.indicator, self.words), seen, 1, chance, usual)


def _nothing_rare(state: ConvergenceState, seen: Observation) -> bool:
    """Whether all that a step brought is what happens here anyway; then the half day can wait."""
    if seen.gone or state.half_day != seen.half_day:
        return False
    if state.since is None:
        return True
    chances, usual = state.known.chances, max(1.0, state.incidents * WINDOW_DAYS)
    return all(
        surprise(chances.pair(pair), usual) < _WORTH_TELLING
        for incident in seen.new
        if incident.event == "ASSAULT"
        for pair in state.known.called(pairs(incident, seen.country))
    )


def _learn(state: ConvergenceState, seen: Observation) -> None:
    """Learn who did what on the days that have left the guard gap.

    What was told on days that were half seen is known all the same; only such days are not counted
    as watched.
    """
    while state.learned < seen.today - GUARD_DAYS:
        day = state.learned
        told = 0
        for incident in seen.incidents.between(day, day):
            found = state.known.called(pairs(incident, seen.country))
            state.known.learn(day, found)
            told += bool(found)
        if day not in state.series.shares:
            state.seen_days += 1
            state.incidents += (told - state.incidents) / min(state.seen_days, 90)
        state.learned += 1
        if state.since is None and state.seen_days >= LEARNING_DAYS:
            state.since = state.learned


def _count(state: ConvergenceState, seen: Observation) -> None:
    """Count anew the incidents with something new, of the days that may have changed."""
    today = seen.today
    turned = seen.half_day != state.half_day
    days = set(range(today - OPEN_DAYS, today + 1)) if turned else set()
    changed = (i for i in (*seen.new, *seen.gone) if i.event == "ASSAULT")
    days |= {incident.day for incident in changed}
    state.half_day = seen.half_day
    if state.since is None:
        return
    for day in sorted(days):
        if state.series.folded <= day <= today:
            incidents = seen.incidents.between(day, day)
            state.series.counts[day] = sum(_is_novel(state, i, seen.country) for i in incidents)
    state.series.counts = {day: n for day, n in state.series.counts.items() if n}


def _is_novel(state: ConvergenceState, incident: Incident, country: str) -> bool:
    since = state.since or 0
    found = state.known.called(pairs(incident, country))
    return any(True in state.known.is_new(pair, incident.day, since) for pair in found)


def _settle(state: ConvergenceState, today: int) -> None:
    """Learn how often something new is followed by more, of days of which this is now known."""
    counts = state.series.counts
    while state.settled < today - HORIZON_DAYS - GRACE_DAYS:
        day = state.settled
        state.settled += 1
        unseen = any(each in state.series.shares for each in range(day, day + HORIZON_DAYS + 1))
        if counts.get(day) and not unseen:
            followed = any(counts.get(day + after) for after in range(1, HORIZON_DAYS + 1))
            state.returned = state.returned * _RETURNS_KEPT + followed
            state.newcomers = state.newcomers * _RETURNS_KEPT + 1.0


def _week(state: ConvergenceState, seen: Observation) -> Week:
    week = Week(state.known.chances)
    for incident in seen.incidents.between(seen.today - WINDOW_DAYS + 1, seen.today):
        found = state.known.called(pairs(incident, seen.country))
        if not found:
            continue
        week.incidents.append(incident)
        week.drawn += len({mode for _, mode in found if mode})
        told = witnesses(incident)
        for pair in found:
            week.witnesses.setdefault(pair, set()).update(told)
            if pair[1]:
                week.modes.setdefault(pair[1], set()).update(told)
    return week


def _novel(state: ConvergenceState, week: Week) -> Unusual:
    """Return the most surprising combination of a week."""
    best, chances = Unusual(), week.chances
    for pair, told in sorted(week.witnesses.items()):
        mistaken, number = MISTAKEN ** len(told), len(week.incidents)
        if surprise(chances.pair(pair) + mistaken, number) <= best.strength:
            continue  # its tail is larger still
        nats = surprise(chances.tail(pair) + mistaken, number)
        if nats > best.strength:
            best = Unusual(nats, _words(state, pair, len(told)), pair)
    return best


def _convergent(state: ConvergenceState, week: Week) -> Unusual:
    """Return how unusual it is for so many modes to come together."""
    modes = sorted(mode for mode, told in week.modes.items() if len(told) >= FEWEST_WITNESSES)
    chances = week.chances
    together = len({mode if mode in chances.modes else NEW for mode in modes})
    if together < FEWEST_MODES:
        return Unusual()
    number = max(week.drawn, state.incidents * WINDOW_DAYS)
    shares = [chances.mode(mode) for mode in chances.modes if mode]
    shares.append(chances.mode(NEW) + MISTAKEN**FEWEST_WITNESSES)
    shown = [1.0 - (1.0 - min(share, 1.0)) ** number for share in shares]
    tail = max(_at_least(together, shown), 1e-12)
    usual = sum(shown)
    words = f"{len(modes)} modes of attack in {WINDOW_DAYS} days ({', '.join(modes)})"
    return Unusual(-log(tail), f"{words} against {usual:.1f} expected of {number:.0f}")


def _at_least(number: int, chances: Iterable[float]) -> float:
    """Return the chance that at least so many of independent events happen (Poisson binomial)."""
    spread = [1.0]
    for chance in chances:
        happened = [0.0, *(each * chance for each in spread)]
        not_so = [*(each * (1.0 - chance) for each in spread), 0.0]
        spread = [a + b for a, b in zip(happened, not_so, strict=True)]
    return sum(spread[number:])


def _words(state: ConvergenceState, pair: Pair, witnesses: int) -> str:
    """Return a combination in words, with what is new of it."""
    actor, mode = pair
    new_actor, new_mode = state.known.is_new(pair, state.learned + GUARD_DAYS, state.since or 0)
    who = ACTORS[actor].label if actor in ACTORS else actor or "an unnamed actor"
    watched = f"watched since {day_of(state.series.first_day or 0)}"
    told = f"{witnesses} witness{'es'[: 2 * (witnesses != 1)]}"
    if new_actor and new_mode:
        what = f"{who} is new here, and so is its mode, {mode}"
    elif new_actor:
        what = f"{who} is new here"
    elif new_mode:
        what = f"first {mode} known here"
    else:
        what = f"{who} with {mode or 'a mode that is not told'} is rare here"
    return f"{what} ({told}; {watched})"


def _evidence(
    state: ConvergenceState, seen: Observation, week: Week, found: Unusual
) -> tuple[IncidentRef, ...]:
    """Return the incidents of the combination, or else those of the modes that came together."""
    if found.pair is None:
        return weightiest([i for i in week.incidents if i.modes])
    mine = [
        incident
        for incident in week.incidents
        if found.pair in state.known.called(pairs(incident, seen.country))
    ]
    return weightiest(mine)
