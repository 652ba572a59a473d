"""How visitors arrived: who was assigned and lost, counted twice, or seen in two arms."""

from datetime import datetime, timedelta

from sqlalchemy import Integer, Label, and_, case, cast, func, select
from sqlmodel import Session, col

from experiments.analysis.data import ArmFlow
from experiments.assignment.models import Assignment, Exposure, Visitor
from experiments.design.models import Phase, Variant

EXPOSURE_GRACE = timedelta(days=1)
"""Whoever was assigned less than this ago can still come to see their arm."""


def arm_flows(session: Session, experiment_id: int, *, as_of: datetime) -> list[ArmFlow]:
    """What became of the visitors of every arm who were assigned a day ago or earlier."""
    is_other = col(Visitor.merged_into).is_not(None)
    is_lost = and_(col(Visitor.merged_into).is_(None), col(Exposure.id).is_(None))
    phase: Label[int] = col(Phase.number).label("phase")
    variant: Label[str] = col(Variant.key).label("variant")
    query = (
        select(
            phase,
            variant,
            func.count().label("assigned"),
            cast(func.sum(case((is_lost, 1), else_=0)), Integer).label("lost"),
            cast(func.sum(case((is_other, 1), else_=0)), Integer).label("duplicates"),
        )
        .select_from(Assignment)
        .join(Visitor, col(Visitor.id) == col(Assignment.visitor_id))
        .join(Variant, col(Variant.id) == col(Assignment.variant_id))
        .join(Phase, col(Phase.id) == col(Assignment.phase_id))
        .outerjoin(
            Exposure,
            and_(
                col(Exposure.experiment_id) == experiment_id,
                col(Exposure.visitor_id) == col(Assignment.visitor_id),
                col(Exposure.first_at) <= as_of,
            ),
        )
        .where(
            col(Assignment.experiment_id) == experiment_id,
            col(Assignment.assigned_at) <= as_of - EXPOSURE_GRACE,
        )
        .group_by(phase, variant)
        .order_by(phase, variant)
    )
    rows = session.connection().execute(query).mappings()
    return [ArmFlow.model_validate(dict(row)) for row in rows]


def contaminated(session: Session, experiment_id: int, *, as_of: datetime) -> int:
    """How many exposed visitors were seen in two arms."""
    query = (
        select(func.count())
        .select_from(Assignment)
        .join(Visitor, col(Visitor.id) == col(Assignment.visitor_id))
        .join(
            Exposure,
            and_(
                col(Exposure.experiment_id) == col(Assignment.experiment_id),
                col(Exposure.visitor_id) == col(Assignment.visitor_id),
            ),
        )
        .where(
            col(Assignment.experiment_id) == experiment_id,
            col(Assignment.contaminated),
            col(Exposure.first_at) <= as_of,
            col(Visitor.merged_into).is_(None),
        )
    )
    return session.scalar(query) or 0
