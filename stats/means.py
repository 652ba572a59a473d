"""Means of a metric per visitor: revenue, visits, minutes."""

import numpy as np

from stats.arrays import Numbers, Reason, first_reason, undefined_is_masked
from stats.effects import ArmEstimate, WelchEstimate, welch_effect
from stats.moments import Moments


@undefined_is_masked
def mean_estimate(arm: Moments) -> ArmEstimate:
    """Return the mean of an arm and the variance of that mean.

    Args:
        arm: moments of visitors, shape (...).

    Returns:
        The mean in the unit of the metric, shape (...); undefined below two visitors.

    >>> arm = mean_estimate(Moments.from_values([0.0, 0.0, 10.0, 30.0]))
    >>> print(f"{arm.value:.1f} with a variance of {arm.variance:.1f}")
    10.0 with a variance of 50.0
    """
    return ArmEstimate(
        value=arm.mean,
        variance=arm.variance / arm.n,
        n=arm.n,
        reason=first_reason(
            (arm.n == 0, Reason.NO_UNITS), (np.asarray(arm.n) < 2, Reason.TOO_FEW_UNITS)
        ),
    )


def welch(control: Moments, treatment: Moments, *, alpha: Numbers = 0.05) -> WelchEstimate:
    """Compare the means of two arms by Welch's t test, which allows unequal variances.

    Args:
        control: moments of the control arm, shape (...).
        treatment: moments of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        The effect in the unit of the metric; undefined below two visitors in an arm, or when
        every visitor of each arm has the same value.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Welch (1947), doi:10.1093/biomet/34.1-2.28.

    >>> control = Moments.from_mean_sd(n=5000, mean=2.0, sd=8.0)
    >>> effect = welch(control, Moments.from_mean_sd(n=5000, mean=2.5, sd=9.0)).at()
    >>> print(f"{effect.effect_abs:.2f}, p = {effect.p_two_sided:.4f}")
    0.50, p = 0.0033
    """
    return welch_effect(mean_estimate(control), mean_estimate(treatment), alpha=alpha)
