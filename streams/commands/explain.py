"""`tocsin explain`: what changed, where, how sure, based on what, and what would prove it wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detectors.records import Casualties, Event, IncidentRef
from streams.commands import base
from streams.wording import percent, publisher, sides

if TYPE_CHECKING:
    from streams.commands.account import Account
    from streams.store import Evidence


def register(app: typer.Typer) -> None:
    """Add `tocsin explain`."""
    app.command(
        "explain",
        epilog=base.epilog(
            "tocsin explain S1-rise-AF-KAN-20200422T081500Z",
            "tocsin explain S1-rise-AF-KAN-20200422 --plot kandahar.png",
            "tocsin explain S1-fall-AFG-20200225 --json | jq .against",
        ),
    )(explain)


@base.plain_errors
def explain(
    ctx: typer.Context,
    alert: Annotated[
        str, typer.Argument(metavar="ALERT", help="The alert's id, or a unique beginning.")
    ],
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Also draw it, to a .png or .svg file."),
    ] = None,
    json: base.Json = False,
) -> None:
    """Explain an alert: what changed, where, how sure, based on what, what would prove it wrong.

    The evidence goes down from incidents to events to reports, each with its outlet, when it was
    seen, a quotation, and its topic, partition and offset in Kafka.
    """
    from streams.commands.account import account

    with base.open_store(base.open_settings(ctx)) as store:
        told = account(store, base.find_alert(store, alert))
    if plot is not None:
        base.write_plot(told.alert, told.revisions, plot)
    if json:
        base.print_json(told)
    else:
        _print(told)


def _print(told: Account) -> None:
    base.say(told.headline, style=base.STYLES[told.alert.severity])
    base.say(f"{told.alert.id}, revision {told.alert.revision} of {base.when(told.alert.at)}")
    _print_change(told)
    _print_sureness(told)
    _print_evidence(told.evidence)
    _print_test(told)
    base.heading("What it could see")
    for spell in told.coverage:
        text = f"{percent(spell.share)} of the usual reports"
        base.say(f"- from {base.when(spell.at)}: coverage {spell.coverage}, {text}")
    base.heading("What speaks against it")
    for text in told.against or ("Nothing that is known here.",):
        base.say(f"- {text}")
    _print_revisions(told)
    base.say()
    base.say(told.disclaimer, style="italic")


def _print_change(told: Account) -> None:
    first = told.revisions[0] if told.revisions else told.alert
    base.heading("What changed, and where")
    base.say(f"- Where: {told.place}")
    base.say(f"- When it opened, {base.when(first.opened_at)}: {first.reason}")
    if told.alert.revision != first.revision:
        base.say(f"- As last judged, {base.when(told.alert.at)}: {told.alert.reason}")
    base.say(f"- By {told.method}")


def _print_sureness(told: Account) -> None:
    from streams.commands.account import chance

    claim, track = told.alert.claim, told.track
    first = told.revisions[0] if told.revisions else told.alert
    base.heading("How sure")
    base.say(
        f"- Claim: {claim.statement}: {percent(claim.probability)}, against "
        f"{percent(claim.base_rate)} without the signal"
    )
    base.say(
        f"- A window at least this unusual, were all as before: p {chance(first.p)} when it "
        f"opened, p {chance(told.alert.p)} as last judged"
    )
    if track.interval is None:
        base.say("- No earlier claim of this signal and direction had been settled")
    else:
        low, high = track.interval
        base.say(
            f"- Of {track.settled} such claims settled before, {track.hits} came true "
            f"(95% interval of the share: {percent(low)} to {percent(high)})"
        )
    if track.void:
        base.say(f"- Void, because the unit could not be seen: {track.void}")


def _print_evidence(evidence: tuple[Evidence, ...]) -> None:
    base.heading(f"What it is based on: {_plural(len(evidence), 'incident')}")
    for each in evidence:
        incident = each.incident
        base.say(f"- {incident.day} {incident.place}: killed {_range(incident.killed)}")
        for line in _standing(incident):
            base.say(f"    {line}")
        for event in each.events:
            _print_event(event, each)
        missing = len(incident.events) - len(each.events)
        if missing:
            base.say(f"    {_plural(missing, 'event')} no longer kept")


def _standing(incident: IncidentRef) -> Iterator[str]:
    """Say who tells of an incident, and what was done to its reports."""
    publishers = ", ".join(map(publisher, incident.publishers))
    yield f"{_plural(len(incident.publishers), 'independent publisher')}: {publishers}"
    if incident.voices:
        yield f"citing {sides(incident)}"
    if incident.statements:
        yield f"also told as {', '.join(incident.statements)}"
    if incident.absorbed:
        yield f"once counted apart, found to be the same: {', '.join(incident.absorbed)}"
    if incident.parted:
        yield f"reports moved from or to it: {', '.join(incident.parted)}"
    if incident.reports > len(incident.events):
        yield f"{incident.reports} reports in all, of which these were kept"


def _print_event(event: Event, of: Evidence) -> None:
    from streams.commands.account import outlets

    outlet, report = outlets(event, of.reports)
    kept = (
        f"{report.topic} {report.partition}:{report.offset}" if report else "report no longer kept"
    )
    flags = f", {' '.join(event.auxiliary)}" if event.auxiliary else ""
    mode = f" {event.mode}" if event.mode else ""
    base.say(f"    {outlet}, seen {base.when(event.seen_at)}, {event.event}{mode}{flags} ({kept})")
    if event.quote:
        base.say(f"        “{event.quote}”")


def _print_test(told: Account) -> None:
    outcome = told.alert.outcome
    base.heading("What would prove it wrong")
    base.say(f"- {told.settlement}")
    if outcome is None:
        base.say("- Not settled yet")
    else:
        base.say(f"- Settled on {base.when(outcome.at)}: {outcome.verdict}, {outcome.reason}")


def _print_revisions(told: Account) -> None:
    base.heading("Its revisions")
    for change in told.changes:
        base.say(f"{change.revision:3}  {base.when(change.at)}  {change.changed}")
        if change.differences:
            base.say(f"     {'; '.join(change.differences)}")
    sent = sum(each.status == "delivered" for each in told.deliveries)
    if told.deliveries:
        base.say(f"Delivered {sent} times in {len(told.deliveries)} attempts")


def _range(killed: Casualties | None) -> str:
    if killed is None:
        return "unknown"
    if killed.low == killed.high:
        return str(killed.low) if killed.low else "none"
    return f"{killed.low} to {killed.high}, best {killed.best}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
