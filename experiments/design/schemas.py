"""Shapes of the design slice."""

from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from experiments.conditions import check_condition
from experiments.design.plans import Guardrail, Plan, RampStep
from experiments.journeys.divergence import Divergence
from experiments.journeys.operations import JourneyPatch
from experiments.shapes import In, JsonValue, Key, Name, Out, Text

WEIGHT_TOLERANCE = 1e-6


class Level(StrEnum):
    """What an experiment changes."""

    MESSAGE = "message"  # the content of one slot
    PATH = "path"  # the journey itself, by patches


class Status(StrEnum):
    """The life of an experiment; the allowed steps are in `lifecycle.py`."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    MATURING = "maturing"
    DECIDED = "decided"
    PROMOTED = "promoted"
    KEPT = "kept"
    NEUTRAL = "neutral"
    SOONER = "sooner"
    INCONCLUSIVE = "inconclusive"
    ABORTED = "aborted"
    ARCHIVED = "archived"


class Source(StrEnum):
    """Where the data of an experiment come from."""

    LIVE = "live"  # exposures and events of this installation (also imported row by row)
    TOTALS = "totals"  # one imported row per variant
    SNAPSHOTS = "snapshots"  # imported cumulative figures over time


class Purpose(StrEnum):
    """What visitors are divided for; only a test is designed by people and judged by the gate."""

    TEST = "test"
    PROBATION = "probation"  # a promoted standard beside what it replaced
    AA = "aa"  # two halves that differ in nothing, to test the platform itself
    HOLDOUT = "holdout"  # every promotion together beside the standard of the beginning


class Hypothesis(In):
    """Because we saw ..., if we do ..., then ... will happen."""

    because: Text = ""
    if_we: Text = ""
    then: Text = ""


class VariantIn(In):
    """One arm; the control shows nothing of its own and defers to the standard journey."""

    key: Key
    name: str = Field(default="", max_length=200)
    control: bool = False
    weight: float = Field(default=1.0, gt=0, le=1, description="Share of the visitors, 0 to 1.")
    content: JsonValue | None = Field(
        default=None, description="What the slot shows, in the slot's type; none for the control."
    )
    patch: JourneyPatch | None = Field(
        default=None, description="Another path, at level `path`; none for the control."
    )


class LayerPlace(In):
    """The part of a layer's visitors that an experiment may use."""

    layer: Key
    start: float = Field(ge=0, lt=1)
    end: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _start_before_end(self) -> "LayerPlace":
        if self.start >= self.end:
            message = "start must be smaller than end"
            raise ValueError(message)
        return self


class ExperimentIn(In):
    """A new experiment, or a draft written again."""

    key: Key
    name: Name
    journey: Key
    level: Level = Level.MESSAGE
    touchpoint: Key | Literal[""] = Field(
        default="", description="Where the slot is; at level `path` it follows from the patches."
    )
    slot: Key | Literal[""] = Field(default="", description="Only at level `message`.")
    owner: str = Field(default="", max_length=200)
    hypothesis: Hypothesis = Hypothesis()
    audience: dict[str, Any] = Field(
        default_factory=dict, description="Condition on the visitor's attributes."
    )
    coverage: float = Field(default=1.0, gt=0, le=1)
    ramp: list[RampStep] = Field(
        default_factory=list, max_length=20, description="How the coverage grows by itself."
    )
    place: LayerPlace | None = None
    variants: list[VariantIn] = Field(min_length=2, max_length=20)
    primary_metric: Key
    secondary_metrics: list[Key] = Field(default_factory=list)
    guardrails: list[Guardrail] = Field(default_factory=list)
    plan: Plan = Plan()
    starts_at: datetime | None = None

    @field_validator("starts_at")
    @classmethod
    def _aware(cls, at: datetime | None) -> datetime | None:
        if at is not None and at.tzinfo is None:
            message = "must carry a time zone, for example 2026-01-31T09:00:00+00:00"
            raise ValueError(message)
        return at

    @field_validator("audience")
    @classmethod
    def _condition_is_sound(cls, audience: dict[str, Any]) -> dict[str, Any]:
        check_condition(audience)
        return audience

    @field_validator("variants")
    @classmethod
    def _variants_are_sound(cls, variants: list[VariantIn]) -> list[VariantIn]:
        problem = _variant_problem(variants)
        if problem:
            raise ValueError(problem)
        return variants

    @model_validator(mode="after")
    def _parts_fit_the_level(self) -> "ExperimentIn":
        problem = _level_problem(self)
        if problem:
            raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _ramp_rises(self) -> "ExperimentIn":
        coverages = [self.coverage, *(step.coverage for step in self.ramp)]
        if any(after <= before for before, after in pairwise(coverages)):
            message = "every step of the ramp must cover more than the one before it"
            raise ValueError(message)
        return self


