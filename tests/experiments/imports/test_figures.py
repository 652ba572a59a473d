"""Files with a row per arm, and files with figures over time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from experiments.analysis.models import StoredMoments
from experiments.analysis.queries import runs
from experiments.database import reading
from experiments.design.queries import experiment, experiments
from experiments.design.schemas import Source, Status
from experiments.errors import InvalidError
from experiments.imports.looks import look
from experiments.imports.schemas import Refusal

TOTALS = """test,arm,week,shown,clicks
t1,1,201446,1000,50
t2,1,201446,500,10
t1,2,201446,1010,80
t2,2,201446,495,12
"""
SNAPSHOTS = """test,arm,metric,day,n_c,n_t,m_c,m_t,v_c,v_t
a,1,1,1.5,1000,1010,0.1,0.12,,
a,1,2,1.5,1000,1010,5,6,4,4
a,1,1,7,5000,5010,0.1,0.12,0.09,0.1056
a,1,2,7,5000,5010,5,6,4,4
"""


def test_totals__two_experiments__then_moments_are_those_of_the_counts(
    engine: Engine, import_file: Any, write: Callable[[str], Path], totals_mapping: Any
) -> None:
    summary = import_file(totals_mapping, write(TOTALS))
    assert summary.experiments == ["test-t1", "test-t2"]
    with reading(engine) as session:
        found = experiment(session, "test-t1")
        rows = session.exec(
            select(StoredMoments)
            .where(StoredMoments.experiment_id == found.id)
            .order_by(col(StoredMoments.variant_id))
        ).all()
    assert (found.source, found.status, found.control.key) == (
        Source.TOTALS,
        Status.MATURING,
        "arm-1",
    )
    # Week 46 of 2014, weeks beginning on Sunday, began on 16 November.
    assert found.started_at == datetime(2014, 11, 16, tzinfo=UTC)
    assert [(row.visitors, row.mean) for row in rows] == [(1000, 0.05), (1010, 80 / 1010)]
    assert rows[0].m2 == pytest.approx(50 * 0.95)


def test_totals__imported_twice__then_all_is_there_already(
    import_file: Any, write: Callable[[str], Path], totals_mapping: Any
) -> None:
    import_file(totals_mapping, write(TOTALS))
    summary = import_file(totals_mapping, write(TOTALS))
    assert (summary.stored, summary.repeated, summary.rejected) == (0, 4, 0)


def test_totals__other_figures_than_before__then_conflict_is_told(
    import_file: Any, write: Callable[[str], Path], totals_mapping: Any
) -> None:
    import_file(totals_mapping, write(TOTALS))
    summary = import_file(totals_mapping, write(TOTALS.replace("1010,80", "1010,99")))
    assert summary.reasons == {Refusal.CONFLICT: 1}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("t3,1,201446,10,1", "has one arm only"),
        ("t1,3,201446,10,11", "11 conversions of 10 visitors"),
        ("t1,3,201446,0,0", "shown is 0"),
        ("t1,3,201446,1.5,0", "is not a whole number"),
        ("t1,3,week,10,1", "does not read as"),
    ],
)
def test_totals__row_that_cannot_be_used__then_it_alone_is_refused(
    import_file: Any, write: Callable[[str], Path], totals_mapping: Any, row: str, reason: str
) -> None:
    summary = import_file(totals_mapping, write(f"{TOTALS}{row}\n"))
    assert (summary.stored, summary.rejected) == (4, 1)
    assert reason in Path(summary.rejected_file).read_text(encoding="utf-8")


def test_totals__control_that_no_experiment_has__then_nothing_is_written(
    engine: Engine, import_file: Any, write: Callable[[str], Path], totals_mapping: Any
) -> None:
    totals_mapping["experiment"]["control"] = "arm-0"
    with pytest.raises(InvalidError, match="has no arm 'arm-0' to be the control"):
        import_file(totals_mapping, write(TOTALS))
    with reading(engine) as session:
        assert experiments(session) == []


def test_snapshots__control_beside_treatment__then_both_are_stored(
    engine: Engine, import_file: Any, write: Callable[[str], Path], snapshots_mapping: Any
) -> None:
    summary = import_file(snapshots_mapping, write(SNAPSHOTS))
    assert (summary.stored, summary.rejected) == (4, 0)
    with reading(engine) as session:
        rows = session.exec(select(StoredMoments)).all()
        found = experiment(session, "x-a")
    assert len(rows) == 8
    assert found.control.key == "control"
    # A rate tells its variance; of amounts the file's variance is the mean squared deviation.
    assert {round(row.m2, 6) for row in rows if row.visitors == 1000} == {90.0, 4000.0}


def test_snapshots__looked_at__then_one_look_at_each_time_in_order(
    engine: Engine,
    import_file: Any,
    write: Callable[[str], Path],
    snapshots_mapping: Any,
    now: datetime,
) -> None:
    import_file(snapshots_mapping, write(SNAPSHOTS))
    newest = look(engine, "x-a", now=now)
    start = datetime(2026, 1, 5, tzinfo=UTC)
    with reading(engine) as session:
        looks = [run.as_of - start for run in reversed(runs(session, "x-a"))]
    assert looks == [timedelta(days=1.5), timedelta(days=7)]
    assert newest.look == 2
    assert look(engine, "x-a", now=now).id == newest.id
