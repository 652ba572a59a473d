"""Comparing files with SQL: every file what was written, every row in exactly one file.

Ids are compared window by window, so that memory stays bounded whatever the number of rows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import numpy as np
from sqlalchemy import Engine

from experiments.columnar import queries
from experiments.columnar.datasets import DATASETS, DAY_MICROS, Dataset, day_of
from experiments.columnar.encoding import rows_of
from experiments.columnar.location import Location
from experiments.columnar.schemas import DayOut, FileOut, Kind, MarkOut
from experiments.database import fetched, peeking, reading
from experiments.errors import DamagedError
from experiments.logs import logger

WINDOW = 500_000
"""Ids that are compared at once."""
FILES_AT_ONCE = 16
"""Files whose ids are kept in memory, 8 MB of each, since those of a day share many windows."""

log = logger("columnar")


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What is found of one day."""

    files: int = 0
    in_sql: int = 0
    in_files: int = 0
    missing: int = 0
    doubled: int = 0
    surplus: int = 0
    damaged: list[str] = field(default_factory=list)
    first_id: int | None = None
    last_id: int = 0

    def reach(self, first_id: int, last_id: int) -> None:
        """Remember that rows of this day lie between these ids."""
        self.first_id = first_id if self.first_id is None else min(self.first_id, first_id)
        self.last_id = max(self.last_id, last_id)


def check(engine: Engine, location: Location) -> list[DayOut]:
    """Every day of every kind, with what SQL has and what the files have."""
    return [day for of in DATASETS.values() for day in _check(engine, location, of)]


def _check(engine: Engine, location: Location, of: Dataset) -> list[DayOut]:
    with reading(engine) as session:
        mark, files = queries.mark(session, of.kind), queries.files(session, of.kind)
    days: defaultdict[date, _Tally] = defaultdict(_Tally)
    sound = {file.id: file for file in _sound(location, files, days)}

    @lru_cache(maxsize=FILES_AT_ONCE)
    def ids_of(number: int) -> np.ndarray:
        ids: np.ndarray = rows_of(location, sound[number], ["id"]).column("id").to_numpy()
        return ids

    for low in range(0, mark.last_id, WINDOW):
        window = (low, min(low + WINDOW, mark.last_id))
        in_sql = _ids_in_sql(engine, of, window, mark)
        _compare(days, in_sql, _ids_in_files(sound.values(), ids_of, window))
        log.info("compared rows", kind=of.kind, up_to=window[1], of=mark.last_id)
    return [_told(of.kind, day, days[day]) for day in sorted(days)]


def _sound(
    location: Location, files: Sequence[FileOut], days: dict[date, _Tally]
) -> Iterator[FileOut]:
    for file in files:
        tally = days[file.day]
        tally.files += 1
        tally.reach(file.first_id, file.last_id)
        try:
            rows = rows_of(location, file, ["id"]).num_rows
        except DamagedError as error:
            tally.damaged.append(f"the file {error.name} {error.reason}")
            continue
        tally.in_files += rows
        yield file


def _ids_in_sql(
    engine: Engine, of: Dataset, window: tuple[int, int], mark: MarkOut
) -> dict[date, np.ndarray]:
    """The ids of a window by day, but for days that were let go."""
    with peeking(engine) as cursor:
        found = np.array(fetched(cursor, of.days, *window), np.int64).reshape(-1, 2)
    days = found[:, 1] // DAY_MICROS
    parts = {day_of(day): found[days == day, 0] for day in set(days.tolist())}
    first = mark.kept_from
    return {day: ids for day, ids in parts.items() if first is None or day >= first}


def _ids_in_files(
    files: Iterable[FileOut], ids_of: Callable[[int], np.ndarray], window: tuple[int, int]
) -> dict[date, np.ndarray]:
    low, high = window
    parts: defaultdict[date, list[np.ndarray]] = defaultdict(list)
    for file in files:
        if file.first_id <= high and file.last_id > low:
            ids = ids_of(file.id)
            parts[file.day].append(ids[(ids > low) & (ids <= high)])
    return {day: np.concatenate(found) for day, found in parts.items()}


def _compare(
    days: dict[date, _Tally],
    in_sql: dict[date, np.ndarray],
    in_files: dict[date, np.ndarray],
) -> None:
    nothing = np.array([], np.int64)
    for day in in_sql.keys() | in_files.keys():
        here, there = in_sql.get(day, nothing), in_files.get(day, nothing)
        once = _distinct(there)
        missing = np.setdiff1d(here, once, assume_unique=True)
        tally = days[day]
        tally.in_sql += len(here)
        tally.missing += len(missing)
        tally.doubled += len(there) - len(once)
        tally.surplus += len(np.setdiff1d(once, here, assume_unique=True))
        if len(missing):
            tally.reach(int(missing.min()), int(missing.max()))


def _distinct(ids: np.ndarray) -> np.ndarray:
    """Each id once; NumPy's own way takes twenty times as long."""
    ids = np.sort(ids)
    is_new: np.ndarray = np.diff(ids, prepend=-1) != 0
    return np.extract(is_new, ids)


def _told(kind: Kind, day: date, tally: _Tally) -> DayOut:
    return DayOut(
        kind=kind,
        day=day,
        files=tally.files,
        in_sql=tally.in_sql,
        in_files=tally.in_files,
        missing=tally.missing,
        doubled=tally.doubled,
        surplus=tally.surplus,
        damaged=tally.damaged,
        first_id=tally.first_id or 0,
        last_id=tally.last_id,
    )
