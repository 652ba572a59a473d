from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy import Engine, create_engine
from sqlmodel import Session, select

from experiments.assignment import queries, service
from experiments.assignment.models import Alias, Assignment, Exposure, Visitor
from experiments.assignment.recording import Meeting, Met, record_reported
from experiments.assignment.schemas import AliasKind, Known, StoredArm
from experiments.database import peeking, reading, to_micros, transaction
from experiments.design.schemas import ExperimentOut
from experiments.errors import NotFoundError, UnavailableError

Launch = Callable[..., ExperimentOut]


def seen(session: Session, value: str, now: datetime) -> int:
    return service.visitor(session, value, kind=AliasKind.ANONYMOUS, now=now)


def put(session: Session, experiment: ExperimentOut, value: str, arm: int, at: datetime) -> None:
    """Assign and expose the visitor of an id, as a request at that time would have done."""
    visitor = seen(session, value, at)
    place = StoredArm(experiment.variants[arm].id, experiment.phases[0].id, arm)
    meeting = Meeting(experiment.id, place, 0.5, is_new=True, is_seen=True)
    record_reported(session.connection(), [Met(visitor, to_micros(at), meeting)])


def test_visitor__asked_twice__is_the_same(session: Session, now: datetime) -> None:
    assert seen(session, "a", now) == seen(session, "a", now)
    assert len(session.exec(select(Visitor)).all()) == 1


def test_visitor__first_seen_by_two_at_once__is_one(engine: Engine, now: datetime) -> None:
    def ask(_: int) -> int:
        with transaction(engine) as session:
            return seen(session, "a", now)

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(ask, range(8)))
    with reading(engine) as session:
        assert found == {queries.visitor_id(session, "a")}
        assert len(session.exec(select(Visitor)).all()) == 1


def test_identify__unknown_ids__are_one_visitor(session: Session, now: datetime) -> None:
    identity = service.identify(session, "u", anonymous_id="a", as_of=now, now=now)
    assert identity.merged_id is None
    assert queries.visitor_id(session, "a") == queries.visitor_id(session, "u")
    assert len(session.exec(select(Visitor)).all()) == 1


def test_identify__shared_device__does_not_join_two_users(session: Session, now: datetime) -> None:
    service.identify(session, "u1", anonymous_id="kiosk", as_of=now, now=now)
    service.identify(session, "u2", anonymous_id="kiosk", as_of=now, now=now)
    assert queries.visitor_id(session, "kiosk") == queries.visitor_id(session, "u1")
    assert queries.visitor_id(session, "u2") != queries.visitor_id(session, "u1")


def test_alias__two_users__are_joined(session: Session, now: datetime) -> None:
    service.identify(session, "u1", as_of=now, now=now)
    service.identify(session, "u2", as_of=now, now=now)
    service.alias(session, "u1", user_id="u2", now=now)
    assert queries.visitor_id(session, "u1") == queries.visitor_id(session, "u2")


def test_alias__chain_of_merges__every_merged_visitor_points_to_the_last(
    session: Session, now: datetime
) -> None:
    for hours, value in enumerate(("c", "b", "a")):
        seen(session, value, now - timedelta(hours=hours))
    service.alias(session, "c", user_id="b", now=now)
    service.alias(session, "b", user_id="a", now=now)
    last = queries.visitor_id(session, "a")
    rows = session.exec(select(Visitor).where(Visitor.id != last)).all()
    assert {row.merged_into for row in rows} == {last}
    assert {row.visitor_id for row in session.exec(select(Alias))} == {last}


