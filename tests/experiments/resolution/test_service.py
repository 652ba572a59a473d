from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, select

from experiments import logs
from experiments.assignment import service as assignment
from experiments.assignment.models import Assignment, Exposure, Visitor
from experiments.assignment.schemas import AliasKind
from experiments.audit.schemas import Actor
from experiments.database import reading, transaction
from experiments.design import exclusion
from experiments.design import service as design
from experiments.design.schemas import ExperimentOut, HoldoutIn, PhaseIn
from experiments.resolution import queries, service
from experiments.resolution.ladder import Rung
from experiments.resolution.ruleset import Ruleset
from experiments.resolution.rulesets import RulesetCache
from experiments.resolution.schemas import ResolveIn, SlotOut

Launch = Callable[..., ExperimentOut]


def ask(session: Session, now: datetime, visitor: str | None = "v", **more: object) -> SlotOut:
    ruleset = queries.ruleset(session)
    return ask_by(ruleset, session, now, visitor, **more)


def ask_by(
    ruleset: Ruleset, session: Session, now: datetime, visitor: str | None, **more: object
) -> SlotOut:
    asked = {"visitor": visitor, "journey": "signup", "touchpoint": "landing_page"} | more
    resolved = service.resolve(session, ruleset, ResolveIn.model_validate(asked), now=now)
    (slot,) = resolved.slots.values()
    return slot


@pytest.fixture
def experiment(
    session: Session, signup: Callable[[Session], None], launch: Launch
) -> ExperimentOut:
    signup(session)
    return launch(session)


def test_resolve__first_request__assigns_and_exposes(
    session: Session, now: datetime, experiment: ExperimentOut
) -> None:
    slot = ask(session, now)
    (row,) = session.exec(select(Assignment)).all()
    (seen,) = session.exec(select(Exposure)).all()
    variant = next(arm for arm in experiment.variants if arm.id == row.variant_id)
    assert (slot.experiment, slot.variant) == ("headline", variant.key)
    assert (row.propensity, row.method, row.assigned_at) == (0.5, "hash", now)
    assert (seen.variant_id, seen.first_at, seen.count) == (variant.id, now, 1)


def test_resolve__repeated__counts_and_stays(
    session: Session, now: datetime, experiment: ExperimentOut
) -> None:
    first = ask(session, now)
    later = ask(session, now + timedelta(days=2))
    (seen,) = session.exec(select(Exposure)).all()
    assert first == later
    assert (seen.first_at, seen.count) == (now, 2)


def test_resolve__repeated__takes_one_look_up_and_one_update(
    engine: Engine, now: datetime, signup: Callable[[Session], None], launch: Launch
) -> None:
    statements: list[str] = []
    with transaction(engine) as session:
        signup(session)
        launch(session)
        ruleset = queries.ruleset(session)
        asked = ResolveIn(visitor="v", journey="signup", touchpoint="landing_page")
        service.resolve(session, ruleset, asked, now=now)

    def note(*happened: object) -> None:
        statements.append(str(happened[2]).split()[0])

    event.listen(engine, "before_cursor_execute", note)
    with transaction(engine) as session:
        service.resolve(session, ruleset, asked, now=now)
    assert [word for word in statements if word != "BEGIN"] == ["SELECT", "UPDATE"]


def test_resolve__nothing_to_write__writes_nothing(
    session: Session, now: datetime, signup: Callable[[Session], None]
) -> None:
    signup(session)
    assert ask(session, now).source is Rung.STANDARD
    assert ask(session, now, visitor=None).value == "Try it for free."
    assert session.exec(select(Visitor)).all() == []


def test_resolve__touchpoint_that_counts_by_event__assigns_without_exposure(
    session: Session, now: datetime, signup: Callable[[Session], None], launch: Launch
) -> None:
    signup(session)
    launch(
        session, touchpoint="first_steps", slot="first_steps_text", primary_metric="signup.signup"
    )
    ask(session, now, touchpoint="first_steps")
    assert len(session.exec(select(Assignment)).all()) == 1
    assert session.exec(select(Exposure)).all() == []


