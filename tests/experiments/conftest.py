"""A trial: a started experiment on the signup journey whose visitors a test writes by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import pytest
from sqlalchemy import ColumnElement, String, cast, insert, inspect, literal, select
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
    _places: dict[tuple[str, str, int], dict[str, int]] = field(default_factory=dict)

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
        if not visitors:
            return
        at = at or self.started_at
        ids = [next(self.numbers) for _ in range(visitors)]
        place = self._place(variant, phase)
        claim = {
            "bucket": 0,
            "propensity": 0.5,
            "method": AssignedBy.HASH,
            "assigned_at": at,
            "contaminated": contaminated,
        }
        number = _numbers(ids[0], ids[-1])
        self._write(Visitor, id=number, created_at=at)
        self._write(Assignment, visitor_id=number, **place, **claim)
        self._write(Exposure, visitor_id=number, **place, first_at=at, count=1)
        for place_in_row, act in enumerate(acts):
            occurred = at + timedelta(hours=act.after_hours)
            self._write(
                Event,
                source_key="test",
                message_id=cast(number, String) + f"-{place_in_row}",
                type="track",
                name=act.event,
                visitor_id=number,
                source="web",
                occurred_at=occurred,
                received_at=occurred + timedelta(hours=act.late_by_hours),
                properties=act.properties,
            )

    def _place(self, variant: str, phase: int) -> dict[str, int]:
        """Where these visitors are counted; looked up once, because it never changes."""
        name = self.key, variant, phase
        if name not in self._places:
            found = self.experiment
            self._places[name] = {
                "experiment_id": found.id,
                "variant_id": next(item.id for item in found.variants if item.key == variant),
                "phase_id": next(item.id for item in found.phases if item.number == phase),
            }
        return self._places[name]

    def _write(self, table: Any, **row: Any) -> None:
        """The same row for every number: the database makes thousands as quickly as one."""
        columns = inspect(table).columns
        values = [
            value if isinstance(value, ColumnElement) else literal(value, columns[name].type)
            for name, value in row.items()
        ]
        self.session.connection().execute(insert(table).from_select(list(row), select(*values)))


def _numbers(first: int, last: int) -> ColumnElement[int]:
    """A column of whole numbers."""
    one = select(literal(first).label("number")).cte("numbers", recursive=True)
    every = one.union_all(select(one.c.number + 1).where(one.c.number < last))
    return every.c.number


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
