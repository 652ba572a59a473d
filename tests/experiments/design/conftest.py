"""A published journey and a draft on it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.design import service
from experiments.design.schemas import ExperimentIn, ExperimentOut
from experiments.journeys import service as journeys
from experiments.journeys.schemas import Template, TemplateIn
from experiments.shapes import parse

Drafting = Callable[..., ExperimentOut]

DRAFT: dict[str, Any] = {
    "key": "headline",
    "name": "Headline",
    "journey": "shop",
    "touchpoint": "landing_page",
    "slot": "hero_headline",
    "hypothesis": {"because": "few go on", "if_we": "name the pain", "then": "more go on"},
    "variants": [
        {"key": "control", "control": True, "weight": 0.5},
        {"key": "pain", "weight": 0.3, "content": "No more paperwork"},
        {"key": "gain", "weight": 0.2, "content": "Free evenings"},
    ],
    "primary_metric": "shop.visit",
    "secondary_metrics": ["shop.signup"],
    "guardrails": [{"metric": "shop.activate"}],
    "plan": {"baseline": 0.2, "visitors_per_week": 50_000},
}


@pytest.fixture
def draft_data() -> Callable[..., ExperimentIn]:
    def data(**changes: Any) -> ExperimentIn:
        return parse(ExperimentIn, {**DRAFT, **changes})

    return data


@pytest.fixture
def journey(session: Session, actor: Actor, now: datetime) -> None:
    data = TemplateIn(key="shop", name="Shop", template=Template.SIGNUP)
    journeys.create_from_template(session, data, actor=actor, now=now)
    journeys.publish(session, "shop", 1, reason="first", actor=actor, now=now)


@pytest.fixture
def draft(
    session: Session,
    journey: None,
    draft_data: Callable[..., ExperimentIn],
    rng: np.random.Generator,
    actor: Actor,
    now: datetime,
) -> Drafting:
    """Drafts an experiment on the standard journey, with changes."""

    def made(**changes: Any) -> ExperimentOut:
        return service.create(session, draft_data(**changes), rng=rng, actor=actor, now=now)

    return made
