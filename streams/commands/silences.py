"""`tocsin alerts silence`, `unsilence` and `silences`: what subscribers are not told of for now."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Final, cast, get_args

import typer
from msgspec import Struct

from detectors.acts import CannotBeDone
from detectors.records import Command, Direction, Scope
from detectors.silencing import LONGEST_DAYS, Silenced, lift, set_silence
from detectors.timegrid import seconds
from detectors.world.units import name_of
from streams.codecs import Rejected, decoder
from streams.commands import acting, base, times
from streams.commands.acting import By, Reason

if TYPE_CHECKING:
    from streams.settings import Settings

_POLL_MS: Final = 200
_PATIENCE_SECONDS: Final = 30.0


class Standing(Struct, frozen=True):
    """One silence as `tocsin alerts silences --json` prints it."""

    name: str
    by: str
    until: datetime
    reason: str
    scope: Scope


def register(group: typer.Typer) -> None:
    """Add the silences to `tocsin alerts`."""
    reason = "--by desk --reason 'road works'"
    group.command(
        "silence",
        epilog=base.epilog(
            f"tocsin alerts silence --unit Kandahar --for 12h {reason}",
            f"tocsin alerts silence --unit AFG --signal S14 --until 2026-03-01T06:00Z {reason}",
            f"tocsin alerts silence --everything --for 1h {reason}",
        ),
    )(silence)
    group.command(
        "unsilence", epilog=base.epilog("tocsin alerts unsilence silence-1a2b3c4d --by desk")
    )(unsilence)
    group.command(
        "silences", epilog=base.epilog("tocsin alerts silences", "tocsin alerts silences --json")
    )(silences)


@base.plain_errors
def silence(  # noqa: PLR0913 - one for each option
    ctx: typer.Context,
    *,
    by: By,
    reason: Reason,
    unit: Annotated[
        list[str] | None,
        typer.Option(help="Code or name of a unit, or of a country with all in it."),
    ] = None,
    signal: Annotated[
        list[str] | None, typer.Option(help="A signal that alerts rest on: tocsin signals list.")
    ] = None,
    direction: Annotated[list[str] | None, typer.Option(help="Only rise, or fall.")] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="All alerts: needed where nothing is chosen.")
    ] = False,
    lasts: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="How long: 12h or 3d.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Until when (UTC unless it has an offset)."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call it; one of that name is replaced.")
    ] = None,
    json: base.Json = False,
) -> None:
    """Silence alerts: subscribers are not told of them for now.

    It is about the alerts that match all that is chosen, those that live and those that open
    meanwhile. Alerts go on as before, and say that they are silenced.
    """
    settings = base.open_settings(ctx)
    scope = scope_of(unit, signal, direction)
    if scope == Scope() and not everything:
        raise base.Problem("choose by --unit, --signal or --direction, or say --everything")
    if scope != Scope() and everything:
        raise base.Problem("--everything leaves nothing to choose by --unit, --signal, --direction")
    with base.open_store(settings) as store:
        newest = base.stream_time(store)
    now = acting.command_time(newest, settings.steps.fine, datetime.now(UTC))
    end = _end(lasts, until, now)
    called = acting.name(name, "--name") if name else f"silence-{uuid.uuid4().hex[:8]}"
    given = acting.text(reason, "--reason")
    command = acting.give(
        settings, newest, called, "silence", by, note=given, scope=scope, until=end
    )
    acting.tell(command, f"silence {called} until {base.when(end)}", json=json)


@base.plain_errors
def unsilence(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="See tocsin alerts silences.")],
    *,
    by: By,
    json: base.Json = False,
) -> None:
    """End a silence before its time."""
    settings = base.open_settings(ctx)
    with base.open_store(settings) as store:
        newest = base.stream_time(store)
    known = [each.name for each in _standing(settings, newest)]
    if name not in known:
        mend = base.near(name, known) or "; see tocsin alerts silences"
        raise base.Problem(f"no silence is called {name!r}{mend}", base.NOTHING)
    command = acting.give(settings, newest, name, "unsilence", by)
    acting.tell(command, f"end of silence {name}", json=json)


@base.plain_errors
def silences(ctx: typer.Context, *, json: base.Json = False) -> None:
    """List the silences that last, the one that ends first before the others."""
    settings = base.open_settings(ctx)
    with base.open_store(settings) as store:
        newest = base.stream_time(store)
    found = _standing(settings, newest)
    if json:
        base.print_json(found)
    elif found:
        base.print_table(
            ("name", "until", "of", "by", "reason"),
            [(s.name, base.when(s.until), in_words(s.scope), s.by, s.reason) for s in found],
        )
    if not found:
        base.nothing("nothing is silenced")


def scope_of(
    units: list[str] | None, signals: list[str] | None, directions: list[str] | None
) -> Scope:
    """Return the scope of codes or names.

    Raises:
        Problem: A unit, signal or direction is not known; the text names what is spelt nearly so.
    """
    return Scope(
        units=tuple(dict.fromkeys(map(base.unit_named, units or ()))),
        signals=tuple(dict.fromkeys(map(signal_named, signals or ()))),
        directions=tuple(dict.fromkeys(map(_direction, directions or ()))),
    )


def _direction(given: str) -> Direction:
    for known in get_args(Direction):
        if given.casefold() == known:
            return cast(Direction, known)
    raise base.Problem(f"there is no direction {given!r}; there are rise, fall")


def signal_named(given: str) -> str:
    """Return the name of a signal.

    Raises:
        Problem: There is none.
    """
    from detectors.signals import SIGNALS

    for known in SIGNALS:
        if given.casefold() == known.casefold():
            return known
    mend = base.near(given, SIGNALS) or f"; there are {', '.join(SIGNALS)}"
    raise base.Problem(f"there is no signal {given!r}{mend}")


def in_words(scope: Scope) -> str:
    """Say what a scope is about."""
    parts = [", ".join(map(name_of, scope.units)), ", ".join(scope.signals)]
    parts.append(" and ".join(f"{each}s" for each in scope.directions))
    return "; ".join(filter(None, parts)) or "everything"


def _end(lasts: str | None, until: str | None, now: datetime) -> datetime:
    """Return when a silence ends.

    Raises:
        Problem: It is not said once, is no time, or is not in time.
    """
    if (lasts is None) == (until is None):
        raise base.Problem("say how long by --for 12h, or until when by --until 2026-03-01T06:00Z")
    end = _after(lasts, now) if lasts is not None else _until(until or "")
    if not now < end <= now + timedelta(days=LONGEST_DAYS):
        text = f"a silence ends within {LONGEST_DAYS} days of now, {base.when(now)} in the stream"
        raise base.Problem(f"{text}; this one would end at {base.when(end)}")
    return end


def _until(given: str) -> datetime:
    return times.instant(given, "--until", "2026-03-01 or 2026-03-01T06:00Z")


def _after(lasts: str, now: datetime) -> datetime:
    span = times.length(lasts)
    if span is None:
        raise base.Problem(f"--for {lasts!r} is no length of time: write 12h or 3d")
    return now + span


def _standing(settings: Settings, newest: datetime | None) -> list[Standing]:
    """Return the silences that last at the newest stream time, as the commands have it."""
    known: dict[str, Silenced] = {}
    for command in asyncio.run(_commands(settings)):
        try:
            if command.action == "silence":
                set_silence(known, command, seconds(command.at))
            elif command.action == "unsilence":
                lift(known, command)
        except CannotBeDone:
            continue  # its dead letter says why
    lasting = [
        Standing(name, each.silence.by, each.silence.until, each.silence.reason, each.scope)
        for name, each in known.items()
        if newest is None or each.silence.until > newest
    ]
    return sorted(lasting, key=lambda each: (each.until, each.name))


async def _commands(settings: Settings) -> list[Command]:
    """Return all commands on alerts, in their order.

    Raises:
        Problem: The broker falls silent for 30 s.
    """
    from aiokafka import TopicPartition

    from streams import kafka

    decode = decoder(Command)
    tp = TopicPartition(*acting.place(settings))
    found: list[Command] = []
    consumer = kafka.reader(settings.kafka)
    await consumer.start()
    try:
        consumer.assign([tp])
        consumer.seek(tp, 0)
        heard = monotonic()
        while (end := consumer.highwater(tp)) is None or await consumer.position(tp) < end:
            for record in (await consumer.getmany(tp, timeout_ms=_POLL_MS)).get(tp, ()):
                heard = monotonic()
                try:
                    found.append(decode(record.value or b""))
                except Rejected:
                    continue  # a dead letter by now
            if monotonic() - heard > _PATIENCE_SECONDS:
                text = f"{tp.topic} cannot be read: the broker is silent"
                raise base.Problem(text, base.NOTHING)
    finally:
        await consumer.stop()
    return found
