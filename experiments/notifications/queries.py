"""Reading what people were told."""

from sqlmodel import Session, col, select

from experiments.notifications.models import Notification
from experiments.notifications.schemas import NotificationOut


def notifications(
    session: Session,
    *,
    unread: bool = False,
    subject_key: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[NotificationOut]:
    """Notifications, the newest first.

    Args:
        session: the transaction.
        unread: only those that nobody has read.
        subject_key: only those about this subject, if named.
        before: only those older than the notification with this id.
        limit: at most so many.
    """
    query = select(Notification).order_by(col(Notification.id).desc()).limit(limit)
    if unread:
        query = query.where(col(Notification.read_at).is_(None))
    if subject_key:
        query = query.where(Notification.subject_key == subject_key)
    if before is not None:
        query = query.where(col(Notification.id) < before)
    return [NotificationOut.model_validate(row) for row in session.exec(query)]
