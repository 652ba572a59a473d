"""Telling people, and noting that it was read."""

from datetime import datetime

from sqlmodel import Session, select

from experiments.audit import service as audit
from experiments.audit.schemas import Actor
from experiments.database import insert_once
from experiments.errors import NotFoundError
from experiments.notifications.models import Notification
from experiments.notifications.schemas import Notice, NotificationOut


def notify(session: Session, notice: Notice, *, now: datetime) -> bool:
    """Tell people something; False when a notice with this key was told before."""
    kind, key = notice.subject
    row = Notification(
        key=notice.key,
        severity=notice.severity,
        what=notice.what,
        subject_kind=kind,
        subject_key=key,
        at=now,
    )
    return insert_once(session, row)


def mark_read(session: Session, number: int, *, actor: Actor, now: datetime) -> NotificationOut:
    """Note who has read a notification; reading it again changes nothing.

    Raises:
        NotFoundError: when there is none with that number.
    """
    query = select(Notification).where(Notification.id == number).with_for_update()
    row = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFoundError("notification", number)
    if row.read_at is None:
        row.read_by, row.read_at = str(actor), now
        session.flush()
        subject = (row.subject_kind, row.subject_key)
        detail = {"notification": number}
        audit.record(
            session, "notification.read", subject=subject, actor=actor, now=now, detail=detail
        )
    return NotificationOut.model_validate(row)
