"""Bringing a database to the newest layout, on SQLite and PostgreSQL alike."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text
from sqlmodel import Session

from experiments.deferred import Deferred

if TYPE_CHECKING:
    from alembic import command, config
else:
    command, config = Deferred("alembic.command"), Deferred("alembic.config")

FOLDER = Path(__file__).parent
VERSION_TABLE = "alembic_version"


def upgrade(engine: Engine) -> None:
    """Run every migration that has not run yet; safe to call at each start."""
    command.upgrade(_config(engine), "head")


def downgrade(engine: Engine, revision: str) -> None:
    """Undo migrations down to a revision; `base` leaves an empty database."""
    command.downgrade(_config(engine), revision)


def write(engine: Engine, message: str) -> None:
    """Write a new migration for what the models have and the database lacks."""
    command.revision(_config(engine), message=message, autogenerate=True)


def is_current(session: Session) -> bool:
    """Whether the database has the newest layout."""
    connection = session.connection()
    if not inspect(connection).has_table(VERSION_TABLE):
        return False
    # Asked all the time by whoever watches, so that it does without Alembic and its dialects.
    version = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 (a name of ours)
    return bool(version == _newest())


def _newest() -> str:
    """The number of the last migration, with which the name of its file begins."""
    newest = max((FOLDER / "versions").glob("[0-9]*_*.py"))
    return newest.name.partition("_")[0]


def _config(engine: Engine) -> "config.Config":
    made = config.Config()
    made.set_main_option("script_location", str(FOLDER))
    made.set_main_option("path_separator", "os")
    made.attributes["engine"] = engine
    return made
