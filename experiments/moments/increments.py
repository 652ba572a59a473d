"""Bringing the kept state up to what has been moved since: only who is touched is counted again.

New events are added to what is kept of their visitors. Whoever was exposed anew, turned out to be
another or was forgotten is reopened: all that the files have of them is counted from the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from experiments.columnar.schemas import FileOut
from experiments.database import from_micros
from experiments.moments import relational
from experiments.moments.answering import judge
from experiments.moments.dialects import DUCKDB
from experiments.moments.questions import HOUR, Questions
from experiments.moments.relational import SUMS, Gathered, Tables
from experiments.moments.shelf import EVENT, EXPOSURE, Relations, event_of
from experiments.moments.sources import DuckSource
from experiments.moments.state import (
    CELL,
    FOR_EVER,
    OUTCOME,
    PERSON,
    SENDING,
    Marks,
    keep_cells,
    keep_totals,
)

if TYPE_CHECKING:
    import duckdb

JOINED = f"experiment, variant, phase, CAST(first_at // {HOUR} AS BIGINT) AS joined_hour"
TOUCHED = Tables(
    exposure="(SELECT * FROM person WHERE visitor IN (SELECT visitor FROM touched_hit))",
    event="touched_event",
)


def build(relations: Relations, asked: Questions) -> None:
    """Make the state from all files."""
    database, source = relations.database, DuckSource.over(relations)
    judge(asked, source)
    for place, tables in enumerate(source.passes):
        mine = f"experiment IN ({_listed(asked.experiments)})"
        _put(database, "person", f"SELECT {PERSON} FROM {tables.exposure} WHERE {mine}", place)
        given = source.keep(relational.gathered(asked, tables, DUCKDB, as_of=FOR_EVER))
        _put(database, "outcome", relational.outcomes(asked, given), place)
        _put(database, "sending", _sendings(asked, given), place)
    keep_cells(database, relational.sums_by_hour(asked, "outcome"))
    counted = f"SELECT {JOINED}, COUNT(*) AS visitors FROM person GROUP BY ALL"
    keep_totals(
        database, "joined", "experiment, variant, phase, joined_hour", ("visitors",), counted
    )
    keep_totals(database, "sent", "population, source", ("events", "late"), "SELECT * FROM sending")


def extend(relations: Relations, asked: Questions, since: Marks) -> None:
    """Bring the state up to the files."""
    database = relations.database
    _reopen(relations, asked, since)
    _renew_people(database)
    _take_events(relations, asked, since)
    judge(asked, DuckSource(database=database, whole=TOUCHED, passes=[]))
    given = _gathered(database, asked)
    _renew_outcomes(database, asked, given)
    if asked.delays:
        _renew_sendings(database, asked, given)


def _reopen(relations: Relations, asked: Questions, since: Marks) -> None:
    """Who is counted from the start."""
    database = relations.database
    files = [file for file in relations.shelf.exposures if file.last_id > since.exposure]
    mine = f"experiment IN ({_listed(asked.experiments)}) AND id > {since.exposure}"
    _temporary(database, "new_exposure", _selected(relations, EXPOSURE, files, mine))
    current, known = "SELECT visitor, kept FROM stray", "SELECT visitor, kept FROM known_stray"
    changed = f"(({current} EXCEPT {known}) UNION ({known} EXCEPT {current}))"
    _temporary(
        database,
        "reopened",
        f"SELECT visitor FROM new_exposure UNION SELECT visitor FROM {changed} "
        f"UNION SELECT kept FROM {changed} WHERE kept IS NOT NULL UNION "
        "(SELECT visitor FROM forgotten EXCEPT SELECT visitor FROM known_forgotten)",
    )


def _renew_people(database: duckdb.DuckDBPyConnection) -> None:
    """Of several exposures of a person the last one stands; one that changes is moved again."""
    _temporary(
        database,
        "old_person",
        f"SELECT rowid AS place, {PERSON} FROM person SEMI JOIN reopened USING (visitor)",
    )
    last = ", ".join(f"ARG_MAX({name}, id) AS {name}" for name in ("variant", "phase", "first_at"))
    _temporary(
        database,
        "new_person",
        f"SELECT experiment, visitor, {last} FROM (SELECT 0 AS id, {PERSON} FROM old_person "
        f"UNION ALL SELECT id, {PERSON} FROM new_exposure) "
        "WHERE visitor NOT IN (SELECT visitor FROM stray WHERE is_merged) GROUP BY 1, 2",
    )
    keep_totals(
        database,
        "joined",
        "experiment, variant, phase, joined_hour",
        ("visitors",),
        f"SELECT * FROM joined UNION ALL SELECT {JOINED}, 1 AS visitors FROM new_person "
        f"UNION ALL SELECT {JOINED}, -1 FROM old_person",
    )
    _exchange(database, "person", PERSON)


def _take_events(relations: Relations, asked: Questions, since: Marks) -> None:
    """What was moved since, and all of whoever is reopened, under the number that counts."""
    ((first,),) = relations.database.execute("SELECT MIN(first_at) FROM new_person").fetchall()
    # None is received before it happens: earlier days have nothing after an exposure.
    day = date.max if first is None else from_micros(first).date()
    files = [
        file for file in relations.shelf.events if file.last_id > since.event or file.day >= day
    ]
    rows = _selected(relations, f"id, {EVENT}", files, "")
    if relations.has_strays:
        rows = (
            f"SELECT id, {event_of('COALESCE(kept, visitor)')} FROM ({rows}) "
            "LEFT JOIN stray USING (visitor) WHERE stray.visitor IS NULL OR kept IS NOT NULL"
        )
    # Conditions ask again and again for texts; whoever asks once needs no copy of everything.
    form = "TABLE" if any(rule.event.where for rule in asked.rules) else "VIEW"
    relations.database.execute(
        f"CREATE TEMP {form} touched_event AS SELECT {EVENT} FROM ({rows}) "
        f"WHERE id > {since.event} OR visitor IN (SELECT visitor FROM reopened)"
    )


def _gathered(database: duckdb.DuckDBPyConnection, asked: Questions) -> Gathered:
    """Who did what is counted now, and their hits."""
    given = relational.gathered(asked, TOUCHED, DUCKDB, as_of=FOR_EVER)
    _temporary(database, "touched_hit", f"SELECT * FROM {given.hit}")
    _temporary(database, "touched_people", f"SELECT * FROM {given.people}")
    return replace(given, people="touched_people", hit="touched_hit")


def _renew_outcomes(database: duckdb.DuckDBPyConnection, asked: Questions, given: Gathered) -> None:
    """What is new of a visitor is added to what is kept of them, unless they are reopened."""
    _temporary(database, "delta", relational.outcomes(asked, given))
    _temporary(
        database,
        "new_outcome",
        "SELECT track, visitor, delta.variant, delta.phase, delta.first_at, "
        "delta.hits + COALESCE(known.hits, 0) AS hits, "
        "delta.below + COALESCE(known.below, 0) AS below, "
        # It stays unknown where no hit had any.
        "COALESCE(delta.amount + known.amount, delta.amount, known.amount) AS amount, "
        "LEAST(delta.took, known.took) AS took, known.place, known.hits AS hits_before, "
        "known.below AS below_before, known.amount AS amount_before, known.took AS took_before "
        # First by one number, which takes a filter along into the scan; then by both.
        f"FROM delta LEFT JOIN (SELECT rowid AS place, {OUTCOME} FROM outcome "
        "SEMI JOIN delta USING (visitor) ANTI JOIN reopened USING (visitor)) known "
        f"USING (track, visitor) WHERE known.place IS NULL OR {_is_changed(asked)}",
    )
    _temporary(
        database,
        "old_outcome",
        "SELECT place, track, visitor, variant, phase, first_at, hits_before AS hits, "
        "below_before AS below, amount_before AS amount, took_before AS took "
        "FROM new_outcome WHERE place IS NOT NULL UNION ALL "
        f"SELECT rowid, {OUTCOME} FROM outcome SEMI JOIN reopened USING (visitor)",
    )
    less = ", ".join(f"-{name}" for name in SUMS)
    old = relational.sums_by_hour(asked, "old_outcome")
    new = relational.sums_by_hour(asked, "new_outcome")
    keep_cells(
        database,
        f"SELECT {CELL} FROM cell UNION ALL SELECT {CELL} FROM ({new}) UNION ALL "
        f"SELECT slot, variant, phase, joined_hour, {less} FROM ({old})",
    )
    _exchange(database, "outcome", OUTCOME)


def _is_changed(asked: Questions) -> str:
    """Whether it matters that somebody did again what they had done before."""
    counted = {asked.tracks[slot.number].number for slot in asked.slots if not slot.is_met_once}
    sooner = "delta.took < known.took"
    return f"{sooner} OR delta.track IN ({_listed(counted)})" if counted else sooner


def _renew_sendings(database: duckdb.DuckDBPyConnection, asked: Questions, given: Gathered) -> None:
    """Those of other visitors are only added to: what is kept of them stays as it is."""
    _temporary(
        database,
        "old_sending",
        f"SELECT rowid AS place, {SENDING} FROM sending SEMI JOIN reopened USING (visitor)",
    )
    _temporary(database, "new_sending", _sendings(asked, given))
    keep_totals(
        database,
        "sent",
        "population, source",
        ("events", "late"),
        "SELECT population, source, events, late FROM sent UNION ALL "
        "SELECT population, source, events, late FROM new_sending UNION ALL "
        "SELECT population, source, -events, -late FROM old_sending",
    )
    _exchange(database, "sending", SENDING)


def _sendings(asked: Questions, given: Gathered) -> str:
    if not asked.delays:
        return "SELECT 0 AS population, 0 AS visitor, '' AS source, 0 AS events, 0 AS late LIMIT 0"
    return relational.sent(asked, given, by_visitor=True)


def _selected(relations: Relations, columns: str, files: Sequence[FileOut], condition: str) -> str:
    """Rows of files that satisfy a condition; none of no files."""
    if not files:
        empty = "loose_exposure" if "first_at" in columns else "loose_event"
        return f"SELECT {columns} FROM {empty} LIMIT 0"
    where = f" WHERE {condition}" if condition else ""
    return f"SELECT {columns} FROM {relations.scan(files)}{where}"


def _exchange(database: duckdb.DuckDBPyConnection, table: str, columns: str) -> None:
    """Put the new rows of a table in the place of the old ones."""
    database.execute(f"DELETE FROM {table} WHERE rowid IN (SELECT place FROM old_{table})")
    database.execute(f"INSERT INTO {table} SELECT {columns} FROM new_{table}")


def _put(database: duckdb.DuckDBPyConnection, table: str, rows: str, place: int) -> None:
    begun = f"INSERT INTO {table}" if place else f"CREATE OR REPLACE TABLE {table} AS"
    database.execute(f"{begun} {rows}")


def _temporary(database: duckdb.DuckDBPyConnection, name: str, rows: str) -> None:
    database.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {rows}")


def _listed(numbers: set[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
