"""The alert budget: how many false alarms a unit may cost in a year, at each severity.

The user sets the budget; the strength of evidence from which an alert opens follows. Evidence comes
in episodes: it rises, peaks, and dies down. What matters is how often, in a unit-year, an episode
peaks at so much or more: that is the number of alarms that a threshold would give, however often
one looks. Units are compared within strata (their kind, and how many incidents they usually have),
because the evidence on a quiet unit is distributed otherwise than that on a busy one. A prior from
simulated worlds in which nothing changes (`episodes.csv`) speaks until there is a past, as in
empirical Bayes.

Every alert counts, whether its claim proves true or not: a budget that was spent on false alarms
only would have to tell which those are, and where nothing but chance is at work half of the claims
on a busy unit come true all the same. So what is promised holds in any world, and false alarms are
fewer than that. On top of the strata a slow governor compares what was spent altogether with what
was allowed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from math import exp, expm1, log, log1p
from typing import Final

from msgspec import Struct, field

from detectors.distributions import log_odds, logistic
from detectors.records import Alert, Severity
from detectors.tables import rows
from detectors.timegrid import DAY, seconds

SEVERITIES: Final[tuple[Severity, ...]] = ("watch", "warning", "critical")
YEAR: Final = 365.25 * DAY
#: Nats: an episode is over when its evidence has been below this for the quiet days of the policy.
QUIET: Final = 0.2
_PER_FOLD: Final = 100.0  # bins of peaks in a factor e
_HALF_LIFE: Final = 3 * YEAR  # of what is remembered of episodes and expenses
_PRIOR_YEARS: Final = 4.0  # unit-years that the prior is worth in a stratum
_PRIOR_ALARMS: Final = 6.0  # alarms that it takes to move the governor much
_GOVERNED: Final = (0.4, 2.5)
_FORGOTTEN: Final = 5 * _HALF_LIFE
_LEARNING_RATE: Final = 0.1
_LARGEST: Final = 2_000.0  # nats


class Budget(Struct, frozen=True):
    """False alarms per unit and year, for alerts of at least each severity."""

    watch: float = 1.0
    warning: float = 0.3
    critical: float = 0.1

    def __post_init__(self) -> None:
        """Refuse budgets that are not positive or not falling with severity.

        Raises:
            ValueError: when they are not.
        """
        if not self.watch >= self.warning >= self.critical > 0:
            raise ValueError(
                f"budgets must be positive and fall with severity, not {self.watch}, "
                f"{self.warning}, {self.critical}"
            )

    def of(self, severity: Severity) -> float:
        """Return the budget of a severity, false alarms per unit and year."""
        return {"watch": self.watch, "warning": self.warning, "critical": self.critical}[severity]


@cache
def _name(stratum: str, direction: str, known: tuple[str, ...]) -> str:
    """Return under which of its names a table has a stratum ("admin1/2+"), or the nearest class."""
    level = stratum.rpartition("/")[2] or "0"

    def far(name: str) -> tuple[int, bool]:
        other = name.partition("/")[2]
        return abs(int(other.rstrip("+")) - int(level.rstrip("+"))), other != level

    return min((name for name in known if name.startswith(f"{direction}/")), key=far)


class Prior(Struct, frozen=True):
    """Episodes per unit-year in simulated worlds in which nothing changes, by their peaks.

    Between the strengths of the table, and beyond them, the logarithm of the rate is linear in the
    logarithm of the strength: `places` are log(1 + strength), `rates` logarithms.
    """

    places: tuple[float, ...]
    rates: tuple[float, ...]

    def above(self, strength: float) -> float:
        """Return how many episodes a year peak at so much or more."""
        place = log1p(max(strength, QUIET))
        right = min(max(bisect_right(self.places, place), 1), len(self.places) - 1)
        left = right - 1
        share = (place - self.places[left]) / (self.places[right] - self.places[left])
        return exp(self.rates[left] + share * (self.rates[right] - self.rates[left]))


@cache
def _priors() -> Mapping[str, Prior]:
    points: dict[str, list[tuple[float, float]]] = {}
    for r in rows("detectors", "episodes.csv"):
        point = (log1p(float(r["strength"])), log(float(r["per_year"])))
        points.setdefault(f"{r['direction']}/{r['class']}", []).append(point)
    return {  # a class of one row has no slope: the nearest class speaks for it
        name: Prior(tuple(p for p, _ in sorted(known)), tuple(r for _, r in sorted(known)))
        for name, known in points.items()
        if len(known) > 1
    }


def prior_of(stratum: str, direction: str) -> Prior:
    """Return what simulated worlds say of a stratum."""
    known = _priors()
    return known[_name(stratum, direction, tuple(known))]


class Stratum(Struct):
    """How the evidence on comparable units has peaked; discounted, constant in memory."""

    years: float = 0.0  # unit-years watched
    peaks: dict[int, float] = {}  # bin -> episodes

    def add(self, peak: float) -> None:
        """Enter an episode that is over."""
        if peak >= QUIET:
            mine = int(_PER_FOLD * log1p(peak))
            self.peaks[mine] = self.peaks.get(mine, 0.0) + 1.0

    def forget(self, kept: float) -> None:
        """Let the past weigh so much of what it did."""
        self.years *= kept
        self.peaks = {each: n * kept for each, n in self.peaks.items() if n * kept > 1e-4}

    def above(self, strength: float) -> float:
        """Return how many episodes peaked at so much or more."""
        place = _PER_FOLD * log1p(max(strength, 0.0))
        mine = int(place)
        return sum(
            n if each > mine else n * (1.0 - place + mine) if each == mine else 0.0
            for each, n in self.peaks.items()
        )

    def per_year(self, strength: float, prior: Prior) -> float:
        """Return how many episodes a unit-year brings that peak at so much or more."""
        return (self.above(strength) + _PRIOR_YEARS * prior.above(strength)) / (
            self.years + _PRIOR_YEARS
        )

    def threshold(self, per_year: float, prior: Prior) -> float:
        """Return the strength that so many episodes in a unit-year reach."""
        low, high = QUIET, _LARGEST
        if self.per_year(low, prior) <= per_year:
            return low
        for _ in range(40):
            middle = expm1((log1p(low) + log1p(high)) / 2)
            low, high = (middle, high) if self.per_year(middle, prior) > per_year else (low, middle)
        return high


class Expense(Struct):
    """An alert, and the highest severity that it reached."""

    alert: str
    at: int  # opened, seconds
    severity: Severity


class Governor(Struct):
    """The thresholds of one direction over all units."""

    at: int = 0  # up to when time has been counted, seconds
    years: float = 0.0  # discounted unit-years watched
    strata: dict[str, Stratum] = {}
    expenses: list[Expense] = []
    bias: float = 0.0  # what the outcomes so far say to add to a claim's log odds
    thresholds: dict[str, dict[Severity, float]] = field(default_factory=dict)  # for the day

    def calibrated(self, probability: float) -> float:
        """Return a claim's probability in the light of how earlier claims turned out."""
        return round(logistic(log_odds(probability) + self.bias), 4)

    def learn(self, alert: Alert, *, hit: bool) -> None:
        """Learn from a settled claim: one step of logistic regression on its log odds."""
        self.bias += _LEARNING_RATE * (float(hit) - alert.claim.probability)

    def watch(self, units: Mapping[str, int], at: int) -> None:
        """Let time pass up to `at` with so many units scored in each stratum."""
        passed = max(0, at - self.at) if self.at else 0
        self.at = at
        if not passed:
            return
        kept = 0.5 ** (passed / _HALF_LIFE)
        self.years *= kept
        for stratum in self.strata.values():
            stratum.forget(kept)
        for name, number in units.items():
            years = number * passed / YEAR
            self.years += years
            self.strata.setdefault(name, Stratum()).years += years
        self.thresholds = {}
        self.expenses = [e for e in self.expenses if e.at > at - _FORGOTTEN]

    def spend(self, alert: Alert) -> None:
        """Enter an alert; it counts at the highest severity that it reached."""
        for expense in self.expenses:
            if expense.alert == alert.id:
                expense.severity = max(expense.severity, alert.severity, key=SEVERITIES.index)
                return
        self.expenses.append(Expense(alert.id, seconds(alert.opened_at), alert.severity))

    def end(self, stratum: str, peak: float) -> None:
        """Enter an episode that is over."""
        self.strata.setdefault(stratum, Stratum()).add(peak)

    def spent(self, severity: Severity) -> float:
        """Return the alerts of at least `severity`, those of long ago discounted."""
        least = SEVERITIES.index(severity)
        return sum(
            (
                float(0.5 ** ((self.at - e.at) / _HALF_LIFE))
                for e in self.expenses
                if SEVERITIES.index(e.severity) >= least
            ),
            0.0,
        )

    def allowed(self, severity: Severity, budget: Budget) -> float:
        """Return the alerts that the budget allows for what was watched."""
        return budget.of(severity) * self.years

    def threshold(self, stratum: str, direction: str, severity: Severity, budget: Budget) -> float:
        """Return the strength from which an alert of this severity opens, nats."""
        known = self.thresholds.setdefault(stratum, {})
        if severity not in known:
            spent = (self.spent(severity) + _PRIOR_ALARMS) / (
                self.allowed(severity, budget) + _PRIOR_ALARMS
            )
            low, high = _GOVERNED
            asked = budget.of(severity) * min(max(1.0 / (spent * spent), low), high)
            here = self.strata.setdefault(stratum, Stratum())
            known[severity] = here.threshold(asked, prior_of(stratum, direction))
        return known[severity]

    def per_year(self, stratum: str, direction: str, strength: float) -> float:
        """Return how often, in a unit-year, evidence of a stratum is so strong or stronger."""
        here = self.strata.get(stratum) or Stratum()
        return round(here.per_year(strength, prior_of(stratum, direction)), 4)
