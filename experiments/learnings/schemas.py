"""Shapes of the learnings slice."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from experiments.analysis.schemas import Estimate, Light
from experiments.decisions.schemas import Outcome
from experiments.design.schemas import Status
from experiments.shapes import In, Out
from stats.results import NotEstimable

Statement = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]*$", max_length=60)]


class Strength(StrEnum):
    """How much a learning can carry."""

    STRONG = "strong"  # a decision by the rule on data that can be trusted
    MODERATE = "moderate"  # the same on data to be taken with care
    WEAK = "weak"  # no answer, or ended by hand before there was one
    VOID = "void"  # the data cannot be trusted


class Figure(Out):
    """What one variant did to the primary metric, as measured and as it is believed."""

    variant: str
    shown: str
    visitors: int
    effect_rel: Estimate | NotEstimable
    believed: Estimate | NotEstimable


class Evidence(Out):
    """What a learning rests on; a decision is missing when people ended the experiment."""

    outcome: Outcome | None
    reason: str
    metric: str
    metric_name: str
    look: int | None
    data_hash: str
    light: Light | None
    figures: list[Figure]


class Lesson(Out):
    """A learning before it is written: what to say, how much it carries, and why."""

    statement: str
    strength: Strength
    evidence: Evidence


class LearningIn(In):
    """What people say better than the platform: the words, for whom, and tags to find it by."""

    statement: Statement
    persona: str = Field(default="", max_length=80)
    tags: list[Tag] = Field(default_factory=list, max_length=20)


class Search(In):
    """Which learnings: every field that is filled in must fit."""

    text: str = Field(default="", max_length=200, description="Words of the statement or name.")
    journey: str = Field(default="", max_length=80, description="Key of a journey.")
    stage: str = Field(default="", max_length=80, description="Key of a stage.")
    touchpoint: str = Field(default="", max_length=80, description="Key of a touchpoint.")
    persona: str = Field(default="", max_length=80, description="Key of a persona.")
    tag: str = Field(default="", max_length=60, description="One tag.")
    strength: Strength | None = Field(default=None, description="How much it can carry.")
    due: bool = Field(default=False, description="Only those that should be tested again.")


class LearningOut(Out):
    """What one ended experiment taught."""

    id: int
    experiment: str
    name: str
    status: Status
    journey: str
    stage: str
    touchpoint: str
    slot: str
    persona: str
    tags: list[str]
    statement: str
    written: str
    strength: Strength
    evidence: Evidence
    ended_at: datetime
    review_by: datetime
    created_at: datetime
    edited_at: datetime | None
    retested_at: datetime | None
    retest: str | None


class Noted(Out):
    """What is known of one place of a journey: how many learnings, and the newest."""

    number: int
    newest: LearningOut
