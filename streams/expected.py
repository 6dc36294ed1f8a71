"""How many alerts a subscription is to expect, from those that it would have been told of before.

The number is Gamma-Poisson: the prior is the alert budget of the units asked for, worth four weeks,
and the weeks that are known move it. Alerts come in clusters (one surge, several provinces), so a
week counts for less by as much as weeks vary more than chance would have it (quasi-likelihood:
Wedderburn 1974, Biometrika 61). Which share is false comes from settled claims (Wilson 1927; in the
product with the rate its Jeffreys posterior, Brown, Cai & DasGupta 2001, Statistical Science 16).
Where fewer than `LEAST_CLAIMS` are settled the budget speaks, and the result says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from msgspec import Struct
from scipy.stats import gamma, nbinom, poisson

from detectors.budget import Budget
from detectors.calibration import LEAST_CLAIMS
from detectors.delivery_records import Subscription
from detectors.ledger import wilson
from detectors.records import Direction
from detectors.world.units import UNITS, inside_any
from streams.sinks.base import wants

if TYPE_CHECKING:
    from streams.backtest.report import Backtest
    from streams.store import Store

_PRIOR_WEEKS: Final = 4.0  # what the budget is worth
_YEAR_WEEKS: Final = 365.25 / 7
_LEVEL: Final = 0.9  # of every interval but Wilson's, which is of 95 %
_DRAWS: Final = 20_000
_SEED: Final = 19_270_201  # the same past gives the same figures
_WEEK: Final = timedelta(days=7)
_LEAST_WEEKS: Final = 4  # fewer tell nothing of how much weeks vary


class Told(Struct, frozen=True):
    """An alert that the subscription would have been told of."""

    at: datetime  # of the first revision that it asks for
    held: bool | None  # whether its claim came true; None: not settled, or could not be


class Past(Struct, frozen=True):
    """What is known of one stretch of time."""

    source: Literal["store", "backtest"]
    first: date
    last: date
    told: tuple[Told, ...]
    tells_how_many: bool = True  # False: it has not all kinds of alerts that are asked for

    @property
    def weeks(self) -> float:
        """How long it is."""
        return ((self.last - self.first).days + 1) / 7


class Estimate(Struct, frozen=True):
    """A figure, and a 90 % interval."""

    mean: float
    low: float
    high: float


class Cut(Struct, frozen=True):
    """What a weekly budget withholds."""

    most_per_week: int
    known: int  # alerts of the past
    withheld: int  # of them
    per_week: float  # expected


class Expectation(Struct, frozen=True):
    """What a subscriber is to expect."""

    weeks: float  # that are known
    alerts: int  # in them
    per_week: Estimate
    in_one_week: tuple[int, int]  # 9 weeks of 10 have so many
    false_per_week: Estimate
    base: Literal["settled claims", "budget"]  # of how many are false
    settled: int
    false: int  # of the settled
    false_share: tuple[float, float] | None  # 95 %; None where the budget speaks
    budget_per_week: float  # alerts that the budget allows in all units asked for
    cut: Cut | None
    clusters: float  # by how much weeks vary more than chance would have it; 1: not at all
    remarks: tuple[str, ...]


# What is known


def past_of_store(store: Store, subscription: Subscription) -> Past | None:
    """Return what the store's ledger of alerts would have meant for a subscription.

    None where no unit was ever judged: then it is not known how long there was nothing.
    """
    span = store.judged()
    if span is None:
        return None
    told = []
    for alert in store.alerts_for(subscription):
        first = min(r.at for r in store.revisions(alert.id) if wants(subscription, r))
        verdict = None if alert.outcome is None else alert.outcome.verdict
        told.append(Told(first, {"HIT": True, "FALSE": False}.get(verdict or "")))
    return Past("store", *span, tuple(sorted(told, key=lambda each: each.at)))


def past_of_backtest(
    found: Backtest, subscription: Subscription, beside: Past | None = None
) -> Past:
    """Return what a backtest's figures would have meant for a subscription.

    They tell of rises of violence in areas, without severity, by the signal that each is called
    after. So they tell how many there are only where just that is asked for; whether claims came
    true they tell in any case.

    Args:
        found: The figures.
        subscription: Who asks.
        beside: What else is known: days in both count once, there.
    """
    units = inside_any(subscription.units) if subscription.units else frozenset(UNITS)
    told: list[Told] = []
    for level in found.levels:
        for each in level.opened:
            signal = each.alert.partition("-")[0]
            if (
                each.unit in units
                and each.probability >= subscription.minimum_probability
                and (not subscription.directions or "rise" in subscription.directions)
                and (not subscription.signals or signal in subscription.signals)
                and not (beside and beside.first <= each.day <= beside.last)
            ):
                at = datetime(each.day.year, each.day.month, each.day.day, tzinfo=UTC)
                told.append(Told(at, each.held))
    first = min(level.period.start for level in found.levels)
    last = max(level.period.end for level in found.levels)
    if beside is not None and beside.first <= last and first <= beside.last:
        first, last = _rest(first, last, beside)
    areas_only = bool(subscription.units) and all(UNITS[unit].is_area for unit in units)
    whole = (
        subscription.directions == ("rise",)
        and subscription.minimum_severity == "watch"
        and not subscription.signals
        and areas_only
        and first <= last
    )
    if whole:
        told = [each for each in told if first <= each.at.date() <= last]
    return Past("backtest", first, last, tuple(sorted(told, key=lambda t: t.at)), whole)


def _rest(first: date, last: date, beside: Past) -> tuple[date, date]:
    """Return the longer rest of a stretch on one side of another; an empty one ends at once."""
    before = (first, beside.first - timedelta(days=1))
    after = (beside.last + timedelta(days=1), last)
    return max(before, after, key=lambda part: part[1] - part[0])


# What follows from it


def expect(subscription: Subscription, pasts: Iterable[Past], budget: Budget) -> Expectation:
    """Return what a subscriber is to expect.

    Args:
        subscription: As it is to be.
        pasts: What is known, each day once.
        budget: Of the installation.
    """
    every = list(pasts)
    counted = [past for past in every if past.tells_how_many]
    known = [told for past in counted for told in past.told]
    weeks = sum(past.weeks for past in counted)
    allowed = budget_per_week(subscription, budget)
    clusters = _clusters(counted)
    shape = allowed * _PRIOR_WEEKS + len(known) / clusters
    rate = _PRIOR_WEEKS + weeks / clusters
    held = [told.held for past in every for told in past.told if told.held is not None]
    settled, false = len(held), held.count(False)
    per_week = _gamma(shape, rate)
    is_known = settled >= LEAST_CLAIMS
    wrong = (
        _product(shape, rate, false, settled)
        if is_known
        else Estimate(min(per_week.mean, allowed), 0.0, min(per_week.high, max(allowed, 0.0)))
    )
    size = _size(per_week.mean, shape / rate**2, clusters)
    return Expectation(
        weeks=weeks,
        alerts=len(known),
        per_week=per_week,
        in_one_week=_in_one_week(per_week.mean, size),
        false_per_week=wrong,
        base="settled claims" if is_known else "budget",
        settled=settled,
        false=false,
        false_share=wilson(false, settled) if is_known else None,
        budget_per_week=allowed,
        cut=_cut(subscription, known, per_week.mean, size),
        clusters=clusters,
        remarks=tuple(_remarks(subscription, every)),
    )


def budget_per_week(subscription: Subscription, budget: Budget) -> float:
    """Return the alerts a week that the budget allows in all units and directions asked for.

    Filters by signal and probability can only make it fewer. What cannot be placed is no unit.
    """
    units = inside_any(subscription.units) if subscription.units else frozenset(UNITS)
    directions: tuple[Direction, ...] = subscription.directions or ("rise", "fall")
    watched = sum(unit in UNITS for unit in units)
    return watched * len(directions) * budget.of(subscription.minimum_severity) / _YEAR_WEEKS


def _clusters(pasts: Sequence[Past]) -> float:
    """Return by how much the numbers of alerts in weeks vary more than a Poisson's; at least 1."""
    numbers: list[int] = []
    for past in pasts:
        whole = int(past.weeks)
        start = datetime(past.last.year, past.last.month, past.last.day, tzinfo=UTC)
        start += timedelta(days=1) - whole * _WEEK
        by_week = Counter((told.at - start) // _WEEK for told in past.told)
        numbers += [by_week[week] for week in range(whole)]
    if len(numbers) < _LEAST_WEEKS or not any(numbers):
        return 1.0
    return max(1.0, float(np.var(numbers, ddof=1) / np.mean(numbers)))


def _gamma(shape: float, rate: float) -> Estimate:
    tail = (1 - _LEVEL) / 2
    low, high = gamma.ppf((tail, 1 - tail), shape, scale=1 / rate)
    return Estimate(shape / rate, float(low), float(high))


def _product(shape: float, rate: float, false: int, settled: int) -> Estimate:
    """Return false alerts a week: the rate times the share that is false, both uncertain."""
    random = np.random.default_rng(_SEED)
    share = random.beta(false + 0.5, settled - false + 0.5, _DRAWS)
    drawn = random.gamma(shape, 1 / rate, _DRAWS) * share
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    mean = shape / rate * (false + 0.5) / (settled + 1)
    return Estimate(mean, float(low), float(high))


def _size(mean: float, variance_of_rate: float, clusters: float) -> float | None:
    """Return the size of the negative binomial of one week; None: it is a Poisson's."""
    more = (clusters - 1) * mean + variance_of_rate
    return mean * mean / more if more > 0 else None


def _in_one_week(mean: float, size: float | None) -> tuple[int, int]:
    tails = ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2)
    if size is None:
        low, high = poisson.ppf(tails, mean)
    else:
        low, high = nbinom.ppf(tails, size, size / (size + mean))
    return int(low), ceil(high)


