"""One visitor: their ids, attributes, arms and events."""

from flask import Blueprint

from api.endpoint import endpoint
from api.paging import Page, Paging, page_by_id
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.assignment import queries as visitors
from experiments.assignment.schemas import VisitorOut
from experiments.database import reading
from experiments.events import queries as events
from experiments.events.schemas import EventOut

blueprint = Blueprint("visitors", __name__, url_prefix="/api/v1")


@blueprint.get("/visitors/<visitor_id>")
@endpoint(Scope.READ)
def visitor(visitor_id: str) -> VisitorOut:
    """The visitor that an id belongs to."""
    with reading(runtime().engine) as session:
        return visitors.visitor(session, visitor_id)


@blueprint.get("/visitors/<visitor_id>/events")
@endpoint(Scope.READ)
def visitor_events(visitor_id: str, asked: Paging) -> Page[EventOut]:
    """What a visitor did, the newest first."""
    before, limit = asked.after_id, asked.limit + 1
    with reading(runtime().engine) as session:
        found = events.visitor_events(session, visitor_id, before=before, limit=limit)
    return page_by_id(found, asked)
