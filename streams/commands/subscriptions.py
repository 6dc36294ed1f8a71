"""`tocsin subscriptions`: who is told of which alerts, what to expect, and who was told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Optional

import typer
from msgspec import Struct
from msgspec.structs import replace

from detectors.delivery_records import Subscription, SubscriptionState
from streams.commands import base, subscription_words
from streams.commands.subscription_add import add
from streams.commands.subscription_options import since

if TYPE_CHECKING:
    from streams.commands.subscription_line import Change
    from streams.commands.subscription_words import Listed, Told
    from streams.settings import Settings
    from streams.store import Channel, Store
    from streams.subscriptions import Directory

_CONFIRM_TEXT: Final = "What the address was asked to answer with."
Id = Annotated[str, typer.Argument(metavar="ID", help="The subscription's id.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


class Rotated(Struct, frozen=True):
    """A subscription whose secret is a new one."""

    subscription: Subscription
    secret: str


def register(app: typer.Typer) -> None:
    """Add `tocsin subscriptions`."""
    group = typer.Typer(
        help=(
            "Who is told of which alerts: add, test, pause, audit. Begin with "
            "[bold]tocsin subscriptions add --help[/]; docs/subscribe.md goes all the way."
        ),
        no_args_is_help=True,
    )
    for name, command, examples in _COMMANDS:
        group.command(name, epilog=base.epilog(*examples))(command)
    app.add_typer(group, name="subscriptions")


# Looking


@base.plain_errors
def list_(ctx: typer.Context, json: base.Json = False) -> None:
    """List all subscriptions, with what they ask for and how their channels fare.

    Those of the settings file are among them. Removed ones are not.
    """
    settings = base.open_settings(ctx)
    found = _listed(settings)
    if json:
        base.print_json(found)
    else:
        subscription_words.print_list(found)


@base.plain_errors
def show(ctx: typer.Context, id: Id, json: base.Json = False) -> None:
    """Show one subscription in full, its address included."""
    from streams.commands import subscription_line as line

    settings = base.open_settings(ctx)
    found = {each.subscription.id: each for each in _listed(settings)}
    if id not in found:
        line.missing(id, found)
    if json:
        base.print_json(found[id])
    else:
        subscription_words.print_one(found[id], found[id].subscription.address)


def _listed(settings: Settings) -> list[Listed]:
    """Return all subscriptions; without a broker, as the store has them."""
    from streams.subscriptions import configured, merged

    own = configured(settings)
    channels, stored = _of_store(settings)
    if settings.kafka.bootstrap:
        from streams.commands import subscription_line as line

        every = line.known(settings)
    else:
        base.note("no Kafka broker is set: subscriptions as the store has them")
        told = {each.id: merged(own, each) for each in stored}
        every = sorted((own | told).values(), key=lambda each: each.id)
    return [
        subscription_words.listed(each, channels.get(each.id), is_of_settings=each.id in own)
        for each in every
    ]


def _of_store(settings: Settings) -> tuple[dict[str, Channel], list[Subscription]]:
    """Return how channels fare, and subscriptions, as far as there is a store."""
    try:
        store = base.open_store(settings)
    except base.Problem:
        return {}, []
    with store:
        return store.channels(), store.subscriptions()


@base.plain_errors
def audit(
    ctx: typer.Context,
    subscription: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(metavar="ID", help="Only what went, or should have gone, to this one."),
    ] = None,
    alert: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="ID", help="Only of this alert: its id, or a unique beginning."),
    ] = None,
    since_: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--since",
            metavar="TIME",
            help="Only from a day or instant on (UTC unless it has an offset), or 7d or 12h ago.",
        ),
    ] = None,
    json: base.Json = False,
) -> None:
    """Tell who was told what, when, and whether it arrived.

    Every attempt is there, also what was held for a digest, withheld by a weekly budget, or given
    up. It is read from the store, so what happened in the last seconds may still be missing.
    """
    settings = base.open_settings(ctx)
    with base.open_store(settings) as store:
        one = None if alert is None else base.find_alert(store, alert).id
        found = _told(store, one, subscription, since(since_, datetime.now(UTC)))
    if json:
        base.print_json(found)
    elif found:
        subscription_words.print_audit(found)
    if not found:
        base.nothing("nothing was sent, or should have been, that matches")


def _told(
    store: Store, alert: str | None, subscription: str | None, from_: datetime | None
) -> list[Told]:
    from streams.commands.subscription_words import Told
    from streams.wording import headline

    deliveries = store.deliveries(alert, subscription, from_)
    revisions = {
        (of, each.revision): each
        for of in sorted({delivery.alert for delivery in deliveries})
        for each in store.revisions(of)
    }
    found = []
    for delivery in deliveries:
        told = revisions.get((delivery.alert, delivery.revision))
        found.append(
            Told(delivery, headline(told) if told else None, told.changed if told else None)
        )
    return found


# Acting


@base.plain_errors
def try_out(ctx: typer.Context, id: Id, json: base.Json = False) -> None:
    """Send a test now, from here, and say what was answered.

    A subscription that is pending gets the question whether it wants alerts instead: a webhook
    that answers it is active from then on.
    """
    from streams.commands import subscription_line as line

    sent = line.send(base.open_settings(ctx), id)
    if json:
        base.print_json(sent)
    else:
        base.say(f"{sent.kind} to {id} by {sent.sink}: {_outcome(sent.result, sent.reason)}")
        if sent.kind == "challenge":
            base.say(f"{id} is {sent.state}")
    if sent.result != "delivered":
        raise typer.Exit(base.NOTHING)


def _outcome(result: str, reason: str) -> str:
    return {
        "delivered": "delivered",
        "retry": f"not now, an alert would be tried again ({reason})",
        "rejected": f"refused, an alert would not be tried again ({reason})",
    }[result]


@base.plain_errors
def confirm(
    ctx: typer.Context,
    id: Id,
    answer: Annotated[str, typer.Argument(metavar="TEXT", help=_CONFIRM_TEXT)],
    json: base.Json = False,
) -> None:
    """Confirm a pending subscription with the text that its address was sent.

    It stands in the challenge; the link in a mail ends in it.
    """
    from hmac import compare_digest

    from streams.secrets import challenge_text
    from streams.subscriptions import key_of

    settings = base.open_settings(ctx)
    key = key_of(settings)

    def act(of: Subscription, _: Directory) -> Subscription:
        if of.state != "pending":
            raise base.Problem(f"{id} is {of.state}: there is nothing to confirm", base.NOTHING)
        right = challenge_text(key, id, of.secret)
        given = answer.strip().rpartition("/")[2]
        if not compare_digest(right.encode(), given.encode()):
            raise base.Problem(f"that is not what {id} was sent", base.NOTHING)
        return _in_state(of, "active", "confirmed")

    _change(settings, id, act, json=json)


@base.plain_errors
def pause(
    ctx: typer.Context,
    id: Id,
    reason: Annotated[str, typer.Option(help="Why; it is shown in the list.")] = "",
    json: base.Json = False,
) -> None:
    """Send nothing more until it is resumed. What comes meanwhile is not told later."""

    def act(of: Subscription, _: Directory) -> Subscription:
        if of.state not in ("active", "failing"):
            text = f"{id} is {of.state}: only what is active can be paused"
            raise base.Problem(text, base.NOTHING)
        return _in_state(of, "paused", reason or "paused")

    _change(base.open_settings(ctx), id, act, json=json)


@base.plain_errors
def resume(ctx: typer.Context, id: Id, json: base.Json = False) -> None:
    """Send again to a subscription that was paused, or whose channel was dead."""

    def act(of: Subscription, _: Directory) -> Subscription:
        if of.state not in ("paused", "failing"):
            mend = ": tocsin subscriptions test asks it" if of.state == "pending" else " already"
            raise base.Problem(f"{id} is {of.state}{mend}", base.NOTHING)
        return _in_state(of, "active", "resumed")

    _change(base.open_settings(ctx), id, act, json=json)


@base.plain_errors
def rotate(ctx: typer.Context, id: Id, json: base.Json = False) -> None:
    """Give a webhook a new signing secret, and show it once.

    For 24 hours messages are signed with both, so that the receiver can take over the new one.
    """
    from streams.commands import subscription_line as line
    from streams.secrets import signing_secrets
    from streams.subscriptions import key_of

    settings = base.open_settings(ctx)
    key, now = key_of(settings), datetime.now(UTC)

    def act(of: Subscription, known: Directory) -> Subscription:
        if known.is_of_settings(id):
            raise base.Problem(f"{id} has its secret in the settings: change it there")
        if of.sink != "webhook":
            raise base.Problem(f"{id} goes by {of.sink}, which signs nothing")
        return replace(of, secret=of.secret + 1, rotated_at=now, at=now)

    changed = line.change(settings, id, act)
    secret = signing_secrets(key, changed, now).partition(" ")[0]
    if json:
        base.print_json(Rotated(changed, secret))
        return
    base.say(f"The new signing secret of {id}, shown this once: {secret}")
    base.say("The one before holds for 24 hours more.")


@base.plain_errors
def remove(ctx: typer.Context, id: Id, yes: Yes = False, json: base.Json = False) -> None:
    """End a subscription for good, and forget its address. Its id is not given again."""
    settings = base.open_settings(ctx)
    if not yes:
        typer.confirm(f"Remove {id} for good?", abort=True, err=True)

    def act(of: Subscription, known: Directory) -> Subscription:
        if known.is_of_settings(id):
            raise base.Problem(f"{id} stands in the settings: remove it there, or pause it")
        for other in known.all():
            if other.escalation is not None and other.escalation.to == id:
                base.note(f"{other.id} escalates to {id}: from now on that reaches nobody")
        return _in_state(of, "removed", "removed")

    _change(settings, id, act, json=json)


def _in_state(of: Subscription, state: SubscriptionState, reason: str) -> Subscription:
    from streams.subscriptions import in_state

    return in_state(of, state, reason, datetime.now(UTC))


def _change(settings: Settings, id: str, act: Change, *, json: bool) -> None:
    from streams.commands import subscription_line as line

    changed = line.change(settings, id, act)
    if json:
        base.print_json(changed)
    else:
        base.say(f"{id} is {changed.state}")


_COMMANDS: Final[tuple[tuple[str, Any, tuple[str, ...]], ...]] = (
    (
        "add",
        add,
        (
            "tocsin subscriptions add south webhook https://desk.example/tocsin --unit Kandahar "
            "--unit Helmand --minimum-severity warning",
            "tocsin subscriptions add weekly email desk@example.org --country AFG "
            "--digest weekly --at 07:30 --weekday saturday --time-zone Asia/Kabul",
            "tocsin subscriptions add night chat duty --border 'AF-NAN~PK-KP' "
            "--quiet 22:00-07:00 --quiet-override critical --time-zone Asia/Karachi",
            "tocsin subscriptions add public atom public --minimum-probability 0.5 --yes",
        ),
    ),
    ("list", list_, ("tocsin subscriptions list", "tocsin subscriptions list --json")),
    ("show", show, ("tocsin subscriptions show south",)),
    ("test", try_out, ("tocsin subscriptions test south",)),
    ("confirm", confirm, ("tocsin subscriptions confirm weekly TEXT",)),
    ("pause", pause, ("tocsin subscriptions pause south --reason 'desk closed until Monday'",)),
    ("resume", resume, ("tocsin subscriptions resume south",)),
    ("rotate", rotate, ("tocsin subscriptions rotate south",)),
    ("remove", remove, ("tocsin subscriptions remove south --yes",)),
    (
        "audit",
        audit,
        (
            "tocsin subscriptions audit --since 7d",
            "tocsin subscriptions audit --alert S1-rise-AF-KAN-20200422 --subscription south",
            "tocsin subscriptions audit --subscription south --json | jq '.[].delivery.status'",
        ),
    ),
)
