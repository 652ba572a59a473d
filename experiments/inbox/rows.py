"""Many rows in one statement, without objects in between: what the database has already stays.

Rows are tuples of what the driver takes: instants as microseconds, JSON as text. SQLite is fastest
with statements of some dozens of rows, in which no other thread comes between two; PostgreSQL by
COPY, and where some may be known by one statement with all rows as a JSON parameter.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, cast

import orjson
from sqlalchemy import Connection, Table, inspect
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

from experiments.database import Json, direct, fetched, run

Row = tuple[Any, ...]
MOST_AT_ONCE = 64  # rows of a statement for SQLite; of more each takes as long
FEWEST_COPIED = 50  # rows; fewer are as quick in one statement
POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped


def insert_new(
    connection: Connection,
    model: type[SQLModel],
    columns: tuple[str, ...],
    rows: Sequence[Row],
    *,
    key: tuple[str, ...],
) -> list[bool]:
    """Insert rows; whether each was new, told by the columns of a unique `key`.

    A row that comes twice is new once.
    """
    if not rows:
        return []
    table = _table(model)
    insert = _insert_sqlite if connection.dialect.name == "sqlite" else _insert_postgresql
    found = insert(connection, table, columns, rows, key)
    if found is None:
        return [True] * len(rows)
    places = [columns.index(name) for name in key]
    news = []
    for row in rows:
        said = tuple(row[place] for place in places)
        news.append(said in found)
        found.discard(said)
    return news


def elements(connection: Connection) -> str:
    """SQL of a table with one column `value`: the members of a JSON list, the only parameter."""
    if connection.dialect.name == "sqlite":
        return "json_each(?)"
    return "json_array_elements_text(?::json) AS element(value)"


def among(connection: Connection, kind: str = "TEXT") -> str:
    """SQL of what comes behind a column of a kind: that it is one of the members of a JSON list.

    PostgreSQL looks each member of an array up in an index. Joined to a list, it keeps a plan that
    reads the whole table, made when the table was small.
    """
    members = f"(SELECT CAST(value AS {kind}) FROM {elements(connection)})"  # noqa: S608 (no value inside)
    return f"IN {members}" if connection.dialect.name == "sqlite" else f"= ANY(ARRAY{members})"


def _insert_sqlite(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    key: tuple[str, ...],
) -> set[Row] | None:
    """The keys of the new rows, or nothing when all are new."""
    with direct(connection) as cursor:
        new = 0
        for part in _parts(rows):
            insert = _sqlite_statement(table.name, columns, len(part))
            cursor.execute(insert, tuple(chain.from_iterable(part)))
            new += cursor.rowcount
        if new == len(rows):
            return None
        # Nobody else writes now, and each row gets the next number.
        newest = f"SELECT {', '.join(key)} FROM {table.name} ORDER BY rowid DESC LIMIT ?"  # noqa: S608 (names of ours)
        return set(fetched(cursor, newest, new))


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Rows by powers of two, so that there are few statements, which the driver keeps prepared."""
    begin = 0
    while left := len(rows) - begin:
        size = min(MOST_AT_ONCE, 1 << (left.bit_length() - 1))
        yield rows[begin : begin + size]
        begin += size


def _insert_postgresql(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    key: tuple[str, ...],
) -> set[Row] | None:
    """The keys of the new rows, or nothing when all are new."""
    if len(rows) >= FEWEST_COPIED and _copied(connection, table, columns, rows):
        return None
    written = {place for place, name in enumerate(columns) if isinstance(table.c[name].type, Json)}
    document = orjson.dumps(
        [
            {
                name: orjson.Fragment(value) if place in written else value
                for place, (name, value) in enumerate(zip(columns, row, strict=True))
            }
            for row in rows
        ]
    )
    statement = _postgresql_statement(table, columns, key)
    found = set(run(connection, statement, document.decode()))
    return None if len(found) == len(rows) else found


def _copied(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> bool:
    """Copy rows, which takes half the time; whether that was possible, because all are new."""
    with direct(connection) as cursor:
        cursor.execute("SAVEPOINT copying")
        try:
            with cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        except connection.dialect.loaded_dbapi.IntegrityError:
            cursor.execute("ROLLBACK TO SAVEPOINT copying")
            return False
        cursor.execute("RELEASE SAVEPOINT copying")
    return True


@lru_cache
def _table(model: type[SQLModel]) -> Table:
    return cast(Table, inspect(model).local_table)


@lru_cache
def _sqlite_statement(table: str, columns: tuple[str, ...], rows: int) -> str:
    marks = ", ".join([f"({', '.join('?' * len(columns))})"] * rows)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks} ON CONFLICT DO NOTHING"  # noqa: S608 (names of ours)


@lru_cache
def _postgresql_statement(table: Table, columns: tuple[str, ...], key: tuple[str, ...]) -> str:
    names = ", ".join(columns)
    typed = ", ".join(f"{name} {table.c[name].type.compile(POSTGRESQL)}" for name in columns)
    return (
        f"INSERT INTO {table.name} ({names}) "  # noqa: S608 (names of ours)
        f"SELECT {names} FROM json_to_recordset(?::json) AS given({typed}) "
        f"ON CONFLICT DO NOTHING RETURNING {', '.join(key)}"
    )
