"""Table of the probation slice."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class Probation(SQLModel, table=True):
    """One promotion on probation: what was claimed, and what fresh data say."""

    __tablename__ = "probation"

    id: int = Field(default=None, primary_key=True)
    promotion_id: int = Field(foreign_key="promotion.id", unique=True)
    promoted_id: int = Field(foreign_key="experiment.id", index=True)
    comparison_id: int = Field(foreign_key="experiment.id", unique=True)
    holdback_share: float
    started_at: datetime = Field(sa_type=Instant)
    verify_at: datetime = Field(sa_type=Instant)
    claimed: dict[str, Any] = Field(sa_type=Json)
    realised: dict[str, Any] = Field(sa_type=Json)
    state: str = Field(index=True)
    sentence: str
    trace: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
