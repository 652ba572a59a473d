"""What the process says of itself while something around it is wrong."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlmodel import Session, select

from experiments.assignment.models import Exposure
from experiments.database import reading, transaction
from experiments.design.schemas import ExperimentOut
from experiments.resolution.ladder import Place
from experiments.resolution.resolver import Asker
from experiments.runtime import open_runtime
from experiments.settings import Settings

ASKED = (Place("signup", "landing_page"), Asker("ann"))


def renamed(engine: Engine, old: str, new: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE exposure RENAME COLUMN {old} TO {new}"))


def test_visit__layout_of_another_time__is_answered_and_recorded_once_it_is_migrated(
    engine: Engine,
    tmp_path,
    now: datetime,
    signup: Callable[[Session], None],
    launch: Callable[..., ExperimentOut],
) -> None:
    with transaction(engine) as session:
        signup(session)
        launch(session)
    url = engine.url.render_as_string(hide_password=False)
    with closing(open_runtime(Settings(data_dir=tmp_path, DATABASE_URL=url))) as opened:
        ruleset = opened.rulesets.current()
        renamed(engine, "first_at", "seen_at")
        shown = opened.resolver.visit(ruleset, *ASKED, now=now)
        assert shown.answers[0].enrolment is not None
        opened.resolver.replay()
        assert not opened.spool.is_empty()

        renamed(engine, "seen_at", "first_at")
        opened.resolver.replay()
        assert opened.spool.is_empty()
    with reading(engine) as session:
        assert session.exec(select(Exposure.first_at)).all() == [now]


def test_readiness__layout_not_current_or_database_away__says_so(
    app: Flask, client: FlaskClient
) -> None:
    response = client.get("/readyz")  # the tables of tests were not made by migrations
    assert response.status_code == 503
    assert response.json["migrations"].startswith("pending")
    assert response.json["exposures"] == "none wait"

    opened = app.extensions["desireline"]
    opened.spool.add("ann", opened.clock.now(), [])
    opened.engine.dispose()
    database = Path(opened.engine.url.database)
    database.unlink()
    database.mkdir()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json == {"database": "away", "exposures": "wait in a file for the database"}
