"""`tocsin schema`: the JSON Schemas of the records that travel on the topics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from detectors.records import Record
from streams.asyncapi import document
from streams.codecs import TYPES, schema, tag_of
from streams.commands import base

_RECORDS: Final[dict[str, type[Record]]] = {each.__name__: each for each in TYPES}


def register(app: typer.Typer) -> None:
    """Add `tocsin schema`."""
    app.command(
        "schema",
        epilog=base.epilog(
            "tocsin schema Alert",
            "tocsin schema event.v1 > event.schema.json",
            "tocsin schema --out schemas",
            "tocsin schema --asyncapi > asyncapi.json",
        ),
    )(export)


@base.plain_errors
def export(
    record: Annotated[
        str | None,
        typer.Argument(metavar="RECORD", help=f"{', '.join(_RECORDS)}, or a tag such as alert.v1."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write one file for each record into this folder."),
    ] = None,
    asyncapi: Annotated[
        bool, typer.Option("--asyncapi", help="Describe all topics, as AsyncAPI 3.0.")
    ] = False,
) -> None:
    """Export JSON Schemas (2020-12) of the records: of one, or of all by their tags."""
    if asyncapi:
        base.print_json(document())
        return
    chosen = [_find(record)] if record else list(TYPES)
    schemas: dict[str, dict[str, Any]] = {tag_of(each): schema(each) for each in chosen}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for tag, content in schemas.items():
            path = out / f"{tag}.schema.json"
            path.write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
            base.say(str(path))
    else:
        base.print_json(schemas[tag_of(chosen[0])] if record else schemas)


def _find(given: str) -> type[Record]:
    for name, record in _RECORDS.items():
        if given.casefold() in (name.casefold(), tag_of(record)):
            return record
    known = [text for name, each in _RECORDS.items() for text in (name, tag_of(each))]
    mend = base.near(given, known) or f"; there are {', '.join(_RECORDS)}"
    raise base.Problem(f"there is no record {given!r}{mend}", base.NOTHING)
