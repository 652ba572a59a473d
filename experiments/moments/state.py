"""What an earlier look left behind: outcomes per visitor, and their sums per hour of exposure.

The state is derived. It is one DuckDB file, changed in one transaction, and made anew when it is
missing or damaged, or when something else is asked than before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.deferred import Deferred
from experiments.logs import logger
from experiments.moments import relational
from experiments.moments.dialects import DUCKDB
from experiments.moments.duck import Setting
from experiments.moments.questions import Questions
from experiments.moments.relational import SUMS, Tables

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = Deferred("duckdb")

FOR_EVER = 1 << 61
"""Later than any instant: what has been moved was received."""
LAYOUT = 2
CELL = f"slot, variant, phase, joined_hour, {', '.join(SUMS)}"
OUTCOME = "track, visitor, variant, phase, first_at, hits, below, amount, took"
PERSON = "experiment, visitor, variant, phase, first_at"
SENDING = "population, visitor, source, events, late"

log = logger("moments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """To which questions the state has the answer, up to which rows, and their newest instant."""

    definition: str
    exposure: int
    event: int
    newest: int


def definition(asked: Questions) -> str:
    """A digest of everything that decides about outcomes: the generated SQL itself."""
    tables = Tables(exposure="person", event="event")
    given = relational.gathered(asked, tables, DUCKDB, as_of=FOR_EVER)
    parts = (
        LAYOUT,
        relational.outcomes(asked, given),
        relational.sums_by_hour(asked, "outcome"),
        relational.sent(asked, given, by_visitor=True) if asked.delays else "",
        asked.rules,
    )
    return sha256(repr(parts).encode()).hexdigest()


def marks(database: duckdb.DuckDBPyConnection) -> Marks | None:
    """How far the state has come; None when there is none yet."""
    known = "SELECT 1 FROM duckdb_tables() WHERE table_name = 'mark'"
    if not database.execute(known).fetchall():
        return None
    found = database.execute("SELECT definition, exposure, event, newest FROM mark").fetchall()
    return Marks(**dict(zip(("definition", "exposure", "event", "newest"), found[0], strict=True)))


def keep_marks(database: duckdb.DuckDBPyConnection, reached: Marks) -> None:
    """Remember how far the state has come, and who is known to be another, or forgotten."""
    database.execute(
        "CREATE OR REPLACE TABLE mark AS SELECT ? AS definition, ?::BIGINT AS exposure, "
        "?::BIGINT AS event, ?::BIGINT AS newest",
        [reached.definition, reached.exposure, reached.event, reached.newest],
    )
    database.execute("CREATE OR REPLACE TABLE known_stray AS SELECT visitor, kept FROM stray")
    database.execute("CREATE OR REPLACE TABLE known_forgotten AS SELECT visitor FROM forgotten")


def keep_cells(database: duckdb.DuckDBPyConnection, changes: str) -> None:
    """Add rows of sums to those that are kept."""
    added = ", ".join(f"CAST(SUM({name}) AS DECIMAL(38, 0)) AS {name}" for name in SUMS)
    database.execute(
        "CREATE OR REPLACE TABLE cell AS "
        f"SELECT slot, variant, phase, joined_hour, {added} FROM ({changes}) GROUP BY ALL"
    )


def keep_totals(
    database: duckdb.DuckDBPyConnection, table: str, keys: str, values: tuple[str, ...], rows: str
) -> None:
    """Add rows of counts to those that are kept."""
    added = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in values)
    database.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT {keys}, {added} FROM ({rows}) GROUP BY ALL "
        f"HAVING SUM({values[0]}) <> 0"
    )


def discard(path: Path) -> None:
    """Let go of the state; the next look makes it anew."""
    for file in (path, path.with_suffix(path.suffix + ".wal")):
        file.unlink(missing_ok=True)


@contextmanager
def opened(path: Path, settings: dict[str, Setting]) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """The state, inside one transaction; None while another process holds it."""
    database = _connected(path, settings)
    if database is None:
        yield None
        return
    try:
        # What an hour changes waits in the log until that is worth writing whole blocks anew.
        database.execute("PRAGMA disable_checkpoint_on_shutdown")
        database.execute("SET checkpoint_threshold = '64MB'")
        database.begin()
        yield database
        database.commit()
    finally:
        database.close()


def _connected(path: Path, settings: dict[str, Setting]) -> duckdb.DuckDBPyConnection | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return duckdb.connect(str(path), config=settings)
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            return None
        log.warning("the kept state is damaged and is made anew", error=str(error))
    discard(path)
    return duckdb.connect(str(path), config=settings)