def _variant_problem(variants: list[VariantIn]) -> str:
    keys = [variant.key for variant in variants]
    total = sum(variant.weight for variant in variants)
    if len(set(keys)) != len(keys):
        return "two variants have the same key; give each its own"
    if sum(variant.control for variant in variants) != 1:
        return "exactly one variant must be the control"
    control = next(variant for variant in variants if variant.control)
    if control.content is not None or control.patch is not None:
        return "the control defers to the standard journey; leave its content and patch out"
    if abs(total - 1) > WEIGHT_TOLERANCE:
        return f"the weights sum to {total:g}; they must sum to 1"
    return ""


def _level_problem(data: ExperimentIn) -> str:
    treatments = [variant for variant in data.variants if not variant.control]
    if data.level is Level.PATH:
        if data.touchpoint or data.slot:
            return "touchpoint and slot belong to level message; a path follows from its patches"
        if any(not item.patch or not item.patch.operations or item.content for item in treatments):
            return "every variant but the control needs a patch with operations, and no content"
        return ""
    if not (data.touchpoint and data.slot):
        return "touchpoint and slot are required at level message"
    if any(item.content is None or item.patch for item in treatments):
        return "every variant but the control needs content, and no patch at level message"
    return ""


class VariantOut(Out):
    """One arm of an experiment."""

    id: int
    key: str
    name: str
    control: bool
    weight: float
    content: Any
    patch: JourneyPatch | None = None
    removed_at: datetime | None

    @property
    def called(self) -> str:
        """What people call it."""
        return self.name or self.key


class PhaseOut(Out):
    """A period with one allocation."""

    id: int
    number: int
    started_at: datetime
    coverage: float
    weights: dict[str, float]
    reason: str


class ExperimentOut(Out):
    """An experiment with its arms, phases and plan."""

    id: int
    key: str
    name: str
    journey: str
    base_version: int
    level: Level
    source: Source
    purpose: Purpose = Purpose.TEST
    touchpoint: str
    slot: str
    divergence: Divergence | None = None
    owner: str
    hypothesis: Hypothesis
    audience: dict[str, Any]
    coverage: float
    ramp: list[RampStep] = Field(default_factory=list)
    place: LayerPlace | None
    salt: str
    status: Status
    variants: list[VariantOut]
    phases: list[PhaseOut]
    primary_metric: str
    secondary_metrics: list[str]
    guardrails: list[Guardrail]
    plan: Plan
    created_at: datetime
    starts_at: datetime | None
    started_at: datetime | None
    stopped_at: datetime | None
    ended_at: datetime | None

    @property
    def control(self) -> VariantOut:
        """The arm that shows the standard journey."""
        return next(variant for variant in self.variants if variant.control)

    @property
    def treatments(self) -> list[VariantOut]:
        """Every arm but the control."""
        return [variant for variant in self.variants if not variant.control]

    @property
    def metrics(self) -> list[str]:
        """Primary, secondary and guardrail metrics, each once."""
        keys = [self.primary_metric, *self.secondary_metrics]
        keys += [guardrail.metric for guardrail in self.guardrails]
        return list(dict.fromkeys(keys))


class Severity(StrEnum):
    """Whether a check forbids the start or only warns."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Out):
    """What a check found, in words, with the field to change."""

    severity: Severity
    check: str
    field: str
    message: str


class PhaseIn(In):
    """Another coverage or allocation of a running experiment."""

    coverage: float | None = Field(default=None, gt=0, le=1)
    weights: dict[Key, float] | None = None
    reason: str = Field(min_length=1, max_length=1000)


class ReasonIn(In):
    """Why an experiment or a holdout is interrupted."""

    reason: Name


class LayerIn(In):
    """A new layer: its experiments exclude each other."""

    key: Key
    name: Name


class LayerOut(Out):
    """A layer."""

    id: int
    key: str
    name: str
    salt: str


class HoldoutIn(In):
    """A share of visitors kept out of every experiment of a journey."""

    key: Key
    name: Name
    journey: Key
    share: float = Field(gt=0, le=0.5)
    status_quo: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="Part of the holdout that stays on the standard of its beginning; 0 for none.",
    )
    metric: Key | None = Field(
        default=None, description="What both parts are compared by; the journey's goal if none."
    )
    audience: dict[str, Any] = Field(default_factory=dict)

    @field_validator("audience")
    @classmethod
    def _condition_is_sound(cls, audience: dict[str, Any]) -> dict[str, Any]:
        check_condition(audience)
        return audience


class HoldoutOut(Out):
    """A holdout."""

    id: int
    key: str
    name: str
    journey: str
    share: float
    status_quo: float
    base_version: int | None
    comparison: str | None
    audience: dict[str, Any]
    salt: str
    created_at: datetime
    ended_at: datetime | None
