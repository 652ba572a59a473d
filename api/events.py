"""What arrives: the newest events, who sends them, and what could not be stored."""

from flask import Blueprint
from pydantic import Field

from api.endpoint import endpoint
from api.paging import Page, Paging, page_by_id, page_of
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading
from experiments.events import queries
from experiments.events.schemas import EventOut, RejectedOut, SenderOut
from experiments.inbox import queries as inbox
from experiments.inbox.schemas import DeadLetterOut

blueprint = Blueprint("events", __name__, url_prefix="/api/v1")


class Rejections(Paging):
    """Which of the events that were refused."""

    reason: str = Field(default="", description="The reason, word by word; all when empty.")


@blueprint.get("/events")
@endpoint(Scope.READ)
def recent_events(asked: Paging) -> Page[EventOut]:
    """What anybody did, the newest first."""
    with reading(runtime().engine) as session:
        found = queries.recent(session, before=asked.after_id, limit=asked.limit + 1)
    return page_by_id(found, asked)


@blueprint.get("/events/rejected")
@endpoint(Scope.READ)
def rejected_events(asked: Rejections) -> Page[RejectedOut]:
    """Events that were refused and why, the newest first; `?reason=` names one reason."""
    before, limit = asked.after_id, asked.limit + 1
    with reading(runtime().engine) as session:
        found = queries.rejected(session, reason=asked.reason, before=before, limit=limit)
    return page_by_id(found, asked)


@blueprint.get("/events/dead-letters")
@endpoint(Scope.READ)
def dead_letters(asked: Paging) -> Page[DeadLetterOut]:
    """What was accepted and the database then refused, the newest first."""
    with reading(runtime().engine) as session:
        found = inbox.dead_letters(session, before=asked.after_id, limit=asked.limit + 1)
    return page_by_id(found, asked)


@blueprint.get("/events/senders")
@endpoint(Scope.READ)
def senders(asked: Paging) -> Page[SenderOut]:
    """Who sends events, and when the last one came."""
    opened = runtime()
    with reading(opened.engine) as session:
        found = queries.senders(session, now=opened.clock.now())
    return page_of(found, asked, key=lambda sender: sender.source_key)
