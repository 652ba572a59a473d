"""Shapes of the journeys slice."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from experiments.metrics.schemas import EventRule, MetricIn
from experiments.shapes import In, JsonValue, Key, Name, Out, Text


class StageKind(StrEnum):
    """What being in a stage means; declined and dormant are stages too, not exits."""

    PROGRESS = "progress"
    DECLINED = "declined"
    DORMANT = "dormant"
    LOYAL = "loyal"

    @property
    def is_beside(self) -> bool:
        """Whether who is there has left the path to the goal, for now."""
        return self in {StageKind.DECLINED, StageKind.DORMANT}


class Exposing(StrEnum):
    """When a visitor counts as having seen what a touchpoint shows."""

    ON_RESOLVE = "on_resolve"
    ON_EVENT = "on_event"


class ContentType(StrEnum):
    """The declared type of a slot's content."""

    STRING = "string"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    FLOAT = "float"
    OBJECT = "object"

    def accepts(self, payload: object) -> bool:
        """Whether `payload` is of this type; a whole number is a float too, a boolean is not."""
        if isinstance(payload, bool):
            return self is ContentType.BOOLEAN
        return isinstance(payload, _PYTHON_TYPES[self])


_PYTHON_TYPES: Mapping[ContentType, type | tuple[type, ...]] = {
    ContentType.STRING: str,
    ContentType.BOOLEAN: bool,
    ContentType.INTEGER: int,
    ContentType.FLOAT: (int, float),
    ContentType.OBJECT: dict,
}


class VersionStatus(StrEnum):
    """The life of a journey version."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    STANDARD = "standard"
    SUPERSEDED = "superseded"
    RETIRED = "retired"


class InFlight(StrEnum):
    """What a new standard means for people who are under way."""

    PINNED = "pinned"  # they keep the path they began with
    NEXT_STAGE = "next_stage"  # each changes path when entering the next stage
    NOW = "now"  # all change path at once


class PainPointStatus(StrEnum):
    """How far a pain point has come."""

    OPEN = "open"
    HYPOTHESIS = "hypothesis"
    IN_TEST = "in_test"
    RESOLVED = "resolved"
    REJECTED = "rejected"


class Slot(In):
    """A place on a touchpoint that shows approved content of one type."""

    key: Key
    type: ContentType = ContentType.STRING
    content: Key = Field(description="Key of the content that is standard here.")
    content_version: int = Field(default=1, ge=1)


class Promise(In):
    """What a touchpoint promises, and how it is known to be kept."""

    statement: Text
    metric: Key | None = None
    threshold: float | None = None
    window_hours: int | None = Field(default=None, ge=1)


class Touchpoint(In):
    """One point of interaction inside a stage; the channel is an attribute, not the identity."""

    key: Key
    name: Name
    initiator: str = Field(default="company", pattern="^(company|customer)$")
    channels: list[str] = Field(default_factory=lambda: ["web"])
    slots: list[Slot] = Field(default_factory=list)
    required: bool = False
    repeatable: bool = True
    owner: str = ""
    expose: Exposing = Exposing.ON_RESOLVE
    wait_hours: int | None = Field(
        default=None, ge=0, le=365 * 24, description="How long after its stage was entered it acts."
    )
    promise: Promise | None = None


class PainPoint(In):
    """What hurts in a stage, with its evidence."""

    statement: Text
    evidence: Text = ""
    severity: int = Field(default=2, ge=1, le=3)
    status: PainPointStatus = PainPointStatus.OPEN


class Stage(In):
    """A step of the journey with a customer's question, an entry rule and a goal metric."""

    key: Key
    name: Name
    kind: StageKind = StageKind.PROGRESS
    entry_rule: EventRule
    goal_metric: Key
    customer_question: Text = ""
    expected_dwell_hours: int | None = Field(default=None, ge=1)
    next: list[Key] = Field(default_factory=list, description="Stages that can follow.")
    touchpoints: list[Touchpoint] = Field(default_factory=list)
    pain_points: list[PainPoint] = Field(default_factory=list)


class JourneyGraph(In):
    """The whole map of one version."""

    stages: list[Stage] = Field(min_length=1)
    entry_points: list[Key] = Field(min_length=1)
    goal: Key = Field(description="The stage that the journey is for.")

    def stage(self, key: str) -> Stage | None:
        """The stage of that key."""
        return next((stage for stage in self.stages if stage.key == key), None)

    def stage_of(self, touchpoint: str) -> Stage | None:
        """The stage that a touchpoint belongs to."""
        holding = (
            s for s in self.stages if any(point.key == touchpoint for point in s.touchpoints)
        )
        return next(holding, None)

    def touchpoint(self, key: str) -> Touchpoint | None:
        """The touchpoint of that key, in whichever stage."""
        found = (point for stage in self.stages for point in stage.touchpoints if point.key == key)
        return next(found, None)

    def slot(self, touchpoint: str, slot: str) -> Slot | None:
        """The slot of that key on that touchpoint."""
        point = self.touchpoint(touchpoint)
        return next((item for item in point.slots if item.key == slot), None) if point else None


class ContentIn(In):
    """New content, or a new version of existing content when the key is known."""

    key: Key
    type: ContentType
    payload: JsonValue
    locale: str = Field(default="", max_length=20)
    tags: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _payload_is_of_the_type(self) -> "ContentIn":
        if not self.type.accepts(self.payload):
            message = f"payload {self.payload!r} is not of type {self.type}; change one of them"
            raise ValueError(message)
        return self


class ContentOut(Out):
    """One version of a content."""

    key: str
    number: int
    type: ContentType
    payload: Any
    locale: str
    tags: list[str]
    created_by: str
    created_at: datetime
    approved_by: str | None
    approved_at: datetime | None


class JourneyIn(In):
    """A new journey with its first draft, the contents it shows, and metrics it may bring."""

    key: Key
    name: Name
    owner: str = Field(default="", max_length=200)
    description: Text = ""
    metrics: list[MetricIn] = Field(
        default_factory=list, description="Made when the catalogue does not have them yet."
    )
    contents: list[ContentIn] = Field(
        default_factory=list, description="Count as approved by whoever makes the journey."
    )
    graph: JourneyGraph


class Template(StrEnum):
    """The journeys that come with the product; each is a file in `templates/`."""

    CUSTOMER = "customer"
    SIGNUP = "signup"


class TemplateIn(In):
    """A new journey made from a template."""

    key: Key
    name: Name
    owner: str = Field(default="", max_length=200)
    template: Template = Template.CUSTOMER


class VersionIn(In):
    """A new draft version of a journey."""

    graph: JourneyGraph
    note: Text = ""


class PublishIn(In):
    """Why a version becomes the standard, and what that means for people in flight."""

    reason: Name
    in_flight: InFlight = InFlight.NOW


class RevertIn(In):
    """Which earlier version becomes the standard again, and why."""

    version: int = Field(ge=1)
    reason: Name


class VersionOut(Out):
    """One version of a journey."""

    journey: str
    number: int
    status: VersionStatus
    parent: int | None
    graph: JourneyGraph
    note: str
    provenance: dict[str, Any]
    created_by: str
    created_at: datetime
    published_at: datetime | None
    in_flight: InFlight


class JourneyOut(Out):
    """A journey with what is standard now."""

    id: int
    key: str
    name: str
    owner: str
    description: str
    created_at: datetime
    standard: int | None
    versions: int


class Change(Out):
    """One difference between two versions, at a path like `stages/aware/touchpoints/hero`."""

    path: str
    kind: str
    before: Any = None
    after: Any = None
