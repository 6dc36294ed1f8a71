"""S5, border friction: which crossings are closed, and fire and expulsions beyond what is normal.

Units: each stretch of border, and the relations of two states; only those of Afghanistan and
Pakistan have named crossings. Inputs: incidents of any type with the themes border_closed,
border_opened, border_fire and deportation. Two measures are added up, in nats, for a rise:

- the most unusual closure: each crossing is open or closed, a hidden Markov filter
  (`crossings.py`) says how surely, from its news by independent witnesses;
- fire and expulsions (not the news of closures, which is in the first): the scan of the last
  fortnight against what is normal (`scan.py`).

A crossing that opens again after a closure is a fall for a week, and so are counts far below
normal. Of the log odds of closed against usual so much counts as the closure is rare: a sure
closure of a crossing that is closed one day in ten is 2.3 nats, not 7. How long it lasts makes it
rarer, and so do others closed with it. Counted and claimed are friction incidents: those of
closing, fire and expulsion. While coverage is dark the belief drifts to what is usual and nothing
is said. Days are judged anew for a week, as reports come.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log
from typing import ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.distributions import lower_quantile, lower_tail
from detectors.incidents import Incident
from detectors.records import Claim, IncidentRef, Resolver, Score
from detectors.scan import FALL, LONGEST_FALL, LONGEST_RISE, RISE, Found, scan
from detectors.series import EVEN, Look, Series, even
from detectors.signals import claims
from detectors.signals.base import Observation
from detectors.signals.calibrated import Ranks
from detectors.signals.counting import FEWEST, REMARKABLE, SHORTEST_FALL, weightiest
from detectors.signals.crossings import CLOSED, OPENED, Gate, crossings_of, news, paces
from detectors.signals.scored import OPEN, SUSPECT, framed, ranked, with_themes
from detectors.timegrid import day_of
from detectors.world.border import CROSSINGS
from detectors.world.units import Kind

FIRE: Final = frozenset(("border_fire", "deportation"))
FRICTION: Final = FIRE | {CLOSED}
THEMES: Final = FRICTION | {OPENED}
#: Days for which an opening is told.
OPENING_DAYS: Final = 7
#: Nats for each further crossing that is closed: as if closed on half of the days on which one is.
_TOGETHER: Final = log(2.0)
_COUNTED: Final = claims.Counted("friction_incidents", "friction incidents")


class FrictionState(Struct):
    """What is remembered of a border or a dyad."""

    series: Series = field(default_factory=Series)  # all friction
    fire: Series = field(default_factory=Series)  # fire and expulsions
    rises: Ranks = field(default_factory=Ranks)
    falls: Ranks = field(default_factory=Ranks)
    #: Crossing -> what is believed as `open` begins. Of one never in the news, `Pace.quiet`.
    gates: dict[str, Gate] = {}
    open: int = -1  # the first day number that is judged anew at each step


class Shut(Struct, frozen=True):
    """The crossing that says the most, and how much."""

    strength: float = 0.0  # nats
    reason: str = ""
    days: int = 0  # since it opened


class BorderFriction:
    """S5 for one stretch of border or the relations of two states, both directions."""

    name: ClassVar[str] = "S5"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Border friction"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("border", "dyad"))
    indicator: ClassVar[str] = _COUNTED.indicator
    words: ClassVar[str] = _COUNTED.words

    def initial(self) -> FrictionState:
        """Return the state of a unit never seen before."""
        return FrictionState()

    def concerns(self, incident: Incident) -> bool:
        """Whether it tells of a border closed or opened, of fire across it, or of expulsions."""
        return not THEMES.isdisjoint(incident.themes)

    def step(
        self, state: FrictionState, seen: Observation
    ) -> tuple[FrictionState, tuple[Score, ...]]:
        """Score the state of the crossings and the last days' incidents, having counted them."""
        gates = _take(state, seen)
        for series in (state.series, state.fire):
            series.fold(seen.today, even, None)
        look = state.series.look(seen.half_day, EVEN, None)
        return state, (
            self._rise(state, seen, look, gates),
            self._fall(state, seen, look, gates),
        )

    def _rise(
        self, state: FrictionState, seen: Observation, look: Look, gates: dict[str, Gate]
    ) -> Score:
        score = framed(self, state.series, look, seen, "rise")
        if score.state != "scored":
            return score
        fire, shut = _fire(state, seen), _shut(gates, seen.today)
        total = shut.strength + fire.strength
        score = ranked(score, total, state.rises, state.series, seen)
        if total >= SUSPECT and seen.coverage == "ok":
            state.fire.suspect(seen.today)
        days = LONGEST_RISE if shut.strength > fire.strength else fire.days
        observed, expected = sum(look.counts[:days]), sum(look.ahead[:days])
        claim = claims.rise(_COUNTED, look, seen, look.level) if total >= REMARKABLE else None
        counts = _counts(observed, days, expected)
        return replace(
            score,
            observed=observed,
            expected=round(expected, 3),
            window_days=days,
            reason="; ".join(filter(None, (shut.reason, counts))),
            claim=claim,
            evidence=_evidence(seen, days, THEMES) if total >= REMARKABLE else (),
        )

    def _fall(
        self, state: FrictionState, seen: Observation, look: Look, gates: dict[str, Gate]
    ) -> Score:
        score = framed(self, state.series, look, seen, "fall")
        if score.state != "scored":
            return score
        counts, now = look.counts[:LONGEST_FALL], look.now[:LONGEST_FALL]
        found = scan(counts, now, look.level.size, FALL, SHORTEST_FALL)
        opened = _opened(gates, seen.today)
        total = opened.strength + found.strength
        score = ranked(score, total, state.falls, state.series, seen)
        told = total >= REMARKABLE
        claim = None
        if told:
            claim = claims.fall(_COUNTED, look, seen, found) or _quiet(look, seen, opened.days)
        words = _counts(found.observed, found.days, found.expected)
        return replace(
            score,
            observed=found.observed,
            expected=round(found.expected, 3),
            window_days=found.days,
            reason="; ".join(filter(None, (opened.reason, words))),
            claim=claim,
            evidence=_evidence(seen, LONGEST_RISE, THEMES) if told else (),
        )


