"""S8, claim-confirmation gap: more of what a group claims than usual is confirmed by nobody else.

An incident is claimed where a report cites the group itself as saying that it did it, and
confirmed where anybody else tells that it happened (`groups.py`). Of the claimed incidents of the
last 30 days, the share that is unconfirmed is compared with that of the half year before (an
exponential mean of 180 days): a control chart of the log odds, whose statistic is a Beta-Binomial
log likelihood ratio of odds three times as high. The ratio of claims to confirmed incidents itself
is told, not tested: one incident may be in both counts, so these are not two samples; among
claimed incidents each is one trial. Confirmation comes after the claim, so the last two days are
not judged, and days that were not seen wholly are left out on both sides. Rises only. The tempo is
S16 (`tempo.py`).
"""

from __future__ import annotations

from math import lgamma, log
from typing import ClassVar, Final, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from detectors.incidents import OPEN_DAYS, Incident
from detectors.records import Direction, EventType, Score
from detectors.signals import claims
from detectors.signals.base import Observation
from detectors.signals.counting import REMARKABLE, Counting, CountState
from detectors.signals.groups import is_claimed, is_confirmed, unit_of
from detectors.signals.scored import framed, ranked
from detectors.world.units import Kind

WINDOW_DAYS: Final = 30
#: Days within which a claim is confirmed, if at all, for the most part.
RIPE_DAYS: Final = 2
#: The odds of "unconfirmed" that are tested for, to the usual ones.
ODDS: Final = 3.0
#: Days of past, besides the window, before it may speak.
FEWEST_DAYS: Final = 30
FEWEST_CLAIMS: Final = 3  # in the window
_MEAN_DAYS: Final = 180
_DISCOUNT: Final = 1.0 - 1.0 / _MEAN_DAYS
_PRIOR: Final = 2.0  # claims confirmed, and as many not
#: Claims that the past is worth at most: the share drifts, whatever one has seen.
_MOST: Final = 50.0


class Tally(Struct):
    """Incidents of a group: on one day whole, of the past discounted."""

    claimed: float = 0.0
    unconfirmed: float = 0.0  # of the claimed
    confirmed: float = 0.0  # claimed or not

    @property
    def log_ratio(self) -> float:
        """The log ratio of claimed to confirmed incidents."""
        return log((self.claimed + 0.5) / (self.confirmed + 0.5))

    def add(self, other: Tally, kept: float = 1.0) -> None:
        """Add another tally, having discounted this one."""
        self.claimed = self.claimed * kept + other.claimed
        self.unconfirmed = self.unconfirmed * kept + other.unconfirmed
        self.confirmed = self.confirmed * kept + other.confirmed


class GapState(CountState):
    """What is remembered of a group."""

    days: dict[int, Tally] = field(default_factory=dict)  # by day, the window's and later ones
    past: Tally = field(default_factory=Tally)
    folded: int = -1  # days before this one are in `past`
    learned: int = 0  # days of `past` that were seen wholly


