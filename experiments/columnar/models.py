"""Tables of the columnar slice: the manifest."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from experiments.database import BigId, Instant


class ColumnarMark(SQLModel, table=True):
    """How far the rows of one kind have been moved; its version guards the manifest."""

    __tablename__ = "columnar_mark"

    kind: str = Field(primary_key=True)
    last_id: int = Field(default=0, sa_type=BigId)
    version: int = 0
    moved_at: datetime | None = Field(default=None, sa_type=Instant)
    kept_from: date | None = None


class ColumnarFile(SQLModel, table=True):
    """A file, from before its first byte is written until its last is removed."""

    __tablename__ = "columnar_file"
    __table_args__ = (Index("ix_columnar_file_state", "state", "kind"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    kind: str
    name: str = Field(unique=True)
    state: str
    since: datetime = Field(sa_type=Instant)
    day: date
    rows: int = Field(default=0, sa_type=BigId)
    size: int = Field(default=0, sa_type=BigId)
    first_id: int = Field(default=0, sa_type=BigId)
    last_id: int = Field(default=0, sa_type=BigId)
    first_visitor: int | None = Field(default=None, sa_type=BigId)
    last_visitor: int | None = Field(default=None, sa_type=BigId)
    sha256: str = ""


class ColumnarErasure(SQLModel, table=True):
    """A visitor whose events must go from the files."""

    __tablename__ = "columnar_erasure"

    visitor_id: int = Field(primary_key=True, foreign_key="visitor.id", sa_type=BigId)
    asked_at: datetime = Field(sa_type=Instant)
