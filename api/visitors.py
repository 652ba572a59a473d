"""One visitor: their ids, attributes, arms and events."""

from flask import Blueprint
from pydantic import AwareDatetime, Field

from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, Query, page_by_id, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.assignment import queries as visitors
from experiments.assignment.schemas import VisitorOut
from experiments.database import reading, transaction
from experiments.erasure import queries as erasures
from experiments.erasure import service as erasure
from experiments.erasure.schemas import ErasedOut, KnownOut
from experiments.events import queries as events
from experiments.events.schemas import EventOut
from experiments.instances import queries as instances
from experiments.instances.schemas import InstanceOut
from experiments.replay import queries as replays
from experiments.replay.schemas import ReplayIn, ReplayOut
from experiments.shapes import Key, parse

blueprint = Blueprint("visitors", __name__, url_prefix="/api/v1")


@blueprint.get("/visitors/<visitor_id>")
@endpoint(Scope.READ)
def visitor(visitor_id: str) -> VisitorOut:
    """The visitor that an id belongs to."""
    with reading(runtime().engine) as session:
        return visitors.visitor(session, visitor_id)


@blueprint.get("/visitors/<visitor_id>/journeys")
@endpoint(Scope.READ)
def visitor_journeys(visitor_id: str, asked: Paging) -> Page[InstanceOut]:
    """Every walk of a visitor through a journey: version, stage and each step."""
    with reading(runtime().engine) as session:
        found = instances.instances(session, visitor_id)
    return page_of(found, asked, lambda item: f"{item.journey} {item.attempt:06}")


@blueprint.get("/visitors/<visitor_id>/events")
@endpoint(Scope.READ)
def visitor_events(visitor_id: str, asked: Paging) -> Page[EventOut]:
    """What a visitor did, the newest first."""
    before, limit = asked.after_id, asked.limit + 1
    with reading(runtime().engine) as session:
        found = events.visitor_events(session, visitor_id, before=before, limit=limit)
    return page_by_id(found, asked)


@blueprint.get("/visitors/<visitor_id>/export")
@endpoint(Scope.MANAGE)
def export(visitor_id: str) -> KnownOut:
    """All that is stored of a visitor, to hand it to them."""
    with reading(runtime().engine) as session:
        return erasures.known(session, visitor_id)


@blueprint.post("/visitors/<visitor_id>/erase")
@endpoint(Scope.MANAGE)
def erase(visitor_id: str) -> ErasedOut:
    """Forget a visitor; late events do not bring them back. Their arms stay, without a name."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return erasure.erase(session, visitor_id, actor=actor(), now=opened.clock.now())


class ReplayQuery(Query):
    """Where and when."""

    journey: Key
    touchpoint: Key
    at: AwareDatetime = Field(description="The moment, with its time zone.")


@blueprint.get("/visitors/<visitor_id>/replay")
@endpoint(Scope.READ)
def replayed(visitor_id: str, asked: ReplayQuery) -> ReplayOut:
    """What a visitor would have been shown at a touchpoint at a time, beside what was logged."""
    wanted = parse(ReplayIn, {"visitor": visitor_id, **asked.model_dump()})
    with reading(runtime().engine) as session:
        return replays.replay(session, wanted)
