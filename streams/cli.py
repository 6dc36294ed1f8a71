"""The command line: `tocsin`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Optional

import typer

from streams.commands import REGISTER

app = typer.Typer(
    name="tocsin",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    help=(
        "Early warning of instability in Afghanistan and Pakistan, by province, from streams of "
        "news and incident reports. Begin with [bold]tocsin demo[/]."
    ),
    epilog=(
        "Exit codes: 0 fine, 1 nothing found or not well, 2 wrong usage or settings, "
        "70 the process failed and should be restarted."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tocsin {version('tocsin')}")
        raise typer.Exit


@app.callback()
def settings_file(
    context: typer.Context,
    settings: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Settings file; tocsin.toml here unless given. TOCSIN_... wins."),
    ] = None,
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Keep where the settings are, for the commands."""
    context.obj = settings


for register in REGISTER:
    register(app)


def main() -> None:
    """Run the command line."""
    app()
