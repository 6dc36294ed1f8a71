"""`tocsin train`: a model of the instability index from any history, with its card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from detectors.records import Report
from streams.commands.base import (
    NOTHING,
    Json,
    Problem,
    epilog,
    errors,
    note,
    open_settings,
    plain_errors,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from detectors.model import Model
    from streams.settings import Settings
    from streams.training.collect import Rows

_DAY = ["%Y-%m-%d"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "train",
        epilog=epilog(
            "tocsin train doha-2020 --out model.json",
            "tocsin train GEDEvent_v24.csv --until 2021-01-01 --out model.json --card card.md",
            "TOCSIN_MODEL=model.json tocsin backtest GEDEvent_v24.csv --from 2021-01-01",
        ),
    )(train)


@plain_errors
def train(
    context: typer.Context,
    history: Annotated[
        str, typer.Argument(help="A file of reports (JSON lines; UCDP .csv), or a scenario.")
    ],
    out: Annotated[Path, typer.Option(help="Write the model here, as JSON.")],
    until: Annotated[
        Optional[datetime],  # noqa: UP045 - typer reads it at run time
        typer.Option(formats=_DAY, help="Learn from what was seen before this day (UTC) only."),
    ] = None,
    card: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Write the model card here, as Markdown."),
    ] = None,
    json: Json = False,
) -> None:
    """Train the instability index, and tell how good it is on days that it has not seen.

    Set `model` in the settings to the file to use it in run, replay and backtest.
    """
    from detectors.model import encode
    from streams.backtest.history import TooShortError
    from streams.training.card import render

    settings = open_settings(context)
    try:
        reports = _reports(history, until)
        found = _train(_collect(settings, reports), _named(history, until))
    except (FileNotFoundError, TooShortError) as error:
        raise Problem(str(error)) from error
    out.write_bytes(encode(found))
    note(f'model {found.id} written to {out}; to use it, set model = "{out}"')
    if card is not None:
        card.write_text(render(found), encoding="utf-8")
        note(f"card written to {card}")
    if json:
        print_json({"id": found.id, "features": found.features, "card": found.card})
    else:
        _show(found)


def _reports(what: str, until: datetime | None) -> list[Report]:
    from streams.commands.play import split
    from streams.replay import read

    reports, rejects = split(read(what))
    if until is not None:
        end = until.replace(tzinfo=UTC)
        reports = [report for report in reports if report.seen_at < end]
    if not reports:
        limit = "" if until is None else f" seen before {until:%Y-%m-%d}"
        raise Problem(
            f"{what} holds no report{limit} that can be read ({len(rejects)} refused)", NOTHING
        )
    return reports


def _named(what: str, until: datetime | None) -> str:
    from streams.commands.play import named

    name = named(what)
    return name if until is None else f"{name}, until {until:%Y-%m-%d}"


def _collect(settings: Settings, reports: Sequence[Report]) -> Rows:
    from streams.commands.play import progress, span_of
    from streams.replay import timed
    from streams.training.collect import collect

    grid = settings.grid()
    with progress(errors(), "replaying", span_of(reports)) as bar:
        return collect(
            timed(reports, grid),
            grid,
            settings.steps.disorder,
            lambda passed: bar.reached(passed.coded.time),
        )


def _train(rows: Rows, data: str) -> Model:
    from streams.training.train import SUM, TREES, train

    forms: tuple[str, ...] = (SUM, TREES)
    if not _has_trees():
        note("scikit-learn is not installed: trees are not compared (pip install tocsin[train])")
        forms = (SUM,)
    with _blocks() as show:
        return train(rows, data, forms, show).model


def _has_trees() -> bool:
    from importlib.util import find_spec

    return find_spec("sklearn") is not None


@contextmanager
def _blocks() -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how many of the blocks are judged."""
    from rich.progress import Progress

    console = errors()
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("learning", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _show(model: Model) -> None:
    from streams.training.card import COLUMNS, cells

    card = model.card
    say(f"Model {model.id}: {card.chosen}")
    say(
        f"Learned from {card.unit_days:,} unit-days of {card.units} units, {card.first_day} to "
        f"{card.last_day}, {card.positives:,} of them before an escalation"
    )
    say(f"Judged on {card.judged_unit_days:,} ({card.judged_positives:,}): {card.judged}")
    print_table(COLUMNS, [cells(each) for each in card.skill])
    say("In brackets: 95 % intervals. Known failures:")
    for failure in card.failures:
        say(f"- {failure}")
