"""Taking the looks at what was imported as figures; the jobs look at live data only."""

from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from experiments.analysis.models import StoredMoments
from experiments.analysis.queries import latest_run, newest_run
from experiments.analysis.schemas import RunOut
from experiments.analysis.service import analyse
from experiments.database import reading, transaction
from experiments.design.queries import experiment
from experiments.design.schemas import Source


def look(engine: Engine, key: str, *, now: datetime) -> RunOut:
    """Analyse an imported experiment and return the newest look at it.

    Snapshots are looked at one after the other, the last of each day as of its own time, as if
    the experiment were running; those that were looked at before are left out. Everything else is
    looked at as of `now`. Each look is a transaction of its own.
    """
    with reading(engine) as session:
        due = _due(session, key, now=now)
    for at in due:
        with transaction(engine) as session:
            run = analyse(session, key, now=at)
    if due:
        return run
    with reading(engine) as session:
        return newest_run(session, key)


def snapshot_times(session: Session, key: str) -> list[datetime]:
    """The times of all snapshots of an imported experiment, the oldest first."""
    found = experiment(session, key)
    times = select(StoredMoments.as_of).where(StoredMoments.experiment_id == found.id)
    return list(session.exec(times.distinct().order_by(col(StoredMoments.as_of))))


def _due(session: Session, key: str, *, now: datetime) -> list[datetime]:
    if experiment(session, key).source is not Source.SNAPSHOTS:
        return [now]
    last = latest_run(session, key)
    times = snapshot_times(session, key)
    new = [at for at in times if last is None or at > last.as_of]
    return list({at.date(): at for at in new}.values())
