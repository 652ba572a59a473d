"""Taking a look at an experiment: collect, read, write down."""

from dataclasses import asdict
from datetime import datetime

from sqlmodel import Session

from experiments.analysis.collection import collect, questions
from experiments.analysis.data import data_hash
from experiments.analysis.engine import looks_of, read
from experiments.analysis.models import AnalysisRun
from experiments.analysis.protocol import protocol
from experiments.analysis.queries import earlier_looks, latest_run, newest_run
from experiments.analysis.schemas import RunOut
from experiments.analysis.sequential import history
from experiments.database import insert_once
from experiments.design.queries import experiment
from experiments.errors import ConflictError


def analyse(session: Session, key: str, *, now: datetime) -> RunOut:
    """Look at an experiment as of `now`; without new data the last look is returned unchanged.

    Raises:
        NotFoundError: when there is no such experiment.
        ConflictError: when it has not started.
    """
    found = experiment(session, key)
    if found.started_at is None:
        message = f"The experiment {key!r} has not started, so there is nothing to analyse."
        raise ConflictError(message)
    asked = protocol(found, questions(session, found), as_of=now)
    data = collect(session, found, asked.questions, as_of=now)
    fingerprint = data_hash(data, finished=asked.finished)
    last = latest_run(session, key)
    if last is not None and last.data_hash == fingerprint:
        return last
    readout = read(data, asked, earlier=history(earlier_looks(session, found.id)))
    run = AnalysisRun(
        experiment_id=found.id,
        look=1 if last is None else last.look + 1,
        as_of=now,
        data_hash=fingerprint,
        spent=[asdict(look) for look in looks_of(readout)],
        readout=readout.model_dump(mode="json"),
        created_at=now,
    )
    # Of two processes that look at the same time one writes, and both return what it wrote.
    insert_once(session, run)
    return newest_run(session, key)
