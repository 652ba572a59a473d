"""What visitors did, as far as the entry rules of journeys ask: from here instances are derived."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from experiments.events.models import Event
from experiments.instances.schemas import Happening


def visitors_since(session: Session, event_id: int, *, after: int, limit: int) -> list[int]:
    """Visitors above `after` who sent anything later than an event, in their order."""
    query = (
        select(Event.visitor_id)
        .where(col(Event.id) > event_id, col(Event.visitor_id) > after)
        .distinct()
        .order_by(col(Event.visitor_id))
    )
    return list(session.exec(query.limit(limit)))


def newest_before(session: Session, received_by: datetime, *, after: int) -> int:
    """The newest event later than `after` that had been received by then; `after` if none."""
    query = select(func.max(Event.id)).where(
        col(Event.id) > after, col(Event.received_at) <= received_by
    )
    return session.exec(query).one() or after


def happenings(
    session: Session, visitors: Collection[int], names: Collection[str]
) -> Mapping[int, list[Happening]]:
    """The events of these names that each of these visitors caused, also of those without any."""
    query = select(Event).where(col(Event.visitor_id).in_(visitors), col(Event.name).in_(names))
    found: dict[int, list[Happening]] = defaultdict(list, {visitor: [] for visitor in visitors})
    for row in session.exec(query):
        found[row.visitor_id].append(
            Happening(
                event_id=row.id or 0, name=row.name, at=row.occurred_at, properties=row.properties
            )
        )
    return found
