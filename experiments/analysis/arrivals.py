"""How visitors and their events arrived: who was assigned and lost, counted twice; how late."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Integer, Label, and_, case, cast, func, select, type_coerce
from sqlmodel import Session, col

from experiments.analysis.data import ArmFlow, SourceDelay
from experiments.assignment.models import Assignment, Exposure, Visitor
from experiments.database import to_micros
from experiments.design.models import Phase, Variant
from experiments.events.models import Event
from experiments.metrics.schemas import MetricOut

EXPOSURE_GRACE = timedelta(days=1)
"""Whoever was assigned less than this ago can still come to see their arm."""

LATE = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


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


def source_delays(
    session: Session, experiment_id: int, *, metric: MetricOut, as_of: datetime
) -> list[SourceDelay]:
    """How many events of a metric came from each source after the exposure, and how many late."""
    occurred = type_coerce(col(Event.occurred_at), BigInteger)
    received = type_coerce(col(Event.received_at), BigInteger)
    is_late = received - occurred > LATE // MICROSECOND
    query = (
        select(
            col(Event.source),
            func.count().label("events"),
            cast(func.sum(case((is_late, 1), else_=0)), Integer).label("late"),
        )
        .select_from(Exposure)
        .join(Event, col(Event.visitor_id) == col(Exposure.visitor_id))
        .where(
            col(Exposure.experiment_id) == experiment_id,
            col(Event.name) == metric.rule.event,
            occurred >= type_coerce(col(Exposure.first_at), BigInteger),
            received <= to_micros(as_of),
        )
        .group_by(col(Event.source))
        .order_by(col(Event.source))
    )
    rows = session.connection().execute(query).mappings()
    return [SourceDelay.model_validate(dict(row)) for row in rows]
