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


def test_holdout__names_an_unknown_persona__is_refused(
    session: Session, journey: None, rng: np.random.Generator, actor: Actor, now: datetime
) -> None:
    asked = HoldoutIn(
        key="h", name="H", journey="shop", share=0.05, audience={"persona": "careful"}
    )
    with pytest.raises(InvalidError, match="describe it first"):
        exclusion.create_holdout(session, asked, rng=rng, actor=actor, now=now)
