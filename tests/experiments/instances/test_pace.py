"""How many went on from a stage, and in which time, counted by hand on a few walks."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from experiments.assignment.models import Visitor
from experiments.instances.models import JourneyInstance, StageTransition
from experiments.instances.pace import paces
from experiments.journeys.models import Journey

Step = tuple[str, int, str]
"""Stage, hours after the beginning, kind."""
VISIT: Step = ("visit", 0, "forward")


@pytest.fixture
def walk(session: Session, signup: Callable[[Session], None], now: datetime) -> Callable[..., None]:
    signup(session)
    journey = session.exec(select(Journey.id)).one()

    def walked(*steps: Step) -> None:
        visitor = Visitor(created_at=now)
        session.add(visitor)
        session.flush()
        instance = JourneyInstance(
            journey_id=journey,
            visitor_id=visitor.id,
            attempt=1,
            version=1,
            entry_point="visit",
            stage=steps[-1][0],
            state="walking",
            started_at=now,
        )
        session.add(instance)
        session.flush()
        for position, (stage, hours, kind) in enumerate(steps):
            session.add(
                StageTransition(
                    instance_id=instance.id,
                    position=position,
                    to_stage=stage,
                    at=now + timedelta(hours=hours),
                    event_id=1,
                    event="e",
                    kind=kind,
                    conforming=True,
                )
            )
        session.flush()

    return walked


def test_paces__when_some_go_on__then_share_and_lower_median_are_of_those(
    session: Session, walk: Callable[..., None], now: datetime
) -> None:
    walk(VISIT)
    walk(VISIT, ("declined", 1, "exit"))
    for hours, kind in ((2, "forward"), (30, "skip"), (5, "forward"), (6, "forward")):
        walk(VISIT, ("signup", hours, kind))
    found = paces(session, "signup", since=now, until=now + timedelta(days=2))
    assert (found["visit"].entered, found["visit"].went_on) == (6, 4)
    assert found["visit"].median == timedelta(hours=5)
    assert found["visit"].share == pytest.approx(4 / 6)
    assert (found["signup"].entered, found["signup"].median) == (4, None)


def test_paces__when_a_step_comes_after_the_end__then_it_is_not_known_yet(
    session: Session, walk: Callable[..., None], now: datetime
) -> None:
    walk(VISIT, ("signup", 10, "forward"))
    found = paces(session, "signup", since=now, until=now + timedelta(hours=10))
    assert {stage: (pace.entered, pace.went_on) for stage, pace in found.items()} == {
        "visit": (1, 0)
    }


def test_paces__when_the_entry_was_before__then_it_does_not_count(
    session: Session, walk: Callable[..., None], now: datetime
) -> None:
    walk(VISIT, ("signup", 10, "forward"))
    since = now + timedelta(hours=1)
    found = paces(session, "signup", since=since, until=now + timedelta(days=1))
    assert list(found) == ["signup"]
    assert paces(session, "other", since=since, until=now + timedelta(days=1)) == {}
