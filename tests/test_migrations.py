"""Migrations make exactly the tables that the models describe, on both databases."""

import subprocess
import sys

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

import migrations
from experiments.database import open_engine, reading, transaction
from experiments.tables import metadata


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata()))


def test_migrations__when_run_once_or_twice__then_models_and_database_agree(
    storage_url: str,
) -> None:
    engine = open_engine(storage_url)
    with reading(engine) as session:
        assert not migrations.is_current(session)
    for _ in range(2):
        migrations.upgrade(engine)
        with reading(engine) as session:
            assert migrations.is_current(session)
        assert differences(engine) == []
    engine.dispose()


def test_migrations__when_undone__then_no_table_is_left(storage_url: str) -> None:
    engine = open_engine(storage_url)
    migrations.upgrade(engine)
    migrations.downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()


def test_migrations__when_two_processes_start_at_once__then_both_succeed(storage_url: str) -> None:
    program = (
        "import sys, migrations; from experiments.database import open_engine;"
        "migrations.upgrade(open_engine(sys.argv[1]))"
    )
    command = [sys.executable, "-c", program, storage_url]
    children = [subprocess.Popen(command) for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    engine = open_engine(storage_url)
    with transaction(engine) as session:
        assert migrations.is_current(session)
    engine.dispose()
