"""`tocsin alerts`: what was raised, one alert in full, and an analyst's acknowledgement."""

from __future__ import annotations

import asyncio
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast, get_args

import typer

from detectors.records import Alert, AlertState, Command, Severity
from detectors.world.units import name_of
from streams.codecs import encode
from streams.commands import base
from streams.matching import signals_of
from streams.wording import details, headline, number

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.store import Store

_AGO: Final = re.compile(r"(\d{1,5})([dh])")
_SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)  # the gravest last
_LIVING: Final = ("open", "acknowledged", "frozen")
_SHOWN_SIGNALS: Final = 3

Id = Annotated[str, typer.Argument(metavar="ID", help="The alert's id, or a unique beginning.")]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Also draw it, to a .png or .svg file."),
]


def register(app: typer.Typer) -> None:
    """Add `tocsin alerts`."""
    group = typer.Typer(help="List, show and acknowledge alerts.", no_args_is_help=True)
    group.command(
        "list",
        epilog=base.epilog(
            "tocsin alerts list",
            "tocsin alerts list --unit Kandahar --state open",
            "tocsin alerts list --since 7d --severity warning --json",
        ),
    )(list_)
    group.command(
        "show",
        epilog=base.epilog(
            "tocsin alerts show S1-rise-AF-KAN-20200422",
            "tocsin alerts show S1-rise-AF-KAN-20200422 --plot kandahar.png",
            "tocsin explain tells more: the reports behind it, and what speaks against it.",
        ),
    )(show)
    group.command(
        "ack",
        epilog=base.epilog(
            "tocsin alerts ack S1-rise-AF-KAN-20200422 --by 'desk south'",
            "tocsin alerts ack S1-rise-AF-KAN-20200422 --by 'desk south' --note 'seen, asking'",
        ),
    )(ack)
    app.add_typer(group, name="alerts")


@base.plain_errors
def list_(  # noqa: PLR0913 - one for each option
    ctx: typer.Context,
    *,
    unit: Annotated[
        list[str] | None,
        typer.Option(help="Code or name of a unit, or of a country with all in it."),
    ] = None,
    signal: Annotated[
        list[str] | None,
        typer.Option(help="A signal that it rests on, perhaps with others: tocsin signals list."),
    ] = None,
    state: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(get_args(AlertState))}.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Changed since a day or instant (UTC unless it has an offset), or 7d or 12h "
            "before the newest stream time.",
        ),
    ] = None,
    severity: Annotated[Severity | None, typer.Option(help="At least this severe.")] = None,
    json: base.Json = False,
) -> None:
    """List alerts, the ones that changed last first.

    Options that are given several times ask for any of their values.
    """
    units = frozenset[str]().union(*map(base.units_named, unit)) if unit else None
    signals = {_signal(each) for each in signal} if signal else None
    states = [_state(each) for each in state] if state else None
    wanted = _SEVERITIES[_SEVERITIES.index(severity) :] if severity else _SEVERITIES
    with base.open_store(base.open_settings(ctx)) as store:
        found = [
            each
            for each in store.alerts(state=states, since=_since(since, store))
            if (units is None or each.unit in units)
            and (signals is None or not signals_of(each).isdisjoint(signals))
            and each.severity in wanted
        ]
    if json:
        base.print_json(found)
    elif found:
        _print(found)
    if not found:
        base.nothing("no alert matches")


def _print(found: list[Alert]) -> None:
    base.print_table(
        (
            "id",
            "severity",
            "state",
            "unit",
            "what",
            "signals (nats)",
            "coverage",
            "outcome",
            "changed at",
        ),
        [
            (
                each.id,
                each.severity,
                each.state,
                name_of(each.unit),
                _what(each),
                _leading(each),
                each.coverage,
                each.outcome.verdict if each.outcome else "not due",
                base.when(each.at),
            )
            for each in found
        ],
    )
    count = f"{len(found)} alert{'s' if len(found) > 1 else ''}"
    base.note(f"{count}; tocsin explain ID tells what one is based on")


