"""DuckDB with a memory: an hourly look costs in proportion to what is new.

The answers are those that `DuckEngine` gives over the same files, to the last digit. What has been
committed since the last move is not among them; the job moves first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlmodel import Session

from experiments.database import to_micros
from experiments.deferred import Deferred
from experiments.logs import logger
from experiments.moments import inbox_rows, increments
from experiments.moments.answering import answers
from experiments.moments.duck import DuckEngine, naming_files
from experiments.moments.kept_sums import kept_totals
from experiments.moments.questions import Questions, numbered
from experiments.moments.schemas import Answer, Inquiry
from experiments.moments.shelf import Relations, Shelf, related
from experiments.moments.state import (
    FOR_EVER,
    Marks,
    definition,
    discard,
    keep_marks,
    marks,
    opened,
)
from experiments.moments.strays import forgotten

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = Deferred("duckdb")

log = logger("moments")
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEngine:
    """Sums by DuckDB from what the last look left behind and what was moved since.

    Attributes:
        full: what answers when nothing can be kept.
        path: the file of the state.
    """

    full: DuckEngine
    path: Path

    def answer(
        self, session: Session, inquiries: Sequence[Inquiry], *, as_of: datetime
    ) -> list[Answer]:
        """One answer per inquiry, as received by `as_of`.

        Raises:
            DamagedError: when a file is missing or cannot be read; nothing is left out silently.
        """
        asked = numbered(inquiries)
        shelf = Shelf.of(session, self.full.location, visitors_at_once=self.full.visitors_at_once)
        try:
            found = self._kept(session, asked, shelf, to_micros(as_of))
        except duckdb.Error as error:
            log.warning("the kept state cannot be used and is made anew", error=str(error))
            discard(self.path)
            found = None
        return found or self.full.answer(session, inquiries, as_of=as_of)

    def _kept(
        self, session: Session, asked: Questions, shelf: Shelf, at: int
    ) -> list[Answer] | None:
        """The answers from the state; None when it is in use, or newer than what is asked."""
        with opened(self.path, self.full.settings) as database, naming_files(shelf):
            if database is None or not shelf.exposures:
                return None
            if _brought_up(session, asked, shelf, database) > at:
                return None
            return answers(asked, kept_totals(database, asked, at=at), at=at)


def _brought_up(
    session: Session, asked: Questions, shelf: Shelf, database: duckdb.DuckDBPyConnection
) -> int:
    """Bring the state up to the files; the newest instant of any row."""
    # No row has such an id: what is in no file yet waits for the next look.
    nothing = inbox_rows.exposures(session, asked.experiments, after=FOR_EVER)
    database.register("loose_exposure", nothing)
    database.register("loose_event", inbox_rows.events(session, asked.names, after=FOR_EVER))
    database.register("forgotten", forgotten(session))
    since, wanted = marks(database), definition(asked)
    if since is None or since.definition != wanted or _is_ahead(since, shelf):
        relations = related(session, shelf, database, as_of=END_OF_TIME)
        increments.build(relations, asked)
        newest = _newest(relations, Marks(definition=wanted, exposure=0, event=0, newest=0))
    else:
        relations = related(session, shelf, database, as_of=END_OF_TIME, collects=False)
        increments.extend(relations, asked, since)
        newest = _newest(relations, since)
    reached = Marks(
        definition=wanted, exposure=shelf.exposure_mark, event=shelf.event_mark, newest=newest
    )
    keep_marks(database, reached)
    return newest


def _is_ahead(since: Marks, shelf: Shelf) -> bool:
    """Whether the state knows rows that the files do not: the database was put back to a backup."""
    return since.exposure > shelf.exposure_mark or since.event > shelf.event_mark


def _newest(relations: Relations, since: Marks) -> int:
    """The latest instant that was received or first seen; days tell in which files to look."""
    newest = since.newest
    for files, column, mark in (
        (relations.shelf.exposures, "first_at", since.exposure),
        (relations.shelf.events, "received_at", since.event),
    ):
        new = [file for file in files if file.last_id > mark]
        last = [file for file in new if file.day == max(one.day for one in new)]
        if last:
            latest = f"SELECT MAX({column}) FROM {relations.scan(last)}"
            ((found,),) = relations.database.execute(latest).fetchall()
            newest = max(newest, found)
    return newest
