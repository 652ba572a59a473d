"""How long visitors take to reach a stage, when some have not had the time yet."""

from dataclasses import dataclass

import numpy as np

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    first_reason,
    positive,
    undefined_is_masked,
)
from stats.effects import ArmEstimate, EffectEstimate, normal_quantile, pair_reason, z_effect
from stats.life_tables import LifeTable


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalCurve(Estimates):
    """Probability of no event by each time, shape (..., n_times).

    Attributes:
        survival: Kaplan-Meier estimate.
        se: Greenwood's standard error.
        ci_low: lower limit at each time by itself.
        ci_high: upper limit at each time by itself.
    """

    survival: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidenceCurves(Estimates):
    """Probability of an event of each cause by each time, shape (..., n_causes, n_times)."""

    incidence: FloatArray
    se: FloatArray


@undefined_is_masked
def kaplan_meier(table: LifeTable, *, alpha: Numbers = 0.05) -> SurvivalCurve:
    """Estimate the probability of no event by each time.

    Args:
        table: counts by time, any leading shape.
        alpha: error of the interval at each single time.

    Returns:
        The curve, undefined where nobody is under observation any more. Limits are Wilson's at
        the effective sample size, so that they exist before the first event too.

    Raises:
        InvalidInputError: alpha is not inside (0, 1).

    References:
        Kaplan and Meier (1958), doi:10.1080/01621459.1958.10501452; interval: Rothman (1978),
        Journal of Chronic Diseases 31, doi:10.1016/0021-9681(78)90043-7.

    >>> table = LifeTable.from_durations([1, 2, 2, 3, 4], [1, 1, 0, 1, 0])
    >>> print(kaplan_meier(table).survival.round(3))
    [0.8 0.6 0.3 0.3]
    """
    survival, at_risk = table.survival, table.at_risk
    variance = survival**2 * np.cumsum(_greenwood(table), axis=-1)
    binomial = survival * (1 - survival)
    effective = np.where(variance > 0, binomial / variance, at_risk)
    squared = normal_quantile(alpha) ** 2
    centre = (survival + squared / (2 * effective)) / (1 + squared / effective)
    spread = squared * (binomial / effective + squared / (4 * effective**2))
    margin = np.sqrt(spread) / (1 + squared / effective)
    return SurvivalCurve(
        reason=first_reason((at_risk == 0, Reason.NOT_REACHED)),
        survival=survival,
        se=np.sqrt(variance),
        ci_low=np.clip(centre - margin, 0, survival),
        ci_high=np.clip(centre + margin, survival, 1),
    )


@undefined_is_masked
def cumulative_incidence(table: LifeTable) -> IncidenceCurves:
    """Estimate the probability of each cause by each time, when causes exclude one another.

    `converted` and `declined` compete: treating a decline as "not seen" would overstate how many
    convert in the end.

    Args:
        table: counts by cause and time, any leading shape.

    Returns:
        Aalen-Johansen estimates with their standard errors; undefined where nobody is under
        observation any more.

    References:
        Aalen and Johansen (1978), Scandinavian Journal of Statistics 5; variance: Marubini and
        Valsecchi (1995), Analysing Survival Data, section 10.2.

    >>> table = LifeTable.from_durations([1, 2, 2, 3, 4], [1, 2, 0, 1, 0], n_causes=2)
    >>> print(cumulative_incidence(table).incidence.round(3))
    [[0.2 0.2 0.5 0.5]
     [0.0 0.2 0.2 0.2]]
    """
    at_risk = np.maximum(table.at_risk, 1)[..., None, :]
    survival = table.survival
    before = np.concatenate([np.ones_like(survival[..., :1]), survival[..., :-1]], axis=-1)
    reached = before[..., None, :] / at_risk
    incidence = np.cumsum(reached * table.events, axis=-1)
    return IncidenceCurves(
        reason=first_reason((table.at_risk[..., None, :] + 0 * incidence == 0, Reason.NOT_REACHED)),
        incidence=incidence,
        se=np.sqrt(np.maximum(_incidence_variance(table, reached, incidence), 0)),
    )


