"""`tocsin explain`: what changed, where, how sure, based on what, and what would prove it wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from detectors.records import Alert, Casualties, Event, IncidentRef, Part
from streams.commands import base
from streams.wording import number, percent, publisher, sides

if TYPE_CHECKING:
    from streams.commands.account import Account, Track
    from streams.store import Evidence


_VERDICTS: Final = {True: "suspected", False: "not suspected", None: "cannot be told"}


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

    settings = base.open_settings(ctx)
    with base.open_store(settings) as store:
        told = account(store, base.find_alert(store, alert), settings.policy())
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
    _print_instability(told)
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
    base.heading("What else it could be")
    for rival in told.alternatives:
        verdict = _VERDICTS[rival.suspected]
        base.say(f"- {rival.name}: {verdict}; {rival.text}")
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
    for line in _difference(told):
        base.say(f"- {line}")
    base.say(f"- By {told.method}")
    _print_parts(first, told.alert)


def _print_parts(first: Alert, last: Alert) -> None:
    """Tell which signals the alert rests on; of one that is quiet by now, on which it opened."""
    if not last.parts and first.parts:
        base.say("- No signal adds to it any more; when it opened, these did:")
    for part in last.parts or first.parts:
        base.say(f"    {_part(part)}")


def _print_instability(told: Account) -> None:
    """Tell the index of the unit as of its last score; other units than areas have none."""
    from detectors.index import words
    from streams.commands.instability import brief, factor_line, is_area, models

    if not is_area(told.alert.unit):
        return
    base.heading("Instability index")
    found = told.instability
    if found is None or found.index is None:
        base.say(f"- {brief(found).capitalize()}")
        return
    base.say(f"- {words(found.index)}")
    base.say(
        f"- That is the chance of an escalation within {found.index.horizon_days} days, as last "
        f"judged, {base.when(found.at)}, with coverage {found.coverage}"
    )
    for factor in found.index.factors:
        base.say(f"    {factor_line(factor)}")
    for text in models([found]):
        base.say(f"- {text}")


def _difference(told: Account) -> Iterator[str]:
    """Say how far from the usual it was when it opened, since when, and how rare that is."""
    found = told.difference
    if found.observed is not None and found.expected is not None and found.more is not None:
        times = f", {number(found.times)} times as many" if found.times else ""
        word = "more" if found.more >= 0 else "fewer"
        yield (
            f"Seen {found.observed}, expected {number(found.expected)}: "
            f"{number(abs(found.more))} {word}{times}"
        )
    if found.since is not None:
        yield f"By the daily counts, the difference began on {found.since}"
    if found.per_year is not None:
        yield (
            f"Evidence of this strength: {number(found.per_year)} times in a usual year of a unit "
            "like this one"
        )


def _part(part: Part) -> str:
    from detectors.signals import SIGNALS

    title = SIGNALS[part.signal].title if part.signal in SIGNALS else part.signal
    seen = "unknown" if part.observed is None else str(part.observed)
    usual = "unknown" if part.expected is None else number(part.expected)
    text = f"{part.signal} {title}: {part.strength:+.1f} nats; seen {seen}, expected {usual}"
    return f"{text}; {part.reason}" if part.reason else text


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
    base.say(f"- When it opened: {_told(track)}")
    base.say(f"- By now, of all others of its kind: {_told(told.track_now)}")


def _told(track: Track) -> str:
    """Say how claims turned out."""
    void = f"; {track.void} void, because the unit could not be seen" if track.void else ""
    if track.interval is None:
        return f"no claim of this signal and direction had been settled{void}"
    low, high = track.interval
    return (
        f"of {_plural(track.settled, 'settled claim')} {track.hits} came true "
        f"(95% interval of the share: {percent(low)} to {percent(high)}){void}"
    )


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
    base.heading("What would prove it wrong, or close it")
    base.say(f"- {told.settlement}")
    for text in told.closing:
        base.say(f"- {text}")
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
