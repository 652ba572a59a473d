"""Shapes of the metrics slice."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field, field_validator, model_validator

from experiments.conditions import check_condition
from experiments.shapes import In, Key, Name, Out, Text


class MetricKind(StrEnum):
    """How one visitor's outcome is made out of their events inside the window."""

    CONVERSION = "conversion"  # 1 if there was such an event, else 0
    COUNT = "count"  # how many such events
    SUM = "sum"  # the sum of a property over such events
    RATIO = "ratio"  # the sum of a property over the count of another event


class Direction(StrEnum):
    """Which way is better."""

    INCREASE = "increase"
    DECREASE = "decrease"


class EventRule(In):
    """Which events count: a name, and a condition on their properties."""

    event: Name
    where: dict[str, Any] = Field(default_factory=dict)

    @field_validator("where")
    @classmethod
    def _condition_is_sound(cls, where: dict[str, Any]) -> dict[str, Any]:
        check_condition(where)
        return where


class MetricIn(In):
    """A new metric."""

    key: Key
    name: Name
    kind: MetricKind = MetricKind.CONVERSION
    rule: EventRule
    value_property: str = Field(default="", max_length=200)
    denominator: EventRule | None = None
    window_hours: int = Field(default=14 * 24, ge=1, le=365 * 24)
    direction: Direction = Direction.INCREASE
    winsorise_above: float | None = Field(default=None, gt=0)
    unit: str = Field(default="", max_length=20)
    description: Text = ""

    @model_validator(mode="after")
    def _parts_fit_the_kind(self) -> "MetricIn":
        needs_value = self.kind in {MetricKind.SUM, MetricKind.RATIO}
        if needs_value and not self.value_property:
            message = f"value_property is required for kind {self.kind}; name the property to add"
            raise ValueError(message)
        if (self.kind is MetricKind.RATIO) != (self.denominator is not None):
            message = "denominator is required for kind ratio, and only for it"
            raise ValueError(message)
        return self


class MetricChangeIn(In):
    """A metric as it shall be from now on, and why."""

    metric: MetricIn
    reason: Name


class MetricOut(Out):
    """A metric of the catalogue."""

    id: int
    key: str
    name: str
    kind: MetricKind
    rule: EventRule
    value_property: str
    denominator: EventRule | None
    window_hours: int
    direction: Direction
    winsorise_above: float | None
    unit: str
    description: str
    created_at: datetime
