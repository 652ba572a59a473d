"""Writing rows to a file as they come, so that memory does not grow with their number."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import orjson
import pyarrow as pa
from pyarrow import parquet

from experiments.errors import ConflictError
from experiments.exports.schemas import Format
from experiments.exports.sources import DOCUMENTS

UNFINISHED = ".unfinished"


class Sink(Protocol):
    """Takes tables."""

    def __call__(self, table: pa.Table) -> None:
        """Write the rows of a table after those of the one before."""
        ...


@contextmanager
def opened(path: Path, form: Format, schema: pa.Schema) -> Iterator[Sink]:
    """A file that has its name only once it is whole.

    Raises:
        ConflictError: when there is a file of that name.
    """
    if path.exists():
        message = f"{path} exists; remove it or choose another name."
        raise ConflictError(message)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + UNFINISHED)
    write = _parquet if form is Format.PARQUET else _ndjson
    with write(unfinished, schema) as sink:
        yield sink
    unfinished.rename(path)


@contextmanager
def _parquet(path: Path, schema: pa.Schema) -> Iterator[Sink]:
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        yield writer.write_table


@contextmanager
def _ndjson(path: Path, schema: pa.Schema) -> Iterator[Sink]:
    documents = [name for name in DOCUMENTS if name in schema.names]
    with path.open("wb") as file:

        def write(table: pa.Table) -> None:
            for row in table.to_pylist():
                row |= {name: orjson.Fragment(row[name]) for name in documents}
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))

        yield write