def test_identify__two_arms__earliest_stands_and_the_later_is_kept(
    session: Session, now: datetime, signup: Callable[[Session], None], launch: Launch
) -> None:
    signup(session)
    experiment = launch(session)
    put(session, experiment, "phone", 1, now + timedelta(hours=2))
    put(session, experiment, "u", 0, now + timedelta(hours=1))
    identity = service.identify(session, "u", anonymous_id="phone", as_of=now, now=now)
    standing = queries.visitor(session, "phone").assignments
    assert [(arm.variant_id, arm.contaminated) for arm in standing] == [
        (experiment.variants[0].id, True)
    ]
    kept = session.exec(select(Assignment).where(Assignment.visitor_id == identity.merged_id)).one()
    assert (kept.variant_id, kept.contaminated) == (experiment.variants[1].id, True)
    exposure = session.exec(select(Exposure)).one()
    assert exposure.visitor_id == identity.visitor_id
    assert (exposure.variant_id, exposure.count) == (experiment.variants[0].id, 2)
    assert exposure.first_at == now + timedelta(hours=1)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_identify__any_order_of_merges__leaves_the_same_person(
    session: Session,
    now: datetime,
    signup: Callable[[Session], None],
    launch: Launch,
    order: tuple[int, ...],
) -> None:
    signup(session)
    experiment = launch(session)
    devices = ("phone", "tablet", "laptop")
    for index, value in enumerate(devices):
        at = now + timedelta(hours=3 - index)
        put(session, experiment, value, index % 2, at)
        service.set_attributes(
            session, seen(session, value, now), {"plan": value}, source="test", as_of=at
        )
    for index in order:
        service.identify(session, "u", anonymous_id=devices[index], as_of=now, now=now)
    person = queries.visitor(session, "u")
    assert person.aliases == ["laptop", "phone", "tablet", "u"]
    assert person.attributes == {"plan": "phone"}
    assert [(arm.variant_id, arm.contaminated) for arm in person.assignments] == [
        (experiment.variants[0].id, True)
    ]
    exposure = session.exec(select(Exposure)).one()
    assert (exposure.visitor_id, exposure.count) == (person.id, 3)
    assert exposure.first_at == now + timedelta(hours=1)


def test_set_attributes__older_news__changes_nothing(session: Session, now: datetime) -> None:
    visitor = seen(session, "a", now)
    service.set_attributes(session, visitor, {"plan": "pro"}, source="crm", as_of=now)
    earlier = now - timedelta(days=1)
    service.set_attributes(session, visitor, {"plan": "free"}, source="crm", as_of=earlier)
    assert queries.attributes(session, visitor) == {"plan": "pro"}
    service.set_attributes(session, visitor, {"plan": None}, source="crm", as_of=now)
    assert queries.attributes(session, visitor) == {"plan": None}


def test_expose__told_late_of_an_earlier_time__the_earliest_stands(
    session: Session, now: datetime, signup: Callable[[Session], None], launch: Launch
) -> None:
    signup(session)
    experiment = launch(session)
    for hours in (5, 3, 9):
        put(session, experiment, "a", 0, now + timedelta(hours=hours))
    exposure = session.exec(select(Exposure)).one()
    assert (exposure.first_at, exposure.count) == (now + timedelta(hours=3), 3)


def test_visitor__never_seen__is_not_found(session: Session) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        queries.visitor(session, "nobody")


def test_known__of_somebody__is_what_was_stored_with_every_type(
    engine: Engine, now: datetime
) -> None:
    traits = {"plan": "pro", "visits": 3, "tags": ["a", "é"], "left": None, "code": "17"}
    with transaction(engine) as session:
        person = service.identify(session, "alice", traits=traits, as_of=now, now=now)
    with peeking(engine) as cursor:
        found = queries.known(cursor, "alice", with_attributes=True)
        bare = queries.known(cursor, "alice", with_attributes=False)
        nobody = queries.known(cursor, "' OR 1=1 --", with_attributes=True)
    assert found == Known(visitor_id=person.visitor_id, attributes=traits)
    assert bare == Known(visitor_id=person.visitor_id)
    assert nobody == Known()


@pytest.mark.parametrize(
    "url", ["sqlite:////dev/null/nowhere.db", "postgresql+psycopg://localhost:1/nowhere"]
)
def test_peeking__database_away__says_so(url: str) -> None:
    with pytest.raises(UnavailableError), peeking(create_engine(url)):
        pass


def test_peeking__fails_inside__is_unavailable(engine: Engine) -> None:
    failure = engine.dialect.loaded_dbapi.OperationalError
    with pytest.raises(UnavailableError), peeking(engine):
        raise failure("away")
