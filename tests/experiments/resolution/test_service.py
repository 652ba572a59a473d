from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, SQLModel, select

from experiments.assignment import service as assignment
from experiments.assignment.bucketing import bucket
from experiments.assignment.models import Assignment, Exposure, Visitor
from experiments.assignment.schemas import AliasKind
from experiments.audit.schemas import Actor
from experiments.clock import Clock
from experiments.database import reading, transaction
from experiments.design import exclusion
from experiments.design import service as design
from experiments.design.schemas import ExperimentOut, HoldoutIn, PhaseIn
from experiments.inbox.group_commit import GroupCommit
from experiments.resolution import queries, service
from experiments.resolution.ladder import Rung
from experiments.resolution.memory import Memory
from experiments.resolution.resolver import Resolver
from experiments.resolution.schemas import ResolveIn, SlotOut
from experiments.resolution.spool import Spool

Launch = Callable[..., ExperimentOut]
Row = TypeVar("Row", bound=SQLModel)


@pytest.fixture
def resolver(engine: Engine, clock: Clock, tmp_path: Path) -> Iterator[Resolver]:
    """Answers and records, and remembers nobody."""
    commits = GroupCommit(engine, clock)
    opened = Resolver(engine, commits, Spool(tmp_path / "spool"), memory=Memory(keep_seconds=0))
    yield opened
    opened.close()
    commits.stop()


@pytest.fixture
def experiment(engine: Engine, signup: Callable[[Session], None], launch: Launch) -> ExperimentOut:
    with transaction(engine) as session:
        signup(session)
        return launch(session)


Ask = Callable[..., SlotOut]


@pytest.fixture
def ask(engine: Engine, resolver: Resolver, now: datetime) -> Ask:
    """Resolves the slot of the landing page, or of what is asked for."""

    def resolve(visitor: str | None = "v", *, at: datetime = now, **more: object) -> SlotOut:
        with reading(engine) as session:
            ruleset = queries.ruleset(session)
        asked = {"visitor": visitor, "journey": "signup", "touchpoint": "landing_page"} | more
        resolved = service.resolve(resolver, ruleset, ResolveIn.model_validate(asked), now=at)
        (slot,) = resolved.slots.values()
        return slot

    return resolve


def stored(engine: Engine, table: type[Row]) -> list[Row]:
    with reading(engine) as session:
        return list(session.exec(select(table)))


def test_resolve__first_request__assigns_and_exposes(
    engine: Engine, now: datetime, experiment: ExperimentOut, ask: Ask
) -> None:
    slot = ask()
    (row,), (seen,) = stored(engine, Assignment), stored(engine, Exposure)
    variant = next(arm for arm in experiment.variants if arm.id == row.variant_id)
    assert (slot.experiment, slot.variant) == ("headline", variant.key)
    assert (row.propensity, row.method, row.assigned_at) == (0.5, "hash", now)
    assert (row.bucket, row.contaminated) == (bucket(experiment.salt, "v"), False)
    assert (seen.variant_id, seen.first_at, seen.count) == (variant.id, now, 1)


def test_resolve__repeated__stays_and_is_exposed_once(
    engine: Engine, now: datetime, experiment: ExperimentOut, ask: Ask
) -> None:
    first, later = ask(), ask(at=now + timedelta(days=2))
    (seen,) = stored(engine, Exposure)
    assert first == later
    assert seen.first_at == now


def test_resolve__repeated_from_memory__asks_the_database_nothing(
    engine: Engine, now: datetime, clock: Clock, experiment: ExperimentOut, tmp_path: Path
) -> None:
    commits = GroupCommit(engine, clock)
    resolver = Resolver(engine, commits, Spool(tmp_path), memory=Memory(keep_seconds=60))
    with reading(engine) as session:
        ruleset = queries.ruleset(session)
    asked = ResolveIn(visitor="v", journey="signup", touchpoint="landing_page")
    first = service.resolve(resolver, ruleset, asked, now=now)
    commits.stop()
    statements: list[object] = []
    event.listen(engine, "before_cursor_execute", lambda *happened: statements.append(happened))
    assert service.resolve(resolver, ruleset, asked, now=now) == first
    assert statements == []
    resolver.close()


