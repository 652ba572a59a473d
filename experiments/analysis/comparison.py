"""One treatment against the control on one metric: intervals, tests, belief and harm."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.analysis.belief import STATED_PRIOR, believe
from experiments.analysis.data import Cell
from experiments.analysis.harm import harm
from experiments.analysis.protocol import Protocol, Question
from experiments.analysis.schemas import (
    Comparison,
    Estimate,
    FixedHorizon,
    Role,
    SequentialTest,
)
from experiments.analysis.sequential import History, Hypothesis, sequential_test
from experiments.analysis.strata import compared_arms
from experiments.analysis.timing import timing
from experiments.metrics.schemas import Direction, MetricKind
from stats.arrays import FloatArray
from stats.confidence_sequences import asymptotic_cs_two_sided
from stats.effects import ArmEstimate, EffectEstimate, welch_effect, z_effect
from stats.priors import MixturePrior
from stats.relative import LogLift, lift_log
from stats.results import NotEstimable

SHOWN_ALPHA = 0.05
"""Two-sided error of every interval that people see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The two arms of a comparison, all phases combined, with their effect on both scales."""

    control: ArmEstimate
    treatment: ArmEstimate
    effect: EffectEstimate | NotEstimable
    lift: LogLift | NotEstimable

    @property
    def visitors(self) -> float:
        """Matured visitors of both arms."""
        return float(self.control.n + self.treatment.n)


def compare(
    question: Question,
    *,
    cells: tuple[Sequence[Cell], Sequence[Cell]],
    variant: str,
    protocol: Protocol,
    earlier: History,
) -> Comparison:
    """Everything one look says about one treatment on one metric."""
    pair = _pair(*cells, kind=question.metric.kind)
    test = _test(question, pair, variant=variant, protocol=protocol, earlier=earlier)
    return Comparison(
        variant=variant,
        effect_abs=_shown_effect(pair, protocol.n_star),
        effect_rel=_shown_lift(pair, protocol.n_star),
        test=test,
        fixed=_fixed(pair, protocol),
        belief=believe(
            pair.lift, direction=question.metric.direction, prior=_prior(question, protocol)
        ),
        harm=harm(question, *cells, variant=variant, protocol=protocol, test=test),
        timing=timing(
            *cells,
            effect=pair.effect,
            direction=question.metric.direction,
            alpha=protocol.plan.alpha / len(protocol.treatments),
        ),
    )


def _pair(control: Sequence[Cell], treatment: Sequence[Cell], *, kind: MetricKind) -> Pair:
    first, second = compared_arms(control, treatment, kind=kind)
    # A rate has the variance of its own binomial; a mean has one that is estimated.
    test = _rate_effect if kind is MetricKind.CONVERSION else welch_effect
    return Pair(
        control=first,
        treatment=second,
        effect=test(first, second, alpha=SHOWN_ALPHA).at(),
        lift=lift_log(first, second, alpha=SHOWN_ALPHA).at(),
    )


def _rate_effect(control: ArmEstimate, treatment: ArmEstimate, *, alpha: float) -> EffectEstimate:
    return z_effect(
        treatment.value - control.value,
        np.sqrt(control.variance + treatment.variance),
        alpha=alpha,
        reason=np.maximum(control.reason, treatment.reason),
    )


def _shown_effect(pair: Pair, n_star: float) -> Estimate | NotEstimable:
    if isinstance(pair.effect, NotEstimable):
        return pair.effect
    effect, se = float(pair.effect.effect_abs), float(pair.effect.se)
    interval = asymptotic_cs_two_sided(
        effect, se, visitors=pair.visitors, alpha=SHOWN_ALPHA, n_star=n_star
    ).at()
    if isinstance(interval, NotEstimable):
        return interval
    return _estimate(interval.effect_abs, interval.ci_low, interval.ci_high)


def _shown_lift(pair: Pair, n_star: float) -> Estimate | NotEstimable:
    if isinstance(pair.lift, NotEstimable):
        return pair.lift
    effect, se = float(pair.lift.effect_log), float(pair.lift.se_log)
    if se == 0:
        return NotEstimable("no visitor differs from another, so chance cannot be judged")
    interval = asymptotic_cs_two_sided(
        effect, se, visitors=pair.visitors, alpha=SHOWN_ALPHA, n_star=n_star
    ).at()
    if isinstance(interval, NotEstimable):
        return interval
    low, high = np.expm1([float(interval.ci_low), float(interval.ci_high)]).tolist()
    if not np.isfinite(high):
        return NotEstimable("too few conversions for an interval of the relative change")
    return Estimate(value=float(pair.lift.effect_rel), ci_low=low, ci_high=high)


def _test(
    question: Question, pair: Pair, *, variant: str, protocol: Protocol, earlier: History
) -> SequentialTest | NotEstimable:
    is_primary = Role.PRIMARY in question.roles
    if not is_primary and question.margin is None:
        return NotEstimable("only the primary metric and guardrails are tested")
    tested = _better(question, pair) if is_primary else _not_worse(question, pair)
    if isinstance(tested, NotEstimable):
        return tested
    effect, se = tested
    return sequential_test(
        effect,
        se,
        hypothesis=hypothesis_of(question, variant, protocol=protocol, earlier=earlier),
        visitors=pair.visitors,
        planned_visitors=protocol.planned_visitors,
    )


def _prior(question: Question, protocol: Protocol) -> MixturePrior:
    # What was learned is about effects on the primary metric.
    return protocol.prior if Role.PRIMARY in question.roles else STATED_PRIOR


def hypothesis_of(
    question: Question, variant: str, *, protocol: Protocol, earlier: History
) -> Hypothesis:
    """What is tested of a treatment on the primary metric or a guardrail, and how strictly."""
    is_primary = Role.PRIMARY in question.roles
    return Hypothesis(
        alpha=protocol.plan.alpha,
        # Every guardrail of every treatment has its own alpha: it can only hold a promotion back.
        comparisons=len(protocol.treatments) if is_primary else 1,
        calendar_fraction=protocol.calendar_fraction,
        earlier=earlier.get((question.metric.key, variant), []),
        n_star=protocol.n_star,
    )


def _better(question: Question, pair: Pair) -> tuple[float, float] | NotEstimable:
    """The effect on the absolute scale, turned so that better is above zero."""
    if isinstance(pair.effect, NotEstimable):
        return pair.effect
    return _sign(question) * float(pair.effect.effect_abs), float(pair.effect.se)


def _not_worse(question: Question, pair: Pair) -> tuple[float, float] | NotEstimable:
    """The effect on the log scale, counted from the margin, turned so that better is above it."""
    if isinstance(pair.lift, NotEstimable):
        return pair.lift
    if pair.lift.se_log == 0:
        return NotEstimable("no visitor differs from another, so chance cannot be judged")
    sign = _sign(question)
    return (
        sign * float(pair.lift.effect_log) + allowance(question),
        float(pair.lift.se_log),
    )


def allowance(question: Question) -> float:
    """How much worse than the control a guardrail may get, as a distance on the log scale."""
    sign, margin = _sign(question), question.margin or 0.0
    return -sign * float(np.log1p(-sign * margin))


def _fixed(pair: Pair, protocol: Protocol) -> FixedHorizon | NotEstimable:
    if protocol.calendar_fraction < 1:
        return NotEstimable("shown once, at the end of the planned horizon")
    if isinstance(pair.effect, NotEstimable):
        return pair.effect
    absolute, lift = pair.effect, pair.lift
    return FixedHorizon(
        p_two_sided=float(absolute.p_two_sided),
        effect_abs=_estimate(absolute.effect_abs, absolute.ci_low, absolute.ci_high),
        effect_rel=(
            lift
            if isinstance(lift, NotEstimable)
            else _estimate(lift.effect_rel, lift.ci_low, lift.ci_high)
        ),
    )


def _estimate(value: FloatArray, low: FloatArray, high: FloatArray) -> Estimate:
    return Estimate(value=float(value), ci_low=float(low), ci_high=float(high))


def _sign(question: Question) -> float:
    return 1.0 if question.metric.direction is Direction.INCREASE else -1.0
