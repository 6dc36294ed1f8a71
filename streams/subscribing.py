"""What a subscription must be to be taken: each value is one that there is, and fits the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from detectors.delivery_records import Escalation, Language, Quiet, Subscription
from detectors.records import Direction, Severity
from detectors.signals import SIGNALS
from detectors.world.units import UNITS
from streams import mail_address
from streams.codecs import Rejected, decoder, encode
from streams.settings import Settings
from streams.sinks import SINKS
from streams.sinks.guard import ForbiddenAddress, check_url

#: Sinks whose address is one that a subscriber typed: it is asked whether it wants alerts.
TYPED: Final = frozenset({"webhook", "email"})
#: Sinks whose address is a name that the operator gave: where the settings have the names.
NAMED: Final[dict[str, str]] = {"chat": "chats", "alertmanager": "alertmanagers"}

_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DOCUMENT: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62})")
_decode = decoder(Subscription)


class Invalid(ValueError):
    """A subscription cannot be taken: which field, what was given, and what is known instead."""

    def __init__(self, field: str, text: str, given: str = "", known: Iterable[str] = ()) -> None:
        """Take the field's name, why it is refused, what was given, and what might be meant."""
        super().__init__(text)
        self.field = field
        self.given = given
        self.known = tuple(known)


def check(subscription: Subscription, others: Mapping[str, Subscription], cfg: Settings) -> None:
    """Check every value of a subscription that somebody asks for.

    Args:
        subscription: As it is to be.
        others: The subscriptions that there are, by id.
        cfg: All settings.

    Raises:
        Invalid: The first value that is not right.
    """
    try:
        _decode(encode(subscription))
    except Rejected as rejected:
        raise Invalid("subscription", f"a value is out of bounds: {rejected.detail}") from rejected
    if not _ID.fullmatch(subscription.id):
        text = f"{subscription.id!r} is no id: a-z, 0-9 and hyphens, at most 63"
        raise Invalid("id", text, subscription.id)
    check_address(subscription.sink, subscription.address, cfg)
    _check_document(subscription, others)
    _check_filters(subscription)
    _check_timing(subscription)
    if subscription.owner:
        check_mailbox(subscription.owner, "owner")
    if subscription.escalation is not None:
        _check_escalation(subscription, subscription.escalation, others)


def is_zone(name: str) -> bool:
    """Tell whether a name is that of a time zone (IANA; the system's table, else `tzdata`).

    >>> is_zone("Asia/Kabul"), is_zone("Asia/Kandahar"), is_zone("../../etc/passwd")
    (True, False, False)
    """
    return _is_zone(name)


@cache
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


# The address


def check_address(sink: str, address: str, cfg: Settings) -> None:
    """Check that a sink is there, and that an address has the form of one of its own.

    Raises:
        Invalid: It is not.
    """
    if sink not in SINKS:
        raise Invalid("sink", f"there is no sink {sink!r}", sink, SINKS)
    if sink == "webhook":
        hosts = frozenset(host.lower() for host in cfg.delivery.allowed_hosts)
        try:
            check_url(address, hosts)
        except ForbiddenAddress as error:
            raise Invalid("address", f"{address!r}: {error}", address) from error
    elif sink == "email":
        check_mailbox(address, "address")
        if cfg.delivery.smtp is None or not cfg.delivery.smtp.public_url:
            what = "no mail server is set" if cfg.delivery.smtp is None else "no link can be made"
            mend = "see delivery.smtp in the settings: host, sender and public_url are needed"
            raise Invalid("sink", f"{what}: {mend}", sink)
    elif sink in NAMED:
        _check_name(sink, address, cfg)
    elif not _DOCUMENT.fullmatch(address):
        text = f"{address!r} is no name of a document: a-z, 0-9 and hyphens, at most 63"
        raise Invalid("address", text, address)


def _check_document(subscription: Subscription, others: Mapping[str, Subscription]) -> None:
    """Check that no other subscription writes the same document."""
    if subscription.sink in TYPED or subscription.sink in NAMED:
        return
    for other in others.values():
        same = (other.sink, other.address) == (subscription.sink, subscription.address)
        if same and other.id != subscription.id and other.state != "removed":
            text = f"{other.id!r} writes to {other.address!r} already: take another name"
            raise Invalid("address", text, subscription.address)


def check_mailbox(address: str, field: str) -> None:
    """Check that a text has the form of an e-mail address.

    Raises:
        Invalid: It has not.
    """
    try:
        mail_address.check_mailbox(address)
    except ValueError as error:
        raise Invalid(field, f"{address!r}: {error}", address) from error


def names_of(sink: str, cfg: Settings) -> tuple[str, ...]:
    """Return the addresses of a sink that the operator named, in the order of the settings."""
    return tuple(each.name for each in getattr(cfg.delivery, NAMED[sink]))


def _check_name(sink: str, address: str, cfg: Settings) -> None:
    names = names_of(sink, cfg)
    if not names:
        mend = f"add [[delivery.{NAMED[sink]}]] to the settings"
        raise Invalid("address", f"no {sink} is set up: {mend}", address)
    if address not in names:
        raise Invalid("address", f"no {sink} is called {address!r}", address, names)


# Filters and times


def _check_filters(subscription: Subscription) -> None:
    for field, given, known in (
        ("units", subscription.units, UNITS),
        ("signals", subscription.signals, SIGNALS),
        ("directions", subscription.directions, get_args(Direction)),
        ("minimum_severity", (subscription.minimum_severity,), get_args(Severity)),
        ("language", (subscription.language,), get_args(Language)),
    ):
        for each in given:
            if each not in known:
                raise Invalid(field, f"{field.replace('_', ' ')}: {each!r} is unknown", each, known)


def _check_timing(subscription: Subscription) -> None:
    zone, quiet = subscription.time_zone, subscription.quiet
    if not is_zone(zone):
        raise Invalid("time_zone", f"there is no time zone {zone!r}", zone, available_timezones())
    if subscription.most_per_week == 0:
        raise Invalid("most_per_week", "none a week is no subscription: pause it instead", "0")
    if quiet is not None and quiet.first == quiet.until:
        raise Invalid("quiet", "quiet hours that end as they begin are none", _written(quiet))


def _written(quiet: Quiet) -> str:
    return f"{quiet.first}-{quiet.until}"


def _check_escalation(
    subscription: Subscription, escalation: Escalation, others: Mapping[str, Subscription]
) -> None:
    """Check that whom to escalate to is there, and that it does not come back in the end."""
    field, chain = "escalation", [subscription.id]
    following: Escalation | None = escalation
    while following is not None:
        if following.to in chain:
            loop = " to ".join([*chain, following.to])
            raise Invalid(field, f"it would escalate in a circle: {loop}", following.to)
        after = others.get(following.to)
        if after is None or after.state == "removed":
            if len(chain) > 1:
                return  # somebody else's chain has an open end: no fault of this one
            text = f"there is no subscription {following.to!r} to escalate to"
            raise Invalid(field, text, following.to, (id for id in others if id not in chain))
        chain.append(following.to)
        following = after.escalation