def test_resolve__repeated_when_memory_forgot__is_looked_up_and_waits_for_no_writer(
    engine: Engine, now: datetime, clock: Clock, experiment: ExperimentOut, tmp_path: Path
) -> None:
    commits, spool = GroupCommit(engine, clock), Spool(tmp_path)
    resolver = Resolver(engine, commits, spool, memory=Memory(keep_seconds=0))
    with reading(engine) as session:
        ruleset = queries.ruleset(session)
    asked = ResolveIn(visitor="v", journey="signup", touchpoint="landing_page")
    first = service.resolve(resolver, ruleset, asked, now=now)
    commits.stop()  # whoever asked it now would be told that nothing can be stored
    assert service.resolve(resolver, ruleset, asked, now=now) == first
    assert spool.is_empty()
    resolver.close()


def test_resolve__nothing_to_record__writes_nothing(
    engine: Engine, signup: Callable[[Session], None], ask: Ask
) -> None:
    with transaction(engine) as session:
        signup(session)
    assert ask().source is Rung.STANDARD
    assert ask(None).value == "Try it for free."
    assert stored(engine, Visitor) == []


def test_resolve__touchpoint_that_counts_by_event__assigns_without_exposure(
    engine: Engine, signup: Callable[[Session], None], launch: Launch, ask: Ask
) -> None:
    place = {"touchpoint": "first_steps", "slot": "first_steps_text"}
    with transaction(engine) as session:
        signup(session)
        launch(session, **place, primary_metric="signup.signup")
    ask(touchpoint="first_steps")
    assert len(stored(engine, Assignment)) == 1
    assert stored(engine, Exposure) == []


def test_resolve__two_ids_of_one_person_at_once__give_one_assignment(
    engine: Engine, now: datetime, experiment: ExperimentOut, ask: Ask
) -> None:
    with transaction(engine) as session:
        assignment.identify(session, "user", anonymous_id="device", as_of=now, now=now)
    with ThreadPoolExecutor(4) as pool:
        slots = pool.map(ask, ["user", "device"] * 4)
    assert len({slot.variant for slot in slots}) == 1
    assert len(stored(engine, Assignment)) == 1
    assert len(stored(engine, Exposure)) == 1


def test_resolve__audience__stored_attributes_are_overlaid_by_the_context(
    engine: Engine, now: datetime, signup: Callable[[Session], None], launch: Launch, ask: Ask
) -> None:
    with transaction(engine) as session:
        signup(session)
        launch(session, audience={"plan": "pro"})
        visitor = assignment.visitor(session, "v", kind=AliasKind.USER, now=now)
        assignment.set_attributes(session, visitor, {"plan": "pro"}, source="crm", as_of=now)
    assert ask(context={"plan": "free"}).experiment is None
    assert ask().experiment == "headline"


def test_resolve__holdout__shows_the_standard(
    engine: Engine,
    now: datetime,
    experiment: ExperimentOut,
    rng: np.random.Generator,
    actor: Actor,
    ask: Ask,
) -> None:
    data = HoldoutIn(key="quiet", name="Quiet", journey="signup", share=0.5)
    with transaction(engine) as session:
        exclusion.create_holdout(session, data, rng=rng, actor=actor, now=now)
    slots = [ask(f"v{number}") for number in range(40)]
    held = [slot for slot in slots if slot.experiment is None]
    assert 5 < len(held) < 35
    assigned = [item.experiment_id for item in stored(engine, Assignment)]
    assert assigned.count(experiment.id) == 40 - len(held)
    # Whoever is held out is in one of the two parts of the holdout instead.
    assert len(assigned) == 40


def test_resolve__new_phase__keeps_old_visitors_and_stamps_new_ones(
    engine: Engine, now: datetime, experiment: ExperimentOut, actor: Actor, ask: Ask
) -> None:
    before = [ask(f"old{number}").variant for number in range(20)]
    data = PhaseIn(weights={"control": 0.1, "pain": 0.9}, reason="ramp")
    later = now + timedelta(days=7)
    with transaction(engine) as session:
        opened = design.open_phase(session, "headline", data, actor=actor, now=later)
    after = [ask(f"old{number}", at=later).variant for number in range(20)]
    ask("new", at=later)
    newest = stored(engine, Assignment)[-1]
    assert before == after
    assert newest.phase_id == max(phase.id for phase in opened.phases)


def test_explain__says_what_resolve_would__and_writes_nothing(
    engine: Engine, experiment: ExperimentOut, ask: Ask
) -> None:
    asked = ResolveIn(visitor="v", journey="signup", touchpoint="landing_page")
    with reading(engine) as session:
        told = service.explain(session, queries.ruleset(session), asked)
    assert stored(engine, Visitor) == []
    assert told.rungs["hero_headline"][0].rung is Rung.FORCED
    assert told.slots["hero_headline"] == ask()