def _counts(observed: int, days: int, expected: float) -> str:
    over = f"{days} day{'s'[: days > 1]}"
    return f"{observed} {_COUNTED.words} in {over} against {expected:.1f} expected"


def _take(state: FrictionState, seen: Observation) -> dict[str, Gate]:
    """Count the open days anew, and let the crossings pass them; return what is believed now."""
    for series in (state.series, state.fire):
        series.start(seen.began)
        series.follow(seen.coverage, seen.share, seen.at, seen.today)
    _learn_delays(state, seen)
    crossings = crossings_of(seen.unit)
    if state.open < 0:
        state.open = seen.today
    by_day = _by_day(seen, min(state.open, seen.today - OPEN + 1))
    _recount(state.series, by_day, seen.today, FRICTION)
    _recount(state.fire, by_day, seen.today, FIRE)
    while state.open < seen.today - OPEN + 1:
        _pass(state.gates, crossings, state, state.open, by_day.get(state.open, ()))
        state.open += 1
    gates = {id: replace(gate) for id, gate in state.gates.items()}
    for day in range(state.open, seen.today + 1):
        _pass(gates, crossings, state, day, by_day.get(day, ()))
    return gates


def _learn_delays(state: FrictionState, seen: Observation) -> None:
    """Let both series know how late incidents come; the counts themselves are taken anew."""
    for incident in seen.new:
        for series, themes in ((state.series, FRICTION), (state.fire, FIRE)):
            if not themes.isdisjoint(incident.themes):
                series.add(incident.day, 1, seen.today)


def _by_day(seen: Observation, first: int) -> dict[int, list[Incident]]:
    found: dict[int, list[Incident]] = {}
    for incident in with_themes(seen, first, seen.today, THEMES):
        found.setdefault(incident.day, []).append(incident)
    return found


