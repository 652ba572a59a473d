"""Conversion rates: tests and intervals for one rate and for the difference of two."""

from dataclasses import dataclass

import numpy as np
import scipy

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    ReasonArray,
    first_reason,
    undefined_is_masked,
)
from stats.effects import ArmEstimate, EffectEstimate, normal_quantile, z_effect
from stats.moments import Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class RateInterval(Estimates):
    """A conversion rate with its interval."""

    rate: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceInterval(Estimates):
    """Rate of treatment minus rate of control with its interval."""

    effect_abs: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledTest(Estimates):
    """Test of equal rates whose variance assumes them equal, hence without an interval."""

    effect_abs: FloatArray
    z: FloatArray
    p_two_sided: FloatArray
    p_greater: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactTest(Estimates):
    """Exact p-values of equal rates."""

    p_two_sided: FloatArray
    p_greater: FloatArray


@undefined_is_masked
def rate_estimate(arm: Counts) -> ArmEstimate:
    """Return the rate of an arm with its variance p(1 - p)/n.

    Args:
        arm: counts of visitors, shape (...).

    Returns:
        The rate; undefined below two visitors.

    >>> arm = rate_estimate(Counts(visitors=1000, conversions=50))
    >>> print(f"{arm.value:.3f} with a variance of {arm.variance:.2e}")
    0.050 with a variance of 4.75e-05
    """
    rate = arm.rate
    return ArmEstimate(
        value=rate,
        variance=rate * (1 - rate) / arm.visitors,
        n=arm.visitors,
        reason=first_reason(
            (arm.visitors == 0, Reason.NO_UNITS), (arm.visitors < 2, Reason.TOO_FEW_UNITS)
        ),
    )


@undefined_is_masked
def pooled_z(control: Counts, treatment: Counts) -> PooledTest:
    """Test equal rates by the z statistic with the pooled variance, without correction.

    Args:
        control: counts of the control arm, shape (...).
        treatment: counts of the treatment arm, broadcast with control.

    Returns:
        The test; undefined below two visitors in an arm, and when all or none converted.

    References:
        Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, chapter 3.

    >>> test = pooled_z(
    ...     Counts(visitors=14000, conversions=700), Counts(visitors=14000, conversions=770)
    ... ).at()
    >>> print(f"z = {test.z:.3f}, p = {test.p_two_sided:.4f}")
    z = 1.876, p = 0.0607
    """
    both = control + treatment
    variance = both.rate * (1 - both.rate) * (1 / control.visitors + 1 / treatment.visitors)
    effect = treatment.rate - control.rate
    z = effect / np.sqrt(variance)
    return PooledTest(
        reason=_comparison_reason(control, treatment, minimum=2),
        effect_abs=effect,
        z=z,
        p_two_sided=2 * scipy.special.ndtr(-np.abs(z)),
        p_greater=scipy.special.ndtr(-z),
    )


@undefined_is_masked
def unpooled_z(control: Counts, treatment: Counts, *, alpha: Numbers = 0.05) -> EffectEstimate:
    """Compare two rates by the difference with its own variance (Wald).

    Args:
        control: counts of the control arm, shape (...).
        treatment: counts of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        The effect; undefined below two visitors in an arm, and when neither arm varies.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, chapter 3.

    >>> effect = unpooled_z(
    ...     Counts(visitors=1000, conversions=50), Counts(visitors=1000, conversions=65))
    >>> print(f"{effect.effect_abs:.3f} [{effect.ci_low:.4f}, {effect.ci_high:.4f}]")
    0.015 [-0.0054, 0.0354]
    """
    arms = rate_estimate(control), rate_estimate(treatment)
    return z_effect(
        arms[1].value - arms[0].value,
        np.sqrt(arms[0].variance + arms[1].variance),
        alpha=alpha,
        reason=_comparison_reason(control, treatment, minimum=2),
    )


