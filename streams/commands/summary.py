"""The end of a demonstration on one screen: what was called, when, and what happened next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from detectors.baseline import GUARD_DAYS, LEARNING_DAYS
from detectors.budget import SEVERITIES, YEAR, Budget
from detectors.ledger import Skill, skill
from detectors.onsets import Onset, onsets
from detectors.records import Alert, Severity
from detectors.timegrid import DAY
from detectors.warned import Leads, leads, match
from detectors.world.units import AREAS, name_of
from streams.commands.base import heading, print_table, say
from streams.scenarios.facts import Fact
from streams.wording import DISCLAIMER, percent

#: The days of the scenario that history tells apart (UCDP GED 23.1 gives their counts).
LULL = (date(2020, 2, 22), date(2020, 2, 28))  # the agreed reduction in violence
SURGE = (date(2020, 3, 1), date(2020, 3, 7))  # the week after the agreement of 29 February
EID = (date(2020, 5, 24), date(2020, 5, 26))  # the ceasefire
_SEARCH_DAYS = 7  # an episode counts as called up to so many days after its end


class Called(Struct, frozen=True):
    """One episode of the truth, and the alert that called it, if one did."""

    episode: str
    unit: str
    direction: str
    began: date
    incidents: int  # in the episode, in truth
    before: int  # in as many days before it
    alert: str | None
    at: datetime | None
    days_after: float | None  # from the episode's first day (00:00 UTC) to the alert
    evidence: int = 0  # incidents that the alert opened on
    witnesses: int = 0  # independent publishers among them
    claim: str = ""
    probability: float | None = None
    verdict: str = ""  # what became of the claim
    outcome: str = ""


class Spent(Struct, frozen=True):
    """False alarms at a severity, beside what the budget allowed."""

    severity: Severity
    false: int
    allowed: float
    unit_years: float


class Summary(Struct, frozen=True):
    """What a replay of a scenario came to."""

    reports: int
    incidents: int
    alerts: int
    revisions: int
    by_state: dict[str, int]
    called: tuple[Called, ...]
    budget: tuple[Spent, ...]
    rises: Skill
    falls: Skill
    onsets: Leads  # of violence, in truth, and whether they were warned of
    seconds: float
    reports_per_second: float


def summarise(
    revisions: Sequence[Alert],
    facts: Sequence[Fact],
    budget: Budget,
    *,
    reports: int,
    seconds: float,
    span: tuple[datetime, datetime],
) -> Summary:
    """Return the summary of a replay.

    Args:
        revisions: Every revision of every alert.
        facts: What truly happened; the stages never saw it.
        budget: The false alarms allowed.
        reports: How many reports were replayed.
        seconds: How long that took, wall clock.
        span: The first and last moment of stream time.
    """
    last = {alert.id: alert for alert in sorted(revisions, key=lambda a: a.revision)}
    highest = _highest(revisions)
    first = [alert for alert in revisions if alert.revision == 0]
    # Before it had learned what is normal, it could not raise an alarm.
    years = ((span[1] - span[0]).total_seconds() / DAY - GUARD_DAYS - LEARNING_DAYS) * DAY / YEAR
    # Areas alone: the budget allows so many false alarms for each, whatever else is watched.
    unit_years = years * len(AREAS)
    return Summary(
        reports=reports,
        incidents=len(facts),
        alerts=len(last),
        revisions=len(revisions),
        by_state=dict(sorted(Counter(a.state for a in last.values()).items())),
        called=tuple(_called(first, last, facts)),
        budget=tuple(
            Spent(
                severity=severity,
                false=sum(
                    a.outcome is not None
                    and a.outcome.verdict == "FALSE"
                    and a.unit in AREAS
                    and SEVERITIES.index(highest[a.id]) >= SEVERITIES.index(severity)
                    for a in last.values()
                ),
                allowed=round(budget.of(severity) * unit_years, 1),
                unit_years=round(unit_years, 1),
            )
            for severity in SEVERITIES
        ),
        rises=skill(a for a in last.values() if a.direction == "rise"),
        falls=skill(a for a in last.values() if a.direction == "fall"),
        onsets=leads(match(_onsets(facts), last.values())),
        seconds=round(seconds, 1),
        reports_per_second=round(reports / seconds, 1),
    )


def _onsets(facts: Sequence[Fact]) -> Iterator[Onset]:
    """Yield the onsets of violence in truth, area by area."""
    if not facts:
        return
    first, last = (pick(fact.day_start for fact in facts) for pick in (min, max))
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    for unit in AREAS:
        counts = Counter(f.day_start for f in facts if unit in (f.admin1, f.country))
        yield from onsets(unit, {day: counts[day] for day in days})[0]


def _highest(revisions: Iterable[Alert]) -> dict[str, Severity]:
    highest: dict[str, Severity] = {}
    for alert in revisions:
        known = highest.get(alert.id, alert.severity)
        highest[alert.id] = max(known, alert.severity, key=SEVERITIES.index)
    return highest


def _called(
    first: Sequence[Alert], last: Mapping[str, Alert], facts: Sequence[Fact]
) -> Iterable[Called]:
    episodes = [
        ("Reduction in violence", "AFG", "fall", LULL),
        *(("Surge after the agreement", unit, "rise", SURGE) for unit in ("AFG", *_surged(facts))),
        ("Eid ceasefire", "AFG", "fall", EID),
    ]
    for name, unit, direction, days in episodes:
        called = _episode(name, unit, direction, days, facts)
        alert = _first_of(first, unit, direction, days)
        yield called if alert is None else _with_alert(called, alert, last[alert.id])


def _first_of(
    first: Sequence[Alert], unit: str, direction: str, days: tuple[date, date]
) -> Alert | None:
    """Return the first alert of a unit and direction in an episode, or soon after it."""
    latest = days[1] + timedelta(days=_SEARCH_DAYS)
    found = (
        alert
        for alert in first
        if (alert.unit, alert.direction) == (unit, direction)
        and days[0] <= alert.opened_at.date() <= latest
    )
    return min(found, key=lambda a: a.opened_at, default=None)


def _with_alert(called: Called, alert: Alert, last: Alert) -> Called:
    outcome = last.outcome
    return replace(
        called,
        alert=alert.id,
        at=alert.opened_at,
        days_after=round(_days_between(called.began, alert.opened_at), 1),
        evidence=len(alert.evidence),
        witnesses=len({p for incident in alert.evidence for p in incident.publishers}),
        claim=alert.claim.statement,
        probability=alert.claim.probability,
        verdict=outcome.verdict if outcome else "open",
        outcome=outcome.reason if outcome else "not yet settled",
    )


def _surged(facts: Sequence[Fact]) -> list[str]:
    """Return the provinces where the week after had four incidents or more, thrice the lull's."""
    return [
        unit
        for unit, known in AREAS.items()
        if (known.kind, known.country) == ("admin1", "AFG")
        and (after := _count(facts, unit, SURGE)) >= 4
        and after >= 3 * _count(facts, unit, LULL)
    ]


