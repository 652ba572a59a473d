"""Files are put together, let go of and removed, and no row that counts goes with them."""

from contextlib import suppress
from datetime import date, timedelta
from itertools import count, pairwise

import pytest
from sqlmodel import update

from experiments.columnar import compacting, forgetting, parting, queries, retiring
from experiments.columnar.compacting import groups
from experiments.columnar.location import Location
from experiments.columnar.parting import mixed
from experiments.columnar.schemas import FileOut, Kind
from experiments.database import reading, transaction
from experiments.design.models import Experiment
from experiments.design.schemas import Status
from experiments.erasure import service as erasure
from experiments.errors import ConflictError, DamagedError
from tests.killing import KilledError, killed_at

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LATER = 2 * DAY


def file_of(number: int, rows: int, day: int = 1) -> FileOut:
    told = {"kind": Kind.EVENT, "name": str(number), "size": 1, "sha256": "", "last_id": number}
    return FileOut(id=number, rows=rows, day=date(2026, 3, day), first_id=number, **told)


def live(shelf, kind: Kind = Kind.EVENT) -> list[FileOut]:
    with reading(shelf.engine) as session:
        return list(queries.files(session, kind))


@pytest.fixture
def before_write(monkeypatch):
    """Lets something happen once, when the next file is about to be written."""
    write = Location.write

    def arrange(happen) -> None:
        def interrupted(*told) -> None:
            monkeypatch.setattr(Location, "write", write)
            happen()
            write(*told)

        monkeypatch.setattr(Location, "write", interrupted)

    return arrange


@pytest.fixture
def filled(shelf):
    """Three files of one day and one of the next."""
    for hours in (0, 1, 2, 24):
        shelf.send("anna", "bert", at=shelf.now + hours * HOUR)
        shelf.move()
    return shelf


@pytest.mark.parametrize(
    ("rows", "today", "expected"),
    [
        ([10, 20, 30], 2, [[1, 2, 3]]),
        ([10, 20, 30], 1, []),
        ([1] * 12, 1, [list(range(1, 13))]),
        ([10, 600_000, 30], 2, [[1, 3]]),
        ([400_000, 400_000, 400_000, 10], 2, [[1, 2], [3, 4]]),
        ([10], 2, []),
    ],
)
def test_groups__files_of_a_day__small_ones_become_one_of_bounded_size(rows, today, expected):
    files = [file_of(number, size) for number, size in enumerate(rows, start=1)]
    found = groups(files, today=date(2026, 3, today))
    assert [[file.id for file in group] for group in found] == expected


def test_groups__files_of_several_days__stay_apart():
    files = [file_of(number, 10, day) for number, day in enumerate([1, 2, 1, 2, 3], start=1)]
    found = groups(files, today=date(2026, 3, 9))
    assert [[file.id for file in group] for group in found] == [[1, 3], [2, 4]]


def test_compact__days_that_are_over__have_one_file_with_the_same_rows(filled):
    before = filled.in_files()
    assert compacting.compact(filled.engine, filled.location, now=filled.now + LATER) == 2
    assert filled.in_files() == before
    assert [file.rows for file in live(filled)] == [6, 2]
    visitors_of_first = filled.read(live(filled)[0].name).column("visitor").to_pylist()
    assert visitors_of_first == [1, 1, 1, 2, 2, 2]
    assert compacting.compact(filled.engine, filled.location, now=filled.now + LATER) == 0


@pytest.mark.parametrize(
    ("spans", "today", "expected"),
    [
        ([(1, 9), (1, 9), (1, 9)], 2, True),
        ([(1, 9), (1, 9), (1, 9)], 1, False),
        ([(1, 9), (1, 9)], 2, False),
        ([(1, 3), (4, 6), (7, 9)], 2, False),
        ([(1, 6), (5, 8), (7, 9)], 2, True),
        ([(1, 9), None, (1, 9)], 2, True),
        ([(1, 3), None, (4, 9)], 2, True),
    ],
)
def test_mixed__files_of_a_day__those_whose_visitors_are_in_several_others(spans, today, expected):
    files = [
        file_of(number, 600_000).model_copy(
            update={} if span is None else {"first_visitor": span[0], "last_visitor": span[1]}
        )
        for number, span in enumerate(spans, start=1)
    ]
    assert list(mixed(files, today=date(2026, 3, today))) == ([files] if expected else [])


