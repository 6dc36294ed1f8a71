"""`tocsin replay`: recorded reports back through the line, in process or through Kafka."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import msgspec
import typer
from msgspec import Struct

from detectors.records import Alert, Report
from streams.commands.base import (
    Json,
    Problem,
    epilog,
    errors,
    note,
    open_settings,
    plain_errors,
    print_json,
    print_table,
    say,
    when,
)
from streams.wording import percent

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.sources import Reject


class Replayed(Struct, frozen=True):
    """What a replay came to."""

    reports: int
    rejected: dict[str, int]  # by reason
    seconds: float
    reports_per_second: float
    revisions: list[Alert]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "replay",
        epilog=epilog(
            "tocsin replay doha-2020 --inline",
            "tocsin replay reports.jsonl --embedded --out alerts.jsonl",
            "tocsin replay GEDEvent_v24.csv --inline --json > alerts.json",
        ),
    )(replay)


@plain_errors
def replay(  # noqa: PLR0913, PLR0917 - one for each option
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(help="A file of reports (JSON lines; UCDP .csv), or a scenario.")
    ],
    inline: Annotated[
        bool, typer.Option("--inline", help="In process, without Kafka: the same alerts, faster.")
    ] = False,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Through a broker in memory on this machine.")
    ] = False,
    prefix: Annotated[
        str, typer.Option(help="Topic prefix on your broker: a replay needs topics of its own.")
    ] = "tocsin-replay",
    out: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Write every alert revision here, one JSON record a line."),
    ] = None,
    json: Json = False,
) -> None:
    """Replay recorded reports at full speed, in their own time, and show the alerts.

    Stream time is each report's `seen_at`. Through Kafka or in process, the alerts are the same
    to the last byte.
    """
    from streams.commands.play import counted, split
    from streams.replay import read

    settings = open_settings(context)
    if inline and embedded:
        raise Problem("--inline needs no broker: drop --embedded")
    try:
        reports, rejects = split(read(file))
    except FileNotFoundError as error:
        raise Problem(str(error)) from error
    if not reports:
        raise Problem(f"{file} holds no report that can be read{_reasons(rejects)}", 1)
    started = time.monotonic()
    if inline:
        revisions = _inline(settings, reports)
    else:
        revisions = asyncio.run(_through_kafka(settings, reports, prefix, embedded=embedded))
    elapsed = time.monotonic() - started
    if out is not None:
        lines = b"".join(msgspec.json.encode(alert) + b"\n" for alert in revisions)
        out.write_bytes(lines)
    found = Replayed(
        reports=len(reports),
        rejected=counted(rejects),
        seconds=round(elapsed, 2),
        reports_per_second=round(len(reports) / elapsed, 1),
        revisions=revisions,
    )
    if json:
        print_json(found)
    else:
        _show(found, out)


def _reasons(rejects: Sequence[Reject]) -> str:
    from streams.commands.play import counted

    reasons = ", ".join(f"{n} {reason}" for reason, n in counted(rejects).items())
    return f": {reasons}" if reasons else ""


def _inline(settings: Settings, reports: Sequence[Report]) -> list[Alert]:
    from detectors.monitor import Monitor, Passed
    from streams.commands.play import progress, span_of
    from streams.replay import timed

    monitor = Monitor(settings.grid(), settings.policy(), settings.steps.disorder, settings.judge())
    with progress(errors(), "replaying", span_of(reports)) as bar:

        def show(passed: Passed) -> None:
            bar.reached(passed.coded.time)
            for failed in passed.coded.failed:
                note(f"{failed.report} could not be coded: {failed.error}")

        return list(monitor.run(timed(reports, settings.grid()), show))


async def _through_kafka(
    settings: Settings, reports: Sequence[Report], prefix: str, *, embedded: bool
) -> list[Alert]:
    from streams import logs
    from streams.broker import EmbeddedBroker
    from streams.commands.play import play
    from streams.process import Process, with_embedded

    logs.set_up(settings.worker.log_format)
    with ExitStack() as stack:
        if embedded:
            settings = with_embedded(settings, stack.enter_context(EmbeddedBroker()))
        else:
            settings = _apart(settings, prefix)
        async with Process(settings, collect=False, deliver=False) as process:
            return (await play(process, reports, errors())).revisions


def _apart(settings: Settings, prefix: str) -> Settings:
    """Return settings that keep a replay out of the live topics and the live store."""
    if prefix == settings.kafka.prefix:
        raise Problem(f"--prefix {prefix} is the live one: a replay needs topics of its own")
    own = settings.kafka.model_copy(update={"prefix": prefix, "group": prefix})
    folder = settings.worker.data_dir / prefix
    worker = settings.worker.model_copy(
        update={"data_dir": folder, "store": None, "metrics_port": 0}
    )
    return settings.model_copy(update={"kafka": own, "worker": worker})


def _show(found: Replayed, out: Path | None) -> None:
    last = {alert.id: alert for alert in found.revisions}
    rows = [
        (
            when(alert.opened_at),
            alert.id,
            alert.severity,
            alert.state,
            percent(alert.claim.probability),
            alert.outcome.verdict if alert.outcome else "open",
        )
        for alert in sorted(last.values(), key=lambda a: (a.opened_at, a.id))
    ]
    print_table(("opened", "alert", "severity", "state", "probability", "claim"), rows)
    refused = f", {sum(found.rejected.values())} refused" if found.rejected else ""
    say(
        f"{found.reports:,} reports{refused} in {found.seconds:.1f} s "
        f"({found.reports_per_second:,.0f}/s): {len(last)} alerts, "
        f"{len(found.revisions)} revisions"
    )
    for reason, count in found.rejected.items():
        say(f"  refused: {count} {reason}")
    if out is not None:
        say(f"every revision is in {out}")
