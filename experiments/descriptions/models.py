"""Table of the descriptions slice."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class Description(SQLModel, table=True):
    """The newest description of an experiment."""

    __tablename__ = "description"

    experiment_id: int = Field(primary_key=True, foreign_key="experiment.id")
    look: int
    as_of: datetime = Field(sa_type=Instant)
    body: dict[str, Any] = Field(sa_type=Json)
