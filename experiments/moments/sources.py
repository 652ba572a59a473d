"""DuckDB as a source of rows for the common definition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from experiments.deferred import Deferred
from experiments.moments.answering import Row
from experiments.moments.dialects import DUCKDB
from experiments.moments.relational import VERDICT, Gathered, Tables
from experiments.moments.shelf import EXPOSURE, Relations

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
else:
    duckdb = Deferred("duckdb")
    pa = Deferred("pyarrow")


@dataclass(slots=True, kw_only=True)
class DuckSource:
    """DuckDB, ready to be asked."""

    database: duckdb.DuckDBPyConnection
    whole: Tables
    passes: Sequence[Tables]
    dialect = DUCKDB

    @classmethod
    def over(cls, relations: Relations) -> DuckSource:
        """All that the relations hold."""
        return cls(database=relations.database, whole=relations.tables(), passes=relations.passes())

    def beside(self, table: str) -> DuckSource:
        """The same with the rows of one more table among the exposures."""

        def wider(tables: Tables) -> Tables:
            both = (
                f"SELECT {EXPOSURE} FROM {tables.exposure} UNION ALL SELECT {EXPOSURE} FROM {table}"
            )
            return Tables(exposure=f"({both})", event=tables.event)

        return DuckSource(
            database=self.database,
            whole=wider(self.whole),
            passes=[wider(tables) for tables in self.passes],
        )

    def query(self, statement: str) -> Iterable[Row]:
        """The rows of a statement."""
        return self.database.execute(statement).fetchall()

    def keep(self, given: Gathered) -> Gathered:
        """As tables, of which DuckDB knows from where to where their numbers go."""
        kept = Gathered(people="asked_people", hit="asked_hit", wanted="asked_wanted")
        for field in fields(Gathered):
            name, rows = getattr(kept, field.name), getattr(given, field.name)
            self.database.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {rows}")
        return kept

    def keep_verdicts(self, rows: Sequence[tuple[int, str]]) -> None:
        """Make the table of the conditional rules' numbers and properties that satisfy them."""
        numbers, properties = zip(*rows, strict=True) if rows else ((), ())
        columns = [pa.array(numbers, pa.int64()), pa.array(properties, pa.string())]
        self.database.register(VERDICT, pa.table(columns, names=["rule", "properties"]))
