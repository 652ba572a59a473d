"""Tables of the decisions slice."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class Decision(SQLModel, table=True):
    """What was decided on one analysis run, with every condition that was looked at."""

    __tablename__ = "decision"

    id: int = Field(default=None, primary_key=True)
    experiment_id: int = Field(foreign_key="experiment.id", index=True)
    run_id: int = Field(foreign_key="analysis_run.id", unique=True)
    look: int
    data_hash: str
    outcome: str
    variant: str | None = None
    sentence: str
    trace: list[dict[str, Any]] = Field(sa_type=Json)
    actor: str
    at: datetime = Field(sa_type=Instant)


class Promotion(SQLModel, table=True):
    """A winning variant on its way into the standard journey; one per decision."""

    __tablename__ = "promotion"

    id: int = Field(default=None, primary_key=True)
    decision_id: int = Field(foreign_key="decision.id", unique=True)
    experiment_id: int = Field(foreign_key="experiment.id", index=True)
    journey_id: int = Field(foreign_key="journey.id", index=True)
    variant: str
    state: str
    from_version: int | None = None
    to_version: int | None = None
    predicted: dict[str, Any] = Field(sa_type=Json)
    actor: str
    rebased_by: str | None = None
    proposed_at: datetime = Field(sa_type=Instant)
    applied_at: datetime | None = Field(default=None, sa_type=Instant)
    declined_at: datetime | None = Field(default=None, sa_type=Instant)
    rolled_back_at: datetime | None = Field(default=None, sa_type=Instant)
