"""Shapes of the resolution slice."""

from datetime import datetime
from typing import Any

from pydantic import Field

from experiments.assignment.schemas import VisitorId
from experiments.resolution.ladder import Rung
from experiments.shapes import In, JsonValue, Key, Out


class ResolveIn(In):
    """What shall be shown to this visitor at this touchpoint?"""

    visitor: VisitorId | None = Field(
        default=None, description="Any id of the visitor; without one there is no test."
    )
    journey: Key
    touchpoint: Key
    slots: list[Key] = Field(
        default_factory=list, max_length=100, description="All slots of the touchpoint if empty."
    )
    context: dict[str, Any] = Field(
        default_factory=dict, description="Attributes of this request; they overlay stored ones."
    )
    fallback: dict[Key, JsonValue] = Field(
        default_factory=dict, description="What to show, by slot, when nothing else is known."
    )
    preview: str = Field(default="", max_length=2000, description="Token of a preview link.")


class SlotOut(Out):
    """What one slot shows, from which rung, and in which arm of which experiment."""

    value: Any
    source: Rung
    origin: str
    reason: str
    experiment: str | None = None
    variant: str | None = None


class PathOut(Out):
    """The experiment on paths that a visitor is in, and their arm."""

    experiment: str
    variant: str


class ResolutionOut(Out):
    """What a touchpoint shows to a visitor."""

    visitor: str | None
    journey: str
    journey_version: int | None
    touchpoint: str
    stage: str | None
    on_path: bool = Field(
        default=True,
        description="False when the touchpoint is not on the visitor's path: go on to the next.",
    )
    path: PathOut | None = Field(default=None, description="The arm of a test of paths.")
    wait_hours: int | None = Field(
        default=None, description="How long after its stage was entered the touchpoint acts."
    )
    channels: list[str] = Field(default_factory=list)
    ruleset: int
    slots: dict[str, SlotOut]


class RungOut(Out):
    """One rung that was asked."""

    rung: Rung
    answered: bool
    reason: str


class ExplainOut(ResolutionOut):
    """The same answer with every rung that was asked, by slot; nothing was written."""

    rungs: dict[str, list[RungOut]]


class PreviewIn(In):
    """A preview of one variant."""

    variant: Key
    hours: int = Field(default=72, ge=1, le=30 * 24, description="How long the link works.")


class PreviewOut(Out):
    """The word to send as `preview` when resolving."""

    experiment: str
    variant: str
    token: str
    expires_at: datetime
