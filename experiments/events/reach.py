"""How many visitors did something in a period: the figures on the map and in the report."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from experiments.conditions import matches
from experiments.events.models import Event
from experiments.metrics.schemas import EventRule


def reach(
    session: Session,
    rules: Sequence[EventRule],
    *,
    since: datetime,
    until: datetime,
    received_by: datetime,
) -> list[int]:
    """Distinct visitors per rule whose event happened in [since, until), as received by then."""
    period = (
        col(Event.occurred_at) >= since,
        col(Event.occurred_at) < until,
        col(Event.received_at) <= received_by,
    )
    names = {rule.event for rule in rules}
    counted = (
        select(Event.name, func.count(func.distinct(Event.visitor_id)))
        .where(col(Event.name).in_(names), *period)
        .group_by(Event.name)
    )
    by_name = dict(session.exec(counted).all())
    return [
        _narrowed(session, rule, period) if rule.where else by_name.get(rule.event, 0)
        for rule in rules
    ]


def _narrowed(session: Session, rule: EventRule, period: Sequence[ColumnElement[bool]]) -> int:
    query = select(Event.visitor_id, Event.properties).where(Event.name == rule.event, *period)
    rows = session.exec(query.execution_options(yield_per=1000))
    return len({visitor for visitor, properties in rows if matches(rule.where, properties)})
