"""Storage behaves the same on both databases."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlmodel import select

from experiments.audit.models import AuditEntry
from experiments.audit.queries import entries, live_version
from experiments.audit.schemas import Actor
from experiments.audit.service import record
from experiments.database import from_micros, open_engine, reading, to_micros, transaction
from experiments.errors import UnavailableError


@given(st.datetimes(timezones=st.just(UTC)))
def test_instant__when_stored_as_microseconds__then_comes_back_the_same(at: datetime) -> None:
    assert from_micros(to_micros(at)) == at


def test_instant__when_in_another_zone__then_is_the_same_instant() -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=2)))
    assert from_micros(to_micros(at)) == at


def test_instant__when_naive__then_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_micros(datetime(2026, 3, 2, 9))  # noqa: DTZ001 (the naive one is the point)


def test_transaction__when_it_fails__then_nothing_is_stored(
    engine: Engine, actor: Actor, now: datetime
) -> None:
    def fail_after_writing() -> None:
        with transaction(engine) as session:
            record(session, "test.done", subject=("test", "a"), actor=actor, now=now)
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_writing()
    with reading(engine) as session:
        assert session.exec(select(AuditEntry)).all() == []


def test_reading__when_something_is_changed_inside__then_it_is_thrown_away(
    engine: Engine, actor: Actor, now: datetime
) -> None:
    with reading(engine) as session:
        record(session, "test.done", subject=("test", "a"), actor=actor, now=now)
    with reading(engine) as session:
        assert live_version(session) == 0


def test_reading__while_somebody_writes__then_sees_the_state_before(
    engine: Engine, actor: Actor, now: datetime
) -> None:
    with transaction(engine) as writer, reading(engine) as reader:
        record(writer, "test.done", subject=("test", "a"), actor=actor, now=now)
        assert live_version(reader) == 0


def test_audit__when_recorded__then_read_back_newest_first(
    engine: Engine, actor: Actor, now: datetime
) -> None:
    with transaction(engine) as session:
        for key in ("a", "b"):
            record(session, "test.done", subject=("test", key), actor=actor, now=now, reason="why")
    with reading(engine) as session:
        found = entries(session)
        assert [entry.subject_key for entry in found] == ["b", "a"]
        assert (found[0].at, found[0].actor) == (now, "person:alice@example.org")
        assert live_version(session) == found[0].id
        assert [entry.subject_key for entry in entries(session, before=found[0].id)] == ["a"]
        assert [entry.subject_key for entry in entries(session, subject_key="b")] == ["b"]


def test_sqlite__when_opened__then_durable_and_strict_about_references(tmp_path) -> None:  # type: ignore[no-untyped-def] # pytest's own type
    engine = open_engine(f"sqlite:///{tmp_path / 'new' / 'test.db'}")
    with engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    full = 2
    assert pragmas["journal_mode"] == "wal"
    assert (pragmas["synchronous"], pragmas["foreign_keys"]) == (full, 1)
    assert pragmas["busy_timeout"] >= 5_000


def test_transaction__when_the_database_is_away__then_says_try_again() -> None:
    engine = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(UnavailableError), transaction(engine) as session:
        live_version(session)
