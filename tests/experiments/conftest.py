"""A trial: a started experiment on the signup journey whose visitors a test writes by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert
from sqlmodel import Session

from experiments.assignment.models import Assignment, Exposure, Visitor
from experiments.assignment.schemas import AssignedBy
from experiments.audit.schemas import Actor
from experiments.design import queries as designs
from experiments.design import service as design
from experiments.design.plans import Plan, PromotionMode
from experiments.design.schemas import ExperimentIn, ExperimentOut, VariantIn
from experiments.events.models import Event
from experiments.journeys import service as journeys
from experiments.journeys.schemas import TemplateIn
from experiments.metrics import service as metrics
from experiments.metrics.schemas import MetricIn


@dataclass(frozen=True)
class Act:
    """An event some hours after the exposure."""

    event: str
    after_hours: float = 1.0
    properties: dict[str, Any] = field(default_factory=dict)
    late_by_hours: float = 0.0


@dataclass
class Trial:
    """A started experiment and the means to fill it with visitors."""

    session: Session
    key: str
    started_at: datetime
    actor: Actor
    numbers: count = field(default_factory=lambda: count(1))  # type: ignore[type-arg] # no such alias

    @property
    def experiment(self) -> ExperimentOut:
        return designs.experiment(self.session, self.key)

    def expose(
        self,
        variant: str,
        visitors: int = 1,
        *,
        at: datetime | None = None,
        acts: Sequence[Act] = (),
        phase: int = 1,
        contaminated: bool = False,
    ) -> None:
        """Let visitors see a variant, each doing the same things afterwards."""
        at = at or self.started_at
        found = self.experiment
        ids = [next(self.numbers) for _ in range(visitors)]
        arm = next(item for item in found.variants if item.key == variant)
        stratum = next(item for item in found.phases if item.number == phase)
        place = {
            "experiment_id": found.id,
            "variant_id": arm.id,
            "phase_id": stratum.id,
        }
        claim = {
            "bucket": 0,
            "propensity": 0.5,
            "method": AssignedBy.HASH,
            "assigned_at": at,
            "contaminated": contaminated,
        }
        self._write(Visitor, [{"id": number, "created_at": at} for number in ids])
        self._write(Assignment, [{"visitor_id": number, **place, **claim} for number in ids])
        self._write(
            Exposure,
            [{"visitor_id": number, **place, "first_at": at, "count": 1} for number in ids],
        )
        for number, act in enumerate(acts):
            self._write(Event, [self._event(one, f"{one}-{number}", act, at) for one in ids])

    def _event(self, visitor: int, message: str, act: Act, at: datetime) -> dict[str, Any]:
        occurred = at + timedelta(hours=act.after_hours)
        return {
            "source_key": "test",
            "message_id": message,
            "type": "track",
            "name": act.event,
            "visitor_id": visitor,
            "source": "web",
            "occurred_at": occurred,
            "received_at": occurred + timedelta(hours=act.late_by_hours),
            "properties": act.properties,
        }

    def _write(self, table: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.session.connection().execute(insert(table), rows)


@pytest.fixture
def act() -> type[Act]:
    """What a visitor does: event, hours after the exposure, properties."""
    return Act


@pytest.fixture
def journey(session: Session, actor: Actor, now: datetime) -> str:
    """The signup journey, published: landing page > signed up > activated > subscribed."""
    journeys.create_from_template(
        session,
        TemplateIn(key="shop", name="Shop", template="signup"),
        actor=actor,
        now=now,
    )
    journeys.publish(session, "shop", 1, reason="first", actor=actor, now=now)
    return "shop"


@pytest.fixture
def start_trial(
    session: Session, journey: str, actor: Actor, now: datetime, rng: np.random.Generator
) -> Callable[..., Trial]:
    """Starts an experiment on the landing page's headline, with a one-day primary metric."""

    def start(
        key: str = "headline",
        *,
        treatments: Sequence[str] = ("bold",),
        more_metrics: Sequence[MetricIn] = (),
        plan: Plan | None = None,
        **fields: Any,
    ) -> Trial:
        signed_up = MetricIn(
            key=f"{key}.signed-up", name="Signed up", rule={"event": "Signed Up"}, window_hours=24
        )
        for metric in (signed_up, *more_metrics):
            metrics.create(session, metric, actor=actor, now=now)
        share = 1 / (len(treatments) + 1)
        data = ExperimentIn(
            key=key,
            name="Headline",
            journey=journey,
            variants=[
                VariantIn(key="control", control=True, weight=share),
                *(VariantIn(key=one, weight=share, content=f"{one}!") for one in treatments),
            ],
            **{
                "touchpoint": "landing_page",
                "slot": "hero_headline",
                "primary_metric": signed_up.key,
                **fields,
            },
            plan=plan or Plan(promotion=PromotionMode.AUTOMATIC, maximum_days=14),
        )
        design.create(session, data, rng=rng, actor=actor, now=now)
        design.start(session, key, actor=actor, now=now)
        return Trial(session=session, key=key, started_at=now, actor=actor)

    return start
