"""Records into rows: which tables a record goes to, and what wins where two rows have one key.

Rows are pure functions of records and their place in Kafka, and each table keeps the row that is
greatest by `newer`, or the first where there is no such column. So a record that comes twice
changes nothing, and the tables do not depend on how records were batched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, get_args

import msgspec
from sqlalchemy import Table

from detectors.delivery_records import Delivery, Subscription
from detectors.ledger import VIOLENCE, counts_of
from detectors.life import signals_of
from detectors.records import (
    Alert,
    Command,
    Event,
    Heartbeat,
    Record,
    Report,
    Score,
    Severity,
    SourceHealth,
    Tick,
)
from streams.store import schema

Row: TypeAlias = dict[str, Any]
#: Kafka's topic, partition and offset of a record.
Place: TypeAlias = tuple[str, int, int]

#: Where a later row takes an earlier one's place, the column that says which is later.
NEWER: Final[dict[Table, str]] = {
    schema.META: "value",
    schema.PROGRESS: "next_offset",
    schema.ALERTS: "revision",
    schema.SCORES: "at",
    schema.SCORE_DAYS: "at",
    schema.SOURCE_HEALTH: "at",
    schema.SUBSCRIPTIONS: "offset",
}
#: Records that the projection passes over: it has no question that they answer.
PASSED_OVER: Final = (Heartbeat, Tick, Command)

#: Severities as numbers, so that SQL can tell the graver.
SEVERITY_RANK: Final = {name: rank for rank, name in enumerate(get_args(Severity))}

_ENCODER: Final = msgspec.json.Encoder()


def instant(moment: datetime) -> str:
    """Write an instant as the store does: UTC, microseconds, one width.

    >>> instant(datetime(2026, 1, 31, 6, tzinfo=UTC))
    '2026-01-31T06:00:00.000000Z'
    """
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def rows_of(record: Record, place: Place) -> Sequence[tuple[Table, Row]]:
    """Return the rows that a record is written as.

    Raises:
        TypeError: The record is of a kind that the store does not know.
    """
    writer = _WRITERS.get(type(record))
    if writer is not None:
        return writer(record, place)
    if isinstance(record, PASSED_OVER):
        return []
    raise TypeError(f"the store has no table for {type(record).__name__}")


def settle(table: Table, rows: Iterable[Row]) -> list[Row]:
    """Keep one row of each key, the one that wins, in the order of the keys.

    A fixed order keeps two writers from waiting for each other's rows.
    """
    names = [column.name for column in table.primary_key]
    newer = NEWER.get(table)
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple([row[name] for name in names])
        before = kept.setdefault(key, row)
        if newer is not None and row[newer] > before[newer]:
            kept[key] = row
    return [kept[key] for key in sorted(kept)]


def _body(record: Record) -> str:
    return _ENCODER.encode(record).decode()


def plain(text: str) -> str:
    """Return text that every database can hold, and be asked for."""
    # PostgreSQL's text has no place for NUL; JSON bodies escape it.
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}") if "\x00" in text else text


def _maybe(text: str | None) -> str | None:
    return None if text is None else plain(text)


def _alert(alert: Alert, _: Place) -> list[tuple[Table, Row]]:
    body, at = _body(alert), instant(alert.at)
    shared = {
        "id": plain(alert.id),
        "revision": alert.revision,
        "at": at,
        "state": alert.state,
        "severity": alert.severity,
        "body": body,
    }
    latest = shared | {
        "signal": plain(alert.signal),
        "direction": alert.direction,
        "unit": plain(alert.unit),
        "opened_at": instant(alert.opened_at),
        "probability": alert.claim.probability,
        "observed": alert.observed,
        "expected": alert.expected,
        "coverage": alert.coverage,
    }
    revision = shared | {
        "severity_rank": SEVERITY_RANK[alert.severity],
        "signals": f" {' '.join(sorted(map(plain, signals_of(alert))))} ",
        "changed": plain(alert.changed),
    }
    return [(schema.ALERTS, latest), (schema.ALERT_REVISIONS, revision)]


def _event(event: Event, _: Place) -> list[tuple[Table, Row]]:
    occurred = event.occurred
    row = {
        "id": plain(event.id),
        "unit": plain(event.unit),
        "report": plain(event.report),
        "source": plain(event.source),
        "publisher": plain(event.publisher),
        "event": event.event,
        "place": plain(event.place.name) if event.place else None,
        "occurred_start": occurred.start.isoformat() if occurred else None,
        "occurred_end": occurred.end.isoformat() if occurred else None,
        "seen_at": instant(event.seen_at),
        "quote": plain(event.quote),
        "body": _body(event),
    }
    return [(schema.EVENTS, row)]


def _report(report: Report, place: Place) -> list[tuple[Table, Row]]:
    topic, partition, offset = place
    row = {
        "id": plain(report.id),
        "source": plain(report.source),
        "publisher": _maybe(report.publisher),
        "title": plain(report.title),
        "url": _maybe(report.url),
        "seen_at": instant(report.seen_at),
        "topic": topic,
        "partition": partition,
        "offset": offset,
    }
    return [(schema.REPORTS, row)]


def _score(score: Score, _: Place) -> list[tuple[Table, Row]]:
    at = instant(score.at)
    shared = {
        "signal": plain(score.signal),
        "direction": score.direction,
        "unit": plain(score.unit),
        "at": at,
        "state": score.state,
        "coverage": score.coverage,
        "p": score.p,
        "observed": score.observed,
        "expected": score.expected,
    }
    return [
        (schema.SCORES, shared | {"body": _body(score)}),
        (schema.SCORE_DAYS, shared | {"day": at[:10]} | _series(score)),
    ]


def _series(score: Score) -> Row:
    """Return the violent incidents by day that a score tells of: onsets are looked for in them."""
    counts = counts_of(score, VIOLENCE) or {}
    return {
        "series_end": score.series_end.isoformat() if score.series_end else None,
        "incidents": _ENCODER.encode(list(counts.values())).decode(),
        "dark_days": _ENCODER.encode(score.dark_days).decode(),
    }


def _health(health: SourceHealth, _: Place) -> list[tuple[Table, Row]]:
    row = {
        "source": plain(health.source),
        "at": instant(health.at),
        "state": health.state,
        "share": health.share,
        "body": _body(health),
    }
    return [(schema.SOURCE_HEALTH, row)]


def _delivery(delivery: Delivery, _: Place) -> list[tuple[Table, Row]]:
    row = {
        "id": plain(delivery.id),
        "attempt": delivery.attempt,
        "alert": plain(delivery.alert),
        "revision": delivery.revision,
        "subscription": plain(delivery.subscription),
        "sink": delivery.sink,
        "at": instant(delivery.at),
        "status": delivery.status,
        "reason": plain(delivery.reason),
        "body": _body(delivery),
    }
    return [(schema.DELIVERIES, row)]


def _subscription(subscription: Subscription, place: Place) -> list[tuple[Table, Row]]:
    row = {
        "id": plain(subscription.id),
        "offset": place[2],
        "sink": plain(subscription.sink),
        "state": subscription.state,
        "body": _body(subscription),
    }
    return [(schema.SUBSCRIPTIONS, row)]


_WRITERS: Final[dict[type[Record], Callable[[Any, Place], Sequence[tuple[Table, Row]]]]] = {
    Alert: _alert,
    Event: _event,
    Report: _report,
    Score: _score,
    SourceHealth: _health,
    Delivery: _delivery,
    Subscription: _subscription,
}
