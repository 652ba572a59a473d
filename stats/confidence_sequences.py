"""Intervals that hold at every moment at once, however often and however long one looks."""

from dataclasses import dataclass

import numpy as np
import scipy

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    counts,
    finite,
    first_reason,
    non_negative,
    open_probability,
    positive,
    undefined_is_masked,
)
from stats.errors import InvalidInputError

_NEWTON_STEPS = 12  # the start lies within 1 and convergence is quadratic


@dataclass(frozen=True, slots=True, kw_only=True)
class AlwaysValidInterval(Estimates):
    """Confidence sequence of an effect at one moment, and its test of no effect.

    Attributes:
        effect_abs: treatment minus control, in the unit of the metric.
        halfwidth: half the width of the interval.
        ci_low: lower limit.
        ci_high: upper limit.
        log_e_value: log evidence against no effect; reject at 1/alpha.
        p_always_valid: min(1, 1/e), valid at any stopping time.
    """

    effect_abs: FloatArray
    halfwidth: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    log_e_value: FloatArray
    p_always_valid: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class AlwaysValidBound(Estimates):
    """One-sided confidence sequence: the effect is at least `lower_bound`, at all moments.

    Attributes:
        effect_abs: treatment minus control, in the unit of the metric.
        halfwidth: distance of the bound from the effect, closed form (slightly wide).
        lower_bound: `effect_abs` - `halfwidth`.
        halfwidth_exact_mixture: distance that solves the half-normal mixture exactly.
        log_e_value: log evidence for an effect above zero; reject at 1/alpha.
        p_always_valid: min(1, 1/e), valid at any stopping time.
    """

    effect_abs: FloatArray
    halfwidth: FloatArray
    lower_bound: FloatArray
    halfwidth_exact_mixture: FloatArray
    log_e_value: FloatArray
    p_always_valid: FloatArray


@undefined_is_masked
def asymptotic_cs_two_sided(
    effect_abs: Numbers, se: Numbers, *, visitors: Numbers, alpha: Numbers = 0.05, n_star: Numbers
) -> AlwaysValidInterval:
    """Return the asymptotic confidence sequence of an effect, both sides.

    Args:
        effect_abs: estimated effects, shape (...).
        se: their standard errors now, in the same unit.
        visitors: visitors of both arms together.
        alpha: total error over all moments.
        n_star: visitors at which the interval is narrowest.

    Returns:
        Intervals of the broadcast shape; undefined without visitors or without variance.

    Raises:
        InvalidInputError: an argument that no data could have produced.

    References:
        Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Annals of Statistics 52,
        doi:10.1214/24-AOS2408.

    >>> cs = asymptotic_cs_two_sided(0.015, 0.0104055, visitors=2000, n_star=5000).at()
    >>> print(f"{cs.ci_low:.4f} {cs.ci_high:.4f} {cs.p_always_valid:.3f}")
    -0.0175 0.0475 0.927
    """
    effect, error, n = _effect_arguments(effect_abs, se, visitors)
    level = open_probability("alpha", alpha)
    growth = 1 + n * asymptotic_rho(n_star, alpha=level) ** 2
    halfwidth = error * np.sqrt(2 * growth / (growth - 1) * np.log(np.sqrt(growth) / level))
    log_e = (effect / error) ** 2 * (growth - 1) / (2 * growth) - np.log(growth) / 2
    return AlwaysValidInterval(
        reason=first_reason((n == 0, Reason.NO_UNITS), (error == 0, Reason.NO_VARIANCE)),
        effect_abs=effect,
        halfwidth=halfwidth,
        ci_low=effect - halfwidth,
        ci_high=effect + halfwidth,
        log_e_value=log_e,
        p_always_valid=np.exp(-np.maximum(log_e, 0)),
    )


@undefined_is_masked
def asymptotic_cs_one_sided(
    effect_abs: Numbers, se: Numbers, *, visitors: Numbers, alpha: Numbers = 0.05, n_star: Numbers
) -> AlwaysValidBound:
    """Return the asymptotic lower confidence sequence of an effect.

    The promotion gate keeps one open with its reserve of alpha, for tests that run past their
    horizon. For "lower is better" or an upper bound, negate the effect.

    Args:
        effect_abs: estimated effects, shape (...).
        se: their standard errors now, in the same unit.
        visitors: visitors of both arms together.
        alpha: error over all moments, below 1/2.
        n_star: visitors at which the bound is tightest.

    Returns:
        Bounds of the broadcast shape; undefined without visitors or without variance.

    Raises:
        InvalidInputError: an argument that no data could have produced.

    References:
        Waudby-Smith et al. (2024), doi:10.1214/24-AOS2408, appendix on one-sided sequences.

    >>> cs = asymptotic_cs_one_sided(0.015, 0.0104055, visitors=2000, n_star=5000).at()
    >>> print(f"{cs.lower_bound:.4f}")
    -0.0150
    """
    effect, error, n = _effect_arguments(effect_abs, se, visitors)
    level = _one_sided(alpha)
    growth = 1 + n * asymptotic_rho(n_star, alpha=2 * level) ** 2
    scale = error * np.sqrt(growth / (growth - 1))
    halfwidth = scale * np.sqrt(2 * np.log1p(np.sqrt(growth) / (2 * level)))
    position = effect / scale
    log_e = _log_half_normal_mixture(position) - np.log(growth) / 2
    return AlwaysValidBound(
        reason=first_reason((n == 0, Reason.NO_UNITS), (error == 0, Reason.NO_VARIANCE)),
        effect_abs=effect,
        halfwidth=halfwidth,
        lower_bound=effect - halfwidth,
        halfwidth_exact_mixture=scale * _half_normal_root(growth, level),
        log_e_value=log_e,
        p_always_valid=np.exp(-np.maximum(log_e, 0)),
    )


