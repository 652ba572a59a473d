"""What the files hold: columns, order, and where the rows come from; pure.

Instants are microseconds since 1970. Rows are ordered by visitor, whose numbers are dense, and
then by time, so that a reader can go from one range of visitors to the next and skip the row
groups of all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from experiments.columnar.schemas import Kind
from experiments.database import EPOCH
from experiments.deferred import Deferred

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = Deferred("pyarrow")


DAY_MICROS = 86_400_000_000


def day_of(number: int) -> date:
    """The day that is so many days after the first of 1970."""
    return (EPOCH + timedelta(days=number)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Rows of one kind: their columns, which one names the day, and how SQL calls them."""

    kind: Kind
    columns: Mapping[str, str]
    day_column: str
    time_column: str
    sources: Mapping[str, str]

    @property
    def schema(self) -> pa.Schema:
        """The columns of a file; none has a gap."""
        return pa.schema(
            [pa.field(name, kind, nullable=False) for name, kind in self.columns.items()]
        )

    @property
    def newest(self) -> str:
        """SQL of the newest id."""
        return f"SELECT max(id) FROM {self.kind}"  # noqa: S608 (names of ours)

    @property
    def days(self) -> str:
        """SQL of the ids of a window, each with the instant that names its day."""
        return f"SELECT id, {self.day_column} FROM {self.kind} WHERE id > ? AND id <= ?"  # noqa: S608 (names of ours)

    @property
    def oldest_waiting(self) -> str:
        """SQL of how many rows there are above an id, and of the instant of the first."""
        return f"SELECT count(*), min({self.day_column}) FROM {self.kind} WHERE id > ?"  # noqa: S608 (names of ours)

    @property
    def select(self) -> str:
        """SQL of the rows in the order of ids; parameters: above, up to, how many."""
        return f"{self._rows} ORDER BY id LIMIT ?"

    @property
    def select_day(self) -> str:
        """The same between two instants; parameters: above, up to, since, before, how many."""
        day = f"{self.day_column} >= ? AND {self.day_column} < ?"
        return f"{self._rows} AND {day} ORDER BY id LIMIT ?"

    @property
    def _rows(self) -> str:
        columns = ", ".join(self.sources.get(name, name) for name in self.columns)
        return f"SELECT {columns} FROM {self.kind} WHERE id > ? AND id <= ?"  # noqa: S608 (names of ours)

    def table(self, rows: Sequence[Sequence[Any]]) -> pa.Table:
        """Rows of SQL as columns, in the order of the files."""
        # Not by zip(*rows): its iterator for each row would wake the garbage collector.
        arrays = [
            pa.array([row[place] for row in rows], field.type)
            for place, field in enumerate(self.schema)
        ]
        return self.ordered(pa.Table.from_arrays(arrays, schema=self.schema))

    def ordered(self, table: pa.Table) -> pa.Table:
        """The rows in the order of the files."""
        return table.sort_by([(name, "ascending") for name in ("visitor", self.time_column, "id")])

    def by_day(self, table: pa.Table) -> Iterator[tuple[date, pa.Table]]:
        """The rows of each day, earliest day first."""
        days = table.column(self.day_column).to_numpy() // DAY_MICROS
        for day in sorted(set(days.tolist())):
            yield day_of(day), table.filter(pa.array(days == day))


EVENT = Dataset(
    kind=Kind.EVENT,
    columns={
        "id": "int64",
        "visitor": "int64",
        "name": "string",
        "source": "string",
        "occurred_at": "int64",
        "received_at": "int64",
        "properties": "string",
    },
    day_column="received_at",
    time_column="occurred_at",
    sources={"visitor": "visitor_id", "properties": "CAST(properties AS TEXT)"},
)
EXPOSURE = Dataset(
    kind=Kind.EXPOSURE,
    columns=dict.fromkeys(("id", "experiment", "visitor", "variant", "phase", "first_at"), "int64"),
    day_column="first_at",
    time_column="first_at",
    sources={name: f"{name}_id" for name in ("experiment", "visitor", "variant", "phase")},
)
DATASETS = {dataset.kind: dataset for dataset in (EVENT, EXPOSURE)}
