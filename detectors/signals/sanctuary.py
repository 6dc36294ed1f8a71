"""S6, sanctuary pressure: more sides say that an armed group shelters in a place.

Whether it is true is not Tocsin's to say: what is measured is how much, and by how independent
sides, it is asserted. Both directions are treated alike: Afghan words about Pakistan, Pakistani
words about Afghanistan. Units: admin1 units (assertions placed there) and the relations of two
states (all between them, by the country on whose soil the place is). Inputs: incidents with the
themes sanctuary_alleged and sanctuary_denied, one for each happening, however often it is told.

For each group and place a Beta-Binomial belief is kept: the share of the weight of what is said
that asserts it, from a prior worth `PRIOR` assertions of which a tenth assert. A side's weight of
an assertion halves in 180 days; it is 1/2 for its first independent publisher family, 3/4 for two,
and so on to 1. Of a side's sum m counts 2m/(m+1): one that repeats itself comes to 2 at most, and
to 1 where it is an authority of Afghanistan or Pakistan, each being a party. Words without a
speaker are their outlet's own, with the side that its family stands on.

Strength is -log of the tail that the belief of before gives to the mean of now (Beta tail), where
the mean has risen by more than 0.2 (and is still more than 0.1 above) and at least two sides have
asserted it within 28 days, else 0. The belief of before is that of the last weeks, with an
exponential memory of 28 days. The number of groups looked at is paid for (Bonferroni). Rises only.
Known weakness: a group that is named with a place for another reason in the same sentence is taken
as the one that is said to shelter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import log
from typing import ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace
from scipy.special import betainc

from detectors.incidents import Incident
from detectors.linkage import Told
from detectors.records import Score, Voice
from detectors.series import EVEN, Look, Series, even
from detectors.signals import claims
from detectors.signals.base import Observation
from detectors.signals.calibrated import Ranks
from detectors.signals.counting import REMARKABLE, weightiest
from detectors.signals.scored import OPEN, framed, ranked, with_themes
from detectors.timegrid import day_of
from detectors.world.actors import ACTORS
from detectors.world.families import FAMILIES
from detectors.world.units import UNITS, Kind, name_of

ALLEGED: Final = "sanctuary_alleged"
DENIED: Final = "sanctuary_denied"
THEMES: Final = frozenset((ALLEGED, DENIED))
WINDOW_DAYS: Final = 28
JUMP: Final = 0.2
JUMP_OVER: Final = 0.1  # a jump is over when the mean is no further than this above before
SIDES: Final = 2
PRIOR: Final = 4.0  # assertions
PRIOR_SHARE: Final = 0.1
MOST_PAIRS: Final = 24  # groups and places remembered of a unit
_KEPT: Final = 0.5 ** (1 / 180)  # per day
_MEMORY: Final = 1.0 - 1.0 / WINDOW_DAYS  # of the belief of before, per day
_MOST: Final = 2.0  # that a side's weight comes to
_PARTIES: Final = ("afg-authorities", "pak-authorities")
_OTHER_SOIL: Final = {"afg-authorities": "PAK", "pak-authorities": "AFG"}
_NAMES: Final[dict[Voice, str]] = {
    "afg-authorities": "Afghan authorities",
    "pak-authorities": "Pakistani authorities",
    "foreign-authorities": "authorities of other states",
    "militant": "armed groups",
    "un": "the UN",
    "independent": "independent voices",
}
_COUNTED: Final = claims.Counted("sanctuary_assertions", "assertions that an armed group shelters")


class Belief(Struct):
    """What is said of one group and place, up to the first day that is still open."""

    asserted: dict[str, float] = {}  # side -> discounted weight
    denied: dict[str, float] = {}
    last: dict[str, int] = {}  # side -> the last day number on which it asserted it
    mean: float = PRIOR_SHARE  # of before
    size: float = PRIOR  # of before, assertions
    up: bool = False  # whether it has risen by more than `JUMP`, and not fallen back since

    def pass_day(self, said: Iterable[tuple[str, str, float]], day: int) -> None:
        """Take in what is said on a day: theme, side and weight each."""
        for sums in (self.asserted, self.denied):
            for side in sums:
                sums[side] = round(sums[side] * _KEPT, 6)
        for theme, side, weight in said:
            sums = self.asserted if theme == ALLEGED else self.denied
            sums[side] = round(sums.get(side, 0.0) + weight, 6)
            if theme == ALLEGED:
                self.last[side] = day
        mean, size = self.now
        self.up = mean - self.mean > (JUMP_OVER if self.up else JUMP)
        self.mean = round(_MEMORY * self.mean + (1 - _MEMORY) * mean, 6)
        self.size = round(_MEMORY * self.size + (1 - _MEMORY) * size, 6)

    def copy(self) -> Belief:
        """Return one that can go on by itself."""
        return replace(
            self,
            asserted=dict(self.asserted),
            denied=dict(self.denied),
            last=dict(self.last),
        )

    @property
    def now(self) -> tuple[float, float]:
        """The mean of the belief, and what it rests on, assertions, the prior's included."""
        yes = sum(_worth(side, weight) for side, weight in self.asserted.items())
        no = sum(_worth(side, weight) for side, weight in self.denied.items())
        size = PRIOR + yes + no
        return (PRIOR * PRIOR_SHARE + yes) / size, size

    def sides(self, today: int) -> list[str]:
        """Return the sides that have asserted it within the window, sorted."""
        return sorted(side for side, day in self.last.items() if today - day < WINDOW_DAYS)

    def strength(self, today: int) -> float:
        """Return how unlikely the belief of before held that of now, nats."""
        mean, _ = self.now
        if not self.up or len(self.sides(today)) < SIDES:
            return 0.0
        yes, no = self.mean * self.size, (1.0 - self.mean) * self.size
        return -log(max(float(betainc(no, yes, 1.0 - mean)), 1e-12))


