"""What past experiments say about the size of the next effect on the same metric."""

from collections.abc import Iterable, Iterator

from sqlmodel import Session, col, func, select

from experiments.analysis.belief import STATED_PRIOR
from experiments.analysis.models import AnalysisRun
from experiments.analysis.schemas import Belief, Readout
from experiments.design.models import Experiment
from experiments.design.schemas import ExperimentOut, Purpose
from stats.priors import MixturePrior, learn_prior

FEWEST_EFFECTS = 30
"""With fewer past effects the stated prior is the better guess."""

NEWEST_EXPERIMENTS = 200


def prior_for(session: Session, found: ExperimentOut) -> MixturePrior:
    """The prior of effects on the primary metric of an experiment, learned when it can be."""
    return learned(_last_readouts(session, found))


def learned(readouts: Iterable[Readout]) -> MixturePrior:
    """Learn a prior from the last looks at past experiments, of which only sound ones count."""
    seen = [belief for readout in readouts for belief in _beliefs(readout)]
    if len(seen) < FEWEST_EFFECTS:
        return STATED_PRIOR
    return learn_prior(
        [belief.observed_log for belief in seen], [belief.observed_se_log for belief in seen]
    )


def _beliefs(readout: Readout) -> Iterator[Belief]:
    if readout.quality.sample_ratio.alarm or readout.quality.broken_periods:
        return
    for comparison in readout.primary.comparisons:
        if isinstance(comparison.belief, Belief) and comparison.belief.observed_se_log > 0:
            yield comparison.belief


def _last_readouts(session: Session, found: ExperimentOut) -> list[Readout]:
    """The last look at each of the newest experiments that ended with the same primary metric."""
    last = (
        select(func.max(AnalysisRun.id))
        .join(Experiment, col(Experiment.id) == col(AnalysisRun.experiment_id))
        .where(
            Experiment.primary_metric == found.primary_metric,
            Experiment.purpose == Purpose.TEST,
            col(Experiment.ended_at).is_not(None),
            Experiment.id != found.id,
        )
        .group_by(col(AnalysisRun.experiment_id))
        .order_by(func.max(AnalysisRun.id).desc())
        .limit(NEWEST_EXPERIMENTS)
    )
    rows = session.exec(select(AnalysisRun.readout).where(col(AnalysisRun.id).in_(last)))
    return [Readout.model_validate(readout) for readout in rows]
