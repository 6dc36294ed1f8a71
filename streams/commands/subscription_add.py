"""`tocsin subscriptions add`: checked, told what to expect, then saved."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, cast, get_args

import typer
from msgspec import Struct

from detectors.delivery_records import Language, Subscription, SubscriptionState
from detectors.records import Direction, Severity
from streams.commands import base, subscription_words
from streams.commands.subscription_options import (
    Filters,
    Timing,
    one_of,
    problem_of,
    with_filters,
    with_timing,
)

if TYPE_CHECKING:
    from streams.expected import Expectation
    from streams.settings import Settings

_List = Optional[list[str]]  # noqa: UP045 - typer reads it at run time
_Text = Optional[str]  # noqa: UP045


class Added(Struct, frozen=True):
    """What `tocsin subscriptions add --json` prints."""

    subscription: Subscription
    expected: Expectation
    secret: str | None  # with which messages are signed; shown this once


@base.plain_errors
def add(  # noqa: PLR0913 - one for each option
    ctx: typer.Context,
    id: Annotated[
        str, typer.Argument(metavar="ID", help="Its name, for good: a-z, 0-9 and hyphens.")
    ],
    sink: Annotated[
        str, typer.Argument(metavar="SINK", help="How: webhook, email, chat, atom and others.")
    ],
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS",
            help="Where: an https URL, an e-mail address, the name of a chat or Alertmanager in "
            "the settings, or the name of the document to write.",
        ),
    ],
    *,
    country: Annotated[_List, typer.Option(help="A country with all in it: AFG, PAK.")] = None,
    unit: Annotated[
        _List, typer.Option(help="Code or name of any unit: a province, relations of two states.")
    ] = None,
    border: Annotated[_List, typer.Option(help="A stretch of border: AF-NAN~PK-KP.")] = None,
    actor: Annotated[_List, typer.Option(help="An armed group, by its id or name.")] = None,
    signal: Annotated[
        _List, typer.Option(help="A signal that an alert rests on: tocsin signals list.")
    ] = None,
    direction: Annotated[
        _List, typer.Option(help=f"{' or '.join(get_args(Direction))}; both unless given.")
    ] = None,
    minimum_severity: Annotated[
        str, typer.Option(metavar="SEVERITY", help=f"{', '.join(get_args(Severity))}.")
    ] = "watch",
    minimum_probability: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Of the claim, 0 to 1.")
    ] = 0.0,
    unplaced: Annotated[
        bool, typer.Option("--unplaced", help="Also alerts that have no known unit.")
    ] = False,
    digest: Annotated[
        _Text, typer.Option(metavar="daily|weekly", help="All at one time instead of at once.")
    ] = None,
    at: Annotated[_Text, typer.Option(metavar="HH:MM", help="When a digest comes; 07:00.")] = None,
    weekday: Annotated[_Text, typer.Option(help="Of a weekly digest; monday.")] = None,
    quiet: Annotated[
        _Text, typer.Option(metavar="HH:MM-HH:MM", help="Hours in which nothing is sent.")
    ] = None,
    quiet_override: Annotated[
        _Text, typer.Option(metavar="SEVERITY", help="What is sent all the same; critical.")
    ] = None,
    time_zone: Annotated[
        str, typer.Option(metavar="ZONE", help="Of these times: Asia/Kabul, Asia/Karachi.")
    ] = "UTC",
    language: Annotated[
        str, typer.Option(help=f"Of the words: {', '.join(get_args(Language))}.")
    ] = "en",
    most_per_week: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, metavar="N", help="New alerts in any 7 days; more are withheld."),
    ] = None,
    escalate_after: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="HOURS", help="Tell another of what nobody has acknowledged by then."),
    ] = None,
    escalate_to: Annotated[
        _Text, typer.Option(metavar="ID", help="Which other subscription.")
    ] = None,
    owner: Annotated[
        str, typer.Option(metavar="E-MAIL", help="Who is told when the channel is dead.")
    ] = "",
    backtest: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            metavar="FILE.json",
            help="Also learn what to expect from the figures of tocsin backtest --json.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: base.Json = False,
) -> None:
    """Add a subscription, after showing how many alerts to expect, and how many of them false.

    Filters that are given several times ask for any of their values; different ones must all fit.
    Without filters it asks for every alert. A webhook or e-mail address is pending until it has
    proved that it wants alerts; tocsin subscriptions test asks it.
    """
    asked = Subscription(
        id=id,
        sink=sink.casefold(),
        address=address,
        owner=owner,
        language=one_of(language, cast(tuple[Language, ...], get_args(Language)), "--language"),
    )
    filters = Filters(
        countries=country or (),
        units=unit or (),
        borders=border or (),
        actors=actor or (),
        signals=signal or (),
        directions=direction or (),
        minimum_severity=minimum_severity,
        minimum_probability=minimum_probability,
        unplaced=unplaced,
    )
    timing = Timing(
        digest=digest,
        at=at,
        weekday=weekday,
        quiet=quiet,
        quiet_override=quiet_override,
        time_zone=time_zone,
        most_per_week=most_per_week,
        escalate_after=escalate_after,
        escalate_to=escalate_to,
    )
    asked = with_timing(with_filters(asked, filters), timing)
    added = asyncio.run(_add(base.open_settings(ctx), asked, backtest, ask=not yes, json=json))
    if json:
        base.print_json(added)
    else:
        _print(added)


async def _add(
    settings: Settings, asked: Subscription, backtest: Path | None, *, ask: bool, json: bool
) -> Added:
    from streams.commands import subscription_line as line
    from streams.secrets import signing_secrets
    from streams.subscribing import Invalid, check
    from streams.subscriptions import key_of

    now = datetime.now(UTC)
    subscription = _begun(settings, asked, now)
    async with line.directory(settings) as known:
        if known.is_taken(asked.id):
            was = "there is a subscription" if known.get(asked.id) else "there was one"
            raise base.Problem(f"{was} {asked.id!r} already: take another id")
        try:
            check(subscription, {each.id: each for each in known.all()}, settings)
        except Invalid as invalid:
            raise problem_of(invalid) from invalid
        expected = await asyncio.to_thread(_expected, settings, subscription, backtest)
        _show(subscription, expected, json=json)
        if ask:
            typer.confirm("Save it?", abort=True, err=True)
        await line.put(settings, subscription)
    secret = None
    if subscription.sink == "webhook":
        secret = signing_secrets(key_of(settings), subscription, now)
    return Added(subscription, expected, secret)


def _begun(settings: Settings, asked: Subscription, now: datetime) -> Subscription:
    """Return a subscription in the state it begins in."""
    from msgspec.structs import replace

    from streams.subscribing import TYPED
    from streams.subscriptions import key_of

    state: SubscriptionState = "active"
    reason = ""
    if asked.sink in TYPED:
        key_of(settings)  # without it nothing can be signed or proved
        state, reason = "pending", "its address has not yet proved that it wants alerts"
    return replace(asked, state=state, reason=reason, at=now)


def _expected(settings: Settings, subscription: Subscription, backtest: Path | None) -> Expectation:
    from streams.expected import expect, past_of_backtest, past_of_store

    try:
        store = base.open_store(settings)
    except base.Problem as problem:
        base.note(f"there is no past to learn from: {problem}")
        past = None
    else:
        with store:
            past = past_of_store(store, subscription)
    pasts = [] if past is None else [past]
    if backtest is not None:
        from streams.commands.subscription_figures import read

        pasts.append(past_of_backtest(read(backtest), subscription, past))
    return expect(subscription, pasts, settings.policy().budget)


def _show(subscription: Subscription, expected: Expectation, *, json: bool) -> None:
    """Show what is about to be saved: on stderr where stdout is a document."""
    lines = [
        f"{subscription.id}: {subscription_words.asks(subscription)}; "
        f"told {subscription_words.times(subscription)}",
        "What to expect:",
        *(f"  {line}" for line in subscription_words.expectation(expected)),
    ]
    for each in lines:
        (base.note if json else base.say)(each)


def _print(added: Added) -> None:
    id = added.subscription.id
    base.say(f"{id} is {added.subscription.state}")
    if added.secret is not None:
        base.say(f"Its signing secret, shown this once: {added.secret}")
    if added.subscription.state == "pending":
        base.say(
            "The running workers ask the address whether it wants alerts; tocsin subscriptions "
            f"test {id} asks it now"
        )