class SanctuaryState(Struct):
    """What is remembered of a unit."""

    series: Series = field(default_factory=Series)
    ranks: Ranks = field(default_factory=Ranks)
    beliefs: dict[str, Belief] = {}  # "group@place"
    open: int = -1  # the first day number that is judged anew at each step


class SanctuaryPressure:
    """S6 for one admin1 unit or the relations of two states."""

    name: ClassVar[str] = "S6"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Sanctuary pressure"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("admin1", "dyad"))
    indicator: ClassVar[str] = _COUNTED.indicator
    words: ClassVar[str] = _COUNTED.words

    def initial(self) -> SanctuaryState:
        """Return the state of a unit never seen before."""
        return SanctuaryState()

    def concerns(self, incident: Incident) -> bool:
        """Whether in it somebody asserts or denies that a group shelters somewhere."""
        return not THEMES.isdisjoint(incident.themes)

    def step(self, state: SanctuaryState, seen: Observation) -> tuple[SanctuaryState, tuple[Score]]:
        """Score how far what is said has moved, having taken in what is new."""
        beliefs = _take(state, seen)
        state.series.fold(seen.today, even, None)
        look = state.series.look(seen.half_day, EVEN, None)
        return state, (self._score(state, seen, look, beliefs),)

    def _score(
        self, state: SanctuaryState, seen: Observation, look: Look, beliefs: dict[str, Belief]
    ) -> Score:
        score = framed(self, state.series, look, seen, "rise")
        if score.state != "scored":
            return score
        found = [(belief.strength(seen.today), pair) for pair, belief in beliefs.items()]
        strength, pair = max(found, default=(0.0, ""))
        strength -= log(max(1, len(found)))  # the most striking of so many
        score = ranked(score, strength, state.ranks, state.series, seen)
        remarkable = strength >= REMARKABLE
        counts = (
            f"{sum(look.counts)} {self.words} in {WINDOW_DAYS} days against "
            f"{sum(look.ahead):.1f} expected"
        )
        return replace(
            score,
            observed=sum(look.counts),
            expected=round(sum(look.ahead), 3),
            window_days=WINDOW_DAYS,
            reason=f"{_told(pair, beliefs[pair], seen)}; {counts}" if strength > 0 else counts,
            claim=claims.rise(_COUNTED, look, seen, look.level) if remarkable else None,
            evidence=weightiest(_window(seen, pair)) if remarkable else (),
        )


def _worth(side: str, weight: float) -> float:
    """Return what a side's weight comes to: the more it has said, the less more of it counts."""
    return _MOST * weight / (weight + 1.0) * (0.5 if side in _PARTIES else 1.0)


def _take(state: SanctuaryState, seen: Observation) -> dict[str, Belief]:
    """Take in the days that are over, and count the open ones anew; return the beliefs of now."""
    series, today = state.series, seen.today
    series.start(seen.began)
    series.follow(seen.coverage, seen.share, seen.at, today)
    for incident in seen.new:
        if ALLEGED in incident.themes:
            series.add(incident.day, 1, today)  # the open days are counted anew below
    first = today - OPEN + 1
    if state.open < 0:
        state.open = first
    by_day: dict[int, list[Incident]] = {}
    for incident in with_themes(seen, min(state.open, first), today, THEMES):
        by_day.setdefault(incident.day, []).append(incident)
    for day in range(first, today + 1):
        series.counts.pop(day, None)
        if told := sum(ALLEGED in each.themes for each in by_day.get(day, ())):
            series.counts[day] = told
    while state.open < first:
        _pass(state.beliefs, seen.unit, state.open, by_day.get(state.open, ()))
        state.open += 1
    _forget(state.beliefs)
    beliefs = {pair: belief.copy() for pair, belief in state.beliefs.items()}
    for day in range(state.open, today + 1):
        _pass(beliefs, seen.unit, day, by_day.get(day, ()))
    return beliefs


