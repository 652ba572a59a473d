"""Tables of the design slice."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class Layer(SQLModel, table=True):
    """Experiments of one layer exclude each other."""

    __tablename__ = "layer"

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    name: str
    salt: str


class Holdout(SQLModel, table=True):
    """A share of visitors kept out of every experiment of a journey."""

    __tablename__ = "holdout"

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    name: str
    journey_id: int = Field(foreign_key="journey.id")
    share: float
    status_quo: float = 0.0
    base_version: int | None = None
    comparison_id: int | None = Field(default=None, foreign_key="experiment.id")
    audience: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    salt: str
    created_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class Experiment(SQLModel, table=True):
    """An experiment; what was agreed before the start does not change afterwards."""

    __tablename__ = "experiment"

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    name: str
    journey_id: int = Field(foreign_key="journey.id", index=True)
    base_version: int
    level: str
    source: str
    purpose: str = "test"
    touchpoint: str
    slot: str
    divergence: dict[str, Any] | None = Field(default=None, sa_type=Json)
    owner: str = ""
    hypothesis: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    audience: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    coverage: float = 1.0
    ramp: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    layer_id: int | None = Field(default=None, foreign_key="layer.id")
    layer_start: float | None = None
    layer_end: float | None = None
    salt: str
    status: str = Field(index=True)
    primary_metric: str
    secondary_metrics: list[str] = Field(default_factory=list, sa_type=Json)
    guardrails: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    plan: dict[str, Any] = Field(sa_type=Json)
    created_at: datetime = Field(sa_type=Instant)
    starts_at: datetime | None = Field(default=None, sa_type=Instant)
    started_at: datetime | None = Field(default=None, sa_type=Instant)
    stopped_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class Variant(SQLModel, table=True):
    """One arm of an experiment."""

    __tablename__ = "variant"
    __table_args__ = (UniqueConstraint("experiment_id", "key"),)

    id: int = Field(default=None, primary_key=True)
    experiment_id: int = Field(foreign_key="experiment.id")
    key: str
    name: str = ""
    position: int
    control: bool
    weight: float
    content: Any = Field(default=None, sa_type=Json)
    patch: dict[str, Any] | None = Field(default=None, sa_type=Json)
    removed_at: datetime | None = Field(default=None, sa_type=Instant)


class Phase(SQLModel, table=True):
    """A period of an experiment with one allocation; a stratum of every analysis."""

    __tablename__ = "phase"
    __table_args__ = (UniqueConstraint("experiment_id", "number"),)

    id: int = Field(default=None, primary_key=True)
    experiment_id: int = Field(foreign_key="experiment.id")
    number: int
    started_at: datetime = Field(sa_type=Instant)
    coverage: float
    weights: dict[str, float] = Field(sa_type=Json)
    reason: str = ""


class RampApproval(SQLModel, table=True):
    """That a person let an experiment go on to a step of its ramp."""

    __tablename__ = "ramp_approval"
    __table_args__ = (UniqueConstraint("experiment_id", "step"),)

    id: int = Field(default=None, primary_key=True)
    experiment_id: int = Field(foreign_key="experiment.id")
    step: int
    actor: str
    at: datetime = Field(sa_type=Instant)
