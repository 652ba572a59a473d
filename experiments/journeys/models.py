"""Tables of the journeys slice."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class Journey(SQLModel, table=True):
    """A journey; its map is in its versions."""

    __tablename__ = "journey"

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    name: str
    owner: str = ""
    description: str = ""
    created_at: datetime = Field(sa_type=Instant)


class JourneyVersion(SQLModel, table=True):
    """One version of a journey's map; immutable once it has been the standard."""

    __tablename__ = "journey_version"
    __table_args__ = (
        UniqueConstraint("journey_id", "number"),
        Index(
            "ix_one_standard_per_journey",
            "journey_id",
            unique=True,
            sqlite_where=text("status = 'standard'"),
            postgresql_where=text("status = 'standard'"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    journey_id: int = Field(foreign_key="journey.id")
    number: int
    status: str
    parent: int | None = None
    graph: dict[str, Any] = Field(sa_type=Json)
    note: str = ""
    provenance: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    created_by: str
    created_at: datetime = Field(sa_type=Instant)
    published_at: datetime | None = Field(default=None, sa_type=Instant)
    in_flight: str = "now"


class Content(SQLModel, table=True):
    """Something a slot can show; what it says is in its versions."""

    __tablename__ = "content"
    __table_args__ = (UniqueConstraint("journey_id", "key"),)

    id: int = Field(default=None, primary_key=True)
    journey_id: int = Field(foreign_key="journey.id")
    key: str
    type: str


class ContentVersion(SQLModel, table=True):
    """One version of a content; immutable, shown only once approved."""

    __tablename__ = "content_version"
    __table_args__ = (UniqueConstraint("content_id", "number"),)

    id: int = Field(default=None, primary_key=True)
    content_id: int = Field(foreign_key="content.id")
    number: int
    payload: Any = Field(sa_type=Json)
    locale: str = ""
    tags: list[str] = Field(default_factory=list, sa_type=Json)
    created_by: str
    created_at: datetime = Field(sa_type=Instant)
    approved_by: str | None = None
    approved_at: datetime | None = Field(default=None, sa_type=Instant)
