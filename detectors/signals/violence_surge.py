"""S1, violence surge: violent incidents beyond what is normal here and now, and falls below it.

Incidents are counted by the day on which they occurred. What is normal is a level that forgets
(half-life 30 days), learned from days at least a fortnight old, so that a surge does not become
its own baseline. What the last days still lack is allowed for by the reporting delay learned for
the unit. A window of 1, 3 or 7 days is compared with it by the tail of a negative binomial; where
the week before a window was itself a fall, also with that lull, so that a return is seen. The
smallest p-value, times the number of comparisons (Bonferroni), is the score.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Final

from msgspec import Struct
from msgspec.structs import replace

from detectors.distributions import lower_quantile, lower_tail, upper_quantile, upper_tail
from detectors.incidents import MEMORY_DAYS, Incident
from detectors.records import Claim, Direction, IncidentRef, Resolver, Score
from detectors.signals.base import Observation
from detectors.timegrid import DAY, LOCAL_OFFSET, day_of, instant

GUARD_DAYS: Final = 14
LEARNING_DAYS: Final = 14  # days in the level before it may speak
SERIES_DAYS: Final = 28
RISE_WINDOWS: Final = (1, 3, 7)
FALL_WINDOWS: Final = (3, 7)
LULL_WINDOWS: Final = (3, 7)
LULL_DAYS: Final = 7
LULL_P: Final = 0.05
LOOK_BACK_DAYS: Final = LULL_DAYS + max(LULL_WINDOWS)
FEWEST: Final = 3  # incidents: fewer never make a rise
MOST_EVIDENCE: Final = 50  # incidents told with a score
HORIZON_DAYS: Final = 14
GRACE_DAYS: Final = 4  # after which 95 % of incidents are known
REMARKABLE_P: Final = 0.05  # from here down a score carries evidence and a claim
TAIL: Final = 0.10  # a claim names a count that is normally passed this rarely
DELAY_DAYS: Final = 15
_DISCOUNT: Final = 0.5 ** (1 / 30)  # per day
#: Half an incident in two days: so weak that a busy unit soon forgets it.
_PRIOR_INCIDENTS: Final = 0.5
_PRIOR_DAYS: Final = 2.0
_PRIOR_BLOCKS: Final = 4.0  # how many telling weeks the prior dispersion is worth
_TELLING_WEEK: Final = 5.0  # incidents: a week of so many counts half for the dispersion
_PRIOR_DISPERSION: Final = 0.15
#: Reporting delay in days, share of incidents: 1 at the median, 2 at 90 %, 4 at 95 % (measured on
#: UCDP GED 23.1, Afghanistan, January to June 2020).
_PRIOR_DELAY: Final = (0.25, 0.40, 0.25, 0.03, 0.02, *(0.005,) * 10)
_PRIOR_DELAY_WEIGHT: Final = 20.0


class SurgeState(Struct):
    """What is remembered of a unit. Days are day numbers."""

    first_day: int | None = None
    folded: int = 0  # days before this one are in the level
    counts: dict[int, int] = {}  # incidents by day, of the last `MEMORY_DAYS`
    shares: dict[int, float] = {}  # the lowest coverage share of a day, where it was not ok
    days: float = 0.0  # discounted days in the level
    total: float = 0.0  # discounted incidents in the level
    blocks: float = 0.0  # discounted weeks in the dispersion
    dispersion: float = 0.0  # discounted sum of ((y - m)² - m) / m², by weeks
    before_week: float = 0.0  # incidents a week that the level gave before the current week
    delays: list[float] = []  # incidents by days from occurring to being seen


class Level(Struct, frozen=True):
    """A rate with its uncertainty: `size` of the negative binomial it predicts."""

    rate: float  # incidents a day
    size: float


class Tail(Struct, frozen=True):
    """One comparison of a window with a level."""

    p: float
    days: int
    observed: int
    expected: float
    level: Level
    lull: bool = False


class ViolenceSurge:
    """S1 for one unit, both directions."""

    name: ClassVar[str] = "S1"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Violence surge"
    alerts: ClassVar[bool] = True

    def initial(self) -> SurgeState:
        """Return the state of a unit never seen before."""
        return SurgeState(delays=[_PRIOR_DELAY_WEIGHT * share for share in _PRIOR_DELAY])

    def step(self, state: SurgeState, seen: Observation) -> tuple[SurgeState, tuple[Score, ...]]:
        """Score the unit's last days in both directions, having counted what is new."""
        if state.first_day is None:
            state.first_day = state.folded = seen.today
        _count(state, seen)
        _fold(state, seen.today)
        view = _look(state, seen)
        return state, (
            self._score(state, seen, view, "rise"),
            self._score(state, seen, view, "fall"),
        )

    def _score(
        self, state: SurgeState, seen: Observation, view: View, direction: Direction
    ) -> Score:
        learned = state.folded - (state.first_day or 0)
        unseen, learning = seen.coverage == "dark", learned < LEARNING_DAYS
        score = Score(
            id=f"{self.name}/{direction}/{seen.unit}/{seen.at}",
            signal=self.name,
            version=self.version,
            unit=seen.unit,
            direction=direction,
            at=instant(seen.at),
            state="unknown" if unseen else "learning" if learning else "scored",
            coverage=seen.coverage,
            coverage_share=seen.share,
            daily=view.daily,
            series_end=day_of(seen.today),
            dark_days=view.dark_days,
        )
        if unseen:
            reason = f"{seen.share:.0%} of the usual reporting can be had: not judged"
            return replace(score, reason=reason)
        if learning:
            return replace(score, reason=f"learning: {learned} of {LEARNING_DAYS} days")
        tail, comparisons = _rise(view) if direction == "rise" else _fall(view)
        return _filled(score, tail, comparisons, view, seen)


