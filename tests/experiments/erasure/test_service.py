"""A forgotten visitor is nowhere, stays away, and leaves the arms as they were."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from experiments.assignment import queries as visitors
from experiments.assignment.models import Assignment, Exposure
from experiments.assignment.recording import Meeting, Visit, record
from experiments.assignment.schemas import NO_BUCKET, Known, StoredArm
from experiments.audit.models import AuditEntry
from experiments.audit.schemas import Actor
from experiments.erasure import queries, service
from experiments.erasure.schemas import ErasedOut
from experiments.errors import NotFoundError
from experiments.events import service as events
from experiments.tables import metadata

ANNA = {"userId": "anna", "anonymousId": "cookie-1"}
BERT = {"userId": "bert"}


def send(session: Session, now: datetime, *calls: dict[str, Any]) -> None:
    told = [{"messageId": f"{now}-{number}", **call} for number, call in enumerate(calls)]
    events.ingest(session, told, source_key="site", received_at=now)


def everything(session: Session) -> str:
    """Every row of every table, as text."""
    tables = metadata().sorted_tables
    return str([session.connection().execute(table.select()).all() for table in tables])


@pytest.fixture
def trial(start_trial: Callable[[], Any]) -> Any:
    """A started experiment."""
    return start_trial()


@pytest.fixture
def known(session: Session, trial: Any, now: datetime) -> None:
    """Anna, who saw an arm under her cookie and then signed in, and Bert."""
    seen = {"experiment_id": trial.key, "variation_id": "control"}
    send(
        session,
        now,
        {"type": "track", "event": "Experiment Viewed", "properties": seen, **ANNA, "userId": ""},
        {"type": "identify", "traits": {"city": "Ghent"}, **ANNA},
        {"type": "track", "event": "Signed Up", "properties": {"plan": "pro"}, **ANNA},
        {"type": "track", "properties": {"plan": "pro"}, **ANNA},
        {"type": "identify", "traits": {"city": "Bruges"}, **BERT},
        {"type": "track", "event": "Signed Up", **BERT},
    )


@pytest.mark.usefixtures("known")
def test_known__a_visitor__is_told_all_that_is_stored(session: Session) -> None:
    found = queries.known(session, "cookie-1")
    assert found.visitor.aliases == ["anna", "cookie-1"]
    assert found.visitor.attributes == {"city": "Ghent"}
    assert [event.name for event in found.events] == [
        "Experiment Viewed",
        "Identified",
        "Signed Up",
    ]
    assert len(found.visitor.assignments) == len(found.exposures) == 1
    assert len(found.refused) == 1


@pytest.mark.usefixtures("known")
def test_erase__a_visitor__is_found_nowhere_and_others_stay(
    session: Session, actor: Actor, now: datetime
) -> None:
    erased = service.erase(session, "cookie-1", actor=actor, now=now)
    assert erased == ErasedOut(ids=2, attributes=1, events=3, refused=1, assignments_kept=1)
    left = everything(session)
    assert not any(word in left for word in ("anna", "cookie-1", "Ghent"))
    assert all(word in left for word in ("bert", "Bruges"))
    with pytest.raises(NotFoundError):
        queries.known(session, "anna")
    told = session.exec(select(AuditEntry).where(AuditEntry.action == "visitor.erased")).one()
    assert told.detail == erased.model_dump()


@pytest.mark.usefixtures("known")
def test_erase__a_visitor_in_an_experiment__the_arm_keeps_its_size_and_loses_the_bucket(
    session: Session, actor: Actor, now: datetime
) -> None:
    service.erase(session, "anna", actor=actor, now=now)
    assert session.exec(select(Assignment.bucket)).one() == NO_BUCKET
    assert len(session.exec(select(Exposure)).all()) == 1


@pytest.mark.usefixtures("known")
def test_erase__twice__is_as_once(session: Session, actor: Actor, now: datetime) -> None:
    service.erase(session, "anna", actor=actor, now=now)
    before = everything(session)
    assert service.erase(session, "cookie-1", actor=actor, now=now) == ErasedOut()
    assert everything(session) == before


def test_erase__somebody_never_seen__is_not_found(
    session: Session, actor: Actor, now: datetime
) -> None:
    with pytest.raises(NotFoundError):
        service.erase(session, "nobody", actor=actor, now=now)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    "call",
    [
        {"type": "track", "event": "Late", **ANNA},
        {"type": "track", "event": "Late", "anonymousId": "cookie-1"},
        {"type": "identify", "traits": {"city": "Ghent"}, **ANNA},
        {"type": "identify", "anonymousId": "cookie-1", "userId": "clara"},
        {"type": "alias", "previousId": "anna", "userId": "clara"},
    ],
)
def test_ingest__a_late_call_of_somebody_forgotten__brings_nobody_back(
    session: Session, actor: Actor, now: datetime, call: dict[str, Any]
) -> None:
    service.erase(session, "anna", actor=actor, now=now)
    before = everything(session)
    again = {"messageId": "late", **call}
    outcome = events.ingest(session, [again], source_key="site", received_at=now)
    assert (outcome.stored, outcome.rejected) == (0, [])
    assert everything(session) == before


@pytest.mark.usefixtures("known")
def test_ingest__a_batch_with_somebody_forgotten__the_others_are_stored(
    session: Session, actor: Actor, now: datetime
) -> None:
    service.erase(session, "anna", actor=actor, now=now)
    late = [
        {"type": "track", "event": "Late", "messageId": who["userId"], **who}
        for who in (ANNA, BERT)
    ]
    assert events.ingest(session, late, source_key="site", received_at=now).stored == 1


@pytest.mark.usefixtures("known")
def test_record__a_visit_of_somebody_forgotten__is_not_recorded(
    session: Session, trial: Any, actor: Actor, now: datetime
) -> None:
    service.erase(session, "anna", actor=actor, now=now)
    before = everything(session)
    found = trial.experiment
    arm = StoredArm(found.variants[0].id, found.phases[0].id, 1)
    meeting = Meeting(found.id, arm, 0.5, True, True)
    visit = Visit("cookie-1", now, lambda _: [meeting])
    assert record(session.connection(), [visit]) == [Known()]
    assert everything(session) == before


@pytest.mark.usefixtures("known")
def test_erase__merged_visitors__are_forgotten_together(
    session: Session, actor: Actor, now: datetime
) -> None:
    send(session, now, {"type": "alias", "previousId": "bert", "userId": "anna"})
    service.erase(session, "bert", actor=actor, now=now)
    assert visitors.visitor_id(session, "anna") is None
    assert session.exec(text("SELECT count(*) FROM event")).one()[0] == 0  # type: ignore[call-overload] # plain SQL