def test_mixed__a_small_file_that_came_late__is_not_worth_it():
    spans = [(1, 3), (4, 6), (7, 9), (1, 9)]
    files = [
        file_of(number, rows).model_copy(update={"first_visitor": first, "last_visitor": last})
        for number, ((first, last), rows) in enumerate(
            zip(spans, [900_000] * 3 + [10], strict=True), start=1
        )
    ]
    assert list(mixed(files, today=date(2026, 3, 2))) == []


@pytest.fixture
def crowded(shelf, monkeypatch):
    """A day of three files of the same eight visitors, where eight rows are a large file."""
    monkeypatch.setattr(compacting, "LARGEST", 8)
    monkeypatch.setattr(parting, "SAMPLED", 1)
    for hours in (0, 1, 2):
        shelf.send(*"abcdefgh", at=shelf.now + hours * HOUR)
        shelf.move()
    return shelf


def test_part__files_of_the_same_visitors__become_files_of_their_own(crowded):
    before = crowded.in_files()
    assert [(file.first_visitor, file.last_visitor) for file in live(crowded)] == [(1, 8)] * 3
    assert parting.part(crowded.engine, crowded.location, now=crowded.now) == 0
    assert parting.part(crowded.engine, crowded.location, now=crowded.now + LATER) == 3
    assert crowded.in_files() == before
    spans = sorted((file.first_visitor, file.last_visitor) for file in live(crowded))
    assert len(spans) == 3
    assert all(last < first for (_, last), (first, _) in pairwise(spans))
    assert [file.may_hold(1, 2) for file in live(crowded)].count(True) == 1
    for file in live(crowded):
        visitors = crowded.read(file.name).column("visitor").to_pylist()
        assert (min(visitors), max(visitors)) == (file.first_visitor, file.last_visitor)
        assert visitors == sorted(visitors)
    assert parting.part(crowded.engine, crowded.location, now=crowded.now + LATER) == 0


def test_part__rows_are_moved_meanwhile__keeps_both(crowded, before_write):
    @before_write
    def move() -> None:
        crowded.send("anna")
        crowded.move()

    assert parting.part(crowded.engine, crowded.location, now=crowded.now + LATER) == 3
    assert crowded.in_files() == crowded.in_sql()


def test_part__a_visitor_is_forgotten_meanwhile__is_refused(crowded, actor, before_write):
    @before_write
    def forget() -> None:
        with transaction(crowded.engine) as session:
            erasure.erase(session, "a", actor=actor, now=crowded.now)
        forgetting.fulfil(crowded.engine, crowded.location, now=crowded.now)

    with pytest.raises(ConflictError):
        parting.part(crowded.engine, crowded.location, now=crowded.now + LATER)
    assert crowded.in_files() == crowded.in_sql()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_part__a_file_is_damaged__names_it_and_changes_nothing(crowded):
    broken = live(crowded)[1].name
    crowded.location.write(broken, crowded.location.read(broken)[:-9])
    before = live(crowded)
    with pytest.raises(DamagedError, match=broken):
        parting.part(crowded.engine, crowded.location, now=crowded.now + LATER)
    assert live(crowded) == before


def test_compact__while_a_move_goes_on__is_refused_and_loses_nothing(filled, before_write):
    @before_write
    def move() -> None:
        filled.send("anna")
        filled.move()

    with pytest.raises(ConflictError):
        compacting.compact(filled.engine, filled.location, now=filled.now + LATER)
    assert filled.in_files() == filled.in_sql()


def test_sweep__files_that_do_not_count__go_after_an_hour(filled, monkeypatch):
    compacting.compact(filled.engine, filled.location, now=filled.now + LATER)
    filled.send("anna")
    with monkeypatch.context() as patch, suppress(OSError):
        patch.setattr(Location, "write", lambda *_: (_ for _ in ()).throw(OSError))
        filled.move(at=filled.now + LATER)
    counting = {file.name for file in live(filled)}
    early = filled.now + LATER + HOUR / 2
    assert retiring.sweep(filled.engine, filled.location, now=early) == 0
    assert len(filled.on_disk()) == 5
    assert retiring.sweep(filled.engine, filled.location, now=early + HOUR) == 4
    assert filled.on_disk() == counting
    assert retiring.sweep(filled.engine, filled.location, now=early + HOUR) == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_sweep__a_mover_took_too_long__its_file_does_not_count_in_the_end(shelf, monkeypatch):
    shelf.send("anna")
    write = Location.write

    def slow(*told) -> None:
        write(*told)
        retiring.sweep(shelf.engine, shelf.location, now=shelf.now + 2 * HOUR)

    with monkeypatch.context() as patch:
        patch.setattr(Location, "write", slow)
        with pytest.raises(ConflictError):
            shelf.move()
    assert shelf.in_files() == []
    assert shelf.on_disk() == set()
    shelf.move()
    assert shelf.in_files() == shelf.in_sql()


