"""What all acts on alerts share: their options, the command that each becomes, and its sending."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from detectors.acts import LONGEST_TEXT
from detectors.records import Action, Alert, Command
from streams.codecs import encode
from streams.commands import base

if TYPE_CHECKING:
    from streams.settings import Settings

_LONGEST_NAME: Final = 200

Id = Annotated[str, typer.Argument(metavar="ID", help="The alert's id, or a unique beginning.")]
By = Annotated[str, typer.Option(help="Who does it: a desk or role.")]
Note = Annotated[str | None, typer.Option(help="A note to go with it.")]
Reason = Annotated[str, typer.Option(help="Why: it is kept with the alert.")]


def name(given: str, option: str) -> str:
    """Return a name given for an option, without spaces around it.

    Raises:
        Problem: It has no characters, or too many.
    """
    if not 0 < len(given.strip()) <= _LONGEST_NAME:
        raise base.Problem(f"{option} names a desk or role, in 1 to {_LONGEST_NAME} characters")
    return given.strip()


def text(given: str, option: str) -> str:
    """Return a text given for an option, without spaces around it.

    Raises:
        Problem: It has no characters, or too many.
    """
    if not 0 < len(given.strip()) <= LONGEST_TEXT:
        raise base.Problem(f"{option} takes 1 to {LONGEST_TEXT:,} characters of text")
    return given.strip()


def find(ctx: typer.Context, given: str) -> tuple[Settings, Alert, datetime | None]:
    """Return the settings, the alert of an id, and the newest stream time.

    Raises:
        Problem: There is no store, or no such alert.
    """
    settings = base.open_settings(ctx)
    with base.open_store(settings) as store:
        return settings, base.find_alert(store, given), base.stream_time(store)


def give(
    settings: Settings,
    newest: datetime | None,
    about: str,
    action: Action,
    by: str,
    **fields: Any,  # noqa: ANN401 - of `Command`
) -> Command:
    """Make a command and put it on its topic.

    Args:
        settings: Where the topic is.
        newest: The newest stream time that is known.
        about: The alert's id, or the silence's name.
        action: What is done.
        by: Who does it.
        fields: What else the command tells.
    """
    at = command_time(newest, settings.steps.fine, datetime.now(UTC))
    command = Command(uuid.uuid4().hex, about, action, at, name(by, "--by"), **fields)
    _send(settings, command)
    return command


def tell(command: Command, what: str, *, json: bool) -> None:
    """Say which command was sent, and how it will be answered."""
    if json:
        base.print_json(command)
        return
    base.say(f"{what} sent as command {command.id}")
    base.note(
        "a worker carries it out with the next step of stream time; what cannot be done is told by "
        "tocsin dead-letters list --reason act_refused"
    )


def command_time(newest: datetime | None, fine: int, now: datetime) -> datetime:
    """Return when a command is made, in stream time, which in a replay is not the wall clock."""
    if newest is None:
        return now
    return min(now, newest + timedelta(seconds=fine))


def _send(settings: Settings, command: Command) -> None:
    """Put a command on its topic, in the partition where the alerts are kept."""
    from streams import kafka

    topic, partition = place(settings)

    async def produce() -> None:
        producer = kafka.producer(settings.kafka)
        await producer.start()
        try:
            await producer.send_and_wait(
                topic, encode(command), command.alert.encode(), partition=partition
            )
        finally:
            await producer.stop()

    asyncio.run(produce())


def place(settings: Settings) -> tuple[str, int]:
    """Return the topic and partition of commands on alerts.

    Raises:
        Problem: The topic is missing, or has not as many partitions as the settings say.
    """
    from detectors.evidence import NAME
    from streams import kafka, topics
    from streams.commands import connect
    from streams.partitioning import partition_of

    topic = kafka.layout(settings.kafka).name(topics.COMMANDS)
    there = connect.partition_counts(settings, topics.COMMANDS)[topic]
    if there != settings.kafka.partitions:
        raise base.Problem(
            f"{topic} has {there} partitions, the settings say {settings.kafka.partitions}: "
            "see tocsin topics diff"
        )
    return topic, partition_of(NAME, there)
