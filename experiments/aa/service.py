"""Keeping the A/A: a new week of newcomers, who is in which half, and what the gate would say."""

from datetime import datetime, timedelta

from numpy.random import Generator
from sqlalchemy import RowMapping, and_, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from experiments.aa import queries
from experiments.analysis.queries import latest_run
from experiments.assignment.bucketing import bucket, choose, ranges
from experiments.assignment.models import Assignment, Exposure, Visitor
from experiments.assignment.schemas import AssignedBy
from experiments.audit.schemas import Actor
from experiments.decisions.gate import judge
from experiments.decisions.queries import is_judged
from experiments.decisions.recording import record
from experiments.decisions.trust import Facts
from experiments.design import rows, standing
from experiments.design.models import Experiment
from experiments.design.plans import Plan, PromotionMode
from experiments.design.schemas import ExperimentOut, Purpose, Status, VariantIn
from experiments.imports import bulk
from experiments.journeys import queries as journeys
from experiments.journeys.schemas import JourneyGraph

WEEK = timedelta(days=7)
PLAN = Plan(maximum_days=7, promotion=PromotionMode.OFF)
ARMS = (
    VariantIn(key="a", control=True, weight=0.5),
    VariantIn(key="b", weight=0.5),
)
LONGEST_STEM = 60


def keep(session: Session, journey: str, *, rng: Generator, actor: Actor, now: datetime) -> int:
    """Bring the A/A of a journey up to date; how many visitors were divided. Safe to run twice."""
    known = queries.weeks(session, journey)
    newest = known[-1] if known else None
    if newest is None or _started(newest) + WEEK <= now:
        _begin(session, journey, newest, rng=rng, actor=actor, now=now)
    divided = 0
    for found in queries.weeks(session, journey):
        if found.status is Status.RUNNING:
            divided += _divide(session, found, until=min(_started(found) + WEEK, now))
            _judge(session, found, actor=actor, now=now)
    return divided


def _started(found: ExperimentOut) -> datetime:
    return found.started_at or found.created_at


def _begin(
    session: Session,
    journey: str,
    newest: ExperimentOut | None,
    *,
    rng: Generator,
    actor: Actor,
    now: datetime,
) -> None:
    """Divide the newcomers of the next seven days, by the salt that the journey always had."""
    standard = journeys.standard(session, journey)
    goal = None if standard is None else standard.graph.stage(standard.graph.goal)
    if standard is None or goal is None:
        return
    touchpoint, slot = _first_place(standard.graph)
    data = standing.Standing(
        purpose=Purpose.AA,
        key=f"aa.{journey[:LONGEST_STEM]}.{now:%Y-%m-%d}",
        name=f"A/A of {journey}, newcomers from {now:%d %B %Y}",
        journey=journey,
        base_version=standard.number,
        touchpoint=touchpoint,
        slot=slot,
        salt=rows.new_salt(rng) if newest is None else newest.salt,
        arms=ARMS,
        primary_metric=goal.goal_metric,
        plan=PLAN,
    )
    standing.begin(session, data, actor=actor, now=now)


def _first_place(graph: JourneyGraph) -> tuple[str, str]:
    """Where the journey begins, so that every stage is read."""
    points = [point for stage in graph.stages for point in stage.touchpoints]
    first = next((point for point in points if point.slots), None)
    return ("", "") if first is None else (first.key, first.slots[0].key)


def _divide(session: Session, found: ExperimentOut, *, until: datetime) -> int:
    """Put everybody who first met a test of the journey in the week into one half, once."""
    newcomers = _newcomers(session, found, until=until)
    divided = [_places(found, row) for row in newcomers]
    bulk.add(session, Assignment, [assignment for assignment, _ in divided])
    bulk.add(session, Exposure, [exposure for _, exposure in divided])
    return len(newcomers)


def _newcomers(session: Session, found: ExperimentOut, *, until: datetime) -> list[RowMapping]:
    """Visitors whose first exposure on the journey lies in the week and who have no half yet."""
    earlier, test = aliased(Exposure), aliased(Experiment)
    journey_id = journeys.journey(session, found.journey).id
    on_journey = and_(
        col(Experiment.journey_id) == journey_id, col(Experiment.purpose) != Purpose.AA
    )
    came_before = (
        select(earlier.id)
        .join(test, col(test.id) == col(earlier.experiment_id))
        .where(col(earlier.visitor_id) == col(Exposure.visitor_id))
        .where(col(test.journey_id) == journey_id, col(test.purpose) != Purpose.AA)
        .where(col(earlier.first_at) < _started(found))
    )
    has_half = select(Assignment.id).where(
        Assignment.experiment_id == found.id,
        col(Assignment.visitor_id) == col(Exposure.visitor_id),
    )
    query = (
        select(Exposure.visitor_id, func.min(Exposure.first_at).label("first_at"))
        .join(Experiment, and_(col(Experiment.id) == col(Exposure.experiment_id), on_journey))
        .join(Visitor, col(Visitor.id) == col(Exposure.visitor_id))
        .where(col(Exposure.first_at) >= _started(found), col(Exposure.first_at) < until)
        .where(col(Visitor.merged_into).is_(None), ~exists(came_before), ~exists(has_half))
        .group_by(col(Exposure.visitor_id))
    )
    return list(session.connection().execute(query).mappings())


def _places(found: ExperimentOut, newcomer: RowMapping) -> tuple[bulk.Record, bulk.Record]:
    """The half of one visitor, by the very hash that divides the visitors of tests."""
    stretches = ranges([arm.weight for arm in found.variants], 1.0)
    number = bucket(found.salt, str(newcomer["visitor_id"]))
    arm = found.variants[choose(number, stretches) or 0]
    place: bulk.Record = {
        "experiment_id": found.id,
        "visitor_id": newcomer["visitor_id"],
        "variant_id": arm.id,
        "phase_id": found.phases[0].id,
    }
    claim = {
        "bucket": number,
        "propensity": arm.weight,
        "method": AssignedBy.HASH,
        "assigned_at": newcomer["first_at"],
        "contaminated": False,
    }
    return {**place, **claim}, {**place, "first_at": newcomer["first_at"], "count": 1}


def _judge(session: Session, found: ExperimentOut, *, actor: Actor, now: datetime) -> None:
    """Write down what the gate says of the newest look, and end the week after its last."""
    run = latest_run(session, found.key)
    if run is None or is_judged(session, run.id):
        return
    verdict = judge(run.readout, found.plan, Facts(enrolling=False))
    record(session, found.id, run, verdict, actor=actor, now=now)
    if run.readout.finished:
        standing.end(session, found.id, reason="everybody has matured", actor=actor, now=now)
