"""`tocsin alerts acknowledge` and its like: what an analyst does with one alert."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from detectors.acts import ALLOWED
from detectors.records import Action, Alert
from streams.commands import acting, base
from streams.commands.acting import By, Id, Note, Reason


def register(group: typer.Typer) -> None:
    """Add the acts to `tocsin alerts`."""
    alert = "S1-rise-AF-KAN-20200422"
    examples: dict[Callable[..., None], list[str]] = {
        acknowledge: [f"{alert} --by 'desk south'", f"{alert} --by desk --note 'seen, asking'"],
        unacknowledge: [f"{alert} --by desk --note 'not ours'"],
        assign: [f"{alert} --to 'desk south' --by desk"],
        note: [f"{alert} 'the office confirms it' --by desk"],
        dispute: [f"{alert} --by desk --reason 'an old report, printed anew'"],
        retract: [f"{alert} --by desk --reason 'a hoax'"],
    }
    for command, shown in examples.items():
        called = command.__name__
        lines = [f"tocsin alerts {called} {each}" for each in shown]
        group.command(called, epilog=base.epilog(*lines))(command)
    short = base.epilog(
        f"tocsin alerts ack {alert} --by desk", "Short for tocsin alerts acknowledge."
    )
    group.command("ack", hidden=True, epilog=short)(acknowledge)


@base.plain_errors
def acknowledge(
    ctx: typer.Context, id: Id, *, by: By, note: Note = None, json: base.Json = False
) -> None:
    """Acknowledge an alert: someone is looking at it."""
    settings, alert, newest = acting.find(ctx, id)
    if alert.acknowledged_by is not None:
        text = f"{alert.id} was acknowledged before, by {alert.acknowledged_by}"
        raise base.Problem(text, base.NOTHING)
    _check(alert, "acknowledge")
    given = acting.text(note, "--note") if note is not None else None
    command = acting.give(settings, newest, alert.id, "acknowledge", by, note=given)
    acting.tell(command, f"acknowledgement of {alert.id}", json=json)


@base.plain_errors
def unacknowledge(
    ctx: typer.Context, id: Id, *, by: By, note: Note = None, json: base.Json = False
) -> None:
    """Take an acknowledgement back: nobody is looking at it any more.

    When it was first acknowledged stays known.
    """
    settings, alert, newest = acting.find(ctx, id)
    _check(alert, "unacknowledge")
    if alert.acknowledged_by is None:
        raise base.Problem(f"nobody has acknowledged {alert.id}", base.NOTHING)
    given = acting.text(note, "--note") if note is not None else None
    command = acting.give(settings, newest, alert.id, "unacknowledge", by, note=given)
    acting.tell(command, f"taking back of the acknowledgement of {alert.id}", json=json)


@base.plain_errors
def assign(
    ctx: typer.Context,
    id: Id,
    *,
    to: Annotated[str, typer.Option(help="Whose it is from now on: a desk or role.")],
    by: By,
    note: Note = None,
    json: base.Json = False,
) -> None:
    """Assign an alert to somebody."""
    settings, alert, newest = acting.find(ctx, id)
    _check(alert, "assign")
    given = acting.text(note, "--note") if note is not None else None
    whom = acting.name(to, "--to")
    if whom == alert.assigned_to:
        raise base.Problem(f"{alert.id} is assigned to {whom} already", base.NOTHING)
    command = acting.give(settings, newest, alert.id, "assign", by, to=whom, note=given)
    acting.tell(command, f"assignment of {alert.id} to {whom}", json=json)


@base.plain_errors
def note(
    ctx: typer.Context,
    id: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be known of it.")],
    *,
    by: By,
    json: base.Json = False,
) -> None:
    """Note something on an alert, also on one that has ended."""
    settings, alert, newest = acting.find(ctx, id)
    given = acting.text(text, "TEXT")
    command = acting.give(settings, newest, alert.id, "note", by, note=given)
    acting.tell(command, f"note on {alert.id}", json=json)


@base.plain_errors
def dispute(ctx: typer.Context, id: Id, *, by: By, reason: Reason, json: base.Json = False) -> None:
    """Dispute an alert: say that you hold it to be wrong, also of one that has ended.

    It goes on as before. `tocsin ledger` shows who disputed what, and how it turned out.
    """
    settings, alert, newest = acting.find(ctx, id)
    given = acting.text(reason, "--reason")
    command = acting.give(settings, newest, alert.id, "dispute", by, note=given)
    acting.tell(command, f"dispute of {alert.id}", json=json)


@base.plain_errors
def retract(ctx: typer.Context, id: Id, *, by: By, reason: Reason, json: base.Json = False) -> None:
    """Retract an alert: it should not have been raised. It ends, and cannot be taken up again.

    Its claim is settled in the ledger all the same. Until its evidence is over, only graver
    evidence opens another.
    """
    settings, alert, newest = acting.find(ctx, id)
    _check(alert, "retract")
    given = acting.text(reason, "--reason")
    command = acting.give(settings, newest, alert.id, "retract", by, note=given)
    acting.tell(command, f"retraction of {alert.id}", json=json)


def _check(alert: Alert, action: Action) -> None:
    """Refuse an act that the alert's state does not allow.

    Raises:
        Problem: It does not.
    """
    if alert.state not in ALLOWED[action]:
        text = f"{alert.id} is {alert.state}: there is nothing left to {action}"
        raise base.Problem(
            f"{text}; tocsin alerts note and dispute still can be used", base.NOTHING
        )
