"""Everything that is live, frozen: what answering a request needs and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.assignment.bucketing import Range
from experiments.design.schemas import Status
from experiments.journeys.schemas import ContentType, Exposing


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRule:
    """A variant of an experiment; the control, and a variant taken out, defer to the ladder."""

    id: int
    key: str
    weight: float
    content: Any
    defers: bool
    removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRule:
    """The part of a layer that an experiment may use; the layer has a salt of its own."""

    key: str
    salt: str
    stretch: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRule:
    """An experiment on a slot, in its current phase."""

    id: int
    key: str
    status: Status
    salt: str
    audience: Mapping[str, Any]
    layer: LayerRule | None
    phase_id: int
    arms: tuple[ArmRule, ...]
    stretches: tuple[Range, ...]

    def arm(self, variant_id: int) -> ArmRule | None:
        """The arm of that id."""
        return next((arm for arm in self.arms if arm.id == variant_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardContent:
    """What a slot shows to everybody who is in no test."""

    key: str
    number: int
    value: Any
    approved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRule:
    """A slot with its standard content and the experiments on it."""

    key: str
    type: ContentType
    standard: StandardContent | None
    experiments: tuple[ExperimentRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchpointRule:
    """A touchpoint of the standard version, and when seeing it counts."""

    key: str
    stage: str
    expose: Exposing
    slots: Mapping[str, SlotRule]
    reads_attributes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldoutRule:
    """A share of visitors kept out of every experiment of the journey."""

    key: str
    salt: str
    share: float
    audience: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyRule:
    """The standard version of a journey."""

    key: str
    version: int
    touchpoints: Mapping[str, TouchpointRule]
    holdouts: tuple[HoldoutRule, ...] = ()


# Two rulesets are never compared; by identity one can be the key of what is made out of it.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ruleset:
    """What is live in every journey, as of one version of the audit trail."""

    version: int = 0
    journeys: Mapping[str, JourneyRule] = field(default_factory=dict)
