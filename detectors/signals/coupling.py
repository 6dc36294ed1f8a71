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
from operator import add
from typing import ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.baseline import Level
from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import Score
from detectors.series import SERIES_DAYS, Look, Series
from detectors.signals import claims
from detectors.signals.base import Observation
from detectors.signals.calibrated import Ranks
from detectors.signals.counting import FEWEST, REMARKABLE, weightiest
from detectors.signals.coupled import (
    CELLS,
    Cells,
    Day,
    either,
    evidence,
    followers,
    ratios,
    trace,
)
from detectors.signals.scored import SUSPECT, framed, ranked
from detectors.world.units import Kind

WINDOW_DAYS: Final = SERIES_DAYS
LATE_DAYS: Final = 4  # after which 95 % of incidents are known
FEWEST_BEFORE: Final = 2  # incidents on the leading side
_KEPT: Final = 0.5 ** (1 / 21)  # of the evidence, per day
_WORDS: Final = claims.Counted("violent_incidents", "violent incidents")
_SIDES: Final = {"AF-": 0, "PK-": 1}
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


class Way(Struct, frozen=True, gc=False):
    """One side as the follower of the other."""

    follower: int
    evidence: float  # nats
    cells: Cells
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
        if state.whole.learning:
            state.open = seen.today - LATE_DAYS  # earlier days are never added
            return state, (framed(self, state.whole, look, seen, "rise"),)
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
        # Of equals the busier side: where neither had an excess yet, nothing speaks for either.
        best = max(led or ways, key=lambda way: (way.evidence, counts[way.follower])).follower
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
    return _SIDES.get((incident.admin1 or "")[:3])


def _enough(following: int, leading: int) -> bool:
    return following >= FEWEST and leading >= FEWEST_BEFORE


def _within(series: Series, today: int) -> int:
    first = today - WINDOW_DAYS
    return sum(number for day, number in series.counts.items() if first < day <= today)


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
    first = min(max(state.open, seen.today - 2 * WINDOW_DAYS), seen.today)
    days = range(first, seen.today + 1)
    rows, ends = _rows(state, seen, levels, days)
    closing = max(0, seen.today - LATE_DAYS - first)
    if closing:
        for side, mine, traces in zip(state.sides, rows, ends, strict=True):
            _close(side, state.whole, days[:closing], mine)
            side.traces = traces[closing]
        state.open = days[closing]
    seen_on = [day not in state.whole.shares for day in days[closing:]]
    one, other = (
        _way(n, state.sides[n], rows[n][closing:], seen_on) for n in range(len(state.sides))
    )
    return one, other


def _way(n: int, side: Side, rows: list[Day], seen_on: list[bool]) -> Way:
    """Return one side as the follower, by its sums and its days that are still open.

    Args:
        n: Which side.
        side: What is remembered of it.
        rows: Its open days.
        seen_on: Whether each of them was seen.
    """
    cells: Cells = side.cells
    (fast, slow), count = side.led, side.count
    for row in rows:
        fast, slow = fast + max(row.other[0], 0.0), slow + max(row.other[1], 0.0)
        count += row.count
    if not (fast or slow):  # the other side never had an excess: its accounts are all alike
        return Way(n, 0.0, cells, (fast, slow), rows[-1].scale, count)
    for row, was_seen in zip(rows, seen_on, strict=True):
        if was_seen:
            cells = list(map(add, cells, ratios(row)))
    return Way(n, evidence(cells), cells, (fast, slow), rows[-1].scale, count)


_Trace = tuple[float, float]


def _rows(
    state: CouplingState, seen: Observation, levels: tuple[Level, Level], days: range
) -> tuple[list[list[Day]], list[list[_Trace]]]:
    """Return the days of each side as they began; its traces as each began, and the last ended."""
    factors = [seen.climate.factor(day) for day in days]
    known: list[list[float]] = []
    traces: list[list[_Trace]] = []
    for side, level in zip(state.sides, levels, strict=True):
        shares = side.series.known_shares(seen.half_day % 2)
        shares += [1.0] * (len(days) - len(shares))
        known.append(shares[: len(days)][::-1])
        usual = [level.rate * f * share for f, share in zip(factors, known[-1], strict=True)]
        traces.append(_traces(side, state.whole, days, usual))
    rows = []
    for n, side in enumerate(state.sides):
        counts, level = side.series.counts, levels[n]
        scale = min(1.0, level.rate / levels[1 - n].rate)
        mine = zip(days, factors, known[n], traces[n], traces[1 - n], strict=False)
        rows.append(
            [
                Day(counts.get(day, 0), level.rate * factor, share, level.size, own, other, scale)
                for day, factor, share, own, other in mine
            ]
        )
    return rows, traces


def _traces(side: Side, whole: Series, days: range, usual: list[float]) -> list[_Trace]:
    """Return a side's traces as each day begins, and after the last, given what was usual on each.

    What was not seen did not fail to happen.
    """
    found = [side.traces]
    for day, mean in zip(days, usual, strict=True):
        excess = side.series.counts.get(day, 0) - mean
        found.append(trace(found[-1], max(excess, 0.0) if day in whole.shares else excess))
    return found


def _close(side: Side, whole: Series, days: range, rows: list[Day]) -> None:
    """Add days to a side's sums for good."""
    cells: Cells = side.cells
    for day, row in zip(days, rows, strict=False):
        cells = [_KEPT * cell for cell in cells]
        if day not in whole.shares:
            cells = list(map(add, cells, ratios(row)))
        fast, slow = side.led
        side.led = (_KEPT * fast + max(row.other[0], 0.0), _KEPT * slow + max(row.other[1], 0.0))
        side.count = _KEPT * side.count + row.count
    side.cells = [round(cell, 6) for cell in cells]
