"""Experiments that were run elsewhere: stored with their dates, never served."""

from datetime import datetime

import numpy as np
from sqlmodel import Session, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.design import queries, service
from experiments.design.models import Experiment, Phase
from experiments.design.schemas import ExperimentIn, ExperimentOut, Source, Status
from experiments.errors import NotFoundError

REASON = "run elsewhere"


def is_imported(experiment: ExperimentOut) -> bool:
    """Whether the experiment was run elsewhere."""
    return bool(experiment.phases) and experiment.phases[0].reason == REASON


def adopt(
    session: Session,
    data: ExperimentIn,
    *,
    source: Source,
    started_at: datetime,
    rng: np.random.Generator,
    actor: Actor,
    now: datetime,
) -> ExperimentOut:
    """Store an experiment that was run elsewhere, with one phase that its data can join.

    It stays a draft until `complete`, so that no job judges half of its data.

    Raises:
        ConflictError: when the key is taken.
        InvalidError: when a field is wrong.
    """
    made = service.create(session, data, rng=rng, source=source, actor=actor, now=now)
    session.get_one(Experiment, made.id).started_at = started_at
    weights = {variant.key: variant.weight for variant in made.variants}
    session.add(
        Phase(
            experiment_id=made.id,
            number=1,
            started_at=started_at,
            coverage=made.coverage,
            weights=weights,
            reason=REASON,
        )
    )
    session.flush()
    return queries.experiment(session, data.key)


def complete(
    session: Session, key: str, *, stopped_at: datetime, actor: Actor, now: datetime
) -> ExperimentOut:
    """Declare the data of an adopted experiment complete: from now on it is analysed and decided.

    Data that come later move its end, and leave its state and what was decided as they are.

    Raises:
        NotFoundError: when there is no such experiment.
    """
    row = session.exec(select(Experiment).where(Experiment.key == key)).one_or_none()
    if row is None:
        raise NotFoundError("experiment", key)
    row.stopped_at = max(stopped_at, row.stopped_at or stopped_at)
    if row.status == Status.DRAFT:
        row.status = Status.MATURING
        subject = ("experiment", key)
        audit.record(session, "experiment.imported", subject=subject, actor=actor, now=now)
    session.flush()
    return queries.experiment(session, key)
