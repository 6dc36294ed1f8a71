"""The store: records in, answers out. Synchronous; a worker calls it in a thread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from detectors.delivery_records import Delivery, Subscription
from detectors.records import Alert, AlertState, Direction, Record, Score, SourceHealth
from streams.store import queries, schema
from streams.store.engine import ensure_schema, open_engine, writing
from streams.store.queries import AlertFilter, Channel, DailyScore, DeliveryFilter, Evidence
from streams.store.rows import NEWER, Row, rows_of, settle

#: How long events and reports are kept, behind the newest one.
EVIDENCE_DAYS: Final = 120

_NEWEST_DAY: Final = "newest_evidence_day"
_EVIDENCE: Final = (schema.EVENTS, schema.REPORTS)


class Store:
    """A projection of the topics in a SQL database, rebuilt when its version differs.

    Records that come again change nothing, and `apply` writes the records and how far it got in
    one transaction. Use from several threads is safe; write from one process at a time.
    """

    def __init__(self, address: str, *, evidence_days: int = EVIDENCE_DAYS) -> None:
        """Open the store, and create its tables where there are none of this version.

        Args:
            address: `sqlite:///path` or `postgresql://...`.
            evidence_days: Events and reports seen more than this many days before the day of
                the newest are dropped.

        Raises:
            ValueError: The address cannot be used, the database holds another's tables, or
                `evidence_days` is less than 1.
            ModuleNotFoundError: PostgreSQL's driver is not installed.
        """
        if evidence_days < 1:
            raise ValueError("evidence is kept for at least a day")
        self._kept = timedelta(days=evidence_days)
        self._engine = open_engine(address)
        self._upserts = {
            table: _upsert(table, self._engine) for table in schema.METADATA.sorted_tables
        }
        #: Whether opening emptied the store, so that every topic is to be read from its start.
        self.rebuilt = ensure_schema(self._engine)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def reset(self) -> None:
        """Empty the store: for topics that were created anew and count from 0 again."""
        ensure_schema(self._engine, force=True)

    # Records in

    def apply(self, topic: str, records: Sequence[tuple[int, int, Record]]) -> None:
        """Write a batch of one topic, and the progress it means, in one transaction.

        Args:
            topic: The topic all records are from.
            records: Partition, offset and value, each partition in the order of its offsets.

        Raises:
            TypeError: A record is of a kind that the store does not know; nothing is written.
        """
        if not records:
            return
        rows: dict[Table, list[Row]] = defaultdict(list)
        for partition, offset, record in records:
            for table, row in rows_of(record, (topic, partition, offset)):
                rows[table].append(row)
            rows[schema.PROGRESS].append(
                {"topic": topic, "partition": partition, "next_offset": offset + 1}
            )
        with writing(self._engine) as connection:
            self._forget(connection, rows)
            for table in sorted(rows, key=lambda each: each.name):
                if settled := settle(table, rows[table]):
                    connection.exec_driver_sql(self._upserts[table], settled)

    def _forget(self, connection: Connection, rows: dict[Table, list[Row]]) -> None:
        """Drop evidence that is too old, in the tables and in the batch.

        The limit is a whole day behind the newest day ever seen, so it moves once a day, and the
        same records leave the same rows however they were batched.
        """
        evidence = [row["seen_at"] for table in _EVIDENCE for row in rows.get(table, ())]
        if not evidence:
            return
        day = max(evidence)[:10]
        name, value = schema.META.c.name, schema.META.c.value
        before = connection.scalar(select(value).where(name == _NEWEST_DAY)) or ""
        limit = (date.fromisoformat(max(day, before)) - self._kept).isoformat()
        if day > before:
            fact = {"name": _NEWEST_DAY, "value": day}
            connection.exec_driver_sql(self._upserts[schema.META], fact)
            for table in _EVIDENCE:
                connection.execute(delete(table).where(table.c.seen_at < limit))
        for table in _EVIDENCE:
            if table in rows:
                rows[table] = [row for row in rows[table] if row["seen_at"] >= limit]

    # Answers out

    def progress(self, topic: str) -> dict[int, int]:
        """Return the next offset to read of each partition; one that is not there starts at 0."""
        with self._engine.connect() as connection:
            return queries.progress(connection, topic)

    def alerts(
        self,
        unit: str | None = None,
        signal: str | None = None,
        state: AlertState | Collection[AlertState] | None = None,
        since: datetime | None = None,
    ) -> list[Alert]:
        """Return the last revision of each alert that matches, the ones changed last first.

        Args:
            unit: Its unit, exactly.
            signal: Its signal.
            state: Its state, or one of several.
            since: Changed at this instant or after.
        """
        with self._engine.connect() as connection:
            return queries.alerts(connection, AlertFilter(unit, signal, state, since))

    def alerts_for(self, subscription: Subscription) -> list[Alert]:
        """Return the last revision of each alert of which a subscription wanted any revision."""
        with self._engine.connect() as connection:
            return queries.alerts_for(connection, subscription)

    def alert(self, alert_id: str) -> Alert | None:
        """Return the last revision of an alert, or None."""
        with self._engine.connect() as connection:
            return queries.alert(connection, alert_id)

    def revisions(self, alert_id: str) -> list[Alert]:
        """Return every revision of an alert, the first first."""
        with self._engine.connect() as connection:
            return queries.revisions(connection, alert_id)

    def evidence(self, alert: Alert) -> list[Evidence]:
        """Return each incident of an alert with the events and reports that are still kept."""
        with self._engine.connect() as connection:
            return queries.evidence(connection, alert)

    def scores(self) -> list[Score]:
        """Return the last score of each signal, direction and unit."""
        with self._engine.connect() as connection:
            return queries.scores(connection)

    def score_days(self, signal: str, direction: Direction, unit: str) -> list[DailyScore]:
        """Return the last score of each day, the first day first."""
        with self._engine.connect() as connection:
            return queries.score_days(connection, signal, direction, unit)

    def source_health(self) -> list[SourceHealth]:
        """Return the last health of each source."""
        with self._engine.connect() as connection:
            return queries.source_health(connection)

    def deliveries(
        self,
        alert_id: str | None = None,
        subscription: str | None = None,
        since: datetime | None = None,
    ) -> list[Delivery]:
        """Return every attempt to deliver that matches, the first first.

        Args:
            alert_id: Of this alert.
            subscription: To this subscription, by its id.
            since: Made at this instant or after.
        """
        with self._engine.connect() as connection:
            wanted = DeliveryFilter(alert_id, subscription, since)
            return queries.deliveries(connection, wanted)

    def subscriptions(self) -> list[Subscription]:
        """Return every subscription of the topic that is not removed, by its id."""
        with self._engine.connect() as connection:
            return queries.subscriptions(connection)

    def channels(self) -> dict[str, Channel]:
        """Return how the channel of each subscription fares to which anything was sent, by id."""
        with self._engine.connect() as connection:
            return queries.channels(connection)

    def judged(self) -> tuple[date, date] | None:
        """Return the first and the last day (UTC) on which any unit was judged, or None."""
        with self._engine.connect() as connection:
            return queries.judged(connection)

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        with self._engine.connect() as connection:
            return queries.counts(connection)


def _upsert(table: Table, engine: Engine) -> str:
    """Return the SQL of an insert in which the row with the greater `NEWER` column wins.

    Where there is no such column, the first row wins. It is text, made once: the driver takes
    rows three times as fast as the layer above it.
    """
    make = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    insert: Any = make(table)
    keys = list(table.primary_key)
    newer = NEWER.get(table)
    if newer is None:
        return str(insert.on_conflict_do_nothing(index_elements=keys).compile(engine))
    taken = insert.excluded
    statement = insert.on_conflict_do_update(
        index_elements=keys,
        set_={each.name: taken[each.name] for each in table.columns if not each.primary_key},
        where=taken[newer] > table.c[newer],
    )
    return str(statement.compile(engine))
