"""The confidence sequence of one conversion rate: exact at every moment, however long one looks."""

from dataclasses import dataclass

import numpy as np
import scipy

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    first_reason,
    open_probability,
    positive,
    undefined_is_masked,
)
from stats.confidence_sequences import asymptotic_rho
from stats.moments import Counts

_BISECTIONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AlwaysValidRate(Estimates):
    """Confidence sequence of one conversion rate."""

    ci_low: FloatArray
    ci_high: FloatArray


@undefined_is_masked
def bernoulli_cs(
    conversions: Numbers, visitors: Numbers, *, alpha: Numbers = 0.05, t_opt: Numbers
) -> AlwaysValidRate:
    """Return the exact confidence sequence of one rate, by a beta-binomial mixture.

    Args:
        conversions: visitors who converted, shape (...).
        visitors: visitors, broadcast with `conversions`.
        alpha: total error over all moments.
        t_opt: visitors at which the interval is narrowest.

    Returns:
        Intervals of the broadcast shape; undefined without visitors.

    Raises:
        InvalidInputError: counts are impossible, or `t_opt` is not above zero.

    References:
        Howard et al. (2021), doi:10.1214/20-AOS1991, proposition 7.

    >>> rate = bernoulli_cs(50, 1000, t_opt=1000.0).at()
    >>> print(f"{rate.ci_low:.4f} {rate.ci_high:.4f}")
    0.0315 0.0734
    """
    arm = Counts(visitors=visitors, conversions=conversions)
    successes, trials = arm.conversions, arm.visitors
    level = open_probability("alpha", alpha)
    # Tuned for 95% whatever alpha is, so that intervals of several alphas lie inside each other.
    weight = np.maximum(asymptotic_rho(1.0, alpha=0.05) ** -2 * positive("t_opt", t_opt) - 1, 1e-3)
    low = _bernoulli_limit(successes, trials, weight=weight, level=level)
    high = 1 - _bernoulli_limit(trials - successes, trials, weight=weight, level=level)
    return AlwaysValidRate(
        reason=first_reason((trials + 0 * (low + high) == 0, Reason.NO_UNITS)),
        ci_low=low,
        ci_high=high,
    )


def _bernoulli_limit(
    successes: FloatArray, trials: FloatArray, *, weight: FloatArray, level: FloatArray
) -> FloatArray:
    """Bisect for the smallest rate that the beta-binomial evidence does not reject."""
    low, high = np.zeros_like(successes + trials + weight + level), successes / trials
    for _ in range(_BISECTIONS):
        rate = (low + high) / 2
        rejected = _rate_log_e(successes, trials, rate=rate, weight=weight) >= -np.log(level)
        low, high = np.where(rejected, rate, low), np.where(rejected, high, rate)
    return low


def _rate_log_e(
    successes: FloatArray, trials: FloatArray, *, rate: FloatArray, weight: FloatArray
) -> FloatArray:
    failures = trials - successes
    prior = scipy.special.betaln(weight * rate, weight * (1 - rate))
    posterior = scipy.special.betaln(weight * rate + successes, weight * (1 - rate) + failures)
    likelihood = scipy.special.xlogy(successes, rate) + scipy.special.xlog1py(failures, -rate)
    return np.asarray(posterior - prior - likelihood)
