"""`tocsin world commitments`: what the parties undertook, and what would speak of a breach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.commands import base

if TYPE_CHECKING:
    from detectors.world.commitments import Clause, Commitment, Evidence

EPILOG = base.epilog(
    "tocsin world commitments",
    "tocsin world commitments --on 2020-03-04",
    "tocsin world commitments --on 2020-03-04 --unit AF-KDZ",
    "tocsin world commitments doha-2020 --on 2020-07-01 --json",
)


@base.plain_errors
def commitments(
    id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Show this one, with its evidence.")
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="As of this day; else of today."),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(metavar="UNIT", help="Only clauses about this unit: AF-KDZ, AFG, AFG~PAK."),
    ] = None,
    json: base.Json = False,
) -> None:
    """List agreements, truces and assurances in force on a day, or show one of them.

    Each has clauses: who is obliged to what, towards whom, and until when. How a clause lies to
    the day is `ahead` (still to come), `running` (from day to day), `passed` or `over` (its last
    day was before; this says nothing of whether it was kept), or `undated`. The certainty says
    what days and words rest on: `claimed by one side` is a claim, not a fact.

    With an ID, its evidence follows: what would speak for a breach (+) or against it (-), in
    nats for one independently witnessed report; 0.7 doubles the odds.
    """
    day = on.date() if on else datetime.now(UTC).date()
    if id is not None:
        _show(_found(id), day, unit, json)
        return
    clauses = _in_force(day, unit)
    if not clauses and not json:
        base.nothing(f"the registry has nothing in force on {day}{f' for {unit}' if unit else ''}")
    if json:
        base.print_json([_as_json(each, day) for each in clauses])
    elif unit is None:
        _list({each.commitment: None for each in clauses}, day)
    else:
        _clauses(clauses, day, with_commitment=True)
    if not clauses:
        raise typer.Exit(base.NOTHING)


def _found(given: str) -> Commitment:
    """Return the commitment with an id.

    Raises:
        Problem: There is none.
    """
    from detectors.world.commitments import COMMITMENTS

    found = COMMITMENTS.get(given.casefold())
    if found is None:
        mend = base.near(given, COMMITMENTS) or f"; there are {', '.join(COMMITMENTS)}"
        raise base.Problem(f"there is no commitment {given!r}{mend}", base.NOTHING)
    return found


def _code(given: str) -> str:
    """Return the code of the unit that a code or a name means.

    Raises:
        Problem: No watched unit is called so.
    """
    from detectors.world.units import UNITS

    wanted = given.casefold()
    for known in UNITS.values():
        if wanted in (known.code.casefold(), known.name.casefold()):
            return known.code
    mend = base.near(given, [text for each in UNITS.values() for text in (each.code, each.name)])
    raise base.Problem(f"no watched unit is called {given!r}{mend}", base.NOTHING)


def _in_force(on: date, unit: str | None) -> list[Clause]:
    from detectors.world import commitments as registry

    if unit is not None:
        return list(registry.commitments(_code(unit), on))
    return [each for each in registry.CLAUSES.values() if each.holds(on)]


def _as_json(clause: Clause, on: date) -> dict[str, Any]:
    return {"on": on, "stage": clause.stage(on), "clause": clause}


def _span(first: date | None, last: date | None) -> str:
    return f"{first or '...'} to {last or '...'}"


def _list(ids: dict[str, None], on: date) -> None:
    from detectors.world.commitments import COMMITMENTS

    base.say(f"In force on {on}", style="bold")
    base.print_table(
        ("commitment", "what", "parties", "days", "certainty"),
        [
            (
                each.id,
                each.title,
                ", ".join(each.parties),
                _span(each.first, each.last),
                each.certainty,
            )
            for each in map(COMMITMENTS.__getitem__, ids)
        ],
    )


def _clauses(clauses: list[Clause], on: date, *, with_commitment: bool) -> None:
    base.print_table(
        ("clause", "who is to do what", "towards", "due", f"on {on}", "certainty"),
        [
            (
                each.id if with_commitment else each.id.partition("/")[2],
                f"{', '.join(each.obliged)}: {each.statement}",
                ", ".join(each.beneficiary),
                _due(each),
                each.stage(on),
                each.certainty,
            )
            for each in clauses
        ],
    )


def _due(clause: Clause) -> str:
    if clause.due is None:
        return ""
    if clause.due.continuous:
        return _span(clause.due.first, clause.due.last)
    return f"by {clause.due.last}"


def _show(found: Commitment, on: date, unit: str | None, json: bool) -> None:
    code = _code(unit) if unit else None
    clauses = [each for each in found.clauses if code is None or code in each.units]
    if json:
        stages = {each.id: each.stage(on) for each in clauses}
        base.print_json(
            {"on": on, "in_force": found.holds(on), "stages": stages, "commitment": found}
        )
        return
    base.say(f"{found.title} ({found.id})", style="bold")
    base.say(f"parties: {', '.join(found.parties)}")
    base.say(f"signed or announced: {found.signed or 'no day is known'}")
    standing = "in force" if found.holds(on) else "not in force"
    base.say(f"days: {_span(found.first, found.last)}; {standing} on {on}")
    base.say(f"source: {found.source}")
    base.say(f"certainty: {found.certainty}")
    base.say(f"then: {found.superseded_by or 'nothing took its place'}")
    if found.note:
        base.say(f"note: {found.note}")
    _clauses(clauses, on, with_commitment=False)
    for clause in clauses:
        if clause.note:
            base.say(f"{clause.id.partition('/')[2]}: {clause.note}")
    base.heading("What bears on it; the first row that fits a report decides")
    _evidence(clauses)


def _evidence(clauses: list[Clause]) -> None:
    base.print_table(
        ("clause", "nats", "event", "theme", "who acts", "upon whom", "note"),
        [
            (
                clause.id.partition("/")[2],
                f"{each.weight:+g}",
                _act(each),
                " or ".join(each.themes),
                " or ".join(each.acting),
                " or ".join(each.upon),
                each.note,
            )
            for clause in clauses
            for each in clause.evidence
        ],
    )


def _act(evidence: Evidence) -> str:
    """Return what an event must be: its types, modes, states and contexts."""
    from detectors.world.commitments.values import NO_MODE

    named: tuple[tuple[str, Sequence[str]], ...] = (
        ("", evidence.events),
        ("by ", ["no mode told" if each == NO_MODE else each for each in evidence.modes]),
        ("naming ", evidence.countries),
        ("about ", evidence.contexts),
    )
    return ", ".join(f"{word}{' or '.join(values)}" for word, values in named if values)
