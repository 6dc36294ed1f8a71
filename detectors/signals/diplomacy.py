"""S15, diplomatic rupture and repair: acts of conflict against acts of co-operation of two states.

The balance of a dyad's acts is the log odds that an act is one of conflict. It is taken as a local
level: a Beta posterior whose counts are discounted from day to day (power steady model, Smith 1979,
JRSS B 41; Harvey & Fernandes 1989), half-life 90 days. Each stretch of up to 30 days that ends
today is compared with all days before it: the log likelihood ratio of odds three times as high
(rupture: a rise) or a third (repair: a fall), with the acts of one stretch taken as Beta-binomial,
so that acts which follow from one another do not count as so many witnesses. Violence is no act of
diplomacy and does not count, nor does an act about which both kinds of themes are told.
"""

from __future__ import annotations

from math import log
from typing import Any, ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import Claim, Direction, EventType, IncidentRef, Score
from detectors.scan import Found
from detectors.series import Look
from detectors.signals import claims
from detectors.signals.base import Observation
from detectors.signals.counting import REMARKABLE, Counting, CountState
from detectors.signals.scored import framed, ranked
from detectors.signals.weighed import refs
from detectors.world.units import Kind

REACH_DAYS: Final = 30
_HALF_LIFE_DAYS: Final = 90
_DISCOUNT: Final = 0.5 ** (1 / _HALF_LIFE_DAYS)
_PRIOR: Final = (1.0, 1.0)  # acts of conflict, of co-operation
_ODDS: Final = 3.0
#: Correlation of the acts of a stretch: one quarrel has several acts.
_TOGETHER: Final = 0.05
#: Days of a repair that are claimed to stay quiet: they must not leave the series before settling.
_CLAIMED_DAYS: Final = 21
FEWEST: Final = 3  # acts of the kind that has become more frequent
#: Themes by which an act is one of conflict or of co-operation whatever its PLOVER type.
CONFLICT_THEMES: Final = frozenset(
    ("envoy_recalled", "talks_failed", "flights_suspended", "visas_suspended", "truce_ended",
     "demarche")
)  # fmt: skip
COOPERATION_THEMES: Final = frozenset(
    ("envoy_returned", "agreement_signed", "recognition", "flights_resumed", "talks_opened",
     "truce_agreed", "truce_extended", "border_opened")
)  # fmt: skip
CONFLICT_TYPES: Final = frozenset(("SANCTION", "THREATEN", "REJECT", "ACCUSE", "COERCE"))
COOPERATION_TYPES: Final = frozenset(("CONSULT", "AGREE", "SUPPORT", "COOPERATE", "CONCEDE", "AID"))
_ACTS: Final[tuple[EventType, ...]] = (
    "SANCTION", "THREATEN", "REJECT", "ACCUSE", "COERCE", "CONSULT", "AGREE", "SUPPORT",
    "COOPERATE", "CONCEDE", "AID", "RETREAT",
)  # fmt: skip


class Balance(Struct):
    """Acts by day, and the local level of their balance. Days are day numbers."""

    conflict: dict[int, int] = {}  # of the last `REACH_DAYS`
    cooperation: dict[int, int] = {}
    #: Discounted acts of conflict and of co-operation of older days.
    older: tuple[float, float] = (0.0, 0.0)
    first: int = -1  # the first day that is not among the older ones

    def put(self, day: int, conflict: int, cooperation: int) -> None:
        """Let a day have so many acts, whatever it had before."""
        for known, number in ((self.conflict, conflict), (self.cooperation, cooperation)):
            if number:
                known[day] = number
            else:
                known.pop(day, None)

    def fold(self, today: int) -> None:
        """Let days that are out of reach become part of the level."""
        if self.first < 0:
            self.first = today
        while self.first <= today - REACH_DAYS:
            more = (self.conflict.pop(self.first, 0), self.cooperation.pop(self.first, 0))
            conflict, cooperation = (
                n * _DISCOUNT + m for n, m in zip(self.older, more, strict=True)
            )
            self.older = (conflict, cooperation)
            self.first += 1
        for known in (self.conflict, self.cooperation):
            for day in [day for day in known if day < self.first]:
                del known[day]

    def change(self, today: int, direction: Direction) -> Found:
        """Return the strongest stretch that ends today, for conflict (rise) or co-operation.

        `observed` is how many acts of that kind it has, `expected` how many are usual among all
        its acts.
        """
        sides = (self.conflict, self.cooperation)
        more, less = sides if direction == "rise" else sides[::-1]
        older = self.older if direction == "rise" else self.older[::-1]
        for_, against = older[0] + sum(more.values()), older[1] + sum(less.values())
        best, acts, rivals = Found(0.0, 1, 0, 0.0), 0, 0
        for age in range(today - self.first + 1):
            added = more.get(today - age, 0)
            acts, rivals = acts + added, rivals + less.get(today - age, 0)
            if not added or acts < FEWEST:
                continue  # a stretch begins with what has become more frequent
            level = (_PRIOR[0] + for_ - acts, _PRIOR[1] + against - rivals)
            strength = shift(acts, rivals, level)
            if strength > best.strength:
                usual = (acts + rivals) * level[0] / (level[0] + level[1])
                best = Found(strength, age + 1, acts, usual)
        return best


