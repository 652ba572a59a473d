"""What is wrong with a file or a row is named, and the files can be written anew from SQL."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from experiments.assignment import merging
from experiments.audit.models import AuditEntry
from experiments.columnar import (
    checking,
    compacting,
    forgetting,
    health,
    moving,
    queries,
    repairing,
)
from experiments.columnar.schemas import FileOut, HealthOut, Kind
from experiments.database import reading, transaction
from experiments.erasure import service as erasure

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def examined(shelf, *, after: timedelta = timedelta()) -> HealthOut:
    return health.examine(shelf.engine, shelf.location, now=shelf.now + after)


def told(found: HealthOut) -> list[str]:
    return [trouble.words for trouble in found.troubles]


def live(shelf) -> list[FileOut]:
    with reading(shelf.engine) as session:
        return list(queries.files(session, Kind.EVENT))


def path_of(shelf, number: int) -> Path:
    return Path(shelf.location.path(live(shelf)[number].name))


@pytest.fixture
def filled(shelf):
    """Two files of one day and one of the next."""
    for hours in (0, 1, 24):
        shelf.send("anna", "bert", at=shelf.now + hours * HOUR)
        shelf.move()
    return shelf


def remove(shelf) -> None:
    path_of(shelf, 0).unlink()


def cut_off(shelf) -> None:
    path = path_of(shelf, 0)
    path.write_bytes(path.read_bytes()[:-20])


def flip_a_bit(shelf) -> None:
    path = path_of(shelf, 0)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def forget_a_file(shelf) -> None:
    """As if a move had advanced the mark and lost its file."""
    with transaction(shelf.engine) as session:
        deleted = text("DELETE FROM columnar_file WHERE first_id = 1 RETURNING name")
        for name in session.connection().execute(deleted).scalars():
            shelf.location.remove(name)


def count_a_file_twice(shelf) -> None:
    columns = "kind, state, since, day, rows, size, first_id, last_id, sha256"
    copied = f"INSERT INTO columnar_file (name, {columns}) SELECT 'copy', {columns} "
    path_of(shelf, 0).parent.parent.parent.joinpath("copy").write_bytes(
        path_of(shelf, 0).read_bytes()
    )
    with transaction(shelf.engine) as session:
        session.connection().execute(text(f"{copied} FROM columnar_file WHERE first_id = 1"))


def delete_rows(shelf) -> None:
    with transaction(shelf.engine) as session:
        session.connection().execute(text("DELETE FROM event WHERE id <= 2"))


def test_examine__all_is_well__counts_in_are_counts_out(filled):
    found = examined(filled)
    assert found.is_well
    counts = [(day.day, day.files, day.in_sql, day.in_files, day.missing) for day in found.days]
    first = filled.now.date()
    assert counts == [(first, 2, 4, 4, 0), (first + DAY, 1, 2, 2, 0)]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (remove, "cannot be read"),
        (cut_off, "is not what was written"),
        (flip_a_bit, "is not what was written"),
        (forget_a_file, "2 events of 2026-03-02 are in SQL and in no file"),
        (count_a_file_twice, "2 events of 2026-03-02 are in the files twice"),
        (delete_rows, "2 events of 2026-03-02 are in the files and not in SQL"),
    ],
)
def test_repair__a_harm__is_named_once_and_made_good(filled, actor, harm, words):
    harm(filled)
    found = examined(filled)
    (trouble,) = found.troubles
    assert words in trouble.words
    assert trouble.day is not None
    repairing.repair(filled.engine, filled.location, [trouble.day], actor=actor, now=filled.now)
    assert examined(filled).is_well
    assert filled.in_files() == filled.in_sql()
    with reading(filled.engine) as session:
        entry = session.exec(select(AuditEntry)).one()
    assert (entry.action, entry.subject_key) == ("columnar.repaired", "2026-03-02")


def test_examine__files_that_the_manifest_does_not_know__are_named(filled):
    folder = Path(filled.location.folder)
    for name in ("event/day=2026-03-02/left.parquet", "exposure/left.parquet", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    assert told(examined(filled)) == [
        f"the file {name} lies in the folder, and the manifest does not know it"
        for name in ("event/day=2026-03-02/left.parquet", "exposure/left.parquet")
    ]


def test_repair__a_day_of_many_rows__is_written_chunk_by_chunk(filled, actor, monkeypatch):
    remove(filled)
    (day,) = [trouble.day for trouble in examined(filled).troubles]
    monkeypatch.setattr(moving, "CHUNK", 2)
    repairing.repair(filled.engine, filled.location, [day], actor=actor, now=filled.now)
    assert [file.rows for file in live(filled)] == [2, 2, 2]
    assert filled.in_files() == filled.in_sql()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_examine__ids_in_many_windows__are_all_compared(filled, monkeypatch):
    monkeypatch.setattr(checking, "WINDOW", 1)
    compacting.compact(filled.engine, filled.location, now=filled.now + 2 * DAY)
    assert examined(filled).is_well
    forget_a_file(filled)
    assert told(examined(filled)) == ["4 events of 2026-03-02 are in SQL and in no file"]


def test_examine__exposures_that_changed__are_well(shelf, start_trial, session):
    trial = start_trial()
    trial.expose("control")
    trial.expose("bold")
    session.commit()
    shelf.move()
    with transaction(shelf.engine) as changing:
        merging.merge(changing, 1, 2)
    shelf.move()
    found = examined(shelf)
    assert found.is_well
    (day,) = [day for day in found.days if day.kind is Kind.EXPOSURE]
    assert (day.in_sql, day.in_files, day.surplus) == (1, 3, 2)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_examine__rows_wait__is_wrong_after_a_quarter_of_an_hour(filled):
    filled.send("anna", at=filled.now + 25 * HOUR)
    found = examined(filled, after=25 * HOUR)
    assert (found.is_well, found.waiting[Kind.EVENT]) == (True, 1)
    assert told(examined(filled, after=26 * HOUR)) == [
        "1 events wait to be moved, the first since 2026-03-03 10:00 UTC"
    ]


def test_examine__a_visitor_asked_to_go__is_wrong_when_it_takes_hours(filled, actor):
    with transaction(filled.engine) as session:
        erasure.erase(session, "anna", actor=actor, now=filled.now)
    assert examined(filled).is_well
    assert "who asked at 2026-03-02 09:00 UTC to go" in told(examined(filled, after=4 * HOUR))[0]
    forgetting.fulfil(filled.engine, filled.location, now=filled.now)
    assert examined(filled, after=4 * HOUR).is_well