def _filled(score: Score, tail: Tail, comparisons: int, view: View, seen: Observation) -> Score:
    """Return the score with its result; what is out of the ordinary gets evidence and a claim."""
    p = min(1.0, tail.p * comparisons)
    evidence: tuple[IncidentRef, ...] = ()
    claim = None
    if p <= REMARKABLE_P:
        window = seen.incidents.between(seen.today - tail.days + 1, seen.today)
        evidence = tuple(incident.ref() for incident in _weightiest(window))
        claim = (_rise_claim if score.direction == "rise" else _fall_claim)(view, seen, tail)
    against = "the lull before" if tail.lull else "usual"
    return replace(
        score,
        p=round(p, 12),
        observed=tail.observed,
        expected=round(tail.expected, 3),
        window_days=tail.days,
        reason=(
            f"{tail.observed} violent incidents in {tail.days} day{'s'[: tail.days > 1]} against "
            f"{tail.expected:.1f} expected ({against})"
        ),
        claim=claim,
        evidence=evidence,
    )


def _weightiest(window: list[Incident]) -> list[Incident]:
    """Return the incidents with the most witnesses and deaths, in their order, so many as fit."""
    if len(window) <= MOST_EVIDENCE:
        return window
    ranked = sorted(
        window, key=lambda i: (-len(i.publishers), -(i.killed.best if i.killed else 0), i.id)
    )
    kept = {incident.id for incident in ranked[:MOST_EVIDENCE]}
    return [incident for incident in window if incident.id in kept]


def _count(state: SurgeState, seen: Observation) -> None:
    for incident in seen.new:
        state.counts[incident.day] = state.counts.get(incident.day, 0) + 1
        delay = min(max(seen.today - incident.day, 0), DELAY_DAYS - 1)
        state.delays = [weight * 0.995 for weight in state.delays]
        state.delays[delay] += 1.0
    for incident in seen.gone:
        if state.counts.get(incident.day, 0) > 0:
            state.counts[incident.day] -= 1
    if seen.coverage != "ok":
        state.shares[seen.today] = min(seen.share, state.shares.get(seen.today, 1.0))


def _fold(state: SurgeState, today: int) -> None:
    """Learn the days that have left the guard gap, and forget what is no longer needed."""
    while state.folded < today - GUARD_DAYS:
        day = state.folded
        state.folded += 1
        if day in state.shares:
            continue  # what was not seen teaches nothing
        count = state.counts.get(day, 0)
        state.days = state.days * _DISCOUNT + 1.0
        state.total = state.total * _DISCOUNT + count
        if (day + 1 - (state.first_day or 0)) % 7 == 0:
            _learn_dispersion(state, day)
    if (state.counts and min(state.counts) < today - MEMORY_DAYS - 7) or len(state.shares) > 60:
        oldest = today - MEMORY_DAYS
        state.counts = {day: n for day, n in state.counts.items() if day >= oldest}
        state.shares = {day: s for day, s in state.shares.items() if day >= oldest}


