"""Bringing a database to the newest layout, on SQLite and PostgreSQL alike."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlmodel import Session

FOLDER = Path(__file__).parent


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
    newest = ScriptDirectory(str(FOLDER)).get_current_head()
    return MigrationContext.configure(session.connection()).get_current_revision() == newest


def _config(engine: Engine) -> Config:
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.set_main_option("path_separator", "os")
    made.attributes["engine"] = engine
    return made
