"""What endpoints are told: the changes that matter, read off the audit trail and notifications."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from html import escape
from typing import Any

from sqlmodel import Session, col, select

from experiments.audit.models import AuditEntry
from experiments.delivery.models import Endpoint
from experiments.delivery.schemas import Channel, EventType, Message
from experiments.delivery.service import enqueue
from experiments.notifications.models import Notification

# A transaction that began earlier may end later; what was read before is not written twice.
OVERLAP = timedelta(hours=1)
ACTIONS = {
    "experiment.judged": EventType.DECISION,
    "promotion.applied": EventType.PROMOTION,
    "promotion.rebased": EventType.PROMOTION,
    "promotion.rolled_back": EventType.DEMOTION,
    "report.written": EventType.REPORT,
}


def collect(session: Session, *, now: datetime) -> int:
    """Write to the outbox what endpoints have not been told yet; the number of messages."""
    living = select(Endpoint).where(col(Endpoint.ended_at).is_(None)).with_for_update()
    written = 0
    for endpoint in session.exec(living).all():
        since = max(endpoint.collected_until - OVERLAP, endpoint.created_at)
        for kind, key, document in _happened(session, since):
            if kind in endpoint.events:
                message = _message(endpoint, kind, key, document)
                written += enqueue(session, message, now=now)
        endpoint.collected_until = now
    return written


def _happened(session: Session, since: datetime) -> Iterable[tuple[EventType, str, dict[str, Any]]]:
    entries = (
        select(AuditEntry)
        .where(col(AuditEntry.action).in_(ACTIONS), col(AuditEntry.at) >= since)
        .order_by(col(AuditEntry.id))
    )
    for entry in session.exec(entries):
        harmful = entry.detail.get("outcome") == "abort"
        kind = EventType.HARM if harmful else ACTIONS[entry.action]
        about = {"kind": entry.subject_kind, "key": entry.subject_key}
        data = {"about": about, "action": entry.action, "words": entry.reason, **entry.detail}
        yield kind, f"audit:{entry.id}", _document(kind, entry.at, data)
    told = select(Notification).where(col(Notification.at) >= since).order_by(col(Notification.id))
    for row in session.exec(told):
        about = {"kind": row.subject_kind, "key": row.subject_key}
        data = {"about": about, "severity": row.severity, "words": row.what}
        document = _document(EventType.ALARM, row.at, data)
        yield EventType.ALARM, f"notification:{row.id}", document


def _document(kind: EventType, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "timestamp": at.isoformat(), "data": data}


def _message(endpoint: Endpoint, kind: EventType, key: str, document: dict[str, Any]) -> Message:
    about, words = document["data"]["about"], document["data"]["words"]
    told = f"{kind}: {about['kind']} {about['key']}"
    content = (
        {"text": escape(f"{told}. {words}", quote=False)}
        if endpoint.kind == Channel.SLACK
        else document
    )
    return Message(
        key=f"{key}:{endpoint.id}",
        channel=Channel(endpoint.kind),
        recipient=endpoint.name,
        subject=told,
        content=json.dumps(content),
        endpoint_id=endpoint.id,
    )
