"""What all promotions together brought: the two parts of a holdout beside the sum of the wins.

The status quo stays on the standard as it was when the holdout began; the other part gets every
promotion and no test. Their difference is what was shipped in all, measured; the sum of the shrunk
effects that the promotions were given is what was claimed. Both are about the same metric.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from sqlmodel import Session, col, select

from experiments.analysis.models import AnalysisRun
from experiments.analysis.schemas import Belief, Estimate, Readout
from experiments.decisions.models import Decision
from experiments.decisions.queries import promotions
from experiments.decisions.schemas import PromotionOut
from experiments.design import queries as designs
from experiments.design.exclusion import ALL_SHIPPED
from experiments.design.schemas import ExperimentOut, HoldoutOut
from experiments.metrics.queries import metric
from experiments.shapes import Out
from stats.effects import Z_95
from stats.results import NotEstimable

NO_LOOK = NotEstimable("the holdout has not been looked at yet")
NOTHING_SHIPPED = NotEstimable("nothing was promoted since the holdout began")
SILENT = NotEstimable("no promotion since then says anything about this metric")


class Win(Out):
    """One promotion since the holdout began, and what it claims on the holdout's metric."""

    experiment: str
    variant: str
    applied_at: datetime
    claimed: Estimate | NotEstimable


class Shipped(Out):
    """A split holdout: what all promotions brought together, measured and claimed.

    Attributes:
        holdout: key of the holdout.
        name: what people call it.
        journey: key of the journey.
        comparison: key of the comparison of both parts.
        since: when the holdout began.
        base_version: the version that the status quo stays on.
        metric: key of the metric that both are about.
        metric_name: what people call it.
        measured: all shipped against the status quo, relative, valid at every look.
        claimed: the sum of the promotions' shrunk effects, relative.
        wins: the promotions, the oldest first.
    """

    holdout: str
    name: str
    journey: str
    comparison: str
    since: datetime
    base_version: int
    metric: str
    metric_name: str
    measured: Estimate | NotEstimable
    claimed: Estimate | NotEstimable
    wins: list[Win]


def shipped(session: Session, *, as_of: datetime) -> list[Shipped]:
    """Every split holdout that ran at `as_of`, as it was known then."""
    return [
        _compared(session, item, item.comparison, item.base_version, as_of=as_of)
        for item in designs.holdouts(session)
        if item.comparison is not None and item.base_version is not None
        if item.created_at <= as_of and (item.ended_at is None or item.ended_at > as_of)
    ]


def _compared(
    session: Session, item: HoldoutOut, comparison: str, base_version: int, *, as_of: datetime
) -> Shipped:
    found = designs.experiment(session, comparison)
    made = [
        promotion
        for promotion in reversed(promotions(session, journey=item.journey))
        if _stood(promotion, since=item.created_at, as_of=as_of)
    ]
    wins = [_win(session, promotion, metric_key=found.primary_metric) for promotion in made]
    return Shipped(
        holdout=item.key,
        name=item.name,
        journey=item.journey,
        comparison=comparison,
        since=item.created_at,
        base_version=base_version,
        metric=found.primary_metric,
        metric_name=metric(session, found.primary_metric).name,
        measured=_measured(session, found, as_of=as_of),
        claimed=total([win.claimed for win in wins]),
        wins=wins,
    )


def total(claims: Sequence[Estimate | NotEstimable]) -> Estimate | NotEstimable:
    """Several relative effects after one another; those that do not exist add nothing."""
    known = [claim for claim in claims if isinstance(claim, Estimate)]
    if not known:
        return SILENT if claims else NOTHING_SHIPPED
    logs = np.log1p([[claim.value, claim.ci_low, claim.ci_high] for claim in known])
    spread = Z_95 * np.sqrt((((logs[:, 2] - logs[:, 1]) / (2 * Z_95)) ** 2).sum())
    middle = logs[:, 0].sum()
    low, value, high = np.expm1([middle - spread, middle, middle + spread]).tolist()
    return Estimate(value=value, ci_low=low, ci_high=high)


def _stood(promotion: PromotionOut, *, since: datetime, as_of: datetime) -> bool:
    """Whether a promotion was made after a time and still stood at another."""
    applied, ended = promotion.applied_at, promotion.rolled_back_at
    is_made = applied is not None and since <= applied <= as_of
    return is_made and (ended is None or ended > as_of)


def _win(session: Session, promotion: PromotionOut, *, metric_key: str) -> Win:
    query = (
        select(AnalysisRun.readout)
        .join(Decision, col(Decision.run_id) == col(AnalysisRun.id))
        .where(Decision.id == promotion.decision_id)
    )
    readout = Readout.model_validate(session.exec(query).one())
    return Win(
        experiment=promotion.experiment,
        variant=promotion.variant,
        applied_at=promotion.applied_at or promotion.proposed_at,
        claimed=_claimed(readout, promotion.variant, metric_key=metric_key),
    )


def _claimed(readout: Readout, variant: str, *, metric_key: str) -> Estimate | NotEstimable:
    """The shrunk effect of a variant on a metric, if its test measured that metric."""
    if metric_key not in {item.key for item in readout.metrics}:
        return NotEstimable("its test did not measure this metric")
    belief = readout.metric(metric_key).comparison(variant).belief
    if not isinstance(belief, Belief):
        return belief
    return Estimate(value=belief.effect_rel, ci_low=belief.ci_low, ci_high=belief.ci_high)


def _measured(
    session: Session, found: ExperimentOut, *, as_of: datetime
) -> Estimate | NotEstimable:
    query = (
        select(AnalysisRun.readout)
        .where(AnalysisRun.experiment_id == found.id, col(AnalysisRun.created_at) <= as_of)
        .order_by(col(AnalysisRun.look).desc())
    )
    last = session.exec(query).first()
    if last is None:
        return NO_LOOK
    return Readout.model_validate(last).primary.comparison(ALL_SHIPPED).effect_rel