@undefined_is_masked
def rmst_estimate(table: LifeTable, *, horizon: float) -> ArmEstimate:
    """Return the restricted mean time to the event, cut at `horizon`, of an arm.

    Args:
        table: counts by time, any leading shape.
        horizon: time up to which visitors are compared, in the unit of the times.

    Returns:
        Mean time until the event or the horizon; undefined while nobody was followed so long.

    Raises:
        InvalidInputError: the horizon is not above zero.

    References:
        Royston and Parmar (2013), doi:10.1186/1471-2288-13-152.

    >>> table = LifeTable.from_durations([2, 4, 6, 8, 9, 9], [1, 1, 1, 1, 0, 0])
    >>> print(f"{rmst_estimate(table, horizon=9).value:.2f}")
    6.33
    """
    end = float(positive("horizon", horizon))
    survival, at_risk = table.survival, table.at_risk
    starts = np.concatenate([[0.0], table.times])
    widths = np.diff(np.minimum(np.append(starts, np.inf), end))
    steps = np.concatenate([np.ones_like(survival[..., :1]), survival], axis=-1) * widths
    remaining = np.cumsum(steps[..., ::-1], axis=-1)[..., ::-1]
    terms = np.where(table.times <= end, remaining[..., 1:] ** 2 * _greenwood(table), 0.0)
    finished = (at_risk * (table.times >= end)).sum(axis=-1) > 0
    return ArmEstimate(
        value=np.asarray(remaining[..., 0]),
        variance=np.asarray(terms.sum(axis=-1)),
        n=np.asarray(at_risk[..., 0]),
        reason=first_reason(
            (at_risk[..., 0] == 0, Reason.NO_UNITS),
            (~finished & (survival[..., -1] > 0), Reason.NOT_REACHED),
        ),
    )


def rmst_difference(
    control: LifeTable, treatment: LifeTable, *, horizon: float, alpha: Numbers = 0.05
) -> EffectEstimate:
    """Compare the mean times to the event up to a horizon, without assuming their shape.

    Args:
        control: counts of control.
        treatment: counts of treatment, leading shapes broadcast.
        horizon: time up to which visitors are compared, in the unit of the times.
        alpha: total two-sided error of the interval.

    Returns:
        Treatment minus control in the unit of the times: below zero means sooner.

    Raises:
        InvalidInputError: the horizon or alpha is out of range.

    References:
        Royston and Parmar (2013), BMC Medical Research Methodology 13,
        doi:10.1186/1471-2288-13-152.

    >>> slow = LifeTable.from_durations([2, 4, 6, 8, 9, 9], [1, 1, 1, 1, 0, 0])
    >>> fast = LifeTable.from_durations([1, 2, 3, 4, 9, 9], [1, 1, 1, 1, 0, 0])
    >>> print(f"{rmst_difference(slow, fast, horizon=9).effect_abs:.2f}")
    -1.67
    """
    a, b = rmst_estimate(control, horizon=horizon), rmst_estimate(treatment, horizon=horizon)
    se = np.sqrt(a.variance + b.variance)
    return z_effect(b.value - a.value, se, alpha=alpha, reason=pair_reason(a, b))


def _greenwood(table: LifeTable) -> FloatArray:
    """Terms of Greenwood's sum; none after the last visitor has had the event."""
    events, at_risk = table.all_events, table.at_risk
    left = at_risk - events
    return np.asarray(np.where(left > 0, events / np.maximum(at_risk * left, 1), 0.0))


def _incidence_variance(table: LifeTable, reached: FloatArray, incidence: FloatArray) -> FloatArray:
    """Sum the delta-method variance with the products of its squares expanded."""
    overall = _greenwood(table)[..., None, :]
    at_risk = np.maximum(table.at_risk, 1)[..., None, :]
    own = reached**2 * (at_risk - table.events) * table.events / at_risk
    cross = reached * table.events / at_risk
    return np.asarray(
        incidence**2 * np.cumsum(overall, axis=-1)
        - 2 * incidence * np.cumsum(incidence * overall + cross, axis=-1)
        + np.cumsum(incidence**2 * overall + own + 2 * incidence * cross, axis=-1)
    )
