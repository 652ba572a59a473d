"""How many who entered a stage went on, and how long that took them."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, and_, func, type_coerce
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from experiments.instances.models import JourneyInstance, StageTransition
from experiments.instances.schemas import Pace, TransitionKind
from experiments.journeys.models import Journey

ONWARD = (TransitionKind.FORWARD, TransitionKind.SKIP)
_Next = aliased(StageTransition)
_TOOK = type_coerce(_Next.at, BigInteger) - type_coerce(StageTransition.at, BigInteger)
_WENT_ON = and_(
    col(_Next.instance_id) == StageTransition.instance_id,
    col(_Next.position) == StageTransition.position + 1,
    col(_Next.kind).in_(ONWARD),
)


def paces(session: Session, journey: str, *, since: datetime, until: datetime) -> dict[str, Pace]:
    """Of the entries into each stage in [since, until), those that went on by `until`, by stage.

    Args:
        session: the transaction.
        journey: its key.
        since: entries from here on; long enough ago that most who would go on have.
        until: entries and steps before this.

    Returns:
        Nothing for a stage that nobody entered. An entry goes on when the very next step leads
        forward, also past a stage.
    """
    period = (
        Journey.key == journey,
        col(StageTransition.at) >= since,
        col(StageTransition.at) < until,
    )
    counted = (
        select(StageTransition.to_stage, func.count(), func.count(col(_Next.position)))
        .select_from(StageTransition)
        .join(JourneyInstance, col(JourneyInstance.id) == StageTransition.instance_id)
        .join(Journey, col(Journey.id) == JourneyInstance.journey_id)
        .outerjoin(_Next, and_(_WENT_ON, col(_Next.at) < until))
        .where(*period)
        .group_by(StageTransition.to_stage)
    )
    return {
        stage: Pace(
            entered=entered,
            went_on=went_on,
            median=_median(session, journey, stage, went_on, since=since, until=until),
        )
        for stage, entered, went_on in session.exec(counted).all()
    }


def _median(
    session: Session, journey: str, stage: str, n: int, *, since: datetime, until: datetime
) -> timedelta | None:
    """The lower median of the times to the next stage; the database sorts, one number is read."""
    if not n:
        return None
    query = (
        select(_TOOK)
        .select_from(StageTransition)
        .join(JourneyInstance, col(JourneyInstance.id) == StageTransition.instance_id)
        .join(Journey, col(Journey.id) == JourneyInstance.journey_id)
        .join(_Next, _WENT_ON)
        .where(Journey.key == journey, StageTransition.to_stage == stage)
        .where(col(StageTransition.at) >= since, col(StageTransition.at) < until)
        .where(col(_Next.at) < until)
        .order_by(_TOOK)
        .offset((n - 1) // 2)
        .limit(1)
    )
    return timedelta(microseconds=session.exec(query).one())
