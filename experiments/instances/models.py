"""Tables of the instances slice."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from experiments.database import BigId, Instant


class JourneyInstance(SQLModel, table=True):
    """One walk of a visitor through a journey."""

    __tablename__ = "journey_instance"
    __table_args__ = (UniqueConstraint("journey_id", "visitor_id", "attempt"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    journey_id: int = Field(foreign_key="journey.id")
    visitor_id: int = Field(foreign_key="visitor.id", sa_type=BigId, index=True)
    attempt: int
    version: int
    variant_id: int | None = Field(default=None, foreign_key="variant.id")
    entry_point: str
    stage: str
    state: str
    started_at: datetime = Field(sa_type=Instant)


class StageTransition(SQLModel, table=True):
    """A step of a journey instance from one stage to another, and the event that caused it."""

    __tablename__ = "stage_transition"

    instance_id: int = Field(foreign_key="journey_instance.id", sa_type=BigId, primary_key=True)
    position: int = Field(primary_key=True)
    from_stage: str | None = None
    to_stage: str
    at: datetime = Field(sa_type=Instant)
    event_id: int = Field(sa_type=BigId)
    event: str
    kind: str
    conforming: bool


class InstanceProgress(SQLModel, table=True):
    """Up to which event a journey's instances have been derived for good."""

    __tablename__ = "instance_progress"

    journey_id: int = Field(foreign_key="journey.id", primary_key=True)
    event_id: int = Field(sa_type=BigId)
