"""What people must be told, over the API."""

from flask import Blueprint
from pydantic import Field

from api.access import actor
from api.endpoint import endpoint
from api.paging import Page, Paging, page_by_id
from api.requests import runtime
from experiments.accounts.schemas import Scope
from experiments.database import reading, transaction
from experiments.notifications import queries, service
from experiments.notifications.schemas import NotificationOut

blueprint = Blueprint("notifications", __name__, url_prefix="/api/v1/notifications")


class NotificationsQuery(Paging):
    """Which notifications."""

    unread: bool = Field(default=False, description="Only those that nobody has read.")


@blueprint.get("")
@endpoint(Scope.READ)
def notifications(asked: NotificationsQuery) -> Page[NotificationOut]:
    """Notifications, the newest first; `?unread=1` leaves out those that somebody has read."""
    before, limit = asked.after_id, asked.limit + 1
    with reading(runtime().engine) as session:
        found = queries.notifications(session, unread=asked.unread, before=before, limit=limit)
    return page_by_id(found, asked)


@blueprint.post("/<int:number>/read")
@endpoint(Scope.MANAGE)
def read_notification(number: int) -> NotificationOut:
    """Note that a notification has been read."""
    opened = runtime()
    with transaction(opened.engine) as session:
        return service.mark_read(session, number, actor=actor(), now=opened.clock.now())
