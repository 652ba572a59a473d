"""Quantile metrics: the 90th percentile of a delay or of an order value, for example."""

import numpy as np

from stats.arrays import (
    Numbers,
    Reason,
    counts,
    finite,
    first_reason,
    open_probability,
    positive,
    undefined_is_masked,
)
from stats.effects import Z_95, ArmEstimate
from stats.errors import InvalidInputError


def rank_levels(level: Numbers, ranked_events: Numbers) -> tuple[Numbers, Numbers]:
    """Return the two levels whose order statistics tell how uncertain a quantile is.

    Args:
        level: the quantile wanted, inside (0, 1), shape (...).
        ranked_events: how many events the order statistics are taken from.

    Returns:
        Levels 1.96 standard errors of a rank below and above `level`, within [0, 1].

    Raises:
        InvalidInputError: the level is not in (0, 1) or the events are not above zero.

    References:
        Deng, Knoblich and Lu (2018), section 4, doi:10.1145/3219819.3219919.

    >>> low, high = rank_levels(0.9, 1000)
    >>> print(f"{low:.3f} {high:.3f}")
    0.881 0.919
    """
    nu = open_probability("level", level)
    reach = Z_95 * np.sqrt(nu * (1 - nu) / positive("ranked_events", ranked_events))
    return np.maximum(nu - reach, 0), np.minimum(nu + reach, 1)


@undefined_is_masked
def quantile_estimate(
    quantile: Numbers,
    *,
    events: Numbers,
    ranked_events: Numbers,
    lower: Numbers,
    upper: Numbers,
    design_effect: Numbers = 1.0,
) -> ArmEstimate:
    """Return the quantile of an arm with its variance, ready for `effects.welch_effect`.

    Args:
        quantile: the sample quantile, in the unit of the metric, shape (...).
        events: number of events of the arm.
        ranked_events: the number of events that `rank_levels` was asked for.
        lower: value at the lower of these levels.
        upper: value at the upper of these levels.
        design_effect: how much larger the variance of the share of events below the quantile is
            than with independent events, because the visitor is randomised and has several
            events; `share_design_effect` computes it.

    Returns:
        Quantiles of the broadcast shape; undefined below two events.

    Raises:
        InvalidInputError: a number is not finite, or `upper` is below `lower`.

    References:
        Deng, Knoblich and Lu (2018), section 4, doi:10.1145/3219819.3219919.

    >>> arm = quantile_estimate(3.2, events=1000, ranked_events=1000, lower=3.0, upper=3.5)
    >>> print(f"{arm.value} with a standard error of {arm.variance ** 0.5:.3f}")
    3.2 with a standard error of 0.127
    """
    n, ranked = counts("events", events), counts("ranked_events", ranked_events)
    low, high = finite("lower", lower), finite("upper", upper)
    if np.any(high < low):
        raise InvalidInputError("upper", "must not be below `lower`")
    rank_sd = (high - low) / (2 * Z_95)
    variance = positive("design_effect", design_effect) * rank_sd**2 * (n - 1) / n * (ranked / n)
    return ArmEstimate(
        value=finite("quantile", quantile),
        variance=variance,
        n=n,
        reason=first_reason((n == 0, Reason.NO_UNITS), (n < 2, Reason.TOO_FEW_UNITS)),
    )


def share_design_effect(share: ArmEstimate, *, events: Numbers) -> Numbers:
    """Return how much clustering by visitor inflates the variance of a share of events.

    Args:
        share: the share of events below the quantile as `ratios.ratio_estimate` of (events
            below, events) per visitor, shape (...).
        events: number of events of the arm.

    Returns:
        The ratio of that variance to the one of independent events; 1 where it is undefined.
    """
    independent = share.value * (1 - share.value)
    defined = (share.reason == Reason.OK) & (independent > 0)
    inflation = share.variance * counts("events", events)
    return np.divide(inflation, independent, out=np.ones_like(inflation), where=defined)