def asymptotic_rho(n_star: Numbers, *, alpha: Numbers) -> FloatArray:
    """Return the mixture parameter that makes the two-sided sequence narrowest at `n_star`.

    For the one-sided sequence pass twice its alpha.

    Args:
        n_star: visitors at which the sequence is narrowest, shape (...).
        alpha: total two-sided error over all moments.

    Returns:
        Parameters of the broadcast shape, per square root of a visitor.

    Raises:
        InvalidInputError: an argument is out of range.

    References:
        Waudby-Smith et al. (2024), doi:10.1214/24-AOS2408.

    >>> print(f"{asymptotic_rho(10_000, alpha=0.05):.4f}")
    0.0282
    """
    optimum = positive("n_star", n_star)
    surprise = -2 * np.log(open_probability("alpha", alpha))
    return np.asarray(np.sqrt((surprise + np.log1p(surprise)) / optimum))


def normal_mixture_boundary(
    intrinsic_time: Numbers,
    *,
    alpha: Numbers = 0.05,
    v_opt: Numbers,
    one_sided: bool = False,
) -> FloatArray:
    """Return the normal-mixture boundary for a sum with variance process `intrinsic_time`.

    Args:
        intrinsic_time: accumulated variance of the sum, shape (...).
        alpha: error over all times, in total.
        v_opt: intrinsic time at which the boundary is tightest.
        one_sided: bound the sum from above only.

    Returns:
        Boundary on the scale of the sum.

    Raises:
        InvalidInputError: an argument is out of range.

    References:
        Howard, Ramdas, McAuliffe and Sekhon (2021), Annals of Statistics 49,
        doi:10.1214/20-AOS1991, propositions 5 and 6.

    >>> round(float(normal_mixture_boundary(1000.0, v_opt=1000.0)), 3)
    95.982
    """
    time = non_negative("intrinsic_time", intrinsic_time)
    level = _one_sided(alpha) if one_sided else open_probability("alpha", alpha)
    tuning = positive("v_opt", v_opt) * asymptotic_rho(1.0, alpha=level * (1 + one_sided)) ** -2
    growth = 1 + time / tuning
    if one_sided:
        return np.asarray(np.sqrt(time + tuning) * _half_normal_root(growth, level))
    return np.asarray(np.sqrt((time + tuning) * (np.log(growth) - 2 * np.log(level))))


def _effect_arguments(
    effect_abs: Numbers, se: Numbers, visitors: Numbers
) -> tuple[FloatArray, FloatArray, FloatArray]:
    return (
        finite("effect_abs", effect_abs),
        non_negative("se", se),
        counts("visitors", visitors),
    )


def _one_sided(alpha: Numbers) -> FloatArray:
    level = open_probability("alpha", alpha)
    if np.any(level >= 0.5):
        raise InvalidInputError("alpha", "must lie below 1/2 for a one-sided sequence")
    return level


def _log_half_normal_mixture(position: FloatArray) -> FloatArray:
    """Return log(2 exp(u^2 / 2) Phi(u)), by the form that loses no digits on either side."""
    above, below = np.maximum(position, 0), np.minimum(position, 0)
    log_above = np.log(2) + above**2 / 2 + scipy.special.log_ndtr(above)
    return np.asarray(
        np.where(position > 0, log_above, np.log(scipy.special.erfcx(-below / np.sqrt(2))))
    )


def _half_normal_root(growth: FloatArray, alpha: FloatArray) -> FloatArray:
    """Solve 2 exp(u^2 / 2) Phi(u) = sqrt(growth) / alpha for u by Newton's method."""
    target = np.log(growth) / 2 - np.log(alpha)
    root: FloatArray = np.sqrt(2 * target)
    for _ in range(_NEWTON_STEPS):
        mixture = _log_half_normal_mixture(root)
        slope = root + np.sqrt(2 / np.pi) * np.exp(-mixture)
        root = root - (mixture - target) / slope
    return root
