"""Killed between any two writes and run again, every job leaves what an unbroken run leaves."""

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert
from sqlmodel import Session

from experiments.assignment.models import Assignment, Exposure
from experiments.audit.schemas import Actor
from experiments.database import open_engine, transaction
from experiments.design import service as design
from experiments.design.plans import Plan, PromotionMode, RampStep
from experiments.design.schemas import ExperimentIn
from experiments.jobs.service import job
from experiments.jobs.table import JOBS
from experiments.probation.queries import probations
from experiments.runtime import open_runtime
from experiments.settings import Settings
from experiments.tables import metadata

DAY = timedelta(days=1)
Doubt = Callable[..., None]
ARMS = ("control", "bold")
DAY_OF_DOUBT = 24.0
LIFE = (
    (1.0, ("activate", "ramp", "locate", "own-aa")),
    (9.0, ("activate", "locate", "own-aa", "analyse", "interference", "decide", "learn", "ramp")),
    (DAY_OF_DOUBT, ("locate", "analyse", "own-aa", "verify", "decide", "describe", "deliver")),
    (90.0, ("activate", "analyse", "own-aa", "decide", "learn", "weekly-report", "housekeeping")),
)
"""The jobs of an installation on some of its days, in the order in which they run."""

ELSEWHERE = {"move", "tidy"}
"""What files need when they are half written is tested where they are written."""

DECISIVE = {
    "locate on day 1",
    "own-aa on day 9",
    "interference on day 9",
    "decide on day 9",
    "learn on day 9",
    "ramp on day 9",
    "verify on day 24",
}
MANY = 40


class KilledError(Exception):
    """The process ended here."""


class Death:
    """Counts what a process is about to write or commit, and ends it at one of these."""

    def __init__(self, at: int | None) -> None:
        self.passed = 0
        self._at = at

    def at_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            self.at_commit()

    def at_commit(self, *_: Any) -> None:
        self.passed += 1
        if self.passed == self._at:
            raise KilledError


@contextmanager
def dying(engine: Engine, death: Death) -> Iterator[None]:
    watched = (("before_cursor_execute", death.at_statement), ("commit", death.at_commit))
    for name, listener in watched:
        event.listen(engine, name, listener)
    try:
        yield
    finally:
        for name, listener in watched:
            event.remove(engine, name, listener)


@cache
def storage(folder: Path) -> Engine:
    """Every process connects anew; the statements are compiled once for all of them."""
    return open_engine(f"sqlite:///{folder}/test.db")


