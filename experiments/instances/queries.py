"""Reading who stands where on a journey."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlmodel import Session, col, select

from experiments.assignment.queries import visitor_id
from experiments.assignment.schemas import Standing
from experiments.errors import NotFoundError
from experiments.instances.models import JourneyInstance, StageTransition
from experiments.instances.schemas import InstanceOut, InstanceState, TransitionOut
from experiments.journeys import queries as journeys


def instances(session: Session, value: str) -> list[InstanceOut]:
    """Every walk of the visitor with this id, by journey, the newest attempt first.

    Raises:
        NotFoundError: when nobody with that id was ever seen.
    """
    found = visitor_id(session, value)
    if found is None:
        raise NotFoundError("visitor", value)
    query = select(JourneyInstance).where(JourneyInstance.visitor_id == found)
    rows = session.exec(
        query.order_by(col(JourneyInstance.journey_id), col(JourneyInstance.attempt).desc())
    ).all()
    steps = transitions(session, [row.id or 0 for row in rows])
    keys = journeys.keys(session)
    return [
        InstanceOut.model_validate(
            {
                **row.model_dump(),
                "journey": keys[row.journey_id],
                "transitions": steps[row.id or 0],
            }
        )
        for row in rows
    ]


def standing(session: Session, visitor: int) -> dict[int, Standing]:
    """Where a visitor stands, by journey; nothing for one that they have left."""
    query = select(
        JourneyInstance.journey_id, JourneyInstance.version, JourneyInstance.stage
    ).where(JourneyInstance.visitor_id == visitor, JourneyInstance.state != InstanceState.LEFT)
    rows = session.exec(query.order_by(col(JourneyInstance.attempt)))
    return {journey: Standing(version, stage) for journey, version, stage in rows}


def transitions(
    session: Session, instance_ids: Collection[int]
) -> Mapping[int, list[TransitionOut]]:
    """The steps of these walks, by walk."""
    query = select(StageTransition).where(col(StageTransition.instance_id).in_(instance_ids))
    found: dict[int, list[TransitionOut]] = defaultdict(list)
    for row in session.exec(query.order_by(col(StageTransition.position))):
        found[row.instance_id].append(TransitionOut.model_validate(row))
    return found
