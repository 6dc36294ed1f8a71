"""What the backtest comes to: every rule held to the same account as Tocsin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.calibration import rate_interval
from detectors.ledger import VIOLENCE
from detectors.onsets import FINAL_DAYS, Onset, onsets
from detectors.records import Alert
from detectors.rules import Rule
from detectors.rules.base import HORIZON_DAYS, LEAST_BAR_DAYS
from detectors.timegrid import LOCAL_OFFSET, day_number, day_of, seconds
from detectors.warned import Call, leads, match
from detectors.world.units import UNITS
from streams.backtest.account import (
    ALERTS,
    BUDGETS,
    EQUAL,
    PUBLISHED,
    At,
    Level,
    Opened,
    Period,
    Ranked,
    Row,
    Trusted,
    Warned,
)
from streams.backtest.alarms import Alarm, Alarms, alarms_from, claims, within
from streams.backtest.fit import probabilities
from streams.backtest.history import History, TooShortError
from streams.backtest.measures import (
    Blocks,
    average_precision,
    blocks,
    curve,
    decomposed,
    hits_interval,
    mean_interval,
    precision_interval,
    ranking,
)
from streams.backtest.walk import INDEX, SETTLED_DAYS, TITLES, Walk

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

ALERTS_TITLE: Final = "Tocsin, alerts"
_LEAST_TOLD: Final = 0.8  # of the unit-days: what says less is not compared day by day
_YEAR_DAYS: Final = 365.25


class _Case(Struct, frozen=True):
    """What all measures of one level share. Rows are those of the walk."""

    walk: Walk
    low: int  # the first row judged
    high: int  # one after the last
    origin: int
    usable: Mask  # by day and unit: in the period, seen, with a bar
    onsets: list[Onset]
    dark: dict[str, set[date]]
    over: Blocks
    unit_years: float


def evaluate(  # noqa: PLR0913, PLR0917 - what there is to say of a period
    history: History,
    walked: Walk,
    rules: Mapping[str, Rule],
    kind: str,
    start: date | None = None,
    end: date | None = None,
    origin: date | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Level:
    """Hold every rule to account over the units of one kind.

    Args:
        history: What Tocsin said.
        walked: What every rule said, and what came.
        rules: The rules by name.
        kind: `admin1` or `country`.
        start: The first day judged; the first with a bar unless given.
        end: The last; the last that can be judged unless given.
        origin: The first fit of probabilities; `start` unless given.
        progress: Is told how many rows are done.

    Raises:
        TooShortError: No day of the period can be judged.
    """
    case = _case(walked, kind, start, end, origin)
    mine = [
        alert
        for alert in history.opened
        if alert.unit in case.walk.units and case.low <= _row_of(alert, walked) < case.high
    ]
    violent = [alert for alert in mine if _is_rise(alert)]
    given = tuple(sorted(Alarm(_row_of(a, walked), case.walk.units.index(a.unit)) for a in violent))
    calls: dict[str, list[Call]] = {}
    equal, calls[ALERTS] = _at(case, EQUAL, None, Alarms(None, given), violent)
    rows = [Row(ALERTS, ALERTS_TITLE, "this programme", 1.0, None, None, (equal,))]
    told = _told(case)
    common = _common(case, told)
    fitted = _fitted(case, told, rules)
    for number, name in enumerate(case.walk.risk):
        row, calls[name] = _row(case, name, rules.get(name), told[name], common, fitted, len(given))
        rows.append(row)
        progress(number + 1)
    return Level(
        kind=kind,
        period=_period(case),
        rows=tuple(rows),
        warned=_warned(case, calls),
        opened=tuple(_opened(case, alert) for alert in violent),
        set_aside=len(mine) - len(violent),
    )


# What is judged


def _case(
    walked: Walk, kind: str, start: date | None, end: date | None, origin: date | None
) -> _Case:
    columns = [i for i, unit in enumerate(walked.units) if UNITS[unit].kind == kind]
    mine = _columns(walked, columns)
    known = ~np.isnan(mine.bar)
    settled = walked.days - SETTLED_DAYS
    first = int(np.argmax(known.any(axis=1))) if known.any() else walked.days
    low = max(first, 0 if start is None else day_number(start) - walked.first_day)
    high = min(settled, walked.days if end is None else day_number(end) - walked.first_day + 1)
    if high <= low or not columns:
        raise TooShortError(
            f"no day can be judged: {LEAST_BAR_DAYS} days of history are needed up to the first, "
            f"and {SETTLED_DAYS} after the last; the history has {walked.days} days from "
            f"{day_of(walked.first_day)}"
        )
    inside = np.zeros(walked.days, dtype=bool)
    inside[low:high] = True
    usable = known & mine.seen & inside[:, None]
    fit = low if origin is None else max(low, day_number(origin) - walked.first_day)
    dark = {
        unit: {day_of(walked.first_day + int(row)) for row in np.flatnonzero(mine.dark[:, i])}
        for i, unit in enumerate(mine.units)
    }
    return _Case(
        walk=mine,
        low=low,
        high=high,
        origin=fit,
        usable=usable,
        onsets=_onsets(mine, low, high, dark),
        dark=dark,
        over=blocks(walked.days),
        unit_years=float(usable.sum()) / _YEAR_DAYS,
    )


def _columns(walked: Walk, columns: Sequence[int]) -> Walk:
    take = list(columns)
    return Walk(
        units=tuple(walked.units[i] for i in take),
        first_day=walked.first_day,
        risk={name: risk[:, take] for name, risk in walked.risk.items()},
        bar=walked.bar[:, take],
        final=walked.final[:, take],
        deaths=walked.deaths[:, take],
        truth=walked.truth[:, take],
        learnt=walked.learnt[:, take],
        dark=walked.dark[:, take],
        seen=walked.seen[:, take],
    )


def _onsets(walked: Walk, low: int, high: int, dark: dict[str, set[date]]) -> list[Onset]:
    """Return the onsets that could be warned of within the period."""
    found = []
    for i, unit in enumerate(walked.units):
        rows = range(walked.days - FINAL_DAYS)
        counts = {day_of(walked.first_day + row): int(walked.final[row, i]) for row in rows}
        found.extend(onsets(unit, counts, dark[unit])[0])
    first, last = day_of(walked.first_day + low + HORIZON_DAYS), day_of(walked.first_day + high - 1)
    return sorted((o for o in found if first <= o.day <= last), key=lambda o: (o.day, o.unit))


def _period(case: _Case) -> Period:
    first = case.walk.first_day
    truth = case.walk.truth[case.usable]
    judged = truth[~np.isnan(truth)]
    rows = slice(case.low, case.high)
    return Period(
        start=day_of(first + case.low),
        end=day_of(first + case.high - 1),
        origin=day_of(first + case.origin),
        units=len(case.walk.units),
        unit_days=int(case.usable.sum()),
        unseen=int((~case.walk.seen[rows]).sum()),
        void=int(np.isnan(truth).sum()),
        unit_years=case.unit_years,
        base_rate=float(judged.mean()) if len(judged) else None,
    )


def _row_of(alert: Alert, walked: Walk) -> int:
    """Return the row of the local day on which an alert was opened."""
    offset = LOCAL_OFFSET.get(UNITS[alert.unit].country, 0)
    return (seconds(alert.opened_at) + offset) // 86_400 - walked.first_day


def _is_rise(alert: Alert) -> bool:
    rule = alert.claim.resolver
    return rule.indicator == VIOLENCE and rule.comparison == "at_least"


# Day by day


def _told(case: _Case) -> dict[str, float]:
    return {
        name: float((~np.isnan(risk[case.usable])).mean()) if case.usable.any() else 0.0
        for name, risk in case.walk.risk.items()
    }


def _common(case: _Case, told: Mapping[str, float]) -> Mask:
    """Return the unit-days on which all that say enough say something, and the truth is known."""
    mask = case.usable & ~np.isnan(case.walk.truth)
    for name, risk in case.walk.risk.items():
        if told[name] >= _LEAST_TOLD:
            mask &= ~np.isnan(risk)
    return mask


class _Fitted(Struct, frozen=True):
    by_name: dict[str, Floats]
    mask: Mask  # unit-days on which all have a probability


def _fitted(case: _Case, told: Mapping[str, float], rules: Mapping[str, Rule]) -> _Fitted:
    walked = case.walk
    mask = _common(case, told)
    # What may be learned from lies before the period too: it is warm-up, not future.
    learnable = walked.seen & ~np.isnan(walked.bar)
    by_name = {}
    for name, risk in walked.risk.items():
        if told[name] < _LEAST_TOLD:
            continue
        if name == INDEX or (name in rules and rules[name].probability):
            by_name[name] = np.where(np.arange(walked.days)[:, None] >= case.origin, risk, np.nan)
        else:
            by_name[name] = probabilities(
                risk, walked.learnt, learnable, walked.first_day, case.origin
            )
        mask &= ~np.isnan(by_name[name])
    return _Fitted(by_name, mask)


def _ranked(case: _Case, risk: Floats, common: Mask) -> Ranked | None:
    hit = case.walk.truth[common]
    if not hit.any():
        return None
    order = ranking(risk[common])
    days = np.nonzero(common)[0]
    return Ranked(
        unit_days=len(hit),
        hits=int(hit.sum()),
        average_precision=average_precision(order, hit),
        interval=precision_interval(order, hit, days, case.over),
    )


def _trusted(case: _Case, name: str, fitted: _Fitted) -> Trusted | None:
    if name not in fitted.by_name or not fitted.mask.any():
        return None
    hit = case.walk.truth[fitted.mask]
    given = fitted.by_name[name][fitted.mask]
    squared = (given - hit) ** 2
    brier = float(squared.mean())
    bins = curve(given, hit)
    parts, error = decomposed(bins, brier)
    usual = fitted.by_name.get("climatology")
    base = None if usual is None else float(((usual[fitted.mask] - hit) ** 2).mean())
    return Trusted(
        unit_days=len(hit),
        hits=int(hit.sum()),
        brier=brier,
        interval=mean_interval(np.nonzero(fitted.mask)[0], squared, case.over),
        skill=1 - brier / base if base else None,
        calibration_error=error,
        decomposition=parts,
        curve=bins,
    )


# Alarms


def _row(  # noqa: PLR0913, PLR0917 - what there is to say of a rule
    case: _Case,
    name: str,
    rule: Rule | None,
    told: float,
    common: Mask,
    fitted: _Fitted,
    equal: int,
) -> tuple[Row, list[Call]]:
    risk = np.where(case.usable, case.walk.risk[name], np.nan)
    first, calls = _rule_at(case, EQUAL, equal, within(risk, equal))
    at = [first]
    for budget in BUDGETS:
        most = round(budget * case.unit_years)
        at.append(_rule_at(case, f"{budget:g}", most, within(risk, most))[0])
    if rule is not None and rule.limit is not None:
        given = Alarms(rule.limit, tuple(alarms_from(risk, rule.limit)))
        at.append(_rule_at(case, PUBLISHED, None, given)[0])
    is_told = told >= _LEAST_TOLD
    row = Row(
        name=name,
        title=TITLES[name] if rule is None else rule.title,
        source="this programme" if rule is None else rule.source,
        told=round(told, 4),
        ranked=_ranked(case, risk, common) if is_told else None,
        trusted=_trusted(case, name, fitted),
        at=tuple(at),
    )
    return row, calls


def _rule_at(
    case: _Case, budget: str, allowed: int | None, alarms: Alarms
) -> tuple[At, list[Call]]:
    walked = case.walk
    said = claims(alarms.given, walked.units, walked.first_day, walked.bar)
    return _at(case, budget, allowed, alarms, said)


def _at(
    case: _Case, budget: str, allowed: int | None, alarms: Alarms, said: Sequence[Alert]
) -> tuple[At, list[Call]]:
    days = np.array([each.day for each in alarms.given], dtype=np.intp)
    units = np.array([each.unit for each in alarms.given], dtype=np.intp)
    truth = case.walk.truth[days, units]
    known = ~np.isnan(truth)
    hits, judged = int(truth[known].sum()), int(known.sum())
    calls = _match(case, said)
    ahead = np.array([float(each.called == "ahead") for each in calls])
    onset_rows = np.array(
        [day_number(each.onset.day) - case.walk.first_day for each in calls], dtype=np.intp
    )
    summed = leads(calls)
    years = case.unit_years
    at = At(
        budget=budget,
        allowed=allowed,
        threshold=alarms.threshold,
        alarms=len(alarms.given),
        hits=hits,
        false=judged - hits,
        void=len(alarms.given) - judged,
        precision=hits / judged if judged else None,
        precision_interval=hits_interval(days[known], truth[known], case.over),
        false_per_year=(judged - hits) / years if years else None,
        false_interval=rate_interval(judged - hits, years) if years else None,
        leads=summed,
        recall_interval=hits_interval(onset_rows, ahead, case.over),
        onset_precision=min(1.0, summed.ahead / judged) if judged else None,
    )
    return at, calls


def _match(case: _Case, said: Sequence[Alert]) -> list[Call]:
    """Hold onsets against claims unit by unit, which is all the same and far faster."""
    by_unit: dict[str, list[Alert]] = {}
    for alert in said:
        by_unit.setdefault(alert.unit, []).append(alert)
    of_unit: dict[str, list[Onset]] = {}
    for onset in case.onsets:
        of_unit.setdefault(onset.unit, []).append(onset)
    calls = [
        call
        for unit, mine in of_unit.items()
        for call in match(mine, by_unit.get(unit, ()), {unit: case.dark[unit]})
    ]
    return sorted(calls, key=lambda call: (call.onset.day, call.onset.unit))


def _warned(case: _Case, calls: Mapping[str, Sequence[Call]]) -> tuple[Warned, ...]:
    return tuple(
        Warned(onset, {name: found[i].lead_days for name, found in calls.items()})
        for i, onset in enumerate(case.onsets)
    )


def _opened(case: _Case, alert: Alert) -> Opened:
    walked = case.walk
    row, unit = _row_of(alert, walked), walked.units.index(alert.unit)
    truth, bar = walked.truth[row, unit], walked.bar[row, unit]
    return Opened(
        alert=alert.id,
        unit=alert.unit,
        day=day_of(walked.first_day + row),
        probability=alert.claim.probability,
        came=int(walked.final[row + 1 : row + 1 + HORIZON_DAYS, unit].sum()),
        bar=None if np.isnan(bar) else int(bar),
        held=None if np.isnan(truth) else bool(truth),
    )
