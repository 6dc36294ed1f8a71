"""Records about one invented alert, for tests of what happens to alerts after they are raised."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from detectors.delivery_records import Delivery, Subscription
from detectors.records import (
    Alert,
    Casualties,
    Claim,
    Event,
    IncidentRef,
    Interval,
    Place,
    Report,
    Resolver,
    Score,
    SourceHealth,
)

OPENED = datetime(2026, 3, 1, 6, tzinfo=UTC)


def alert(number: int = 1, revision: int = 0, **changes: Any) -> Alert:
    """Return revision `revision` of alert `number`, six hours after the one before it."""
    opened_at = OPENED + timedelta(days=number)
    base = Alert(
        id=f"violence-burst/rise/AF-KAN/{opened_at:%Y-%m-%dT%H:%M:%SZ}",
        revision=revision,
        signal="violence-burst",
        direction="rise",
        unit="AF-KAN",
        state="open",
        severity="warning",
        at=opened_at + timedelta(hours=6 * revision),
        opened_at=opened_at,
        changed="opened" if revision == 0 else f"revision {revision}",
        claim=_claim(opened_at),
        p=0.0004,
        observed=23,
        expected=9.1,
        window_days=7,
        coverage="ok",
        coverage_share=0.96,
        reason="more incidents in 7 days than the baseline leads to expect",
        evidence=(
            incident("i1", date(2026, 2, 27), ("a/1/0", "b/1/0"), Casualties(1, 2, 4)),
            incident("i2", date(2026, 2, 28), ("a/2/0",), None),
        ),
    )
    return msgspec.structs.replace(base, **changes)


def _claim(opened_at: datetime) -> Claim:
    first = opened_at.date() + timedelta(days=1)
    last = first + timedelta(days=13)
    settle_at = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=30)
    rule = Resolver("violent_incidents", "AF-KAN", first, last, "at_least", 20, settle_at)
    return Claim("At least 20 violent incidents in Kandahar in 14 days", 0.34, 0.12, 14, rule)


def incident(id: str, day: date, events: tuple[str, ...], killed: Casualties | None) -> IncidentRef:
    publishers = tuple(sorted({each.partition("/")[0] for each in events}))
    return IncidentRef(id, day, "Kandahar", killed, publishers, events)


def event(id: str = "a/1/0", unit: str = "AF-KAN", **changes: Any) -> Event:
    base = Event(
        id=id,
        unit=unit,
        report=id.rpartition("/")[0],
        source=id.partition("/")[0],
        publisher=id.partition("/")[0],
        seen_at=OPENED,
        event="ASSAULT",
        occurred=Interval(date(2026, 2, 27), date(2026, 2, 27)),
        place=Place("Kandahar", "town", "AFG", "AF-KAN"),
        quote="an attack was reported in the town",
    )
    return msgspec.structs.replace(base, **changes)


def report(id: str = "a/1", **changes: Any) -> Report:
    base = Report(
        id=id,
        source=id.partition("/")[0],
        seen_at=OPENED,
        title=f"Report {id}",
        url=f"https://news.example/{id}",
    )
    return msgspec.structs.replace(base, **changes)


def score(at: datetime = OPENED, unit: str = "AF-KAN", **changes: Any) -> Score:
    base = Score(
        id=f"violence-burst/rise/{unit}/{at.isoformat()}",
        signal="violence-burst",
        version=1,
        unit=unit,
        direction="rise",
        at=at,
        state="scored",
        coverage="ok",
        coverage_share=1.0,
        p=0.2,
        observed=4,
        expected=3.5,
        window_days=7,
    )
    return msgspec.structs.replace(base, **changes)


def health(source: str = "wire", at: datetime = OPENED, **changes: Any) -> SourceHealth:
    base = SourceHealth(source, at, "ok", 1.0, 10, 9.5)
    return msgspec.structs.replace(base, **changes)


def delivery(of: Alert, attempt: int = 1, **changes: Any) -> Delivery:
    base = Delivery(
        id=f"{of.id}/{of.revision}/desk",
        alert=of.id,
        revision=of.revision,
        subscription="desk",
        sink="webhook",
        at=of.at + timedelta(minutes=attempt),
        attempt=attempt,
        status="retry",
        reason="HTTP 503",
    )
    return msgspec.structs.replace(base, **changes)


def subscription(sink: str = "webhook", address: str = "", **changes: Any) -> Subscription:
    return msgspec.structs.replace(Subscription("desk", sink, address), **changes)
