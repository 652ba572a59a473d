"""Experiments that were run elsewhere: stored with their dates, never served."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlmodel import Session, col, select

from experiments.audit.schemas import Actor
from experiments.design.models import Experiment, Phase, Variant
from experiments.design.rows import columns, new_salt, record
from experiments.design.schemas import ExperimentIn, ExperimentOut, Source, Status

REASON = "run elsewhere"


def is_imported(experiment: ExperimentOut) -> bool:
    """Whether the experiment was run elsewhere."""
    return bool(experiment.phases) and experiment.phases[0].reason == REASON


def adopt(
    session: Session,
    data: Sequence[ExperimentIn],
    *,
    source: Source,
    started_at: Mapping[str, datetime],
    rng: np.random.Generator,
    actor: Actor,
    now: datetime,
) -> None:
    """Store new experiments of one journey, each with one phase that its data can join.

    They stay drafts until `complete`, so that no job judges half of their data.

    Args:
        session: the transaction.
        data: the experiments; their keys must be free.
        source: where their data come from.
        started_at: when each began, by key.
        rng: makes the salts.
        actor: who imports.
        now: the time.

    Raises:
        InvalidError: when the journey does not exist or has no standard version.
    """
    if not data:
        return
    shared = columns(session, data[0])
    rows = [
        Experiment(
            **_own_columns(item),
            journey_id=shared["journey_id"],
            base_version=shared["base_version"],
            source=source,
            salt=new_salt(rng),
            status=Status.DRAFT,
            started_at=started_at[item.key],
            created_at=now,
        )
        for item in data
    ]
    session.add_all(rows)
    session.flush()
    for row, item in zip(rows, data, strict=True):
        session.add_all([*_arms(row, item), _phase(row, item, started_at=started_at[row.key])])
    session.flush()
    for row in rows:
        record(session, "created", row, actor=actor, now=now, reason=REASON)


def complete(
    session: Session, stopped_at: Mapping[str, datetime], *, actor: Actor, now: datetime
) -> None:
    """Declare the data of adopted experiments complete: they can be analysed and decided.

    Data that come later move the end, and leave the state and what was decided as they are.
    """
    query = select(Experiment).where(col(Experiment.key).in_(stopped_at))
    for row in session.exec(query).all():
        end = stopped_at[row.key]
        row.stopped_at = max(end, row.stopped_at or end)
        if row.status == Status.DRAFT:
            row.status = Status.MATURING
            record(session, "imported", row, actor=actor, now=now)
    session.flush()


def _own_columns(item: ExperimentIn) -> dict[str, Any]:
    return item.model_dump(mode="json", exclude={"journey", "place", "variants", "starts_at"})


def _arms(row: Experiment, item: ExperimentIn) -> list[Variant]:
    return [
        Variant(**variant.model_dump(), experiment_id=row.id, position=position)
        for position, variant in enumerate(item.variants)
    ]


def _phase(row: Experiment, item: ExperimentIn, *, started_at: datetime) -> Phase:
    weights = {variant.key: variant.weight for variant in item.variants}
    return Phase(
        experiment_id=row.id,
        number=1,
        started_at=started_at,
        coverage=row.coverage,
        weights=weights,
        reason=REASON,
    )
