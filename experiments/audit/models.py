"""Table of the audit slice."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class AuditEntry(SQLModel, table=True):
    """One change, never edited."""

    __tablename__ = "audit_entry"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant)
    actor: str
    action: str = Field(index=True)
    subject_kind: str
    subject_key: str = Field(index=True)
    reason: str = ""
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
