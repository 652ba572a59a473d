"""What people must be told, over the API."""

from flask import Blueprint, Response, request

from api.access import actor, needs
from api.requests import answer, cursor, page, page_size, runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.notifications import queries, service

blueprint = Blueprint("notifications", __name__, url_prefix="/api/v1/notifications")


@blueprint.get("")
@needs(Scope.READ)
def notifications() -> Response:
    """Notifications, the newest first; `?unread=1` leaves out those that somebody has read."""
    size = page_size()
    unread = request.args.get("unread", "") in {"1", "true"}
    with reading(runtime().engine) as session:
        found = queries.notifications(session, unread=unread, before=cursor(), limit=size + 1)
    shown = found[:size]
    return page(shown, shown[-1].id if len(found) > size else None)


@blueprint.post("/<int:number>/read")
@needs(Scope.MANAGE)
def read_notification(number: int) -> Response:
    """Note that a notification has been read."""
    opened = runtime()
    with transaction(opened.engine) as session:
        noted = service.mark_read(session, number, actor=actor(), now=opened.clock.now())
    return answer(noted)
