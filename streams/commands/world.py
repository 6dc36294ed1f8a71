"""`tocsin world`: what is watched and who acts there, as the packaged registries have it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands import base

if TYPE_CHECKING:
    from detectors.world.actors import Actor, Name, Role


def register(app: typer.Typer) -> None:
    """Add `tocsin world`."""
    group = typer.Typer(help="What is watched, and who acts there.", no_args_is_help=True)
    group.command("check", epilog=base.epilog("tocsin world check", "tocsin world check --json"))(
        check
    )
    group.command(
        "show",
        epilog=base.epilog(
            "tocsin world show taliban", "tocsin world show taliban --on 2020-06-01 --json"
        ),
    )(show)
    app.add_typer(group, name="world")


@base.plain_errors
def check(json: base.Json = False) -> None:
    """Check every registry; say what is wrong with which row."""
    from detectors.world.check import CHECKS, problems

    found = problems()
    if json:
        base.print_json(found)
    else:
        for problem in found:
            base.say(str(problem))
    if found:
        raise typer.Exit(base.NOTHING)
    if not json:
        base.say(f"nothing is wrong with: {', '.join(CHECKS)}")


@base.plain_errors
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="Its id or label, such as taliban.")],
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="As of this day; else of today."),
    ] = None,
    json: base.Json = False,
) -> None:
    """Show an organisation as of a day: its role, references of lists, and names by speaker."""
    from detectors.world.actors import actor

    day = on.date() if on else datetime.now(UTC).date()
    found = actor(_id_of(id), day)
    if json:
        base.print_json(found)
        return
    base.say(f"{found.label} ({found.id}) on {day}", style="bold")
    base.say(f"role: {_role(found.role)}")
    base.say(f"country: {found.country or 'none'}")
    base.say(f"references: {', '.join(found.identifiers) or 'none'}")
    if found.names:
        _names(found)


def _id_of(given: str) -> str:
    """Return the id of the organisation that an id or label names.

    Raises:
        Problem: There is none.
    """
    from detectors.world.actors import ACTORS

    for known in ACTORS.values():
        if given.casefold() in (known.id, known.label.casefold()):
            return known.id
    names = [text for known in ACTORS.values() for text in (known.label, known.id)]
    mend = base.near(given, names) or f"; there are {', '.join(ACTORS)}"
    raise base.Problem(f"the registry has no organisation {given!r}{mend}", base.NOTHING)


def _days(first: date | None, last: date | None) -> str:
    if first is None and last is None:
        return ""
    return f"{first or '...'} to {last or '...'}"


def _role(role: Role | None) -> str:
    if role is None:
        return "none on that day"
    within = f", within {role.within}" if role.within else ""
    days = _days(role.first, role.last)
    note = f": {role.note}" if role.note else ""
    return f"{role.kind}, {role.side}{within}{f', {days}' if days else ''}{note}"


def _where(name: Name) -> str:
    return {"generic": f"in {name.country}", "record": "structured sources"}.get(name.scope, "")


def _names(found: Actor) -> None:
    base.print_table(
        ("language", "called so by", "name", "days", "where", "note"),
        [
            (
                name.language,
                name.speaker or "anyone",
                name.text,
                _days(name.first, name.last),
                _where(name),
                name.note,
            )
            for name in found.names
        ],
    )
