"""S13, sanctions and designations pulse: groups of the registry are listed, or taken off lists.

A designation is an incident with the theme designation or asset_freeze, or of the type SANCTION
with no theme (an amended entry of a list, a sanction that is not told more closely) that breaks no
diplomatic relations, in which an armed group of the registry is named; between two states (a dyad)
a designation by theme counts whomever it names. Incidents come from the news, and from lists
themselves (`detectors/listdiff.py`); what touches the same groups again within two days repeats
one (`told_once.py`). Rises: more of them than usual over 1 to 21 days, or such as touch more
groups at once: a compound Poisson process (`pulse.py`), log likelihood ratio in nats.

Falls: delistings and waivers, counted alike: more of these than usual means the pressure falls. A
fall makes no claim: what the unit counts by days, "designations", is nearly always nought in a
fortnight, and that it will be so would prove nothing.
"""

from __future__ import annotations

from typing import ClassVar, Final, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.incidents import MEMORY_DAYS, Incident
from detectors.records import EventType, Score
from detectors.scan import Found
from detectors.series import SERIES_DAYS, Look, Series
from detectors.signals import claims
from detectors.signals.base import Observation
from detectors.signals.counting import REMARKABLE, Counting, CountState
from detectors.signals.groups import groups_of, unit_of
from detectors.signals.pulse import Jumps, pulse
from detectors.signals.scored import BURSTY, framed, ranked
from detectors.signals.sparse import LONGEST_DAYS, burst, steady
from detectors.signals.told_once import Act, recount, told_once
from detectors.world.units import UNITS, Kind

LISTING: Final = frozenset(("designation", "asset_freeze"))
EASING: Final = frozenset(("delisting", "waiver"))
_DIPLOMATIC: Final = frozenset(("withdraw", "expel"))  # modes of SANCTION
#: Designations a day, where nothing is known.
_PRIOR: Final = 0.01
#: Days for which a listing is news: what touches the same groups again within them repeats it.
_REPEATED_DAYS: Final = 2


class SanctionsState(Struct):
    """What is remembered of a unit."""

    listed: CountState = field(default_factory=CountState)
    eased: CountState = field(default_factory=CountState)
    jumps: Jumps = field(default_factory=Jumps)
    folded: int = -1  # days before this one are in `jumps`


class _Acts(Counting):
    """Acts of one kind by which groups are touched."""

    name: ClassVar[str] = "S13"
    title: ClassVar[str] = "Sanctions and designations pulse"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("actor", "country", "dyad"))
    indicator: ClassVar[str] = "designations"
    events: ClassVar[tuple[EventType, ...]] = tuple(
        each for each in get_args(EventType) if each != "ASSAULT"
    )

    def acts(self, state: CountState, seen: Observation) -> list[Act]:
        """Count the acts of the last days; return them by day."""
        state.series.start(seen.began)
        known = seen.between(seen.today - MEMORY_DAYS, seen.today, self.events)
        found = told_once([i for i in known if self.weight(i)], _touched, _REPEATED_DAYS)
        recount(state.series, found, seen.today - SERIES_DAYS, seen)
        return found


class _Easings(_Acts):
    """Delistings and waivers."""

    words: ClassVar[str] = "delistings and waivers"

    def weight(self, incident: Incident) -> int:
        """Return 1 for a delisting or waiver that touches a group, else 0."""
        return int(not EASING.isdisjoint(incident.themes) and bool(_touched(incident)))


