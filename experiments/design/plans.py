"""The plan of an experiment: the rules of its decision, agreed before the start."""

from enum import StrEnum

from pydantic import Field, field_validator, model_validator

from experiments.journeys.schemas import InFlight
from experiments.shapes import In, Key


class Method(StrEnum):
    """How the evidence for a promotion is judged."""

    SEQUENTIAL = "sequential"  # group-sequential bound, frequentist
    BAYESIAN = "bayesian"  # chance to win with a proper prior, behind the same gates


class PromotionMode(StrEnum):
    """Who applies a promotion that the gate permits."""

    AUTOMATIC = "automatic"
    ASK = "ask"
    OFF = "off"


class OnHarm(StrEnum):
    """What happens to the others when one variant does harm and is taken out."""

    GO_ON = "go_on"
    ABORT = "abort"


class Guardrail(In):
    """A metric that may not get worse by more than the margin (relative, 0.02 = 2%)."""

    metric: Key
    margin: float = Field(default=0.02, gt=0, lt=1)


class Plan(In):
    """The rules of the decision, agreed before the start and frozen from then on."""

    method: Method = Method.SEQUENTIAL
    alpha: float = Field(default=0.05, ge=0.01, le=0.2, description="One-sided error in total.")
    power: float = Field(default=0.8, gt=0.5, lt=1)
    minimum_lift: float = Field(
        default=0.1, gt=0, le=10, description="Smallest relative change worth finding."
    )
    baseline: float | None = Field(
        default=None, gt=0, description="Expected figure of the primary metric in the control."
    )
    baseline_sd: float | None = Field(
        default=None, gt=0, description="Expected standard deviation, for metrics that are means."
    )
    visitors_per_week: int | None = Field(default=None, ge=1)
    minimum_days: int = Field(default=7, ge=7, le=365)
    maximum_days: int = Field(default=28, ge=7, le=365)
    minimum_conversions: int = Field(default=100, ge=100, description="Per arm.")
    promotion: PromotionMode = PromotionMode.ASK
    on_harm: OnHarm = Field(
        default=OnHarm.GO_ON,
        description="Whether the rest goes on when a variant does harm and is taken out.",
    )
    in_flight: InFlight = Field(
        default=InFlight.PINNED, description="What a promoted path means for people under way."
    )
    holdback_share: float = Field(
        default=0.1, ge=0, le=0.5, description="Share that keeps the old standard; 0 for none."
    )
    probation_days: int = Field(
        default=28, ge=7, le=365, description="How long a promotion is on probation."
    )

    @field_validator("minimum_days", "maximum_days", "probation_days")
    @classmethod
    def _whole_weeks(cls, days: int) -> int:
        if days % 7:
            message = f"must be whole weeks, so {days // 7 * 7} or {(days // 7 + 1) * 7}"
            raise ValueError(message)
        return days

    @model_validator(mode="after")
    def _minimum_before_maximum(self) -> "Plan":
        if self.minimum_days > self.maximum_days:
            message = "minimum_days must not be larger than maximum_days"
            raise ValueError(message)
        return self


class RampStep(In):
    """A larger coverage, and what must be true before it: every gate that it names."""

    coverage: float = Field(gt=0, le=1)
    after_hours: int = Field(
        default=24, ge=1, le=24 * 365, description="Hours that the phase before it must last."
    )
    visitors: int = Field(
        default=0, ge=0, description="Visitors that the phase before it must have exposed."
    )
    healthy: bool = Field(default=True, description="A look at that phase must find no alarm.")
    approval: bool = Field(default=False, description="A person must approve it.")
