"""Questions to the projection. Each takes a connection and returns records, in a fixed order.

Orders by id are made here and not in SQL, where text sorts differently between databases.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, Row, Select, Table, func, or_, select

from detectors.records import (
    Alert,
    AlertState,
    Coverage,
    Delivery,
    Event,
    IncidentRef,
    Record,
    Score,
    SourceHealth,
    Subscription,
)
from detectors.world.units import inside_any
from streams.store import schema
from streams.store.rows import SEVERITY_RANK, instant, plain

R = TypeVar("R", bound=Record)
S = TypeVar("S", bound=Struct)

#: Values in one `IN (...)`: below every database's limit.
_CHUNK: Final = 500


class StoredReport(Struct, frozen=True):
    """What the store keeps of a report, and where the report itself stands in Kafka."""

    id: str
    source: str
    publisher: str | None
    title: str
    url: str | None
    seen_at: datetime
    topic: str
    partition: int
    offset: int


class Evidence(Struct, frozen=True):
    """One incident of an alert with its events and reports, as far as they are still kept."""

    incident: IncidentRef
    events: tuple[Event, ...]
    reports: tuple[StoredReport, ...]


class DailyScore(Struct, frozen=True):
    """The last score of one day."""

    day: date
    at: datetime
    state: str
    coverage: Coverage
    p: float | None
    observed: int | None
    expected: float | None
    series_end: date | None
    incidents: str  # by day up to `series_end`, a JSON list
    dark_days: str  # a JSON list of dates


class AlertFilter(Struct, frozen=True):
    """Which alerts are asked for; None is any."""

    unit: str | None = None
    signal: str | None = None
    state: AlertState | Collection[AlertState] | None = None
    since: datetime | None = None  # changed at or after


def alerts(connection: Connection, wanted: AlertFilter) -> list[Alert]:
    """Return the last revision of each alert, the ones changed last first."""
    table = schema.ALERTS.c
    query = select(table.body)
    if wanted.unit is not None:
        query = query.where(table.unit == plain(wanted.unit))
    if wanted.signal is not None:
        query = query.where(table.signal == plain(wanted.signal))
    if wanted.state is not None:
        states = [wanted.state] if isinstance(wanted.state, str) else list(wanted.state)
        query = query.where(table.state.in_(states))
    if wanted.since is not None:
        query = query.where(table.at >= instant(wanted.since))
    return _newest_first(_records(Alert, connection.scalars(query)))


def alerts_for(connection: Connection, subscription: Subscription) -> list[Alert]:
    """Return the last revision of each alert of which a subscription wanted any revision.

    So an alert that was wanted stays, also once its severity falls or the signal that was asked
    for adds no more to it. The rule for one revision is `streams.sinks.wants`.
    """
    revisions, table = schema.ALERT_REVISIONS.c, schema.ALERTS.c
    rank = SEVERITY_RANK[subscription.minimum_severity]
    wanted = select(revisions.id).where(revisions.severity_rank >= rank)
    if subscription.signals:
        # Not LIKE, which tells upper from lower case in one database and not in the other.
        held = revisions.signals
        named = (f" {plain(each)} " for each in subscription.signals)
        wanted = wanted.where(or_(*(func.replace(held, each, "") != held for each in named)))
    query = select(table.body).where(table.id.in_(wanted))
    if subscription.units:
        query = query.where(table.unit.in_(sorted(inside_any(subscription.units))))
    return _newest_first(_records(Alert, connection.scalars(query)))


def alert(connection: Connection, alert_id: str) -> Alert | None:
    """Return the last revision of an alert."""
    table = schema.ALERTS.c
    body = connection.scalar(select(table.body).where(table.id == plain(alert_id)))
    return None if body is None else msgspec.json.decode(body, type=Alert)


def revisions(connection: Connection, alert_id: str) -> list[Alert]:
    """Return every revision of an alert, the first first."""
    table = schema.ALERT_REVISIONS.c
    query = select(table.body).where(table.id == plain(alert_id)).order_by(table.revision)
    return _records(Alert, connection.scalars(query))


def evidence(connection: Connection, of: Alert) -> list[Evidence]:
    """Return what an alert's incidents rest on, in the order of its evidence.

    Of an event's copies the one for the alert's unit is returned. Events and reports older than
    the store keeps are left out: the incident itself still says what was known.
    """
    ids = {each for incident in of.evidence for each in incident.events}
    events: dict[str, Event] = {}
    for body in _by_id(connection, schema.EVENTS, schema.EVENTS.c.body, ids):
        found = msgspec.json.decode(body, type=Event)
        held = events.get(found.id)
        # One order among the copies, with the alert's own unit first.
        if held is None or _copy_order(found, of) < _copy_order(held, of):
            events[found.id] = found
    reports = _reports(connection, {each.report for each in events.values()})
    told = []
    for incident in of.evidence:
        seen = tuple(events[each] for each in sorted(incident.events) if each in events)
        sources = sorted({each.report for each in seen if each.report in reports})
        told.append(Evidence(incident, seen, tuple(reports[each] for each in sources)))
    return told


def scores(connection: Connection) -> list[Score]:
    """Return the last score of each signal, direction and unit, in that order."""
    found = _records(Score, connection.scalars(select(schema.SCORES.c.body)))
    return sorted(found, key=lambda each: (each.signal, each.direction, each.unit))


def score_days(connection: Connection, signal: str, direction: str, unit: str) -> list[DailyScore]:
    """Return the last score of each day, the first day first."""
    table = schema.SCORE_DAYS.c
    query = (
        _select(schema.SCORE_DAYS, DailyScore)
        .where(table.signal == plain(signal), table.direction == direction)
        .where(table.unit == plain(unit))
        .order_by(table.day)
    )
    return [_struct(DailyScore, row) for row in connection.execute(query)]


def source_health(connection: Connection) -> list[SourceHealth]:
    """Return the last health of each source, by the source's id."""
    found = _records(SourceHealth, connection.scalars(select(schema.SOURCE_HEALTH.c.body)))
    return sorted(found, key=lambda each: each.source)


