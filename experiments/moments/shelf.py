"""The two relations for DuckDB: rows of the files, and loose rows that are in none as they stand.

Loose is what has not been moved yet, and what was moved under the number of a visitor who turned
out to be another. Files hold visitors in order, so that ranges of visitors can be read one after
the other: sums over less than a million visitors take little memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from experiments.columnar import queries as columnar
from experiments.columnar.location import Location
from experiments.columnar.schemas import FileOut, Kind
from experiments.database import to_micros
from experiments.deferred import Deferred
from experiments.errors import DamagedError
from experiments.moments import inbox_rows
from experiments.moments.dialects import text
from experiments.moments.questions import Questions
from experiments.moments.relational import Tables
from experiments.moments.strays import exposures_up_to, newest_visitor, strays

if TYPE_CHECKING:
    import duckdb
    from pyarrow import dataset
else:
    duckdb = Deferred("duckdb")
    dataset = Deferred("pyarrow.dataset")


EXPOSURE = "id, experiment, visitor, variant, phase, first_at"
EVENT = "visitor, name, source, occurred_at, received_at, properties"


def event_of(number: str) -> str:
    """The columns of an event under another number of its visitor."""
    return EVENT.replace("visitor", f"{number} AS visitor", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Which files there are, and up to which id their rows are in them."""

    location: Location | None = None
    exposures: Sequence[FileOut] = ()
    events: Sequence[FileOut] = ()
    exposure_mark: int = 0
    event_mark: int = 0
    visitors_at_once: int = 1

    @classmethod
    def of(cls, session: Session, location: Location | None, *, visitors_at_once: int) -> Shelf:
        """What the manifest tells; nothing when no location is known."""
        if location is None:
            return cls()
        return cls(
            location=location,
            exposures=columnar.files(session, Kind.EXPOSURE),
            events=columnar.files(session, Kind.EVENT),
            exposure_mark=columnar.mark(session, Kind.EXPOSURE).last_id,
            event_mark=columnar.mark(session, Kind.EVENT).last_id,
            visitors_at_once=visitors_at_once,
        )

    def path(self, file: FileOut) -> str:
        """Where a file lies."""
        if self.location is None:
            raise DamagedError(file.name, "has no location")
        return self.location.path(file.name)


