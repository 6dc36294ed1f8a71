"""S4, cross-border coupling: incidents on one side of a border follow those on the other.

Unit: a stretch of border between an Afghan and a Pakistani unit. Counted are violent incidents at
it by days and sides (the side on which the incident's unit lies; what names neither counts for the
whole only). The model is `coupled.py`: does a side become busier 1 to 21 days after the other,
beyond what its calendar and its own past let expect? The log likelihood ratio of such accounts to
uncoupled ones is added up over days with a half-life of 21 days (30 days' worth), in constant time
and memory: days at least 4 days old (95 % of incidents are known by then) are added once, later
ones computed anew. Only an excess counts as a cause, so that lulls of both sides, as in a truce or
a hole in coverage, are none. Rises only.

Better than a permutation of the days, which breaks up the clusters that violence comes in and so
finds coupling in any two clustered series: here a side's own clusters are among the uncoupled
accounts. What it cannot tell: a third cause that drives one side some days before the other. Both
sides have the Afghan calendar's factors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from detectors.baseline import LEARNING_DAYS, Level
from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import Score
from detectors.series import SERIES_DAYS, Look, Series
from detectors.signals import claims
from detectors.signals.base import Observation
from detectors.signals.calibrated import Ranks
from detectors.signals.counting import FEWEST, REMARKABLE, weightiest
from detectors.signals.coupled import (
    CELLS,
    CROSSES,
    OWNS,
    Day,
    Floats,
    either,
    evidence,
    followers,
    likelihoods,
    trace,
)
from detectors.signals.scored import SUSPECT, framed, ranked
from detectors.world.units import Kind

WINDOW_DAYS: Final = SERIES_DAYS
LATE_DAYS: Final = 4  # after which 95 % of incidents are known
FEWEST_BEFORE: Final = 2  # incidents on the leading side
_KEPT: Final = 0.5 ** (1 / 21)  # of the evidence, per day
_WORDS: Final = claims.Counted("violent_incidents", "violent incidents")
_PREFIXES: Final = ("AF-", "PK-")
_NAMES: Final = ("Afghan", "Pakistani")


class Side(Struct):
    """What is remembered of one side of a border, up to the first day that is still open."""

    series: Series = field(default_factory=Series)
    traces: tuple[float, float] = (0.0, 0.0)
    cells: list[float] = field(default_factory=lambda: [0.0] * CELLS)
    led: tuple[float, float] = (0.0, 0.0)  # the other side's positive traces, discounted sums
    count: float = 0.0  # incidents, discounted sum


class CouplingState(Struct):
    """What is remembered of a border."""

    whole: Series = field(default_factory=Series)
    sides: tuple[Side, Side] = field(default_factory=lambda: (Side(), Side()))
    ranks: Ranks = field(default_factory=Ranks)
    half_day: int = -1
    open: int = -1  # the first day number that is not in the sides' sums


class Way(Struct, frozen=True):
    """One side as the follower of the other."""

    follower: int
    evidence: float  # nats
    cells: Floats
    led: tuple[float, ...]  # sums of the other side's positive traces
    scale: float
    count: float  # incidents of the follower, as far as the sums reach

    @property
    def share(self) -> float:
        """The share of the follower's incidents that follow from the other side's."""
        return min(1.0, followers(self.cells, self.led, self.scale) / max(self.count, 1.0))


class CrossBorderCoupling:
    """S4 for one stretch of border."""

    name: ClassVar[str] = "S4"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Cross-border coupling"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("border",))
    indicator: ClassVar[str] = _WORDS.indicator
    words: ClassVar[str] = _WORDS.words

    def initial(self) -> CouplingState:
        """Return the state of a border never seen before."""
        return CouplingState()

    def concerns(self, incident: Incident) -> bool:
        """Whether it is a violent incident."""
        return incident.event == "ASSAULT"

    def step(self, state: CouplingState, seen: Observation) -> tuple[CouplingState, tuple[Score]]:
        """Score how the last weeks of both sides go together, having counted what is new."""
        _count(state, seen)
        factor = seen.climate.factor
        state.whole.fold(seen.today, factor, seen.prior)
        prior = None if seen.prior is None else seen.prior / 2  # the whole border's, of two sides
        for side in state.sides:
            side.series.fold(seen.today, factor, prior)
        factors = seen.climate.factors(seen.today, WINDOW_DAYS)
        look = state.whole.look(seen.half_day, factors, seen.prior)
        levels = [side.series.baseline.level(prior) for side in state.sides]
        ways = _ways(state, seen, (levels[0], levels[1]))
        return state, (self._score(state, seen, look, ways, levels),)

    def _score(
        self,
        state: CouplingState,
        seen: Observation,
        look: Look,
        ways: tuple[Way, Way],
        levels: list[Level],
    ) -> Score:
        score = framed(self, state.whole, look, seen, "rise")
        if score.state != "scored":
            return score
        counts = [_within(side.series, seen.today) for side in state.sides]
        led = [w for w in ways if _enough(counts[w.follower], counts[1 - w.follower])]
        strength = either(ways[0].evidence, ways[1].evidence) if led else 0.0
        score = ranked(score, strength, state.ranks, state.whole, seen)
        best = max(led or ways, key=lambda way: way.evidence).follower
        factors = seen.climate.factors(seen.today, WINDOW_DAYS)
        expected = levels[best].rate * sum(factors)
        remarkable = (score.strength or 0.0) >= REMARKABLE
        if strength >= SUSPECT and seen.coverage == "ok":
            for side in state.sides:
                side.series.suspect(seen.today)
        return replace(
            score,
            observed=counts[best],
            expected=round(expected, 3),
            window_days=WINDOW_DAYS,
            reason=_reason(counts, expected, ways[best], told=remarkable),
            claim=claims.rise(_WORDS, look, seen, look.level) if remarkable else None,
            evidence=weightiest(_window(seen)) if remarkable else (),
        )


def side_of(incident: Incident) -> int | None:
    """Return on which side an incident was: 0 the Afghan, 1 the Pakistani; None: not told."""
    unit = incident.admin1 or ""
    return next((n for n, prefix in enumerate(_PREFIXES) if unit.startswith(prefix)), None)


def _enough(following: int, leading: int) -> bool:
    return following >= FEWEST and leading >= FEWEST_BEFORE


def _within(series: Series, today: int) -> int:
    return sum(series.counts.get(today - age, 0) for age in range(WINDOW_DAYS))


def _window(seen: Observation) -> list[Incident]:
    return seen.incidents.between(seen.today - WINDOW_DAYS + 1, seen.today)


def _reason(counts: list[int], expected: float, way: Way, *, told: bool) -> str:
    after, before = _NAMES[way.follower], _NAMES[1 - way.follower]
    follow = f"; about {way.share:.0%} of them follow from those of the other side" if told else ""
    return (
        f"{counts[way.follower]} violent incidents on the {after} side in {WINDOW_DAYS} days "
        f"against {expected:.1f} expected, {counts[1 - way.follower]} on the {before} side{follow}"
    )


def _count(state: CouplingState, seen: Observation) -> None:
    """Count what is new by sides; the open week anew when a half day begins."""
    every = (state.whole, *(side.series for side in state.sides))
    for series in every:
        series.start(seen.began)
        series.follow(seen.coverage, seen.share, seen.at, seen.today)
    for sign, incidents in ((1, seen.new), (-1, seen.gone)):
        for incident in incidents:
            if incident.event == "ASSAULT":
                for series in _series_of(state, incident):
                    series.add(incident.day, sign, seen.today)
    if seen.half_day != state.half_day:
        state.half_day = seen.half_day
        _recount(state, seen)


def _series_of(state: CouplingState, incident: Incident) -> Iterator[Series]:
    yield state.whole
    side = side_of(incident)
    if side is not None:
        yield state.sides[side].series


def _recount(state: CouplingState, seen: Observation) -> None:
    """Count the days anew on which later reports may still say where an incident was."""
    first = seen.today - OPEN_DAYS
    for series in (state.whole, *(side.series for side in state.sides)):
        series.counts = {day: n for day, n in series.counts.items() if day < first}
    for incident in seen.incidents.between(first, seen.today):
        for series in _series_of(state, incident):
            series.counts[incident.day] = series.counts.get(incident.day, 0) + 1


def _ways(state: CouplingState, seen: Observation, levels: tuple[Level, Level]) -> tuple[Way, Way]:
    """Return the evidence of both ways, having added the days that are no longer open."""
    if state.whole.learned < LEARNING_DAYS:
        state.open = seen.today - LATE_DAYS
    first = min(max(state.open, seen.today - 2 * WINDOW_DAYS), seen.today)
    days = list(range(first, seen.today + 1))
    rows, ends = _rows(state, seen, levels, days)
    found = likelihoods([row for pair in rows for row in pair])
    closing = sum(day < seen.today - LATE_DAYS for day in days)
    if closing:
        _close(state, days[0], rows[:closing], found, ends[closing - 1])
        state.open = days[closing]
    unseen = _unseen(state, days)
    ways = []
    for n, side in enumerate(state.sides):
        cells = np.array(side.cells).reshape(OWNS, CROSSES)
        (fast, slow), count = side.led, side.count
        for number in range(closing, len(days)):
            if days[number] not in unseen:
                cells = cells + found[2 * number + n]
            row = rows[number][n]
            fast, slow = fast + max(row.other[0], 0.0), slow + max(row.other[1], 0.0)
            count += row.count
        ways.append(Way(n, evidence(cells), cells, (fast, slow), rows[-1][n].scale, count))
    return ways[0], ways[1]


def _unseen(state: CouplingState, days: list[int]) -> set[int]:
    return {day for day in days if day in state.whole.shares}


_Pair = tuple[Day, Day]
_Traces = tuple[tuple[float, float], tuple[float, float]]


def _rows(
    state: CouplingState, seen: Observation, levels: tuple[Level, Level], days: list[int]
) -> tuple[list[_Pair], list[_Traces]]:
    """Return both sides of each day as it began, and the traces as it ended."""
    scales = [min(1.0, levels[n].rate / levels[1 - n].rate) for n in (0, 1)]
    known = [side.series.known_shares(seen.half_day % 2) for side in state.sides]
    traces: _Traces = (state.sides[0].traces, state.sides[1].traces)
    rows: list[_Pair] = []
    ends: list[_Traces] = []
    for day in days:
        factor, age = seen.climate.factor(day), seen.today - day
        pair = [
            Day(
                count=side.series.counts.get(day, 0),
                usual=levels[n].rate * factor,
                known=known[n][age] if age < len(known[n]) else 1.0,
                size=levels[n].size,
                own=traces[n],
                other=traces[1 - n],
                scale=scales[n],
            )
            for n, side in enumerate(state.sides)
        ]
        dark = day in state.whole.shares
        traces = (_after(pair[0], dark=dark), _after(pair[1], dark=dark))
        rows.append((pair[0], pair[1]))
        ends.append(traces)
    return rows, ends


def _after(day: Day, *, dark: bool) -> tuple[float, float]:
    """Return a side's traces after a day. What was not seen did not fail to happen."""
    excess = day.count - day.usual * day.known
    return trace(day.own, max(excess, 0.0) if dark else excess)


def _close(
    state: CouplingState, first: int, rows: list[_Pair], found: Floats, end: _Traces
) -> None:
    """Add days, from `first` on, to the sides' sums for good."""
    for n, side in enumerate(state.sides):
        cells = np.array(side.cells)
        for number, pair in enumerate(rows):
            row = pair[n]
            cells *= _KEPT
            if first + number not in state.whole.shares:
                cells += found[2 * number + n].ravel()
            fast, slow = (
                _KEPT * sum_ + max(each, 0.0)
                for sum_, each in zip(side.led, row.other, strict=True)
            )
            side.led = (fast, slow)
            side.count = _KEPT * side.count + row.count
        side.cells = np.round(cells, 6).tolist()
        side.traces = end[n]
