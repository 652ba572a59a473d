"""What past experiments say about the size of the next effect on the same metric."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlmodel import Session, col, func, select

from experiments.analysis.belief import STATED_PRIOR
from experiments.analysis.models import AnalysisRun
from experiments.analysis.schemas import Belief, Comparison, Light, Quality, Readout, Role, Taught
from experiments.analysis.trust import trust
from experiments.design.models import Experiment
from experiments.design.schemas import ExperimentOut, Purpose
from stats.priors import MixturePrior, learn_prior

FEWEST_EFFECTS = 30
"""With fewer past effects the stated prior is the better guess."""

NEWEST_EXPERIMENTS = 200


def prior_for(session: Session, found: ExperimentOut) -> MixturePrior:
    """The prior of effects on the primary metric of an experiment, learned when it can be."""
    return _prior(
        [belief for end in _ends(session, found.primary_metric, found.id) for belief in end]
    )


def learned(readouts: Iterable[Readout]) -> MixturePrior:
    """Learn a prior from the last looks at past experiments, of which only sound ones count."""
    return _prior(
        [
            belief
            for readout in readouts
            for belief in _sound(readout.as_of, readout.quality, readout.primary.comparisons)
        ]
    )


def taught(session: Session, metric: str) -> Taught:
    """What all ended tests with this primary metric taught of the size of effects on it."""
    ends = _ends(session, metric)
    seen = [belief for end in ends for belief in end]
    prior = _prior(seen)
    return Taught(
        experiments=len(ends),
        effects=len(seen),
        needed=FEWEST_EFFECTS,
        is_learned=prior is not STATED_PRIOR,
        spread=float(np.sqrt(prior.weights @ prior.sds**2)),
    )


def _prior(seen: Sequence[Belief]) -> MixturePrior:
    if len(seen) < FEWEST_EFFECTS:
        return STATED_PRIOR
    return learn_prior(
        [belief.observed_log for belief in seen], [belief.observed_se_log for belief in seen]
    )


def _sound(at: datetime, quality: Quality, comparisons: Iterable[Comparison]) -> list[Belief]:
    # Whether data are fresh says nothing about what has ended.
    if trust(quality, at=at, enrolling=False).light is Light.RED:
        return []
    return [
        item.belief
        for item in comparisons
        if isinstance(item.belief, Belief) and item.belief.observed_se_log > 0
    ]


def _ends(session: Session, metric: str, but: int = 0) -> list[list[Belief]]:
    """What is believed since the last look at each of the newest tests that ended on a metric."""
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
    query = select(AnalysisRun.as_of, AnalysisRun.readout).where(col(AnalysisRun.id).in_(last))
    return [_end(at, readout) for at, readout in session.exec(query)]


def _end(at: datetime, readout: Mapping[str, Any]) -> list[Belief]:
    # Of two hundred long documents only these parts are read.
    primary = next(item for item in readout["metrics"] if Role.PRIMARY in item["roles"])
    return _sound(
        at,
        Quality.model_validate(readout["quality"]),
        map(Comparison.model_validate, primary["comparisons"]),
    )
