"""Tables of the inbox slice."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from experiments.database import BigId, Instant


class DeadLetter(SQLModel, table=True):
    """Something that was accepted and that the database then would not hold, with the reason."""

    __tablename__ = "dead_letter"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    at: datetime = Field(sa_type=Instant, index=True)
    kind: str
    error: str
    body: str
