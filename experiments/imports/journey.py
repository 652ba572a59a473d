"""Making the journey that imported data belong to, with its metrics."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from experiments.audit.schemas import Actor
from experiments.errors import InvalidError, NotFoundError
from experiments.imports.metrics import metric_key
from experiments.imports.parts import JourneyTarget, StageIn, StagesTarget
from experiments.journeys import queries
from experiments.journeys import service as journeys
from experiments.journeys.schemas import (
    ContentIn,
    ContentType,
    Exposing,
    JourneyGraph,
    JourneyIn,
    Slot,
    Stage,
    Touchpoint,
)
from experiments.metrics import queries as metric_queries
from experiments.metrics import service as metric_service
from experiments.metrics.schemas import EventRule, MetricIn, MetricKind

SHOWN = StageIn(key="shown", name="Shown", event="Experiment Viewed")
STANDARD = "standard"
REASON = "made for imported data"


def ensure_tested_journey(
    session: Session,
    target: JourneyTarget,
    metrics: Sequence[MetricIn],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Make sure that there is a journey in which something was shown and the metrics follow.

    Raises:
        InvalidError: when the journey exists and has no such touchpoint and slot.
    """
    if _exists(session, target.key):
        _check_slot(session, target)
        return _ensure_metrics(session, metrics, actor=actor, now=now)
    reached = [metric for metric in metrics if metric.kind is MetricKind.CONVERSION] or metrics[:1]
    stages = [SHOWN, *(_stage_of(target.key, metric) for metric in reached)]
    goals = [metric.key for metric in reached]
    graph = _graph(stages, [goals[0], *goals], shown=_shown(target))
    content = ContentIn(key=STANDARD, type=ContentType.STRING, payload=STANDARD)
    made = JourneyIn(
        key=target.key, name=target.name, metrics=list(metrics), contents=[content], graph=graph
    )
    return _make(session, made, actor=actor, now=now)


def ensure_journey(session: Session, target: StagesTarget, *, actor: Actor, now: datetime) -> None:
    """Make sure that there is a journey with these stages; one that exists stays as it is."""
    if _exists(session, target.key):
        return
    metrics = [
        MetricIn(
            key=metric_key(target.key, stage.key),
            name=stage.name,
            rule=EventRule(event=stage.event),
        )
        for stage in target.stages
    ]
    graph = _graph(target.stages, [metric.key for metric in metrics], shown=None)
    made = JourneyIn(key=target.key, name=target.name, metrics=metrics, graph=graph)
    _make(session, made, actor=actor, now=now)


def _exists(session: Session, key: str) -> bool:
    try:
        queries.journey(session, key)
    except NotFoundError:
        return False
    return True


def _check_slot(session: Session, target: JourneyTarget) -> None:
    standard = queries.standard(session, target.key)
    if standard is None or standard.graph.slot(target.touchpoint, target.slot) is None:
        detail = (
            f"{target.key!r} exists and its standard version has no slot {target.slot!r} on a "
            f"touchpoint {target.touchpoint!r}; name another touchpoint and slot, or another key"
        )
        raise InvalidError.at("/journey", detail)


def _ensure_metrics(
    session: Session, metrics: Sequence[MetricIn], *, actor: Actor, now: datetime
) -> None:
    known = metric_queries.existing(session, [metric.key for metric in metrics])
    for metric in metrics:
        if metric.key not in known:
            metric_service.create(session, metric, actor=actor, now=now)


def _make(session: Session, made: JourneyIn, *, actor: Actor, now: datetime) -> None:
    journeys.create(session, made, actor=actor, now=now)
    journeys.publish(session, made.key, 1, reason=REASON, actor=actor, now=now)


def _stage_of(journey: str, metric: MetricIn) -> StageIn:
    return StageIn(
        key=metric.key.removeprefix(f"{journey}."), name=metric.name, event=metric.rule.event
    )


def _shown(target: JourneyTarget) -> Touchpoint:
    return Touchpoint(
        key=target.touchpoint,
        name=SHOWN.name,
        slots=[Slot(key=target.slot, content=STANDARD)],
        expose=Exposing.ON_EVENT,
    )


def _graph(
    stages: Sequence[StageIn], goals: Sequence[str], *, shown: Touchpoint | None
) -> JourneyGraph:
    following = [[stage.key] for stage in stages[1:]] + [[]]
    return JourneyGraph(
        stages=[
            Stage(
                key=stage.key,
                name=stage.name,
                entry_rule=EventRule(event=stage.event),
                goal_metric=goal,
                next=after,
                touchpoints=[shown] if shown is not None and stage is SHOWN else [],
            )
            for stage, goal, after in zip(stages, goals, following, strict=True)
        ],
        entry_points=[stages[0].key],
        goal=stages[-1].key,
    )