def test_retire__old_files__go_unless_an_experiment_may_still_ask(shelf, start_trial, session):
    start_trial()
    session.commit()
    for days in (0, 1):
        shelf.send("anna", at=shelf.now + days * DAY)
        shelf.move()
    now = shelf.now + 100 * DAY
    assert retiring.retire(shelf.engine, keep_days=99, now=now) == 0
    with transaction(shelf.engine) as changing:
        changing.exec(update(Experiment).values(status=Status.ARCHIVED))
    assert retiring.retire(shelf.engine, keep_days=None, now=now) == 0
    assert retiring.retire(shelf.engine, keep_days=99, now=now) == 1
    assert [file.day for file in live(shelf)] == [(shelf.now + DAY).date()]
    assert retiring.retire(shelf.engine, keep_days=99, now=now) == 0


def test_fulfil__a_forgotten_visitor_under_two_numbers__is_in_no_file(filled, actor):
    """Events that were moved before two ids turned out to be one have both numbers."""
    filled.ingest({"type": "alias", "userId": "anna", "previousId": "bert", "messageId": "tie"})
    with transaction(filled.engine) as session:
        erased = erasure.erase(session, "anna", actor=actor, now=filled.now)
    assert (erased.events, erased.awaiting_tidy) == (9, 8)
    assert {row[1] for row in filled.in_files()} == {1, 2}
    filled.send("clara", at=filled.now + DAY)
    filled.move()
    assert forgetting.fulfil(filled.engine, filled.location, now=filled.now) == 4
    assert filled.in_files() == filled.in_sql()
    assert forgetting.fulfil(filled.engine, filled.location, now=filled.now) == 0


def test_fulfil__a_mover_read_the_rows_before__it_is_refused(shelf, actor, before_write):
    shelf.send("anna", "bert")

    @before_write
    def forget() -> None:
        with transaction(shelf.engine) as session:
            assert erasure.erase(session, "anna", actor=actor, now=shelf.now).awaiting_tidy == 0
        forgetting.fulfil(shelf.engine, shelf.location, now=shelf.now)

    with pytest.raises(ConflictError):
        shelf.move()
    shelf.move()
    assert len(shelf.in_files()) == 1
    assert shelf.in_files() == shelf.in_sql()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_fulfil__one_file_is_damaged__the_others_are_done_and_it_stays_asked(filled, actor):
    with transaction(filled.engine) as session:
        erasure.erase(session, "anna", actor=actor, now=filled.now)
    broken = live(filled)[0].name
    filled.location.write(broken, filled.location.read(broken)[:-9])
    for _ in range(2):
        with pytest.raises(DamagedError, match=broken):
            forgetting.fulfil(filled.engine, filled.location, now=filled.now)
    assert [file.rows for file in live(filled)] == [2, 1, 1, 1]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_tidy__killed_at_each_write__loses_nothing_and_ends_well_later(filled, actor):
    expected = [row for row in filled.in_sql() if row[1] != 1]
    with transaction(filled.engine) as session:
        erasure.erase(session, "anna", actor=actor, now=filled.now)
    for number in count(1):
        try:
            with killed_at(filled.engine, number):
                forgetting.fulfil(filled.engine, filled.location, now=filled.now + LATER)
                compacting.compact(filled.engine, filled.location, now=filled.now + LATER)
                retiring.sweep(filled.engine, filled.location, now=filled.now + 2 * LATER)
            break
        except KilledError:
            assert [row for row in filled.in_files() if row[1] != 1] == expected
    assert number > 6
    assert filled.in_files() == expected
    assert filled.on_disk() == {file.name for file in live(filled)}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_part__killed_at_each_write__loses_nothing_and_ends_well_later(crowded):
    for number in count(1):
        try:
            with killed_at(crowded.engine, number):
                parting.part(crowded.engine, crowded.location, now=crowded.now + LATER)
            break
        except KilledError:
            assert crowded.in_files() == crowded.in_sql()
            assert len(live(crowded)) == 3
    assert number > 6
    assert crowded.in_files() == crowded.in_sql()
    retiring.sweep(crowded.engine, crowded.location, now=crowded.now + 2 * LATER)
    assert crowded.on_disk() == {file.name for file in live(crowded)}
