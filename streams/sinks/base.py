"""What a sink is: one way to get an alert to a subscriber, and the three answers it may give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final, Literal, Protocol, TypeAlias, get_args

from msgspec import Struct

from detectors.delivery_records import Subscription
from detectors.life import signals_of
from detectors.records import Alert, Severity
from detectors.world.units import UNITS, inside_any
from streams.settings import Smtp

#: Severities from the least to the gravest.
SEVERITY_RANK: Final = {name: rank for rank, name in enumerate(get_args(Severity))}


class Delivered(Struct, frozen=True):
    """The subscriber has the alert."""


class Retry(Struct, frozen=True):
    """The subscriber could not be reached now; the same alert may be sent again.

    `after_seconds` is the least time to wait, as the receiver asked; 0 leaves it to the sender.
    """

    after_seconds: float
    reason: str


class Rejected(Struct, frozen=True):
    """The alert will never get there this way; sending it again would change nothing."""

    reason: str


Answer: TypeAlias = Delivered | Retry | Rejected

#: What a CAP message is good for (CAP 1.2, `status`): only "Actual" is for people to act on.
CapStatus: TypeAlias = Literal["Actual", "Exercise", "Test"]

#: Resolve a host name and a port to IP addresses in text. It raises OSError where it cannot.
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, kw_only=True)
class SinkContext:
    """All that sinks may need from the installation; each takes what it uses."""

    #: The installation as a URI: the `source` of every message, e.g. "https://tocsin.example/".
    source: str
    #: The wall clock, in UTC.
    now: Callable[[], datetime]
    #: Latest revision of each alert that a subscription has wanted (`Store.alerts_for`).
    alerts_for: Callable[[Subscription], Sequence[Alert]]
    #: Every revision of an alert that is known, by its id (`Store.revisions`).
    revisions: Callable[[str], Sequence[Alert]] = lambda _: ()
    #: The folder in which feed files are written.
    feeds: Path
    #: The console's address, for links to an alert's page; None where there is none.
    console_url: str | None = None
    #: Host names, in lower case, that the operator allows to be private, plain http, on any port.
    allowed_hosts: frozenset[str] = field(default=frozenset())
    #: Chats that the operator has set: Apprise URLs by their names. Not shown: they hold secrets.
    chats: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Alertmanagers that the operator has set: URLs by their names, perhaps with passwords.
    alertmanagers: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Host name resolution; None is the system's.
    resolve: Resolve | None = None
    #: The mail server; None where there is none.
    smtp: Smtp | None = None
    #: The link that ends a subscription, by its id; None where nobody could reach it.
    unsubscribe_url: Callable[[str], str] | None = None
    #: The most time a single delivery may take, in seconds.
    timeout_seconds: float = 10.0
    #: The `status` of CAP messages.
    cap_status: CapStatus = "Exercise"


class Message(Struct, frozen=True):
    """What goes to one subscription at one time: the same again on each attempt.

    A sink that shows how things stand (a feed, a calendar) takes any message as a reason to
    write down the present state anew.
    """

    id: str  # the idempotency key
    #: `alert`: one revision. `digest`: the last revision of some alerts. `test`: asked for by the
    #: subscriber. `challenge`: asks the address whether it wants alerts at all. `notice`: about the
    #: subscription itself.
    kind: Literal["alert", "digest", "test", "challenge", "notice"]
    at: datetime
    alerts: tuple[Alert, ...] = ()
    text: str = ""  # of a notice: what happened, and the mend; of a challenge: what to answer with


class Sink(Protocol):
    """One channel to subscribers. Obligations are in `streams/sinks/README.md`."""

    name: ClassVar[str]

    async def send(
        self, message: Message, subscription: Subscription, secret: str | None
    ) -> Answer:
        """Send one message to one subscription, and say how it went.

        Failures of the receiver or of the network are answers, never exceptions.
        """
        ...

    async def close(self) -> None:
        """Release connections. A closed sink sends no more."""
        ...


def idempotency_key(alert: Alert, subscription: Subscription) -> str:
    """Name the delivery of one alert revision to one subscription: the same on each attempt."""
    return f"{alert.id}/{alert.revision}/{subscription.id}"


def of_alert(alert: Alert, subscription: Subscription) -> Message:
    """Return the message that tells a subscription of one alert revision."""
    return Message(idempotency_key(alert, subscription), "alert", alert.at, (alert,))


def wants(subscription: Subscription, alert: Alert) -> bool:
    """Tell whether a subscription asks for an alert revision.

    An empty list of units or signals means all of them. A country stands for its provinces, its
    stretches of border and its relations with other states too.
    A unit that is not in the subscription never matches: what could not be placed is not for
    those who asked for places. A signal is asked for where it is any part of what the revision
    rests on. Parts fade: whoever was told of an alert is told of its later revisions in any case
    (`streams/delivery/router.py`).
    """
    return (
        SEVERITY_RANK[alert.severity] >= SEVERITY_RANK[subscription.minimum_severity]
        and alert.claim.probability >= subscription.minimum_probability
        and (not subscription.directions or alert.direction in subscription.directions)
        and (alert.unit in UNITS or subscription.unplaced)
        and (not subscription.units or alert.unit in inside_any(subscription.units))
        and (not subscription.signals or not signals_of(alert).isdisjoint(subscription.signals))
    )
