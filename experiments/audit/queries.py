"""Reading the audit trail."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from experiments.audit.models import AuditEntry
from experiments.audit.schemas import AuditOut

RECENT = 500  # more changes than are ever under way at once


def live_version(session: Session) -> int:
    """The number of the newest change; grows with everything that can alter an answer."""
    return session.exec(select(func.max(AuditEntry.id))).one() or 0


def changed_at(session: Session, version: int) -> datetime | None:
    """When the change of that number was made; none when nothing was ever changed."""
    return session.exec(select(AuditEntry.at).where(AuditEntry.id == version)).one_or_none()


def changes(session: Session) -> tuple[int, int]:
    """What differs whenever something changed: the newest entry and how many of the last there are.

    The newest alone is not enough where several write: an entry with a lower number may appear
    later, when its transaction ends.
    """
    newest = live_version(session)
    recent = select(func.count()).where(col(AuditEntry.id) > newest - RECENT)
    return newest, session.exec(recent).one()


def began_at(session: Session) -> datetime | None:
    """When the first change was made here, if any was."""
    query = select(AuditEntry.at).order_by(col(AuditEntry.id)).limit(1)
    return session.exec(query).one_or_none()


def entries(
    session: Session, *, subject_key: str = "", before: int | None = None, limit: int = 50
) -> list[AuditOut]:
    """The newest changes first, of one subject if named, older than entry `before` if given."""
    query = select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(limit)
    if subject_key:
        query = query.where(AuditEntry.subject_key == subject_key)
    if before is not None:
        query = query.where(col(AuditEntry.id) < before)
    return [AuditOut.model_validate(entry) for entry in session.exec(query)]
