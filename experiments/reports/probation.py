"""Promotions on probation as they stood at a moment, whenever that is asked."""

from datetime import datetime

from sqlmodel import Session, col, select

from experiments.analysis.models import AnalysisRun
from experiments.analysis.schemas import Readout
from experiments.decisions.retrial import realised, rule
from experiments.design.models import Experiment
from experiments.design.plans import Plan
from experiments.probation import queries
from experiments.probation.schemas import ProbationOut, ProbationState
from experiments.probation.service import NO_LOOK
from stats.results import NotEstimable


def probations(session: Session, *, as_of: datetime) -> list[ProbationOut]:
    """Every probation that had begun, as it was known at `as_of`, the newest first."""
    return [
        _known(session, item, as_of=as_of)
        for item in queries.probations(session)
        if item.started_at <= as_of
    ]


def _known(session: Session, item: ProbationOut, *, as_of: datetime) -> ProbationOut:
    if item.ended_at is not None and item.ended_at <= as_of:
        return item
    before: dict[str, object] = {"state": ProbationState.RUNNING, "ended_at": None}
    query = (
        select(AnalysisRun.readout, Experiment.plan)
        .join(Experiment, col(Experiment.id) == col(AnalysisRun.experiment_id))
        .where(Experiment.key == item.comparison, col(AnalysisRun.created_at) <= as_of)
        .order_by(col(AnalysisRun.look).desc())
    )
    last = session.exec(query).first()
    if last is None:
        unknown = {"realised": NotEstimable(NO_LOOK), "sentence": NO_LOOK, "trace": []}
        return item.model_copy(update=before | unknown)
    readout, plan = Readout.model_validate(last[0]), Plan.model_validate(last[1])
    told = {"realised": realised(readout), "sentence": rule(readout, plan).sentence}
    return item.model_copy(update=before | told)
