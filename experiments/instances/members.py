"""Who fits a rule by what is known of them now, and how far they came on a journey."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from experiments.assignment.models import Attribute, Visitor
from experiments.conditions import matches
from experiments.instances.models import JourneyInstance, StageTransition
from experiments.journeys import queries as journeys
from experiments.shapes import Out

_AT_ONCE = 5000
Rules = Mapping[str, Mapping[str, Any]]


class StageReach(Out):
    """Visitors who entered a stage in a period: everybody, and those who fit the rule."""

    stage: str
    everybody: int
    members: int


class MembersOut(Out):
    """How many fit a rule, and how far those who walked a journey in a period came."""

    journey: str
    since: datetime
    until: datetime
    visitors: int
    members: int
    stages: list[StageReach]


def sizes(session: Session, rules: Rules) -> dict[str, int]:
    """How many visitors fit each rule by what is known of them now, in one pass for all."""
    found: Counter[str] = Counter()
    known = 0
    for _, attributes in _known(session):
        known += 1
        found.update(key for key, rule in rules.items() if matches(rule, attributes))
    unknown = _visitors(session) - known
    found.update({key: unknown for key, rule in rules.items() if matches(rule, {})})
    return {key: found[key] for key in rules}


def members(
    session: Session, journey: str, rule: Mapping[str, Any], *, since: datetime, until: datetime
) -> MembersOut:
    """Distinct visitors who entered each stage in [since, until), and those who fit a rule.

    Args:
        session: the transaction.
        journey: its key.
        rule: condition on the visitor's attributes as they are known now.
        since: entries from then on count.
        until: entries before then count.

    Raises:
        NotFoundError: when there is no such journey.
    """
    walking = journeys.journey(session, journey)
    fits_unknown = matches(rule, {})
    fitting = {visitor: matches(rule, attributes) for visitor, attributes in _known(session)}
    walked: dict[int, bool] = {}
    everybody: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    for visitor, stage in _entries(session, walking.id, since=since, until=until):
        walked[visitor] = fitting.get(visitor, fits_unknown)
        everybody[stage] += 1
        reached[stage] += walked[visitor]
    return MembersOut(
        journey=journey,
        since=since,
        until=until,
        visitors=len(walked),
        members=sum(walked.values()),
        stages=[
            StageReach(stage=stage, everybody=number, members=reached[stage])
            for stage, number in everybody.items()
        ],
    )


def _known(session: Session) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every visitor of whom something is known, with it."""
    query = select(Attribute.visitor_id, Attribute.key, Attribute.value)
    query = query.order_by(col(Attribute.visitor_id)).execution_options(yield_per=_AT_ONCE)
    for visitor, rows in groupby(session.exec(query), key=itemgetter(0)):
        yield visitor, {key: value for _, key, value in rows}


def _visitors(session: Session) -> int:
    query = select(func.count()).select_from(Visitor)
    alone = (col(Visitor.merged_into).is_(None), col(Visitor.erased_at).is_(None))
    return session.exec(query.where(*alone)).one()


def _entries(
    session: Session, journey_id: int, *, since: datetime, until: datetime
) -> Iterator[tuple[int, str]]:
    query = (
        select(JourneyInstance.visitor_id, StageTransition.to_stage)
        .where(JourneyInstance.journey_id == journey_id)
        .where(StageTransition.instance_id == JourneyInstance.id)
        .where(col(StageTransition.at) >= since, col(StageTransition.at) < until)
        .distinct()
    )
    yield from session.exec(query.execution_options(yield_per=_AT_ONCE))