class ClaimsGap(Counting):
    """S8 for one armed group: the share of its claims that nobody else confirms."""

    name: ClassVar[str] = "S8"
    title: ClassVar[str] = "Claim-confirmation gap"
    kinds: ClassVar[frozenset[Kind]] = frozenset(("actor",))
    indicator: ClassVar[str] = "unconfirmed_claims"
    words: ClassVar[str] = "unconfirmed claims"
    events: ClassVar[tuple[EventType, ...]] = get_args(EventType)
    directions: ClassVar[tuple[Direction, ...]] = ("rise",)

    def initial(self) -> GapState:
        """Return the state of a group never seen before."""
        return GapState()

    def weight(self, incident: Incident) -> int:
        """Return 1 where the group claims it and nobody confirms it, else 0."""
        unit = unit_of(incident)
        return int(is_claimed(incident, unit) and not is_confirmed(incident, unit))

    def concerns(self, incident: Incident) -> bool:
        """Whether the group claims it."""
        return is_claimed(incident, unit_of(incident))

    def step(self, state: CountState, seen: Observation) -> tuple[CountState, tuple[Score, ...]]:
        """Score the group's last month against its past, having counted what is new."""
        assert isinstance(state, GapState)  # noqa: S101 - `initial` gave it
        state.series.start(seen.began)
        self.count(state, seen)
        _tally(state, seen)
        _fold(state, seen.today)
        return state, (self._judge(state, seen),)

    def _judge(self, state: GapState, seen: Observation) -> Score:
        look = self.look(state.series, seen)
        score = framed(self, state.series, look, seen, "rise")
        if score.state == "unknown":
            return score
        if state.learned < FEWEST_DAYS:
            reason = f"learning: {state.learned} of {FEWEST_DAYS} days before the last month"
            return replace(score, state="learning", reason=reason)
        window = _window(state, seen.today)
        share = usual_share(state.past)
        strength = excess(int(window.unconfirmed), int(window.claimed), state.past)
        score = ranked(score, strength, state.rises, state.series, seen)
        score = replace(
            score,
            observed=int(window.unconfirmed),
            expected=round(window.claimed * share, 3),
            window_days=WINDOW_DAYS,
            reason=(
                f"{window.unconfirmed:.0f} of {window.claimed:.0f} claimed incidents in "
                f"{WINDOW_DAYS} days are confirmed by nobody else, against {share:.0%} usual; "
                f"log ratio of claimed to confirmed incidents {window.log_ratio:+.2f}, "
                f"before {state.past.log_ratio:+.2f}"
            ),
        )
        if strength < REMARKABLE:
            return score
        counted = claims.Counted(self.indicator, self.words)
        return replace(
            score,
            evidence=self.evidence(seen, WINDOW_DAYS + RIPE_DAYS),
            claim=claims.rise(counted, look, seen, look.level),
        )


def usual_share(past: Tally) -> float:
    """Return the share of claims that are usually unconfirmed, with its prior."""
    return (past.unconfirmed + _PRIOR) / (past.claimed + 2 * _PRIOR)


def excess(unconfirmed: int, claimed: int, past: Tally) -> float:
    """Return the log likelihood ratio, nats, of odds `ODDS` times the usual; 0 where not up.

    Args:
        unconfirmed: Claims that nobody confirmed.
        claimed: All claims.
        past: Those of before, discounted.

    >>> excess(9, 10, Tally(100, 20, 90)) > 3 > 0 == excess(2, 10, Tally(100, 20, 90))
    True
    """
    mean = usual_share(past)
    if claimed < FEWEST_CLAIMS or unconfirmed <= claimed * mean:
        return 0.0
    worth = min(past.claimed + 2 * _PRIOR, _MOST)
    odds = ODDS * mean / (1.0 - mean)
    higher = odds / (1.0 + odds)
    found = _likelihood(unconfirmed, claimed, higher * worth, (1.0 - higher) * worth)
    return max(0.0, found - _likelihood(unconfirmed, claimed, mean * worth, (1.0 - mean) * worth))


def _likelihood(hits: int, trials: int, a: float, b: float) -> float:
    """Return the log of the Beta-Binomial probability, but for the binomial coefficient."""
    return _log_beta(hits + a, trials - hits + b) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _tally(state: GapState, seen: Observation) -> None:
    """Count the days anew on which later reports may still say who tells of an incident."""
    first = seen.today - OPEN_DAYS
    fresh = {day: Tally() for day in range(first, seen.today + 1)}
    for incident in seen.between(first, seen.today, ClaimsGap.events):
        day, group = fresh.get(incident.day), unit_of(incident)
        if day is None:
            continue
        known = is_confirmed(incident, group)
        day.confirmed += known
        if is_claimed(incident, group):
            day.claimed += 1
            day.unconfirmed += not known
    for number, day in fresh.items():
        if day.claimed or day.confirmed:
            state.days[number] = day
        else:
            state.days.pop(number, None)


def _fold(state: GapState, today: int) -> None:
    """Let days that have left the window become the past; what was not seen wholly does not."""
    if state.folded < 0:
        state.folded = today
    while state.folded <= today - RIPE_DAYS - WINDOW_DAYS:
        day = state.days.pop(state.folded, Tally())
        if state.folded not in state.series.shares:
            state.past.add(day, _DISCOUNT)
            state.learned += 1
        state.folded += 1
    for number in [number for number in state.days if number < state.folded]:
        del state.days[number]


def _window(state: GapState, today: int) -> Tally:
    """Return what the window comes to."""
    found = Tally()
    for number, day in state.days.items():
        if number <= today - RIPE_DAYS and number not in state.series.shares:
            found.add(day)
    return found