def _learn_dispersion(state: SurgeState, day: int) -> None:
    """Compare the week that ends on `day` with the level that was known before it."""
    mean, state.before_week = state.before_week, 7 * _usual_rate(state)
    week = range(day - 6, day + 1)
    if state.days < LEARNING_DAYS or not mean or any(d in state.shares for d in week):
        return
    excess = ((sum(state.counts.get(d, 0) for d in week) - mean) ** 2 - mean) / mean**2
    weight = mean / (mean + _TELLING_WEEK)  # a week of few incidents says little of it
    state.blocks = state.blocks * _DISCOUNT**7 + weight
    state.dispersion = state.dispersion * _DISCOUNT**7 + weight * excess


def _usual_rate(state: SurgeState) -> float:
    return (state.total + _PRIOR_INCIDENTS) / (state.days + _PRIOR_DAYS)


def _usual(state: SurgeState) -> Level:
    rate = _usual_rate(state)
    learned = (state.dispersion + _PRIOR_DISPERSION * _PRIOR_BLOCKS) / (
        state.blocks + _PRIOR_BLOCKS
    )
    unsure = 1.0 / (state.total + _PRIOR_INCIDENTS)  # of the rate itself, squared
    return Level(rate, 1.0 / (min(max(learned, 0.02), 2.0) + unsure))


def known_shares(state: SurgeState, half: int) -> list[float]:
    """Return the share of a day's incidents known 0, 1, ... days later, in the half day `half`."""
    total = sum(state.delays)
    shares = []
    before = 0.0
    for weight in state.delays:
        shares.append((before + weight * (0.25 + 0.5 * half)) / total)
        before += weight
    return shares


class View(Struct, frozen=True):
    """A unit's last `SERIES_DAYS` days at one step; sums run from today backwards."""

    daily: tuple[int, ...]  # incidents by day, the last is today
    dark_days: tuple[date, ...]
    totals: list[int]  # [n]: incidents of the last n days
    exposures: list[float]  # [n]: full days' worth of them that is known
    ahead: list[float]  # the same as it will be a day later
    usual: Level
    first_age: int  # days since the unit was first watched

    def total(self, newest: int, oldest: int) -> int:
        """Return the incidents of the days `newest` to `oldest` days ago, both included."""
        return self.totals[oldest + 1] - self.totals[newest]

    def exposure(self, newest: int, oldest: int) -> float:
        """Return how many full days' worth of incidents of those days are known."""
        return self.exposures[oldest + 1] - self.exposures[newest]


def _look(state: SurgeState, seen: Observation) -> View:
    today = seen.today
    known = [*known_shares(state, seen.half_day % 2), 1.0]
    last = len(known) - 1
    totals, exposures, ahead = [0], [0.0], [0.0]
    counts = state.counts
    daily = tuple([counts.get(day, 0) for day in range(today - SERIES_DAYS + 1, today + 1)])
    for age in range(LOOK_BACK_DAYS):
        share = state.shares.get(today - age, 1.0) if state.shares else 1.0
        totals.append(totals[-1] + daily[-1 - age])
        exposures.append(exposures[-1] + known[age if age < last else last] * share)
        ahead.append(ahead[-1] + known[age + 1 if age + 1 < last else last] * share)
    return View(
        daily=daily,
        dark_days=tuple(day_of(day) for day in sorted(state.shares) if day > today - SERIES_DAYS),
        totals=totals,
        exposures=exposures,
        ahead=ahead,
        usual=_usual(state),
        first_age=today - (state.first_day or today),
    )


def _rise_tail(view: View, days: int, level: Level, *, lull: bool = False) -> Tail:
    observed = view.totals[days]
    # Reports of one day come in bursts: a rise has to stand against what tomorrow will know.
    expected = level.rate * view.ahead[days]
    p = upper_tail(observed, expected, level.size) if observed >= FEWEST else 1.0
    return Tail(p, days, observed, expected, level, lull)


