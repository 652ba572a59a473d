"""Deriving the walks of visitors and storing what differs from what is stored."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlmodel import Session, col, delete, select

from experiments.assignment.models import Visitor
from experiments.instances import queries
from experiments.instances.arms import path_arms
from experiments.instances.models import InstanceProgress, JourneyInstance, StageTransition
from experiments.instances.schemas import Happening, InstanceState
from experiments.instances.walking import Walk, walks
from experiments.journeys import queries as journeys

Derived: TypeAlias = tuple[Sequence[Walk], int | None]
"""The walks of a visitor, and the arm of the path experiment they are in."""


def derive(session: Session, journey: str, happenings: Mapping[int, Sequence[Happening]]) -> int:
    """Bring the walks of these visitors up to date; how many visitors changed.

    Args:
        session: the transaction.
        journey: key of the journey.
        happenings: everything that each visitor did, as far as entry rules ask, by visitor.
    """
    journey_id = journeys.journey(session, journey).id
    publications = journeys.publications(session, journey)
    arms = path_arms(session, journey, list(happenings))
    stored = _stored(session, journey_id, list(happenings))
    changed: dict[int, Derived] = {}
    for visitor, done in happenings.items():
        arm = arms.get(visitor)
        derived = walks(publications if arm is None else arm.walked(publications), done)
        variant_id = None if arm is None else arm.variant.id
        if [(walk, variant_id) for walk in derived] != stored[visitor]:
            changed[visitor] = derived, variant_id
    _rewrite(session, journey_id, changed)
    _forget_merged(session, journey_id, list(happenings))
    return len(changed)


def progress(session: Session, journey: str) -> int:
    """The newest event up to which the walks of a journey are derived for good."""
    row = session.get(InstanceProgress, journeys.journey(session, journey).id)
    return 0 if row is None else row.event_id


def note_progress(session: Session, journey: str, event_id: int) -> None:
    """Remember that nothing up to this event needs to be looked at again."""
    key = journeys.journey(session, journey).id
    row = session.get(InstanceProgress, key, with_for_update=True)
    row = row or InstanceProgress(journey_id=key, event_id=0)
    row.event_id = max(row.event_id, event_id)
    session.add(row)
    session.flush()


def _stored(
    session: Session, journey_id: int, visitors: Sequence[int]
) -> Mapping[int, list[tuple[Walk, int | None]]]:
    query = select(JourneyInstance).where(
        JourneyInstance.journey_id == journey_id, col(JourneyInstance.visitor_id).in_(visitors)
    )
    rows = session.exec(query.order_by(col(JourneyInstance.attempt))).all()
    steps = queries.transitions(session, [row.id or 0 for row in rows])
    found: dict[int, list[tuple[Walk, int | None]]] = defaultdict(list)
    for row in rows:
        walk = Walk(
            attempt=row.attempt,
            version=row.version,
            state=InstanceState(row.state),
            transitions=tuple(steps[row.id or 0]),
        )
        found[row.visitor_id].append((walk, row.variant_id))
    return found


def _rewrite(session: Session, journey_id: int, changed: Mapping[int, Derived]) -> None:
    _forget(session, journey_id, list(changed))
    rows = [
        (_instance(journey_id, visitor, walk, variant_id=variant_id), walk)
        for visitor, (derived, variant_id) in changed.items()
        for walk in derived
    ]
    session.add_all(row for row, _ in rows)
    session.flush()
    session.add_all(
        StageTransition(instance_id=row.id or 0, position=position, **step.model_dump())
        for row, walk in rows
        for position, step in enumerate(walk.transitions)
    )
    session.flush()


def _instance(
    journey_id: int, visitor: int, walk: Walk, *, variant_id: int | None
) -> JourneyInstance:
    return JourneyInstance(
        journey_id=journey_id,
        visitor_id=visitor,
        attempt=walk.attempt,
        version=walk.version,
        variant_id=variant_id,
        entry_point=walk.entry_point,
        stage=walk.stage,
        state=walk.state,
        started_at=walk.started_at,
    )


def _forget_merged(session: Session, journey_id: int, visitors: Sequence[int]) -> None:
    """Whoever turned out to be somebody else has no walks of their own."""
    gone = select(Visitor.id).where(col(Visitor.merged_into).in_(visitors))
    ids = [number for number in session.exec(gone) if number is not None]
    if ids:
        _forget(session, journey_id, ids)


def _forget(session: Session, journey_id: int, visitors: Sequence[int]) -> None:
    query = select(JourneyInstance.id).where(
        JourneyInstance.journey_id == journey_id, col(JourneyInstance.visitor_id).in_(visitors)
    )
    ids = session.exec(query).all()
    if not ids:
        return
    session.exec(delete(StageTransition).where(col(StageTransition.instance_id).in_(ids)))
    session.exec(delete(JourneyInstance).where(col(JourneyInstance.id).in_(ids)))
