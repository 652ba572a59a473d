"""Taking a look at an experiment: collect, read, write down."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session

from experiments.analysis.collection import collect, questions
from experiments.analysis.data import data_hash
from experiments.analysis.engine import looks_of, read
from experiments.analysis.learning import prior_for
from experiments.analysis.models import AnalysisRun
from experiments.analysis.protocol import protocol
from experiments.analysis.queries import earlier_looks, latest_run, newest_run
from experiments.analysis.schemas import RunOut
from experiments.analysis.sequential import history
from experiments.database import insert_once
from experiments.design.queries import experiment
from experiments.errors import ConflictError


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLook:
    """A look that was taken and is not written down yet."""

    experiment: str
    row: AnalysisRun


def analyse(session: Session, key: str, *, now: datetime) -> RunOut:
    """Look at an experiment as of `now`; without new data the last look is returned unchanged.

    Raises:
        NotFoundError: when there is no such experiment.
        ConflictError: when it has not started.
    """
    seen = observe(session, key, now=now)
    return write(session, seen) if isinstance(seen, NewLook) else seen


def observe(session: Session, key: str, *, now: datetime) -> NewLook | RunOut:
    """Take a look without writing: the long part, which must hold no lock.

    Raises:
        NotFoundError: when there is no such experiment.
        ConflictError: when it has not started.
    """
    found = experiment(session, key)
    if found.started_at is None:
        message = f"The experiment {key!r} has not started, so there is nothing to analyse."
        raise ConflictError(message)
    asked = protocol(found, questions(session, found), as_of=now, prior=prior_for(session, found))
    data = collect(session, found, asked.questions, as_of=now)
    fingerprint = data_hash(data, finished=asked.finished)
    last = latest_run(session, key)
    if last is not None and last.data_hash == fingerprint:
        return last
    readout = read(data, asked, earlier=history(earlier_looks(session, found.id)))
    row = AnalysisRun(
        experiment_id=found.id,
        look=1 if last is None else last.look + 1,
        as_of=now,
        data_hash=fingerprint,
        spent=[asdict(look) for look in looks_of(readout)],
        readout=readout.model_dump(mode="json"),
        created_at=now,
    )
    return NewLook(experiment=key, row=row)


def write(session: Session, look: NewLook) -> RunOut:
    """Write a look down; of two that were taken at the same time one is kept, for both."""
    insert_once(session, look.row)
    return newest_run(session, look.experiment)
