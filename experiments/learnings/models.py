"""Table of the learnings slice."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class Learning(SQLModel, table=True):
    """What one ended experiment taught; people may say it better, the evidence stays."""

    __tablename__ = "learning"

    id: int = Field(default=None, primary_key=True)
    experiment_id: int = Field(foreign_key="experiment.id", unique=True)
    journey_id: int = Field(foreign_key="journey.id", index=True)
    stage: str
    touchpoint: str
    slot: str
    persona: str = ""
    # Surrounded by blanks, so that a whole tag can be found in it on every database.
    tags: str = ""
    statement: str
    written: str
    # What a search finds, in lower case: databases differ in what they take for the same letter.
    words: str
    strength: str
    evidence: dict[str, Any] = Field(sa_type=Json)
    ended_at: datetime = Field(sa_type=Instant)
    review_by: datetime = Field(sa_type=Instant, index=True)
    created_at: datetime = Field(sa_type=Instant)
    edited_at: datetime | None = Field(default=None, sa_type=Instant)
    retested_at: datetime | None = Field(default=None, sa_type=Instant)
    retest_id: int | None = Field(default=None, foreign_key="experiment.id")
