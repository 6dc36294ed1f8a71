"""The tables of the projection, in SQL that SQLite and PostgreSQL both speak.

Instants are text in UTC of one width ("2026-01-31T06:00:00.000000Z"), so that they sort as text
and cast to a timestamp; days are ISO 8601 dates. `body` is the whole record as JSON: columns
beside it are there to be searched.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text

#: Raised with every change of a table or of what is written to it: an older store is rebuilt.
SCHEMA_VERSION: Final = 4

METADATA: Final = MetaData()

_INSTANT: Final = String(27)
_DAY: Final = String(10)


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)


#: Facts about the store itself: schema version, table names, newest evidence day.
META: Final = Table("meta", METADATA, _text("name", key=True), _text("value"))

#: The next offset to read of each partition.
PROGRESS: Final = Table(
    "progress",
    METADATA,
    _text("topic", key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
)

#: The last revision of each alert.
ALERTS: Final = Table(
    "alerts",
    METADATA,
    _text("id", key=True),
    Column("revision", Integer, nullable=False),
    _text("signal"),
    _text("direction"),
    _text("unit"),
    _text("state"),
    _text("severity"),
    Column("at", _INSTANT, nullable=False),
    Column("opened_at", _INSTANT, nullable=False),
    Column("probability", Float, nullable=False),
    Column("observed", Integer),
    Column("expected", Float),
    _text("coverage"),
    _text("body"),
    Index("alerts_by_unit", "unit"),
    Index("alerts_by_time", "at"),
)

#: Every revision of every alert.
ALERT_REVISIONS: Final = Table(
    "alert_revisions",
    METADATA,
    _text("id", key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("at", _INSTANT, nullable=False),
    _text("state"),
    _text("severity"),
    Column("severity_rank", Integer, nullable=False),  # watch 0, warning 1, critical 2
    _text("signals"),  # that it rests on, sorted, as " S1 S14 "
    _text("changed"),
    _text("body"),
)

#: One copy of each event for each unit it counts for, while it is kept.
EVENTS: Final = Table(
    "events",
    METADATA,
    _text("id", key=True),
    _text("unit", key=True),
    _text("report"),
    _text("source"),
    _text("publisher"),
    _text("event"),
    Column("place", Text),
    Column("occurred_start", _DAY),
    Column("occurred_end", _DAY),
    Column("seen_at", _INSTANT, nullable=False),
    _text("quote"),
    _text("body"),
    Index("events_by_time", "seen_at"),
)

#: What a report was and where in Kafka it stands, without its text, while it is kept.
REPORTS: Final = Table(
    "reports",
    METADATA,
    _text("id", key=True),
    _text("source"),
    Column("publisher", Text),
    _text("title"),
    Column("url", Text),
    Column("seen_at", _INSTANT, nullable=False),
    _text("topic"),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Index("reports_by_time", "seen_at"),
)

#: The last score of each signal, direction and unit.
SCORES: Final = Table(
    "scores",
    METADATA,
    _text("signal", key=True),
    _text("direction", key=True),
    _text("unit", key=True),
    Column("at", _INSTANT, nullable=False),
    _text("state"),
    _text("coverage"),
    Column("p", Float),
    Column("observed", Integer),
    Column("expected", Float),
    _text("body"),
)

#: The last score of each day, of each signal, direction and unit.
SCORE_DAYS: Final = Table(
    "score_days",
    METADATA,
    _text("signal", key=True),
    _text("direction", key=True),
    _text("unit", key=True),
    Column("day", _DAY, primary_key=True),
    Column("at", _INSTANT, nullable=False),
    _text("state"),
    _text("coverage"),
    Column("p", Float),
    Column("observed", Integer),
    Column("expected", Float),
    Column("series_end", _DAY),
    _text("incidents"),  # violent incidents by day up to `series_end`, a JSON list; [] if not told
    _text("dark_days"),  # of these days those on which coverage was not ok, a JSON list
)

#: The last health of each source.
SOURCE_HEALTH: Final = Table(
    "source_health",
    METADATA,
    _text("source", key=True),
    Column("at", _INSTANT, nullable=False),
    _text("state"),
    Column("share", Float, nullable=False),
    _text("body"),
)

#: Every attempt to deliver an alert. One message may tell of several alerts, and a revision that
#: was held is delivered later: so the id and the attempt alone are no key.
DELIVERIES: Final = Table(
    "deliveries",
    METADATA,
    _text("id", key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    _text("alert", key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    _text("status", key=True),
    _text("subscription"),
    _text("sink"),
    Column("at", _INSTANT, nullable=False),
    _text("reason"),
    _text("body"),
    Index("deliveries_by_alert", "alert"),
    Index("deliveries_by_subscription", "subscription", "at"),
)

#: What each subscription is now. One that is removed stays as its id and its state.
SUBSCRIPTIONS: Final = Table(
    "subscriptions",
    METADATA,
    _text("id", key=True),
    Column("offset", BigInteger, nullable=False),  # the last record of an id is what holds
    _text("sink"),
    _text("state"),
    _text("body"),
)

#: What the topics say: every table that is emptied and filled again in a rebuild.
PROJECTED: Final = tuple(each for each in METADATA.sorted_tables if each is not META)
