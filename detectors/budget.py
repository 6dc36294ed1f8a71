"""The alert budget: how many false alarms a unit may cost in a year, at each severity.

The user sets the budget; the p-value from which an alert opens follows. It starts from the number
of looks in a year that are worth telling apart, and is governed by what the alerts have cost: a
claim that failed costs 1, one that held costs nothing, and one that is still open costs what its
own probability leaves. After overspending the threshold falls, after saving it rises, with the
square of the ratio and within bounds, so that neither a bad week nor a quiet year decides.
"""

from __future__ import annotations

from math import exp, log
from typing import Final

from msgspec import Struct

from detectors.records import Alert, Severity
from detectors.timegrid import DAY, seconds

SEVERITIES: Final[tuple[Severity, ...]] = ("watch", "warning", "critical")
YEAR: Final = 365.25 * DAY
#: Windows of 1 to 7 days overlap: about as many independent looks as there are three-day windows.
LOOKS_PER_YEAR: Final = 120.0
_BOUNDS: Final = (1 / 16, 2.0)
_MEMORY: Final = YEAR  # what was spent longer ago no longer counts


_LEARNING_RATE: Final = 0.25


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 0.01), 0.99)
    return log(kept / (1 - kept))


def _logistic(log_odds: float) -> float:
    return 1 / (1 + exp(-log_odds))


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


class Expense(Struct):
    """What one alert costs, at most at the severity it reached."""

    alert: str
    at: int  # opened, seconds
    severity: Severity
    cost: float


def _cost(alert: Alert) -> float:
    """Return the false alarms that an alert stands for, in expectation until it is settled."""
    if alert.outcome is None:
        return 1.0 - alert.claim.probability
    return 1.0 if alert.outcome.verdict == "FALSE" else 0.0


class Governor(Struct):
    """The thresholds of one signal and direction over all its units."""

    since: int = 0  # when scoring began, seconds
    expenses: list[Expense] = []
    bias: float = 0.0  # what the outcomes so far say to add to a claim's log odds

    def calibrated(self, probability: float) -> float:
        """Return a claim's probability in the light of how earlier claims turned out."""
        return round(_logistic(_log_odds(probability) + self.bias), 4)

    def learn(self, alert: Alert, *, hit: bool) -> None:
        """Learn from a settled claim: one step of logistic regression on its log odds."""
        self.bias += _LEARNING_RATE * (float(hit) - alert.claim.probability)

    def spend(self, alert: Alert) -> None:
        """Enter what an alert costs now; it counts at the highest severity that it reached."""
        cost = _cost(alert)
        for expense in self.expenses:
            if expense.alert == alert.id:
                expense.severity = max(expense.severity, alert.severity, key=SEVERITIES.index)
                expense.cost = cost
                return
        at = seconds(alert.opened_at)
        self.expenses.append(Expense(alert.id, at, alert.severity, cost))

    def forget(self, at: int) -> None:
        """Drop what is older than the memory."""
        self.expenses = [e for e in self.expenses if e.at > at - _MEMORY]

    def spent(self, severity: Severity) -> float:
        """Return the false alarms spent, in expectation, by alerts of at least `severity`."""
        least = SEVERITIES.index(severity)
        return sum(e.cost for e in self.expenses if SEVERITIES.index(e.severity) >= least)

    def allowed(self, severity: Severity, budget: Budget, units: int, at: int) -> float:
        """Return the false alarms that the budget allows up to `at` for so many units."""
        elapsed = min(max(at - self.since, 0), _MEMORY) / YEAR
        return budget.of(severity) * units * elapsed

    def loosest(self, budget: Budget) -> float:
        """Return a p-value above which no alert opens, however much was saved."""
        return budget.watch / LOOKS_PER_YEAR * _BOUNDS[1]

    def threshold(self, severity: Severity, budget: Budget, units: int, at: int) -> float:
        """Return the p-value from which an alert of this severity opens."""
        ratio = (self.allowed(severity, budget, units, at) + 1) / (self.spent(severity) + 1)
        low, high = _BOUNDS
        return budget.of(severity) / LOOKS_PER_YEAR * min(max(ratio * ratio, low), high)
