"""Reading many experiments again and again: what did not change is told by its bare rows.

A row taken as it is costs a twentieth of what it costs to read it into a checked shape, and of a
thousand experiments hardly ever more than one has changed.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

import orjson
from sqlalchemy import Connection, Table, inspect
from sqlmodel import Session, SQLModel, col, select

from experiments.database import Json, run
from experiments.design.models import Experiment, Phase, Variant
from experiments.design.queries import outs
from experiments.design.schemas import ExperimentOut, Purpose, Status
from experiments.inbox.rows import among

Rows = tuple[tuple[Any, ...], ...]


class _Held(NamedTuple):
    """An experiment, and the rows that it was read from."""

    rows: Rows
    out: ExperimentOut


class Recall:
    """Remembers what it read last."""

    def __init__(self) -> None:
        self._held: Mapping[int, _Held] = {}

    def experiments(
        self, session: Session, statuses: Collection[Status], *, purposes: Collection[Purpose]
    ) -> list[ExperimentOut]:
        """The experiments of these states and purposes, in the order they were made.

        What did not change since the last time is the very object of the last time.
        """
        found = _rows(session.connection(), statuses, purposes)
        held = self._held
        stale = [key for key, rows in found.items() if key not in held or held[key].rows != rows]
        changed = select(Experiment).where(col(Experiment.id).in_(stale))
        fresh = {out.id: out for out in outs(session, session.exec(changed).all())}
        self._held = {
            key: _Held(rows, fresh[key] if key in fresh else held[key].out)
            for key, rows in found.items()
        }
        return [item.out for item in self._held.values()]


def _rows(
    connection: Connection, statuses: Collection[Status], purposes: Collection[Purpose]
) -> dict[int, Rows]:
    """Every row that belongs to each of these experiments."""
    listed = among(connection)
    chosen = f"WHERE status {listed} AND purpose {listed}"
    wanted = tuple(orjson.dumps(list(values)).decode() for values in (statuses, purposes))
    found = defaultdict(list)
    for row in run(connection, f"{_select(Experiment)} {chosen} ORDER BY id", *wanted):
        found[row[0]].append(row)
    theirs = f"WHERE experiment_id IN (SELECT id FROM experiment {chosen})"  # noqa: S608 (as above)
    for model in (Variant, Phase):
        for row in run(connection, f"{_select(model)} {theirs} ORDER BY id", *wanted):
            found[row[1]].append(row)
    return {key: tuple(rows) for key, rows in found.items()}


@cache
def _select(model: type[SQLModel]) -> str:
    """Every column, those of JSON as text."""
    table = cast(Table, inspect(model).local_table)
    columns = (
        f"CAST({column.name} AS TEXT)" if isinstance(column.type, Json) else column.name
        for column in table.columns
    )
    return f"SELECT {', '.join(columns)} FROM {table.name}"  # noqa: S608 (names of ours)
