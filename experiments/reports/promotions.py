"""Promotions that wait for a person, and those that were taken back, as known at a moment."""

from datetime import datetime

from sqlmodel import Session, col, or_, select

from experiments.decisions.models import Promotion
from experiments.design.models import Experiment
from experiments.journeys.models import Journey
from experiments.reports.schemas import Approval, TakenBack


def approvals(session: Session, *, as_of: datetime) -> list[Approval]:
    """Every promotion that had been proposed and was neither applied nor declined."""
    applied, declined = col(Promotion.applied_at), col(Promotion.declined_at)
    query = (
        select(Promotion, Experiment, Journey.key)
        .where(Promotion.experiment_id == Experiment.id, Promotion.journey_id == Journey.id)
        .where(
            col(Promotion.proposed_at) <= as_of,
            or_(applied.is_(None), applied > as_of),
            or_(declined.is_(None), declined > as_of),
        )
        .order_by(col(Promotion.id))
    )
    return [
        Approval(
            experiment=experiment.key,
            name=experiment.name,
            journey=journey,
            variant=promotion.variant,
            since=promotion.proposed_at,
        )
        for promotion, experiment, journey in session.exec(query)
    ]


def taken_back(session: Session, *, since: datetime, until: datetime) -> list[TakenBack]:
    """Every promotion that was rolled back in a period."""
    query = (
        select(Promotion, Experiment, Journey.key)
        .where(Promotion.experiment_id == Experiment.id, Promotion.journey_id == Journey.id)
        .where(col(Promotion.rolled_back_at) >= since, col(Promotion.rolled_back_at) < until)
        .order_by(col(Promotion.id))
    )
    return [
        TakenBack(
            experiment=experiment.key,
            name=experiment.name,
            journey=journey,
            variant=promotion.variant,
            at=promotion.rolled_back_at,
        )
        for promotion, experiment, journey in session.exec(query)
        if promotion.rolled_back_at is not None
    ]