@dataclass(frozen=True)
class Installation:
    """A database in a folder, and a process that opens it anew for each run of a job."""

    folder: Path
    clock: Any

    def run(self, name: str, *, kill_at: int | None = None) -> int:
        """Run a job as a process of its own; how many writes and commits it came past."""
        settings = Settings(data_dir=self.folder, seed=7)
        runtime = open_runtime(settings, self.clock, engine=storage(self.folder))
        death = Death(kill_at)
        try:
            with dying(runtime.engine, death):
                job(name).run(runtime)
        finally:
            runtime.close()
        return death.passed

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table; the names of files are drawn anew each time."""
        with closing(sqlite3.connect(self.folder / "test.db")) as connection:
            return {
                table.name: sorted(connection.execute(f'SELECT * FROM "{table.name}"'), key=str)
                for table in metadata().sorted_tables
                if not table.name.startswith("columnar_")
            }

    def copied(self, name: str) -> "Installation":
        folder = self.folder.with_name(name)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("test.db*"))
        with (
            closing(sqlite3.connect(self.folder / "test.db")) as source,
            closing(sqlite3.connect(folder / "test.db")) as target,
        ):
            source.backup(target)
        return Installation(folder, self.clock)


@pytest.fixture
def installed(
    start_trial: Callable[..., Any],
    act: Any,
    session: Session,
    engine: Engine,
    actor: Actor,
    clock: Any,
    now: datetime,
    rng: Any,
) -> tuple[Installation, Any]:
    """Two tests that share their visitors, one that waits to grow, one that was given up."""
    gone = start_trial("gone")
    gone.expose("bold", 40, at=now, acts=[act("Signed Up", 1)])
    design.abort(session, "gone", reason="no longer wanted", actor=actor, now=now)
    plan = Plan(
        promotion=PromotionMode.AUTOMATIC, maximum_days=14, holdback_share=0.3, probation_days=14
    )
    first = start_trial(plan=plan)
    first.numbers = gone.numbers
    second = start_trial(
        "banner", plan=Plan(maximum_days=28), touchpoint="plan_page", slot="plan_claim"
    )
    start_trial(
        "slow",
        touchpoint="first_steps",
        slot="first_steps_text",
        coverage=0.1,
        ramp=[RampStep(coverage=0.5, healthy=False), RampStep(coverage=1, healthy=False)],
    )
    for (one, two), rate in zip(product(ARMS, ARMS), (0.4, 0.4, 0.5, 0.9), strict=True):
        before = next(first.numbers)
        converted = round(140 * rate)
        at = now + DAY / 2
        first.expose(one, converted, at=at, acts=[act("Signed Up", 1)])
        first.expose(one, 140 - converted, at=at)
        join(second, two, range(before + 1, next(first.numbers)), at=at)
    first.expose("control", 3, at=now + 8.5 * DAY, acts=[act("Page Viewed", 1)])
    draft(session, actor=actor, now=now, rng=rng)
    session.commit()
    return Installation(Path(engine.url.database or "").parent, clock), first


def join(trial: Any, variant: str, people: range, *, at: datetime) -> None:
    """Let visitors of another experiment take part in this one, too."""
    found = trial.experiment
    arm = next(item.id for item in found.variants if item.key == variant)
    place = {"experiment_id": found.id, "variant_id": arm, "phase_id": found.phases[0].id}
    claim = {"bucket": 0, "propensity": 0.5, "method": "hash", "assigned_at": at}
    rows = [{"visitor_id": number, **place} for number in people]
    run = trial.session.connection().execute
    run(insert(Assignment), [{**row, **claim, "contaminated": False} for row in rows])
    run(insert(Exposure), [{**row, "first_at": at, "count": 1} for row in rows])


def draft(session: Session, *, actor: Actor, now: datetime, rng: Any) -> None:
    """An experiment on paths that starts by itself on the first day."""
    document = {
        "key": "short",
        "name": "Short",
        "journey": "shop",
        "level": "path",
        "primary_metric": "shop.subscribe",
        "starts_at": now + DAY / 2,
        "variants": [
            {"key": "control", "control": True, "weight": 0.5},
            {
                "key": "short",
                "weight": 0.5,
                "patch": {
                    "operations": [{"op": "set_wait", "touchpoint": "plan_page", "hours": 4}]
                },
            },
        ],
        "plan": Plan(maximum_days=28),
    }
    data = ExperimentIn.model_validate(document)
    design.create(session, data, rng=rng, actor=actor, now=now)
    design.schedule(session, "short", actor=actor, now=now)


def worsen(trial: Any, act: Any, *, at: datetime) -> None:
    """Fresh visitors on probation, of whom fewer convert with what was promoted."""
    with transaction(trial.session.get_bind()) as session:
        (found,) = probations(session)
        fresh = replace(trial, session=session, key=found.comparison)
        for variant, people, converted in (("before", 150, 90), ("promoted", 350, 70)):
            fresh.expose(variant, converted, at=at, acts=[act("Signed Up", 1)])
            fresh.expose(variant, people - converted, at=at)


def lived(
    installation: Installation, began: datetime, *, watched: Callable[[str], bool], doubt: Doubt
) -> Iterator[tuple[str, Installation, int]]:
    """Each watched run of a job, the installation before it, and how often it can be killed."""
    for day, names in LIFE:
        if day == DAY_OF_DOUBT:
            doubt(at=began + (day - 10) * DAY)
        installation.clock.at = began + day * DAY
        for name in names:
            run = f"{name} on day {day:.0f}"
            if not watched(run):
                installation.run(name)
                continue
            before = installation.copied("before")
            yield run, before, installation.run(name)


def broken(before: Installation, name: str, kill_at: int) -> Installation:
    """What two processes leave of which the first was killed."""
    found = before.copied("broken")
    with pytest.raises(KilledError):
        found.run(name, kill_at=kill_at)
    found.run(name)
    return found


def check(before: Installation, after: Installation, run: str, places: Iterable[int]) -> None:
    expected = after.everything()
    for place in places:
        assert broken(before, run.split()[0], place).everything() == expected, (run, place)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_job__killed_at_some_write_and_run_again__leaves_what_one_run_leaves(
    installed: tuple[Installation, Any], act: Any, now: datetime
) -> None:
    installation, trial = installed
    doubt = partial(worsen, trial, act)
    seen = set()
    for run, before, writes in lived(installation, now, watched=DECISIVE.__contains__, doubt=doubt):
        assert writes > 1, run
        check(before, installation, run, [Random(run).randint(1, writes)])
        seen.add(run)
        if seen == DECISIVE:
            return
    assert seen == DECISIVE


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_job__killed_at_each_write_and_run_again__leaves_what_one_run_leaves(
    installed: tuple[Installation, Any], act: Any, now: datetime
) -> None:
    installation, trial = installed
    doubt = partial(worsen, trial, act)
    wrote = set()
    for run, before, writes in lived(installation, now, watched=bool, doubt=doubt):
        places = range(1, writes + 1)
        check(before, installation, run, Random(run).sample(places, min(MANY, writes)))
        wrote |= {run.split()[0]} if writes else set()
    assert wrote >= {item.name for item in JOBS} - ELSEWHERE