def _episode(
    episode: str, unit: str, direction: str, days: tuple[date, date], facts: Sequence[Fact]
) -> Called:
    length = days[1] - days[0] + timedelta(days=1)
    return Called(
        episode=episode,
        unit=unit,
        direction=direction,
        began=days[0],
        incidents=_count(facts, unit, days),
        before=_count(facts, unit, (days[0] - length, days[0] - timedelta(days=1))),
        alert=None,
        at=None,
        days_after=None,
    )


def _days_between(day: date, at: datetime) -> float:
    midnight = datetime(day.year, day.month, day.day, tzinfo=at.tzinfo)
    return (at - midnight).total_seconds() / 86_400


def _count(facts: Sequence[Fact], unit: str, days: tuple[date, date]) -> int:
    return sum(
        days[0] <= fact.day_start <= days[1] and unit in (fact.admin1, fact.country)
        for fact in facts
    )


def show(summary: Summary) -> None:
    """Print the summary on one screen."""
    heading(
        f"{summary.reports:,} reports of {summary.incidents:,} incidents in "
        f"{summary.seconds:.0f} s ({summary.reports_per_second:,.0f} reports/s): "
        f"{summary.alerts} alerts, {summary.revisions} revisions"
    )
    print_table(
        ("episode", "where", "truth", "called", "after", "on the evidence of", "what came of it"),
        [cells(row) for row in summary.called],
    )
    say(f"Rises: {_skill_line(summary.rises)}")
    say(f"Falls: {_skill_line(summary.falls)}")
    found = summary.onsets
    say(
        f"Onsets of violence in truth: {found.onsets}, of which {found.ahead} warned of before, "
        f"{found.late} called in the fortnight from then on, {found.missed} missed"
    )
    spent = "; ".join(f"{s.severity} {s.false} of {s.allowed:g}" for s in summary.budget)
    say(f"False alarms over {summary.budget[0].unit_years:g} unit-years, of the budget: {spent}")
    say(DISCLAIMER, style="dim")


def cells(row: Called) -> tuple[str, ...]:
    """Return an episode as it stands in the table."""
    return (
        row.episode,
        name_of(row.unit),
        f"{row.before} → {row.incidents} incidents",
        f"{row.at:%d %b %H:%M}" if row.at else "not called",
        f"{row.days_after:.1f} days" if row.days_after is not None else "",
        f"{row.evidence} incidents, {row.witnesses} outlets" if row.at else "",
        f"{row.verdict}: {row.outcome}" if row.at else "",
    )


def _skill_line(found: Skill) -> str:
    if found.precision is None or found.precision_interval is None or found.brier is None:
        return f"{found.claims} claims, none settled yet"
    low, high = found.precision_interval
    return (
        f"{found.claims} claims: {found.hits} came true, {found.false} did not, {found.void} void, "
        f"{found.open} open; precision {percent(found.precision)} "
        f"(95 % {percent(low)} to {percent(high)}); Brier {found.brier:.3f}, "
        f"{found.brier_base:.3f} by base rates"
    )
