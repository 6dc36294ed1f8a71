"""`tocsin alerts`: what was raised, one alert in full, and what analysts do with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast, get_args

import typer

from detectors.life import LIVING, signals_of
from detectors.records import Alert, AlertState, Severity
from detectors.world.units import name_of
from streams.commands import acts, base, silences, times
from streams.commands.acting import Id
from streams.wording import details, headline, number

if TYPE_CHECKING:
    from streams.store import Store

_SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)  # the gravest last
_SHOWN_SIGNALS: Final = 3

Plot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Also draw it, to a .png or .svg file."),
]


def register(app: typer.Typer) -> None:
    """Add `tocsin alerts`."""
    group = typer.Typer(
        help="List and show alerts; acknowledge, assign, note, dispute, retract, silence them.",
        no_args_is_help=True,
    )
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
    acts.register(group)
    silences.register(group)
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
    signals = {silences.signal_named(each) for each in signal} if signal else None
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
        newest = base.stream_time(store)
    if json:
        base.print_json(found)
    elif found:
        _print(found, newest)
    if not found:
        base.nothing("no alert matches")


def _print(found: list[Alert], newest: datetime | None) -> None:
    base.print_table(
        (
            "id",
            "severity",
            "state",
            "answer",
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
                answer(each, newest),
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
    waiting = [each.opened_at for each in found if _is_unanswered(each)]
    if waiting and newest is not None:
        oldest = f"the oldest for {age(newest - min(waiting))}"
        base.note(f"{len(waiting)} unanswered, {oldest}", style=base.STYLES["warning"])


def _is_unanswered(alert: Alert) -> bool:
    return alert.state in LIVING and alert.acknowledged_by is None


def answer(alert: Alert, newest: datetime | None) -> str:
    """Say who answers an alert, or for how long it has lived without anybody's acknowledgement."""
    told = [f"{alert.acknowledged_by} acknowledged"] if alert.acknowledged_by else []
    if _is_unanswered(alert):
        told.append("unanswered" + (f" {age(newest - alert.opened_at)}" if newest else ""))
    told += [f"assigned to {alert.assigned_to}"] if alert.assigned_to else []
    disputes = sum(each.kind == "dispute" for each in alert.remarks)
    told += [f"disputed {disputes} times" if disputes > 1 else "disputed"] if disputes else []
    if alert.silence is not None and alert.state in LIVING:
        told.append(f"silenced until {base.when(alert.silence.until)}")
    return ", ".join(told) or "none"


def age(length: timedelta) -> str:
    """Write a length of time in its largest whole unit.

    >>> age(timedelta(days=2, hours=5)), age(timedelta(hours=7)), age(timedelta(minutes=3))
    ('2 d', '7 h', '3 min')
    """
    minutes = max(0, int(length.total_seconds())) // 60
    if minutes >= 2 * 24 * 60:
        return f"{minutes // (24 * 60)} d"
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"


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
    ago = times.length(given)
    if ago is None:
        return times.instant(given, "--since", "2020-03-01, 2020-03-01T06:00Z, 7d or 12h")
    newest = base.stream_time(store)
    return None if newest is None else newest - ago


@base.plain_errors
def show(ctx: typer.Context, id: Id, plot: Plot = None, json: base.Json = False) -> None:
    """Show the last revision of one alert, in the words that subscribers get."""
    with base.open_store(base.open_settings(ctx)) as store:
        alert = base.find_alert(store, id)
        revisions = store.revisions(alert.id)
        newest = base.stream_time(store)
    if plot is not None:
        base.write_plot(alert, revisions, plot)
    if json:
        base.print_json(alert)
    else:
        base.say(headline(alert), style=base.STYLES[alert.severity])
        base.say(f"{alert.id}, revision {alert.revision} of {base.when(alert.at)}")
        base.say(f"Answer: {answer(alert, newest)}")
        if alert.story not in ("", alert.id):
            base.say(f"Story: begun by {alert.story}")
        for each in alert.remarks:
            base.say(f"- {each.kind} by {each.by}, {base.when(each.at)}: {each.text}")
        base.say()
        base.say(details(alert))
