"""Table of the notifications slice."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from experiments.database import Instant


class Notification(SQLModel, table=True):
    """Something that people must be told, once per key."""

    __tablename__ = "notification"

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    severity: str
    what: str
    subject_kind: str
    subject_key: str = Field(index=True)
    at: datetime = Field(sa_type=Instant)
    read_by: str | None = None
    read_at: datetime | None = Field(default=None, sa_type=Instant)
