"""`tocsin scenario`: the bundled recorded input."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.commands import base
from streams.scenarios.render import SCENARIOS, write


def register(app: typer.Typer) -> None:
    """Add `tocsin scenario`."""
    group = typer.Typer(help="Bundled recorded input: list, write.", no_args_is_help=True)
    group.command("list", epilog=base.epilog("tocsin scenario list"))(list_)
    group.command(
        "write",
        epilog=base.epilog(
            "tocsin scenario write doha-2020 reports.jsonl",
            "The file is what tocsin replay reads: one report a line, as JSON.",
        ),
    )(write_)
    app.add_typer(group, name="scenario")


@base.plain_errors
def list_(json: base.Json = False) -> None:
    """List the bundled scenarios."""
    found = list(SCENARIOS.values())
    if json:
        base.print_json(found)
        return
    base.print_table(
        ("scenario", "first day", "last day", "what it is"),
        [(each.name, str(each.first_day), str(each.last_day), each.summary) for each in found],
    )


@base.plain_errors
def write_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The scenario.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where its reports go.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
) -> None:
    """Write a scenario's reports to a file, one JSON object a line."""
    if name not in SCENARIOS:
        mend = base.near(name, SCENARIOS) or f"; there are {', '.join(SCENARIOS)}"
        raise base.Problem(f"there is no scenario {name!r}{mend}", base.NOTHING)
    if file.exists() and not force:
        raise base.Problem(f"{file} exists: choose another name, or take --force")
    count = write(name, file)
    base.say(f"{count} reports written to {file}")
