"""Tables of the personas slice."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class Persona(SQLModel, table=True):
    """A kind of visitor."""

    __tablename__ = "persona"

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    version: int
    retired_at: datetime | None = Field(default=None, sa_type=Instant)


class PersonaVersion(SQLModel, table=True):
    """What a persona was said to be, written once."""

    __tablename__ = "persona_version"
    __table_args__ = (UniqueConstraint("persona_id", "number"),)

    id: int = Field(default=None, primary_key=True)
    persona_id: int = Field(foreign_key="persona.id")
    number: int
    name: str
    rule: dict[str, Any] = Field(sa_type=Json)
    goals: str = ""
    needs: str = ""
    priority: int = 0
    written_by: str
    written_at: datetime = Field(sa_type=Instant)