def _cut(
    subscription: Subscription, known: Sequence[Told], mean: float, size: float | None
) -> Cut | None:
    most = subscription.most_per_week
    if most is None:
        return None
    given: list[datetime] = []
    withheld = 0
    for told in sorted(known, key=lambda each: each.at):
        if sum(told.at - at < _WEEK for at in given) < most:
            given.append(told.at)
        else:
            withheld += 1
    # E[(N - k)+] is the sum of P(N > n) over n from k on, and E[N] that from 0 on.
    below = np.arange(most)
    beyond = (
        poisson.sf(below, mean) if size is None else nbinom.sf(below, size, size / (size + mean))
    )
    return Cut(most, len(known), withheld, max(0.0, mean - float(np.sum(beyond))))


def _remarks(subscription: Subscription, pasts: Sequence[Past]) -> Iterable[str]:
    if not any(past.tells_how_many for past in pasts):
        yield "how many alerts there were is not known: the figure is what the budget allows"
    if any(past.source == "backtest" and not past.tells_how_many for past in pasts):
        yield (
            "the backtest tells only of rises of violence in areas, of any severity: of it, only "
            "how many claims came true is used, not how many alerts there are"
        )
    if subscription.unplaced:
        yield "alerts without a place are no unit's: the budget does not bound them"
    if any(told.held is None for past in pasts for told in past.told):
        count = sum(told.held is None for past in pasts for told in past.told)
        yield f"claims not settled yet, or that could not be: {count}"
