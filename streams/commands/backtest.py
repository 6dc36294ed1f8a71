"""`tocsin backtest`: the live code over a history, beside the rules that it must beat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import msgspec
import typer

from detectors.records import Report
from streams.commands.base import (
    NOTHING,
    Problem,
    epilog,
    errors,
    note,
    open_settings,
    plain_errors,
    print_table,
    say,
)

if TYPE_CHECKING:
    from streams.backtest.account import Level
    from streams.backtest.history import History
    from streams.backtest.report import Backtest
    from streams.backtest.walk import Walk
    from streams.settings import Settings

_DAY = ["%Y-%m-%d"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "backtest",
        epilog=epilog(
            "tocsin backtest doha-2020 --report backtest.html",
            "tocsin backtest GEDEvent_v24.csv --from 2019-01-01 --to 2021-12-31 --report out.html",
            "tocsin backtest reports.jsonl --json backtest.json",
        ),
    )(backtest)


@plain_errors
def backtest(  # noqa: PLR0913, PLR0917 - one for each option
    context: typer.Context,
    history: Annotated[
        str, typer.Argument(help="A file of reports (JSON lines; UCDP .csv), or a scenario.")
    ],
    start: Annotated[
        Optional[datetime],  # noqa: UP045 - typer reads it at run time
        typer.Option("--from", formats=_DAY, help="First day judged; before it is warm-up."),
    ] = None,
    end: Annotated[
        Optional[datetime],  # noqa: UP045
        typer.Option("--to", formats=_DAY, help="Last day judged."),
    ] = None,
    origin: Annotated[
        Optional[datetime],  # noqa: UP045
        typer.Option(
            formats=_DAY,
            help="First day with probabilities, learned anew every month; --from unless given.",
        ),
    ] = None,
    report: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Write the report here: one HTML file with everything in it."),
    ] = None,
    json: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--json", help="Write every figure here, as one JSON document."),
    ] = None,
) -> None:
    """Tell how good the alerts would have been, and how good the rules that must be beaten.

    The live code reads the history in its own time; every rule sees what was known on each day.
    """
    from streams.backtest.history import TooShortError
    from streams.backtest.report import render

    settings = open_settings(context)
    if start is not None and end is not None and start > end:
        raise Problem(f"--from {start:%Y-%m-%d} is after --to {end:%Y-%m-%d}")
    try:
        found = _run(settings, history, (_date(start), _date(end), _date(origin)))
    except (FileNotFoundError, TooShortError) as error:
        raise Problem(str(error)) from error
    if report is not None:
        report.write_text(render(found), encoding="utf-8")
        note(f"report written to {report}")
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        note(f"figures written to {json}")
    for level in found.levels:
        _show(level)


def _date(at: datetime | None) -> date | None:
    return None if at is None else at.date()


def _run(
    settings: Settings, what: str, limits: tuple[date | None, date | None, date | None]
) -> Backtest:
    from detectors.rules import RULES
    from detectors.timegrid import day_of
    from streams.backtest.evaluate import evaluate
    from streams.backtest.report import Backtest
    from streams.commands.play import counted, named, split
    from streams.replay import read

    reports, rejects = split(read(what))
    refused = counted(rejects)
    if not reports:
        raise Problem(
            f"{what} holds no report that can be read: {refused or 'it is empty'}", NOTHING
        )
    known = _record(settings, reports)
    walked = _walk(known)
    levels = [evaluate(known, walked, RULES, "admin1", *limits)]
    levels.append(evaluate(known, walked, RULES, "country", *limits))
    return Backtest(
        history=named(what),
        reports=known.reports,
        refused=refused,
        first_day=day_of(known.first_day),
        last_day=day_of(known.first_day + known.days - 1),
        levels=tuple(levels),
    )


def _record(settings: Settings, reports: Sequence[Report]) -> History:
    from detectors.monitor import Monitor, Passed
    from streams.backtest.history import record
    from streams.commands.play import progress, span_of
    from streams.replay import timed

    monitor = Monitor(settings.grid(), settings.policy(), settings.steps.disorder, settings.judge())
    with progress(errors(), "replaying", span_of(reports)) as bar:

        def show(passed: Passed) -> None:
            bar.reached(passed.coded.time)
            for failed in passed.coded.failed:
                note(f"{failed.report} could not be coded: {failed.error}")

        return record(monitor, timed(reports, settings.grid()), show)


def _walk(known: History) -> Walk:
    from detectors.rules import RULES
    from detectors.timegrid import DAY
    from streams.backtest.walk import walk
    from streams.commands.play import progress

    span = known.first_day * DAY, (known.first_day + known.days) * DAY
    with progress(errors(), "comparing", span) as bar:
        return walk(known, RULES, lambda days: bar.reached(span[0] + days * DAY))


def _show(level: Level) -> None:
    from streams.backtest.words import figure, in_short, share

    for text in in_short(level):
        say(text)
    rows = [
        (
            row.title,
            "n/a" if row.ranked is None else figure(row.ranked.average_precision),
            "n/a" if row.trusted is None else figure(row.trusted.brier, digits=4),
            str(row.at[0].alarms),
            share(row.at[0].precision),
            f"{row.at[0].leads.ahead} of {row.at[0].leads.onsets}",
            figure(row.at[0].leads.mean_days, digits=1),
        )
        for row in level.rows
    ]
    columns = ("rule", "avg. precision", "Brier", "alarms", "precision", "onsets ahead", "lead, d")
    print_table(columns, rows)
    say()
