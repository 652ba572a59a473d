"""Writing the audit trail."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from experiments.audit.models import AuditEntry
from experiments.audit.schemas import Actor


def record(
    session: Session,
    action: str,
    *,
    subject: tuple[str, str],
    actor: Actor,
    now: datetime,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one change; `subject` is (kind, key), `action` reads like `experiment.started`."""
    kind, key = subject
    session.add(
        AuditEntry(
            at=now,
            actor=str(actor),
            action=action,
            subject_kind=kind,
            subject_key=key,
            reason=reason,
            detail=dict(detail or {}),
        )
    )
    session.flush()
