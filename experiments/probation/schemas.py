"""Shapes of the probation slice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from experiments.analysis.schemas import Belief, Estimate
from experiments.design.schemas import ExperimentOut
from experiments.journeys.divergence import Divergence
from experiments.metrics.schemas import Direction
from experiments.shapes import Out
from stats.results import NotEstimable

BEFORE, PROMOTED = "before", "promoted"
"""The arms: what the standard was, as control, and what it has become."""


class ProbationState(StrEnum):
    """The life of a probation."""

    RUNNING = "running"
    VERIFIED = "verified"  # fresh data alone show that it is better
    UNVERIFIED = "unverified"  # its time is over and they do not
    DEMOTED = "demoted"  # they show that it is worse: taken back
    ENDED = "ended"  # it could not run to its end


class Realised(Out):
    """What fresh data say: the effect of the promoted standard against the one before.

    Attributes:
        effect_rel: relative effect; until the end its interval holds at every look together.
        effect_log: logarithm of new over old, with its standard error `se_log`.
        promoted: matured visitors of the new standard.
        before: matured visitors of the old one.
        as_of: when the look was taken.
    """

    effect_rel: Estimate
    effect_log: float
    se_log: float
    promoted: int
    before: int
    as_of: datetime


class ProbationOut(Out):
    """One promotion on probation; effects are relative and on the primary metric of its test."""

    id: int
    promotion_id: int
    experiment: str
    name: str
    journey: str
    comparison: str
    metric: str
    metric_name: str
    direction: Direction
    holdback_share: float
    started_at: datetime
    verify_at: datetime
    claimed: Belief | NotEstimable
    realised: Realised | NotEstimable
    state: ProbationState
    sentence: str
    trace: list[dict[str, Any]]
    ended_at: datetime | None


class Held(Out):
    """A share with Wilson's 95% interval: `held` of `n`."""

    n: int
    held: int
    share: float
    ci_low: float
    ci_high: float


class Band(Out):
    """Promotions whose claimed chance to come out better again lies between two limits.

    `claimed` is the mean of those chances, `realised` the share that did come out better, with
    Wilson's 95% interval.
    """

    lower: float
    upper: float
    n: int
    claimed: float
    realised: float
    ci_low: float
    ci_high: float


class TrackRecord(Out):
    """What was claimed of all promotions, and what fresh data brought.

    Attributes:
        states: number of probations in each state.
        judged: how many ended with both a claim and a fresh figure.
        claimed: their mean claimed effect, relative, turned so that better is above zero.
        realised: their mean effect on fresh data.
        inside: how many fresh figures lie where the claims said 95% of them would.
        bands: by claimed chance to come out better, the share that did.
    """

    states: dict[ProbationState, int]
    judged: int
    claimed: Estimate | NotEstimable
    realised: Estimate | NotEstimable
    inside: Held | NotEstimable
    bands: list[Band]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a holdback share keeps: the earlier content of a slot, or the earlier path.

    Attributes:
        version: the version of the journey on which both are judged; a kept path is that of it.
        content: what the slot showed.
        parting: where the paths part, if it is a path.
    """

    version: int
    content: Any = None
    parting: Divergence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A promotion that goes on probation.

    Attributes:
        promotion_id: which promotion.
        experiment: the test that was promoted.
        kept: what a share keeps.
        claimed: what was said to be expected of it.
    """

    promotion_id: int
    experiment: ExperimentOut
    kept: Kept
    claimed: Belief | NotEstimable
