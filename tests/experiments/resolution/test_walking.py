"""Which path a visitor walks, from a ruleset read out of storage."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session

from experiments.assignment.schemas import Standing, StoredArm
from experiments.audit.schemas import Actor
from experiments.design import queries as designs
from experiments.design import service as design
from experiments.design.schemas import ExperimentIn, ExperimentOut
from experiments.errors import InvalidError
from experiments.journeys import queries as journeys
from experiments.journeys import service as journey_service
from experiments.journeys.schemas import InFlight, JourneyGraph, VersionIn
from experiments.resolution.enrolment import Question
from experiments.resolution.ladder import Place, Resolved, climb
from experiments.resolution.overrides import Forced
from experiments.resolution.queries import ruleset

Start = Callable[..., ExperimentOut]


@pytest.fixture
def start(
    session: Session,
    signup: Callable[[Session], None],
    actor: Actor,
    now: datetime,
    rng: np.random.Generator,
) -> Start:
    """Starts an experiment that skips the stage `signup` for everybody but the control."""
    signup(session)

    def started(key: str = "short", *, weight: float = 0.5, **changes: Any) -> ExperimentOut:
        data = {
            "key": key,
            "name": key,
            "journey": "signup",
            "level": "path",
            "variants": [
                {"key": "control", "control": True, "weight": 1 - weight},
                {
                    "key": "short",
                    "weight": weight,
                    "patch": {"operations": [{"op": "skip_stage", "stage": "signup"}]},
                },
            ],
            "primary_metric": "signup.signup",
            **changes,
        }
        design.create(session, ExperimentIn.model_validate(data), rng=rng, actor=actor, now=now)
        return design.start(session, key, actor=actor, now=now)

    return started


def ask(session: Session, touchpoint: str = "first_steps", **question: Any) -> Resolved:
    asked = Question(**{"visitor": "ann", **question})
    return climb(ruleset(session), Place("signup", touchpoint), asked)


def standing(session: Session, version: int, stage: str) -> dict[int, Standing]:
    return {journeys.journey(session, "signup").id: Standing(version, stage)}


def test_climb__at_the_parting__counts_in_every_arm_also_where_it_is_left_out(
    session: Session, start: Start
) -> None:
    found = start()
    arms = {arm.key for arm in found.variants}
    met = {}
    for number in range(40):
        early = ask(session, "landing_page", visitor=f"v{number}")
        late = ask(session, visitor=f"v{number}")
        assert early.path is not None
        assert late.path is not None
        assert early.path.arm.key == late.path.arm.key
        assert (early.path, False) in early.met()
        assert (late.path, True) in late.met()
        met[late.path.arm.key] = late.on_path
    assert met == {"control": True, "short": False}
    assert set(met) == arms


def test_climb__past_the_parting__takes_nobody_new(session: Session, start: Start) -> None:
    start()
    assert ask(session, standing=standing(session, 2, "activate")).path is None
    assert ask(session, standing=standing(session, 2, "visit")).path is not None


def test_climb__nobody_known_or_held_out__walks_the_standard(
    session: Session, start: Start
) -> None:
    start()
    assert ask(session, visitor=None).path is None


def test_climb__preview_of_a_path__shows_it_and_counts_nothing(
    session: Session, start: Start
) -> None:
    start()
    seen = ask(session, forced=Forced(experiment="short", variant="short"))
    assert (seen.on_path, seen.met()) == (False, [])
    seen = ask(session, forced=Forced(experiment="short", variant="control"))
    assert (seen.on_path, seen.met()) == (True, [])


def test_climb__variant_taken_out__walks_the_standard(
    session: Session, start: Start, actor: Actor, now: datetime
) -> None:
    start(
        variants=[
            {"key": "control", "control": True, "weight": 0.2},
            *(
                {
                    "key": key,
                    "weight": 0.4,
                    "patch": {"operations": [{"op": "skip_stage", "stage": "signup"}]},
                }
                for key in ("one", "two")
            ),
        ]
    )
    design.remove_variant(session, "short", "one", reason="harm", actor=actor, now=now)
    [gone] = [arm for arm in designs.experiment(session, "short").variants if arm.key == "one"]
    rule = ruleset(session).journeys["signup"].paths[0].rule
    seen = ask(session, arms={rule.id: StoredArm(gone.id, rule.phase_id, 1)})
    assert seen.on_path


@pytest.mark.parametrize(("in_flight", "on_path"), [(InFlight.PINNED, True), (InFlight.NOW, False)])
def test_climb__under_way_on_an_earlier_path__is_what_the_publication_says(
    session: Session,
    signup: Callable[[Session], None],
    actor: Actor,
    now: datetime,
    in_flight: InFlight,
    on_path: bool,
) -> None:
    signup(session)
    document = journeys.version(session, "signup", 2).graph.model_dump()
    document["stages"][0]["next"] = ["activate"]
    document["stages"] = [stage for stage in document["stages"] if stage["key"] != "signup"]
    draft = VersionIn(graph=JourneyGraph.model_validate(document))
    made = journey_service.draft_version(session, "signup", draft, actor=actor, now=now)
    journey_service.publish(
        session,
        "signup",
        made.number,
        reason="shorter",
        in_flight=in_flight,
        actor=actor,
        now=now,
    )
    assert ask(session).on_path is False
    assert ask(session, standing=standing(session, 2, "visit")).on_path is on_path


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ({"op": "skip_stage", "stage": "visit"}, "no stage in common before they part"),
        ({"op": "skip_stage", "stage": "subscribe"}, "is the goal"),
    ],
)
def test_start__paths_that_cannot_be_compared__is_refused(
    session: Session, start: Start, operation: dict[str, Any], words: str
) -> None:
    variants = [
        {"key": "control", "control": True, "weight": 0.5},
        {"key": "b", "weight": 0.5, "patch": {"operations": [operation]}},
    ]
    with pytest.raises(InvalidError, match=words):
        start(variants=variants)


def test_start__another_on_the_paths_of_the_journey__is_refused(
    session: Session, start: Start
) -> None:
    start()
    with pytest.raises(InvalidError, match="a visitor can walk one only"):
        start("second")