def _recount(
    series: Series, by_day: dict[int, list[Incident]], today: int, themes: frozenset[str]
) -> None:
    for day in range(today - OPEN + 1, today + 1):
        series.counts.pop(day, None)
        told = sum(not themes.isdisjoint(each.themes) for each in by_day.get(day, ()))
        if told:
            series.counts[day] = told


def _pass(
    gates: dict[str, Gate],
    crossings: tuple[str, ...],
    state: FrictionState,
    day: int,
    incidents: Iterable[Incident],
) -> None:
    """Let the crossings pass a day with its news."""
    said = news(incidents, crossings)
    covered = day not in state.series.shares
    for id in said:
        gates.setdefault(id, Gate(round(paces()[id].quiet, 6)))
    for id, gate in gates.items():
        gate.pass_day(paces()[id], day, said.get(id, 0.0), covered=covered)


def _fire(state: FrictionState, seen: Observation) -> Found:
    look = state.fire.look(seen.half_day, EVEN, None)
    counts, ahead = look.counts[:LONGEST_RISE], look.ahead[:LONGEST_RISE]
    found = scan(counts, ahead, look.level.size, RISE)
    return found if found.observed >= FEWEST else replace(found, strength=0.0)


def _shut(gates: dict[str, Gate], today: int) -> Shut:
    """Return the most unusual closure, with how many others there are."""
    closed = [(gate.closure(paces()[id], today), id) for id, gate in gates.items() if gate.since]
    if not closed:
        return Shut()
    strength, id = max(closed)
    strength += _TOGETHER * (sum(gates[each].closed for _, each in closed) - gates[id].closed)
    gate = gates[id]
    more = f" and {len(closed) - 1} more" if len(closed) > 1 else ""
    return Shut(
        strength,
        f"{CROSSINGS[id].name}{more} probably closed since {day_of(gate.since)} "
        f"({gate.closed:.0%}; usual: {gate.usual(paces()[id]):.0%} of days)",
    )


def _opened(gates: dict[str, Gate], today: int) -> Shut:
    """Return the most unusual opening of the last days."""
    found = [(g.opening(paces()[id], today, within=OPENING_DAYS), id) for id, g in gates.items()]
    strength, id = max(found, default=(0.0, ""))
    if not strength:
        return Shut()
    gate = gates[id]
    return Shut(
        strength,
        f"{CROSSINGS[id].name} probably open again since {day_of(gate.opened)} after {gate.lasted} "
        f"days ({1 - gate.closed:.0%})",
        today - gate.opened,
    )


def _evidence(seen: Observation, days: int, themes: frozenset[str]) -> tuple[IncidentRef, ...]:
    window = with_themes(seen, seen.today - days + 1, seen.today, themes)
    return weightiest(sorted(window, key=lambda each: (each.day, each.id)))


def _quiet(look: Look, seen: Observation, since: int) -> Claim | None:
    """Claim that a fortnight is no busier than half of the usual ones.

    Args:
        look: The last days.
        seen: What is observed.
        since: Days since the opening: only these tell how busy it is now.

    Returns:
        None where that is no likelier than usual.
    """
    days = claims.HORIZON_DAYS
    count = lower_quantile(0.5, look.level.rate * days, look.level.size)
    if count is None:
        return None
    shape = sum(look.counts[:since]) + 7 * look.level.rate
    rate = shape / (sum(look.now[:since]) / max(look.level.rate, 1e-9) + 7)
    probability = round(lower_tail(count, rate * days, look.level.size), 4)
    base_rate = round(lower_tail(count, look.level.rate * days, look.level.size), 4)
    if probability <= base_rate:
        return None
    first, last = day_of(seen.today + 1), day_of(seen.today + days)
    return Claim(
        statement=f"At most {count} {_COUNTED.words} in the {days} days {first} to {last}",
        probability=probability,
        base_rate=base_rate,
        horizon_days=days,
        resolver=Resolver(
            indicator=_COUNTED.indicator,
            unit=seen.unit,
            first_day=first,
            last_day=last,
            comparison="at_most",
            count=count,
            settle_at=claims.settle_at(seen, seen.today + days + claims.GRACE_DAYS),
        ),
    )
