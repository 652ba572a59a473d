"""PostgreSQL by itself: the sums are made where the rows are, and no file is read."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection
from sqlmodel import Session

from experiments.database import to_micros
from experiments.moments.answering import Row, answered
from experiments.moments.dialects import POSTGRESQL, text
from experiments.moments.questions import numbered
from experiments.moments.relational import VERDICT, Gathered, Tables
from experiments.moments.schemas import Answer, Inquiry

EXPOSURE = (
    "(SELECT experiment_id AS experiment, visitor_id AS visitor, variant_id::BIGINT AS variant, "
    "phase_id AS phase, first_at FROM exposure)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresEngine:
    """Sums by the PostgreSQL database that holds everything else."""

    def answer(
        self, session: Session, inquiries: Sequence[Inquiry], *, as_of: datetime
    ) -> list[Answer]:
        """One answer per inquiry, as received by `as_of`."""
        asked = numbered(inquiries)
        tables = Tables(exposure=EXPOSURE, event=_events(asked.names, as_of))
        return answered(asked, PostgresSource.over(session.connection(), tables), as_of=as_of)


@dataclass(slots=True, kw_only=True)
class PostgresSource:
    """A connection to PostgreSQL, ready to be asked."""

    connection: Connection
    whole: Tables
    passes: Sequence[Tables]
    dialect = POSTGRESQL

    @classmethod
    def over(cls, connection: Connection, tables: Tables) -> "PostgresSource":
        """All rows at once."""
        return cls(connection=connection, whole=tables, passes=[tables])

    def query(self, statement: str) -> Iterable[Row]:
        """The rows of a statement."""
        # The driver reads a percent sign as the beginning of a parameter.
        found = self.connection.exec_driver_sql(statement.replace("%", "%%"))
        return [tuple(row) for row in found]

    def keep(self, given: Gathered) -> Gathered:
        """As it stands: no table is written, so that a replica can be asked too."""
        return given

    def keep_verdicts(self, rows: Sequence[tuple[int, str]]) -> None:
        """Make the table of the conditional rules' numbers and properties that satisfy them."""
        for statement in (
            f"DROP TABLE IF EXISTS pg_temp.{VERDICT}",
            f"CREATE TEMP TABLE {VERDICT} (rule BIGINT, properties TEXT) ON COMMIT DROP",
        ):
            self.connection.exec_driver_sql(statement)
        document = orjson.dumps([{"rule": rule, "properties": found} for rule, found in rows])
        self.connection.exec_driver_sql(
            f"INSERT INTO {VERDICT} SELECT rule, properties "
            "FROM json_to_recordset(%s::json) AS given(rule BIGINT, properties TEXT)",
            (document.decode(),),
        )


def _events(names: Collection[str], as_of: datetime) -> str:
    listed = ", ".join(map(text, sorted(names)))
    return (
        "(SELECT visitor_id AS visitor, name, source, occurred_at, received_at, "
        f"properties::TEXT AS properties FROM event WHERE name IN ({listed}) "
        f"AND received_at <= {to_micros(as_of)})"
    )