@dataclass(slots=True, kw_only=True)
class Relations:
    """SQL of the relations over one open database, whole or for a range of visitors.

    Attributes:
        database: where loose rows are, in `loose_exposure` and `loose_event`.
        shelf: the files.
        as_of: events received later are not in the relation.
        has_strays: whether `stray` names visitors whose rows in files are not theirs.
        is_restated: whether a person can have several exposures to one experiment.
        newest_visitor: the highest number.
    """

    database: duckdb.DuckDBPyConnection
    shelf: Shelf
    as_of: datetime
    has_strays: bool = False
    is_restated: bool = False
    newest_visitor: int = 0
    _scans: dict[tuple[int, ...], str] = field(default_factory=dict)

    def tables(self) -> Tables:
        """All visitors at once."""
        return self._between(None)

    def passes(self) -> list[Tables]:
        """All visitors, a range after the other; at once where there are few."""
        step = self.shelf.visitors_at_once
        if self.newest_visitor < step:
            return [self.tables()]
        starts = range(0, self.newest_visitor + 1, step)
        return [self._between((start, start + step)) for start in starts]

    def collect_strays(self) -> None:
        """Put the moved events of strays among the loose ones, under the number that counts."""
        if not (self.has_strays and self.shelf.events):
            return
        rows = (
            f"SELECT {EVENT} FROM loose_event UNION ALL "
            f"SELECT {event_of('kept')} FROM {self.scan(self.shelf.events)} "
            "JOIN stray USING (visitor) WHERE kept IS NOT NULL"
        )
        # First under another name: a temporary table would hide the rows it is made of.
        self.database.execute(f"CREATE TEMP TABLE all_events AS {rows}")
        self.database.unregister("loose_event")
        self.database.execute("ALTER TABLE all_events RENAME TO loose_event")

    def _between(self, visitors: tuple[int, int] | None) -> Tables:
        exposures, events = self.shelf.exposures, self.shelf.events
        within = ""
        if visitors is not None:
            begin, end = visitors
            within = f"visitor >= {begin} AND visitor < {end}"
            exposures = [file for file in exposures if file.may_hold(begin, end)]
            events = [file for file in events if file.may_hold(begin, end)]
        return Tables(
            exposure=self._exposures(exposures, within), event=self._events(events, within)
        )

    def _exposures(self, files: Sequence[FileOut], within: str) -> str:
        rows = f"SELECT {EXPOSURE} FROM loose_exposure{_where(within)}"
        if files:
            others = "SELECT visitor FROM stray WHERE is_merged"
            rows += f" UNION ALL {self._filed(EXPOSURE, files, within, others)}"
        if not (self.has_strays or self.is_restated):
            return f"({rows})"
        # Of several rows of one person the last one stands.
        last = "QUALIFY ROW_NUMBER() OVER (PARTITION BY experiment, visitor ORDER BY id DESC) = 1"
        return f"(SELECT * FROM ({rows}) {last})"

    def _events(self, files: Sequence[FileOut], within: str) -> str:
        today = self.as_of.astimezone(UTC).date()
        by_now = f"received_at <= {to_micros(self.as_of)}"
        bounded = f"{within} AND {by_now}" if within else by_now
        known = [file for file in files if file.day < today]
        fresh = [file for file in files if file.day >= today]
        parts = [f"SELECT {EVENT} FROM loose_event WHERE {bounded}"]
        if known:
            parts.append(self._filed(EVENT, known, within, "SELECT visitor FROM stray"))
        if fresh:
            parts.append(self._filed(EVENT, fresh, bounded, "SELECT visitor FROM stray"))
        return f"({' UNION ALL '.join(parts)})"

    def _filed(self, columns: str, files: Sequence[FileOut], within: str, others: str) -> str:
        """The rows of files, but for those of visitors whose rows these are not."""
        conditions = [within] if within else []
        if self.has_strays:
            conditions.append(f"visitor NOT IN ({others})")
        return f"SELECT {columns} FROM {self.scan(files)}{_where(' AND '.join(conditions))}"

    def scan(self, files: Sequence[FileOut]) -> str:
        """What reads files: DuckDB by itself, or pyarrow where they lie elsewhere."""
        location = self.shelf.location
        paths = [self.shelf.path(file) for file in files]
        if location is None or location.is_local:
            return f"read_parquet([{', '.join(map(text, paths))}])"
        ids = tuple(file.id for file in files)
        if ids not in self._scans:
            remote = dataset.dataset(paths, filesystem=location.filesystem, format="parquet")
            self._scans[ids] = f"remote_{len(self._scans)}"
            self.database.register(self._scans[ids], remote)
        return self._scans[ids]


def opened(
    session: Session,
    asked: Questions,
    shelf: Shelf,
    database: duckdb.DuckDBPyConnection,
    *,
    as_of: datetime,
) -> Relations:
    """Bring in what the files do not have, or have under another number."""
    exposures = inbox_rows.exposures(session, asked.experiments, after=shelf.exposure_mark)
    events = inbox_rows.events(session, asked.names, after=shelf.event_mark)
    database.register("loose_exposure", exposures)
    database.register("loose_event", events)
    if not shelf.exposures and not shelf.events:
        return Relations(database=database, shelf=shelf, as_of=as_of)
    return related(session, shelf, database, as_of=as_of)


def related(
    session: Session,
    shelf: Shelf,
    database: duckdb.DuckDBPyConnection,
    *,
    as_of: datetime,
    collects: bool = True,
) -> Relations:
    """Tell which rows of the files stand, beside loose rows that are there already.

    Without `collects` only what is new shall be read: neither are events of strays looked for in
    all files, nor is it asked whether exposures in them have changed.
    """
    found = strays(session)
    database.register("stray", found)
    relations = Relations(
        database=database,
        shelf=shelf,
        as_of=as_of,
        has_strays=found.num_rows > 0,
        newest_visitor=newest_visitor(session),
    )
    if collects:
        moved = sum(file.rows for file in shelf.exposures)
        relations.is_restated = moved > exposures_up_to(session, shelf.exposure_mark)
        relations.collect_strays()
    return relations


def _where(conditions: str) -> str:
    return f" WHERE {conditions}" if conditions else ""
