"""S7, cross-group solidarity: armed groups congratulate, mourn with, or pledge to one another.

A statement is an incident with the theme praise, mourning or pledge in which the unit's group and
another one are named; told by forty outlets, or for two days, it is one (`told_once.py`). Violence
is none, whatever is said beside it. Part and whole (by the registry, on the day) do not praise one
another, but a pledge counts. A renamed group keeps its id, and so its ties.

Two tests (`ties.py`), by weighted Bonferroni (Genovese, Roeder & Wasserman 2006, Biometrika 93),
since one statement can show in both: more statements in a tie than usual, over 1 to 21 days (log
likelihood ratio, a mixture over ties); and the birth of ties, -log of the chance of so many in a
fortnight. Who speaks to whom is told where the sides cited show it, which they do for a group that
governs and one that does not; else a tie has no direction. Entropy of languages, and a trigger
within 72 hours before (a grave incident of the group, a truce, a withdrawal), are told and weigh
nothing: languages depend on which outlets are read, and a reaction is no less solidarity for
having had a cause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import log
from typing import ClassVar, Final, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.incidents import MEMORY_DAYS, Incident
from detectors.records import Direction, EventType, Score
from detectors.scan import Found
from detectors.series import SERIES_DAYS
from detectors.signals import claims
from detectors.signals.base import Observation
from detectors.signals.calibrated import Ranks
from detectors.signals.counting import REMARKABLE, Counting, CountState, weightiest
from detectors.signals.groups import are_kin, groups_of, unit_of, voice_of
from detectors.signals.scored import framed, ranked
from detectors.signals.sparse import LONGEST_DAYS, steady
from detectors.signals.ties import BIRTH_DAYS, Heard, Ties
from detectors.signals.told_once import Act, recount, told_once
from detectors.timegrid import day_of
from detectors.world.units import Kind, name_of

THEMES: Final = frozenset(("praise", "mourning", "pledge"))
PLEDGE: Final = "pledge"
#: Statements a day, where nothing is known.
_PRIOR: Final = 0.02
#: Days after which what is known of a day is folded: the longest stretch, and a week for delay.
_FOLD_DAYS: Final = LONGEST_DAYS + 7
#: Days for which a statement is news: the same of the same partner within them repeats it.
_REPEATED_DAYS: Final = 1
#: The shares of a false alarm that the two tests may use.
_COUNTS, _BIRTHS = 0.5, 0.5
#: Days within which a statement answers what happened: 72 hours.
TRIGGER_DAYS: Final = 3
_GRAVE: Final = 10  # killed
_TRIGGERS: Final = frozenset(
    ("truce_agreed", "truce_ended", "troop_withdrawal", "recognition", "designation")
)


class SolidarityState(Struct):
    """What is remembered of a group."""

    counted: CountState = field(default_factory=CountState)
    ties: Ties = field(default_factory=Ties)
    ranks: Ranks = field(default_factory=Ranks)


class Said(Struct, frozen=True):
    """What the two tests found."""

    strength: float
    found: Found
    busiest: str
    born: list[str]
    surprise: float


class Solidarity(Counting):
    """S7 for one armed group: statements of solidarity with other groups, and new ties."""

    name: ClassVar[str] = "S7"
    title: ClassVar[str] = "Cross-group solidarity"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("actor",))
    indicator: ClassVar[str] = "solidarity_statements"
    words: ClassVar[str] = "statements of solidarity"
    events: ClassVar[tuple[EventType, ...]] = tuple(
        each for each in get_args(EventType) if each != "ASSAULT"
    )
    directions: ClassVar[tuple[Direction, ...]] = ("rise",)

    def initial(self) -> SolidarityState:  # type: ignore[override]
        """Return the state of a group never seen before."""
        return SolidarityState()

    def weight(self, incident: Incident) -> int:
        """Return 1 where a group's solidarity with another is told, else 0."""
        return int(bool(partners_of(incident)))

    def step(  # type: ignore[override]
        self, state: SolidarityState, seen: Observation
    ) -> tuple[SolidarityState, tuple[Score, ...]]:
        """Score the group's ties, having counted what is new."""
        series, since = state.counted.series, seen.today - MEMORY_DAYS + 1
        series.start(seen.began)
        known = seen.between(since, seen.today, self.events)
        acts = told_once([i for i in known if self.weight(i)], _subjects, _REPEATED_DAYS)
        recount(series, acts, seen.today - SERIES_DAYS, seen)
        heard = _by_tie(acts)
        state.ties.revise(heard, since)
        first = series.first_day or 0
        new, until = first + _FOLD_DAYS, seen.today - _FOLD_DAYS
        state.ties.fold(first, until, heard, series.shares, new=new)
        return state, (self._judge(state, seen, [act.incident for act in acts], heard, new),)

    def _judge(
        self,
        state: SolidarityState,
        seen: Observation,
        statements: list[Incident],
        heard: Heard,
        new: int,
    ) -> Score:
        series = state.counted.series
        look = steady(series, seen, _PRIOR)
        score = framed(self, series, look, seen, "rise")
        if score.state == "unknown":
            return score
        if seen.today < new:
            reason = f"learning: {seen.today - new + _FOLD_DAYS} of {_FOLD_DAYS} days"
            return replace(score, state="learning", reason=reason)
        said = _said(state.ties, seen.today, heard, series.shares, new)
        score = ranked(score, said.strength, state.ranks, series, seen)
        span = [i for i in statements if i.day > seen.today - said.found.days]
        score = replace(
            score,
            observed=len(span),
            expected=round(look.level.rate * said.found.days, 3),
            window_days=said.found.days,
        )
        trigger = _trigger(seen, span)
        score = replace(score, reason=_told(score, said, span, trigger))
        if score.strength is None or score.strength < REMARKABLE:
            return score
        counted = claims.Counted(self.indicator, self.words)
        return replace(
            score,
            claim=claims.rise(counted, look, seen, look.level),
            evidence=weightiest(span if trigger is None else [trigger, *span]),
        )


