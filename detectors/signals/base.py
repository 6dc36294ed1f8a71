"""What a signal is: a pure step from a state and an observation to a state and scores."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from msgspec import Struct

from detectors.incidents import Incident, IncidentLog
from detectors.records import Coverage, Score


class Observation(Struct, frozen=True):
    """One unit at one step: what is known, and how well it can be seen."""

    unit: str
    country: str
    at: int  # seconds: the end of the step
    half_day: int  # half days of local time since 1970
    coverage: Coverage
    share: float  # of the usual reporting
    incidents: IncidentLog
    new: tuple[Incident, ...] = ()  # incidents first seen in this step
    gone: tuple[Incident, ...] = ()  # incidents of earlier steps that are none, or one with another

    @property
    def today(self) -> int:
        """The local day number."""
        return self.half_day // 2


class Signal(Protocol):
    """A named measure of instability.

    `initial` gives the state of a unit never seen before; `step` scores what is seen against the
    past, then learns it. A state is owned by the caller: a step may change it in place, and
    returns it. Scores come in a fixed order. The same calls give the same bytes.
    """

    name: ClassVar[str]  # the label in records, metrics and alerts; never reused
    version: ClassVar[int]  # raised when a state from before no longer fits
    title: ClassVar[str]
    alerts: ClassVar[bool]  # whether its scores may open alerts

    def initial(self) -> Any:  # noqa: ANN401 - each signal has its own state type
        """Return the state of a unit never seen before."""
        ...

    def step(self, state: Any, seen: Observation) -> tuple[Any, tuple[Score, ...]]:  # noqa: ANN401
        """Score what is seen against the past, then learn it."""
        ...
