"""What is acknowledged is stored; what cannot be stored harms nobody else."""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from experiments.clock import Clock
from experiments.database import open_engine, reading, transaction
from experiments.errors import NotStoredError, OverloadedError, UnavailableError
from experiments.inbox import queries, service
from experiments.inbox.group_commit import GroupCommit, Handed
from experiments.inbox.schemas import Kind

ITEMS = 200


def write_notes(connection: Connection, items: Sequence[str]) -> list[str]:
    statement = text("INSERT INTO note (body) VALUES (:body)")
    connection.execute(statement, [{"body": item} for item in items])
    return [item.upper() for item in items]


NOTES: Kind[str, str] = Kind(name="notes", write=write_notes, describe=str)


@pytest.fixture
def notes(engine: Engine) -> Callable[[], list[str]]:
    """An own table that refuses an empty text, and what is in it as another connection sees it."""
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS note"))
        connection.execute(text("CREATE TABLE note (body TEXT NOT NULL CHECK (body <> ''))"))

    def stored() -> list[str]:
        with reading(engine) as session:
            return sorted(session.connection().scalars(text("SELECT body FROM note")))

    return stored


@pytest.fixture
def commits(engine: Engine, clock: Clock):  # type: ignore[no-untyped-def] # a generator of one
    made = GroupCommit(engine, clock)
    yield made
    made.stop()


def test_store__from_many_threads__each_gets_its_own_result_after_the_commit(
    commits: GroupCommit, notes: Callable[[], list[str]]
) -> None:
    def store(item: str) -> bool:
        return commits.store(NOTES, item) == item.upper() and item in notes()

    items = [f"n{number}" for number in range(ITEMS)]
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(store, items))
    assert notes() == sorted(items)


def test_submit__while_a_commit_runs__the_rest_shares_the_next(
    engine: Engine, clock: Clock, notes: Callable[[], list[str]]
) -> None:
    entered, released, sizes = Event(), Event(), []

    def write_slowly(connection: Connection, items: Sequence[str]) -> list[str]:
        sizes.append(len(items))
        entered.set()
        released.wait(10)
        return write_notes(connection, items)

    slow: Kind[str, str] = Kind(name="slow", write=write_slowly, describe=str)
    commits = GroupCommit(engine, clock)
    futures: list[Handed[str, str]] = [commits.submit(slow, "first")]
    assert entered.wait(10)
    futures += [commits.submit(slow, f"n{number}") for number in range(ITEMS)]
    released.set()
    assert [future.result(10) for future in futures][-1] == f"N{ITEMS - 1}"
    assert sizes == [1, ITEMS]
    commits.stop()


def test_store__one_item_that_the_database_refuses__is_buried_and_the_others_are_stored(
    engine: Engine, commits: GroupCommit, notes: Callable[[], list[str]]
) -> None:
    futures = [commits.submit(NOTES, item) for item in ("a", "", "b")]
    with pytest.raises(NotStoredError):
        futures[1].result(10)
    assert [futures[0].result(10), futures[2].result(10)] == ["A", "B"]
    assert notes() == ["a", "b"]
    with reading(engine) as session:
        (letter,) = queries.dead_letters(session)
        assert (letter.kind, letter.body) == ("notes", "")
        assert "check" in letter.error.lower()
        assert queries.dead_letters(session, before=letter.id) == []


def test_store__a_text_that_no_database_holds__is_buried_readably(
    engine: Engine, clock: Clock, notes: Callable[[], list[str]]
) -> None:
    def refuse(connection: Connection, items: Sequence[str]) -> list[str]:
        raise ValueError(items[0])

    broken: Kind[str, str] = Kind(name="broken", write=refuse, describe=str)
    commits = GroupCommit(engine, clock)
    with pytest.raises(NotStoredError):
        commits.store(broken, "\x00 \ud800 é")
    commits.stop()
    with reading(engine) as session:
        assert queries.dead_letters(session)[0].body == "\\u0000 \\ud800 é"


