"""No row is lost or doubled on the way into files, wherever the move ends, and however often."""

from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from experiments.assignment import merging
from experiments.columnar import moving, queries
from experiments.columnar.location import Location
from experiments.columnar.schemas import Kind
from experiments.database import open_engine, reading, transaction
from experiments.errors import ConflictError, UnavailableError
from experiments.tables import create_tables

DAY = timedelta(days=1)


class KilledError(Exception):
    """The process ended here."""


class Doom:
    """Ends whatever runs at its n-th step: a change of the database, a commit, a file."""

    def __init__(self, engine, monkeypatch, number: int) -> None:
        self._steps, self._number, self._engine = count(1), number, engine
        write = Location.write

        def halfway(location: Location, name: str, data) -> None:
            self.step()
            write(location, name, data[: data.size // 2])
            self.step()
            write(location, name, data)
            self.step()

        monkeypatch.setattr(Location, "write", halfway)

    def step(self, *_: object) -> None:
        if next(self._steps) == self._number:
            raise KilledError

    def _statement(self, _connection, _cursor, statement: str, *_: object) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            self.step()

    def __enter__(self) -> None:
        event.listen(self._engine, "before_cursor_execute", self._statement)
        event.listen(self._engine, "commit", self.step)

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._statement)
        event.remove(self._engine, "commit", self.step)


def test_move__rows_of_two_days__are_in_files_of_their_days_in_order(shelf, now):
    shelf.send("bert", "anna", "bert")
    shelf.send("anna", at=now + DAY)
    assert shelf.move() == {Kind.EVENT: 4, Kind.EXPOSURE: 0}
    assert shelf.in_files() == shelf.in_sql()
    with reading(shelf.engine) as session:
        first, second = queries.files(session, Kind.EVENT)
        mark = queries.mark(session, Kind.EVENT)
    assert (first.day, second.day) == (now.date(), (now + DAY).date())
    assert (first.rows, second.rows, mark.last_id) == (3, 1, second.last_id)
    visitors = shelf.read(first.name).column("visitor").to_pylist()
    assert visitors == sorted(visitors)


def test_move__when_nothing_is_new__writes_nothing(shelf):
    shelf.send("anna")
    shelf.move()
    before = shelf.on_disk()
    assert shelf.move() == {Kind.EVENT: 0, Kind.EXPOSURE: 0}
    assert shelf.on_disk() == before


def test_move__an_exposure_that_changed__comes_again_with_a_higher_id(shelf, start_trial, session):
    trial = start_trial()
    session.commit()
    seen = {"experiment_id": trial.key, "variation_id": "control"}
    call = {"type": "track", "event": "Experiment Viewed", "properties": seen, "userId": "anna"}
    for hours in (2, 1, 3):
        at = (shelf.now + timedelta(hours=hours)).isoformat()
        shelf.ingest({**call, "messageId": str(hours), "timestamp": at}, at=shelf.now + DAY)
        shelf.move()
    moved = shelf.in_files(Kind.EXPOSURE)
    assert [row[5] - moved[1][5] for row in moved] == [3_600_000_000, 0]
    assert shelf.in_sql(Kind.EXPOSURE) == moved[1:]


def test_move__two_visitors_became_one__their_exposure_comes_again(shelf, start_trial, session):
    trial = start_trial()
    for arm in ("control", "bold"):
        trial.expose(arm)
    session.commit()
    shelf.move()
    with transaction(shelf.engine) as changing:
        merging.merge(changing, 1, 2)
    shelf.move()
    (standing,) = shelf.in_sql(Kind.EXPOSURE)
    assert shelf.in_files(Kind.EXPOSURE)[-1] == standing
    assert len(shelf.in_files(Kind.EXPOSURE)) == 3


@pytest.mark.parametrize(
    "engine",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)],
    indirect=True,
)
def test_move__killed_at_each_step__loses_and_doubles_nothing(shelf, monkeypatch):
    monkeypatch.setattr(moving, "CHUNK", 2)
    for number in count(1):
        shelf.send("anna", "bert")
        shelf.send("anna", at=shelf.now + DAY)
        try:
            with monkeypatch.context() as patch, Doom(shelf.engine, patch, number):
                shelf.move()
            break
        except KilledError:
            there = shelf.in_files()
            assert there == shelf.in_sql()[: len(there)], number
            shelf.move()
            assert shelf.in_files() == shelf.in_sql(), number
    assert number > 10
    assert shelf.in_files() == shelf.in_sql()


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.one_of(
            st.lists(st.sampled_from(["anna", "bert", "clara"]), min_size=1, max_size=5),
            st.integers(1, 20),
            st.none(),
        ),
        max_size=5,
    ),
    chunk=st.integers(1, 6),
)
def test_move__whatever_is_sent_and_killed_in_between__ends_with_what_sql_has(
    steps, chunk, tmp_path_factory, shelf_on
):
    folder = tmp_path_factory.mktemp("any")
    engine = open_engine(f"sqlite:///{folder / 'test.db'}")
    create_tables(engine)
    shelf = shelf_on(engine, folder / "columnar")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moving, "CHUNK", chunk)
        for step in steps:
            if isinstance(step, list):
                shelf.send(*step)
            elif step is None:
                shelf.move()
            else:
                with patch.context() as doomed, suppress(KilledError), Doom(engine, doomed, step):
                    shelf.move()
            there = shelf.in_files()
            assert there == shelf.in_sql()[: len(there)]
        shelf.move()
    assert shelf.in_files() == shelf.in_sql()
    engine.dispose()


def test_move__two_at_once__one_is_refused_and_no_row_is_doubled(shelf, monkeypatch):
    shelf.send("anna", "bert")
    write = Location.write

    def interrupted(*told) -> None:
        monkeypatch.setattr(Location, "write", write)
        shelf.move()
        write(*told)

    monkeypatch.setattr(Location, "write", interrupted)
    with pytest.raises(ConflictError, match="run it again"):
        shelf.move()
    assert shelf.in_files() == shelf.in_sql()


def test_move__a_commit_comes_late__its_earlier_ids_are_waited_for(
    postgres_tables, tmp_path, shelf_on, monkeypatch
):
    """On PostgreSQL ids are given before the commit."""
    monkeypatch.setattr(moving, "PATIENCE", "50ms")
    engine = open_engine(postgres_tables)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE event, visitor, columnar_mark, columnar_file CASCADE"))
    shelf = shelf_on(engine, tmp_path)
    shelf.send("anna", "bert")
    with engine.connect() as slow, slow.begin():
        copied = "SELECT source_key, 'late', type, name, visitor_id, source, occurred_at, "
        copied += "received_at, properties, privacy FROM event LIMIT 1"
        columns = "source_key, message_id, type, name, visitor_id, source, occurred_at, "
        columns += "received_at, properties, privacy"
        slow.execute(text(f"INSERT INTO event ({columns}) {copied}"))
        shelf.send("anna")
        with pytest.raises(UnavailableError):
            shelf.move()
        assert shelf.in_files() == []
    shelf.move()
    assert len(shelf.in_files()) == 4
    assert shelf.in_files() == shelf.in_sql()
    engine.dispose()
