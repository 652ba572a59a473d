"""Rows as the bytes of a Parquet file, and back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from experiments.columnar.location import Location
from experiments.columnar.schemas import FileOut
from experiments.deferred import Deferred
from experiments.errors import DamagedError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet
else:
    pa = Deferred("pyarrow")
    parquet = Deferred("pyarrow.parquet")


ROW_GROUP = 24_576
"""Rows that a reader takes or skips as one: a range of visitors is to be a small part of a day."""
PLAIN = ("id", "visitor", "occurred_at", "received_at", "first_at")
"""Whole numbers that hardly repeat; their differences take half the room that they take."""


def encoded(table: pa.Table) -> pa.Buffer:
    """A table as the bytes of a Parquet file."""
    sink = pa.BufferOutputStream()
    numbers = [name for name in table.column_names if name in PLAIN]
    parquet.write_table(
        table,
        sink,
        compression="zstd",
        row_group_size=ROW_GROUP,
        use_dictionary=[name for name in table.column_names if name not in numbers],
        column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
    )
    return sink.getvalue()


def digest(data: pa.Buffer) -> str:
    """The SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def rows_of(location: Location, file: FileOut, columns: list[str] | None = None) -> pa.Table:
    """The rows of a file, all columns or some, once it is sure that they are what was written.

    Raises:
        DamagedError: when the file is missing or is not what was written.
    """
    data = location.read(file.name)
    if digest(data) != file.sha256:
        raise DamagedError(file.name, "is not what was written")
    return parquet.ParquetFile(pa.BufferReader(data)).read(columns=columns)
