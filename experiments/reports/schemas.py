"""Shapes of the reports slice."""

from datetime import datetime
from typing import Any

from pydantic import Field

from experiments.aa.schemas import AaOut
from experiments.analysis.schemas import Belief, Light, Trust
from experiments.decisions.schemas import Outcome, PromotionOut
from experiments.decisions.shipped import Shipped
from experiments.design.schemas import Status
from experiments.journeys.schemas import Change, StageKind
from experiments.learnings.schemas import Strength
from experiments.probation.schemas import ProbationState, Realised, TrackRecord
from experiments.shapes import Out
from stats.results import NotEstimable


class FunnelStage(Out):
    """Visitors who reached one stage in seven days, beside the seven days before."""

    key: str
    name: str
    kind: StageKind
    visitors: int
    before: int


class JourneyFunnel(Out):
    """The stages of one journey with their visitors."""

    journey: str
    name: str
    stages: list[FunnelStage]


class Reworded(Out):
    """What a slot said before and says now."""

    touchpoint: str
    slot: str
    before: Any
    after: Any


class JourneyChange(Out):
    """A version that became the standard."""

    journey: str
    name: str
    version: int
    at: datetime
    by: str
    reason: str
    experiment: str | None
    reverts_to: int | None
    reworded: list[Reworded]
    changes: list[Change]


class Worth(Out):
    """What a change is worth on the primary metric: relative, shrunk, with its range."""

    metric: str
    value: float
    low: float
    high: float


class Lamp(Out):
    """Whether the figures of an experiment can be believed, and why not."""

    light: Light
    reasons: list[str]


class Judgement(Out):
    """What was decided of one experiment, by which rule, and what it is worth."""

    experiment: str
    name: str
    journey: str
    outcome: Outcome
    variant: str | None
    sentence: str
    at: datetime
    actor: str
    rule: list[str]
    worth: Worth | None
    worth_unknown: str
    trust: Lamp | None = None


class TakenBack(Out):
    """A promotion that was reverted."""

    experiment: str
    name: str
    journey: str
    variant: str
    at: datetime


class Approval(Out):
    """A proven variant that waits for a person to make it the standard."""

    experiment: str
    name: str
    journey: str
    variant: str
    since: datetime


class Waiting(Out):
    """An experiment that is not decided yet, and what it needs."""

    experiment: str
    name: str
    journey: str
    state: Status
    needs: str
    trust: Lamp | None = None


class ExperimentTrust(Out):
    """The trust light of one test."""

    experiment: str
    trust: Trust


class Alarm(Out):
    """Why the figures of an experiment should not be believed as they are."""

    experiment: str
    name: str
    sentence: str
    light: Light = Light.RED
    journey: str = ""


class OnProbation(Out):
    """A promotion on probation: what was claimed beside what fresh data say."""

    experiment: str
    name: str
    journey: str
    metric_name: str
    state: ProbationState
    sentence: str
    claimed: Belief | NotEstimable
    realised: Realised | NotEstimable
    verify_at: datetime


class Learned(Out):
    """What an ended test taught, as it was first written."""

    learning: int
    experiment: str
    name: str
    statement: str
    strength: Strength
    journey: str = ""


class Simulated(Out):
    """Tests in which nothing differed, in simulation: which share the gate promoted, and may."""

    tests: int
    promoted: float
    at_most: float


class Facts(Out):
    """Everything a report is made of, as it was known at `as_of`."""

    week: str
    since: datetime
    until: datetime
    as_of: datetime
    changes: list[JourneyChange]
    judgements: list[Judgement]
    taken_back: list[TakenBack]
    approvals: list[Approval]
    waiting: list[Waiting]
    probations: list[OnProbation]
    track_record: TrackRecord
    shipped: list[Shipped]
    alarms: list[Alarm]
    learned: list[Learned]
    due: list[Learned]
    funnels: list[JourneyFunnel]


class Body(Out):
    """What a report says."""

    week: str
    since: datetime
    until: datetime
    as_of: datetime
    headline: str
    outcomes: dict[Outcome, int]
    changes: list[JourneyChange]
    promoted: list[Judgement]
    harmful: list[Judgement]
    nothing_to_conclude: list[Judgement]
    judgements_left_out: int
    taken_back: list[TakenBack]
    # Reports that were written before these were told have none.
    approvals: list[Approval] = Field(default_factory=list)
    waiting: list[Waiting]
    waiting_left_out: int
    probations: list[OnProbation] = Field(default_factory=list)
    track_record: TrackRecord | None = None
    simulated: Simulated | None = None
    shipped: list[Shipped] = Field(default_factory=list)
    alarms: list[Alarm]
    alarms_left_out: int
    learned: list[Learned] = Field(default_factory=list)
    due: list[Learned] = Field(default_factory=list)
    funnels: list[JourneyFunnel]


class ReportOut(Out):
    """The report of one ISO week, as it was written."""

    week: str
    as_of: datetime
    data_hash: str
    body: Body
    created_at: datetime


class OpenTest(Out):
    """A test that is under way, with what the gate says of it."""

    experiment: str
    name: str
    journey: str
    status: Status
    started_at: datetime | None
    ends_at: datetime | None
    sentence: str
    trust: Trust | None


class TodayOut(Out):
    """What needs a person today, what goes on by itself, and whether it can be believed."""

    promotions: list[PromotionOut]
    drafts: int
    tests: list[OpenTest]
    alarms: list[Alarm]
    changes: list[JourneyChange]
    lights: dict[Light, int]
    aa: AaOut
    track_record: TrackRecord
    simulated: str
