"""What past experiments say about the size of the next effect on the same metric."""

from collections.abc import Iterable, Iterator

import numpy as np
from sqlmodel import Session, col, func, select

from experiments.analysis.belief import STATED_PRIOR
from experiments.analysis.models import AnalysisRun
from experiments.analysis.schemas import Belief, Light, Readout, Taught
from experiments.analysis.trust import trust
from experiments.design.models import Experiment
from experiments.design.schemas import ExperimentOut, Purpose
from stats.priors import MixturePrior, learn_prior

FEWEST_EFFECTS = 30
"""With fewer past effects the stated prior is the better guess."""

NEWEST_EXPERIMENTS = 200


def prior_for(session: Session, found: ExperimentOut) -> MixturePrior:
    """The prior of effects on the primary metric of an experiment, learned when it can be."""
    return learned(_last_readouts(session, found.primary_metric, but=found.id))


def learned(readouts: Iterable[Readout]) -> MixturePrior:
    """Learn a prior from the last looks at past experiments, of which only sound ones count."""
    seen = [belief for readout in readouts for belief in _beliefs(readout)]
    if len(seen) < FEWEST_EFFECTS:
        return STATED_PRIOR
    return learn_prior(
        [belief.observed_log for belief in seen], [belief.observed_se_log for belief in seen]
    )


def taught(session: Session, metric: str) -> Taught:
    """What all ended tests with this primary metric taught of the size of effects on it."""
    readouts = _last_readouts(session, metric)
    effects = sum(1 for readout in readouts for _ in _beliefs(readout))
    prior = learned(readouts)
    return Taught(
        experiments=len(readouts),
        effects=effects,
        needed=FEWEST_EFFECTS,
        is_learned=prior is not STATED_PRIOR,
        spread=float(np.sqrt(prior.weights @ prior.sds**2)),
    )


def _beliefs(readout: Readout) -> Iterator[Belief]:
    # Whether data are fresh says nothing about what has ended.
    if trust(readout.quality, at=readout.as_of, enrolling=False).light is Light.RED:
        return
    for comparison in readout.primary.comparisons:
        if isinstance(comparison.belief, Belief) and comparison.belief.observed_se_log > 0:
            yield comparison.belief


def _last_readouts(session: Session, metric: str, *, but: int = 0) -> list[Readout]:
    """The last look at each of the newest tests that ended with that primary metric."""
    last = (
        select(func.max(AnalysisRun.id))
        .join(Experiment, col(Experiment.id) == col(AnalysisRun.experiment_id))
        .where(
            Experiment.primary_metric == metric,
            Experiment.purpose == Purpose.TEST,
            col(Experiment.ended_at).is_not(None),
            Experiment.id != but,
        )
        .group_by(col(AnalysisRun.experiment_id))
        .order_by(func.max(AnalysisRun.id).desc())
        .limit(NEWEST_EXPERIMENTS)
    )
    rows = session.exec(select(AnalysisRun.readout).where(col(AnalysisRun.id).in_(last)))
    return [Readout.model_validate(readout) for readout in rows]
