"""Table of the idempotency slice."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from experiments.database import Instant


class KeptAnswer(SQLModel, table=True):
    """A key that was taken, and what was answered once that is known."""

    __tablename__ = "kept_answer"

    token_id: int = Field(foreign_key="api_token.id", primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: str
    begun_at: datetime = Field(sa_type=Instant, index=True)
    status: int | None = None
    body: str | None = None
