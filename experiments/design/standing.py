"""Comparisons that the platform keeps by itself: no plan of people, no draft, one phase."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.design import queries, rows
from experiments.design.allocation import Allocation
from experiments.design.models import Experiment, Variant
from experiments.design.plans import Plan
from experiments.design.schemas import ExperimentOut, Level, Purpose, Source, Status, VariantIn
from experiments.journeys import queries as journeys
from experiments.journeys.divergence import Divergence


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is compared, where, by which metric and for how long.

    Attributes:
        purpose: what the visitors are divided for.
        key: its own key.
        name: what people call it.
        journey: key of the journey.
        base_version: version of the journey on which its stages are judged; at level `path` its
            path is what the control walks.
        touchpoint: where its visitors are divided.
        slot: the slot whose content differs.
        level: whether a content differs or the path.
        divergence: where the paths part.
        salt: makes the division independent of every other.
        arms: the control, which keeps something of its own, and what defers to the ladder.
        primary_metric: what it is judged by.
        plan: how it is judged.
    """

    purpose: Purpose
    key: str
    name: str
    journey: str
    base_version: int
    touchpoint: str
    slot: str
    salt: str
    arms: Sequence[VariantIn]
    primary_metric: str
    plan: Plan
    level: Level = Level.MESSAGE
    divergence: Divergence | None = None


def begin(session: Session, data: Standing, *, actor: Actor, now: datetime) -> ExperimentOut:
    """Divide visitors from now on."""
    parted = data.divergence
    row = Experiment(
        key=data.key,
        name=data.name,
        journey_id=journeys.journey(session, data.journey).id,
        base_version=data.base_version,
        level=data.level,
        source=Source.LIVE,
        purpose=data.purpose,
        touchpoint=data.touchpoint,
        slot=data.slot,
        divergence=None if parted is None else parted.model_dump(mode="json"),
        salt=data.salt,
        status=Status.RUNNING,
        primary_metric=data.primary_metric,
        plan=data.plan.model_dump(mode="json"),
        created_at=now,
        started_at=now,
    )
    session.add(row)
    session.flush()
    for position, arm in enumerate(data.arms):
        session.add(Variant(**arm.model_dump(), experiment_id=row.id, position=position))
    weights = {arm.key: arm.weight for arm in data.arms}
    rows.add_phase(session, row, Allocation(coverage=1.0, weights=weights), now=now)
    detail = {"purpose": data.purpose, "to": Status.RUNNING}
    rows.record(session, "started", row, actor=actor, now=now, detail=detail)
    return queries.experiment(session, data.key)


def end(session: Session, experiment_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Divide visitors no more; ending it twice changes nothing."""
    row = session.get_one(Experiment, experiment_id, with_for_update=True)
    if row.status == Status.ARCHIVED:
        return
    detail = {"from": row.status, "to": Status.ARCHIVED}
    row.status, row.stopped_at, row.ended_at = Status.ARCHIVED, now, now
    session.flush()
    rows.record(session, "ended", row, actor=actor, now=now, reason=reason, detail=detail)
