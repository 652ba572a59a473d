"""Tables of the analysis slice."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from experiments.database import Instant, Json


class AnalysisRun(SQLModel, table=True):
    """One look at one experiment; frozen once written."""

    __tablename__ = "analysis_run"
    __table_args__ = (UniqueConstraint("experiment_id", "look"),)

    id: int = Field(default=None, primary_key=True)
    experiment_id: int = Field(foreign_key="experiment.id")
    look: int
    as_of: datetime = Field(sa_type=Instant)
    data_hash: str
    # What later looks must know of this one, apart from the readout so that it is cheap to read.
    spent: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    readout: dict[str, Any] = Field(sa_type=Json)
    created_at: datetime = Field(sa_type=Instant)


class StoredMoments(SQLModel, table=True):
    """Sufficient statistics that came from outside (imported totals and snapshots)."""

    __tablename__ = "stored_moments"
    __table_args__ = (UniqueConstraint("experiment_id", "variant_id", "metric_id", "as_of"),)

    id: int = Field(default=None, primary_key=True)
    experiment_id: int = Field(foreign_key="experiment.id")
    variant_id: int = Field(foreign_key="variant.id")
    metric_id: int = Field(foreign_key="metric.id")
    as_of: datetime = Field(sa_type=Instant)
    visitors: int
    mean: float
    m2: float
