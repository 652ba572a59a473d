"""Writing the files of a day anew from SQL, which has every row that counts."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Engine

from experiments.audit.schemas import Actor
from experiments.audit.service import record
from experiments.columnar import manifest, moving, queries
from experiments.columnar.datasets import DATASETS, Dataset
from experiments.columnar.location import Location
from experiments.columnar.schemas import DayOut, FileOut, MarkOut
from experiments.columnar.storing import store
from experiments.database import fetched, peeking, to_micros, transaction
from experiments.logs import logger

log = logger("columnar")


def repair(
    engine: Engine, location: Location, days: Collection[DayOut], *, actor: Actor, now: datetime
) -> None:
    """Write the files of some days anew; each day is a transaction.

    Raises:
        ConflictError: when rows are moved or files tidied meanwhile.
    """
    for day in days:
        _repair(engine, location, day, actor=actor, now=now)


def _repair(
    engine: Engine, location: Location, day: DayOut, *, actor: Actor, now: datetime
) -> None:
    of = DATASETS[day.kind]
    with transaction(engine) as session:
        seen = manifest.opened(session, day.kind)
        files = [file for file in queries.files(session, day.kind) if file.day == day.day]
    written = [
        file
        for rows in _rows(engine, of, day, seen, files)
        for file in store(engine, location, of, of.table(rows), now=now)
    ]
    with transaction(engine) as session:
        drops = [file.id for file in files]
        manifest.change(session, seen, adds=written, drops=drops, now=now)
        rows = sum(file.rows for file in written)
        record(
            session,
            "columnar.repaired",
            subject=(day.kind, day.day.isoformat()),
            actor=actor,
            now=now,
            detail={"rows": rows, "files": len(written)},
        )
    log.info("wrote a day anew", kind=day.kind, day=day.day.isoformat(), rows=rows)


def _rows(
    engine: Engine, of: Dataset, day: DayOut, seen: MarkOut, files: Sequence[FileOut]
) -> Iterator[Sequence[Sequence[object]]]:
    """The rows of a day that had been moved, a chunk at a time."""
    begin = datetime.combine(day.day, time(), UTC)
    period = to_micros(begin), to_micros(begin + timedelta(days=1))
    above = min([day.first_id, *(file.first_id for file in files)]) - 1
    upto = min(max([day.last_id, *(file.last_id for file in files)]), seen.last_id)
    while True:
        with peeking(engine) as cursor:
            rows = fetched(cursor, of.select_day, above, upto, *period, moving.CHUNK)
        if rows:
            yield rows
        if len(rows) < moving.CHUNK:
            return
        above = rows[-1][0]