def test_resolve__two_first_requests_at_once__give_one_assignment(
    engine: Engine, now: datetime, signup: Callable[[Session], None], launch: Launch
) -> None:
    with transaction(engine) as session:
        signup(session)
        launch(session)
        assignment.identify(session, "user", anonymous_id="device", as_of=now, now=now)

    def request(number: int) -> str | None:
        with transaction(engine) as session:
            return ask(session, now, visitor=("user", "device")[number % 2]).variant

    with ThreadPoolExecutor(4) as pool:
        variants = set(pool.map(request, range(8)))
    with reading(engine) as session:
        assert len(variants) == 1
        assert len(session.exec(select(Assignment)).all()) == 1
        assert session.exec(select(Exposure)).one().count == 8


def test_resolve__audience__stored_attributes_are_overlaid_by_the_context(
    session: Session, now: datetime, signup: Callable[[Session], None], launch: Launch
) -> None:
    signup(session)
    launch(session, audience={"plan": "pro"})
    visitor = assignment.visitor(session, "v", kind=AliasKind.USER, now=now)
    assignment.set_attributes(session, visitor, {"plan": "pro"}, source="crm", as_of=now)
    assert ask(session, now, context={"plan": "free"}).experiment is None
    assert ask(session, now).experiment == "headline"


def test_resolve__holdout__shows_the_standard(
    session: Session,
    now: datetime,
    experiment: ExperimentOut,
    rng: np.random.Generator,
    actor: Actor,
) -> None:
    data = HoldoutIn(key="quiet", name="Quiet", journey="signup", share=0.5)
    exclusion.create_holdout(session, data, rng=rng, actor=actor, now=now)
    ruleset = queries.ruleset(session)
    slots = [ask_by(ruleset, session, now, f"v{number}") for number in range(40)]
    held = [slot for slot in slots if slot.experiment is None]
    assert 5 < len(held) < 35
    assert len(session.exec(select(Assignment)).all()) == 40 - len(held)


def test_resolve__new_phase__keeps_old_visitors_and_stamps_new_ones(
    session: Session, now: datetime, experiment: ExperimentOut, actor: Actor
) -> None:
    first = queries.ruleset(session)
    before = [ask_by(first, session, now, f"old{number}").variant for number in range(20)]
    data = PhaseIn(weights={"control": 0.1, "pain": 0.9}, reason="ramp")
    later = now + timedelta(days=7)
    opened = design.open_phase(session, "headline", data, actor=actor, now=later)
    second = queries.ruleset(session)
    after = [ask_by(second, session, later, f"old{number}").variant for number in range(20)]
    ask_by(second, session, later, "new")
    newest = session.exec(select(Assignment)).all()[-1]
    assert before == after
    assert newest.phase_id == max(phase.id for phase in opened.phases)


def test_explain__says_what_resolve_would__and_writes_nothing(
    session: Session, now: datetime, experiment: ExperimentOut
) -> None:
    asked = ResolveIn(visitor="v", journey="signup", touchpoint="landing_page")
    told = service.explain(session, queries.ruleset(session), asked)
    assert session.exec(select(Visitor)).all() == []
    assert told.rungs["hero_headline"][0].rung is Rung.FORCED
    assert told.slots["hero_headline"] == ask(session, now)


def test_ruleset_cache__after_a_change__is_read_again_and_a_broken_one_is_not_taken(
    engine: Engine,
    now: datetime,
    actor: Actor,
    signup: Callable[[Session], None],
    launch: Launch,
) -> None:
    logs.configure(as_json=True)
    cache = RulesetCache(engine, poll_seconds=0)
    assert cache.current().journeys == {}
    with transaction(engine) as session:
        signup(session)
        launch(session)
    good = cache.current()
    assert good is cache.current()
    slot = good.journeys["signup"].touchpoints["landing_page"].slots["hero_headline"]
    assert [rule.key for rule in slot.experiments] == ["headline"]
    with transaction(engine) as session:
        design.pause(session, "headline", reason="test", actor=actor, now=now)
    rename(engine, "holdout", "elsewhere")
    try:
        assert cache.current() is good
    finally:
        rename(engine, "elsewhere", "holdout")


def rename(engine: Engine, table: str, name: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")
