"""DuckDB over what is in files and what is in SQL only: the engine unless another is chosen."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import duckdb
import pyarrow as pa
from sqlmodel import Session

from experiments.metrics.schemas import MetricOut
from experiments.moments import inbox_rows
from experiments.moments.answering import Row, answered
from experiments.moments.dialects import DUCKDB
from experiments.moments.questions import Questions, numbered
from experiments.moments.relational import VERDICT, Tables
from experiments.moments.schemas import Answer, Inquiry, Population


@dataclass(frozen=True, slots=True, kw_only=True)
class DuckEngine:
    """Sums by DuckDB in this process."""

    def answer(
        self, session: Session, inquiries: Sequence[Inquiry], *, as_of: datetime
    ) -> list[Answer]:
        """One answer per inquiry, as received by `as_of`."""
        asked = numbered(inquiries)
        exposures = inbox_rows.exposures(session, asked.experiments)
        return self._answered(session, asked, exposures, as_of=as_of)

    def answer_of(
        self,
        session: Session,
        people: Sequence[tuple[int, int]],
        *,
        metric: MetricOut,
        as_of: datetime,
    ) -> Answer:
        """What a metric was of people who were in no experiment.

        Args:
            session: the transaction.
            people: the number of each and the instant, in microseconds, that their window begins.
            metric: what is measured.
            as_of: events received later do not count.
        """
        asked = numbered([Inquiry(population=Population(experiment=0), metrics=(metric,))])
        (found,) = self._answered(session, asked, inbox_rows.entered(people), as_of=as_of)
        return found

    def _answered(
        self, session: Session, asked: Questions, exposures: pa.Table, *, as_of: datetime
    ) -> list[Answer]:
        with _cursor() as database:
            source = _Opened.over(session, asked, exposures, database)
            return answered(asked, source, as_of=as_of)


@dataclass(slots=True, kw_only=True)
class _Opened:
    """A source whose tables are there for as long as the cursor is open."""

    database: duckdb.DuckDBPyConnection
    whole: Tables
    passes: Sequence[Tables]
    dialect = DUCKDB

    @classmethod
    def over(
        cls,
        session: Session,
        asked: Questions,
        exposures: pa.Table,
        database: duckdb.DuckDBPyConnection,
    ) -> "_Opened":
        """Bring in what SQL alone has."""
        database.register("loose_exposure", exposures)
        database.register("loose_event", inbox_rows.events(session, asked.names))
        tables = Tables(exposure="loose_exposure", event="loose_event")
        return cls(database=database, whole=tables, passes=[tables])

    def query(self, statement: str) -> Iterable[Row]:
        """The rows of a statement."""
        return self.database.execute(statement).fetchall()

    def keep_verdicts(self, rows: Sequence[tuple[int, str]]) -> None:
        """Make the table of the conditional rules' numbers and properties that satisfy them."""
        numbers, properties = zip(*rows, strict=True) if rows else ((), ())
        table = {
            "rule": pa.array(numbers, pa.int64()),
            "properties": pa.array(properties, pa.string()),
        }
        self.database.register(VERDICT, pa.table(table))


@lru_cache
def _root() -> duckdb.DuckDBPyConnection:
    # Opening takes a tenth of a second; cursors of one connection share nothing but the settings.
    return duckdb.connect()


@contextmanager
def _cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    cursor = _root().cursor()
    try:
        yield cursor
    finally:
        cursor.close()