class SanctionsPulse(_Acts):
    """S13 for one group, country or pair of states: designations, and the easing of them."""

    words: ClassVar[str] = "designations"

    def initial(self) -> SanctionsState:  # type: ignore[override]
        """Return the state of a unit never seen before."""
        return SanctionsState()

    def weight(self, incident: Incident) -> int:
        """Return 1 for a designation that touches a group, else 0."""
        return int(_is_listing(incident) and bool(_touched(incident)))

    def concerns(self, incident: Incident) -> bool:
        """Whether it is a designation, a delisting or a waiver that touches a group."""
        return super().concerns(incident) or _EASINGS.concerns(incident)

    def step(  # type: ignore[override]
        self, state: SanctionsState, seen: Observation
    ) -> tuple[SanctionsState, tuple[Score, ...]]:
        """Score the unit's last weeks, having counted what is new."""
        listed = self.acts(state.listed, seen)
        _EASINGS.acts(state.eased, seen)
        jumps = _jumps(listed)
        _learn(state, seen.today, jumps)
        look = steady(state.listed.series, seen, _PRIOR)
        eased = steady(state.eased.series, seen, _PRIOR)
        return state, (
            self._pressed(state, seen, look, jumps),
            self._relieved(state, seen, look, eased),
        )

    def _pressed(
        self, state: SanctionsState, seen: Observation, look: Look, jumps: dict[int, list[int]]
    ) -> Score:
        series = state.listed.series
        score = framed(self, series, look, seen, "rise")
        if score.state != "scored":
            return score
        days = [jumps.get(seen.today - age, []) for age in range(LONGEST_DAYS)]
        found = pulse(days, look.ahead[:LONGEST_DAYS], look.level.size, state.jumps.usual)
        score = ranked(score, found.strength, state.listed.rises, series, seen)
        touched = sum(map(sum, days[: found.days]))
        score = _told(score, found, self.words, f", {touched} groups touched" if touched else "")
        if found.strength < REMARKABLE:
            return score
        counted = claims.Counted(self.indicator, self.words)
        return replace(
            score,
            claim=claims.rise(counted, look, seen, look.level),
            evidence=self.evidence(seen, found.days),
        )

    def _relieved(self, state: SanctionsState, seen: Observation, look: Look, eased: Look) -> Score:
        series: Series = state.eased.series
        score = framed(self, series, look, seen, "fall")
        score = replace(score, usual=round(eased.level.rate, 6), bursty=eased.level.size < BURSTY)
        if score.state != "scored":
            return score
        found = burst(eased.counts[:LONGEST_DAYS], eased.ahead[:LONGEST_DAYS], eased.level.size)
        score = ranked(score, found.strength, state.eased.falls, series, seen)
        score = _told(score, found, _EASINGS.words, "")
        if found.strength < REMARKABLE:
            return score
        return replace(score, evidence=_EASINGS.evidence(seen, found.days))


_EASINGS: Final = _Easings()


def _is_listing(incident: Incident) -> bool:
    if not LISTING.isdisjoint(incident.themes):
        return EASING.isdisjoint(incident.themes)
    plain = incident.event == "SANCTION" and not incident.themes
    return plain and _DIPLOMATIC.isdisjoint(incident.modes)


def _touched(incident: Incident) -> frozenset[str]:
    """Return the groups that an act touches; a themed one between states touches these at least."""
    groups = frozenset(groups_of(incident))
    if groups or not incident.themes:
        return groups
    unit = UNITS.get(unit_of(incident))
    return frozenset((unit.code,)) if unit is not None and unit.kind == "dyad" else frozenset()


def _jumps(acts: list[Act]) -> dict[int, list[int]]:
    """Return how many groups each act touches, by day."""
    found: dict[int, list[int]] = {}
    for act in acts:
        found.setdefault(act.day, []).append(len(act.subjects))
    return found


def _learn(state: SanctionsState, today: int, jumps: dict[int, list[int]]) -> None:
    """Learn the jumps of days that no stretch reaches any more."""
    until = today - LONGEST_DAYS
    for day in sorted(day for day in jumps if state.folded <= day < until):
        for size in jumps[day]:
            state.jumps.learn(size)
    state.folded = max(state.folded, until)


def _told(score: Score, found: Found, words: str, more: str) -> Score:
    days = f"{found.days} day{'s'[: found.days > 1]}"
    return replace(
        score,
        observed=found.observed,
        expected=round(found.expected, 3),
        window_days=found.days,
        reason=f"{found.observed} {words} in {days} against {found.expected:.2f} expected{more}",
    )
