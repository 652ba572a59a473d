"""What an engine is, and which one an installation has chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlmodel import Session

from experiments.columnar.location import Location
from experiments.errors import InvalidError
from experiments.journeys import documents
from experiments.moments.duck import DuckEngine
from experiments.moments.kept import KeptEngine
from experiments.moments.mapping import Warehouse
from experiments.moments.postgres import PostgresEngine
from experiments.moments.schemas import Answer, Inquiry
from experiments.moments.spark import SparkEngine
from experiments.moments.spark import require as require_spark
from experiments.moments.warehouse import WarehouseEngine
from experiments.settings import AnalysisEngine, Settings
from experiments.shapes import parse


class Engine(Protocol):
    """Whatever turns exposures and events into exact sums."""

    def answer(
        self, session: Session, inquiries: Sequence[Inquiry], *, as_of: datetime
    ) -> list[Answer]:
        """One answer per inquiry, as received by `as_of`."""


IN_DATABASE = DuckEngine()
"""DuckDB over what the database holds, where no files are known of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """What adds up.

    Attributes:
        duckdb: describes visitors, whichever engine is chosen.
        looks: for a look that somebody waits for.
        hourly: for the job that looks at everything again and again.
    """

    duckdb: DuckEngine
    looks: Engine
    hourly: Engine


def chosen(settings: Settings, location: Location) -> Engines:
    """The engines that the settings ask for.

    Raises:
        InvalidError: when what the chosen engine needs is missing or wrong.
    """
    spill = settings.data_dir / "spill"
    duck = DuckEngine(location=location, memory=settings.analysis_memory, spill=spill)
    if settings.analysis_engine is AnalysisEngine.DUCKDB:
        kept = KeptEngine(full=duck, path=settings.data_dir / "moments.duckdb")
        return Engines(duckdb=duck, looks=duck, hourly=kept)
    if settings.analysis_engine is AnalysisEngine.POSTGRESQL:
        inside = _postgresql(settings)
        return Engines(duckdb=duck, looks=inside, hourly=inside)
    if settings.analysis_engine is AnalysisEngine.SPARK:
        require_spark()
        spread = SparkEngine(location=location, master=settings.spark_master)
        return Engines(duckdb=duck, looks=spread, hourly=spread)
    elsewhere = WarehouseEngine(warehouse=_warehouse(settings.warehouse))
    return Engines(duckdb=duck, looks=elsewhere, hourly=elsewhere)


def _postgresql(settings: Settings) -> PostgresEngine:
    if not settings.storage_url.startswith("postgresql"):
        detail = "postgresql needs DATABASE_URL to name a PostgreSQL; leave the engine at duckdb"
        raise InvalidError.at("/analysis_engine", detail)
    return PostgresEngine()


def _warehouse(file: Path | None) -> Warehouse:
    if file is None:
        raise InvalidError.at("/warehouse", "name the file with the mapping of your tables")
    return parse(Warehouse, documents.load(file.read_text()))
