"""Table of the interference slice."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from experiments.database import Instant


class Interference(SQLModel, table=True):
    """What the newest scan says of one variant beside one variant of another experiment."""

    __tablename__ = "interference"
    __table_args__ = (UniqueConstraint("variant_id", "other_variant_id"),)

    id: int = Field(default=None, primary_key=True)
    experiment_id: int = Field(foreign_key="experiment.id", index=True)
    variant_id: int = Field(foreign_key="variant.id")
    other_id: int = Field(foreign_key="experiment.id")
    other_variant_id: int = Field(foreign_key="variant.id")
    metric: str
    as_of: datetime = Field(sa_type=Instant)
    visitors: int
    effect_beside_control: float
    effect_beside_variant: float
    interaction: float
    ci_low: float
    ci_high: float
    p_adjusted: float
    flagged: bool
    flips: bool
