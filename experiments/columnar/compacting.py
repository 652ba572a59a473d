"""Making one file of many small ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from experiments.columnar import manifest, queries
from experiments.columnar.datasets import DATASETS, Dataset
from experiments.columnar.encoding import rows_of
from experiments.columnar.location import Location
from experiments.columnar.schemas import FileOut
from experiments.columnar.storing import replace
from experiments.database import transaction
from experiments.deferred import Deferred
from experiments.logs import logger

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Deferred("pyarrow")


LARGEST = 1_000_000
"""Rows of a file that is made of others; so many are in memory at once."""

TODAY = 12
"""Files of a day that still grows are put together when there are as many as an hour makes."""

log = logger("columnar")


def compact(engine: Engine, location: Location, *, now: datetime) -> int:
    """Put small files of one day together; how many there are fewer."""
    return sum(_compact(engine, location, of, now=now) for of in DATASETS.values())


def groups(files: Sequence[FileOut], *, today: date) -> Iterator[list[FileOut]]:
    """Files that become one: small ones of a day, in the order of their ids."""
    small = [file for file in files if file.rows < LARGEST // 2]
    for day, of_day in groupby(sorted(small, key=_order), key=lambda file: file.day):
        fewest = TODAY if day >= today else 2
        yield from (group for group in _filled(of_day) if len(group) >= fewest)


def _order(file: FileOut) -> tuple[date, int, int]:
    return file.day, file.first_id, file.id


def _filled(files: Iterator[FileOut]) -> Iterator[list[FileOut]]:
    group: list[FileOut] = []
    for file in files:
        if sum(one.rows for one in group) + file.rows > LARGEST:
            yield group
            group = []
        group.append(file)
    yield group


def _compact(engine: Engine, location: Location, of: Dataset, *, now: datetime) -> int:
    with transaction(engine) as session:
        seen = manifest.opened(session, of.kind)
        files = queries.files(session, of.kind)
    fewer = 0
    for group in groups(files, today=now.date()):
        table = of.ordered(pa.concat_tables([rows_of(location, file) for file in group]))
        seen = replace(engine, location, seen, group, table, now=now)
        log.info("put files together", kind=of.kind, files=len(group), rows=table.num_rows)
        fewer += len(group) - 1
    return fewer
