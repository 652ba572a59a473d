"""Looks that go on from the last one, against looks at everything."""

from dataclasses import replace

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from experiments.database import transaction
from experiments.moments.duck import DuckEngine
from experiments.moments.kept import KeptEngine


@pytest.fixture
def full(world):
    return DuckEngine(location=world.location)


@pytest.fixture
def kept(full, tmp_path):
    return KeptEngine(full=full, path=tmp_path / "kept" / "moments.duckdb")


def check(world, full, kept, data, steps, inquiries):
    """Any history in any batches; sometimes a metric is corrected between two looks."""
    world.clear()
    kept.path.unlink(missing_ok=True)
    asked = inquiries[:2]
    for number in range(data.draw(st.integers(1, 4))):
        world.play(data.draw(st.lists(steps, max_size=12)))
        world.move()
        if data.draw(st.integers(0, 5)) == 0:
            first = asked[0]
            asked = [replace(first, metrics=first.metrics[1:] or first.metrics), *asked[1:]]
        at = 40.0 + 20.25 * number
        found = world.answers(kept, hours=at, inquiries=asked)
        assert found == world.answers(full, hours=at, inquiries=asked)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "examples", [pytest.param(4, id="some"), pytest.param(100, marks=pytest.mark.slow, id="many")]
)
def test_answer__batches_late_events_merges_corrections__equal_a_look_at_everything(
    world, full, kept, steps, inquiries, examples
):
    @settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def holds(data):
        check(world, full, kept, data, steps, inquiries)

    holds()


def test_answer__done_again_later_and_sooner__equals_a_look_at_everything(
    world, full, kept, inquiries
):
    world.clear()
    world.expose(1, 1, 1, 0.0)
    for visits in ((("Order", 5.0),), (("Order", 6.0), ("Visit", 6.0)), (("Order", 3.0),)):
        for name, hours in visits:
            world.act(1, name, hours, {"revenue": 7})
        world.move()
        found = world.answers(kept, hours=50, inquiries=inquiries[:2])
        assert found == world.answers(full, hours=50, inquiries=inquiries[:2])
    assert [sums.delay for sums in found[0].sums["ordered"]] == [3 * 60]


def test_answer__state_is_damaged__is_made_anew(world, full, kept, inquiries):
    world.clear()
    world.expose(1, 1, 1, 0.0)
    world.act(1, "Order", 1.0, {})
    world.move()
    expected = world.answers(full, hours=50, inquiries=inquiries[:2])
    kept.path.parent.mkdir()
    kept.path.write_bytes(b"no database" * 1000)
    assert world.answers(kept, hours=50, inquiries=inquiries[:2]) == expected
    with duckdb.connect(str(kept.path)) as state:
        state.execute("DROP TABLE cell")
    assert world.answers(kept, hours=50, inquiries=inquiries[:2]) == expected
    assert not kept.path.exists()
    assert world.answers(kept, hours=50, inquiries=inquiries[:2]) == expected


def test_answer__database_was_put_back_to_a_backup__counts_nothing_twice(
    world, full, kept, inquiries
):
    world.clear()
    world.expose(1, 1, 1, 0.0)
    world.move()
    world.act(1, "Visit", 1.0, {})
    world.move()
    world.answers(kept, hours=50, inquiries=inquiries[:2])
    with transaction(world.engine) as session:
        for table, change in (("file", "DELETE FROM"), ("mark", "UPDATE")):
            rest = " SET last_id = 0" if table == "mark" else ""
            row = f"{change} columnar_{table}{rest} WHERE kind = 'event'"
            session.connection().execute(text(row))
    world.answers(kept, hours=50, inquiries=inquiries[:2])
    world.move()
    found = world.answers(kept, hours=50, inquiries=inquiries[:2])
    assert found == world.answers(full, hours=50, inquiries=inquiries[:2])
