"""Relative lift, treatment over control minus one, of any metric (0.1 = +10%)."""

from dataclasses import dataclass

import numpy as np
import scipy

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    first_reason,
    undefined_is_masked,
)
from stats.effects import ArmEstimate, normal_quantile, pair_reason, welch_df
from stats.student_t import t_quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearLift(Estimates):
    """Relative lift on the linear scale, for display and as a likelihood; never for a decision.

    Attributes:
        effect_rel: (treatment - control) / |control|.
        se_rel: its standard error by the delta method.
        df: Welch degrees of freedom of the absolute difference.
        ci_low: lower limit of the t interval.
        ci_high: upper limit of the t interval.
    """

    effect_rel: FloatArray
    se_rel: FloatArray
    df: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLift(Estimates):
    """Relative lift by the logarithm of treatment / control, whose interval errs evenly.

    Attributes:
        effect_rel: treatment / control - 1.
        effect_log: log(treatment / control).
        se_log: standard error of `effect_log`.
        z: `effect_log` / `se_log`.
        p_two_sided: p-value of no lift.
        p_greater: p-value against a positive lift.
        ci_low: lower limit of the interval of `effect_rel`.
        ci_high: upper limit of the interval of `effect_rel`.
    """

    effect_rel: FloatArray
    effect_log: FloatArray
    se_log: FloatArray
    z: FloatArray
    p_two_sided: FloatArray
    p_greater: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FiellerLift(Estimates):
    """Relative lift with Fieller's interval, undefined where that interval is not bounded."""

    effect_rel: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


@undefined_is_masked
def lift_linear(
    control: ArmEstimate, treatment: ArmEstimate, *, alpha: Numbers = 0.05
) -> LinearLift:
    """Estimate the relative lift by the delta method on the linear scale.

    Args:
        control: estimates of the control arm, shape (...).
        treatment: estimates of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        The lift; undefined where control is zero. Its interval misses below more often than
        above, so that decisions use `lift_log`.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Casella and Berger (2002), Statistical Inference, section 5.5.4 (delta method).

    >>> control = ArmEstimate(value=0.05, variance=5e-6, n=9500, reason=Reason.OK)
    >>> treatment = ArmEstimate(value=0.06, variance=6e-6, n=9500, reason=Reason.OK)
    >>> lift = lift_linear(control, treatment).at()
    >>> print(f"{lift.effect_rel:.0%} [{lift.ci_low:.1%}, {lift.ci_high:.1%}]")
    20% [5.8%, 34.2%]
    """
    lift = (treatment.value - control.value) / np.abs(control.value)
    ratio = treatment.value / control.value
    se = np.sqrt(treatment.variance + control.variance * ratio**2) / np.abs(control.value)
    df = welch_df(control, treatment)
    margin = t_quantile(df, alpha) * se
    return LinearLift(
        reason=first_reason(
            (control.value == 0, Reason.ZERO_BASELINE), known=pair_reason(control, treatment)
        ),
        effect_rel=lift,
        se_rel=se,
        df=df,
        ci_low=lift - margin,
        ci_high=lift + margin,
    )


@undefined_is_masked
def lift_log(control: ArmEstimate, treatment: ArmEstimate, *, alpha: Numbers = 0.05) -> LogLift:
    """Estimate and test the relative lift on the log scale.

    Args:
        control: estimates of the control arm, shape (...).
        treatment: estimates of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        The lift; undefined where either arm is not above zero.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Katz et al. (1978), doi:10.2307/2530610.

    >>> control = ArmEstimate(value=0.05, variance=5e-6, n=9500, reason=Reason.OK)
    >>> treatment = ArmEstimate(value=0.06, variance=6e-6, n=9500, reason=Reason.OK)
    >>> lift = lift_log(control, treatment).at()
    >>> print(f"{lift.effect_rel:.0%} [{lift.ci_low:.1%}, {lift.ci_high:.1%}]")
    20% [6.6%, 35.1%]
    """
    ratio = treatment.value / control.value
    log_ratio = np.log(ratio)
    se = np.sqrt(control.variance / control.value**2 + treatment.variance / treatment.value**2)
    z = log_ratio / se
    margin = normal_quantile(alpha) * se
    return LogLift(
        reason=first_reason(
            (control.value <= 0, Reason.ZERO_BASELINE),
            (treatment.value <= 0, Reason.ZERO_TREATMENT),
            known=pair_reason(control, treatment),
        ),
        effect_rel=ratio - 1,
        effect_log=log_ratio,
        se_log=se,
        z=z,
        p_two_sided=2 * scipy.special.ndtr(-np.abs(z)),
        p_greater=scipy.special.ndtr(-z),
        ci_low=np.expm1(log_ratio - margin),
        ci_high=np.expm1(log_ratio + margin),
    )


@undefined_is_masked
def lift_fieller(
    control: ArmEstimate, treatment: ArmEstimate, *, alpha: Numbers = 0.05
) -> FiellerLift:
    """Estimate the relative lift with Fieller's interval, exact for normal arm estimates.

    Args:
        control: estimates of the control arm, shape (...).
        treatment: estimates of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        The lift; undefined where control does not differ from zero at `alpha`, because the set
        of lifts that the data allow is then unbounded, and where control is not above zero.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Fieller (1954), doi:10.1111/j.2517-6161.1954.tb00159.x.

    >>> control = ArmEstimate(value=0.05, variance=5e-6, n=9500, reason=Reason.OK)
    >>> treatment = ArmEstimate(value=0.06, variance=6e-6, n=9500, reason=Reason.OK)
    >>> lift = lift_fieller(control, treatment).at()
    >>> print(f"{lift.effect_rel:.0%} [{lift.ci_low:.1%}, {lift.ci_high:.1%}]")
    20% [6.6%, 35.3%]
    """
    squared = normal_quantile(alpha) ** 2
    ratio = treatment.value / control.value
    g = squared * control.variance / control.value**2
    spread = treatment.variance * (1 - g) + control.variance * ratio**2
    margin = np.sqrt(squared * spread) / control.value
    return FiellerLift(
        reason=first_reason(
            (control.value <= 0, Reason.ZERO_BASELINE),
            (g >= 1, Reason.UNBOUNDED),
            known=pair_reason(control, treatment),
        ),
        effect_rel=ratio - 1,
        ci_low=(ratio - margin) / (1 - g) - 1,
        ci_high=(ratio + margin) / (1 - g) - 1,
    )
