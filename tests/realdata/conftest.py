"""Real data sets, imported by the mappings of the documentation into a database of their own."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from experiments.analysis.schemas import Readout
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import open_engine
from experiments.imports import service
from experiments.imports.looks import look
from experiments.imports.mapping import read_mapping
from experiments.imports.schemas import ImportSummary
from experiments.tables import create_tables

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("DESIRELINE_DATA", ROOT.parent / "shared" / "data"))
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'real.db'}")
    create_tables(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def real_file() -> Callable[[str], Path]:
    """Where a data set is; the test is skipped when it is not there."""

    def finding(file: str) -> Path:
        if not (DATA / file).exists():
            pytest.skip(f"{file} is not in {DATA}; set DESIRELINE_DATA to the folder that has it")
        return DATA / file

    return finding


@pytest.fixture
def import_real(
    store: Engine, tmp_path: Path, real_file: Callable[[str], Path]
) -> Callable[[str, str], ImportSummary]:
    """Imports a data set by name of its mapping and of its file."""

    def importing(mapping: str, file: str) -> ImportSummary:
        return service.run(
            store,
            read_mapping(ROOT / "docs/how-to/import-mappings" / f"{mapping}.yaml"),
            real_file(file),
            refused_path=tmp_path / "rejected.csv",
            rng=np.random.default_rng(7),
            actor=Actor(kind=ActorKind.OPERATOR, name="test"),
            now=NOW,
            progress=lambda done, total: None,
        )

    return importing


@pytest.fixture
def read_out(store: Engine) -> Callable[[str], Readout]:
    """The newest readout of an imported experiment."""
    return lambda key: look(store, key, now=NOW).readout
