"""Table of the metrics slice."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class Metric(SQLModel, table=True):
    """A metric of the catalogue."""

    __tablename__ = "metric"

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    name: str
    kind: str
    rule: dict[str, Any] = Field(sa_type=Json)
    value_property: str = ""
    denominator: dict[str, Any] | None = Field(default=None, sa_type=Json)
    window_hours: int
    direction: str
    winsorise_above: float | None = None
    unit: str = ""
    description: str = ""
    created_at: datetime = Field(sa_type=Instant)
