"""What keeps visitors apart: layers, whose experiments exclude each other, and holdouts."""

from datetime import datetime

from numpy.random import Generator
from sqlmodel import Session, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.design import queries, standing
from experiments.design.audiences import check_audience
from experiments.design.models import Holdout, Layer
from experiments.design.plans import Plan, PromotionMode
from experiments.design.rows import new_salt
from experiments.design.schemas import (
    ExperimentOut,
    HoldoutIn,
    HoldoutOut,
    LayerIn,
    LayerOut,
    Purpose,
    VariantIn,
)
from experiments.errors import ConflictError, InvalidError, NotFoundError
from experiments.journeys import queries as journeys
from experiments.metrics import queries as metrics

STATUS_QUO, ALL_SHIPPED = "status_quo", "all_shipped"
"""The parts of a holdout: one stays on the standard of its beginning, one gets every promotion."""

LONGEST_KEY = 70
LONGEST_DAYS = 364


def create_layer(
    session: Session, data: LayerIn, *, rng: Generator, actor: Actor, now: datetime
) -> LayerOut:
    """Make a layer, whose experiments exclude each other.

    Raises:
        ConflictError: when the key is taken.
    """
    if session.exec(select(Layer.id).where(Layer.key == data.key)).one_or_none() is not None:
        message = f"There is a layer {data.key!r} already; choose another key."
        raise ConflictError(message)
    session.add(Layer(**data.model_dump(), salt=new_salt(rng)))
    session.flush()
    audit.record(session, "layer.created", subject=("layer", data.key), actor=actor, now=now)
    return queries.layer(session, data.key)


def create_holdout(
    session: Session, data: HoldoutIn, *, rng: Generator, actor: Actor, now: datetime
) -> HoldoutOut:
    """Keep a share of visitors out of every experiment of a journey from now on.

    Raises:
        NotFoundError: when there is no such journey.
        ConflictError: when the key is taken.
        InvalidError: when there is nothing that a part could stay on, no such metric, or nobody
            whom the audience asks for.
    """
    if session.exec(select(Holdout.id).where(Holdout.key == data.key)).one_or_none() is not None:
        message = f"There is a holdout {data.key!r} already; choose another key."
        raise ConflictError(message)
    salt, journey = new_salt(rng), journeys.journey(session, data.journey)
    check_audience(session, data.audience, journey=data.journey)
    split = _split(session, data, salt=salt, actor=actor, now=now) if data.status_quo else None
    row = Holdout(
        **data.model_dump(exclude={"journey", "metric"}),
        journey_id=journey.id,
        base_version=journey.standard,
        comparison_id=None if split is None else split.id,
        salt=salt,
        created_at=now,
    )
    session.add(row)
    session.flush()
    audit.record(session, "holdout.created", subject=("holdout", data.key), actor=actor, now=now)
    return queries.holdout(session, data.key)


def end_holdout(
    session: Session, key: str, *, reason: str, actor: Actor, now: datetime
) -> HoldoutOut:
    """Let the visitors of a holdout take part again; ending it twice changes nothing.

    Raises:
        NotFoundError: when there is no such holdout.
    """
    row = session.exec(select(Holdout).where(Holdout.key == key).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError("holdout", key)
    if row.ended_at is None:
        row.ended_at = now
        session.flush()
        if row.comparison_id is not None:
            standing.end(session, row.comparison_id, reason=reason, actor=actor, now=now)
        audit.record(
            session, "holdout.ended", subject=("holdout", key), actor=actor, now=now, reason=reason
        )
    return queries.holdout(session, key)


def _split(
    session: Session, data: HoldoutIn, *, salt: str, actor: Actor, now: datetime
) -> ExperimentOut:
    """The comparison of both parts of a holdout, by the salt that draws the holdout itself."""
    standard = journeys.standard(session, data.journey)
    if standard is None:
        detail = f"{data.journey!r} has no standard version to stay on; publish one first"
        raise InvalidError.at("/journey", detail)
    goal = standard.graph.stage(standard.graph.goal)
    metric = data.metric or (goal.goal_metric if goal else "")
    if not metrics.existing(session, [metric]):
        raise InvalidError.at("/metric", f"there is no metric {metric!r}; create it first")
    comparison = standing.Standing(
        purpose=Purpose.HOLDOUT,
        key=f"{data.key[:LONGEST_KEY]}.holdout",
        name=f"Holdout: {data.name}",
        journey=data.journey,
        base_version=standard.number,
        touchpoint="",
        slot="",
        salt=salt,
        arms=(
            VariantIn(key=STATUS_QUO, control=True, weight=data.status_quo),
            VariantIn(key=ALL_SHIPPED, weight=1 - data.status_quo),
        ),
        primary_metric=metric,
        plan=Plan(maximum_days=LONGEST_DAYS, promotion=PromotionMode.OFF, holdback_share=0.0),
    )
    return standing.begin(session, comparison, actor=actor, now=now)
