"""Reading who stands where on a journey."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy.engine.interfaces import DBAPICursor
from sqlmodel import Session, col, select

from experiments.assignment.queries import visitor_id
from experiments.assignment.schemas import Standing
from experiments.database import fetched
from experiments.errors import NotFoundError
from experiments.instances.arms import path_arms
from experiments.instances.models import JourneyInstance, StageTransition
from experiments.instances.schemas import InstanceOut, InstanceState, TransitionKind, TransitionOut
from experiments.journeys import queries as journeys
from experiments.journeys.pinning import Publication, in_force, walked


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


def standing(cursor: DBAPICursor, visitor: int) -> dict[int, Standing]:
    """Where a visitor stands, by journey; nothing for one that they have left."""
    query = (
        "SELECT journey_id, version, stage FROM journey_instance "
        "WHERE visitor_id = ? AND state <> ? ORDER BY attempt"
    )
    rows = fetched(cursor, query, visitor, InstanceState.LEFT.value)
    return {journey: Standing(version, stage) for journey, version, stage in rows}


def standing_at(session: Session, visitor: int, at: datetime) -> dict[int, Standing]:
    """Where a visitor stood at an earlier time, by journey."""
    query = select(JourneyInstance).where(
        JourneyInstance.visitor_id == visitor, col(JourneyInstance.started_at) <= at
    )
    rows = session.exec(query.order_by(col(JourneyInstance.attempt))).all()
    steps = transitions(session, [row.id or 0 for row in rows])
    keys = journeys.keys(session)
    found: dict[int, Standing] = {}
    for row in rows:
        taken = [step for step in steps[row.id or 0] if step.at <= at]
        found.pop(row.journey_id, None)
        if taken[-1].kind is not TransitionKind.EXIT:
            journey = keys[row.journey_id]
            published = journeys.publications(session, journey)
            arm = path_arms(session, journey, [visitor], at=at).get(visitor)
            walks = published if arm is None else arm.walked(published)
            found[row.journey_id] = Standing(_version(walks, taken), taken[-1].to_stage)
    return found


def _version(published: Sequence[Publication], taken: Sequence[TransitionOut]) -> int:
    """The version somebody was on after these steps."""
    first = in_force(published, taken[0].at)
    number = published[0].number if first is None else first.number
    for step in taken[1:]:
        number = walked(published, number, until=step.at, at_next_stage=True).number
    return number


def transitions(
    session: Session, instance_ids: Collection[int]
) -> Mapping[int, list[TransitionOut]]:
    """The steps of these walks, by walk."""
    query = select(StageTransition).where(col(StageTransition.instance_id).in_(instance_ids))
    found: dict[int, list[TransitionOut]] = defaultdict(list)
    for row in session.exec(query.order_by(col(StageTransition.position))):
        found[row.instance_id].append(TransitionOut.model_validate(row))
    return found
