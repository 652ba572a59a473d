"""Moving what is committed in SQL into files, in the order of ids, a chunk at a time.

Killed anywhere, this leaves files that do not count, and the next run goes on from the mark.
"""

from datetime import datetime
from time import perf_counter

from sqlalchemy import Engine, text
from sqlmodel import Session

from experiments.columnar import manifest
from experiments.columnar.datasets import DATASETS, Dataset
from experiments.columnar.location import Location
from experiments.columnar.schemas import Kind, MarkOut
from experiments.columnar.storing import store
from experiments.database import fetched, peeking, reading, transaction
from experiments.logs import logger

CHUNK = 250_000
"""Rows that are in memory at once, about 300 MB of events with some properties."""
PATIENCE = "2s"
"""How long writers are held up at most when somebody else takes long to commit (PostgreSQL)."""

log = logger("columnar")


def move(engine: Engine, location: Location, *, now: datetime) -> dict[Kind, int]:
    """Move every row that was committed before this began; how many of each kind.

    Raises:
        ConflictError: when somebody else moves at the same time; they move the same rows.
        UnavailableError: when a long transaction holds up the look at what is committed.
    """
    return {kind: _move(engine, location, of, now=now) for kind, of in DATASETS.items()}


def _move(engine: Engine, location: Location, of: Dataset, *, now: datetime) -> int:
    upto = settled(engine, of)
    with transaction(engine) as session:
        seen = manifest.opened(session, of.kind)
    moved = 0
    while seen.last_id < upto:
        seen, rows = _move_chunk(engine, location, of, seen, upto=upto, now=now)
        moved += rows
    return moved


def _move_chunk(
    engine: Engine, location: Location, of: Dataset, seen: MarkOut, *, upto: int, now: datetime
) -> tuple[MarkOut, int]:
    begun = perf_counter()
    with peeking(engine) as cursor:
        rows = fetched(cursor, of.select, seen.last_id, upto, CHUNK)
    last_id = rows[-1][0] if len(rows) == CHUNK else upto
    written = store(engine, location, of, of.table(rows), now=now)
    with transaction(engine) as session:
        seen = manifest.change(session, seen, adds=written, last_id=last_id, now=now)
    rate = round(len(rows) / (perf_counter() - begun))
    log.info("moved rows", kind=of.kind, rows=len(rows), up_to=last_id, of=upto, a_second=rate)
    return seen, len(rows)


def settled(engine: Engine, of: Dataset) -> int:
    """The newest id up to which every row is committed, and none will come any more.

    SQLite has one writer at a time, so that ids are in the order of commits. PostgreSQL gives ids
    before the commit: to hold up writers for a moment lets those finish that have begun.
    """
    if engine.dialect.name == "sqlite":
        with reading(engine) as session:
            return _newest(session, of)
    with transaction(engine) as session:
        session.exec(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))  # type: ignore[call-overload] # plain SQL is for execute
        session.exec(text(f"LOCK TABLE {of.kind} IN SHARE MODE"))  # type: ignore[call-overload] # as above
        return _newest(session, of)


def _newest(session: Session, of: Dataset) -> int:
    return session.connection().exec_driver_sql(of.newest).scalar_one() or 0
