"""An operator at a terminal: a shop with one draft, and a command to type."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli

Type = Callable[..., Result]
EXPERIMENT = """
key: headline
name: Headline
journey: shop
touchpoint: landing_page
slot: hero_headline
primary_metric: shop.visit
variants:
  - { key: control, control: true, weight: 0.5 }
  - { key: pain, weight: 0.5, content: Stop losing time. }
"""


@pytest.fixture
def type_in(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Runs a command; a `document` is written to a file whose path comes last."""
    store = tmp_path / "store"
    store.mkdir()
    shutil.copyfile(migrated_sqlite, store / "desireline.db")
    monkeypatch.setenv("DESIRELINE_DATA_DIR", str(store))
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def typed(*words: str, document: str | bytes = "", code: int = 0) -> Result:
        files = []
        if document:
            file = tmp_path / "document.yaml"
            file.write_bytes(document if isinstance(document, bytes) else document.encode())
            files = [str(file)]
        result = CliRunner().invoke(cli.main, [*words, *files])
        assert result.exit_code == code, result.output
        return result

    return typed


@pytest.fixture
def draft() -> str:
    """The document of an experiment on the landing page."""
    return EXPERIMENT


@pytest.fixture
def shop(type_in: Type, draft: str) -> Type:
    """The same terminal after a journey was published and an experiment drafted."""
    type_in("journey", "create", "--template", "signup", "--key", "shop", "--name", "Shop")
    type_in("journey", "publish", "shop", "1", "--reason", "the first map")
    type_in("experiment", "create", document=draft)
    return type_in
