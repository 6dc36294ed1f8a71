"""The backtest in plain words: what a table would leave the reader to find out."""

from __future__ import annotations

from collections.abc import Iterator

from streams.backtest.account import ALERTS, At, Level, Row
from streams.backtest.walk import INDEX, STRENGTH

_OURS = (ALERTS, INDEX, STRENGTH)
_FEW_ONSETS = 30


def share(value: float | None, interval: tuple[float, float] | None = None) -> str:
    """Write a share in percent with its interval.

    >>> share(0.25, (0.1, 0.404)), share(None)
    ('25 % (10 to 40)', 'n/a')
    """
    if value is None:
        return "n/a"
    span = "" if interval is None else f" ({100 * interval[0]:.0f} to {100 * interval[1]:.0f})"
    return f"{100 * value:.0f} %{span}"


def figure(
    value: float | None, interval: tuple[float, float] | None = None, digits: int = 3
) -> str:
    """Write a figure with its interval.

    >>> figure(0.25, (0.1, 0.4), 2), figure(None)
    ('0.25 (0.10 to 0.40)', 'n/a')
    """
    if value is None:
        return "n/a"
    span = "" if interval is None else f" ({interval[0]:.{digits}f} to {interval[1]:.{digits}f})"
    return f"{value:.{digits}f}{span}"


def in_short(level: Level) -> Iterator[str]:
    """Yield what the account comes to, a sentence or two each."""
    period = level.period
    yield (
        f"{period.units} units over {period.unit_years:.1f} unit-years, {period.start} to "
        f"{period.end}. On {share(period.base_rate)} of {period.unit_days - period.void:,} "
        "unit-days the next fortnight was in the unit's own top decile; "
        f"{len(level.warned)} onsets of more violence than usual were found."
    )
    ours = level.rows[0]
    yield _alerts(ours.at[0])
    yield _against(level, ours)
    yield from _daily(level)
    if len(level.warned) < _FEW_ONSETS:
        yield (
            f"{len(level.warned)} onsets are too few to tell rules apart by recall or lead time: "
            "read those figures as a description of this history, not as skill."
        )
    if level.set_aside:
        yield (
            f"{level.set_aside} further alerts of Tocsin claim something else than a rise of "
            "violent incidents; this account says nothing of them."
        )


def _alerts(at: At) -> str:
    if not at.alarms:
        return "Tocsin opened no alert of rising violence in this time."
    void = f", {at.void} cannot be judged" if at.void else ""
    return (
        f"Tocsin opened {at.alarms} alerts of rising violence: {at.hits} were followed by a "
        f"fortnight in the top decile, {at.false} were not{void} (precision "
        f"{share(at.precision)}). It called {at.leads.ahead} of {at.leads.onsets} onsets ahead and "
        f"{at.leads.late} in the fortnight after; {at.leads.missed} it missed."
    )


def _against(level: Level, ours: Row) -> str:
    mine = ours.at[0]
    if not mine.alarms:
        return "So no rule can be compared with it at an equal number of alarms."
    rules = [row for row in level.rows if row.name not in _OURS]
    better = [row.title for row in rules if (row.at[0].precision or 0.0) > (mine.precision or 0.0)]
    sooner = [
        row.title for row in rules if (row.at[0].leads.recall or 0.0) > (mine.leads.recall or 0.0)
    ]
    return (
        f"With no more alarms than Tocsin made, {_listed(better)} had a higher precision, and "
        f"{_listed(sooner)} called more onsets ahead."
    )


def _listed(titles: list[str]) -> str:
    return ", ".join(titles) if titles else "no rule"


def _daily(level: Level) -> Iterator[str]:
    rules = [row for row in level.rows if row.name not in _OURS and row.ranked]
    for row in level.rows:
        if row.name not in _OURS or row.name == ALERTS:
            continue
        if row.ranked is None:
            yield f"{row.title}: said on {share(row.told)} of the unit-days, so it is not compared."
            continue
        mine = row.ranked.average_precision
        ahead = [r.title for r in rules if r.ranked and r.ranked.average_precision > mine]
        yield (
            f"{row.title}, day by day: average precision {figure(mine, row.ranked.interval)}; "
            f"{_listed(ahead)} ranked the days better."
        )
