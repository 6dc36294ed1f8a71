"""`tocsin code`: how a text is read, and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from msgspec import Struct

from streams.commands import base

if TYPE_CHECKING:
    from detectors.coding.trace import Trace
    from detectors.records import Casualties, Event, Report

_EARLIEST = 1970  # the registries begin here
_LATEST = 2100
_MOST_TOLD = 5  # lines that are no report
_LONGEST_DETAIL = 300  # characters
_BOM = b"\xef\xbb\xbf"
_HELP = "\n\n".join((
    "Read a text as the coder does, and explain the result: every span that mattered, what was "
    "made of it, and what was rejected and why.",
    "English, Pashto, Dari and Persian, Urdu, Arabic. Give a text, or with --file reports as JSON "
    "lines (- for standard input).",
))  # fmt: skip


class Explained(Struct, frozen=True):
    """A report and how it was read, as `--json` prints it."""

    report: str
    trace: Trace


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "code",
        help=_HELP,
        epilog=base.epilog(
            'tocsin code "A roadside bomb killed at least 12 people in Kunduz on Tuesday."',
            'tocsin code --on 2020-03-05 "در انفجار ماین در کندز ۱۲ تن کشته شدند"',
            "tocsin code --file reports.jsonl --json",
        ),
    )(code)


@base.plain_errors
def code(
    text: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(help="The text; its first line is the title."),
    ] = None,
    file: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Reports as JSON lines instead; - is standard input."),
    ] = None,
    on: Annotated[
        Optional[datetime],  # noqa: UP045 - typer reads it at run time
        typer.Option(formats=["%Y-%m-%d"], help="The day of the report; today unless given."),
    ] = None,
    json: base.Json = False,
) -> None:
    """Explain how texts are read."""
    from detectors.coding.trace import trace

    if (text is None) == (file is None):
        raise base.Problem("give either a text or --file")
    broken: list[str] = []
    reports = [_report(text, on)] if text is not None else _reports(file or Path("-"), broken)
    found = [Explained(report.id, trace(report)) for report in reports]
    if json:
        base.print_json(found)
    else:
        for number, each in enumerate(found):
            if number:
                base.say()
            _show(each)
    if broken:
        raise base.Problem("; ".join(broken[:_MOST_TOLD]) + _more(len(broken) - _MOST_TOLD))


def _more(count: int) -> str:
    return f"; and {count} more" if count > 0 else ""


def _report(text: str, on: datetime | None) -> Report:
    from detectors.records import Report

    # Bytes of the shell that are not UTF-8 come as half surrogate pairs, which nothing can print.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    title, _, body = whole.strip().partition("\n")
    if not title:
        raise base.Problem("the text is empty")
    if on is not None and not _EARLIEST <= on.year <= _LATEST:
        raise base.Problem(f"--on {on.date()}: give a year from {_EARLIEST} to {_LATEST}")
    at = on.replace(hour=12, tzinfo=UTC) if on else datetime.now(UTC)
    return Report(
        id="text", source="text", seen_at=at, title=title[:2_000], text=body.strip()[:200_000]
    )


def _reports(file: Path, broken: list[str]) -> Iterator[Report]:
    """Yield the reports of a file; note in `broken` the lines that are none."""
    from detectors.records import Report
    from streams.codecs import Rejected, decoder

    decode = decoder(Report)
    lines = sys.stdin.buffer if str(file) == "-" else file.open("rb")
    with lines:
        for number, line in enumerate(lines, 1):
            raw = line.removeprefix(_BOM) if number == 1 else line
            if not raw.strip():
                continue
            try:
                report = decode(raw)
            except Rejected as rejected:
                why = f"{rejected.reason}: {rejected.detail[:_LONGEST_DETAIL]}"
                broken.append(f"line {number} of {file} is no report ({why})")
            else:
                yield report


def _show(explained: Explained) -> None:
    found = explained.trace
    base.heading(f"{explained.report}: {found.coded.outcome}, language {found.language or 'und'}")
    if found.note:
        base.say(found.note)
    if found.coded.events:
        _show_event(found.coded.events)
    for line in found.lines:
        base.say()
        base.say(f"“{line.text}”")
        base.say(f"  says: {line.says}")
        for mark in line.marks:
            rejected = f"  REJECTED: {mark.rejected}" if mark.rejected else ""
            base.say(f"  {mark.text}  {'; '.join(mark.meanings)}{rejected}")


def _show_event(events: tuple[Event, ...]) -> None:
    event = events[0]
    place = event.place
    rows = [
        ("event", " ".join(filter(None, (event.event, event.mode, *event.auxiliary)))),
        ("units", ", ".join(each.unit for each in events)),
        ("place", f"{place.name} ({place.precision})" if place else "none"),
        ("occurred", _days(event)),
        ("killed", _people(event.killed)),
        ("who they were", ", ".join(event.victims) or "not said"),
        ("killed, also told", ", ".join(map(str, event.killed_also)) or "nothing else"),
        ("injured", _people(event.injured)),
        ("civilians killed", _people(event.civilians_killed)),
        ("statement", event.statement or "none"),
        ("voices", ", ".join(event.voices) or "none cited"),
        ("organisations", ", ".join(event.actors) or "none named"),
        ("contexts", ", ".join(event.contexts) or "none named"),
        ("themes", ", ".join(event.themes) or "none named"),
        ("publisher", event.publisher),
        ("reprint of", event.wire or "nothing credited"),
    ]
    base.print_table(("field", "value"), rows)


def _days(event: Event) -> str:
    if event.occurred is None:
        return "not said"
    by = ", by its publication" if event.dated_by == "publication" else ""
    return f"{event.occurred.start} to {event.occurred.end}{by}"


def _people(count: Casualties | None) -> str:
    if count is None:
        return "not said"
    if count.low == count.high:
        return str(count.best)
    return f"{count.low} to {count.high}, best {count.best}"
