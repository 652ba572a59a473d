"""Score intervals of the difference of two rates, for small or extreme counts.

`miettinen_nurminen` is the interval of the paper; `score_interval_statsmodels` reproduces numbers
that were made with statsmodels, which deviates from the paper in one coefficient.
"""

import numpy as np

from stats.arrays import (
    FloatArray,
    Numbers,
    Reason,
    first_reason,
    open_probability,
    undefined_is_masked,
)
from stats.effects import normal_quantile
from stats.moments import Counts
from stats.proportions import DifferenceInterval, empty_reason


@undefined_is_masked
def miettinen_nurminen(
    control: Counts, treatment: Counts, *, alpha: Numbers = 0.05
) -> DifferenceInterval:
    """Return the difference of two rates with the score interval, for small or extreme counts.

    Args:
        control: counts of the control arm, shape (...).
        treatment: counts of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        Difference and interval of the broadcast shape; undefined without visitors in an arm.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Miettinen and Nurminen (1985), doi:10.1002/sim.4780040211.

    >>> interval = miettinen_nurminen(
    ...     Counts(visitors=80, conversions=48), Counts(visitors=70, conversions=56))
    >>> print(f"{interval.ci_low:.4f} {interval.ci_high:.4f}")
    0.0528 0.3382
    """
    reason = empty_reason(control, treatment)
    effect = np.where(reason == Reason.OK, treatment.rate - control.rate, 0.0)
    # An empty arm is computed as one visitor and masked afterwards, so that the search is finite.
    arms = [np.maximum(control.visitors, 1), control.conversions]
    arms += [np.maximum(treatment.visitors, 1), treatment.conversions]
    arguments = (effect, normal_quantile(alpha), *arms)
    # Beside the effect, because at an effect of 0 or 1 without variance the excess is zero too.
    below, above = np.maximum(effect - 1e-12, -1), np.minimum(effect + 1e-12, 1)
    from scipy.optimize import elementwise  # noqa: PLC0415 (as late as SciPy's other parts)

    low = elementwise.find_root(_score_excess, (-np.ones_like(effect), below), args=arguments)
    high = elementwise.find_root(_score_excess, (above, np.ones_like(effect)), args=arguments)
    return DifferenceInterval(
        reason=reason,
        effect_abs=effect,
        ci_low=np.where(effect == -1, -1.0, low.x),
        ci_high=np.where(effect == 1, 1.0, high.x),
    )


@undefined_is_masked
def score_interval_statsmodels(
    control: Counts, treatment: Counts, *, alpha: float = 0.05
) -> DifferenceInterval:
    """Return the score interval as statsmodels computes it, to reproduce numbers made with it.

    statsmodels 0.15 takes the conversions of control where the paper takes its visitors in one
    coefficient of the cubic, so that its limits differ by about 1% of the width from those of
    `miettinen_nurminen`, and do not exist for some small counts.

    Args:
        control: counts of the control arm, shape (...).
        treatment: counts of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        Difference and interval; undefined where statsmodels finds no limits.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    >>> interval = score_interval_statsmodels(
    ...     Counts(visitors=80, conversions=48), Counts(visitors=70, conversions=56))
    >>> print(f"{interval.ci_low:.4f} {interval.ci_high:.4f}")
    0.0526 0.3440
    """
    open_probability("alpha", alpha)
    arms = np.broadcast_arrays(
        treatment.conversions, treatment.visitors, control.conversions, control.visitors
    )
    limits = np.vectorize(_statsmodels_limits, otypes=[np.float64] * 2)(*arms, alpha)
    reason = empty_reason(control, treatment)
    return DifferenceInterval(
        reason=first_reason((np.isnan(limits[0]), Reason.NOT_REACHED), known=reason),
        effect_abs=treatment.rate - control.rate,
        ci_low=limits[0],
        ci_high=limits[1],
    )


def _statsmodels_limits(
    x_b: float, n_b: float, x_a: float, n_a: float, alpha: float
) -> tuple[float, float]:
    from statsmodels.stats import proportion  # noqa: PLC0415 (brings pandas along, which a web worker can do without)

    try:
        low, high = proportion.confint_proportions_2indep(
            x_b, n_b, x_a, n_a, method="score", compare="diff", alpha=alpha, correction=True
        )
    except ValueError:
        return np.nan, np.nan
    return float(low), float(high)


def _score_excess(
    difference: FloatArray,
    effect: FloatArray,
    z: FloatArray,
    n_a: FloatArray,
    x_a: FloatArray,
    n_b: FloatArray,
    x_b: FloatArray,
) -> FloatArray:
    """Squared distance to the observed effect minus what the score test allows at `difference`."""
    rate_a = _restricted_rate(difference, n_a, x_a, n_b, x_b)
    rate_b = np.clip(rate_a + difference, 0, 1)
    n = n_a + n_b
    variance = rate_a * (1 - rate_a) / n_a + rate_b * (1 - rate_b) / n_b
    return (effect - difference) ** 2 - z**2 * variance * n / (n - 1)


def _restricted_rate(
    difference: FloatArray, n_a: FloatArray, x_a: FloatArray, n_b: FloatArray, x_b: FloatArray
) -> FloatArray:
    """Most likely control rate when treatment lies `difference` above it: a root of a cubic."""
    n, x = n_a + n_b, x_a + x_b
    square = ((n_b + 2 * n_a) * difference - n - x) / (3 * n)
    linear = (x + difference * (n_a * difference - n - 2 * x_a)) / (3 * n)
    constant = x_a * difference * (1 - difference) / n
    q = square**3 - 1.5 * linear * square + constant / 2
    p = np.copysign(np.sqrt(np.maximum(square**2 - linear, 0)), q)
    cosine = np.divide(q, p**3, out=np.zeros_like(q), where=p != 0)
    angle = (np.pi + np.arccos(np.clip(cosine, -1, 1))) / 3
    rate: FloatArray = np.clip(2 * p * np.cos(angle) - square, np.maximum(-difference, 0), 1)
    return rate
