"""Tables of the delivery slice."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class Endpoint(SQLModel, table=True):
    """An address that is told of events: a webhook, or a channel in Slack."""

    __tablename__ = "endpoint"

    id: int = Field(default=None, primary_key=True)
    kind: str
    name: str
    url: str
    secret: str
    events: list[str] = Field(sa_type=Json)
    created_by: str
    created_at: datetime = Field(sa_type=Instant)
    collected_until: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_because: str = ""


class Delivery(SQLModel, table=True):
    """One message to one receiver; its content is forgotten once it was taken."""

    __tablename__ = "delivery"

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    channel: str
    endpoint_id: int | None = Field(default=None, foreign_key="endpoint.id", index=True)
    recipient: str
    subject: str
    content: str
    state: str = Field(index=True)
    attempts: int = 0
    next_at: datetime = Field(sa_type=Instant)
    error: str = ""
    created_at: datetime = Field(sa_type=Instant)
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
