"""Taking a look at an experiment: collect, read, write down."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session

from experiments.analysis.collection import Asked, collect, questions
from experiments.analysis.data import ExperimentData, data_hash
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
from experiments.moments.engines import IN_DATABASE, Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLook:
    """A look that was taken and is not written down yet."""

    experiment: str
    row: AnalysisRun


def analyse(session: Session, key: str, *, now: datetime, engine: Engine = IN_DATABASE) -> RunOut:
    """Look at an experiment as of `now`; without new data the last look is returned unchanged.

    Raises:
        NotFoundError: when there is no such experiment.
        ConflictError: when it has not started.
    """
    seen = observe(session, key, now=now, engine=engine)
    return write(session, seen) if isinstance(seen, NewLook) else seen


def observe(
    session: Session, key: str, *, now: datetime, engine: Engine = IN_DATABASE
) -> NewLook | RunOut:
    """Take a look without writing: the long part, which must hold no lock.

    Raises:
        NotFoundError: when there is no such experiment.
        ConflictError: when it has not started.
    """
    ((asked, data),) = gather(session, [key], now=now, engine=engine)
    return look(session, asked, data, now=now)


def gather(
    session: Session, keys: Sequence[str], *, now: datetime, engine: Engine = IN_DATABASE
) -> list[tuple[Asked, ExperimentData]]:
    """The figures of experiments, all in one pass.

    Raises:
        NotFoundError: when there is no such experiment.
        ConflictError: when one has not started.
    """
    asked = [_asked(session, key) for key in keys]
    return list(zip(asked, collect(session, asked, engine=engine, as_of=now), strict=True))


def look(
    session: Session, asked: Asked, data: ExperimentData, *, now: datetime
) -> NewLook | RunOut:
    """Read the figures of an experiment; without new ones the last look is returned."""
    found = asked.experiment
    terms = protocol(found, asked.questions, as_of=now, prior=prior_for(session, found))
    fingerprint = data_hash(data, finished=terms.finished)
    last = latest_run(session, found.key)
    if last is not None and last.data_hash == fingerprint:
        return last
    readout = read(data, terms, earlier=history(earlier_looks(session, found.id)))
    row = AnalysisRun(
        experiment_id=found.id,
        look=1 if last is None else last.look + 1,
        as_of=now,
        data_hash=fingerprint,
        spent=[asdict(look) for look in looks_of(readout)],
        readout=readout.model_dump(mode="json"),
        created_at=now,
    )
    return NewLook(experiment=found.key, row=row)


def write(session: Session, look: NewLook) -> RunOut:
    """Write a look down; of two that were taken at the same time one is kept, for both."""
    insert_once(session, look.row)
    return newest_run(session, look.experiment)


def _asked(session: Session, key: str) -> Asked:
    found = experiment(session, key)
    if found.started_at is None:
        message = f"The experiment {key!r} has not started, so there is nothing to analyse."
        raise ConflictError(message)
    return Asked(experiment=found, questions=questions(session, found))
