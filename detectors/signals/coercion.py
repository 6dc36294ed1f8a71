"""S10, coercion and rights tightening: decrees, bans, arrests and closures beyond what is usual.

Counted are acts of coercion (PLOVER COERCE) in the field of rights: those whose reports name one of
PLOVER's contexts of it, and those of a theme `rights_...` (violence of such a theme too: a protest
that is crushed). The counts are judged as those of all rare things are (`sparse.py`).

The first of a kind in the unit adds to the strength. A kind is a theme, or else a mode, or else a
context; it is new if it was not seen for two years. A new one has the chance of a Chinese
restaurant process (Blackwell & MacQueen 1973), and that of a mistake of who reports it. Its p-value
is made a likelihood ratio, sqrt(1/p) / 2, before it is added (Vovk & Wang 2021, Annals of
Statistics 49): it is judged given how many there were, so that nothing counts twice. For the first
56 days seen nothing is called new.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from typing import ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.baseline import GUARD_DAYS
from detectors.incidents import Incident
from detectors.records import EventType, Score
from detectors.signals import claims
from detectors.signals.base import Observation
from detectors.signals.calibrated import Ranks
from detectors.signals.counting import REMARKABLE, CountState
from detectors.signals.repertoire import FORGOTTEN_DAYS, LEARNING_DAYS, MISTAKEN, surprise
from detectors.signals.sparse import Rare
from detectors.world.units import Kind

CONTEXTS: Final = frozenset(
    ("gender", "human_rights", "lgbt", "pro_autocracy", "repression", "rights_freedoms")
)
THEMES: Final = "rights_"  # all themes that begin so
WINDOW_DAYS: Final = 7
_NEW_KIND: Final = 0.5  # what the chance of a kind never seen is worth in incidents
_KEPT: Final = 0.5 ** (1 / 365)  # per day


class RightsState(Struct):
    """What is remembered of a unit. Days are day numbers."""

    counted: CountState = field(default_factory=CountState)
    kinds: dict[str, int] = {}  # the last day on which each was seen
    weight: float = 0.0  # discounted incidents
    learned: int = -1  # days before this one are in `kinds`
    seen_days: int = 0
    ranks: Ranks = field(default_factory=Ranks)


class First(Struct, frozen=True):
    """The most surprising first of its kind of a week."""

    nats: float = 0.0  # what it adds to the strength
    words: str = ""


class Coercion(Rare):
    """S10 for one unit, both directions; what is the first of its kind adds to rises."""

    name: ClassVar[str] = "S10"
    title: ClassVar[str] = "Coercion and rights tightening"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("admin1", "country"))
    indicator: ClassVar[str] = "rights_restrictions"
    words: ClassVar[str] = "restrictions of rights"
    events: ClassVar[tuple[EventType, ...]] = ("COERCE", "ASSAULT")
    rate: ClassVar[float] = 0.03

    def weight(self, incident: Incident) -> int:
        """Return 1 where rights are restricted."""
        if incident.themes and any(theme.startswith(THEMES) for theme in incident.themes):
            return 1
        return int(incident.event == "COERCE" and not CONTEXTS.isdisjoint(incident.contexts))

    def initial(self) -> RightsState:  # type: ignore[override]
        """Return the state of a unit never seen before."""
        return RightsState()

    def step(  # type: ignore[override]
        self, state: RightsState, seen: Observation
    ) -> tuple[RightsState, tuple[Score, ...]]:
        """Score the unit's last days by their number and by what is new, then learn the kinds."""
        if state.learned < 0:
            state.learned = seen.today
        _, scores = super().step(state.counted, seen)
        self._learn(state, seen)
        rise, *others = scores
        if rise.state == "scored":
            rise = self._with_first(rise, state, seen)
        return state, (rise, *others)

    def _learn(self, state: RightsState, seen: Observation) -> None:
        """Learn the kinds of the days that have left the guard gap; half seen ones too."""
        while state.learned < seen.today - GUARD_DAYS:
            day = state.learned
            state.learned += 1
            state.seen_days += day not in state.counted.series.shares
            state.weight *= _KEPT
            for incident in seen.between(day, day, self.events):
                if self.weight(incident):
                    state.weight += 1.0
                    state.kinds.update(dict.fromkeys(kinds_of(incident), day))

    def _with_first(self, score: Score, state: RightsState, seen: Observation) -> Score:
        """Return a rise to which the first of its kind has been added, ranked anew."""
        first = self._first(state, seen)
        strength = round((score.strength or 0.0) + first.nats, 4)
        p = state.ranks.p(strength, seen.today)
        if seen.coverage == "ok":
            state.ranks.note(strength, seen.today)
        score = replace(score, strength=strength, p=p)
        if not first.words:
            return score
        score = replace(score, reason=f"{score.reason}; {first.words}")
        if strength < REMARKABLE or score.claim is not None:
            return score
        look = self.look(state.counted.series, seen)
        counted = claims.Counted(self.indicator, self.words)
        return replace(
            score,
            evidence=self.evidence(seen, max(WINDOW_DAYS, score.window_days or 0)),
            claim=claims.rise(counted, look, seen, look.level),
        )

    def _of_the_week(self, state: RightsState, seen: Observation) -> Iterator[Incident]:
        counts = state.counted.series.counts
        for day in range(seen.today - WINDOW_DAYS + 1, seen.today + 1):
            if counts.get(day):
                yield from (i for i in seen.between(day, day, self.events) if self.weight(i))

    def _first(self, state: RightsState, seen: Observation) -> First:
        """Return the first of its kind of the last week that is told best."""
        if state.seen_days < LEARNING_DAYS:
            return First()
        witnesses: dict[str, set[str]] = {}
        number = 0
        for incident in self._of_the_week(state, seen):
            number += 1
            for kind in kinds_of(incident):
                if incident.day - state.kinds.get(kind, -FORGOTTEN_DAYS) >= FORGOTTEN_DAYS:
                    witnesses.setdefault(kind, set()).update(incident.publishers)
        if not witnesses:
            return First()
        kind = min(witnesses, key=lambda each: (-len(witnesses[each]), each))
        told = len(witnesses[kind])
        chance = _NEW_KIND / (state.weight + _NEW_KIND) + MISTAKEN**told
        nats = max(0.0, 0.5 * surprise(chance, number) - log(2.0))
        who = f"{told} witness{'es'[: 2 * (told != 1)]}"
        return First(nats, f"the first of its kind here: {_plain(kind)} ({who})")


def kinds_of(incident: Incident) -> tuple[str, ...]:
    """Return what kinds of restriction an incident is: themes, or else modes, or else contexts."""
    themes = tuple(theme for theme in incident.themes if theme.startswith(THEMES))
    return themes or tuple(sorted(incident.modes)) or tuple(sorted(CONTEXTS & {*incident.contexts}))


def _plain(kind: str) -> str:
    return kind.removeprefix(THEMES).replace("_", " ")
