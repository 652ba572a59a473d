"""Tables of the events slice."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from experiments.database import BigId, Instant, Json


class Event(SQLModel, table=True):
    """Something a visitor did; append-only."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("source_key", "message_id"),
        # What one visitor did under a name, in its order; more indexes would halve the intake.
        Index("ix_event_visitor", "visitor_id", "name", "occurred_at"),
        # Whoever reads what is new since an id would miss an event under the id of a deleted one.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    source_key: str
    message_id: str
    type: str
    name: str
    visitor_id: int = Field(foreign_key="visitor.id", sa_type=BigId)
    source: str = "web"
    occurred_at: datetime = Field(sa_type=Instant)
    received_at: datetime = Field(sa_type=Instant)
    properties: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    privacy: str = ""


class RejectedEvent(SQLModel, table=True):
    """An event that could not be stored, with the reason."""

    __tablename__ = "rejected_event"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    received_at: datetime = Field(sa_type=Instant, index=True)
    source_key: str
    error: str
    body: str


class Sender(SQLModel, table=True):
    """Who sends events, and when the last one came, to about a second."""

    __tablename__ = "sender"

    source_key: str = Field(primary_key=True)
    last_at: datetime = Field(sa_type=Instant)
