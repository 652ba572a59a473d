"""Power, sample size and smallest detectable effect of tests that look once, at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    counts,
    first_reason,
    open_probability,
    positive,
)
from stats.errors import InvalidInputError

Alternative: TypeAlias = Literal["two_sided", "greater"]

_BISECTIONS = 70


def power_two_proportions(
    rate_control: Numbers,
    rate_treatment: Numbers,
    *,
    n_control: Numbers,
    n_treatment: Numbers,
    alpha: Numbers = 0.05,
    alternative: Alternative = "two_sided",
) -> FloatArray:
    """Return the power of the z test of two rates: pooled variance under no effect, else not.

    Args:
        rate_control: conversion rate of control, in (0, 1), shape (...).
        rate_treatment: conversion rate of treatment.
        n_control: visitors of control.
        n_treatment: visitors of treatment.
        alpha: total error of the test.
        alternative: "two_sided", or "greater" for treatment above control.

    Returns:
        Probabilities of the broadcast shape.

    Raises:
        InvalidInputError: an argument is out of range.

    References:
        Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, chapter 4.

    >>> power = power_two_proportions(0.05, 0.055, n_control=31000, n_treatment=31000)
    >>> round(float(power), 4)
    0.7971
    """
    p, q = (
        open_probability("rate_control", rate_control),
        open_probability("rate_treatment", rate_treatment),
    )
    n, m = positive("n_control", n_control), positive("n_treatment", n_treatment)
    pooled = (n * p + m * q) / (n + m)
    critical = _critical_z(alpha, alternative) * np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    se = np.sqrt(p * (1 - p) / n + q * (1 - q) / m)
    power = scipy.special.ndtr((q - p - critical) / se)
    if alternative == "two_sided":
        power = power + scipy.special.ndtr((p - q - critical) / se)
    return np.asarray(power)


def sample_size_two_proportions(
    rate_control: Numbers,
    rate_treatment: Numbers,
    *,
    power: Numbers = 0.8,
    alpha: Numbers = 0.05,
    treatment_ratio: Numbers = 1.0,
    alternative: Alternative = "two_sided",
) -> FloatArray:
    """Return the visitors of control that give the z test of two rates its power.

    Args:
        rate_control: conversion rate of control, in (0, 1), shape (...).
        rate_treatment: conversion rate of treatment, different from control's.
        power: probability of finding the difference.
        alpha: total error of the test.
        treatment_ratio: visitors of treatment per visitor of control.
        alternative: as in `power_two_proportions`; the far tail of "two_sided" is neglected.

    Returns:
        Real-valued visitors of control (round up); treatment needs `treatment_ratio` times that.

    Raises:
        InvalidInputError: an argument is out of range, or the rates are equal.

    References:
        Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, chapter 4.

    >>> round(float(sample_size_two_proportions(0.3, 0.33)))
    3762
    """
    p, q = (
        open_probability("rate_control", rate_control),
        open_probability("rate_treatment", rate_treatment),
    )
    if np.any(p == q):
        raise InvalidInputError("rate_treatment", "must differ from rate_control")
    ratio = positive("treatment_ratio", treatment_ratio)
    pooled = (p + ratio * q) / (1 + ratio)
    spread_null = np.sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    spread = np.sqrt(p * (1 - p) + q * (1 - q) / ratio)
    wanted = scipy.special.ndtri(open_probability("power", power))
    root = (_critical_z(alpha, alternative) * spread_null + wanted * spread) / (q - p)
    return np.asarray(root**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectableRate(Estimates):
    """Smallest improvement of a rate that a test finds, undefined where no rate would be found.

    Attributes:
        effect_abs: rate of treatment minus rate of control.
        effect_rel: the same relative to control.
    """

    effect_abs: FloatArray
    effect_rel: FloatArray


def mde_two_proportions(
    rate_control: Numbers,
    *,
    n_control: Numbers,
    n_treatment: Numbers,
    power: Numbers = 0.8,
    alpha: Numbers = 0.05,
    alternative: Alternative = "two_sided",
) -> DetectableRate:
    """Return the smallest rise of a rate that the z test of two rates finds with `power`.

    Args:
        rate_control: conversion rate of control, in (0, 1), shape (...).
        n_control: visitors of control.
        n_treatment: visitors of treatment.
        power: probability of finding the rise, above alpha.
        alpha: total error of the test.
        alternative: as in `power_two_proportions`.

    Returns:
        Rises of the broadcast shape; undefined with too few visitors to find even a rate of 1.

    Raises:
        InvalidInputError: an argument is out of range.

    References:
        Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, chapter 4.

    >>> mde = mde_two_proportions(0.05, n_control=31000, n_treatment=31000).at()
    >>> print(f"{mde.effect_abs:.4f} ({mde.effect_rel:.1%})")
    0.0050 (10.0%)
    """
    wanted = open_probability("power", power)
    if np.any(wanted <= open_probability("alpha", alpha)):
        raise InvalidInputError("power", "must be above alpha")
    p, n, m, target, _ = np.broadcast_arrays(
        open_probability("rate_control", rate_control), n_control, n_treatment, wanted, alpha
    )

    def surplus(rate: FloatArray) -> FloatArray:
        found = power_two_proportions(
            p, rate, n_control=n, n_treatment=m, alpha=alpha, alternative=alternative
        )
        return np.asarray(found - target)

    highest = np.full_like(p, np.nextafter(1.0, 0.0))
    effect = bisect_rising(surplus, p, highest) - p
    return DetectableRate(
        reason=first_reason((surplus(highest) < 0, Reason.TOO_FEW_UNITS)),
        effect_abs=effect,
        effect_rel=effect / p,
    )


def mde_mean(
    sd: Numbers,
    *,
    n_total: Numbers,
    treatment_ratio: Numbers = 1.0,
    alpha: Numbers = 0.05,
    power: Numbers = 0.8,
) -> FloatArray:
    """Return the smallest difference of means that the two-sided t test finds with `power`.

    Args:
        sd: standard deviation of the metric in both arms, in its unit, shape (...).
        n_total: visitors of both arms together.
        treatment_ratio: visitors of treatment per visitor of control.
        alpha: total error of the test.
        power: probability of finding the difference, above alpha.

    Returns:
        Absolute differences in the unit of the metric, of the broadcast shape.

    Raises:
        InvalidInputError: an argument is out of range.

    References:
        Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 2.

    >>> round(float(mde_mean(2.2, n_total=200_000)), 4)
    0.0276
    """
    ratio = positive("treatment_ratio", treatment_ratio)
    total, wanted = counts("n_total", n_total), open_probability("power", power)
    if np.any(total < 3):
        raise InvalidInputError("n_total", "must be at least 3 visitors")
    if np.any(wanted <= open_probability("alpha", alpha)):
        raise InvalidInputError("power", "must be above alpha")
    df = total - 2
    critical = scipy.special.stdtrit(df, 1 - np.asarray(alpha) / 2)

    def surplus(drift: FloatArray) -> FloatArray:
        missed = scipy.special.nctdtr(df, drift, critical) - scipy.special.nctdtr(
            df, drift, -critical
        )
        return np.asarray(1 - missed - wanted)

    highest = 2 * (critical + np.abs(scipy.special.ndtri(wanted)) + 1)
    drift = bisect_rising(surplus, np.zeros_like(highest), highest)
    per_visitor = (1 + ratio) + (1 + ratio) / ratio
    return np.asarray(drift * positive("sd", sd) * np.sqrt(per_visitor / total))


def bisect_rising(
    function: Callable[[FloatArray], FloatArray], low: FloatArray, high: FloatArray
) -> FloatArray:
    """Return where a rising `function` crosses zero between `low` and `high`, elementwise."""
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = function(middle) > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray((low + high) / 2)


def _critical_z(alpha: Numbers, alternative: Alternative) -> FloatArray:
    level = open_probability("alpha", alpha)
    return np.asarray(-scipy.special.ndtri(level / 2 if alternative == "two_sided" else level))
