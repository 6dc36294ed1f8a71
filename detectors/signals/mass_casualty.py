"""S2, mass-casualty tail: how likely a single incident with many dead is in the next fortnight.

Incidents of violence with at least 5 dead (best estimate, read anew as tolls are revised) are the
points of a self-exciting process, their tolls its marks (`hazard.py`). Of it follow the chances of
one with at least 10, and at least 25, dead in the next 14 days, beside the usual ones of the unit.

Two things speak for a change, the stronger is the strength, less log 2 for there being two:

- that grave incidents follow one another: the log likelihood ratio of the excited process against
  the usual level, over the stretch of the last 14 days for which it is largest. It predicts each
  day from the days before, so that it passes s with a chance of exp(-s) at most (Ville 1939);
- that the last 7 days brought what lies beyond the unit's tail: of its j gravest incidents, the
  chance of as many as grave in a usual week, corrected for the choice of j, and taken for what it
  is worth as a likelihood ratio (`calibrated.py: worth`).
"""

from __future__ import annotations

from math import log, log1p
from typing import ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.baseline import LEARNING_DAYS
from detectors.distributions import upper_quantile, upper_tail
from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import Claim, IncidentRef, Score
from detectors.series import Look, Series
from detectors.signals.base import Observation, once
from detectors.signals.calibrated import Ranks, worth
from detectors.signals.claims import HORIZON_DAYS, TAIL, Counted, fortnight, single
from detectors.signals.counting import REMARKABLE, weightiest
from detectors.signals.hazard import GRAVE, Excitement, Pulse, Tail, worst
from detectors.signals.scored import opened
from detectors.signals.sparse import steady
from detectors.world.units import Kind

MASS: Final = 10  # killed, best estimate
EXTREME: Final = 25
WINDOW_DAYS: Final = 14  # for which a surge must not become what is usual
TAIL_DAYS: Final = 7
_KEPT_DAYS: Final = 28
#: The branching of an escalation, with which the usual level is compared.
_ESCALATION: Final = (0.5, 0.3)
_PRIOR_RATE: Final = 0.01  # incidents a day with many dead


class TailState(Struct):
    """What is remembered of a unit. Days are day numbers."""

    series: Series = field(default_factory=Series)  # of incidents with many dead
    grave: dict[int, list[int]] = {}  # by day: the tolls of grave incidents, largest first
    learned: int = 0  # days before this one are in `excitement` and `tail`
    excitement: Excitement = field(default_factory=Excitement)
    tail: Tail = field(default_factory=Tail)
    ranks: Ranks = field(default_factory=Ranks)
    half_day: int = -1


class Chances(Struct, frozen=True):
    """How likely at least one incident with so many dead is in the next fortnight."""

    mass: float
    extreme: float


class MassCasualty:
    """S2 for one unit: rises only, as what is rare has no lull."""

    name: ClassVar[str] = "S2"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Mass-casualty tail"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("admin1", "country"))
    indicator: ClassVar[str] = "mass_casualty_incidents"
    words: ClassVar[str] = f"incidents with {MASS} or more killed"

    def initial(self) -> TailState:
        """Return the state of a unit never seen before."""
        return TailState()

    def concerns(self, incident: Incident) -> bool:
        """Whether an incident that is new, or gone, may change what the signal says."""
        return incident.event == "ASSAULT" and grave(incident) > 0

    def step(self, state: TailState, seen: Observation) -> tuple[TailState, tuple[Score, ...]]:
        """Score the last fortnight, having read its tolls anew."""
        if state.series.first_day is None:
            state.learned = seen.today
        state.series.start(seen.began)
        _read(state, seen)
        state.series.follow(seen.coverage, seen.share, seen.at, seen.today)
        _learn(state, seen.today)
        return state, (self._score(state, seen),)

    def _score(self, state: TailState, seen: Observation) -> Score:
        look = steady(state.series, seen, _PRIOR_RATE)
        usual = state.excitement.usual * state.tail.beyond(MASS)
        score = opened(self, look, seen, usual=round(usual, 6), bursty=False)
        if score.state == "unknown":
            return score
        watched = state.learned - (state.series.first_day or 0)
        if watched < LEARNING_DAYS:
            reason = f"learning: {max(0, watched)} of {LEARNING_DAYS} days"
            return replace(score, state="learning", reason=reason)
        pulse, excited = _followed(state, look)
        beyond = worth(_beyond(state, seen.today) - log(2.0))
        strength = round(max(0.0, excited - log(2.0), beyond), 4)
        p = state.ranks.p(strength, seen.today)
        if seen.coverage == "ok":
            state.ranks.note(strength, seen.today)
        return self._told(replace(score, strength=strength, p=p), state, seen, pulse)

    def _told(self, score: Score, state: TailState, seen: Observation, pulse: Pulse) -> Score:
        """Return the score with its words; what is remarkable gets evidence and a claim."""
        excitement = state.excitement
        now = _chances(state, excitement.ahead(pulse, HORIZON_DAYS))
        usual = _chances(state, excitement.usual * HORIZON_DAYS)
        observed = sum(score.daily[-WINDOW_DAYS:])
        expected = round((score.usual or 0.0) * WINDOW_DAYS, 3)
        words = self.words if observed != 1 else single(self.words)
        reason = (
            f"{observed} {words} in {WINDOW_DAYS} days against {expected:.1f} usual; "
            f"{_gravest(state, seen.today)}"
            f"chance of one in the next {HORIZON_DAYS} days {now.mass:.0%} (usually "
            f"{usual.mass:.0%}), of one with {EXTREME} or more {now.extreme:.0%} "
            f"({usual.extreme:.0%})"
        )
        remarkable = (score.strength or 0.0) >= REMARKABLE
        return replace(
            score,
            observed=observed,
            expected=expected,
            window_days=WINDOW_DAYS,
            reason=reason,
            evidence=_evidence(state, seen) if remarkable else (),
            claim=self._claim(state, seen, pulse) if remarkable else None,
        )

    def _claim(self, state: TailState, seen: Observation, pulse: Pulse) -> Claim:
        """Claim at least one within a fortnight; more where one is usual."""
        excitement, beyond = state.excitement, state.tail.beyond(MASS)
        usual, size = excitement.usual * HORIZON_DAYS * beyond, excitement.size
        count = 1
        if upper_tail(1, usual, size) > 0.5:  # one is no news there
            count = upper_quantile(TAIL, usual, size)
        mean = excitement.ahead(pulse, HORIZON_DAYS) * beyond
        chance, base = upper_tail(count, mean, size), upper_tail(count, usual, size)
        return fortnight(Counted(self.indicator, self.words), seen, count, chance, base)