def partners_of(incident: Incident) -> tuple[str, ...]:
    """Return the groups with which the unit's group is told to show solidarity, or they with it."""
    if incident.event == "ASSAULT" or THEMES.isdisjoint(incident.themes):
        return ()
    unit = unit_of(incident)  # which is named in it, or it would not count there
    found = groups_of(incident, unit)
    if PLEDGE in incident.themes:
        return tuple(found)
    return tuple(other for other in found if not are_kin(unit, other, incident.day))


def speakers_of(incident: Incident, one: str, other: str) -> list[str]:
    """Return which of two groups speaks: the one, the other, or both where it cannot be told."""
    cited = [each for each in (one, other) if voice_of(each, incident.day) in incident.voices]
    apart = voice_of(one, incident.day) != voice_of(other, incident.day)
    return cited if apart and len(cited) == 1 else [one, other]


def entropy(languages: Iterable[str | None]) -> float:
    """Return the entropy, nats, of the languages of reports; those of no known language aside.

    >>> entropy(["ps", "ps", None]), round(entropy(["ps", "ur"]), 3)
    (0.0, 0.693)
    """
    counts = Counter(each for each in languages if each)
    total = sum(counts.values())
    return abs(sum(-n / total * log(n / total) for n in counts.values()))


def _subjects(incident: Incident) -> frozenset[str]:
    """Return what a statement is of: each theme of solidarity with each partner."""
    themes = THEMES.intersection(incident.themes)
    return frozenset(f"{theme} {other}" for theme in themes for other in partners_of(incident))


def _by_tie(acts: list[Act]) -> dict[str, dict[int, int]]:
    heard: dict[str, dict[int, int]] = {}
    for act in acts:
        for partner in {subject.partition(" ")[2] for subject in act.subjects}:
            days = heard.setdefault(partner, {})
            days[act.day] = days.get(act.day, 0) + 1
    return heard


def _said(ties: Ties, today: int, heard: Heard, unseen: Mapping[int, float], new: int) -> Said:
    found, busiest = ties.busier(today, heard, unseen)
    surprise = ties.surprise(today, new)
    born = ties.born(today, new)
    counts, births = found.strength + log(_COUNTS), surprise + log(_BIRTHS)
    if births > counts:
        found = Found(surprise, BIRTH_DAYS, 0, 0.0)
    return Said(max(0.0, counts, births), found, busiest, born, surprise)


def _told(score: Score, said: Said, span: list[Incident], trigger: Incident | None) -> str:
    """Return the sentence that a reader is told."""
    plural = "s"[: len(span) == 0 or len(span) > 1]
    days = said.found.days
    parts = [
        f"{len(span)} statement{plural} of solidarity in {days} day{'s'[: days > 1]} against "
        f"{score.expected:.1f} expected"
    ]
    if said.born:
        names = ", ".join(name_of(each) for each in said.born)
        parts.append(f"new tie{'s'[: len(said.born) > 1]} with {names}")
    if said.busiest and span:
        parts.append(f"most unusual with {name_of(said.busiest)}{_direction(span, said, score)}")
    spread = entropy(told.language for incident in span for told in incident.told)
    if spread > 0.0:
        parts.append(f"entropy of languages {spread:.1f}")
    if trigger is not None:
        soon = sum(0 <= i.day - trigger.day <= TRIGGER_DAYS for i in span)
        where = f" in {trigger.place}" if trigger.place else ""
        parts.append(f"{soon} within 72 hours of an event{where} on {day_of(trigger.day)}")
    return "; ".join(parts)


def _direction(span: list[Incident], said: Said, score: Score) -> str:
    speakers = {
        speaker
        for incident in span
        if said.busiest in partners_of(incident)
        for speaker in speakers_of(incident, score.unit, said.busiest)
    }
    return f", said by {name_of(speakers.pop())}" if len(speakers) == 1 else ""


def _trigger(seen: Observation, span: list[Incident]) -> Incident | None:
    """Return the gravest incident of the group within 72 hours before the first statement."""
    if not span:
        return None
    first = min(incident.day for incident in span)
    near = seen.between(first - TRIGGER_DAYS, first, get_args(EventType))
    grave = [i for i in near if i not in span and _is_grave(i)]
    return max(grave, key=lambda i: (i.killed.best if i.killed else 0, i.day, i.id), default=None)


def _is_grave(incident: Incident) -> bool:
    killed = incident.killed.best if incident.killed else 0
    return killed >= _GRAVE or not _TRIGGERS.isdisjoint(incident.themes)
