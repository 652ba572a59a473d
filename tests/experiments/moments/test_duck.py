"""One pass over files and what is in SQL only, against visitors added up one by one."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import fs

from experiments.columnar import queries
from experiments.columnar.location import Location
from experiments.columnar.schemas import Kind
from experiments.database import reading
from experiments.errors import DamagedError
from experiments.moments.duck import DuckEngine
from experiments.moments.engines import IN_DATABASE


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), hours=st.sampled_from([24.0, 50.25, 100.0]))
def test_answer__any_history_moved_in_any_parts__is_what_adding_up_visitors_gives(
    world, steps, sums_of, data, hours
):
    world.clear()
    world.play(data.draw(st.lists(steps, max_size=30)))
    found = world.answers(IN_DATABASE, hours=hours)
    assert sums_of(found) == world.counted(hours=hours)
    filed = DuckEngine(location=world.location, visitors_at_once=3)
    assert world.answers(filed, hours=hours) == found
    world.move()
    assert world.answers(filed, hours=hours) == found


def test_answer__amounts_above_a_thousand__are_squared_to_the_last_digit(world, sums_of):
    world.clear()
    for visitor, amount in enumerate([1374.5, 98_765_432.123456, 9_999_999_999.0], start=1):
        world.expose(visitor, 1, 1, 0.0)
        world.act(visitor, "Order", 1.0, {"revenue": amount})
    found = world.answers(DuckEngine(location=world.location), hours=50)
    assert sums_of(found) == world.counted(hours=50)
    assert found[0].sums["revenue-per-visit"][0].yy > 10**32


def test_answer__files_lie_elsewhere_each_with_its_own_visitors__is_the_same(world, tmp_path):
    world.clear()
    for hours in (0.0, 1.0, 2.0):
        for visitor in range(1, 9):
            world.expose(visitor, 1, visitor % 2 + 1, hours)
            world.act(visitor, "Order", hours + 1, {"revenue": visitor})
        world.move()
    world.tidy()
    with reading(world.engine) as session:
        files = queries.files(session, Kind.EVENT)
    assert 0 < sum(file.may_hold(0, 3) for file in files) < len(files)
    elsewhere = Location(
        folder="columnar", remote=fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    )
    there = DuckEngine(location=elsewhere, visitors_at_once=3)
    found = world.answers(there, hours=50)
    assert found == world.answers(DuckEngine(location=world.location), hours=50)
    assert found[0].sums["ordered"][0].conversions == 4


def test_answer__a_file_is_missing__names_it(world):
    world.clear()
    world.expose(1, 1, 1, 0.0)
    world.act(1, "Order", 1.0, {})
    world.move()
    (path,) = Path(world.location.folder).glob("event/*/*.parquet")
    path.unlink()
    with pytest.raises(DamagedError, match=r"event/day=2026-03-02/\w+\.parquet"):
        world.answers(DuckEngine(location=world.location), hours=50)
