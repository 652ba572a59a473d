"""Jobs: remembered, safe to run again, and run by one scheduler at a time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from experiments.database import open_engine, reading, transaction
from experiments.errors import NotFoundError
from experiments.jobs import queries, service
from experiments.jobs.schemas import JobOut
from experiments.jobs.table import JOBS
from experiments.runtime import Runtime, open_runtime
from experiments.settings import Settings

LASTS = timedelta(seconds=20)


@pytest.fixture
def runtime(engine: Engine, tmp_path: Path, clock) -> Iterator[Runtime]:  # type: ignore[no-untyped-def] # defined in conftest.py
    url = engine.url.render_as_string(hide_password=False)
    opened = open_runtime(
        Settings(data_dir=tmp_path, DATABASE_URL=url, seed=1), clock, engine=engine
    )
    yield opened
    opened.close()


def of(runtime: Runtime, name: str) -> JobOut:
    with reading(runtime.engine) as session:
        return next(job for job in queries.jobs(session) if job.name == name)


def test_job__when_run_twice_on_an_empty_installation__then_nothing_breaks(
    runtime: Runtime, subtests: pytest.Subtests
) -> None:
    for job in JOBS:
        with subtests.test(job.name):
            service.run(runtime, job)
            service.run(runtime, job)
            state = of(runtime, job.name)
            assert (state.runs, state.failures) == (2, 0)
            assert state.finished_at == runtime.clock.now()


def test_job__when_it_fails__then_remembered_counted_and_raised(runtime: Runtime) -> None:
    def fail(_: Runtime) -> str:
        message = "the reason"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="the reason"):
        service.run(runtime, replace(JOBS[0], run=fail))
    state = of(runtime, JOBS[0].name)
    assert (state.runs, state.failures, state.outcome) == (1, 1, "failed: the reason")


def test_job__when_killed_halfway__then_the_next_run_goes_on(runtime: Runtime) -> None:
    def die(_: Runtime) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.run(runtime, replace(JOBS[0], run=die))
    assert of(runtime, JOBS[0].name).outcome == "running"
    service.run(runtime, JOBS[0])
    assert of(runtime, JOBS[0].name).runs == 1


def test_job__when_the_name_is_unknown__then_says_so() -> None:
    with pytest.raises(NotFoundError, match="nonsense"):
        service.job("nonsense")


def take(engine: Engine, holder: str, now: datetime) -> bool:
    with transaction(engine) as session:
        return service.take_lease(session, holder, now=now, lasts=LASTS)


def test_lease__when_held__then_a_second_scheduler_waits_until_it_runs_out(
    engine: Engine, now: datetime
) -> None:
    assert take(engine, "first", now)
    assert not take(engine, "second", now + LASTS / 2)
    assert take(engine, "first", now + LASTS / 2)
    assert not take(engine, "second", now + LASTS)
    assert take(engine, "second", now + 2 * LASTS)
    assert not take(engine, "first", now + 2 * LASTS)


def test_lease__when_given_up__then_the_next_takes_it_at_once(
    engine: Engine, now: datetime
) -> None:
    take(engine, "first", now)
    with transaction(engine) as session:
        service.give_up_lease(session, "second")
    assert not take(engine, "second", now)
    with transaction(engine) as session:
        service.give_up_lease(session, "first")
        assert not queries.scheduler_is_alive(session, now=now)
    assert take(engine, "second", now)


def test_heartbeat__when_it_stops__then_the_scheduler_is_not_alive(
    engine: Engine, now: datetime
) -> None:
    take(engine, "first", now)
    with reading(engine) as session:
        assert queries.scheduler_is_alive(session, now=now)
        assert not queries.scheduler_is_alive(session, now=now + LASTS)


def test_database__when_the_address_is_postgres__then_the_driver_is_chosen() -> None:
    settings = Settings(DATABASE_URL="postgres://u@h/d")
    assert settings.storage_url == "postgresql+psycopg://u@h/d"
    assert open_engine(settings.storage_url).dialect.name == "postgresql"
