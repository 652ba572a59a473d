from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.design import exclusion
from experiments.design.schemas import ExperimentOut, HoldoutIn
from experiments.errors import InvalidError
from experiments.journeys import queries
from experiments.journeys import service as journeys
from experiments.journeys.schemas import JourneyGraph, VersionIn
from experiments.personas import service as personas
from experiments.personas.schemas import PersonaIn


@pytest.fixture
def described(session: Session, actor: Actor, now: datetime) -> None:
    for key in ("careful", "gone"):
        rule = PersonaIn(key=key, name=key, rule={"plan": key})
        personas.create(session, rule, actor=actor, now=now)
    personas.retire(session, "gone", reason="nobody is", actor=actor, now=now)


@pytest.mark.parametrize(
    "audience",
    [
        {"persona": "carefull"},
        {"$or": [{"country": "FR"}, {"persona": {"$in": ["careful", "hasty"]}}]},
        {"$not": {"persona": {"$not": {"$eq": "hasty"}}}},
        {"persona": "gone"},
    ],
)
def test_audience__names_a_persona_that_is_not_in_use__is_refused_with_those_that_are(
    described: None, draft: Callable[..., ExperimentOut], audience: dict[str, Any]
) -> None:
    with pytest.raises(InvalidError, match="ask for one of careful") as refused:
        draft(audience=audience)
    assert [problem.pointer for problem in refused.value.problems] == ["/audience"]


def test_audience__names_what_there_is_or_no_persona_at_all__is_accepted(
    described: None, draft: Callable[..., ExperimentOut]
) -> None:
    for number, audience in enumerate(
        [{"persona": {"$in": ["careful"]}}, {"persona": {"$exists": True}}, {"plan": "hasty"}]
    ):
        assert draft(key=f"test-{number}", audience=audience).audience == audience


@pytest.mark.parametrize(
    ("audience", "fix"),
    [({"persona": "careful"}, "describe it first"), ({"stage": "vsit"}, "'shop' has no stage")],
)
def test_holdout__asks_for_what_is_unknown__is_refused(
    session: Session,
    journey: None,
    audience: dict[str, Any],
    fix: str,
    rng: np.random.Generator,
    actor: Actor,
    now: datetime,
) -> None:
    asked = HoldoutIn(key="h", name="H", journey="shop", share=0.05, audience=audience)
    with pytest.raises(InvalidError, match=fix):
        exclusion.create_holdout(session, asked, rng=rng, actor=actor, now=now)


def test_audience__names_a_stage_of_no_version__is_refused_with_those_there_are(
    draft: Callable[..., ExperimentOut],
) -> None:
    with pytest.raises(InvalidError, match=r"no stage 'sinup'; ask for one of .*signup") as refused:
        draft(audience={"$or": [{"stage": "visit"}, {"stage": {"$in": ["sinup"]}}]})
    assert [problem.pointer for problem in refused.value.problems] == ["/audience"]


def test_audience__names_a_stage_that_only_another_version_has__is_accepted(
    session: Session, draft: Callable[..., ExperimentOut], actor: Actor, now: datetime
) -> None:
    graph = queries.version(session, "shop", 1).graph.model_dump()
    graph["stages"][1]["next"] += ["returned"]
    returned = {**graph["stages"][-1], "key": "returned", "next": [], "touchpoints": []}
    graph["stages"].append(returned)
    changed = VersionIn(graph=JourneyGraph.model_validate(graph))
    journeys.draft_version(session, "shop", changed, actor=actor, now=now)
    assert draft(audience={"stage": {"$ne": "returned"}}).audience
