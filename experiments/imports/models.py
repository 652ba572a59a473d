"""Table of the imports slice."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class ImportRun(SQLModel, table=True):
    """One import of one file with one mapping."""

    __tablename__ = "import_run"

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    file_name: str
    content_hash: str
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    rows: int = 0
    stored: int = 0
    repeated: int = 0
    rejected: int = 0
    reasons: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
