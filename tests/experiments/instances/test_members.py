"""Who fits a rule, and how far they came: counted by hand on a few visitors."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from experiments.assignment.models import Attribute, Visitor
from experiments.instances.members import members, sizes
from experiments.instances.models import JourneyInstance, StageTransition
from experiments.journeys import queries as journeys

PRO = {"plan": "pro"}


def _visitor(session: Session, now: datetime, number: int, **known: Any) -> None:
    session.add(Visitor(id=number, created_at=now))
    session.flush()
    for key, value in known.items():
        row = Attribute(visitor_id=number, key=key, value=value, source="test", as_of=now)
        session.add(row)


def _walk(session: Session, visitor: int, at: datetime, *stages: str) -> None:
    journey = journeys.journey(session, "signup").id
    walk = JourneyInstance(
        journey_id=journey,
        visitor_id=visitor,
        attempt=1,
        version=1,
        entry_point="visit",
        stage=stages[-1],
        state="open",
        started_at=at,
    )
    session.add(walk)
    session.flush()
    for position, stage in enumerate(stages):
        session.add(
            StageTransition(
                instance_id=walk.id,
                position=position,
                to_stage=stage,
                at=at,
                event_id=1,
                event="E",
                kind="forward",
                conforming=True,
            )
        )


def test_members__some_fit__are_counted_by_stage_beside_everybody(
    session: Session, signup: Callable[[Session], None], now: datetime
) -> None:
    signup(session)
    _visitor(session, now, 1, plan="pro", visits=3)
    _visitor(session, now, 2, plan="free")
    _visitor(session, now, 3)
    _visitor(session, now, 4, plan="pro")
    week = timedelta(days=7)
    _walk(session, 1, now - week, "visit", "signup", "visit")
    _walk(session, 2, now - week, "visit")
    _walk(session, 3, now - week, "visit", "signup")
    _walk(session, 4, now - 5 * week, "visit")
    session.flush()

    found = members(session, "signup", PRO, since=now - 4 * week, until=now)

    assert (found.visitors, found.members) == (3, 1)
    counts = {item.stage: (item.everybody, item.members) for item in found.stages}
    assert counts == {"visit": (3, 1), "signup": (2, 1)}
    rules = {"pro": PRO, "unknown": {"plan": {"$exists": False}}}
    assert sizes(session, rules) == {"pro": 2, "unknown": 1}
