"""The records of telling people: who asked for which alerts, and what became of each."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from detectors.records import (
    Alert,
    Count,
    Direction,
    Identifier,
    Instant,
    Record,
    Severity,
    Share,
    Value,
)

#: `pending`: its address has not yet proved that it wants alerts. `failing`: its channel is dead.
SubscriptionState = Literal["pending", "active", "paused", "failing", "removed"]
#: What became of a revision: `held` until a digest is due or quiet hours are over, `over_budget`
#: and `stale` (of long ago, as in a replay) are not sent, `given_up` was tried often enough.
DeliveryStatus = Literal[
    "delivered", "retry", "rejected", "given_up", "held", "over_budget", "stale",
]  # fmt: skip
#: Languages in which alerts are worded.
Language = Literal["en"]
Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Weekday = Annotated[int, Meta(ge=0, le=6)]


class Quiet(Value, frozen=True):
    """Hours in which a subscriber is not disturbed, but for what is grave."""

    first: Clock  # local time
    until: Clock  # local time; earlier than `first`: on the next day
    override: Severity = "critical"  # from this severity on, it is told all the same


class Digest(Value, frozen=True):
    """When a subscriber is told of all that came since the last time."""

    every: Literal["day", "week"]
    at: Clock = "07:00"  # local time
    weekday: Weekday = 0  # of a weekly digest; 0 is Monday


class Escalation(Value, frozen=True):
    """Who else is told of an alert that nobody has acknowledged."""

    after_hours: Annotated[float, Meta(gt=0.0)]
    to: Identifier  # another subscription


class Subscription(Record, frozen=True, tag="subscription.v1"):
    """A standing request: send alerts that match to one address of one sink.

    What is asked for is told at once, unless there is a digest; empty filters let all pass.
    """

    id: Identifier
    sink: str
    address: str
    minimum_severity: Severity = "watch"
    units: tuple[str, ...] = ()  # countries, provinces, border segments, relations, organisations
    signals: tuple[str, ...] = ()
    minimum_probability: Share = 0.0  # of the claim
    directions: tuple[Direction, ...] = ()
    unplaced: bool = False  # whether alerts without a known unit are asked for too
    digest: Digest | None = None
    quiet: Quiet | None = None
    time_zone: str = "UTC"  # IANA name: of the digest and the quiet hours
    language: Language = "en"
    most_per_week: Count | None = None  # new alerts in any 7 days; None: as many as there are
    escalation: Escalation | None = None
    owner: str = ""  # the e-mail address that is told when the channel does not work
    state: SubscriptionState = "active"
    reason: str = ""  # why it is in this state
    secret: Count = 1  # the number of the signing secret in use
    rotated_at: Instant | None = None  # when it replaced the one before, which holds for a day more
    at: Instant | None = None  # when it was last changed


class Parcel(Record, frozen=True, tag="parcel.v1"):
    """An alert revision on its way to one subscription."""

    id: Identifier  # alert id, revision and subscription: the idempotency key
    subscription: Identifier
    alert: Alert
    at: Instant  # when it was put on its way
    again: Count = 0  # how often it was told before, to a channel that forgets


class Delivery(Record, frozen=True, tag="delivery.v1"):
    """One attempt to deliver one alert revision to one subscription, or why there was none."""

    id: Identifier  # the message's idempotency key, and the attempt
    alert: Identifier
    revision: Count
    subscription: Identifier
    sink: str
    at: Instant
    attempt: Annotated[int, Meta(ge=1)]
    status: DeliveryStatus
    reason: str = ""
    message: str = ""  # the idempotency key of what was sent; "" for one of before
