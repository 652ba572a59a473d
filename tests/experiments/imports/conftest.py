"""A small office that imports: files on disk, a mapping, and one call."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from experiments.audit.schemas import Actor
from experiments.imports import service
from experiments.imports.mapping import parse_mapping
from experiments.imports.schemas import ImportSummary

Import = Callable[..., ImportSummary]


@pytest.fixture
def visitors_mapping() -> dict[str, Any]:
    return {
        "kind": "visitors",
        "journey": {"key": "shop", "name": "Shop"},
        "experiment": {
            "key": "banner",
            "name": "A banner",
            "variants": [
                {"key": "control", "value": "A", "weight": 2, "control": True},
                {"key": "new", "value": "B", "weight": 1},
            ],
        },
        "visitor": "{id}",
        "variant": "{arm}",
        "at": "2026-01-05T00:00:00Z",
        "days": 14,
        "outcomes": [{"key": "bought", "name": "Bought", "where": {"bought": 1}}],
        "amounts": [{"key": "spent", "name": "Spent", "column": "spent", "unit": "EUR"}],
        "attributes": {"country": "country"},
    }


@pytest.fixture
def totals_mapping() -> dict[str, Any]:
    return {
        "kind": "totals",
        "journey": {"key": "news", "name": "News"},
        "experiment": {"key": "test-{test}", "name": "Test {test}"},
        "variant": "arm-{arm}",
        "at": {"text": "{week}0", "format": "%Y%U%w"},
        "visitors": "shown",
        "outcomes": [{"key": "click", "name": "Clicked", "column": "clicks"}],
    }


@pytest.fixture
def snapshots_mapping() -> dict[str, Any]:
    return {
        "kind": "snapshots",
        "journey": {"key": "web", "name": "Web"},
        "experiment": {"key": "x-{test}", "name": "X {test}", "control": "control"},
        "variant": "t-{arm}",
        "metric": "{metric}",
        "metrics": [
            {"key": "rate", "name": "Rate", "value": "1", "kind": "conversion"},
            {"key": "spend", "name": "Spend", "value": "2", "kind": "sum"},
        ],
        "start": "2026-01-05T00:00:00Z",
        "day": "day",
        "figures": {"visitors": "n_t", "mean": "m_t", "variance": "v_t"},
        "control": {"visitors": "n_c", "mean": "m_c", "variance": "v_c"},
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a CSV file and tells where."""

    def writing(text: str) -> Path:
        path = tmp_path / "data.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return writing


@pytest.fixture
def import_file(engine: Engine, actor: Actor, now: datetime) -> Import:
    """Imports a file by a mapping."""

    def importing(
        mapping: Mapping[str, Any],
        path: Path,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> ImportSummary:
        return service.run(
            engine,
            parse_mapping(mapping),
            path,
            rng=np.random.default_rng(7),
            actor=actor,
            now=now,
            progress=progress,
        )

    return importing
