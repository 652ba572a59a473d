"""From the estimate of each arm to the effect: treatment minus control, tests and intervals."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    ReasonArray,
    finite,
    first_reason,
    non_negative,
    open_probability,
    undefined_is_masked,
)
from stats.student_t import t_quantile, t_tail

Z_95 = 1.959963984540054
"""The quantile of the standard normal that bounds 95% on both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmEstimate:
    """What an arm says about a metric: a value, the variance of that value, its number of units.

    Every kind of metric (rate, mean, ratio, quantile) becomes one of these, so that comparing
    arms, relative lifts and stratification exist once. Undefined elements carry a `reason`.
    """

    value: FloatArray
    variance: FloatArray
    n: FloatArray
    reason: ReasonArray


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectEstimate(Estimates):
    """Effect of treatment over control with its test and interval.

    Attributes:
        effect_abs: treatment minus control, in the unit of the metric.
        se: standard error of `effect_abs`.
        statistic: test statistic of no effect (z, or t in `WelchEstimate`).
        p_two_sided: p-value of no effect.
        p_greater: p-value against the alternative that treatment is above control.
        ci_low: lower limit of the interval with coverage 1 - alpha.
        ci_high: upper limit of that interval.
    """

    effect_abs: FloatArray
    se: FloatArray
    statistic: FloatArray
    p_two_sided: FloatArray
    p_greater: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class WelchEstimate(EffectEstimate):
    """An `EffectEstimate` by Student's t, with its degrees of freedom."""

    df: FloatArray


@undefined_is_masked
def z_effect(
    effect_abs: Numbers,
    se: Numbers,
    *,
    alpha: Numbers = 0.05,
    reason: npt.ArrayLike = Reason.OK,
) -> EffectEstimate:
    """Test an effect with a known standard error by the normal distribution.

    Args:
        effect_abs: effects, shape (...).
        se: their standard errors, in the same unit; zero means undefined.
        alpha: total two-sided error of the interval.
        reason: codes of what is undefined already, where the numbers may be anything.

    Returns:
        Effects of the broadcast shape.

    Raises:
        InvalidInputError: a defined number is not finite, `se` is negative or alpha not in (0, 1).

    >>> effect = z_effect(0.02, 0.01).at()
    >>> print(f"{effect.p_two_sided:.3f} [{effect.ci_low:.4f}, {effect.ci_high:.4f}]")
    0.046 [0.0004, 0.0396]
    """
    defined = np.asarray(reason) == Reason.OK
    effect = finite("effect_abs", np.where(defined, effect_abs, 0.0))
    spread = non_negative("se", np.where(defined, se, 0.0))
    z = effect / spread
    margin = normal_quantile(alpha) * spread
    return EffectEstimate(
        reason=first_reason((spread == 0, Reason.NO_VARIANCE), known=reason),
        effect_abs=effect,
        se=spread,
        statistic=z,
        p_two_sided=2 * scipy.special.ndtr(-np.abs(z)),
        p_greater=scipy.special.ndtr(-z),
        ci_low=effect - margin,
        ci_high=effect + margin,
    )


@undefined_is_masked
def welch_effect(
    control: ArmEstimate, treatment: ArmEstimate, *, alpha: Numbers = 0.05
) -> WelchEstimate:
    """Compare two arms by Student's t with the Welch-Satterthwaite degrees of freedom.

    Args:
        control: estimates of the control arm, shape (...).
        treatment: estimates of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        Effects of the broadcast shape; undefined where an arm is, or when neither varies.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Welch (1947), doi:10.1093/biomet/34.1-2.28.

    >>> control = ArmEstimate(value=2.0, variance=0.01, n=500, reason=Reason.OK)
    >>> treatment = ArmEstimate(value=2.3, variance=0.02, n=400, reason=Reason.OK)
    >>> effect = welch_effect(control, treatment)
    >>> print(f"{effect.statistic:.3f} {effect.df:.0f} {effect.p_two_sided:.4f}")
    1.732 748 0.0837
    """
    effect = treatment.value - control.value
    se = np.sqrt(control.variance + treatment.variance)
    df = welch_df(control, treatment)
    t = effect / se
    margin = t_quantile(df, alpha) * se
    tail = t_tail(df, t)
    return WelchEstimate(
        reason=pair_reason(control, treatment),
        effect_abs=effect,
        se=se,
        statistic=t,
        p_two_sided=2 * tail,
        p_greater=np.where(t > 0, tail, 1 - tail),
        ci_low=effect - margin,
        ci_high=effect + margin,
        df=df,
    )


def welch_df(control: ArmEstimate, treatment: ArmEstimate) -> FloatArray:
    """Return the Welch-Satterthwaite degrees of freedom of treatment minus control."""
    total = control.variance + treatment.variance
    # Shares instead of variances: their squares neither overflow nor vanish.
    share_control, share_treatment = control.variance / total, treatment.variance / total
    return 1 / (share_control**2 / (control.n - 1) + share_treatment**2 / (treatment.n - 1))


def pair_reason(control: ArmEstimate, treatment: ArmEstimate) -> ReasonArray:
    """Say why two arms cannot be compared: a reason of either, or that neither varies.

    Of two reasons the more basic one is told, whichever arm is the control.
    """
    low = np.minimum(control.reason, treatment.reason)
    high = np.maximum(control.reason, treatment.reason)
    return first_reason(
        (control.variance + treatment.variance == 0, Reason.NO_VARIANCE),
        known=np.where(low != Reason.OK, low, high),
    )


def normal_quantile(alpha: Numbers) -> FloatArray:
    """Return the z that a standard normal exceeds in size with probability alpha."""
    return -scipy.special.ndtri(open_probability("alpha", alpha) / 2)