def test_drop_dead_letters__old_ones__are_forgotten(engine: Engine, clock: Clock) -> None:
    with engine.begin() as connection:
        service.bury(connection, kind="notes", error="why", body="x", at=clock.now())
    with transaction(engine) as session:
        assert service.drop_dead_letters(session, before=clock.now()) == 0
        assert service.drop_dead_letters(session, before=clock.now() + timedelta(seconds=1)) == 1
        assert queries.dead_letters(session) == []


def test_store__of_two_kinds__share_a_commit_and_keep_their_results(
    engine: Engine, clock: Clock, notes: Callable[[], list[str]]
) -> None:
    lengths: Kind[str, int] = Kind(
        name="lengths", write=lambda _, items: [len(item) for item in items], describe=str
    )
    commits = GroupCommit(engine, clock, linger_seconds=0.05)
    asked: list[Handed[str, str] | Handed[str, int]] = []
    for number in range(3):
        asked += [commits.submit(NOTES, "x" * number + "y"), commits.submit(lengths, "z" * number)]
    assert [future.result(10) for future in asked] == ["Y", 0, "XY", 1, "XXY", 2]
    commits.stop()


def test_submit__more_than_may_wait__is_refused_at_once(engine: Engine, clock: Clock) -> None:
    entered, released = Event(), Event()

    def wait(_: Connection, items: Sequence[int]) -> Sequence[int]:
        entered.set()
        released.wait(10)
        return items

    held: Kind[int, int] = Kind(name="held", write=wait, describe=str)
    commits = GroupCommit(engine, clock, capacity=10)
    first = commits.submit(held, 1, size=100)  # alone it may be larger than what may wait
    assert entered.wait(10)
    second = commits.submit(held, 2, size=9)
    with pytest.raises(OverloadedError):
        commits.submit(held, 3, size=2)
    released.set()
    assert (first.result(10), second.result(10)) == (1, 2)
    assert commits.store(held, 4, size=2) == 4
    commits.stop()


def test_stop__with_items_on_their_way__stores_them_and_takes_no_more(
    engine: Engine, clock: Clock, notes: Callable[[], list[str]]
) -> None:
    commits = GroupCommit(engine, clock, linger_seconds=0.2, batch_size=7)
    for number in range(ITEMS):
        commits.submit(NOTES, f"n{number}")
    commits.stop()
    assert len(notes()) == ITEMS
    with pytest.raises(UnavailableError):
        commits.submit(NOTES, "late")


def test_store__while_the_database_is_away__fails_and_works_again_later(
    engine: Engine, clock: Clock, notes: Callable[[], list[str]]
) -> None:
    is_away = True

    def write(connection: Connection, items: Sequence[str]) -> list[str]:
        if is_away:
            raise OperationalError("INSERT", None, Exception("gone"))
        return write_notes(connection, items)

    moody: Kind[str, str] = Kind(name="moody", write=write, describe=str)
    commits = GroupCommit(engine, clock)
    with pytest.raises(UnavailableError):
        commits.store(moody, "a")
    is_away = False
    assert commits.store(moody, "a") == "A"
    commits.stop()
    assert notes() == ["a"]
    with reading(engine) as session:
        assert queries.dead_letters(session) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_store__in_a_forked_child__starts_a_writer_of_its_own(
    commits: GroupCommit, notes: Callable[[], list[str]]
) -> None:
    commits.store(NOTES, "parent")
    child = os.fork()
    if child == 0:
        stored = commits.store(NOTES, "child") == "CHILD"
        os._exit(0 if stored else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert commits.store(NOTES, "parent again") == "PARENT AGAIN"
    assert notes() == ["child", "parent", "parent again"]


def test_store__two_processes_worth_of_writers__both_get_through(
    engine: Engine, clock: Clock, notes: Callable[[], list[str]]
) -> None:
    other_engine = open_engine(engine.url.render_as_string(hide_password=False))
    writers = [GroupCommit(engine, clock), GroupCommit(other_engine, clock)]

    def feed(commits: GroupCommit, name: str) -> None:
        for number in range(50):
            commits.store(NOTES, f"{name}{number}")

    threads = [Thread(target=feed, args=pair) for pair in zip(writers, "ab", strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.stop()
    other_engine.dispose()
    assert len(notes()) == 100
