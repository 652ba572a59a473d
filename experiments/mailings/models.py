"""Table of the mailings slice."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class Subscription(SQLModel, table=True):
    """An audience that gets the weekly report at an hour of its own."""

    __tablename__ = "subscription"

    id: int = Field(default=None, primary_key=True)
    audience: str
    journey: str = ""
    recipients: list[str] = Field(sa_type=Json)
    endpoint_id: int | None = Field(default=None, foreign_key="endpoint.id")
    weekday: int
    hour: int
    time_zone: str
    created_by: str
    created_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
