"""Rows that are in SQL and in no file yet, as columns that DuckDB takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from experiments.deferred import Deferred
from experiments.moments.dialects import text

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Deferred("pyarrow")


EXPOSURE = dict.fromkeys(("id", "experiment", "visitor", "variant", "phase", "first_at"), "int64")
EVENT = {
    "id": "int64",
    "visitor": "int64",
    "name": "string",
    "source": "string",
    "occurred_at": "int64",
    "received_at": "int64",
    "properties": "string",
}


def exposures(session: Session, experiments: Collection[int], *, after: int = 0) -> pa.Table:
    """The exposures of these experiments with an id above `after`."""
    listed = ", ".join(map(str, sorted(experiments)))
    return _table(
        session,
        "SELECT id, experiment_id, visitor_id, variant_id, phase_id, first_at FROM exposure "
        f"WHERE experiment_id IN ({listed}) AND id > {after}",
        EXPOSURE,
    )


def entered(people: Sequence[tuple[int, int]]) -> pa.Table:
    """People with the instant from which on their events count, as exposures to number 0."""
    visitors, instants = zip(*people, strict=True) if people else ((), ())
    columns = {"visitor": visitors, "first_at": instants}
    return table_of((columns.get(name, (0,) * len(people)) for name in EXPOSURE), EXPOSURE)


def events(session: Session, names: Collection[str], *, after: int = 0) -> pa.Table:
    """The events of these names with an id above `after`."""
    listed = ", ".join(map(text, sorted(names)))
    return _table(
        session,
        "SELECT id, visitor_id, name, source, occurred_at, received_at, "
        f"CAST(properties AS TEXT) FROM event WHERE id > {after} AND name IN ({listed})",
        EVENT,
    )


def table_of(columns: Iterable[Sequence[Any]], types: Mapping[str, str]) -> pa.Table:
    """Columns as a table, under the names and in the types of its columns."""
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types.values(), strict=True)]
    return pa.Table.from_arrays(arrays, names=list(types))


def _table(session: Session, statement: str, types: Mapping[str, str]) -> pa.Table:
    # The driver reads a percent sign as the beginning of a parameter.
    written = statement.replace("%", "%%") if _is_postgresql(session) else statement
    rows: Sequence[Any] = session.connection().exec_driver_sql(written).all()
    return table_of(zip(*rows, strict=True) if rows else ((),) * len(types), types)


def _is_postgresql(session: Session) -> bool:
    return session.connection().dialect.name == "postgresql"
