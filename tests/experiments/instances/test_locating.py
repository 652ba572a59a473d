"""Deriving instances from stored events: again, late, in pieces, and for one person of two ids."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.database import reading, transaction
from experiments.events import service as events
from experiments.instances import queries
from experiments.instances import service as instances
from experiments.instances.schemas import InstanceOut
from experiments.jobs import locating

Send = Callable[..., None]


@pytest.fixture
def place(engine: Engine, clock: Any, signup: Callable[[Session], None]) -> Any:
    """What the job needs of the runtime, on a published journey."""
    with transaction(engine) as session:
        signup(session)
    return SimpleNamespace(engine=engine, clock=clock)


@pytest.fixture
def send(place: Any) -> Send:
    def sent(visitor: str, *names: str, at: datetime | None = None, **call: Any) -> None:
        calls = [
            {
                "type": "track",
                "event": name,
                "userId": visitor,
                "messageId": f"{visitor}-{name}",
                "timestamp": (at or place.clock.at).isoformat(),
                **call,
            }
            for name in names
        ]
        with transaction(place.engine) as session:
            events.ingest(session, calls, source_key="test", received_at=place.clock.at)

    return sent


def walks(place: Any, visitor: str) -> list[InstanceOut]:
    with reading(place.engine) as session:
        return queries.instances(session, visitor)


def test_locate__run_twice__changes_nothing(place: Any, send: Send) -> None:
    place.clock.at += timedelta(hours=1)
    send("ann", "Page Viewed", "Signed Up")
    assert locating.locate(place) == "1 visitors moved"
    first = walks(place, "ann")
    assert [(walk.stage, walk.version) for walk in first] == [("signup", 2)]
    assert locating.locate(place) == ""
    assert walks(place, "ann") == first


def test_locate__event_that_comes_late__is_put_where_it_belongs(place: Any, send: Send) -> None:
    happened = place.clock.at
    place.clock.at += timedelta(hours=2)
    send("ann", "Activated")
    locating.locate(place)
    place.clock.at += timedelta(days=1)
    send("ann", "Signed Up", at=happened + timedelta(minutes=30))
    locating.locate(place)
    [walk] = walks(place, "ann")
    assert [step.to_stage for step in walk.transitions] == ["signup", "activate"]


def test_locate__killed_between_batches__goes_on_the_next_time(
    place: Any, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locating, "BATCH", 1)
    for visitor in ("ann", "ben", "cat"):
        send(visitor, "Page Viewed")
    real, calls = instances.derive, []

    def dying(*args: Any) -> int:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(instances, "derive", dying)
        with pytest.raises(KeyboardInterrupt):
            locating.locate(place)
    assert [len(walks(place, visitor)) for visitor in ("ann", "ben", "cat")] == [1, 0, 0]
    locating.locate(place)
    assert [len(walks(place, visitor)) for visitor in ("ann", "ben", "cat")] == [1, 1, 1]


def test_locate__two_ids_of_one_person__are_one_walk(place: Any, send: Send, actor: Actor) -> None:
    send("device", "Page Viewed", userId=None, anonymousId="device")
    place.clock.at += timedelta(hours=1)
    send("ann", "Signed Up")
    locating.locate(place)
    assert [walk.stage for walk in walks(place, "device")] == ["visit"]
    place.clock.at += timedelta(hours=1)
    calls = [{"type": "identify", "userId": "ann", "anonymousId": "device", "messageId": "tie"}]
    with transaction(place.engine) as session:
        events.ingest(session, calls, source_key="test", received_at=place.clock.at)
    locating.locate(place)
    [walk] = walks(place, "ann")
    assert walks(place, "device") == [walk]
    assert [step.to_stage for step in walk.transitions] == ["visit", "signup"]
