"""The user's own tables give the figures that the same events give when they are sent here."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import Engine, text

from experiments.analysis.service import gather
from experiments.database import open_engine
from experiments.errors import InvalidError, UnavailableError
from experiments.moments.mapping import Warehouse
from experiments.moments.warehouse import WarehouseEngine
from experiments.shapes import parse

HOUR = timedelta(hours=1)
EXPOSED = 'CREATE TABLE "Shown" (person TEXT, test TEXT, arm TEXT, "at" TIMESTAMPTZ)'
DONE = 'CREATE TABLE done (person TEXT, what TEXT, "at" TIMESTAMPTZ, amount DOUBLE PRECISION)'
MAPPING = {
    "exposures": {"table": "Shown", "visitor": "person", "experiment": "test", "variant": "arm"},
    "events": {
        "table": "done",
        "visitor": "person",
        "name": "what",
        "columns": {"revenue": "amount"},
    },
}


def rows(begun: datetime) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Nine visitors in turn in each arm; every third signs up, one is shown both arms."""
    shown = [
        (f"p{number}", "headline", ("control", "bold")[number % 2], begun + number * HOUR)
        for number in range(9)
    ]
    shown.append(("p0", "headline", "bold", begun + 2 * HOUR))
    shown.append(("p1", "elsewhere", "bold", begun))
    done = [(f"p{number}", "Signed Up", begun + (number + 1) * HOUR, 2.5) for number in (0, 3, 6)]
    done.append(("p5", "Signed Up", begun + 4 * HOUR, 1.0))  # before p5 was shown anything
    return shown, done


@pytest.fixture(params=["duckdb", "postgresql"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path, now: datetime) -> Warehouse:
    shown, done = rows(now)
    if request.param == "duckdb":
        path = tmp_path / "warehouse.duckdb"
        with duckdb.connect(str(path)) as database:
            database.execute(EXPOSED)
            database.execute(DONE)
            database.executemany('INSERT INTO "Shown" VALUES (?, ?, ?, ?)', shown)
            database.executemany("INSERT INTO done VALUES (?, ?, ?, ?)", done)
        return parse(Warehouse, {"address": f"duckdb://{path}", **MAPPING})
    address = request.getfixturevalue("postgres_url")
    own = open_engine(address)
    with own.begin() as connection:
        for statement in (EXPOSED, DONE):
            connection.execute(text(statement))
        for table, given in (('"Shown"', shown), ("done", done)):
            insert = f"INSERT INTO {table} VALUES (%s, %s, %s, %s)"
            for row in given:
                connection.exec_driver_sql(insert, row)
    own.dispose()
    plain = address.replace("postgresql+psycopg://", "postgresql://")
    return parse(Warehouse, {"address": plain, **MAPPING})


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_gather__tables_of_the_user__are_analysed_in_place(
    engine: Engine, start_trial: Callable[..., Any], warehouse: Warehouse, now: datetime
) -> None:
    trial = start_trial()
    ((_, data),) = gather(
        trial.session,
        [trial.key],
        now=now + 48 * HOUR,
        engine=WarehouseEngine(warehouse=warehouse),
    )
    bold, control = data.cells["headline.signed-up"]
    assert (bold.variant, bold.matured, bold.conversions) == ("bold", 4, 1)
    # p0 counts in the arm that they were shown first.
    assert (control.variant, control.matured, control.conversions) == ("control", 5, 2)
    assert control.delays is not None
    assert control.delays.mean == 1.0
    assert data.newest_at == now + 8 * HOUR


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_gather__table_is_missing__says_what_the_warehouse_says(
    engine: Engine, start_trial: Callable[..., Any], tmp_path: Path, now: datetime
) -> None:
    path = tmp_path / "empty.duckdb"
    duckdb.connect(str(path)).close()
    adder = WarehouseEngine(warehouse=parse(Warehouse, {"address": f"duckdb://{path}", **MAPPING}))
    trial = start_trial()
    with pytest.raises(UnavailableError, match="Shown"):
        gather(trial.session, [trial.key], now=now + HOUR, engine=adder)


@pytest.mark.parametrize("name", ['done"; DROP TABLE done; --', "a b", "1a", "a.b.c.d", ""])
def test_warehouse__name_that_is_none__is_refused(name: str) -> None:
    events = {**MAPPING["events"], "table": name}
    with pytest.raises(InvalidError, match="table"):
        parse(Warehouse, {"address": "duckdb:///x.duckdb", **MAPPING, "events": events})
