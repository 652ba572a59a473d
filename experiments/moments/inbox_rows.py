"""Rows that are in SQL and in no file yet, as columns that DuckDB takes."""

from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa
from sqlmodel import Session

from experiments.moments.dialects import text

EXPOSURE = pa.schema(
    [
        pa.field(name, pa.int64())
        for name in ("id", "experiment", "visitor", "variant", "phase", "first_at")
    ]
)
EVENT = pa.schema(
    [
        pa.field("id", pa.int64()),
        pa.field("visitor", pa.int64()),
        pa.field("name", pa.string()),
        pa.field("source", pa.string()),
        pa.field("occurred_at", pa.int64()),
        pa.field("received_at", pa.int64()),
        pa.field("properties", pa.string()),
    ]
)


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
    arrays = [
        pa.array(columns.get(field.name, (0,) * len(people)), field.type) for field in EXPOSURE
    ]
    return pa.Table.from_arrays(arrays, schema=EXPOSURE)


def events(session: Session, names: Collection[str], *, after: int = 0) -> pa.Table:
    """The events of these names with an id above `after`."""
    listed = ", ".join(map(text, sorted(names)))
    return _table(
        session,
        "SELECT id, visitor_id, name, source, occurred_at, received_at, "
        f"CAST(properties AS TEXT) FROM event WHERE id > {after} AND name IN ({listed})",
        EVENT,
    )


def _table(session: Session, statement: str, schema: pa.Schema) -> pa.Table:
    # The driver reads a percent sign as the beginning of a parameter.
    written = statement.replace("%", "%%") if _is_postgresql(session) else statement
    rows: Sequence[Any] = session.connection().exec_driver_sql(written).all()
    columns = zip(*rows, strict=True) if rows else ((),) * len(schema)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _is_postgresql(session: Session) -> bool:
    return session.connection().dialect.name == "postgresql"
