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


class ReportShare(SQLModel, table=True):
    """A link to a report for people who do not sign in; only its hash is stored."""

    __tablename__ = "report_share"

    id: int = Field(default=None, primary_key=True)
    week: str = Field(index=True)
    secret_hash: str = Field(unique=True)
    created_by: str
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
