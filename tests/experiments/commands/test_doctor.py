"""The doctor tells people and programs what is wrong, and repairs it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from click.testing import Result

from experiments.database import open_engine, transaction
from experiments.events import service as events

Type = Callable[..., Result]


def test_doctor__a_file_is_lost__is_told_and_repaired(type_in: Type, tmp_path: Path) -> None:
    type_in("migrate")
    engine = open_engine(f"sqlite:///{tmp_path / 'store' / 'desireline.db'}")
    with transaction(engine) as session:
        call = {"type": "track", "event": "A", "userId": "anna", "messageId": "1"}
        events.ingest(
            session, [call], source_key="site", received_at=datetime(2026, 3, 2, tzinfo=UTC)
        )
    engine.dispose()
    type_in("jobs", "run", "move")
    assert "All is well." in type_in("doctor").output

    (file,) = (tmp_path / "store" / "columnar").rglob("*.parquet")
    file.unlink()

    assert file.name in type_in("doctor", code=1).output
    found = json.loads(type_in("doctor", "--json", code=1).stdout)
    assert [day["in_files"] for day in found["days"]] == [0]
    assert "Wrote the files of 1 days anew." in type_in("doctor", "--repair").output
    assert "All is well." in type_in("doctor").output
