"""Reading analysis runs."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, type_coerce
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from experiments.analysis.disclosure import disclosed, withheld
from experiments.analysis.models import AnalysisRun
from experiments.analysis.schemas import Quality, Readout, ResultOut, RunOut, Trust
from experiments.analysis.sequential import Look
from experiments.analysis.trust import trust
from experiments.design.queries import experiment
from experiments.design.schemas import Status
from experiments.errors import NotFoundError

DAY_MICROS = timedelta(days=1) // timedelta(microseconds=1)


def latest_run(session: Session, key: str) -> RunOut | None:
    """The newest look at an experiment, if there was one.

    Raises:
        NotFoundError: when there is no such experiment.
    """
    found = experiment(session, key)
    query = _of(found.id).order_by(col(AnalysisRun.look).desc()).limit(1)
    row = session.exec(query).first()
    return None if row is None else run_out(row, key)


def newest_run(session: Session, key: str) -> RunOut:
    """The newest look at an experiment that has been looked at.

    Raises:
        NotFoundError: when there is no such experiment, or no look at it yet.
    """
    run = latest_run(session, key)
    if run is None:
        raise NotFoundError("analysis of experiment", key)
    return run


def runs(session: Session, key: str) -> list[RunOut]:
    """Every look at an experiment, the newest first.

    Raises:
        NotFoundError: when there is no such experiment.
    """
    found = experiment(session, key)
    query = _of(found.id).order_by(col(AnalysisRun.look).desc())
    return [run_out(row, key) for row in session.exec(query)]


def daily_runs(session: Session, key: str, *, days: int) -> list[RunOut]:
    """The last look of each of the newest days with a look, the oldest first.

    Raises:
        NotFoundError: when there is no such experiment.
    """
    day = type_coerce(col(AnalysisRun.as_of), BigInteger) // DAY_MICROS
    last = (
        select(func.max(AnalysisRun.id))
        .where(AnalysisRun.experiment_id == experiment(session, key).id)
        .group_by(day)
        .order_by(func.max(AnalysisRun.id).desc())
        .limit(days)
    )
    query = select(AnalysisRun).where(col(AnalysisRun.id).in_(last)).order_by(col(AnalysisRun.look))
    return [run_out(row, key) for row in session.exec(query)]


def result(session: Session, key: str, *, now: datetime) -> ResultOut:
    """The newest look at an experiment as it may be told now.

    Raises:
        NotFoundError: when there is no such experiment, or no look at it yet.
    """
    found = latest_result(session, key, now=now)
    if found is None:
        raise NotFoundError("analysis of experiment", key)
    return found


def latest_result(session: Session, key: str, *, now: datetime) -> ResultOut | None:
    """The same, if there was a look.

    Raises:
        NotFoundError: when there is no such experiment.
    """
    run, found = latest_run(session, key), experiment(session, key)
    if run is None:
        return None
    light = trust(run.readout.quality, at=now, enrolling=found.status is Status.RUNNING)
    reason = withheld(found.plan, run.readout, light)
    return ResultOut(**dict(disclosed(run, reason)), trust=light, withheld=reason)


def trusts(session: Session, states: Mapping[int, Status], *, at: datetime) -> dict[int, Trust]:
    """The trust lights of experiments at a time, by id; one without a look by then has none.

    Args:
        session: the transaction.
        states: the experiments by id, with their states at that time.
        at: the time; later looks are not seen.
    """
    newest = (
        select(func.max(AnalysisRun.id))
        .where(col(AnalysisRun.experiment_id).in_(list(states)), col(AnalysisRun.created_at) <= at)
        .group_by(col(AnalysisRun.experiment_id))
    )
    query = select(AnalysisRun.experiment_id, AnalysisRun.readout)
    return {
        number: trust(
            Quality.model_validate(readout["quality"]),
            at=at,
            enrolling=states[number] is Status.RUNNING,
        )
        for number, readout in session.exec(query.where(col(AnalysisRun.id).in_(newest)))
    }


def newest_readouts(session: Session, ids: Iterable[int]) -> dict[int, Readout]:
    """What the newest look at each of these experiments says, by id."""
    newest = (
        select(func.max(AnalysisRun.id))
        .where(col(AnalysisRun.experiment_id).in_(list(ids)))
        .group_by(col(AnalysisRun.experiment_id))
    )
    query = select(AnalysisRun.experiment_id, AnalysisRun.readout)
    found = session.exec(query.where(col(AnalysisRun.id).in_(newest)))
    return {number: Readout.model_validate(readout) for number, readout in found}


def earlier_looks(session: Session, experiment_id: int) -> list[Look]:
    """What all looks at an experiment used up, oldest first."""
    query = (
        select(AnalysisRun.spent)
        .where(AnalysisRun.experiment_id == experiment_id)
        .order_by(col(AnalysisRun.look))
    )
    return [Look(**item) for spent in session.exec(query) for item in spent]


def run_out(row: AnalysisRun, key: str) -> RunOut:
    """The shape of a run's row."""
    return RunOut.model_validate({**row.model_dump(), "experiment": key})


def _of(experiment_id: int) -> SelectOfScalar[AnalysisRun]:
    return select(AnalysisRun).where(AnalysisRun.experiment_id == experiment_id)