def _what(alert: Alert) -> str:
    seen = "unknown" if alert.observed is None else str(alert.observed)
    usual = "unknown" if alert.expected is None else number(alert.expected)
    days = "" if alert.window_days is None else f" in {alert.window_days} d"
    return f"{alert.direction}: {seen} against {usual} expected{days}"


def _leading(alert: Alert) -> str:
    """Name the signals that add most to an alert as last judged, with their nats.

    Where it is quiet by now, none does.
    """
    shown = [f"{part.signal} {number(part.strength)}" for part in alert.parts[:_SHOWN_SIGNALS]]
    more = len(alert.parts) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])]) or "none"


def _signal(given: str) -> str:
    from detectors.signals import SIGNALS

    for name in SIGNALS:
        if given.casefold() == name.casefold():
            return name
    mend = base.near(given, SIGNALS) or f"; there are {', '.join(SIGNALS)}"
    raise base.Problem(f"there is no signal {given!r}{mend}")


def _state(given: str) -> AlertState:
    for known in get_args(AlertState):
        if given.casefold() == known:
            return cast(AlertState, known)
    states = get_args(AlertState)
    mend = base.near(given, states) or f"; there are {', '.join(states)}"
    raise base.Problem(f"there is no state {given!r}{mend}")


def _since(given: str | None, store: Store) -> datetime | None:
    if given is None:
        return None
    ago = _AGO.fullmatch(given)
    if ago:
        newest = base.stream_time(store)
        length = timedelta(**{"days" if ago[2] == "d" else "hours": int(ago[1])})
        try:
            return None if newest is None else newest - length
        except OverflowError:
            return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError as error:
        raise base.Problem(
            f"--since {given!r} is no time: write 2020-03-01, 2020-03-01T06:00Z, 7d or 12h"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@base.plain_errors
def show(ctx: typer.Context, id: Id, plot: Plot = None, json: base.Json = False) -> None:
    """Show the last revision of one alert, in the words that subscribers get."""
    with base.open_store(base.open_settings(ctx)) as store:
        alert = base.find_alert(store, id)
        revisions = store.revisions(alert.id)
    if plot is not None:
        base.write_plot(alert, revisions, plot)
    if json:
        base.print_json(alert)
    else:
        base.say(headline(alert), style=base.STYLES[alert.severity])
        base.say(f"{alert.id}, revision {alert.revision} of {base.when(alert.at)}")
        base.say()
        base.say(details(alert))


@base.plain_errors
def ack(
    ctx: typer.Context,
    id: Id,
    by: Annotated[str, typer.Option(help="Who acknowledges: a desk or role.")],
    note: Annotated[str | None, typer.Option(help="What is being done.")] = None,
    json: base.Json = False,
) -> None:
    """Acknowledge an alert: someone is looking at it.

    The command goes to Kafka; the alert has a new revision once a worker has taken it up, with
    the next step of stream time.
    """
    if not 0 < len(by.strip()) <= 200:
        raise base.Problem("--by names who acknowledges, in 1 to 200 characters")
    settings = base.open_settings(ctx)
    with base.open_store(settings) as store:
        alert = base.find_alert(store, id)
        newest = base.stream_time(store)
    if alert.acknowledged_by is not None:
        text = f"{alert.id} was acknowledged before, by {alert.acknowledged_by}"
        raise base.Problem(text, base.NOTHING)
    if alert.state not in _LIVING:
        text = f"{alert.id} is {alert.state}: there is nothing left to acknowledge"
        raise base.Problem(text, base.NOTHING)
    command = Command(
        id=uuid.uuid4().hex,
        alert=alert.id,
        action="acknowledge",
        at=command_time(newest, settings.steps.fine, datetime.now(UTC)),
        by=by.strip(),
        note=note,
    )
    _send(settings, command)
    if json:
        base.print_json(command)
    else:
        base.say(f"acknowledgement of {alert.id} sent as command {command.id}")


def command_time(newest: datetime | None, fine: int, now: datetime) -> datetime:
    """Return when a command is made, in stream time, which in a replay is not the wall clock."""
    if newest is None:
        return now
    return min(now, newest + timedelta(seconds=fine))


def _send(settings: Settings, command: Command) -> None:
    """Put a command on its topic, in the partition where the alerts are kept."""
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
    partition = partition_of(NAME, there)

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
