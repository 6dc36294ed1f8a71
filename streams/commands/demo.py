"""`tocsin demo`: half a year of Afghanistan through the whole line, and what it called."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from streams.commands.base import (
    Json,
    Problem,
    epilog,
    errors,
    heading,
    open_settings,
    plain_errors,
    say,
)

if TYPE_CHECKING:
    from detectors.records import Alert
    from streams.commands.summary import Summary
    from streams.process import Process
    from streams.scenarios.facts import Fact
    from streams.settings import Settings

SCENARIO = "doha-2020"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "demo",
        epilog=epilog(
            "tocsin demo",
            "tocsin demo --serve        keeps metrics and the feed up until Ctrl-C",
            "tocsin demo --json > summary.json",
        ),
    )(demo)


@plain_errors
def demo(
    context: typer.Context,
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep the broker, metrics and feed up at the end.")
    ] = False,
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of each topic.")] = 4,
    json: Json = False,
) -> None:
    """Replay January to June 2020 through Kafka and show what was called, when, and why.

    About 3,600 reports of 1,660 incidents go through a broker in memory: the lull before the
    agreement of 29 February 2020, the surge after it, the Eid ceasefire, and an outlet that falls
    silent. Nothing of this machine is used but a folder below the data directory.
    """
    settings = open_settings(context)
    folder = settings.worker.data_dir / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    port = settings.worker.metrics_port if serve else 0
    changed = {"data_dir": folder, "store": None, "metrics_port": port}
    settings = settings.model_copy(
        update={
            "worker": settings.worker.model_copy(update=changed),
            "kafka": settings.kafka.model_copy(update={"partitions": partitions}),
        }
    )
    asyncio.run(_demo(settings, serve=serve, json=json))


async def _demo(settings: Settings, *, serve: bool, json: bool) -> None:
    from streams import logs, replay
    from streams.broker import EmbeddedBroker
    from streams.commands.play import play, split
    from streams.commands.summary import show, summarise
    from streams.process import Process, embedded_kafka
    from streams.scenarios.render import facts

    logs.set_up(settings.worker.log_format)
    talk = errors()
    reports, _ = split(replay.read(SCENARIO))
    truth = facts(SCENARIO)
    with ExitStack() as stack:
        talk.print("Starting a broker in memory and a worker ...")
        broker = stack.enter_context(EmbeddedBroker())
        own = embedded_kafka(settings.kafka, broker)
        settings = settings.model_copy(update={"kafka": own})
        async with Process(settings, collect=False) as process:
            played = await play(process, reports, talk)
            summary = summarise(
                played.revisions,
                truth,
                settings.policy().budget,
                reports=played.reports,
                seconds=played.seconds,
                span=played.span,
            )
            picture = _plot(process, played.revisions, truth)
            if json:
                typer.echo(msgspec.json.encode(summary))
            else:
                show(summary)
                _where_to_look(summary, settings, picture, process, serve=serve)
            if serve:
                await _until_told(process)


def _plot(process: Process, revisions: Sequence[Alert], facts: Sequence[Fact]) -> Path:
    """Draw what happened in Afghanistan by day, and below it what was called where."""
    from streams.plots import overview_plot

    by_day = Counter(fact.day_start for fact in facts if fact.country == "AFG")
    first, last = min(by_day), max(by_day)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    scored = process.store.score_days("S1", "rise", "AFG")
    dark = [score.day for score in scored if score.coverage != "ok"]
    path = process.settings.worker.data_dir / "overview.png"
    overview_plot(days, [by_day[day] for day in days], revisions, dark, path)
    return path


def _where_to_look(
    summary: Summary, settings: Settings, picture: Path, process: Process, *, serve: bool
) -> None:
    example = next((row.alert for row in summary.called if row.alert), None)
    heading("Look further")
    say(f"  export TOCSIN_WORKER_DATA_DIR={settings.worker.data_dir}")
    tocsin = "tocsin" if shutil.which("tocsin") else sys.argv[0]
    say(f"  {tocsin} alerts list")
    if example:
        say(f"  {tocsin} explain {example}")
    say(f"  picture: {picture}")
    if serve:
        say(f"  metrics: {process.address}/metrics    feed: {process.address}/feed.atom")
        say(
            f"  TOCSIN_KAFKA_BOOTSTRAP={settings.kafka.bootstrap} TOCSIN_KAFKA_IDEMPOTENT=false "
            f"TOCSIN_KAFKA_PARTITIONS={settings.kafka.partitions} {tocsin} alerts ack ID --by NAME"
        )


async def _until_told(process: Process) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    errors().print("Serving until Ctrl-C ...")
    while not stop.is_set():
        if (failure := process.failure) is not None:
            raise Problem(str(failure), 70)
        await asyncio.sleep(0.2)
