"""Putting rows into new files, and letting these take the place of others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from experiments.columnar import manifest
from experiments.columnar.datasets import DATASETS, Dataset
from experiments.columnar.encoding import digest, encoded
from experiments.columnar.location import Location
from experiments.columnar.schemas import FileOut, MarkOut
from experiments.database import transaction
from experiments.deferred import Deferred

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
else:
    pa = Deferred("pyarrow")
    pc = Deferred("pyarrow.compute")


def store(
    engine: Engine, location: Location, of: Dataset, table: pa.Table, *, now: datetime
) -> list[manifest.Written]:
    """Write rows to new files, one a day, which do not count yet."""
    parts = list(of.by_day(table))
    with transaction(engine) as session:
        places = [manifest.announce(session, of.kind, day, now=now) for day, _ in parts]
    return [_written(location, place, part) for place, (_, part) in zip(places, parts, strict=True)]


def replace(
    engine: Engine,
    location: Location,
    seen: MarkOut,
    files: Sequence[FileOut],
    table: pa.Table,
    *,
    now: datetime,
) -> MarkOut:
    """Let rows take the place of those of some files.

    Raises:
        ConflictError: when the manifest has changed since `seen`.
    """
    written = store(engine, location, DATASETS[seen.kind], table, now=now)
    with transaction(engine) as session:
        drops = [file.id for file in files]
        return manifest.change(session, seen, adds=written, drops=drops, now=now)


def _written(location: Location, place: tuple[int, str], table: pa.Table) -> manifest.Written:
    file_id, name = place
    data = encoded(table)
    ids, visitors = (pc.min_max(table.column(name)).as_py() for name in ("id", "visitor"))
    location.write(name, data)
    return manifest.Written(
        file_id=file_id,
        rows=table.num_rows,
        size=data.size,
        first_id=ids["min"],
        last_id=ids["max"],
        first_visitor=visitors["min"],
        last_visitor=visitors["max"],
        sha256=digest(data),
    )
