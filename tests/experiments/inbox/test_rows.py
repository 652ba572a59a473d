from datetime import datetime

import orjson
import pytest
from sqlalchemy import text
from sqlmodel import Session, func, select

from experiments.assignment.models import SuppressedId
from experiments.database import run, to_micros
from experiments.inbox.rows import FEWEST_COPIED, among, insert_new

COLUMNS = ("digest", "at")


def test_insert_new__many_rows__tells_which_were_new(session: Session, now: datetime) -> None:
    rows = [(f"{number}\t\\N", to_micros(now)) for number in range(FEWEST_COPIED)]

    def inserted(chosen: list[tuple[str, int]]) -> list[bool]:
        connection = session.connection()
        return insert_new(connection, SuppressedId, COLUMNS, chosen, key=("digest",))

    assert inserted(rows) == [True] * FEWEST_COPIED
    more = [("first", 1), *rows, ("last", 2), ("last", 2)]
    assert inserted(more) == [True, *[False] * FEWEST_COPIED, True, False]
    assert session.exec(select(func.count()).select_from(SuppressedId)).one() == FEWEST_COPIED + 2
    stored = select(SuppressedId.at).where(SuppressedId.digest == rows[0][0])
    assert session.exec(stored).one() == now


def test_among__texts_and_numbers__finds_the_members(session: Session, now: datetime) -> None:
    connection = session.connection()
    rows = [(f"{number}", to_micros(now) + number) for number in range(4)]
    insert_new(connection, SuppressedId, COLUMNS, rows, key=("digest",))

    def found(column: str, kind: str, members: list[object]) -> list[str]:
        query = f"SELECT digest FROM suppressed_id WHERE {column} {among(connection, kind)}"
        return sorted(row[0] for row in run(connection, query, orjson.dumps(members).decode()))

    assert found("digest", "TEXT", ["1", "3", "3", "x"]) == ["1", "3"]
    assert found("at", "BIGINT", [to_micros(now) + 2, 7]) == ["2"]
    assert found("digest", "TEXT", []) == []


def test_among__plan_kept_from_when_the_table_was_small__looks_up_the_index(
    session: Session,
) -> None:
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("it plans each statement for itself")
    connection = session.connection()
    query = f"SELECT at FROM suppressed_id WHERE digest {among(connection)}".replace("?", "$1")
    connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    connection.exec_driver_sql(f"PREPARE kept (text) AS {query}")
    connection.execute(
        text("INSERT INTO suppressed_id SELECT number, 1 FROM generate_series(1, 5000) AS number")
    )
    plan = [row[0] for row in connection.exec_driver_sql("EXPLAIN EXECUTE kept ('[\"5\"]')")]
    connection.exec_driver_sql("DEALLOCATE kept")
    assert not [line for line in plan if "Seq Scan on suppressed_id" in line], plan
