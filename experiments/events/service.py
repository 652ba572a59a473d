"""Storing what visitors did, once per message id, with what follows from it."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, delete

from experiments.events.models import RejectedEvent
from experiments.events.parcels import pack
from experiments.events.schemas import BatchOut
from experiments.events.writing import EventWriter


def ingest(
    session: Session, calls: Sequence[object], *, source_key: str, received_at: datetime
) -> BatchOut:
    """Store the calls of a batch; one that is wrong is kept aside and stops no other."""
    parcel = pack(calls, source_key=source_key, received_at=received_at)
    session.flush()
    (outcome,) = EventWriter()(session.connection(), [parcel])
    return outcome


def drop_rejected(session: Session, *, before: datetime) -> int:
    """Forget the events that were refused before a time; how many there were."""
    old = delete(RejectedEvent).where(col(RejectedEvent.received_at) < before)
    return session.exec(old).rowcount
