"""DuckDB over what is in files and what is in SQL only: the engine unless another is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlmodel import Session

from experiments.columnar.location import Location
from experiments.database import to_micros
from experiments.deferred import Deferred
from experiments.errors import DamagedError
from experiments.metrics.schemas import MetricOut
from experiments.moments import inbox_rows
from experiments.moments.answering import answered
from experiments.moments.following import Followed, followed
from experiments.moments.groups import Grouping, Member, as_exposures
from experiments.moments.questions import Questions, numbered
from experiments.moments.schemas import Answer, Inquiry, Population
from experiments.moments.shelf import Shelf, opened
from experiments.moments.sources import DuckSource

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = Deferred("duckdb")

Setting = str | bool | int | float | list[str]
"""A setting of DuckDB, as its own types have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuckEngine:
    """Sums by DuckDB in this process.

    Attributes:
        location: where the files of the columnar store lie; without one SQL is read alone.
        memory: how much DuckDB may take, such as `2GB`; its own default when empty.
        spill: the folder for what does not fit.
        visitors_at_once: how many visitors are added up before the next ones; below a million,
            up to which DuckDB looks numbers up by their place.
    """

    location: Location | None = None
    memory: str = ""
    spill: Path | None = None
    visitors_at_once: int = 960_000

    def answer(
        self, session: Session, inquiries: Sequence[Inquiry], *, as_of: datetime
    ) -> list[Answer]:
        """One answer per inquiry, as received by `as_of`.

        Raises:
            DamagedError: when a file is missing or cannot be read; nothing is left out silently.
        """
        asked = numbered(inquiries)
        with self._opened(session, asked, as_of=as_of) as source:
            return answered(asked, source, as_of=as_of)

    def answer_by(
        self,
        session: Session,
        experiment: int,
        found: Sequence[Grouping],
        rows: Sequence[Member],
        *,
        metric: MetricOut,
        as_of: datetime,
    ) -> list[Answer]:
        """One answer per grouping of an experiment's visitors: `paired` tells arm and value.

        Raises:
            DamagedError: when a file is missing or cannot be read.
        """
        inquiries = [
            Inquiry(
                population=Population(experiment=experiment, beside=one.number), metrics=(metric,)
            )
            for one in found
        ]
        if not inquiries:
            return []
        asked = numbered(inquiries)
        with self._opened(session, asked, as_of=as_of) as source:
            source.database.register("grouped", as_exposures(rows))
            return answered(asked, source.beside("grouped"), as_of=as_of)

    def follow(
        self, session: Session, experiment: int, *, metric: MetricOut, as_of: datetime
    ) -> list[Followed]:
        """How long an experiment's visitors were followed, and when they converted.

        Raises:
            DamagedError: when a file is missing or cannot be read.
        """
        population = Population(experiment=experiment)
        asked = numbered([Inquiry(population=population, metrics=(metric,))])
        with self._opened(session, asked, as_of=as_of) as source:
            return followed(asked, source, as_of=to_micros(as_of))

    def answer_of(
        self,
        session: Session,
        people: Sequence[tuple[int, int]],
        *,
        metric: MetricOut,
        as_of: datetime,
    ) -> Answer:
        """What a metric was of people who were in no experiment, by what SQL has.

        Args:
            session: the transaction.
            people: the number of each and the instant, in microseconds, that their window begins.
            metric: what is measured.
            as_of: events received later do not count.
        """
        asked = numbered([Inquiry(population=Population(experiment=0), metrics=(metric,))])
        with self._cursor() as database:
            relations = opened(session, asked, Shelf(), database, as_of=as_of)
            database.register("loose_exposure", inbox_rows.entered(people))
            return answered(asked, DuckSource.over(relations), as_of=as_of)[0]

    @property
    def settings(self) -> dict[str, Setting]:
        """What DuckDB is opened with."""
        return _settings(self.memory, self.spill)

    @contextmanager
    def _opened(
        self, session: Session, asked: Questions, *, as_of: datetime
    ) -> Iterator[DuckSource]:
        shelf = Shelf.of(session, self.location, visitors_at_once=self.visitors_at_once)
        with self._cursor() as database, naming_files(shelf):
            yield DuckSource.over(opened(session, asked, shelf, database, as_of=as_of))

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = _root(self.memory, self.spill).cursor()
        try:
            yield cursor
        finally:
            cursor.close()


def _settings(memory: str, spill: Path | None) -> dict[str, Setting]:
    settings: dict[str, Setting] = {
        "preserve_insertion_order": False,
        # Joins run as they are written: DuckDB's guesses of how many rows come out of files and
        # groups make it build tables of the larger side.
        "disabled_optimizers": "join_order,build_side_probe_side",
    }
    if memory:
        settings["memory_limit"] = memory
    if spill is not None:
        settings["temp_directory"] = str(spill)
    return settings


@lru_cache
def _root(memory: str, spill: Path | None) -> duckdb.DuckDBPyConnection:
    # Opening takes a tenth of a second; its cursors share nothing but the settings.
    return duckdb.connect(config=_settings(memory, spill))


@contextmanager
def naming_files(shelf: Shelf) -> Iterator[None]:
    """Say which file of the columnar store it was that could not be read."""
    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException, OSError) as error:
        files = (file.name for file in (*shelf.exposures, *shelf.events))
        name = next((name for name in files if name in str(error)), None)
        if name is None:
            raise
        raise DamagedError(name, "cannot be read") from error
