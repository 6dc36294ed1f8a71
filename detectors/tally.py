"""The record of warnings as a table: skill by signal, unit, horizon or month, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct

from detectors.acts import RETRACTED
from detectors.answers import Answers, Stood, answers
from detectors.calibration import Calibration, Forecast, calibration, rate_interval
from detectors.ledger import Skill, skill
from detectors.onsets import Onset
from detectors.records import Alert, AlertState, Remark
from detectors.warned import Call, Leads, leads, match

By: TypeAlias = Literal["signal", "unit", "horizon", "month"]
WAYS: Final[tuple[By, ...]] = get_args(By)
#: The row of all claims.
ALL: Final = "all"
_YEAR_DAYS: Final = 365.25


class Exposure(Struct, frozen=True):
    """Days on which a signal judged a unit with full coverage: when it could raise an alarm."""

    signal: str
    unit: str
    month: str  # YYYY-MM
    days: int


class Row(Struct, frozen=True):
    """The record of one group of claims."""

    key: str
    skill: Skill
    calibration: Calibration | None  # None: too few settled claims to tell
    unit_years: float | None  # None: not known
    false_per_year: float | None  # claims that failed, per unit-year
    false_interval: tuple[float, float] | None  # 95 %, exact Poisson
    leads: Leads | None  # None: it is not known which onsets there were
    answers: Answers | None = None  # None: it is not known how alerts were answered


class Facts(Struct, frozen=True):
    """What claims are held against, besides their outcomes."""

    onsets: tuple[Onset, ...] | None = None  # None: not looked for
    exposures: tuple[Exposure, ...] = ()
    dark: Mapping[str, Collection[date]] = {}  # by unit, days on which coverage was not ok
    stood: Mapping[str, Stood] | None = None  # by alert, those that were warnings


def key_of(alert: Alert, by: By) -> str:
    """Return the group that an alert belongs to; the two directions of a signal are two."""
    return {
        "signal": f"{alert.signal} {alert.direction}",
        "unit": alert.unit,
        "horizon": f"{alert.claim.horizon_days} d",
        "month": f"{alert.opened_at:%Y-%m}",
    }[by]


def table(alerts: Iterable[Alert], facts: Facts, by: By | None = None) -> list[Row]:
    """Return the record of all claims, then that of each group in the order of their keys.

    An onset is no signal's and no horizon's: there, each group is held against all of them. A
    group of a unit or month is held against its own, warned of by whatever claim.

    Args:
        alerts: The last revision of each.
        facts: What they are held against.
        by: How to group; None gives the first row only.
    """
    every = list(alerts)
    calls = None if facts.onsets is None else match(facts.onsets, every, facts.dark)
    rows = [_row(ALL, every, facts.exposures, calls, facts.stood)]
    if by is None:
        return rows
    groups: dict[str, list[Alert]] = {}
    for alert in every:
        groups.setdefault(key_of(alert, by), []).append(alert)
    owned = by in ("unit", "month")
    if owned and calls is not None:
        for call in calls:
            groups.setdefault(_key_of_onset(call.onset, by), [])
    for key in sorted(groups, key=_order(by)):
        seen = calls
        if calls is not None and facts.onsets is not None:
            seen = (
                [call for call in calls if _key_of_onset(call.onset, by) == key]
                if owned
                else match(facts.onsets, groups[key], facts.dark)
            )
        exposed = _exposed(facts.exposures, by, key)
        rows.append(_row(key, groups[key], exposed, seen, facts.stood))
    return rows


def _order(by: By) -> Callable[[str], tuple[float, str]]:
    def place(key: str) -> tuple[float, str]:
        return (float(key.partition(" ")[0]) if by == "horizon" else 0.0, key)

    return place


def _key_of_onset(onset: Onset, by: By) -> str:
    return onset.unit if by == "unit" else f"{onset.day:%Y-%m}"


def _exposed(exposures: Sequence[Exposure], by: By, key: str) -> list[Exposure]:
    signal = key.partition(" ")[0]
    return [
        each
        for each in exposures
        if by == "horizon" or {"signal": signal, "unit": key, "month": key}[by] == _value(each, by)
    ]


def _value(exposure: Exposure, by: By) -> str:
    return {"signal": exposure.signal, "unit": exposure.unit}.get(by, exposure.month)


def _unit_years(exposures: Iterable[Exposure]) -> float:
    """Return unit-years: a day on which several signals judged a unit is one day."""
    days: dict[tuple[str, str], int] = {}
    for each in exposures:
        key = (each.unit, each.month)
        days[key] = max(days.get(key, 0), each.days)
    return sum(days.values()) / _YEAR_DAYS


def _row(
    key: str,
    alerts: Sequence[Alert],
    exposures: Iterable[Exposure],
    calls: Sequence[Call] | None,
    stood: Mapping[str, Stood] | None,
) -> Row:
    found = skill(alerts)
    years = _unit_years(exposures)
    return Row(
        key=key,
        skill=found,
        calibration=calibration(forecasts(alerts)),
        unit_years=round(years, 3) if years else None,
        false_per_year=found.false / years if years else None,
        false_interval=rate_interval(found.false, years) if years else None,
        leads=None if calls is None else leads(calls),
        answers=None if stood is None else answers(stood[a.id] for a in alerts if a.id in stood),
    )


class Contested(Struct, frozen=True):
    """An alert that analysts disputed or retracted, and how its claim turned out."""

    alert: str
    unit: str
    state: AlertState
    probability: float
    said: tuple[Remark, ...]  # the disputes, and the reason of a retraction
    verdict: str | None  # None: it is not settled


def contested(alerts: Iterable[Alert]) -> list[Contested]:
    """Return the alerts that analysts hold to be wrong, the one that opened first before others."""
    found = []
    for alert in sorted(alerts, key=lambda a: (a.opened_at, a.id)):
        retracted = alert.state == "retracted"
        said = tuple(
            each
            for each in alert.remarks
            if each.kind == "dispute" or (retracted and each.text.startswith(RETRACTED))
        )
        if said or retracted:
            verdict = alert.outcome.verdict if alert.outcome else None
            probability = alert.claim.probability
            found.append(Contested(alert.id, alert.unit, alert.state, probability, said, verdict))
    return found


def forecasts(alerts: Iterable[Alert]) -> list[Forecast]:
    """Return the probability of each settled claim, and whether it came true; VOID is neither."""
    return [
        (alert.claim.probability, alert.outcome.verdict == "HIT")
        for alert in alerts
        if alert.outcome is not None and alert.outcome.verdict != "VOID"
    ]
