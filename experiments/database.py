"""Storage: one engine, one way to begin and end a transaction, two column types.

Instants are whole microseconds since 1970 in a BIGINT on every database, so that arithmetic on
them (windows, maturity) is the same expression on every database.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Engine,
    Integer,
    create_engine,
    event,
    inspect,
    make_url,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeftError
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

from experiments.errors import ConflictError, UnavailableError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BUSY_TIMEOUT_MS = 10_000
PAGES_BETWEEN_CHECKPOINTS = 4000  # 16 MB; pages that change again and again are copied once
WRITER_CACHE_KIB = 16_000  # the indexes that every event goes into
AWAY = "The database cannot be reached or is busy; try again in a moment."


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    if at.tzinfo is None:
        message = f"naive datetime {at.isoformat()}; pass an aware one"
        raise ValueError(message)
    return (at - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware datetime, in UTC, of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """To the database."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """From the database."""
        return None if value is None else from_micros(value)


class Json(TypeDecorator[Any]):
    """A JSON document: JSONB on PostgreSQL, text elsewhere."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """The native type of the dialect."""
        native = JSONB() if dialect.name == "postgresql" else JSON()
        return dialect.type_descriptor(native)


class BigId(TypeDecorator[int]):
    """A key of a table that grows with the visitors: 64 bits wherever that must be said."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """SQLite counts up only a column of type INTEGER, which has 64 bits there."""
        native = Integer() if dialect.name == "sqlite" else BigInteger()
        return dialect.type_descriptor(native)


def open_engine(url: str) -> Engine:
    """Open the database at `url`, ready for several threads."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return create_engine(address, pool_pre_ping=True)
    if address.database and address.database != ":memory:":
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def connect_writer(engine: Engine) -> Connection:
    """A connection for whoever writes without a pause."""
    connection = engine.connect()
    if connection.dialect.name == "sqlite":
        run(connection, f"PRAGMA cache_size=-{WRITER_CACHE_KIB}")
    return connection


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own implicit BEGIN is late and deferred: a read that later writes would then
    # fail with "database is locked" instead of waiting. We begin transactions ourselves.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        f"wal_autocheckpoint={PAGES_BETWEEN_CHECKPOINTS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Any) -> None:
    reading = connection.get_execution_options().get("reading", False)
    run(connection, "BEGIN DEFERRED" if reading else "BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Everything inside is stored together, or nothing is.

    Raises:
        UnavailableError: when the database cannot be reached or stays locked.
        ConflictError: when somebody else wrote the same thing at the same moment.
    """
    with _available(), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A consistent view of the data; what is changed inside is thrown away.

    Raises:
        UnavailableError: when the database cannot be reached.
    """
    bound = engine.execution_options(reading=True)
    with _available(), Session(bound, autoflush=False) as session:
        yield session


@contextmanager
def peeking(engine: Engine) -> Iterator[DBAPICursor]:
    """A cursor of the driver's own, for looks that a request waits for.

    A session and the objects around it take fifteen times as long as an indexed look-up.

    Raises:
        UnavailableError: when the database cannot be reached, or has another layout than this code.
    """
    errors = engine.dialect.loaded_dbapi
    try:
        with closing(engine.raw_connection()) as connection:
            yield connection.cursor()
    except (errors.OperationalError, errors.ProgrammingError, NoConnectionLeftError) as error:
        raise UnavailableError(AWAY) from error


@contextmanager
def direct(connection: Connection) -> Iterator[DBAPICursor]:
    """A cursor of the driver's own inside of a transaction; its errors are SQLAlchemy's.

    A statement of SQLAlchemy's takes as long as writing thirty rows.
    """
    errors = connection.dialect.loaded_dbapi
    driver = connection.connection
    try:
        with closing(driver.cursor()) as cursor:
            yield cursor
    except errors.Error as error:
        is_lost = connection.dialect.is_disconnect(error, driver.driver_connection, None)
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            None,
            None,
            error,
            errors.Error,
            connection_invalidated=is_lost,
            dialect=connection.dialect,
        ) from error


def fetched(cursor: DBAPICursor | sqlite3.Cursor, statement: str, *values: object) -> list[Any]:
    """Every row of a statement as a tuple; parameters are written `?` for each database."""
    if not isinstance(cursor, sqlite3.Cursor):
        statement = statement.replace("?", "%s")
    cursor.execute(statement, values)
    return list(cursor.fetchall()) if cursor.description else []


def run(connection: Connection, statement: str, *values: object) -> list[Any]:
    """Run a statement inside of a transaction, straight by the driver; the rows it returns."""
    with direct(connection) as cursor:
        return fetched(cursor, statement, *values)


def insert_once(session: Session, row: SQLModel) -> bool:
    """Insert a row unless one with the same unique key is there; whether it was inserted.

    Two transactions that insert the same key at once both go on, and exactly one is told True:
    the other waits for it and can then read what it wrote.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    mapper = inspect(type(row))
    values = {column.name: getattr(row, column.key) for column in mapper.columns}
    if values.get("id", ...) is None:
        del values["id"]
    # Values go as parameters of a bare table: an ORM statement with values costs far more a row.
    statement = insert(mapper.local_table).on_conflict_do_nothing().returning(true())
    return session.exec(statement, params=values).first() is not None


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (OperationalError, NoConnectionLeftError) as error:
        raise UnavailableError(AWAY) from error
    except IntegrityError as error:
        message = "Somebody else changed the same thing at the same moment; look and try again."
        raise ConflictError(message) from error
