"""Which experiments' figures should not be believed as they are, by the gate's own conditions."""

from datetime import datetime

from sqlmodel import Session, col, select

from experiments.analysis.models import AnalysisRun
from experiments.analysis.schemas import Readout
from experiments.decisions.schemas import Ruling
from experiments.decisions.trust import Facts, health
from experiments.design.models import Experiment
from experiments.reports.schemas import Alarm


def alarms(session: Session, *, since: datetime, until: datetime) -> list[Alarm]:
    """What the newest look of the period says against the data of each experiment."""
    query = (
        select(Experiment, AnalysisRun)
        .where(AnalysisRun.experiment_id == Experiment.id)
        .where(col(AnalysisRun.created_at) >= since, col(AnalysisRun.created_at) < until)
        .order_by(Experiment.key, col(AnalysisRun.look))
    )
    newest = {experiment.key: (experiment.name, run) for experiment, run in session.exec(query)}
    return [
        Alarm(experiment=key, name=name, sentence=sentence)
        for key, (name, run) in newest.items()
        for sentence in _failed(Readout.model_validate(run.readout))
    ]


def _failed(readout: Readout) -> list[str]:
    # An experiment that takes in nobody is allowed to be silent.
    conditions = health(readout, Facts(enrolling=False))
    return [item.words for item in conditions if item.ruling is Ruling.FAILED]
