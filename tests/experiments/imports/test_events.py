"""Files with a row per event."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from experiments.assignment.queries import visitor_id
from experiments.assignment.suppression import suppress
from experiments.database import reading
from experiments.events.queries import visitor_events
from experiments.imports.schemas import Refusal
from experiments.journeys.queries import standard

ROWS = """case,what,day,paid
A1,Create Fine,2006-07-24,
A1,Send Fine,2006-12-05,
A1,Payment,2007-01-05,35.5
A1,Payment,2007-01-05,35.5
"""


@pytest.fixture
def mapping() -> dict[str, Any]:
    return {
        "kind": "events",
        "journey": {
            "key": "fines",
            "name": "Fines",
            "stages": [
                {"key": "created", "name": "Created", "event": "Create Fine"},
                {"key": "paid", "name": "Paid", "event": "Payment"},
            ],
        },
        "visitor": "fine-{case}",
        "event": "{what}",
        "at": {"text": "{day}"},
        "properties": {"value": "paid"},
    }


def test_events__visitor_was_forgotten__then_rows_are_refused(
    engine: Engine, import_file: Any, write: Callable[[str], Path], mapping: Any
) -> None:
    with engine.begin() as connection:
        suppress(connection, ["fine-A1"], at=datetime(2026, 1, 1, tzinfo=UTC))
    summary = import_file(mapping, write(ROWS + "A2,Payment,2007-01-05,1\n"))
    assert (summary.stored, summary.repeated, summary.reasons) == (1, 0, {Refusal.FORGOTTEN: 4})
    with reading(engine) as session:
        assert visitor_id(session, "fine-A1") is None


def test_events__equal_rows__then_each_is_an_event(
    engine: Engine, import_file: Any, write: Callable[[str], Path], mapping: Any
) -> None:
    summary = import_file(mapping, write(ROWS))
    assert (summary.stored, summary.experiments) == (4, [])
    with reading(engine) as session:
        events = visitor_events(session, "fine-A1")
        graph = standard(session, "fines")
    assert sorted(event.name for event in events) == [
        "Create Fine",
        "Payment",
        "Payment",
        "Send Fine",
    ]
    payment = next(event for event in events if event.name == "Payment")
    assert payment.properties == {"value": 35.5}
    assert payment.occurred_at == datetime(2007, 1, 5, tzinfo=UTC)
    assert payment.source == "import"
    assert graph is not None
    assert [stage.key for stage in graph.graph.stages] == ["created", "paid"]


def test_events__longer_copy_of_the_file__then_only_the_new_row_is_stored(
    import_file: Any, write: Callable[[str], Path], mapping: Any
) -> None:
    import_file(mapping, write(ROWS))
    summary = import_file(mapping, write(f"{ROWS}A1,Payment,2007-01-05,35.5\n"))
    assert (summary.stored, summary.repeated) == (1, 4)


def test_events__id_column_declared__then_it_decides_what_is_the_same(
    import_file: Any, write: Callable[[str], Path], mapping: Any
) -> None:
    summary = import_file(mapping | {"message_id": "{case}-{what}"}, write(ROWS))
    assert (summary.stored, summary.repeated) == (3, 1)


def test_events__row_without_a_name__then_it_alone_is_refused(
    import_file: Any, write: Callable[[str], Path], mapping: Any
) -> None:
    summary = import_file(mapping, write(f"{ROWS}A2,,2007-01-05,\n"))
    assert (summary.stored, summary.rejected) == (4, 1)
    assert "what is empty" in Path(summary.rejected_file).read_text(encoding="utf-8")
