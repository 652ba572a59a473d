"""Alembic's entry: runs all migrations in one transaction, one process at a time."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, Engine, text
from sqlmodel.sql.sqltypes import AutoString

from experiments.database import BigId, Instant, Json
from experiments.tables import metadata

# Any number does, as long as nothing else in the database takes the same advisory lock.
MIGRATION_LOCK = 7_301_991

# A migration must mean the same in years, so it names plain types and imports no code of ours.
PLAIN_TYPES = {
    AutoString: "sa.String()",
    BigId: 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")',
    Instant: "sa.BigInteger()",
    Json: 'sa.JSON().with_variant(JSONB(), "postgresql")',
}


def migrate(engine: Engine) -> None:
    """Run what is missing; a second process waits and then finds nothing to do."""
    with engine.begin() as connection:
        _wait_for_others(connection)
        context.configure(
            connection=connection,
            target_metadata=metadata(),
            render_as_batch=True,
            render_item=_plainly,
        )
        context.run_migrations()


def _plainly(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    return PLAIN_TYPES.get(type(item), False) if kind == "type" else False


def _wait_for_others(connection: Connection) -> None:
    # SQLite needs no lock of its own: every transaction begins IMMEDIATE, see database.py.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})


migrate(context.config.attributes["engine"])