def _pass(beliefs: dict[str, Belief], unit: str, day: int, incidents: Iterable[Incident]) -> None:
    said: dict[str, list[tuple[str, str, float]]] = {}
    for incident in incidents:
        for pair in pairs(incident, unit):
            said.setdefault(pair, []).extend(_said(incident))
    for pair in sorted(said):
        beliefs.setdefault(pair, Belief())
    for pair, belief in beliefs.items():
        belief.pass_day(said.get(pair, ()), day)


def _forget(beliefs: dict[str, Belief]) -> None:
    """Drop what nobody speaks of any more, and of too many the ones that rest on the least."""
    faint = [pair for pair, each in beliefs.items() if each.now[1] < PRIOR + 0.05]
    ranking = sorted(beliefs, key=lambda pair: (-beliefs[pair].now[1], pair))
    for pair in {*faint, *ranking[MOST_PAIRS:]}:
        del beliefs[pair]


def pairs(incident: Incident, unit: str) -> Iterator[str]:
    """Yield each armed group that an incident names, with the place: "ttp@AF-KHO"."""
    place = soil(incident) if UNITS[unit].kind == "dyad" else unit
    on = day_of(incident.day)
    for actor in incident.actors:
        known = ACTORS.get(actor)
        role = known.role(on) if known else None
        if role is not None and role.side == "insurgent":
            yield f"{actor}@{place}"


def soil(incident: Incident) -> str:
    """Return the country on whose soil a group is said to shelter, or "" where it is not told.

    That is where the incident is placed; without a place, the other state than the one whose
    authorities say so.
    """
    if incident.admin1:
        return {"AF": "AFG", "PK": "PAK"}.get(incident.admin1[:2], "")
    found = {_OTHER_SOIL[voice] for voice in incident.voices if voice in _OTHER_SOIL}
    return found.pop() if len(found) == 1 else ""


def _said(incident: Incident) -> Iterator[tuple[str, str, float]]:
    """Yield theme, side and weight of what is said in an incident."""
    witnesses: dict[tuple[str, str], set[str]] = {}
    home = {"AFG": "afg-authorities", "PAK": "pak-authorities"}.get(soil(incident), "")
    for told in incident.told:
        for theme, side in _by_side(told, home):
            witnesses.setdefault((theme, side), set()).add(told.witness)
    for (theme, speaker), families in sorted(witnesses.items()):
        yield theme, speaker, 1.0 - 0.5 ** len(families)


def _by_side(told: Told, home: str) -> Iterator[tuple[str, Voice]]:
    """Yield what each side says in a report.

    Where it tells of an assertion and its denial, by several sides, the authorities of the place
    (`home`) are those who deny.
    """
    themes, sides = THEMES.intersection(told.themes), told.voices or (_own(told),)
    for side in sides:
        if len(themes) > 1 and len(sides) > 1:
            yield DENIED if side == home else ALLEGED, side
        else:
            yield from ((theme, side) for theme in sorted(themes))


def _own(told: Told) -> Voice:
    """Return the side of an outlet that names no speaker."""
    family = FAMILIES.get(told.witness)
    return family.voice(day_of(told.first)) if family else "independent"


def _told(pair: str, belief: Belief, seen: Observation) -> str:
    group, _, place = pair.partition("@")
    sides = ", ".join(_NAMES[side] for side in belief.sides(seen.today))  # type: ignore[index]
    where = f"in {name_of(place)}" if place else "on the other side"
    return (
        f"that {ACTORS[group].label} shelters {where} is asserted by {sides}: {belief.now[0]:.0%} "
        f"of the weight of what is said, {belief.mean:.0%} before (whether it is so is not judged)"
    )


def _window(seen: Observation, pair: str) -> list[Incident]:
    window = with_themes(seen, seen.today - WINDOW_DAYS + 1, seen.today, THEMES)
    found = [each for each in window if pair in pairs(each, seen.unit)]
    return sorted(found, key=lambda each: (each.day, each.id))
