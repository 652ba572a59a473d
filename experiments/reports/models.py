"""Table of the reports slice."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class Report(SQLModel, table=True):
    """The report of one ISO week; never changed once written."""

    __tablename__ = "report"

    id: int | None = Field(default=None, primary_key=True)
    week: str = Field(unique=True)
    as_of: datetime = Field(sa_type=Instant)
    data_hash: str
    body: dict[str, Any] = Field(sa_type=Json)
    created_at: datetime = Field(sa_type=Instant)
