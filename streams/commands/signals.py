"""`tocsin signals`: the measures of instability, and how each works."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from streams.commands import base

if TYPE_CHECKING:
    from detectors.signals import Signal


class Described(Struct, frozen=True):
    """A signal as `--json` prints it."""

    name: str
    version: int
    title: str
    alerts: bool  # whether its scores may open alerts
    method: str


def register(app: typer.Typer) -> None:
    """Add `tocsin signals`."""
    group = typer.Typer(help="The signals, and how each works.", no_args_is_help=True)
    group.command("list", epilog=base.epilog("tocsin signals list"))(list_)
    group.command(
        "explain", epilog=base.epilog("tocsin signals explain S1", "tocsin signals explain M1")
    )(explain)
    app.add_typer(group, name="signals")


def describe(signal: Signal) -> Described:
    """Return what a signal says of itself; the method is the docstring of its file."""
    module = inspect.getmodule(type(signal))
    method = inspect.cleandoc((module.__doc__ if module else None) or "")
    return Described(signal.name, signal.version, signal.title, signal.alerts, method)


@base.plain_errors
def list_(json: base.Json = False) -> None:
    """List the signals in the order in which a step computes them."""
    from detectors.signals import SIGNALS

    found = [describe(signal) for signal in SIGNALS.values()]
    if json:
        base.print_json(found)
        return
    base.print_table(
        ("signal", "version", "title", "opens alerts", "what it is"),
        [
            (
                each.name,
                str(each.version),
                each.title,
                "yes" if each.alerts else "no",
                each.method.partition("\n")[0],
            )
            for each in found
        ],
    )


@base.plain_errors
def explain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name or title.")],
    json: base.Json = False,
) -> None:
    """Explain one signal: what it measures, by which method."""
    from detectors.signals import SIGNALS

    for signal in SIGNALS.values():
        if name.casefold() in (signal.name.casefold(), signal.title.casefold()):
            break
    else:
        known = [text for each in SIGNALS.values() for text in (each.name, each.title)]
        mend = base.near(name, known) or f"; there are {', '.join(SIGNALS)}"
        raise base.Problem(f"there is no signal {name!r}{mend}", base.NOTHING)
    found = describe(signal)
    if json:
        base.print_json(found)
        return
    opens = "its scores may open alerts" if found.alerts else "it opens no alerts"
    base.say(f"{found.name} version {found.version}, {found.title}: {opens}", style="bold")
    base.say()
    base.say(found.method)
