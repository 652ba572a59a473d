"""Alembic's entry: runs all migrations in one transaction, one process at a time."""

from alembic import context
from sqlalchemy import Connection, Engine, text

from experiments.tables import metadata

# Any number does, as long as nothing else in the database takes the same advisory lock.
MIGRATION_LOCK = 7_301_991


def migrate(engine: Engine) -> None:
    """Run what is missing; a second process waits and then finds nothing to do."""
    with engine.begin() as connection:
        _wait_for_others(connection)
        context.configure(connection=connection, target_metadata=metadata(), render_as_batch=True)
        context.run_migrations()


def _wait_for_others(connection: Connection) -> None:
    # SQLite needs no lock of its own: every transaction begins IMMEDIATE, see database.py.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})


migrate(context.config.attributes["engine"])
