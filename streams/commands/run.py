"""`tocsin run`: one process that collects, codes, scores, alerts and delivers."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Annotated, Final, Optional

import typer

from streams.commands.base import Problem, open_settings, plain_errors

if TYPE_CHECKING:
    from streams.process import Process
    from streams.settings import Settings

FAILED: Final = 70  # the same as `streams.process.FAILED`, without loading it
_LAST_SECONDS: Final = 10.0  # for what is left of a process that has stopped
_HELP: Final = "\n\n".join((
    "Run Tocsin: poll the sources, code and score what they report, raise and deliver alerts.",
    "It needs a Kafka broker: name one in TOCSIN_KAFKA_BOOTSTRAP=host:9092 (or kafka.bootstrap in "
    "tocsin.toml), or try it with --embedded. Feeds are the sources of tocsin.toml. Missing topics "
    "are created. Ctrl-C or SIGTERM stops it in order, a second one at once.",
    "Start the same command on more machines to share the work: all but one of them with "
    "--no-collect and --no-store, and worker.store set to a PostgreSQL that all of them reach.",
))  # fmt: skip
_EPILOG: Final = """
Examples:

tocsin run --embedded  (a broker in memory, all forgotten at the end)

TOCSIN_KAFKA_BOOTSTRAP=kafka:9092 tocsin run  (everything in one process)

tocsin --settings prod.toml run --no-collect --no-store  (one more worker)

Exit codes: 0 stopped as told, 2 wrong usage or settings, 70 it failed and should be restarted.
"""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("run", help=_HELP, epilog=_EPILOG)(run)


@plain_errors
def run(
    ctx: typer.Context,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Bring a broker in memory on this machine.")
    ] = False,
    no_collect: Annotated[
        bool, typer.Option("--no-collect", help="Poll no sources: another process does.")
    ] = False,
    no_store: Annotated[
        bool, typer.Option("--no-store", help="Do not fill the store: another process does.")
    ] = False,
    partitions: Annotated[
        Optional[int],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            min=1, max=512, help="Partitions of each topic, so at most so many workers share."
        ),
    ] = None,
) -> None:
    """Run one process of Tocsin."""
    settings = _settings(ctx, embedded, partitions)
    code = _serve(settings, embedded=embedded, collect=not no_collect, store=not no_store)
    raise typer.Exit(code)


def _settings(ctx: typer.Context, embedded: bool, partitions: int | None) -> Settings:
    """Read the settings, and refuse a run without a broker.

    Raises:
        SettingsError: They cannot be used, or name no broker.
    """
    from streams import kafka

    settings = open_settings(ctx)
    if partitions is not None:
        own = settings.kafka.model_copy(update={"partitions": partitions})
        settings = settings.model_copy(update={"kafka": own})
    if not embedded:
        kafka.bootstrap(settings.kafka)
    return settings


def _serve(settings: Settings, *, embedded: bool, collect: bool, store: bool) -> int:
    """Run the process to its end; return its exit code.

    Raises:
        Problem: It could not start.
    """
    import aiokafka.errors
    import kafka.errors

    from streams import logs
    from streams.broker import BrokerError
    from streams.process import serve
    from streams.sources import SourceConfigError
    from streams.topics import TopicError

    logs.set_up(settings.worker.log_format)
    running = serve(
        settings,
        embedded=embedded,
        collect=collect,
        store=store,
        started=lambda process: _tell(process, embedded),
    )

    async def to_its_end() -> int:
        code = FAILED
        try:
            code = await running
        finally:
            _end_within(_LAST_SECONDS, code)
        return code

    try:
        return asyncio.run(to_its_end())
    except SourceConfigError as error:
        raise Problem(str(error)) from error
    except (kafka.errors.KafkaError, aiokafka.errors.KafkaError) as error:
        where = f"the Kafka broker at {settings.kafka.bootstrap}"
        raise Problem(
            f"{where} cannot be used ({error}): is it up, and the address right?", FAILED
        ) from error
    except (TopicError, BrokerError) as error:
        raise Problem(str(error), FAILED) from error
    except OSError as error:
        raise Problem(f"it cannot start: {error}", FAILED) from error


def _end_within(seconds: float, code: int) -> None:
    """End this process after so long, whatever of it still runs: its supervisor waits for that."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()


def _tell(process: Process, embedded: bool) -> None:
    """Say where to look."""
    from streams.broker import VOLATILE

    lines = [
        f"metrics  {process.address}/metrics",
        f"feed     {process.address}/feed.atom",
        f"health   {process.address}/healthz and {process.address}/readyz",
        f"broker   {process.settings.kafka.bootstrap}",
    ]
    if process.collector is not None:
        names = ", ".join(process.collector.sources)
        lines.append(f"sources  {names or 'none: nothing comes in without [[sources]]'}")
    if embedded:
        lines.append(VOLATILE)
    for line in lines:
        typer.echo(line)


__all__ = ["register", "run"]
