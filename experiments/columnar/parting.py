"""Giving each file of a large day visitors of its own.

Files are written as rows come, so that each has rows of everybody. Of a day with many such files a
reader of a range of visitors would open all for a little of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Engine

from experiments.columnar import compacting, manifest, queries
from experiments.columnar.datasets import DATASETS, Dataset
from experiments.columnar.encoding import rows_of
from experiments.columnar.location import Location
from experiments.columnar.schemas import FileOut
from experiments.columnar.storing import store
from experiments.database import reading, transaction
from experiments.deferred import Deferred
from experiments.logs import logger

if TYPE_CHECKING:
    import pyarrow.compute as pc
    from pyarrow import dataset
else:
    pc = Deferred("pyarrow.compute")
    dataset = Deferred("pyarrow.dataset")


EVERYBODY = (0, 2**63 - 1)
SAMPLED = 1_000
"""Of so many rows in their order the visitor of one is looked at, to cut a day into equal parts."""

log = logger("columnar")


def part(engine: Engine, location: Location, *, now: datetime) -> int:
    """Write days anew whose files hold the same visitors; how many files they had."""
    return sum(_part(engine, location, of, now=now) for of in DATASETS.values())


def mixed(files: Sequence[FileOut], *, today: date) -> Iterator[list[FileOut]]:
    """The files of each day that is over, where many rows have visitors of several other files.

    A small file that came late may hold visitors of all; that is not worth writing every row anew.
    """
    over = sorted((file for file in files if file.day < today), key=lambda file: file.day)
    for _, found in groupby(over, key=lambda file: file.day):
        of_day = list(found)
        scattered = sum(file.rows for file in of_day if _neighbours(file, of_day) > 1)
        if scattered >= compacting.LARGEST // 2:
            yield of_day


def _neighbours(file: FileOut, files: Sequence[FileOut]) -> int:
    """How many others can have rows of the same visitors."""
    begin, end = EVERYBODY
    if file.first_visitor is not None and file.last_visitor is not None:
        begin, end = file.first_visitor, file.last_visitor + 1
    return sum(other.may_hold(begin, end) for other in files) - 1


def _part(engine: Engine, location: Location, of: Dataset, *, now: datetime) -> int:
    with reading(engine) as session:
        files = queries.files(session, of.kind)
    parted = 0
    for of_day in mixed(files, today=now.date()):
        _part_day(engine, location, of, of_day, now=now)
        parted += len(of_day)
    return parted


def _part_day(
    engine: Engine, location: Location, of: Dataset, files: Sequence[FileOut], *, now: datetime
) -> None:
    rows = dataset.dataset(
        [location.path(file.name) for file in files],
        schema=of.schema,
        filesystem=location.filesystem,
        format="parquet",
    )
    day, cuts = files[0].day.isoformat(), _cuts(location, files)
    written = []
    for begin, end in pairwise((EVERYBODY[0], *cuts, EVERYBODY[1])):
        theirs = (pc.field("visitor") >= begin) & (pc.field("visitor") < end)
        table = of.ordered(rows.to_table(filter=theirs))
        written += store(engine, location, of, table, now=now)
        log.info("parted a day by visitors", kind=of.kind, day=day, up_to=end, rows=table.num_rows)
    drops = [file.id for file in files]
    with transaction(engine) as session:
        # What was moved meanwhile is in other files; these must still be there.
        seen = manifest.opened(session, of.kind)
        manifest.change(session, seen, adds=written, drops=drops, now=now)


def _cuts(location: Location, files: Sequence[FileOut]) -> list[int]:
    """The first visitors of all parts but the first, so that each has as many rows.

    Raises:
        DamagedError: when a file is missing or is not what was written.
    """
    columns = (rows_of(location, file, ["visitor"]).column("visitor") for file in files)
    sample = np.sort(np.concatenate([column.to_numpy()[::SAMPLED] for column in columns]))
    parts = -(-sum(file.rows for file in files) // compacting.LARGEST)
    return sorted({int(sample[len(sample) * place // parts]) for place in range(1, parts)})