def _read(state: TailState, seen: Observation) -> None:
    """Read the tolls of the days that may have changed anew."""
    today = seen.today
    turned = seen.half_day != state.half_day
    days = set(range(today - OPEN_DAYS, today + 1)) if turned else set()
    changed = (i for i in (*seen.new, *seen.gone) if i.event == "ASSAULT" and grave(i))
    days |= {incident.day for incident in changed}
    state.half_day = seen.half_day
    for day in sorted(days):
        if today - _KEPT_DAYS < day <= today:
            tolls = [toll for i in seen.incidents.between(day, day) if (toll := grave(i))]
            state.grave[day] = sorted(tolls, reverse=True)
            state.series.counts[day] = sum(toll >= MASS for toll in tolls)
    state.grave = {d: t for d, t in state.grave.items() if t and d > today - _KEPT_DAYS}
    state.series.counts = {d: n for d, n in state.series.counts.items() if n}


def grave(incident: Incident) -> int:
    """Return the best estimate of an incident's dead where it is grave, else 0."""
    known: int | None = incident.__dict__.get("toll")
    return once(incident, "toll", _toll) if known is None else known


def _toll(incident: Incident) -> int:
    """Return the same; where no report tells of so many, no estimate comes to it."""
    if any(told.killed is not None and told.killed.best >= GRAVE for told in incident.told):
        return worst(incident.killed)
    return 0


def _learn(state: TailState, today: int) -> None:
    """Learn the days that have left the window."""
    while state.learned <= today - WINDOW_DAYS:
        tolls = state.grave.get(state.learned, ())
        state.excitement.learn(len(tolls), state.series.shares.get(state.learned, 1.0))
        for toll in tolls:
            state.tail.learn(toll)
        state.learned += 1


def _followed(state: TailState, look: Look) -> tuple[Pulse, float]:
    """Return the kernels of tomorrow, and how strongly the last days speak for excitement, nats."""
    excitement, pulse, best = state.excitement, state.excitement.now, 0.0
    usual, size, branching = excitement.usual, excitement.size, excitement.branching
    for day in range(state.learned, look.today + 1):
        number, share = len(state.grave.get(day, ())), look.shares.get(day, 1.0)
        excited = pulse.intensity(usual, _ESCALATION)
        if excited > usual:  # else the ratio is one
            best = max(0.0, best + _ratio(number, usual * share, excited / usual, size))
        if share < 1.0:
            pulse = pulse.after(number + (1.0 - share) * pulse.intensity(usual, branching))
        else:
            pulse = pulse.after(number)
    return pulse, best


def _ratio(number: int, usual: float, times: float, size: float) -> float:
    """Return the log likelihood ratio of a count for so many times the usual mean."""
    return number * log(times) - (number + size) * log1p((times - 1.0) * usual / (size + usual))


def _beyond(state: TailState, today: int) -> float:
    """Return how far the gravest incidents of the last week lie beyond the unit's tail, nats."""
    excitement = state.excitement
    week = [t for day, tolls in state.grave.items() if day > today - TAIL_DAYS for t in tolls]
    tolls = sorted((toll for toll in week if toll >= MASS), reverse=True)
    if not tolls:
        return 0.0
    usual = excitement.usual * TAIL_DAYS
    least = min(
        upper_tail(number, usual * state.tail.beyond(toll), excitement.size)
        for number, toll in enumerate(tolls, start=1)
    )
    return -log(min(1.0, max(least, 1e-300) * len(tolls)))


def _gravest(state: TailState, today: int) -> str:
    """Return what the gravest incident of the week was, in words; nothing if it had few dead."""
    week = (tolls[0] for day, tolls in state.grave.items() if day > today - TAIL_DAYS)
    largest = max(week, default=0)
    if largest < MASS:
        return ""
    one_in = 1.0 / state.tail.beyond(largest)
    return f"the gravest of the week killed {largest}, 1 in {one_in:.0f} of the unit's grave ones; "


def _chances(state: TailState, grave: float) -> Chances:
    size, tail = state.excitement.size, state.tail
    return Chances(*(upper_tail(1, grave * tail.beyond(dead), size) for dead in (MASS, EXTREME)))


def _evidence(state: TailState, seen: Observation) -> tuple[IncidentRef, ...]:
    """Return the weightiest grave incidents of the fortnight."""
    days = sorted(day for day in state.grave if seen.today - WINDOW_DAYS < day <= seen.today)
    return weightiest([i for day in days for i in seen.incidents.between(day, day) if grave(i)])
