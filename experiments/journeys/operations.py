"""What a patch may do to a map: one small shape per operation, told apart by `op`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from experiments.journeys.schemas import Stage, Touchpoint
from experiments.shapes import In, Key, Name

BEFORE = "Touchpoint that it comes before; the end of the stage if left out."


class SkipStage(In):
    """Lead past a stage: those before it lead where it led; its touchpoints go with it."""

    op: Literal["skip_stage"]
    stage: Key


class MergeStages(In):
    """Make one stage of several: it keeps the rule and metric of `into`, and all touchpoints."""

    op: Literal["merge_stages"]
    stages: list[Key] = Field(min_length=2)
    into: Key = Field(description="The stage that stays; one of `stages`.")

    @model_validator(mode="after")
    def _into_is_one_of_them(self) -> "MergeStages":
        if self.into not in self.stages or len(set(self.stages)) != len(self.stages):
            message = "into must be one of the stages, and each must be named once"
            raise ValueError(message)
        return self


class AddStage(In):
    """Lead through a new stage; without a `next` of its own it leads where `after` led."""

    op: Literal["add_stage"]
    stage: Stage
    after: Key


class SkipTouchpoint(In):
    """Leave a touchpoint out."""

    op: Literal["skip_touchpoint"]
    touchpoint: Key


class AddTouchpoint(In):
    """Add a touchpoint to a stage."""

    op: Literal["add_touchpoint"]
    stage: Key
    touchpoint: Touchpoint
    before: Key | None = Field(default=None, description=BEFORE)


class MoveTouchpoint(In):
    """Put a touchpoint at another place, in its stage or in another."""

    op: Literal["move_touchpoint"]
    touchpoint: Key
    stage: Key
    before: Key | None = Field(default=None, description=BEFORE)


class ReplaceTouchpoint(In):
    """Put another touchpoint in the place of one."""

    op: Literal["replace_touchpoint"]
    touchpoint: Key
    by: Touchpoint


class SetWait(In):
    """Let a touchpoint wait after its stage was entered; 0 = at once."""

    op: Literal["set_wait"]
    touchpoint: Key
    hours: int = Field(ge=0, le=24 * 365)


class SetChannel(In):
    """Reach people at a touchpoint through other channels."""

    op: Literal["set_channel"]
    touchpoint: Key
    channels: list[Name] = Field(min_length=1)


Operation = Annotated[
    SkipStage
    | MergeStages
    | AddStage
    | SkipTouchpoint
    | AddTouchpoint
    | MoveTouchpoint
    | ReplaceTouchpoint
    | SetWait
    | SetChannel,
    Field(discriminator="op"),
]


class JourneyPatch(In):
    """Another path: operations on a map, done one after the other."""

    operations: list[Operation] = Field(max_length=50)
