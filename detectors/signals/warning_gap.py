"""M2, warning-response gap: warnings about a country, and how long until anybody acts on them.

A warning is an incident of the theme `warning`: a body such as the UN, a think tank or an authority
says what may come. It is open until a response, 180 days at most. A response is an act (AID,
SANCTION, MOBILIZE, AGREE, CONSULT) that comes after it, with two independent witnesses, and shares
with it an organisation or a PLOVER context: what it is about. The median time to a response is that
of Kaplan & Meier (1958, JASA 53), where a warning that is still open, or ran out, counts for as
long as it was watched and no longer. Warnings of one witness on one subject within a week are one.

It opens no alert and adds to no sum: whether unanswered warnings come before violence is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, get_args

from msgspec import Struct
from msgspec.structs import replace

from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import EventType, Score
from detectors.signals.base import Observation, blank
from detectors.signals.repeated import again, keep
from detectors.signals.weighed import refs
from detectors.timegrid import day_of
from detectors.world.units import Kind

WARNING: Final = "warning"
RESPONSES: Final[tuple[EventType, ...]] = ("AID", "SANCTION", "MOBILIZE", "AGREE", "CONSULT")
OPEN_FOR: Final = 180  # days that a warning stays open
FEWEST_WITNESSES: Final = 2  # of a response
_MOST_OPEN: Final = 40
_MOST_ENDED: Final = 120
_MOST_SUBJECTS: Final = 6
_SOON: Final = 7  # days within which a warning of the same subject is the same warning
_EVERY: Final[tuple[EventType, ...]] = get_args(EventType)


class Warned(Struct, array_like=True):
    """A warning that nobody has answered."""

    day: int  # day number
    subjects: list[str]  # organisations and contexts that it is about
    dark: int = 0  # days of it on which a response could not be seen


class Ended(Struct, array_like=True):
    """How long a warning was open, days, and whether it was answered."""

    days: int
    answered: bool


class GapState(Struct, dict=True):
    """What is remembered of a country."""

    open: list[Warned] = []  # the oldest first
    ended: list[Ended] = []  # the last ones
    today: int = -1
    half_day: int = -1


class WarningGap:
    """M2 for one country: how many warnings are open, and for how long."""

    name: ClassVar[str] = "M2"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Warning-response gap"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("country",))
    indicator: ClassVar[str] = ""

    def initial(self) -> GapState:
        """Return the state of a country never seen before."""
        return GapState()

    def concerns(self, incident: Incident) -> bool:
        """Whether it is a warning, or may be a response to one."""
        return WARNING in incident.themes or incident.event in RESPONSES

    def step(self, state: GapState, seen: Observation) -> tuple[GapState, tuple[Score]]:
        """Tell how long warnings have been open, having taken in what is new."""
        said = None if state.open else again(state, seen)  # of what is open more may be told
        if said is not None and not any(WARNING in each.themes for each in seen.new):
            return state, (said,)
        if seen.coverage == "dark" and seen.today != state.today:
            for warned in state.open:
                warned.dark += 1
        anew = seen.half_day != state.half_day
        state.today, state.half_day = seen.today, seen.half_day
        for incident in seen.new:
            if WARNING in incident.themes:
                _warn(state, incident)
        heard = seen.between(seen.today - OPEN_DAYS, seen.today, RESPONSES) if anew else seen.new
        for incident in heard:
            if incident.event in RESPONSES and WARNING not in incident.themes:
                _answer(state, incident)
        _run_out(state, seen.today)
        score = self._told(state, seen)
        keep(state, seen, score)
        return state, (score,)

    def _told(self, state: GapState, seen: Observation) -> Score:
        score = blank(self, seen, "rise")
        if score.state == "unknown":
            return score
        ages = [seen.today - warned.day for warned in state.open]
        times = [(age, False) for age in ages] + [(end.days, end.answered) for end in state.ended]
        middle = median_time(times)
        answered = sum(end.answered for end in state.ended)
        usually = "not known" if middle is None else f"{middle} days"
        oldest = (
            f", the oldest for {max(ages)} days (since {day_of(state.open[0].day)})" if ages else ""
        )
        return replace(
            score,
            observed=len(ages),
            window_days=max(ages, default=0),
            reason=(
                f"{len(ages)} warning{'s'[: len(ages) != 1]} open{oldest}; {answered} of "
                f"{len(times)} answered, median time to a response {usually}"
            ),
            evidence=refs(_given(state, seen)),
        )


def median_time(times: Sequence[tuple[int, bool]]) -> int | None:
    """Return the median time to a response by the product-limit estimate; None: it is not reached.

    Args:
        times: Of each warning, how many days it was watched, and whether it was answered then.

    >>> median_time([(3, True), (5, True), (9, False), (30, False)])
    5
    >>> median_time([(3, True), (9, False), (30, False)]) is None
    True
    """
    open_still = 1.0
    for day in sorted({days for days, answered in times if answered}):
        watched = sum(days >= day for days, _ in times)
        open_still *= 1.0 - sum(answered and days == day for days, answered in times) / watched
        if open_still <= 0.5:
            return day
    return None


def subjects(incident: Incident) -> list[str]:
    """Return what an incident is about, so many as are kept: organisations, then contexts."""
    return [*incident.actors, *incident.contexts][:_MOST_SUBJECTS]


def _warn(state: GapState, incident: Incident) -> None:
    """Open a warning, unless the same was given some days before."""
    about = subjects(incident)
    for known in state.open:
        if abs(known.day - incident.day) <= _SOON and _share(known.subjects, about):
            known.day = min(known.day, incident.day)
            known.subjects = list(dict.fromkeys((*known.subjects, *about)))[:_MOST_SUBJECTS]
            break
    else:
        state.open.append(Warned(incident.day, about))
    state.open.sort(key=lambda each: (each.day, each.subjects))
    del state.open[:-_MOST_OPEN]


def _answer(state: GapState, response: Incident) -> None:
    """Close the warnings that an act answers."""
    if len(response.publishers) < FEWEST_WITNESSES:
        return
    about = subjects(response)
    for warned in list(state.open):
        if response.day > warned.day and not set(about).isdisjoint(warned.subjects):
            _end(state, warned, response.day - warned.day, answered=True)


def _run_out(state: GapState, today: int) -> None:
    for warned in list(state.open):
        if today - warned.day > OPEN_FOR:
            _end(state, warned, OPEN_FOR, answered=False)


def _end(state: GapState, warned: Warned, days: int, *, answered: bool) -> None:
    state.open.remove(warned)
    state.ended.append(Ended(days, answered))
    del state.ended[:-_MOST_ENDED]


def _share(one: list[str], other: list[str]) -> bool:
    """Return whether two warnings are about the same; two about nothing that is known are."""
    return not set(one).isdisjoint(other) or (not one and not other)


def _given(state: GapState, seen: Observation) -> list[Incident]:
    """Return the open warnings that are still known as incidents."""
    found: dict[str, Incident] = {}
    for warned in state.open:
        for incident in seen.between(warned.day - _SOON, warned.day + _SOON, _EVERY):
            if WARNING in incident.themes and _share(warned.subjects, subjects(incident)):
                found[incident.id] = incident
    return list(found.values())
