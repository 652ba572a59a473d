"""What the rows of an export are and how SQL tells them; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from experiments.exports.schemas import Part

INSTANT = pa.timestamp("us", tz="UTC")
ARM = "experiment.key, variant.key, phase.number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Rows of one table, in the order of their ids; `at` is the instant that a period is about.

    The first column is the id.
    """

    schema: pa.Schema
    columns: str
    origin: str
    at: str

    @property
    def statement(self) -> str:
        """SQL of the rows; parameters: above which id, since, before, how many."""
        number = self.columns.partition(",")[0]
        return (
            f"SELECT {self.columns} FROM {self.origin} "  # noqa: S608 (names of ours)
            f"WHERE {number} > ? AND {self.at} >= ? AND {self.at} < ? ORDER BY {number} LIMIT ?"
        )

    def table(self, rows: Sequence[Sequence[Any]]) -> pa.Table:
        """Rows of SQL as columns."""
        arrays = [
            _column([row[place] for row in rows], field.type)
            for place, field in enumerate(self.schema)
        ]
        return pa.Table.from_arrays(arrays, schema=self.schema)


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Values as SQL tells them: instants as microseconds, truth on SQLite as 0 or 1."""
    told = pa.array(values, pa.int64() if kind == INSTANT else None)
    return told.cast(kind)


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


def _of_arms(table: str) -> str:
    """Rows of a table with the keys of their experiment and variant."""
    return (
        f"{table} JOIN experiment ON experiment.id = {table}.experiment_id "
        f"JOIN variant ON variant.id = {table}.variant_id "
        f"JOIN phase ON phase.id = {table}.phase_id"
    )


DOCUMENTS = ("properties", "readout")
"""Columns that hold JSON."""

SOURCES = {
    Part.EVENTS: Source(
        schema=_schema(
            id=pa.int64(),
            visitor=pa.int64(),
            type=pa.string(),
            name=pa.string(),
            source=pa.string(),
            occurred_at=INSTANT,
            received_at=INSTANT,
            properties=pa.string(),
            sender=pa.string(),
            message_id=pa.string(),
        ),
        columns="id, visitor_id, type, name, source, occurred_at, received_at, "
        "CAST(properties AS TEXT), source_key, message_id",
        origin="event",
        at="received_at",
    ),
    Part.EXPOSURES: Source(
        schema=_schema(
            id=pa.int64(),
            visitor=pa.int64(),
            experiment=pa.string(),
            variant=pa.string(),
            phase=pa.int64(),
            first_at=INSTANT,
            count=pa.int64(),
        ),
        columns=f"exposure.id, visitor_id, {ARM}, first_at, count",
        origin=_of_arms("exposure"),
        at="first_at",
    ),
    Part.ASSIGNMENTS: Source(
        schema=_schema(
            id=pa.int64(),
            visitor=pa.int64(),
            experiment=pa.string(),
            variant=pa.string(),
            phase=pa.int64(),
            assigned_at=INSTANT,
            method=pa.string(),
            propensity=pa.float64(),
            contaminated=pa.bool_(),
        ),
        columns=f"assignment.id, visitor_id, {ARM}, assigned_at, method, propensity, contaminated",
        origin=_of_arms("assignment"),
        at="assigned_at",
    ),
    Part.RESULTS: Source(
        schema=_schema(
            id=pa.int64(),
            experiment=pa.string(),
            look=pa.int64(),
            as_of=INSTANT,
            data_hash=pa.string(),
            readout=pa.string(),
        ),
        columns="analysis_run.id, experiment.key, look, as_of, data_hash, CAST(readout AS TEXT)",
        origin="analysis_run JOIN experiment ON experiment.id = analysis_run.experiment_id",
        at="as_of",
    ),
}
