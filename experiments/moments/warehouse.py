"""Exposures and events in the user's own tables, analysed where they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from experiments.deferred import Deferred
from experiments.design import queries as designs
from experiments.errors import UnavailableError
from experiments.moments.answering import answered
from experiments.moments.mapping import Arms, Warehouse, tables
from experiments.moments.postgres import PostgresSource
from experiments.moments.questions import Questions, numbered
from experiments.moments.relational import Tables
from experiments.moments.schemas import Answer, Inquiry
from experiments.moments.sources import DuckSource

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = Deferred("duckdb")


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseEngine:
    """Sums by the user's DuckDB file or PostgreSQL; experiments and metrics are those of here."""

    warehouse: Warehouse

    def answer(
        self, session: Session, inquiries: Sequence[Inquiry], *, as_of: datetime
    ) -> list[Answer]:
        """One answer per inquiry, as received by `as_of`.

        Raises:
            UnavailableError: when the warehouse cannot be reached or refuses a query.
        """
        asked = numbered(inquiries)
        found = tables(self.warehouse, _arms(session, asked), asked.names, as_of=as_of)
        if self.warehouse.system == "duckdb":
            return self._by_duckdb(asked, found, as_of)
        return self._by_postgresql(asked, found, as_of)

    def _by_duckdb(self, asked: Questions, found: Tables, as_of: datetime) -> list[Answer]:
        path = self.warehouse.address.removeprefix("duckdb://")
        try:
            with duckdb.connect(path, read_only=True) as database:
                source = DuckSource(database=database, whole=found, passes=[found])
                return answered(asked, source, as_of=as_of)
        except duckdb.Error as error:
            raise _unreachable(error) from error

    def _by_postgresql(self, asked: Questions, found: Tables, as_of: datetime) -> list[Answer]:
        address = self.warehouse.address.replace("postgresql://", "postgresql+psycopg://", 1)
        engine = create_engine(address)
        try:
            with engine.connect() as connection:
                return answered(asked, PostgresSource.over(connection, found), as_of=as_of)
        except DBAPIError as error:
            raise _unreachable(error.orig or error) from error
        finally:
            engine.dispose()


def _arms(session: Session, asked: Questions) -> list[Arms]:
    """The keys by which the warehouse knows the experiments that are asked for."""
    return [
        Arms(
            experiment=found.id,
            key=found.key,
            variants={variant.key: variant.id for variant in found.variants},
            phases=[(phase.started_at, phase.id) for phase in found.phases],
        )
        for found in designs.experiments(session)
        if found.id in asked.experiments
    ]


def _unreachable(error: BaseException) -> UnavailableError:
    reason = str(error).strip().splitlines()[0]
    return UnavailableError(f"The warehouse does not answer: {reason}")
