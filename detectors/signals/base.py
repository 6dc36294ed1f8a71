"""What a signal is: a pure step from a state and an observation to a state and scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Final, Protocol, TypeVar

from msgspec import Struct, field

from detectors.climate import Climate
from detectors.incident_log import IncidentLog
from detectors.incidents import Incident
from detectors.records import Coverage, Direction, EventType, Score
from detectors.timegrid import instant
from detectors.world.units import UNITS, Kind

T = TypeVar("T")

#: Country pace that is not known: every factor is 1.
NO_CLIMATE: Final = Climate()
#: An incident is told two or three times, so only roughly do reports give the rate of incidents.
_INCIDENTS_PER_REPORT: Final = 0.4
#: How many units a country is watched by.
_PARTS: Final = Counter(unit.country for unit in UNITS.values() if unit.kind == "admin1")


class Observation(Struct, frozen=True):
    """One unit at one step: what is known, and how well it can be seen."""

    unit: str
    country: str
    at: int  # seconds: the end of the step
    half_day: int  # half days of local time since 1970
    coverage: Coverage
    share: float  # of the usual reporting
    incidents: IncidentLog  # of violence (ASSAULT)
    new: tuple[Incident, ...] = ()  # incidents of any type first seen in this step
    gone: tuple[Incident, ...] = ()  # incidents of earlier steps that are none, or one with another
    acts: dict[EventType, IncidentLog] = {}  # incidents of every other type
    climate: Climate = field(default_factory=lambda: NO_CLIMATE)  # the usual pace of the country
    missing: str = ""  # which languages, families and sources cannot be had, since when
    since: int = -1  # the local day number on which the watch of the unit began; -1: today
    turned: bool = True  # whether a half day has begun, or coverage has changed

    @property
    def today(self) -> int:
        """The local day number."""
        return self.half_day // 2

    @property
    def began(self) -> int:
        """The local day number on which the watch of the unit began."""
        return self.since if self.since >= 0 else self.today

    @property
    def prior(self) -> float | None:
        """The rate that the country's pace gives a unit of it, incidents a day."""
        reports = self.climate.daily_mean
        if reports is None or not UNITS[self.unit].is_area:
            return None
        parts = 1 if self.unit == self.country else _PARTS.get(self.country, 1)
        return reports * _INCIDENTS_PER_REPORT / parts

    def between(self, first: int, last: int, events: Iterable[EventType]) -> Iterator[Incident]:
        """Yield the incidents of some types on the day numbers `first` to `last`, by day."""
        for event in events:
            log = self.incidents if event == "ASSAULT" else self.acts.get(event)
            if log is not None:
                yield from log.between(first, last)


class Signal(Protocol):
    """A named measure of instability.

    `initial` gives the state of a unit never seen before; `step` scores what is seen against the
    past, then learns it. A state is owned by the caller: a step may change it in place, and
    returns it. Scores come in a fixed order. The same calls give the same bytes. A signal is asked
    when a half day begins, when coverage changes, and when something `concerns` it.
    """

    name: ClassVar[str]  # the label in records, metrics and alerts; never reused
    version: ClassVar[int]  # raised when a state from before no longer fits
    title: ClassVar[str]
    kinds: ClassVar[frozenset[Kind]]  # the kinds of units that it is computed for
    indicator: ClassVar[str]  # what its claims count by days; "" where it makes none

    def initial(self) -> Any:  # noqa: ANN401 - each signal has its own state type
        """Return the state of a unit never seen before."""
        ...

    def concerns(self, incident: Incident) -> bool:
        """Whether an incident that is new, or gone, may change what the signal says."""
        ...

    def step(self, state: Any, seen: Observation) -> tuple[Any, tuple[Score, ...]]:  # noqa: ANN401
        """Score what is seen against the past, then learn it."""
        ...


def blank(signal: Signal, seen: Observation, direction: Direction, **changes: Any) -> Score:  # noqa: ANN401
    """Return a score that says what is known of the unit before it is judged.

    In the dark it is `unknown`, and says so.
    """
    if seen.coverage == "dark":
        changes.setdefault("state", "unknown")
        changes.setdefault(
            "reason", f"{seen.share:.0%} of the usual reporting can be had: not judged"
        )
    else:
        changes.setdefault("state", "scored")
    return Score(
        id=f"{signal.name}/{direction}/{seen.unit}/{seen.at}",
        signal=signal.name,
        version=signal.version,
        unit=seen.unit,
        direction=direction,
        at=instant(seen.at),
        coverage=seen.coverage,
        coverage_share=seen.share,
        **changes,
    )


def once(incident: Incident, name: str, make: Callable[[Incident], T]) -> T:
    """Return what is made of an incident's reports, made once: until `Incident.revise` forgets it.

    Args:
        incident: Of which it is made.
        name: Under which it is kept; one name for one `make`.
        make: Makes it, of nothing else than the incident.
    """
    kept = incident.__dict__
    if name not in kept:
        kept[name] = make(incident)
    made: T = kept[name]
    return made


def witnesses(incident: Incident) -> tuple[str, ...]:
    """Return an incident's independent witnesses (`Incident.publishers`)."""
    return once(incident, "witnesses", _publishers)


def _publishers(incident: Incident) -> tuple[str, ...]:
    return incident.publishers


def applies(signal: Signal, unit: str) -> bool:
    """Return whether a signal is computed for a unit."""
    return UNITS[unit].kind in signal.kinds
