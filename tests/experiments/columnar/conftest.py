"""A columnar store in a folder, and visitors who do things."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import Engine

from experiments.columnar import moving, queries
from experiments.columnar.datasets import DATASETS
from experiments.columnar.location import Location, locate
from experiments.columnar.schemas import Kind
from experiments.database import fetched, peeking, reading, transaction
from experiments.events import service as events

Row = tuple[Any, ...]


@dataclass
class Shelf:
    """A database and the files beside it."""

    engine: Engine
    location: Location
    now: datetime
    numbers: count = field(default_factory=lambda: count(1))  # type: ignore[type-arg] # no such alias

    def send(self, *visitors: str, at: datetime | None = None, name: str = "Signed Up") -> None:
        """One event of each visitor."""
        calls = [
            {
                "type": "track",
                "event": name,
                "messageId": f"m{next(self.numbers)}",
                "userId": visitor,
                "properties": {"value": 1.5, "plan": visitor},
            }
            for visitor in visitors
        ]
        self.ingest(*calls, at=at)

    def ingest(self, *calls: dict[str, Any], at: datetime | None = None) -> None:
        with transaction(self.engine) as session:
            events.ingest(session, calls, source_key="site", received_at=at or self.now)

    def move(self, *, at: datetime | None = None) -> dict[Kind, int]:
        return moving.move(self.engine, self.location, now=at or self.now)

    def in_sql(self, kind: Kind = Kind.EVENT) -> list[Row]:
        """Every row as SQL has it, by id."""
        with peeking(self.engine) as cursor:
            return [tuple(row) for row in fetched(cursor, DATASETS[kind].select, 0, 2**62, 2**31)]

    def in_files(self, kind: Kind = Kind.EVENT) -> list[Row]:
        """Every row of the files that count, by id, also when it is there twice."""
        with reading(self.engine) as session:
            found = queries.files(session, kind)
        tables = [self.read(file.name) for file in found]
        return sorted(tuple(row.values()) for table in tables for row in table.to_pylist())

    def read(self, name: str) -> pa.Table:
        return parquet.ParquetFile(pa.BufferReader(self.location.read(name))).read()

    def on_disk(self) -> set[str]:
        """The names of all files that lie in the folder."""
        folder = Path(self.location.folder)
        return {str(path.relative_to(folder)) for path in folder.rglob("*.parquet")}


@pytest.fixture
def shelf_on(now: datetime) -> Callable[[Engine, Path], Shelf]:
    """Makes a store for a database, in a folder."""

    def make(engine: Engine, folder: Path) -> Shelf:
        return Shelf(engine=engine, location=locate(str(folder)), now=now)

    return make


@pytest.fixture
def shelf(engine: Engine, tmp_path: Path, shelf_on: Callable[[Engine, Path], Shelf]) -> Shelf:
    return shelf_on(engine, tmp_path / "columnar")
