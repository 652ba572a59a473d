"""One pass over files and what is in SQL only, against visitors added up one by one."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.errors import DamagedError
from experiments.moments.duck import DuckEngine
from experiments.moments.engines import IN_DATABASE

VISITORS = st.integers(1, 8)
HOURS = st.integers(0, 60 * 60).map(lambda minutes: minutes / 60)
AMOUNTS = st.one_of(
    st.integers(-5, 30),
    st.decimals(-30, 30, places=7).map(float),
    st.sampled_from([True, "9", None, 1e10, -1e12, 0.1234565, 1e-7, 12.345678901234567]),
)
STEPS = st.one_of(
    st.tuples(st.just("expose"), VISITORS, st.integers(1, 2), st.integers(1, 2), HOURS),
    st.builds(
        lambda visitor, name, hours, plan, amount, late: (
            "act",
            visitor,
            name,
            hours,
            {"plan": plan, "revenue": amount},
            late,
        ),
        VISITORS,
        st.sampled_from(["Order", "Visit", "Other"]),
        HOURS,
        st.sampled_from(["pro", "free"]),
        AMOUNTS,
        st.sampled_from([0.0, 0.5, 30.0]),
    ),
    st.tuples(st.just("merge"), VISITORS, VISITORS),
    st.tuples(st.just("move")),
)


def play(world, steps) -> None:
    for kind, *given_ in steps:
        if kind == "act":
            *where, late = given_
            world.act(*where, late=late)
        else:
            getattr(world, kind)(*given_)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, max_size=30), hours=st.sampled_from([24.0, 50.25, 100.0]))
def test_answer__any_history_moved_in_any_parts__is_what_adding_up_visitors_gives(
    world, sums_of, steps, hours
):
    world.clear()
    play(world, steps)
    found = world.answers(IN_DATABASE, hours=hours)
    assert sums_of(found) == world.counted(hours=hours)
    filed = DuckEngine(location=world.location, visitors_at_once=3)
    assert world.answers(filed, hours=hours) == found
    world.move()
    assert world.answers(filed, hours=hours) == found


def test_answer__a_file_is_missing__names_it(world):
    world.clear()
    world.expose(1, 1, 1, 0.0)
    world.act(1, "Order", 1.0, {})
    world.move()
    (path,) = Path(world.location.folder).glob("event/*/*.parquet")
    path.unlink()
    with pytest.raises(DamagedError, match=r"event/day=2026-03-02/\w+\.parquet"):
        world.answers(DuckEngine(location=world.location), hours=50)
