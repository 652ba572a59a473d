"""Shapes of the decisions slice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from experiments.analysis.schemas import Unit
from experiments.journeys.schemas import VersionOut
from experiments.shapes import Out
from stats.results import NotEstimable


class Outcome(StrEnum):
    """What follows from one look."""

    CONTINUE = "continue"
    PROMOTE = "promote"
    CONFLICT = "conflict"  # it wins, and the standard has changed where it would write
    KEEP = "keep"  # every variant is worse than the standard
    NEUTRAL = "neutral"  # no variant is better by as much as is worth finding
    SOONER = "sooner"  # conversions come earlier, and not more of them
    DEMOTE = "demote"  # what was promoted does not hold on fresh data
    INCONCLUSIVE = "inconclusive"
    ABORT = "abort"


class Ruling(StrEnum):
    """How one condition turned out; what waits can still pass."""

    PASSED = "passed"
    FAILED = "failed"
    WAITING = "waiting"


class Condition(Out):
    """One condition of the gate with its figure, its threshold and what that means in words."""

    condition: str
    variant: str | None = None
    metric: str | None = None
    figure: float | NotEstimable
    threshold: float | NotEstimable
    unit: Unit = Unit.NONE
    ruling: Ruling
    words: str


class Verdict(Out):
    """The outcome of one look, why, and everything that was looked at."""

    outcome: Outcome
    variant: str | None
    harmed: list[str]
    sentence: str
    trace: list[Condition]


class PromotionState(StrEnum):
    """The life of a promotion."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    DECLINED = "declined"
    VERIFIED = "verified"
    ROLLED_BACK = "rolled_back"


class PromotionOut(Out):
    """A winning variant on its way into the standard journey."""

    id: int
    decision_id: int
    experiment: str
    journey: str
    variant: str
    state: PromotionState
    from_version: int | None
    to_version: int | None
    predicted: dict[str, Any]
    actor: str
    rebased_by: str | None
    proposed_at: datetime
    applied_at: datetime | None
    declined_at: datetime | None
    rolled_back_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Maps:
    """The standard journey before a promotion, as the promotion published it, and now."""

    earlier: VersionOut
    promoted: VersionOut
    current: VersionOut


class DecisionOut(Out):
    """What was decided on one look."""

    id: int
    experiment: str
    run_id: int
    look: int
    data_hash: str
    outcome: Outcome
    variant: str | None
    sentence: str
    trace: list[Condition]
    actor: str
    at: datetime
    promotion: PromotionOut | None