def deliveries(connection: Connection, alert_id: str) -> list[Delivery]:
    """Return every attempt to deliver an alert, the first first."""
    table = schema.DELIVERIES.c
    found = _records(
        Delivery, connection.scalars(select(table.body).where(table.alert == plain(alert_id)))
    )
    return sorted(found, key=lambda each: (each.at, each.id, each.attempt))


def progress(connection: Connection, topic: str) -> dict[int, int]:
    """Return the next offset to read of each partition of a topic."""
    table = schema.PROGRESS.c
    query = select(table.partition, table.next_offset).where(table.topic == topic)
    return {row.partition: row.next_offset for row in connection.execute(query)}


def counts(connection: Connection) -> dict[str, int]:
    """Return the number of rows of each projected table."""
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in schema.PROJECTED
    }


def _records(kind: type[R], bodies: Sequence[str] | Iterator[str]) -> list[R]:
    decode = msgspec.json.Decoder(kind).decode
    return [decode(body) for body in bodies]


def _newest_first(found: list[Alert]) -> list[Alert]:
    found.sort(key=lambda each: each.id)
    return sorted(found, key=lambda each: each.at, reverse=True)


def _copy_order(event: Event, of: Alert) -> tuple[bool, str]:
    return (event.unit != of.unit, event.unit)


def _reports(connection: Connection, ids: set[str]) -> dict[str, StoredReport]:
    table = schema.REPORTS
    found: dict[str, StoredReport] = {}
    names = sorted(map(plain, ids))
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        query = _select(table, StoredReport).where(table.c.id.in_(chunk))
        for row in connection.execute(query):
            found[row.id] = _struct(StoredReport, row)
    return found


def _select(table: Table, kind: type[Struct]) -> Select[Any]:
    return select(*[table.c[name] for name in kind.__struct_fields__])


def _struct(kind: type[S], row: Row[Any]) -> S:
    return msgspec.convert(dict(zip(kind.__struct_fields__, row, strict=True)), kind)


def _by_id(
    connection: Connection, table: Table, column: Column[str], ids: set[str]
) -> Iterator[str]:
    names = sorted(map(plain, ids))
    for start in range(0, len(names), _CHUNK):
        query = select(column).where(table.c.id.in_(names[start : start + _CHUNK]))
        yield from connection.scalars(query)
