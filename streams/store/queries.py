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

from detectors.delivery_records import Delivery, Subscription
from detectors.records import (
    Alert,
    AlertState,
    Coverage,
    Event,
    IncidentRef,
    Record,
    Score,
    SourceHealth,
)
from detectors.world.units import UNITS, inside_any
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


class DeliveryFilter(Struct, frozen=True):
    """Which attempts to deliver are asked for; None is any."""

    alert: str | None = None
    subscription: str | None = None
    since: datetime | None = None  # made at or after


class Channel(Struct, frozen=True):
    """How a subscription's channel fares."""

    last_delivered: datetime | None  # None: nothing ever was
    failing_since: datetime | None  # the first attempt since then that failed; None: none did
    failures: int  # attempts since then that failed
    reason: str  # of the last of them


#: What an attempt came to that did not get through. Held back, or not sent on purpose, is none.
FAILED: Final = ("retry", "rejected", "given_up")


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
    for adds no more to it. The rule for one revision is `streams.sinks.wants`. An alert's unit,
    direction and claim never change.
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
    query = query.where(table.probability >= subscription.minimum_probability)
    if subscription.directions:
        query = query.where(table.direction.in_(subscription.directions))
    if subscription.units:
        query = query.where(table.unit.in_(sorted(inside_any(subscription.units))))
    if not subscription.unplaced:
        query = query.where(table.unit.in_(list(UNITS)))
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


def deliveries(connection: Connection, wanted: DeliveryFilter) -> list[Delivery]:
    """Return every attempt to deliver that matches, the first first."""
    table = schema.DELIVERIES.c
    query = select(table.body)
    if wanted.alert is not None:
        query = query.where(table.alert == plain(wanted.alert))
    if wanted.subscription is not None:
        query = query.where(table.subscription == plain(wanted.subscription))
    if wanted.since is not None:
        query = query.where(table.at >= instant(wanted.since))
    found = _records(Delivery, connection.scalars(query))
    return sorted(found, key=_delivery_order)


def _delivery_order(each: Delivery) -> tuple[datetime, str, int, str, int, bool, str]:
    held = each.status == "held"  # what was held at one time comes before what was told then
    return (each.at, each.id, each.attempt, each.alert, each.revision, not held, each.status)


def subscriptions(connection: Connection) -> list[Subscription]:
    """Return every subscription of the topic that is not removed, by its id."""
    table = schema.SUBSCRIPTIONS.c
    query = select(table.body).where(table.state != "removed")
    return sorted(_records(Subscription, connection.scalars(query)), key=lambda each: each.id)


def channels(connection: Connection) -> dict[str, Channel]:
    """Return how each subscription that anything was sent to fares, by its id."""
    table = schema.DELIVERIES.c
    last = (
        select(table.subscription, func.max(table.at).label("at"))
        .where(table.status == "delivered")
        .group_by(table.subscription)
        .subquery()
    )
    failed = (
        select(table.subscription, func.min(table.at), func.max(table.at), func.count())
        .outerjoin(last, last.c.subscription == table.subscription)
        .where(table.status.in_(FAILED))
        .where(or_(last.c.at.is_(None), table.at > last.c.at))
        .group_by(table.subscription)
    )
    delivered = {id: datetime.fromisoformat(at) for id, at in connection.execute(select(last))}
    found = {id: Channel(at, None, 0, "") for id, at in delivered.items()}
    for id, first, latest, count in connection.execute(failed).all():
        reason = select(table.reason).where(table.subscription == id, table.at == latest)
        reason = reason.where(table.status.in_(FAILED)).order_by(table.attempt.desc()).limit(1)
        since, why = datetime.fromisoformat(first), connection.scalar(reason) or ""
        found[id] = Channel(delivered.get(id), since, count, why)
    return dict(sorted(found.items()))


def judged(connection: Connection) -> tuple[date, date] | None:
    """Return the first and the last day on which any signal judged any unit, or None."""
    table = schema.SCORE_DAYS.c
    query = select(func.min(table.day), func.max(table.day)).where(table.state == "scored")
    first, last = connection.execute(query).one()
    return None if first is None else (date.fromisoformat(first), date.fromisoformat(last))


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
