"""Table of the replay slice."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from experiments.database import BigId, Instant, Json


class LoggedResolution(SQLModel, table=True):
    """What one request was really answered, by slot, and from which ruleset."""

    __tablename__ = "logged_resolution"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    at: datetime = Field(sa_type=Instant, index=True)
    visitor: str = Field(index=True)
    journey: str
    touchpoint: str
    ruleset: int
    journey_version: int | None = None
    answers: dict[str, Any] = Field(sa_type=Json)
    known: dict[str, Any] | None = Field(default=None, sa_type=Json)
