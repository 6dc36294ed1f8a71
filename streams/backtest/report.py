"""The report: one HTML file with everything in it, for the screen and for paper."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from importlib import resources
from typing import Final

from msgspec import Struct

from detectors.onsets import FEWEST, FINAL_DAYS, LEAST_WEEKS
from detectors.rules.base import BAR_DAYS, HORIZON_DAYS, LEAST_BAR_DAYS
from detectors.world.units import name_of
from streams.backtest import plots
from streams.backtest.account import ALERTS, BUDGETS, PUBLISHED, At, Level, Row
from streams.backtest.measures import BLOCK_WEEKS
from streams.backtest.words import figure, in_short, share
from streams.wording import DISCLAIMER

_KINDS: Final = {"admin1": "Provinces", "country": "Countries"}
#: Columns of the list of onsets, besides Tocsin's own.
_SHOWN_RULES: Final = ("no-change", "acled-surge", "hdx-1y", "ears-c2", "nb-cusum", "farrington")


class Backtest(Struct, frozen=True):
    """Everything that a backtest came to."""

    history: str  # what was read, by its name
    reports: int
    refused: dict[str, int]  # what could not be read, by reason
    first_day: date
    last_day: date
    levels: tuple[Level, ...]


def render(found: Backtest) -> str:
    """Return the report as one HTML document. All text that came from outside is escaped."""
    title = f"Backtest of Tocsin on {found.history}"
    parts = [f"<h1>{escape(title)}</h1>", _paragraph(DISCLAIMER)]
    for level in found.levels:
        parts.extend(_level(level))
    parts.extend(_data(found))
    style = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _level(level: Level) -> Iterable[str]:
    name = _KINDS[level.kind]
    yield f"<h2>{name}</h2>"
    yield "<h3>In short</h3>"
    yield "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in in_short(level)) + "</ul>"
    yield f"<h3>{name}: the same number of alarms for every rule</h3>"
    yield _equal(level)
    yield _picture(plots.leads_plot(level), f"{name}: onsets called ahead, late and missed by rule")
    yield f"<h3>{name}: day by day</h3>"
    yield _daily(level)
    yield _picture(plots.skill_plot(level), f"{name}: average precision and recall by rule")
    yield _picture(plots.reliability_plot(level), f"{name}: reliability of the probabilities")
    yield f"<h3>{name}: by alarms a unit and year</h3>"
    yield _budgets(level)
    yield f"<h3>{name}: thresholds as published</h3>"
    yield _published(level)
    yield f"<h3>{name}: alerts and onsets over time</h3>"
    yield _picture(plots.alarms_plot(level), f"{name}: Tocsin's alerts and onsets by unit")
    yield f"<h3>{name}: onsets, and who called them</h3>"
    yield _onsets(level)
    yield f"<h3>{name}: Tocsin's false alarms</h3>"
    yield _false(level)


# Tables


def _equal(level: Level) -> str:
    head = (
        "rule", "alarms", "held", "false", "not known", "precision", "false a unit-year",
        "onsets ahead", "late", "missed", "recall", "mean lead, days",
    )  # fmt: skip
    rows = [(row.title, *_at(row.at[0])) for row in level.rows]
    return _table(head, rows, _caption(level))


def _at(at: At) -> tuple[str, ...]:
    found = at.leads
    return (
        str(at.alarms),
        str(at.hits),
        str(at.false),
        str(at.void),
        share(at.precision, at.precision_interval),
        figure(at.false_per_year, at.false_interval, 2),
        str(found.ahead),
        str(found.late),
        str(found.missed),
        share(found.recall, at.recall_interval),
        # Without any call ahead there is nothing that the interval could be learned from.
        figure(found.mean_days, found.mean_interval if found.ahead else None, 1),
    )


def _daily(level: Level) -> str:
    head = (
        "rule", "says", "average precision", "Brier", "skill against climatology",
        "calibration error", "reliability", "resolution",
    )  # fmt: skip
    rows = [(row.title, *_ranked(row)) for row in level.rows if row.name != ALERTS]
    ranked = next((row.ranked for row in level.rows if row.ranked), None)
    trusted = next((row.trusted for row in level.rows if row.trusted), None)
    caption = "Average precision: "
    caption += f"{ranked.unit_days:,} unit-days, {ranked.hits:,} hits. " if ranked else "none. "
    caption += "Brier: "
    if trusted is None:
        caption += "none: too little to learn probabilities from before the days judged."
    else:
        caption += f"{trusted.unit_days:,} unit-days, {trusted.hits:,} hits; "
        caption += f"learned month by month from {level.period.origin} on."
    return _table(head, rows, caption)


def _ranked(row: Row) -> tuple[str, ...]:
    ranked, trusted = row.ranked, row.trusted
    return (
        share(row.told),
        "n/a" if ranked is None else figure(ranked.average_precision, ranked.interval),
        *(
            ("n/a",) * 5
            if trusted is None
            else (
                figure(trusted.brier, trusted.interval, 4),
                figure(trusted.skill),
                figure(trusted.calibration_error),
                figure(trusted.decomposition.reliability_corrected, digits=4),
                figure(trusted.decomposition.resolution_corrected, digits=4),
            )
        ),
    )


def _budgets(level: Level) -> str:
    names = [f"{budget:g}" for budget in BUDGETS]
    head = ("rule", *(f"{part}, {name}" for name in names for part in ("precision", "recall")))
    rows = []
    for row in level.rows:
        by_name = {at.budget: at for at in row.at}
        if names[0] in by_name:
            cells = [_cell(by_name[name]) for name in names]
            rows.append((row.title, *(text for pair in cells for text in pair)))
    return _table(head, rows, _caption(level))


def _cell(at: At) -> tuple[str, str]:
    return f"{share(at.precision)} of {at.alarms}", share(at.leads.recall)


def _published(level: Level) -> str:
    head = ("rule", "threshold", "alarms a unit-year", "precision", "recall", "published in")
    rows = []
    for row in level.rows:
        at = next((each for each in row.at if each.budget == PUBLISHED), None)
        if at is None or at.threshold is None:
            continue
        rate = at.alarms / level.period.unit_years if level.period.unit_years else None
        rows.append(
            (
                row.title,
                f"{at.threshold:.4g}",
                figure(rate, digits=1),
                share(at.precision, at.precision_interval),
                share(at.leads.recall, at.recall_interval),
                row.source,
            )
        )
    return _table(head, rows, _caption(level))


def _caption(level: Level) -> str:
    period = level.period
    return (
        f"{period.unit_days:,} unit-days ({period.void:,} cannot be judged), "
        f"{period.unit_years:.1f} unit-years, {len(level.warned)} onsets. In brackets: 95 %."
    )


def _onsets(level: Level) -> str:
    titles = {row.name: row.title for row in level.rows}
    names = [ALERTS, *(name for name in _SHOWN_RULES if name in titles)]
    head = ("unit", "day", "fortnight", "threshold", "usual", *(titles[name] for name in names))
    rows = [
        (
            name_of(each.onset.unit),
            str(each.onset.day),
            str(each.onset.count),
            str(each.onset.threshold),
            f"{each.onset.usual:.1f}",
            *(_lead(each.leads.get(name)) for name in names),
        )
        for each in level.warned
    ]
    return _table(head, rows, "Days of lead at equal alarms; negative is after the onset.")


def _lead(days: float | None) -> str:
    return "missed" if days is None else f"{days:+.1f}"


def _false(level: Level) -> str:
    head = ("alert", "unit", "day", "probability given", "incidents that came", "bar")
    rows = [
        (
            each.alert,
            name_of(each.unit),
            str(each.day),
            share(each.probability),
            str(each.came),
            str(each.bar),
        )
        for each in level.opened
        if each.held is False
    ]
    return _table(head, rows, f"In the {HORIZON_DAYS} days after the alert was opened.")


# The account of the account


def _data(found: Backtest) -> Iterable[str]:
    refused = sum(found.refused.values())
    yield "<h2>Data, and how to read this</h2>"
    yield _paragraph(
        f"History: {found.history}, {found.reports:,} reports from {found.first_day} to "
        f"{found.last_day}; {refused:,} items could not be read."
    )
    yield _paragraph(
        "Every report was given to the live code at the time at which it was seen, and nothing was "
        "worked out from a later one. At the end of each local day each rule was given the daily "
        "counts as known then. Days before those judged are warm-up. Where coverage was not ok at "
        "the end of a day, no rule is asked."
    )
    yield _paragraph(
        f"The bar: the fewest incidents, {FEWEST} at least, that at most a tenth of the unit's "
        f"fortnights of the last {BAR_DAYS} days reached, as known on the day; {LEAST_BAR_DAYS} "
        "days of history are needed. The target of a day holds where the next "
        f"{HORIZON_DAYS} days reach the bar. An onset is where a unit's counts leave its usual "
        "rate, shown by a fortnight that reaches a threshold of its own, which steady violence "
        f"rarely would (detectors/onsets.py; {LEAST_WEEKS} weeks of history are needed)."
    )
    yield _paragraph(
        f"An alarm stands for {HORIZON_DAYS} days, in which the rule gives no other for that unit. "
        "At equal alarms every rule has the lowest threshold, found on these very days, that makes "
        "no more alarms than Tocsin did: that flatters the rules, whose thresholds nobody would "
        "have known beforehand. Rules with few grades make fewer. One alarm calls one onset. Mean "
        "lead: within the fortnight before the onset, misses count as censored, not left out."
    )
    yield _paragraph(
        "Probabilities of rules are learned from their own risks month by month, on targets known "
        f"by then. Intervals: bootstrap over blocks of {BLOCK_WEEKS} weeks with all units in them, "
        "seeded, and no narrower than Wilson's for shares; of leads Greenwood's, of rates exact "
        "Poisson."
    )
    yield _paragraph(
        "What the truth is and is not: it is the incidents that Tocsin itself counted from this "
        f"history, as known {FINAL_DAYS} days or more after the day, not what happened. What no "
        "report told is missing from it; the rules and the truth share the errors of the coder and "
        "of the reports. A history made from a data set has that set's choice of incidents, and "
        "its delays are as far as they are recorded. Deaths for the HDX rule: reports of one place "
        "on one day count once, with the highest best estimate."
    )
    yield "<h3>Rules</h3>"
    rows = found.levels[0].rows if found.levels else ()
    yield _table(("rule", "source"), [(row.title, row.source) for row in rows], "")


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    if not rows:
        return _paragraph("None.")
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    told = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{told}\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"


def _picture(svg: str | None, words: str) -> str:
    if svg is None:
        return _paragraph(f"{words}: nothing to draw.")
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{escape(words)}" src="data:image/svg+xml;base64,{data}">'
