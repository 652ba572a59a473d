"""What a test at a stage may expect before it starts: who comes, and what the metric is today."""

from datetime import datetime, timedelta

from sqlalchemy import CTE, BigInteger, func, select, type_coerce
from sqlmodel import Session, col

from experiments.analysis.data import Cell
from experiments.analysis.moments import cell
from experiments.database import from_micros
from experiments.design.drafting import stage_of
from experiments.design.schemas import ExperimentIn
from experiments.instances.models import JourneyInstance, StageTransition
from experiments.journeys.models import Journey
from experiments.journeys.schemas import JourneyGraph
from experiments.metrics import queries as metrics
from experiments.metrics.schemas import MetricKind, MetricOut
from experiments.moments.engines import IN_DATABASE
from experiments.shapes import Out

LOOK_BACK = timedelta(days=28)
WEEK = timedelta(days=7)
FEWEST_MATURED = 30
"""With fewer visitors whose window is over, today's figure is a guess and is not told."""


class Expectation(Out):
    """Who entered a stage lately and what became of them; None is what is not known yet."""

    visitors: int
    since: datetime
    until: datetime
    visitors_per_week: int | None
    matured: int
    mean: float | None
    sd: float | None


def expectation(
    session: Session, journey: str, stage: str, *, metric: MetricOut | None, now: datetime
) -> Expectation:
    """The newcomers of a stage in the last four weeks, and a metric of those who have matured.

    Args:
        session: the transaction.
        journey: its key.
        stage: the key of the stage whose entries count.
        metric: what is measured from the entry on; nothing is when None.
        now: entries until then count.
    """
    since = now - LOOK_BACK
    visitors, first_at = _newcomers(session, _entered(journey, stage, since=since, until=now))
    found = None
    if metric is not None and metric.kind is not MetricKind.RATIO:
        window = timedelta(hours=metric.window_hours)
        people = _entered(journey, stage, since=since - window, until=now)
        found = _measured(session, people, metric, now=now)
    known = found if found is not None and found.matured >= FEWEST_MATURED else None
    return Expectation(
        visitors=visitors,
        since=since,
        until=now,
        visitors_per_week=_per_week(visitors, first_at, now),
        matured=found.matured if found else 0,
        mean=known.means[0] if known else None,
        sd=_sd(known) if known else None,
    )


def with_figures(
    session: Session, data: ExperimentIn, *, graph: JourneyGraph, now: datetime
) -> ExperimentIn:
    """A draft whose plan has the figures that it lacks and that the data know.

    Args:
        session: the transaction.
        data: the draft.
        graph: the standard journey.
        now: what was received until then counts.
    """
    plan = data.plan
    stage = stage_of(graph, data.touchpoint, data.variants)
    if stage is None or None not in {plan.visitors_per_week, plan.baseline}:
        return data
    found = metrics.existing(session, [data.primary_metric])
    metric = metrics.metric(session, data.primary_metric) if found else None
    known = expectation(session, data.journey, stage, metric=metric, now=now)
    figures: dict[str, object] = {}
    if plan.visitors_per_week is None:
        figures["visitors_per_week"] = known.visitors_per_week
    if plan.baseline is None and metric is not None:
        figures |= _figures(known, is_rate=metric.kind is MetricKind.CONVERSION)
    return data.model_copy(update={"plan": plan.model_copy(update=figures)})


def _figures(known: Expectation, *, is_rate: bool) -> dict[str, float]:
    """Today's figure as a plan takes it; a rate of nobody or everybody leaves nothing to find."""
    if not known.mean or known.mean < 0 or (is_rate and known.mean >= 1):
        return {}
    figures = {"baseline": round(known.mean, 6)}
    return figures if is_rate or not known.sd else {**figures, "baseline_sd": round(known.sd, 6)}


def _entered(journey: str, stage: str, *, since: datetime, until: datetime) -> CTE:
    """Everybody who entered the stage in the period, once, from their first entry on."""
    at = type_coerce(col(StageTransition.at), BigInteger)
    return (
        select(
            col(JourneyInstance.visitor_id),
            func.min(at).label("first_micros"),
        )
        .join(JourneyInstance, col(JourneyInstance.id) == StageTransition.instance_id)
        .join(Journey, col(Journey.id) == JourneyInstance.journey_id)
        .where(col(Journey.key) == journey, col(StageTransition.to_stage) == stage)
        .where(col(StageTransition.at) >= since, col(StageTransition.at) < until)
        .group_by(col(JourneyInstance.visitor_id))
        .cte("people")
    )


def _measured(session: Session, people: CTE, metric: MetricOut, *, now: datetime) -> Cell | None:
    entered = session.connection().execute(select(people.c.visitor_id, people.c.first_micros))
    answer = IN_DATABASE.answer_of(session, list(entered), metric=metric, as_of=now)
    sums = next(iter(answer.sums[metric.key]), None)
    return None if sums is None else cell(sums, "standard", 1, is_ratio=False)


def _newcomers(session: Session, people: CTE) -> tuple[int, datetime | None]:
    query = select(func.count(), func.min(people.c.first_micros)).select_from(people)
    visitors, first = session.connection().execute(query).one()
    return visitors, None if first is None else from_micros(first)


def _per_week(visitors: int, first_at: datetime | None, now: datetime) -> int | None:
    """Per week since the first of them, so that a young installation is not counted too low."""
    if first_at is None:
        return None
    return max(1, round(visitors / max((now - first_at) / WEEK, 1)))


def _sd(cell: Cell) -> float:
    return float((cell.comoments[0][0] / (cell.matured - 1)) ** 0.5)
