"""Tables of the assignment slice."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from experiments.database import BigId, Instant, Json


class Visitor(SQLModel, table=True):
    """One person, as far as is known; merged visitors point to the one that stands for them.

    Of whoever was forgotten only the number is left, and their arms under it.
    """

    __tablename__ = "visitor"
    # Of the few who were forgotten alone, so that nobody else costs anything.
    __table_args__ = (
        Index(
            "ix_visitor_erased",
            "erased_at",
            sqlite_where=text("erased_at IS NOT NULL"),
            postgresql_where=text("erased_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    created_at: datetime = Field(sa_type=Instant)
    merged_into: int | None = Field(
        default=None, foreign_key="visitor.id", sa_type=BigId, index=True
    )
    erased_at: datetime | None = Field(default=None, sa_type=Instant)


class SuppressedId(SQLModel, table=True):
    """The digest of an id of somebody who was forgotten."""

    __tablename__ = "suppressed_id"

    digest: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)


class Alias(SQLModel, table=True):
    """An id that belongs to a visitor.

    Unique by value alone: evaluation protocols send one id without saying of which kind it is.
    """

    __tablename__ = "alias"

    value: str = Field(primary_key=True)
    kind: str
    visitor_id: int = Field(foreign_key="visitor.id", sa_type=BigId, index=True)
    created_at: datetime = Field(sa_type=Instant)


class Attribute(SQLModel, table=True):
    """Something known of a visitor, from whom and since when."""

    __tablename__ = "attribute"

    visitor_id: int = Field(foreign_key="visitor.id", sa_type=BigId, primary_key=True)
    key: str = Field(primary_key=True)
    value: Any = Field(sa_type=Json)
    source: str
    as_of: datetime = Field(sa_type=Instant)


class Assignment(SQLModel, table=True):
    """The arm of one visitor in one experiment, written once."""

    __tablename__ = "assignment"
    __table_args__ = (UniqueConstraint("experiment_id", "visitor_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    experiment_id: int = Field(foreign_key="experiment.id")
    visitor_id: int = Field(foreign_key="visitor.id", sa_type=BigId, index=True)
    variant_id: int = Field(foreign_key="variant.id")
    phase_id: int = Field(foreign_key="phase.id")
    bucket: int
    propensity: float
    method: str
    assigned_at: datetime = Field(sa_type=Instant)
    contaminated: bool = False


class Exposure(SQLModel, table=True):
    """When a visitor first saw (or would have seen) their arm, and how often."""

    __tablename__ = "exposure"
    __table_args__ = (UniqueConstraint("experiment_id", "visitor_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    experiment_id: int = Field(foreign_key="experiment.id")
    visitor_id: int = Field(foreign_key="visitor.id", sa_type=BigId, index=True)
    variant_id: int = Field(foreign_key="variant.id")
    phase_id: int = Field(foreign_key="phase.id")
    first_at: datetime = Field(sa_type=Instant)
    count: int = 1