def _lull_before(view: View, days: int) -> Level | None:
    """Return the level of the week before the last `days`, where that week was a lull."""
    oldest = days + LULL_DAYS - 1
    if oldest > view.first_age:
        return None
    count, exposure = view.total(days, oldest), view.exposure(days, oldest)
    if not exposure or lower_tail(count, view.usual.rate * exposure, view.usual.size) > LULL_P:
        return None
    shape = count + 0.5  # Jeffreys' prior for a Poisson rate
    return Level(shape / exposure, shape)


def _rise(view: View) -> tuple[Tail, int]:
    tails = [_rise_tail(view, days, view.usual) for days in RISE_WINDOWS]
    for days in LULL_WINDOWS:
        if view.totals[days] >= FEWEST:
            lull = _lull_before(view, days)
            if lull is not None:
                tails.append(_rise_tail(view, days, lull, lull=True))
    return min(tails, key=lambda t: (t.p, t.days)), len(RISE_WINDOWS) + len(LULL_WINDOWS)


def _fall(view: View) -> tuple[Tail, int]:
    tails = []
    for days in FALL_WINDOWS:
        observed, expected = view.totals[days], view.usual.rate * view.exposures[days]
        p = lower_tail(observed, expected, view.usual.size)
        tails.append(Tail(p, days, observed, expected, view.usual))
    return min(tails, key=lambda t: (t.p, t.days)), len(FALL_WINDOWS)


def _rise_claim(view: View, seen: Observation, tail: Tail) -> Claim:
    """Claim that the next fortnight passes a count that the level of reference rarely passes."""
    reference = Level(tail.level.rate, view.usual.size)
    usual = reference.rate * HORIZON_DAYS
    count = max(1, upper_quantile(TAIL, usual, reference.size))
    now = _current(view)
    first, last = day_of(seen.today + 1), day_of(seen.today + HORIZON_DAYS)
    return Claim(
        statement=(
            f"At least {count} violent incidents in the {HORIZON_DAYS} days {first} to {last}"
        ),
        probability=round(upper_tail(count, now.rate * HORIZON_DAYS, now.size), 4),
        base_rate=round(upper_tail(count, usual, reference.size), 4),
        horizon_days=HORIZON_DAYS,
        resolver=Resolver(
            indicator="violent_incidents",
            unit=seen.unit,
            first_day=first,
            last_day=last,
            comparison="at_least",
            count=count,
            settle_at=_settle(seen, seen.today + HORIZON_DAYS + GRACE_DAYS),
        ),
    )


def _fall_claim(view: View, seen: Observation, tail: Tail) -> Claim | None:
    """Claim that the window stays low once late reports are in. None: it is not low enough."""
    usual = tail.level.rate * tail.days
    count = lower_quantile(TAIL, usual, tail.level.size)
    if count is None or count < tail.observed:
        return None
    now = _current(view)
    missing = max(0.0, tail.days - view.exposures[tail.days])
    first, last = day_of(seen.today - tail.days + 1), day_of(seen.today)
    return Claim(
        statement=(
            f"At most {count} violent incidents in the {tail.days} days {first} to {last}, "
            "once late reports are in"
        ),
        probability=round(lower_tail(count - tail.observed, now.rate * missing, now.size), 4),
        base_rate=round(lower_tail(count, usual, tail.level.size), 4),
        horizon_days=HORIZON_DAYS,
        resolver=Resolver(
            indicator="violent_incidents",
            unit=seen.unit,
            first_day=first,
            last_day=last,
            comparison="at_most",
            count=count,
            settle_at=_settle(seen, seen.today + HORIZON_DAYS),
        ),
    )


def _current(view: View) -> Level:
    """Return the level of now: the last week, and the usual level worth another week."""
    shape = view.totals[7] + 7 * view.usual.rate
    return Level(shape / (view.exposures[7] + 7), 1.0 / (1.0 / shape + 1.0 / view.usual.size))


def _settle(seen: Observation, day: int) -> datetime:
    return instant((day + 1) * DAY - LOCAL_OFFSET.get(seen.country, 0))
