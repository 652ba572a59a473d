"""Bringing the kept state up to what has been moved since: only who is touched is counted again.

New events are added to what is kept of their visitors. Whoever was exposed anew, turned out to be
another or was forgotten is reopened: all that the files have of them is counted from the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.columnar.schemas import FileOut
from experiments.database import from_micros
from experiments.moments import relational
from experiments.moments.answering import judge
from experiments.moments.dialects import DUCKDB
from experiments.moments.questions import HOUR, Questions
from experiments.moments.relational import SUMS, Gathered, Tables
from experiments.moments.shelf import EVENT, EXPOSURE, Relations
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
EARLIER = Tables(exposure="person", event="added_event")
AGAIN = Tables(exposure="again_exposure", event="again_event")


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
    _take_new(relations, asked, since)
    _reopen(relations, asked)
    judge(asked, DuckSource(database=database, whole=_everything(), passes=[]))
    added = _gathered(database, asked, EARLIER, name="added")
    again = _gathered(database, asked, AGAIN, name="again")
    _renew_outcomes(database, asked, added, again)
    _renew_people(database)
    if asked.delays:
        _renew_sendings(database, asked, added, again)


def _take_new(relations: Relations, asked: Questions, since: Marks) -> None:
    """What was moved since, under the number that counts."""
    database, shelf = relations.database, relations.shelf
    exposures = [file for file in shelf.exposures if file.last_id > since.exposure]
    events = [file for file in shelf.events if file.last_id > since.event]
    mine = f"experiment IN ({_listed(asked.experiments)}) AND id > {since.exposure}"
    _temporary(database, "new_exposure", _selected(relations, "visitor, first_at", exposures, mine))
    theirs = EVENT.replace("visitor", "COALESCE(kept, visitor) AS visitor", 1)
    rows = _selected(relations, EVENT, events, f"id > {since.event}")
    _temporary(
        database,
        "new_event",
        f"SELECT {theirs} FROM ({rows}) LEFT JOIN stray USING (visitor) "
        "WHERE stray.visitor IS NULL OR kept IS NOT NULL",
    )


def _reopen(relations: Relations, asked: Questions) -> None:
    """Who is counted from the start, with all that the files have of them."""
    database, shelf = relations.database, relations.shelf
    current, known = "SELECT visitor, kept FROM stray", "SELECT visitor, kept FROM known_stray"
    changed = f"(({current} EXCEPT {known}) UNION ({known} EXCEPT {current}))"
    _temporary(
        database,
        "reopened",
        f"SELECT visitor FROM new_exposure UNION SELECT visitor FROM {changed} "
        f"UNION SELECT kept FROM {changed} WHERE kept IS NOT NULL UNION "
        "(SELECT visitor FROM forgotten EXCEPT SELECT visitor FROM known_forgotten)",
    )
    mine = (
        f"experiment IN ({_listed(asked.experiments)}) "
        "AND visitor IN (SELECT visitor FROM reopened) "
        "AND visitor NOT IN (SELECT visitor FROM stray WHERE is_merged)"
    )
    rows = _selected(relations, EXPOSURE, shelf.exposures, mine)
    last = "QUALIFY ROW_NUMBER() OVER (PARTITION BY experiment, visitor ORDER BY id DESC) = 1"
    _temporary(database, "again_exposure", f"SELECT {PERSON} FROM ({rows}) {last}")
    _temporary(
        database,
        "sought",
        "SELECT visitor AS moved_as, visitor FROM reopened "
        "WHERE visitor NOT IN (SELECT visitor FROM stray) "
        "UNION ALL SELECT stray.visitor, kept FROM stray JOIN reopened ON kept = reopened.visitor",
    )
    theirs = EVENT.replace("visitor", "sought.visitor", 1)
    rows = _selected(relations, EVENT, _since_exposure(relations), "")
    _temporary(
        database,
        "again_event",
        f"SELECT {theirs} FROM ({rows}) filed JOIN sought ON moved_as = filed.visitor",
    )
    _temporary(
        database,
        "added_event",
        f"SELECT {EVENT} FROM new_event WHERE visitor NOT IN (SELECT visitor FROM reopened)",
    )


def _since_exposure(relations: Relations) -> Sequence[FileOut]:
    """Files that can have events after an exposure: none is received before it happens."""
    earliest = "SELECT MIN(first_at) FROM again_exposure"
    ((first,),) = relations.database.execute(earliest).fetchall()
    if first is None:
        return ()
    day = from_micros(first).date()
    return [file for file in relations.shelf.events if file.day >= day]


def _gathered(
    database: duckdb.DuckDBPyConnection, asked: Questions, tables: Tables, *, name: str
) -> Gathered:
    """Who did what is new, and their hits."""
    given = relational.gathered(asked, tables, DUCKDB, as_of=FOR_EVER)
    _temporary(database, f"{name}_hit", f"SELECT * FROM {given.hit}")
    theirs = f"visitor IN (SELECT visitor FROM {name}_hit)"
    _temporary(database, f"{name}_people", f"SELECT * FROM {given.people} WHERE {theirs}")
    return replace(given, people=f"{name}_people", hit=f"{name}_hit")


def _renew_outcomes(
    database: duckdb.DuckDBPyConnection, asked: Questions, added: Gathered, again: Gathered
) -> None:
    _temporary(database, "delta", relational.outcomes(asked, added))
    _temporary(
        database,
        "old_outcome",
        # First by one number, several times as fast; of what is left by track and visitor.
        f"SELECT place, {OUTCOME} FROM (SELECT rowid AS place, {OUTCOME} FROM outcome WHERE "
        "visitor IN (SELECT visitor FROM reopened UNION SELECT visitor FROM delta)) "
        "WHERE visitor IN (SELECT visitor FROM reopened) "
        "OR (track, visitor) IN (SELECT track, visitor FROM delta)",
    )
    kept = f"SELECT {OUTCOME} FROM old_outcome WHERE visitor NOT IN (SELECT visitor FROM reopened)"
    _temporary(
        database,
        "new_outcome",
        "SELECT track, visitor, MIN(variant) AS variant, MIN(phase) AS phase, "
        "MIN(first_at) AS first_at, SUM(hits) AS hits, SUM(below) AS below, "
        "SUM(amount) AS amount, MIN(took) AS took "
        f"FROM ({kept} UNION ALL SELECT {OUTCOME} FROM delta) GROUP BY 1, 2 "
        f"UNION ALL SELECT {OUTCOME} FROM ({relational.outcomes(asked, again)})",
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


def _renew_people(database: duckdb.DuckDBPyConnection) -> None:
    _temporary(
        database,
        "old_person",
        f"SELECT rowid AS place, {PERSON} FROM person "
        "WHERE visitor IN (SELECT visitor FROM reopened)",
    )
    _temporary(database, "new_person", f"SELECT {PERSON} FROM again_exposure")
    keep_totals(
        database,
        "joined",
        "experiment, variant, phase, joined_hour",
        ("visitors",),
        f"SELECT * FROM joined UNION ALL SELECT {JOINED}, 1 AS visitors FROM new_person "
        f"UNION ALL SELECT {JOINED}, -1 FROM old_person",
    )
    _exchange(database, "person", PERSON)


def _renew_sendings(
    database: duckdb.DuckDBPyConnection, asked: Questions, added: Gathered, again: Gathered
) -> None:
    """Those of other visitors are only added to: what is kept of them stays as it is."""
    _temporary(
        database,
        "old_sending",
        f"SELECT rowid AS place, {SENDING} FROM sending "
        "WHERE visitor IN (SELECT visitor FROM reopened)",
    )
    _temporary(
        database,
        "new_sending",
        f"SELECT * FROM ({_sendings(asked, added)}) "
        f"UNION ALL SELECT * FROM ({_sendings(asked, again)})",
    )
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


def _everything() -> Tables:
    """All events that are counted now."""
    both = f"SELECT {EVENT} FROM added_event UNION ALL SELECT {EVENT} FROM again_event"
    return Tables(exposure="person", event=f"({both})")


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
