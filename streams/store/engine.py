"""Opening the database: SQLite set up for one writer and many readers, PostgreSQL as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url

from streams.store.schema import META, METADATA, SCHEMA_VERSION

#: How long a statement waits for another process's SQLite transaction, in milliseconds.
_BUSY_MILLISECONDS: Final = 30_000
#: Any number, the same in every process: they take turns to create PostgreSQL's tables.
_ADVISORY_LOCK: Final = 0x70C51
_WRITING: Final = "tocsin_writing"


def open_engine(address: str) -> Engine:
    """Connect to a database given as a URL.

    Args:
        address: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://...`.

    Raises:
        ValueError: The URL is malformed, of another database, or SQLite in memory.
        ModuleNotFoundError: PostgreSQL's driver is not installed.
    """
    try:
        url = make_url(address)
    except Exception as error:
        # Without the text: it may hold a password.
        raise ValueError("the store's address is not a database URL") from error
    backend = url.get_backend_name()
    if backend == "sqlite":
        return _sqlite(url)
    if backend in ("postgresql", "postgres"):
        return _postgresql(url)
    raise ValueError(f"the store is sqlite or postgresql, not {backend}")


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or "mode=memory" in url.database:
        raise ValueError("the store is used from several threads: SQLite needs a file")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, paramstyle="named")  # rows go to the driver as they are

    def connected(connection: Any, _: Any) -> None:  # noqa: ANN401 - the driver's own type
        # Transactions are begun below: the driver would begin them late, and as readers.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()

    def begun(connection: Connection) -> None:
        # A reader that turns writer fails at once when another wrote meanwhile: say so first.
        writing = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _postgresql(url: URL) -> Engine:
    try:
        return create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "PostgreSQL needs its driver: pip install 'tocsin[postgres]'"
        ) from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes: all of it, or nothing."""
    with engine.connect().execution_options(**{_WRITING: True}) as connection, connection.begin():
        yield connection


def ensure_schema(engine: Engine, *, force: bool = False) -> bool:
    """Create the tables, unless those of this version are there; drop those of another.

    Args:
        engine: The database.
        force: Drop and create in any case.

    Returns:
        Whether the store is empty now and must be filled from the first offset on.

    Raises:
        ValueError: The database holds tables of these names that a store did not make.
    """
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        present = set(inspect(connection).get_table_names())
        facts = _facts(connection) if META.name in present else {}
        if not force and facts.get("schema_version") == str(SCHEMA_VERSION):
            return False
        # Another version may have had other tables: it left their names. Nothing else is dropped.
        former = present & set(facts.get("tables", "").split())
        if foreign := sorted((present - former) & set(METADATA.tables)):
            raise ValueError(
                f"the database has tables that are not the store's: {', '.join(foreign)}; "
                "give the store a database, or a PostgreSQL schema, of its own"
            )
        quoted = connection.dialect.identifier_preparer.quote_identifier
        for name in sorted(former):
            connection.exec_driver_sql(f"DROP TABLE {quoted(name)}")
        METADATA.create_all(connection, checkfirst=False)
        tables = " ".join(sorted(METADATA.tables))
        rows = {"schema_version": str(SCHEMA_VERSION), "tables": tables}
        connection.execute(META.insert(), [{"name": k, "value": v} for k, v in rows.items()])
        return True


def _facts(connection: Connection) -> dict[str, str]:
    """Return what a store said of itself; nothing, where `meta` is another's table."""
    columns = {each["name"] for each in inspect(connection).get_columns(META.name)}
    if columns != {each.name for each in META.columns}:
        return {}
    rows = connection.execute(select(META.c.name, META.c.value))
    return {row.name: row.value for row in rows}
