"""One visitor: their ids, attributes, arms and events; and the events that were refused."""

from flask import Blueprint, Response

from api.access import needs
from api.requests import answer, cursor, page, page_size, runtime
from experiments.accounts.schemas import Scope
from experiments.assignment import queries as visitors
from experiments.database import reading
from experiments.events import queries as events

blueprint = Blueprint("visitors", __name__, url_prefix="/api/v1")


@blueprint.get("/visitors/<visitor_id>")
@needs(Scope.READ)
def visitor(visitor_id: str) -> Response:
    """The visitor that an id belongs to."""
    with reading(runtime().engine) as session:
        return answer(visitors.visitor(session, visitor_id))


@blueprint.get("/visitors/<visitor_id>/events")
@needs(Scope.READ)
def visitor_events(visitor_id: str) -> Response:
    """What a visitor did, the newest first."""
    size = page_size()
    with reading(runtime().engine) as session:
        found = events.visitor_events(session, visitor_id, before=cursor(), limit=size)
    return page(found, next_cursor=found[-1].id if len(found) == size else None)


@blueprint.get("/events/rejected")
@needs(Scope.READ)
def rejected_events() -> Response:
    """Events that were refused and why, the newest first."""
    size = page_size()
    with reading(runtime().engine) as session:
        found = events.rejected(session, before=cursor(), limit=size)
    return page(found, next_cursor=found[-1].id if len(found) == size else None)
