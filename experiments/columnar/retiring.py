"""Letting go of old files, and removing what no longer counts from the disk."""

from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Engine
from sqlmodel import Session, col, delete, func, select, update

from experiments.columnar import manifest, queries
from experiments.columnar.location import Location
from experiments.columnar.models import ColumnarFile, ColumnarMark
from experiments.columnar.schemas import FileState, Kind
from experiments.database import transaction
from experiments.design.models import Experiment
from experiments.design.schemas import Status

GRACE = timedelta(hours=1)
"""How long a file stays that a reader may have begun to read, or that is still being written."""

IN_USE = (Status.RUNNING, Status.PAUSED, Status.MATURING, Status.DECIDED, Status.PROMOTED)


def retire(engine: Engine, *, keep_days: int | None, now: datetime) -> int:
    """Drop the files of events that are older than that; how many.

    Never what was received since the oldest experiment began that can still be analysed.
    """
    if keep_days is None:
        return 0
    with transaction(engine) as session:
        seen = manifest.opened(session, Kind.EVENT)
        kept_from = _kept_from(session, keep_days, now=now)
        if seen.kept_from is not None and kept_from <= seen.kept_from:
            return 0
        old = [file.id for file in queries.files(session, Kind.EVENT) if file.day < kept_from]
        manifest.change(session, seen, adds=[], drops=old, now=now)
        session.exec(update(ColumnarMark).where(_is_events()).values(kept_from=kept_from))
        return len(old)


def sweep(engine: Engine, location: Location, *, now: datetime) -> int:
    """Remove files that do not count, once nobody can be reading or writing them; how many."""
    with transaction(engine) as session:
        abandoned = (
            update(ColumnarFile)
            .where(*_are(FileState.WRITING, before=now - GRACE))
            .values(state=FileState.DROPPED, since=now - GRACE)
        )
        session.exec(abandoned)
        gone = select(ColumnarFile.id, ColumnarFile.name)
        rows = session.exec(gone.where(*_are(FileState.DROPPED, before=now - GRACE))).all()
    for _, name in rows:
        location.remove(name)
    with transaction(engine) as session:
        ids = [number for number, _ in rows]
        session.exec(delete(ColumnarFile).where(col(ColumnarFile.id).in_(ids)))
    return len(rows)


def _kept_from(session: Session, keep_days: int, *, now: datetime) -> date:
    begun = select(func.min(Experiment.started_at)).where(col(Experiment.status).in_(IN_USE))
    oldest = session.exec(begun).one()
    asked = now - timedelta(days=keep_days)
    return (asked if oldest is None else min(asked, oldest)).date()


def _is_events() -> ColumnElement[bool]:
    return col(ColumnarMark.kind) == Kind.EVENT


def _are(state: FileState, *, before: datetime) -> tuple[ColumnElement[bool], ...]:
    return col(ColumnarFile.state) == state, col(ColumnarFile.since) <= before
