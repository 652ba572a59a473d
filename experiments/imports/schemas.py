"""Shapes of the imports slice: one mapping per kind of file, and what an import reports."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from experiments.imports.parts import (
    AmountIn,
    Column,
    ExperimentTarget,
    FigureColumns,
    FileIn,
    JourneyTarget,
    Moment,
    OutcomeIn,
    RowCondition,
    SeriesTarget,
    SnapshotMetric,
    StagesTarget,
    Template,
    TotalAmount,
    TotalOutcome,
    When,
    check_measures,
)
from experiments.shapes import Key, Name, Out


class Kind(StrEnum):
    """What a row of the file is."""

    VISITORS = "visitors"  # one visitor, with arm, outcomes, amounts and attributes
    EVENTS = "events"  # one event of a visitor
    TOTALS = "totals"  # one arm of an experiment, with its totals
    SNAPSHOTS = "snapshots"  # the figures of one arm and metric so far, at one time


class Refusal(StrEnum):
    """Why a row was not stored."""

    UNREADABLE = "unreadable"
    MISMATCH = "mismatch"
    CONTAMINATED = "contaminated"
    CONFLICT = "conflict"
    FORGOTTEN = "forgotten"


class VisitorsMapping(FileIn):
    """A file with a row per visitor."""

    kind: Literal[Kind.VISITORS]
    journey: JourneyTarget
    experiment: ExperimentTarget
    visitor: Template
    variant: Template
    at: When = Field(description="When the visitor was exposed.")
    days: int = Field(
        default=7, ge=1, le=365, description="How long it ran, when `at` is one time for all."
    )
    outcomes: list[OutcomeIn] = Field(min_length=1)
    amounts: list[AmountIn] = Field(default_factory=list)
    attributes: dict[Key, Column] = Field(default_factory=dict)
    fits: dict[Key, RowCondition] = Field(
        default_factory=dict,
        description="Per variant, what its rows must meet; others were shown something else.",
    )

    @property
    def is_undated(self) -> bool:
        """Whether the file does not tell when its visitors came."""
        return isinstance(self.at, datetime)

    @model_validator(mode="after")
    def _names_agree(self) -> "VisitorsMapping":
        arms = {arm.key for arm in self.experiment.variants}
        stray = sorted(set(self.fits) - arms)
        if stray:
            message = f"fits: {stray[0]!r} is not a variant; the variants are {sorted(arms)}"
            raise ValueError(message)
        check_measures(self.experiment.primary_metric, [*self.outcomes, *self.amounts])
        return self


class EventsMapping(FileIn):
    """A file with a row per event."""

    kind: Literal[Kind.EVENTS]
    journey: StagesTarget | None = None
    visitor: Template
    event: Template
    at: When
    message_id: Template | None = Field(
        default=None, description="What makes a row unique; otherwise all that is read from it."
    )
    properties: dict[Name, Column] = Field(default_factory=dict)


class TotalsMapping(FileIn):
    """A file with a row per arm."""

    kind: Literal[Kind.TOTALS]
    journey: JourneyTarget
    experiment: SeriesTarget
    variant: Template
    variant_name: Template | None = None
    weights: dict[Key, float] = Field(
        default_factory=dict, description="Planned shares; equal when left out."
    )
    at: When = Field(description="When the experiment began.")
    days: int = Field(default=7, ge=1, le=365, description="How long it ran.")
    visitors: Column
    outcomes: list[TotalOutcome] = Field(min_length=1)
    amounts: list[TotalAmount] = Field(default_factory=list)

    @model_validator(mode="after")
    def _primary_is_mapped(self) -> "TotalsMapping":
        check_measures(self.experiment.primary_metric, [*self.outcomes, *self.amounts])
        return self


class SnapshotsMapping(FileIn):
    """A file with cumulative figures over time; the control may stand beside each treatment."""

    kind: Literal[Kind.SNAPSHOTS]
    journey: JourneyTarget
    experiment: SeriesTarget
    variant: Template
    weights: dict[Key, float] = Field(default_factory=dict)
    metric: Template
    metrics: list[SnapshotMetric] = Field(min_length=1)
    start: Moment = Field(description="When the experiments began.")
    day: Column = Field(description="Days since the start.")
    figures: FigureColumns
    control: FigureColumns | None = Field(
        default=None, description="The control's figures, when they stand in the same row."
    )

    @model_validator(mode="after")
    def _control_is_named(self) -> "SnapshotsMapping":
        if self.control is not None and not self.experiment.control:
            message = "experiment: name the `control` whose figures stand beside each treatment"
            raise ValueError(message)
        check_measures(self.experiment.primary_metric, self.metrics)
        return self


AnyMapping = VisitorsMapping | EventsMapping | TotalsMapping | SnapshotsMapping


class ImportSummary(Out):
    """What became of the rows of a file."""

    kind: Kind
    file: str
    rows: int
    stored: int
    repeated: int
    rejected: int
    reasons: dict[Refusal, int]
    rejected_file: str | None
    experiments: list[str]


class PreviewRow(Out):
    """One row as it would be read, or why it would not."""

    line: int
    reading: dict[str, str]
    problem: str


class ImportRunOut(Out):
    """One import of one file."""

    id: int
    kind: Kind
    file_name: str
    content_hash: str
    started_at: datetime
    finished_at: datetime | None
    rows: int
    stored: int
    repeated: int
    rejected: int
    reasons: dict[Refusal, int]
