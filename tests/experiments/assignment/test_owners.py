"""Whose ids these are, also while other processes bring or merge the same ids."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlmodel import Session, select

from experiments.assignment import service
from experiments.assignment.models import Alias, Visitor
from experiments.assignment.owners import Sighting, owners
from experiments.assignment.schemas import AliasKind
from experiments.database import reading, to_micros, transaction

BOUNDED_SECONDS = 20


def sightings(values: Iterable[str], at: datetime, kind: AliasKind = AliasKind.ANONYMOUS):  # type: ignore[no-untyped-def] # a dictionary
    return {value: Sighting(kind, to_micros(at)) for value in values}


def test_owners__new_and_known_ids__are_what_one_by_one_would_find(
    session: Session, now: datetime
) -> None:
    known = service.visitor(session, "b", kind=AliasKind.ANONYMOUS, now=now)
    found = owners(session.connection(), sightings("abc", now + timedelta(seconds=1))).ids
    assert found["b"] == known
    assert len(set(found.values())) == 3
    assert owners(session.connection(), sightings("cab", now)).ids == found
    assert session.get_one(Visitor, found["a"]).created_at == now + timedelta(seconds=1)


def test_owners__anonymous_id_turns_out_to_be_a_users__is_remembered(
    session: Session, now: datetime
) -> None:
    owners(session.connection(), sightings("a", now))
    owners(session.connection(), sightings("a", now, AliasKind.USER))
    owners(session.connection(), sightings("a", now))
    assert session.exec(select(Alias.kind)).one() == AliasKind.USER


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.text("abcdeé😀", max_size=8), min_size=1, max_size=4))
def test_owners__any_batches__every_id_has_one_visitor_for_ever(
    engine: Engine, now: datetime, batches: list[str]
) -> None:
    first: dict[str, int] = {}
    with transaction(engine) as session:
        for batch in batches:
            found = owners(session.connection(), sightings(batch, now)).ids
            assert set(found) == set(batch)
            for value, visitor_id in found.items():
                assert first.setdefault(value, visitor_id) == visitor_id


def together(*tasks: Callable[[], None]) -> None:
    threads = [Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(BOUNDED_SECONDS)
        assert not thread.is_alive()


def test_owners__two_processes_bring_the_same_new_ids__they_agree(
    engine: Engine, now: datetime
) -> None:
    barrier, found = Barrier(2), []

    def bring(values: str) -> None:
        barrier.wait()
        with engine.begin() as connection:
            found.append(owners(connection, sightings(values, now)).ids)

    together(lambda: bring("abcdef"), lambda: bring("fedcba"))
    assert found[0] == found[1]
    with reading(engine) as session:
        assert len(session.exec(select(Visitor)).all()) == 6


@pytest.mark.parametrize("way", ["owners", "visitor"])
def test_owners__while_a_merge_is_under_way__nothing_is_left_on_who_was_merged_away(
    engine: Engine, now: datetime, way: str
) -> None:
    """The merge has begun and not ended when somebody asks whose the id is."""
    if engine.dialect.name == "sqlite":
        pytest.skip("there is one writer at a time")
    with transaction(engine) as session:
        kept = service.visitor(session, "old", kind=AliasKind.USER, now=now)
        service.visitor(session, "new", kind=AliasKind.USER, now=now + timedelta(seconds=1))
    asked, found = Barrier(2), []

    def merge() -> None:
        with transaction(engine) as session:
            service.alias(session, "new", user_id="old", now=now)
            asked.wait()
            session.connection().execute(text("SELECT pg_sleep(0.3)"))

    def ask() -> None:
        asked.wait()
        with transaction(engine) as session:
            if way == "owners":
                found.append(owners(session.connection(), sightings(["new"], now)).ids["new"])
            else:
                kind = AliasKind.ANONYMOUS
                found.append(service.visitor(session, "new", kind=kind, now=now))

    together(merge, ask)
    assert found == [kept]
