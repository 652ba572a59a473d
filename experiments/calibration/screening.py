"""Which looks can change anything: an exact screen over all experiments and looks at once.

Sending 10,000 experiments at 672 looks through the real code one by one would take a day. Most of
these looks provably lead to "continue", and the screen leaves out exactly those:

- A promotion needs the evidence to pass, so either z_k >= b_k at look k or an always-valid lower
  limit above zero. By the definition of the bounds, P(any z_j >= b_j, j <= k) = spent(t_k) without
  an effect, and P(z_k >= b_k) cannot be larger. Hence b_k >= Phi^-1(1 - spent(t_k)), whatever the
  information was: a look with z_k below that floor cannot promote. The same holds of guardrails.
- A promotion needs the planned days and conversions; in Bayesian mode also the chance to win.
- Harm needs an always-valid upper limit below zero, with some conversions in either arm, or an
  e-value of 1000. The e-value of a phase is
  an average of likelihood ratios, so it is at most the largest one, exp(n KL(seen share, planned
  share)), and at most 1 when the seen share is not below the planned one; only where that allows
  1000 the e-value itself is computed.

Every figure comes from the same `stats` functions as in the real code, and what remains goes
through the real code. A test sends every look of a sample through it and finds the same endings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy

from experiments.analysis.belief import PRIOR_SD
from experiments.analysis.comparison import allowance, hypothesis_of
from experiments.analysis.harm import (
    FEWEST_CONVERSIONS,
    HARM_ALPHA,
    HARM_CONCENTRATION,
    HARM_LOG_E,
)
from experiments.analysis.protocol import Question
from experiments.analysis.schemas import Role
from experiments.analysis.sequential import SPENDING, Hypothesis
from experiments.analysis.strata import combined_arms
from experiments.calibration.panels import Panel
from experiments.calibration.scenarios import HOURS_PER_DAY, PRIMARY
from experiments.decisions.merit import MIN_CHANCE_TO_WIN
from experiments.metrics.schemas import MetricKind
from stats.arrays import BoolArray, FloatArray, undefined_is_masked
from stats.bayes_means import NormalPrior, effect_posterior
from stats.confidence_sequences import asymptotic_cs_one_sided
from stats.e_values import harm_e_value
from stats.effects import ArmEstimate
from stats.means import mean_estimate
from stats.moments import Counts, JointMoments
from stats.proportions import rate_estimate
from stats.ratios import ratio_estimate
from stats.relative import LogLift, lift_log

Pair: TypeAlias = tuple[ArmEstimate, ArmEstimate]

ROUNDING = 1e-6
"""The screen computes in another order than the real code, so that digits may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """The test of one metric at every look; arrays of shape (experiments, looks, treatments).

    Attributes:
        z: test statistic, NaN where there is none.
        information: 1 / se^2, NaN where there is no test.
        always_valid: whether the always-valid limit may be above zero.
        harmful: whether the always-valid upper limit may be below zero.
        may_pass: whether the test may pass.
    """

    z: FloatArray
    information: FloatArray
    always_valid: BoolArray
    harmful: BoolArray
    may_pass: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What each look may lead to; arrays of shape (experiments, looks, treatments)."""

    tests: dict[str, Tested]
    may_promote: BoolArray
    may_be_believed: BoolArray
    may_harm: BoolArray


def screen(panel: Panel) -> Screen:
    """Find the looks at which an experiment of `panel` may end."""
    pairs = {item.metric.key: pairs_of(panel, item) for item in panel.scenario.questions}
    tests = {
        item.metric.key: tested(panel, item, pairs=pairs[item.metric.key])
        for item in panel.scenario.questions
    }
    passing = np.logical_and.reduce([test.may_pass for test in tests.values()])
    return Screen(
        tests=tests,
        may_promote=passing & _is_mature(panel),
        may_be_believed=np.stack([_may_win(lift_log(*pair)) for pair in pairs[PRIMARY]], axis=-1),
        may_harm=_may_harm(panel, tests),
    )


def pairs_of(panel: Panel, question: Question) -> list[Pair]:
    """Control beside each treatment, phases combined, at every look: (experiments, looks)."""
    strata = [_strata(panel, question, arm=arm) for arm in range(len(panel.scenario.arms))]
    return [combined_arms(strata[0], treatment) for treatment in strata[1:]]


def tested(panel: Panel, question: Question, *, pairs: Sequence[Pair]) -> Tested:
    """The test of a metric, of every treatment at every look."""
    parts = [
        _tested_arm(panel, question, pair=pair, rule=hypothesis(panel, question, arm=arm))
        for arm, pair in enumerate(pairs, start=1)
    ]
    return Tested(
        z=np.stack([part.z for part in parts], axis=-1),
        information=np.stack([part.information for part in parts], axis=-1),
        always_valid=np.stack([part.always_valid for part in parts], axis=-1),
        harmful=np.stack([part.harmful for part in parts], axis=-1),
        may_pass=np.stack([part.may_pass for part in parts], axis=-1),
    )


def hypothesis(panel: Panel, question: Question, *, arm: int) -> Hypothesis:
    """What the last look tests of a treatment."""
    scenario = panel.scenario
    protocol = scenario.protocol(scenario.looks, name="screen")
    return hypothesis_of(question, scenario.arms[arm], protocol=protocol, earlier={})


@undefined_is_masked
def _tested_arm(panel: Panel, question: Question, *, pair: Pair, rule: Hypothesis) -> Tested:
    control, treatment = pair
    effect, se = _effect(question, control, treatment)
    defined = (control.reason == 0) & (treatment.reason == 0) & np.isfinite(effect) & (se > 0)
    known, error = np.where(defined, effect, 0.0), np.where(defined, se, 0.0)
    visitors = control.n + treatment.n

    def may_exceed_zero(effect: FloatArray, alpha: float) -> BoolArray:
        limit = asymptotic_cs_one_sided(
            effect, error, visitors=visitors, alpha=alpha, n_star=rule.n_star
        ).lower_bound
        return np.asarray(np.ma.filled(limit > -ROUNDING * se, fill_value=False) & defined)

    always_valid = may_exceed_zero(known, rule.reserve)
    z = np.where(defined, effect / se, np.nan)
    return Tested(
        z=z,
        information=np.where(defined, se**-2, np.nan),
        always_valid=always_valid,
        harmful=may_exceed_zero(-known, HARM_ALPHA),
        may_pass=(z >= _floor(panel, rule) - ROUNDING) | always_valid,
    )


def _effect(
    question: Question, control: ArmEstimate, treatment: ArmEstimate
) -> tuple[FloatArray, FloatArray]:
    if Role.PRIMARY in question.roles:
        return treatment.value - control.value, np.sqrt(control.variance + treatment.variance)
    lift = lift_log(control, treatment)
    log_lift = np.ma.filled(lift.effect_log, np.nan) + allowance(question)
    return log_lift, np.ma.filled(lift.se_log, np.nan)


def _floor(panel: Panel, rule: Hypothesis) -> FloatArray:
    """The lowest bound that a look can have, by the error spent up to it."""
    looks = np.arange(1, panel.scenario.looks + 1)
    spent = SPENDING(looks / panel.scenario.looks, rule.spendable)
    return np.asarray(-scipy.special.ndtri(spent))


def _strata(panel: Panel, question: Question, *, arm: int) -> ArmEstimate:
    """Estimates of an arm by phase, shape (experiments, looks, phases)."""
    track = panel.tracks[question.metric.key]
    visitors = panel.in_phases(panel.visitors[..., arm])
    if question.metric.kind is MetricKind.CONVERSION:
        conversions = panel.in_phases(track.conversions[..., arm])
        return rate_estimate(Counts(visitors=visitors, conversions=conversions))
    size = range(track.totals.shape[-1])
    totals = [panel.in_phases(track.totals[:, :, arm, a]) for a in size]
    products = [[panel.in_phases(track.products[:, :, arm, a, b]) for b in size] for a in size]
    moments = JointMoments.from_sums(
        n=visitors,
        totals=np.stack(totals, axis=-1),
        products=np.stack([np.stack(row, axis=-1) for row in products], axis=-2),
    )
    if question.metric.kind is MetricKind.RATIO:
        return ratio_estimate(moments)
    return mean_estimate(moments.marginal(0))


def _is_mature(panel: Panel) -> BoolArray:
    """Whether there are days and conversions enough, shape (experiments, looks, treatments)."""
    scenario, plan = panel.scenario, panel.scenario.plan
    days = np.arange(1, scenario.looks + 1) * scenario.look_hours / HOURS_PER_DAY
    enough = _have_converted(panel, PRIMARY, fewest=plan.minimum_conversions)
    return np.asarray((days >= plan.minimum_days)[:, None] & enough)


def _have_converted(panel: Panel, key: str, *, fewest: int) -> BoolArray:
    """Whether so many of the control and of each treatment converted by a look."""
    enough = panel.tracks[key].conversions[:, 1 : panel.scenario.looks + 1] >= fewest
    return np.asarray(enough[:, :, 1:] & enough[:, :, :1])


def _may_win(lift: LogLift) -> BoolArray:
    belief = effect_posterior(
        np.ma.filled(lift.effect_log, 0.0),
        np.ma.filled(lift.se_log, 0.0),
        prior=NormalPrior(sd=PRIOR_SD),
    )
    chance = np.ma.filled(belief.chance_to_win, 0.0)
    return np.asarray(chance >= MIN_CHANCE_TO_WIN - ROUNDING)


def _may_harm(panel: Panel, tests: Mapping[str, Tested]) -> BoolArray:
    arms = range(1, len(panel.scenario.arms))
    by_metric = [
        np.stack([_metric_harm(panel, key, arm=arm) for arm in arms], axis=-1)
        for key in panel.tracks
    ]
    worse = [
        test.harmful & _have_converted(panel, key, fewest=FEWEST_CONVERSIONS)
        for key, test in tests.items()
    ]
    return np.asarray(np.logical_or.reduce([*by_metric, *worse]))


def _metric_harm(panel: Panel, key: str, *, arm: int) -> BoolArray:
    """Whether harm is found; the e-value is only computed where it can be large enough."""
    scenario = panel.scenario
    observed = panel.tracks[key].observed
    control, treatment = (
        panel.in_phases(observed[..., which], lag=scenario.lag) for which in (0, arm)
    )
    planned = scenario.shares[:, arm] / (scenario.shares[:, 0] + scenario.shares[:, arm])
    found = _largest_harm(control, treatment, planned=planned) >= HARM_LOG_E
    evidence = harm_e_value(
        control[found],
        treatment[found],
        treatment_share=planned,
        concentration=HARM_CONCENTRATION,
    )
    found[found] = evidence.log_e_value.sum(axis=-1) >= HARM_LOG_E - ROUNDING
    return found


def _largest_harm(control: FloatArray, treatment: FloatArray, *, planned: FloatArray) -> FloatArray:
    """The largest log e-value of harm that counts per phase allow."""
    both = np.maximum(control + treatment, 1.0)
    seen = treatment / both
    divergence = scipy.special.rel_entr(seen, planned) + scipy.special.rel_entr(
        control / both, 1 - planned
    )
    return np.asarray(np.where(seen < planned, both * divergence, 0.0).sum(axis=-1))
