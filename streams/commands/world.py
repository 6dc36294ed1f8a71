"""`tocsin world`: what is watched, who acts, who reports, as the packaged registries have it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Final, get_args

import typer

from detectors.world.units import Kind
from streams.commands import base, commitments

if TYPE_CHECKING:
    from detectors.world.actors import Actor, Name, Role
    from detectors.world.families import Family

_HEADINGS: Final[dict[Kind, str]] = {
    "admin1": "Provinces and their like (ISO 3166-2)",
    "country": "Countries (ISO 3166-1)",
    "border": "Stretches of border",
    "dyad": "Relations of two states",
    "actor": "Organisations that are or were armed groups",
}


def register(app: typer.Typer) -> None:
    """Add `tocsin world`."""
    about = "What is watched, who acts there, who reports it."
    group = typer.Typer(help=about, no_args_is_help=True)
    group.command("check", epilog=base.epilog("tocsin world check", "tocsin world check --json"))(
        check
    )
    group.command(
        "show",
        epilog=base.epilog(
            "tocsin world show taliban",
            "tocsin world show taliban --on 2020-06-01 --json",
            "tocsin world show reuters",
        ),
    )(show)
    group.command(
        "units",
        epilog=base.epilog(
            "tocsin world units",
            "tocsin world units --kind border",
            "tocsin world units --json | jq '.[].code'",
        ),
    )(units)
    group.command("commitments", epilog=commitments.EPILOG)(commitments.commitments)
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
    id: Annotated[str, typer.Argument(metavar="ID", help="Its id or label, or an outlet.")],
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="As of this day; else of today."),
    ] = None,
    json: base.Json = False,
) -> None:
    """Show an organisation as of a day, or the publisher family of an outlet.

    Of an organisation its role, references of lists, and names by speaker; of a family its side and
    the names and domains by which it is found. An organisation goes before an outlet of its name.
    """
    from detectors.world.actors import actor
    from detectors.world.families import FAMILIES, find

    day = on.date() if on else datetime.now(UTC).date()
    known = _id_of(id)
    outlet = find(id) if known is None else None
    if outlet is not None:
        _show_family(FAMILIES[outlet.family], day, json)
        return
    if known is None:
        raise _unknown(id)
    found = actor(known, day)
    if json:
        base.print_json(found)
        return
    base.say(f"{found.label} ({found.id}) on {day}", style="bold")
    base.say(f"role: {_role(found.role)}")
    base.say(f"country: {found.country or 'none'}")
    base.say(f"references: {', '.join(found.identifiers) or 'none'}")
    if found.names:
        _names(found)


@base.plain_errors
def units(
    kind: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(get_args(Kind))}; else all.")
    ] = None,
    json: base.Json = False,
) -> None:
    """List the units that are watched, by kind."""
    from detectors.world.units import of_kind

    kinds = base.kinds_named(kind, get_args(Kind))
    if json:
        base.print_json(of_kind(*kinds))
        return
    for each in kinds:
        found = of_kind(each)
        base.heading(f"{_HEADINGS[each]}: {len(found)}")
        base.print_table(
            ("code", "name", "countries"),
            [(unit.code, unit.name, ", ".join(unit.countries)) for unit in found],
        )


def _id_of(given: str) -> str | None:
    """Return the id of the organisation that an id or label names, if one does."""
    from detectors.world.actors import ACTORS

    for known in ACTORS.values():
        if given.casefold() in (known.id, known.label.casefold()):
            return known.id
    return None


def _unknown(given: str) -> base.Problem:
    """Return what to say of a name that no registry has."""
    from detectors.world.actors import ACTORS
    from detectors.world.families import FAMILIES

    names = [text for known in ACTORS.values() for text in (known.label, known.id)]
    outlets = [text for known in FAMILIES.values() for text in (known.name, known.id)]
    mend = base.near(given, names + outlets) or f"; there are {', '.join(ACTORS)}"
    said = f"the registries have no organisation and no outlet {given!r}{mend}"
    return base.Problem(said, base.NOTHING)


def _show_family(found: Family, on: date, json: bool) -> None:
    """Print a publisher family with its side on a day."""
    if json:
        base.print_json({"family": found, "on": on, "voice": found.voice(on)})
        return
    standing = found.standing(on)
    base.say(f"{found.name} ({found.id}) on {on}: one witness", style="bold")
    base.say(f"kind: {found.kind}")
    base.say(f"country: {found.country or 'none'}")
    base.say(f"voice: {found.voice(on)}")
    base.say(f"rests on: {(standing and standing.note) or 'nothing beyond its own name'}")
    base.print_table(
        ("language", "outlet", "kind"),
        [(outlet.language, outlet.text, outlet.kind) for outlet in found.outlets],
    )


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