@undefined_is_masked
def wilson(arm: Counts, *, alpha: Numbers = 0.05) -> RateInterval:
    """Return a rate with Wilson's score interval, without correction.

    Args:
        arm: counts of visitors, shape (...).
        alpha: total two-sided error of the interval.

    Returns:
        Rate and interval within [0, 1], shape (...); undefined without visitors.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Wilson (1927), doi:10.1080/01621459.1927.10502953.

    >>> interval = wilson(Counts(visitors=1000, conversions=50))
    >>> print(f"{interval.ci_low:.4f} {interval.ci_high:.4f}")
    0.0381 0.0653
    """
    n, rate, squared = arm.visitors, arm.rate, normal_quantile(alpha) ** 2
    centre = (rate + squared / (2 * n)) / (1 + squared / n)
    variance = rate * (1 - rate) / n + squared / (4 * n**2)
    margin = np.sqrt(squared * variance) / (1 + squared / n)
    return RateInterval(
        reason=first_reason((n == 0, Reason.NO_UNITS)),
        rate=rate,
        ci_low=np.where(arm.conversions == 0, 0.0, np.clip(centre - margin, 0, rate)),
        ci_high=np.where(arm.conversions == n, 1.0, np.clip(centre + margin, rate, 1)),
    )


@undefined_is_masked
def newcombe(control: Counts, treatment: Counts, *, alpha: Numbers = 0.05) -> DifferenceInterval:
    """Return the difference of two rates with Newcombe's hybrid of two Wilson intervals.

    Args:
        control: counts of the control arm, shape (...).
        treatment: counts of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        Difference and interval of the broadcast shape; undefined without visitors in an arm.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.

    >>> interval = newcombe(
    ...     Counts(visitors=1000, conversions=50), Counts(visitors=1000, conversions=65))
    >>> print(f"{interval.ci_low:.4f} {interval.ci_high:.4f}")
    -0.0055 0.0357
    """
    a, b = wilson(control, alpha=alpha), wilson(treatment, alpha=alpha)
    a_low, a_high = np.ma.getdata(a.ci_low), np.ma.getdata(a.ci_high)
    b_low, b_high = np.ma.getdata(b.ci_low), np.ma.getdata(b.ci_high)
    effect = treatment.rate - control.rate
    return DifferenceInterval(
        reason=empty_reason(control, treatment),
        effect_abs=effect,
        ci_low=effect - np.hypot(treatment.rate - b_low, a_high - control.rate),
        ci_high=effect + np.hypot(b_high - treatment.rate, control.rate - a_low),
    )


def fisher_exact(control: Counts, treatment: Counts) -> ExactTest:
    """Test equal rates exactly, given the total conversions: for small counts.

    Args:
        control: counts of the control arm, shape (...).
        treatment: counts of the treatment arm, broadcast with control.

    Returns:
        The two-sided p-value (sum over the tables that are not more probable) and the one-sided
        P(X >= treatment conversions); undefined when an arm is empty, or all or none converted.

    References:
        Fisher (1935), The Logic of Inductive Inference, doi:10.2307/2342435.

    >>> test = fisher_exact(
    ...     Counts(visitors=1000, conversions=0), Counts(visitors=1000, conversions=7))
    >>> print(f"{test.p_two_sided:.4f}")
    0.0155
    """
    n_a, x_a, n_b, x_b = np.broadcast_arrays(
        control.visitors, control.conversions, treatment.visitors, treatment.conversions
    )
    p_two_sided = np.vectorize(_fisher_two_sided, otypes=[np.float64])(n_a, x_a, n_b, x_b)
    return ExactTest(
        reason=_comparison_reason(control, treatment, minimum=1),
        p_two_sided=p_two_sided,
        p_greater=np.asarray(scipy.stats.hypergeom.sf(x_b - 1, n_a + n_b, x_a + x_b, n_b)),
    )


def _fisher_two_sided(n_a: float, x_a: float, n_b: float, x_b: float) -> float:
    table = np.array([[x_b, n_b - x_b], [x_a, n_a - x_a]], np.int64)
    return float(scipy.stats.fisher_exact(table).pvalue)


def empty_reason(control: Counts, treatment: Counts) -> ReasonArray:
    """Say that an arm has no visitors, where one has none."""
    empty = (control.visitors == 0) | (treatment.visitors == 0)
    return first_reason((empty, Reason.NO_UNITS))


def _comparison_reason(control: Counts, treatment: Counts, *, minimum: int) -> ReasonArray:
    converted = control.conversions + treatment.conversions
    smaller = np.minimum(control.visitors, treatment.visitors)
    return first_reason(
        (smaller < minimum, Reason.TOO_FEW_UNITS),
        (converted == 0, Reason.NO_VARIANCE),
        (converted == control.visitors + treatment.visitors, Reason.NO_VARIANCE),
        known=empty_reason(control, treatment),
    )
