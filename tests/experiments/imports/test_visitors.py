"""Files with a row per visitor."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func
from sqlmodel import SQLModel, select

from experiments.analysis.service import analyse
from experiments.assignment import queries as visitors
from experiments.assignment.models import Assignment, Exposure, Visitor
from experiments.assignment.schemas import AssignedBy
from experiments.assignment.suppression import suppress
from experiments.database import reading, transaction
from experiments.design.models import Experiment
from experiments.design.plans import PromotionMode
from experiments.design.queries import experiment
from experiments.design.schemas import Status
from experiments.errors import ConflictError, InvalidError
from experiments.events.models import Event
from experiments.imports import flows
from experiments.imports.models import ImportRun
from experiments.imports.queries import imports
from experiments.imports.schemas import Refusal
from experiments.journeys.models import Journey
from experiments.journeys.queries import standard

ROWS = """id,arm,bought,spent,country
u1,A,1,20.5,DE
u2,A,0,,FR
u3,B,1,10,
u4,B,1,5,DE
"""


def count(engine: Engine, *tables: type[SQLModel]) -> list[int]:
    with reading(engine) as session:
        return [session.exec(select(func.count()).select_from(table)).one() for table in tables]


def test_import__a_row_per_visitor__then_arms_and_outcomes_are_stored(
    engine: Engine, import_file: Any, write: Callable[[str], Path], visitors_mapping: Any
) -> None:
    summary = import_file(visitors_mapping, write(ROWS))
    assert (summary.rows, summary.stored, summary.rejected) == (4, 4, 0)
    with reading(engine) as session:
        found = visitors.visitor(session, "u1")
        arm = found.assignments[0]
        assert found.attributes == {"country": "DE"}
        assert arm.method is AssignedBy.IMPORT
        assert arm.propensity == pytest.approx(2 / 3)
        made = experiment(session, "banner")
        assert arm.variant_id == made.control.id
        assert made.status is Status.MATURING
        assert made.plan.promotion is PromotionMode.OFF
        assert made.started_at == datetime(2026, 1, 5, tzinfo=UTC)
        assert made.stopped_at == datetime(2026, 1, 19, tzinfo=UTC)
        graph = standard(session, "shop")
        assert graph is not None
        assert [stage.key for stage in graph.graph.stages] == ["shown", "bought"]


def test_import__then_analysis__then_figures_are_those_of_the_file(
    engine: Engine,
    import_file: Any,
    write: Callable[[str], Path],
    visitors_mapping: Any,
    now: datetime,
) -> None:
    import_file(visitors_mapping, write(ROWS))
    with transaction(engine) as session:
        readout = analyse(session, "banner", now=now).readout
    assert readout.metric("shop.bought").arm("control").figure == pytest.approx(1 / 2)
    assert readout.metric("shop.bought").arm("new").figure == pytest.approx(1.0)
    assert readout.metric("shop.spent").arm("control").figure == pytest.approx(20.5 / 2)
    assert readout.metric("shop.spent").arm("new").figure == pytest.approx(15 / 2)


def test_import__same_file_twice__then_nothing_is_doubled(
    engine: Engine, import_file: Any, write: Callable[[str], Path], visitors_mapping: Any
) -> None:
    tables = (Visitor, Assignment, Exposure, Event, Experiment)
    import_file(visitors_mapping, write(ROWS))
    before = count(engine, *tables)
    summary = import_file(visitors_mapping, write(ROWS))
    assert (summary.stored, summary.repeated) == (0, 4)
    assert count(engine, *tables) == before


def test_import__longer_file__then_only_new_rows_are_stored(
    engine: Engine, import_file: Any, write: Callable[[str], Path], visitors_mapping: Any
) -> None:
    import_file(visitors_mapping, write(ROWS))
    summary = import_file(visitors_mapping, write(ROWS + "u5,A,1,1,DE\n"))
    assert (summary.stored, summary.repeated) == (1, 4)
    assert count(engine, Assignment) == [5]


def test_import__killed_after_a_chunk__then_a_second_run_completes_it(
    engine: Engine,
    import_file: Any,
    write: Callable[[str], Path],
    visitors_mapping: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flows, "CHUNK_VISITORS", 3)

    def killed(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(visitors_mapping, write(ROWS), killed)
    assert count(engine, Assignment) == [3]
    with reading(engine) as session:
        assert experiment(session, "banner").status is Status.DRAFT
    import_file(visitors_mapping, write(ROWS))
    assert count(engine, Assignment, Exposure, Event) == [4, 4, 6]
    with reading(engine) as session:
        assert experiment(session, "banner").status is Status.MATURING
        runs = imports(session)
    assert [run.finished_at is None for run in runs] == [False, True]


def test_import__visitor_in_two_arms__then_first_stands_and_is_contaminated(
    engine: Engine, import_file: Any, write: Callable[[str], Path], visitors_mapping: Any
) -> None:
    summary = import_file(visitors_mapping, write(ROWS + "u1,B,1,7,DE\n"))
    assert summary.reasons == {Refusal.CONTAMINATED: 1}
    with reading(engine) as session:
        [arm] = visitors.visitor(session, "u1").assignments
        assert arm.contaminated
        assert arm.variant_id == experiment(session, "banner").control.id
    refused = Path(summary.rejected_file).read_text(encoding="utf-8").splitlines()
    assert refused[0] == "line,reason,id,arm,bought,spent,country"
    assert refused[1] == "6,visitor 'u1' is already in variant 'control',u1,B,1,7,DE"


def test_import__visitor_was_forgotten__then_row_is_refused_and_brings_nobody_back(
    engine: Engine, import_file: Any, write: Callable[[str], Path], visitors_mapping: Any
) -> None:
    with engine.begin() as connection:
        suppress(connection, ["u2"], at=datetime(2026, 1, 1, tzinfo=UTC))
    summary = import_file(visitors_mapping, write(ROWS))
    assert (summary.stored, summary.reasons) == (3, {Refusal.FORGOTTEN: 1})
    assert count(engine, Visitor, Assignment) == [3, 3]


def test_import__page_does_not_fit_the_arm__then_row_is_counted_and_refused(
    engine: Engine, import_file: Any, write: Callable[[str], Path], visitors_mapping: Any
) -> None:
    mapping = visitors_mapping | {"fits": {"new": {"country": "DE"}}}
    summary = import_file(mapping, write(ROWS))
    assert summary.reasons == {Refusal.MISMATCH: 1}
    assert count(engine, Assignment) == [3]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",A,1,1,DE", "id is empty"),
        ("u9,C,1,1,DE", "variant 'C' is not one of: A, B"),
        ("u9,A,1,much,DE", "spent: 'much' is not a number"),
        ("u9,A,1,inf,DE", "spent: 'inf' is not a number"),
        ("u9,A,1", "has 3 fields where the header has 5"),
    ],
)
def test_import__row_that_cannot_be_used__then_it_alone_is_refused(
    import_file: Any,
    write: Callable[[str], Path],
    visitors_mapping: Any,
    row: str,
    reason: str,
) -> None:
    summary = import_file(visitors_mapping, write(f"{ROWS}{row}\n"))
    assert (summary.stored, summary.rejected) == (4, 1)
    assert reason in Path(summary.rejected_file).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"visitor": "{user}"}, "visitor: data.csv has no column 'user'; its columns are: id, arm"),
        ({"outcomes": [{"key": "a", "name": "A", "where": {"paid": 1}}]}, "outcomes/0/where"),
        ({"variant": "{country}"}, "nothing in the file can be read as the mapping says; line 2"),
    ],
)
def test_import__mapping_does_not_fit__then_error_names_it_and_nothing_is_written(
    engine: Engine,
    import_file: Any,
    write: Callable[[str], Path],
    visitors_mapping: Any,
    change: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(InvalidError, match=message):
        import_file(visitors_mapping | change, write(ROWS))
    assert count(engine, Journey, Experiment, ImportRun, Visitor) == [0, 0, 0, 0]


def test_import__other_arms_than_before__then_conflict(
    import_file: Any, write: Callable[[str], Path], visitors_mapping: Any
) -> None:
    import_file(visitors_mapping, write(ROWS))
    visitors_mapping["experiment"]["variants"][1]["key"] = "newer"
    with pytest.raises(ConflictError, match="without the variant 'newer'; it has control, new"):
        import_file(visitors_mapping, write(ROWS))


def test_import__experiment_in_two_chunks_of_time__then_end_moves(
    engine: Engine, import_file: Any, write: Callable[[str], Path], visitors_mapping: Any
) -> None:
    mapping = visitors_mapping | {"at": {"text": "{day}", "zone": "Europe/Berlin"}}
    text = "id,arm,bought,spent,country,day\nu1,A,1,,,2026-01-05\nu2,B,0,,,2026-01-06 12:00\n"
    import_file(mapping, write(text))
    import_file(mapping, write(f"{text}u3,B,0,,,2026-02-01T00:00:00+00:00\n"))
    with reading(engine) as session:
        found = experiment(session, "banner")
    assert found.started_at == datetime(2026, 1, 4, 23, tzinfo=UTC)
    assert found.stopped_at == datetime(2026, 2, 1, tzinfo=UTC)
