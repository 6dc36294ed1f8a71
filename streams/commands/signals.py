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
    return Described(signal.name, signal.version, signal.title, bool(signal.indicator), method)


def _all() -> list[Described]:
    """Return every signal, after what sums them up and opens the alerts."""
    from detectors import evidence
    from detectors.signals import SIGNALS

    method = inspect.cleandoc(evidence.__doc__ or "")
    summed = Described(evidence.NAME, evidence.VERSION, evidence.TITLE, True, method)
    return [summed, *(describe(signal) for signal in SIGNALS.values())]


@base.plain_errors
def list_(json: base.Json = False) -> None:
    """List the signals in the order in which a step computes them."""
    found = _all()
    if json:
        base.print_json(found)
        return
    base.print_table(
        ("signal", "version", "title", "adds to alerts", "what it is"),
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
    known = _all()
    for found in known:
        if name.casefold() in (found.name.casefold(), found.title.casefold()):
            break
    else:
        words = [text for each in known for text in (each.name, each.title)]
        mend = base.near(name, words) or f"; there are {', '.join(each.name for each in known)}"
        raise base.Problem(f"there is no signal {name!r}{mend}", base.NOTHING)
    if json:
        base.print_json(found)
        return
    opens = "adds to what opens alerts" if found.alerts else "opens no alerts"
    base.say(f"{found.name} version {found.version}, {found.title}: {opens}", style="bold")
    base.say()
    base.say(found.method)
