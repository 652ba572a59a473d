"""Reading events and what was refused."""

from typing import TypeVar

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from experiments.assignment.queries import visitor_id
from experiments.errors import NotFoundError
from experiments.events.models import Event, RejectedEvent
from experiments.events.schemas import EventOut, RejectedOut

Row = TypeVar("Row", Event, RejectedEvent)
PAGE = 50


def visitor_events(
    session: Session, value: str, *, before: int | None = None, limit: int = PAGE
) -> list[EventOut]:
    """What the visitor with this id did, the newest first, older than event `before` if given.

    Raises:
        NotFoundError: when nobody with that id was ever seen.
    """
    found = visitor_id(session, value)
    if found is None:
        raise NotFoundError("visitor", value)
    query = select(Event).where(Event.visitor_id == found)
    rows = session.exec(_newest(query, Event, before=before, limit=limit))
    return [EventOut.model_validate(row) for row in rows]


def recent(session: Session, *, before: int | None = None, limit: int = PAGE) -> list[EventOut]:
    """What anybody did, the newest first, older than event `before` if given."""
    rows = session.exec(_newest(select(Event), Event, before=before, limit=limit))
    return [EventOut.model_validate(row) for row in rows]


def rejected(
    session: Session, *, before: int | None = None, limit: int = PAGE
) -> list[RejectedOut]:
    """What was refused, the newest first, older than entry `before` if given."""
    rows = session.exec(_newest(select(RejectedEvent), RejectedEvent, before=before, limit=limit))
    return [RejectedOut.model_validate(row) for row in rows]


def _newest(
    query: SelectOfScalar[Row], table: type[Row], *, before: int | None, limit: int
) -> SelectOfScalar[Row]:
    if before is not None:
        query = query.where(col(table.id) < before)
    return query.order_by(col(table.id).desc()).limit(limit)
