"""One office with three doors to the same storage: the API, the pages, the commands."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

import cli
from app import create_app
from experiments.accounts import service as accounts
from experiments.accounts.schemas import Role, TokenIn, UserIn
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import transaction
from experiments.design import service as design
from experiments.design.schemas import ExperimentIn
from experiments.journeys import service as journeys
from experiments.journeys.schemas import TemplateIn
from experiments.runtime import Runtime
from experiments.settings import Settings
from experiments.tables import metadata

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ALICE = Actor(kind=ActorKind.PERSON, name="alice@example.org")
FORM_TYPE = "application/x-www-form-urlencoded"
PASSWORD = "a long enough password"
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Office:
    """Sends the same mistake through each door, and counts what is stored."""

    runtime: Runtime
    client: FlaskClient
    headers: dict[str, str]
    folder: Path

    def ask(self, address: str, document: Any, method: str = "POST") -> TestResponse:
        """Send JSON, or bytes as they are, to the API."""
        sent = {"data": document} if isinstance(document, bytes) else {"json": document}
        return self.client.open(f"/api/v1{address}", method=method, headers=self.headers, **sent)

    def fill_in(self, address: str, **fields: object) -> TestResponse:
        """Send a form of a page."""
        found = CSRF.search(self.client.get("/settings").text)
        found = found or CSRF.search(self.client.get("/login").text)
        assert found
        # Encoded here, because the test client would make text of bytes.
        body = urlencode({"csrf_token": found[1], **fields})
        return self.client.post(address, data=body, content_type=FORM_TYPE)

    def type_in(self, *words: str, **files: str | bytes) -> Result:
        """Run a command; each file is written first, and its path comes last."""
        paths = []
        for name, content in files.items():
            path = self.folder / f"{name}.txt"
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            paths.append(str(path))
        return CliRunner().invoke(cli.main, [*words, *paths])

    def stored(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.runtime.engine.connect() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in metadata().sorted_tables
            }


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Office]:
    """An office with a journey, a running experiment and a draft on the same slot."""
    folder = tmp_path_factory.mktemp("office")
    (folder / "store").mkdir()
    shutil.copyfile(migrated_sqlite, folder / "store" / "desireline.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESIRELINE_DATA_DIR", str(folder / "store"))
        patch.delenv("DATABASE_URL", raising=False)
        app = create_app(Settings(secret_key="for tests only"))
        runtime: Runtime = app.extensions["desireline"]
        secret = furnish(runtime)
        headers = {"Authorization": f"Bearer {secret}"}
        office = Office(runtime, app.test_client(), headers, folder)
        office.fill_in("/login", email=ALICE.name, password=PASSWORD)
        yield office
        runtime.close()


def furnish(runtime: Runtime) -> str:
    """Store what stands before any mistake is made; tells the secret of a token."""
    person = UserIn(email=ALICE.name, name="Alice", role=Role.ADMIN, password=PASSWORD)
    template = TemplateIn(key="shop", name="Shop", template="signup")
    token = TokenIn(name="test", scopes=["read", "manage", "evaluate", "ingest"])
    with transaction(runtime.engine) as session:
        accounts.create_user(session, person, actor=ALICE, now=NOW)
        journeys.create_from_template(session, template, actor=ALICE, now=NOW)
        journeys.publish(session, "shop", 1, reason="first", actor=ALICE, now=NOW)
        for key in ("first", "second"):
            draft = ExperimentIn.model_validate(experiment(key=key))
            rng = np.random.default_rng(7)
            design.create(session, draft, rng=rng, actor=ALICE, now=NOW)
        design.start(session, "first", actor=ALICE, now=NOW)
        return accounts.create_token(session, token, actor=ALICE, now=NOW).secret


def experiment(**changes: object) -> dict[str, object]:
    """The document of a sound experiment, changed as asked."""
    return {
        "key": "third",
        "name": "Third",
        "journey": "shop",
        "touchpoint": "landing_page",
        "slot": "hero_headline",
        "variants": [
            {"key": "control", "control": True, "weight": 0.5},
            {"key": "pain", "weight": 0.5, "content": "Stop losing time."},
        ],
        "primary_metric": "shop.visit",
        **changes,
    }


@pytest.fixture
def sound() -> dict[str, object]:
    """The document of an experiment without a mistake."""
    return experiment()
