"""The parts that mappings are made of.

A template is text with column names in braces: `{Date} {Hour}` is filled from each row.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from experiments.conditions import check_condition
from experiments.design.plans import Plan
from experiments.design.schemas import Hypothesis
from experiments.metrics.schemas import Direction, MetricKind
from experiments.shapes import In, Key, Name

DEFAULT_WINDOW_HOURS = 14 * 24
VALUE_PROPERTY = "value"


def _sound(condition: dict[str, Any]) -> dict[str, Any]:
    check_condition(condition)
    return condition


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        message = "must carry a time zone, for example 2026-01-31T09:00:00+00:00"
        raise ValueError(message)
    return at.astimezone(UTC)


Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Template = Annotated[str, StringConstraints(min_length=1, max_length=400)]
RowCondition = Annotated[dict[str, Any], AfterValidator(_sound)]
Moment = Annotated[datetime, AfterValidator(_aware)]


class TimeRule(In):
    """How the time of a row is read; ISO 8601 unless a `strptime` format is given."""

    text: Template
    format: str = ""
    zone: str = Field(default="UTC", description="Zone of times that do not carry one.")

    @model_validator(mode="after")
    def _zone_is_known(self) -> "TimeRule":
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = f"zone {self.zone!r} is not known; write one like Europe/Rome"
            raise ValueError(message) from error
        return self


def _tag(said: Any) -> str:
    return "columns" if isinstance(said, dict | TimeRule) else "fixed"


When = Annotated[
    Annotated[Moment, Tag("fixed")] | Annotated[TimeRule, Tag("columns")], Discriminator(_tag)
]
"""The time of a row: one time for all of them, or read from its columns."""


class JourneyTarget(In):
    """The journey that the data belong to, and where in it; made when it does not exist."""

    key: Key
    name: Name
    touchpoint: Key = "shown"
    slot: Key = "message"


class FileIn(In):
    """How the file is written."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    missing: list[str] = Field(default_factory=list, description="Texts that mean: not known.")


class Measure(In):
    """Something that is read from the file and becomes a metric."""

    key: Key
    name: Name


def check_measures(primary: str | None, measures: Sequence[Measure]) -> None:
    """Refuse two measures of one key, and a primary metric that is not among them."""
    keys = [measure.key for measure in measures]
    if len(set(keys)) != len(keys):
        message = "two outcomes, amounts or metrics have the same key; give each its own"
        raise ValueError(message)
    if primary is not None and primary not in keys:
        message = f"primary_metric: {primary!r} is not read from the file; choose one of {keys}"
        raise ValueError(message)


class ArmIn(In):
    """An arm, the text that stands for it in the file, and its planned share."""

    key: Key
    name: str = Field(default="", max_length=200)
    value: str = Field(default="", description="What the file says; the key when left out.")
    weight: float = Field(default=1, gt=0, description="Planned share, relative to the others.")
    control: bool = False


class OutcomeIn(Measure):
    """A later stage that a visitor reached when the row meets a condition on its columns."""

    where: RowCondition
    after_hours: int = Field(default=0, ge=0, description="Time from exposure to the outcome.")
    window_hours: int = Field(default=DEFAULT_WINDOW_HOURS, ge=1, le=365 * 24)


class AmountIn(Measure):
    """A number per visitor, added up: revenue, gifts, rounds played."""

    column: Column
    unit: str = Field(default="", max_length=20)
    direction: Direction = Direction.INCREASE
    winsorise_above: float | None = Field(default=None, gt=0)
    window_hours: int = Field(default=DEFAULT_WINDOW_HOURS, ge=1, le=365 * 24)


class ExperimentTarget(In):
    """The experiment that the rows belong to; made when it does not exist."""

    key: Key
    name: Name
    hypothesis: Hypothesis = Hypothesis()
    variants: list[ArmIn] = Field(min_length=2, max_length=20)
    primary_metric: Key | None = Field(default=None, description="An outcome or amount.")
    plan: Plan | None = Field(default=None, description="Made from the dates when left out.")

    @model_validator(mode="after")
    def _arms_are_sound(self) -> "ExperimentTarget":
        values = [arm.value or arm.key for arm in self.variants]
        if sum(arm.control for arm in self.variants) != 1:
            message = "variants: mark exactly one variant with `control: true`"
            raise ValueError(message)
        if len(set(values)) != len(values):
            message = "variants: two variants have the same value; each needs its own"
            raise ValueError(message)
        return self


class StageIn(In):
    """A stage of an imported journey, reached by an event."""

    key: Key
    name: Name
    event: Name


class StagesTarget(In):
    """A journey with the events that lead through it; made when it does not exist."""

    key: Key
    name: Name
    stages: list[StageIn] = Field(min_length=2)


class SeriesTarget(In):
    """The experiments of a file that holds many; key and name are filled from each row."""

    key: Template
    name: Template
    control: str = Field(default="", description="Key of the control; the first arm if left out.")
    plan: Plan | None = Field(default=None, description="Made from the dates when left out.")
    primary_metric: Key | None = None


class TotalOutcome(Measure):
    """How many visitors of an arm reached something."""

    column: Column


class TotalAmount(Measure):
    """The sum over an arm's visitors, and the sum of squares that tells how much they vary."""

    sum: Column
    squares: Column
    unit: str = Field(default="", max_length=20)


class FigureColumns(In):
    """Where the figures of one arm stand."""

    visitors: Column
    mean: Column
    variance: Column


class SnapshotMetric(Measure):
    """A metric of the file and the text that stands for it."""

    value: str
    kind: Literal[MetricKind.CONVERSION, MetricKind.COUNT, MetricKind.SUM] = MetricKind.CONVERSION