def shift(acts: int, rivals: int, level: tuple[float, float]) -> float:
    """Return the log likelihood ratio of odds `_ODDS` times as high, in nats.

    Acts of one stretch hang together, and the level is known no better than its counts: both make
    of n acts fewer, n / (1 + (n - 1) r), with r the correlation of a Beta-binomial.

    >>> shift(0, 5, (5.0, 5.0)) < 0 < shift(5, 0, (5.0, 5.0))
    True
    """
    usual = level[0] / (level[0] + level[1])
    higher = _ODDS * usual / (1.0 + (_ODDS - 1.0) * usual)
    number = acts + rivals
    together = min(1.0, _TOGETHER + 1.0 / (level[0] + level[1] + 1.0))
    return (acts * log(higher / usual) + rivals * log((1.0 - higher) / (1.0 - usual))) / (
        1.0 + (number - 1) * together
    )


class DiplomacyState(CountState):
    """What is remembered of a dyad."""

    balance: Balance = field(default_factory=Balance)


class Diplomacy(Counting):
    """S15 for one dyad: rupture is a rise, repair a fall."""

    name: ClassVar[str] = "S15"
    title: ClassVar[str] = "Diplomatic rupture and repair"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("dyad",))
    indicator: ClassVar[str] = "conflictual_acts"
    words: ClassVar[str] = "acts of conflict"
    events: ClassVar[tuple[EventType, ...]] = _ACTS

    def initial(self) -> DiplomacyState:
        """Return the state of a dyad never seen before."""
        return DiplomacyState()

    def weight(self, incident: Incident) -> int:
        """Return 1 for an act of conflict."""
        return int(act(incident) > 0)

    def concerns(self, incident: Incident) -> bool:
        """Whether it is an act of either kind."""
        return act(incident) != 0

    def step(self, state: Any, seen: Observation) -> tuple[Any, tuple[Score, ...]]:  # noqa: ANN401
        """Score the last days both ways, having counted what is new."""
        today, anew = seen.today, seen.half_day != state.half_day
        state.series.start(seen.began)
        self.count(state, seen)
        state.balance.fold(today)
        days = {incident.day for incident in (*seen.new, *seen.gone) if act(incident)}
        if anew:
            days.update(range(today - OPEN_DAYS, today + 1))
        self._balance(state.balance, seen, {day for day in days if day >= state.balance.first})
        look = self.look(state.series, seen)
        return state, tuple(self._judge(state, seen, look, each) for each in self.directions)

    def _balance(self, balance: Balance, seen: Observation, days: set[int]) -> None:
        """Count the acts of some days anew."""
        if not days:
            return
        acts: dict[int, list[int]] = {day: [] for day in days}
        for incident in seen.between(min(days), max(days), self.events):
            if incident.day in acts:
                acts[incident.day].append(act(incident))
        for day, found in acts.items():
            balance.put(day, found.count(1), found.count(-1))

    def _judge(
        self, state: DiplomacyState, seen: Observation, look: Look, direction: Direction
    ) -> Score:
        score = framed(self, state.series, look, seen, direction)
        if score.state != "scored":
            return score
        found = state.balance.change(seen.today, direction)
        ranks = state.rises if direction == "rise" else state.falls
        score = ranked(score, found.strength, ranks, state.series, seen)
        claim: Claim | None = None
        evidence: tuple[IncidentRef, ...] = ()
        if (score.strength or 0.0) >= REMARKABLE:
            claim = self._claim(seen, look, found, direction)
            evidence = self._acts(seen, found.days, 1 if direction == "rise" else -1)
        return replace(
            score,
            observed=found.observed,
            expected=round(found.expected, 3),
            window_days=found.days,
            claim=claim,
            evidence=evidence,
            reason=_told(state.balance, seen.today, found, direction),
        )

    def _claim(
        self, seen: Observation, look: Look, found: Found, direction: Direction
    ) -> Claim | None:
        counted = claims.Counted(self.indicator, self.words)
        if direction == "rise":
            return claims.rise(counted, look, seen, look.level)
        days = min(found.days, _CLAIMED_DAYS)
        low = Found(found.strength, days, sum(look.counts[:days]), sum(look.now[:days]))
        return claims.fall(counted, look, seen, low)

    def _acts(self, seen: Observation, days: int, kind: int) -> tuple[IncidentRef, ...]:
        window = seen.between(seen.today - days + 1, seen.today, self.events)
        return refs([incident for incident in window if act(incident) == kind])


def act(incident: Incident) -> int:
    """Return 1 for an act of conflict, -1 for one of co-operation, 0 for what is neither.

    Its themes go before its type: to break off talks is conflict, whatever else the report tells.
    """
    if incident.event == "ASSAULT":
        return 0
    conflict = not CONFLICT_THEMES.isdisjoint(incident.themes)
    cooperation = not COOPERATION_THEMES.isdisjoint(incident.themes)
    if conflict != cooperation:
        return 1 if conflict else -1
    if conflict:
        return 0
    return (incident.event in CONFLICT_TYPES) - (incident.event in COOPERATION_TYPES)


def _told(balance: Balance, today: int, found: Found, direction: Direction) -> str:
    """Return the acts of the stretch in words, without the level where there were none."""
    first = today - found.days + 1
    conflict = sum(n for day, n in balance.conflict.items() if day >= first)
    cooperation = sum(n for day, n in balance.cooperation.items() if day >= first)
    days = f"{found.days} day{'s'[: found.days > 1]}"
    told = f"{conflict} acts of conflict and {cooperation} of co-operation in {days}"
    if not found.strength:
        return told
    what = "conflict" if direction == "rise" else "co-operation"
    return f"{told}: of so many, {found.expected:.1f} of {what} are usual"
