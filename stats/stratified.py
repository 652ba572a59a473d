"""Strata - phases of one allocation, batches, personas - combined, never pooled."""

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
from stats.effects import EffectEstimate, z_effect
from stats.moments import Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class StratifiedRates(Estimates):
    """Cochran-Mantel-Haenszel comparison of two rates over strata.

    Attributes:
        cmh_chi2: chi-square of no association, one degree of freedom, without correction.
        p_two_sided: its p-value.
        risk_difference: Mantel-Haenszel difference, treatment minus control.
    """

    cmh_chi2: FloatArray
    p_two_sided: FloatArray
    risk_difference: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class OddsRatio(Estimates):
    """Mantel-Haenszel odds ratio, treatment over control."""

    odds_ratio: FloatArray


@undefined_is_masked
def combine_strata(
    effects: EffectEstimate, *, axis: int = -1, alpha: Numbers = 0.05
) -> EffectEstimate:
    """Combine the effects of strata with weights inverse to their variances.

    Args:
        effects: effect of each stratum on one scale, with the strata along `axis`. A stratum
            whose effect is undefined carries no information and is left out.
        axis: the axis of the strata, which disappears.
        alpha: total two-sided error of the interval.

    Returns:
        The combined effect; undefined when no stratum has one.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Cochran (1954), doi:10.2307/3001666.

    >>> phases = z_effect([0.02, 0.05], [0.01, 0.02])
    >>> print(f"{combine_strata(phases).effect_abs:.3f}")
    0.026
    """
    defined = np.asarray(effects.reason) == Reason.OK
    se = np.where(defined, np.ma.getdata(effects.se), np.inf)
    # Relative to the best stratum, so that neither huge nor tiny variances overflow.
    best = se.min(axis=axis, keepdims=True)
    weights = np.where(defined, (best / se) ** 2, 0.0)
    values = np.where(defined, np.ma.getdata(effects.effect_abs), 0.0)
    total = weights.sum(axis=axis)
    return z_effect(
        (weights * values).sum(axis=axis) / total,
        np.squeeze(best, axis=axis) / np.sqrt(total),
        alpha=alpha,
        reason=first_reason((total == 0, Reason.NO_INFORMATION)),
    )


@undefined_is_masked
def cmh(control: Counts, treatment: Counts) -> StratifiedRates:
    """Compare two rates within strata by Cochran, Mantel and Haenszel.

    Args:
        control: counts of the control arm, shape (..., n_strata).
        treatment: counts of the treatment arm, broadcast with control.

    Returns:
        Comparison of shape (...); undefined when no stratum has both arms and both outcomes.

    References:
        Mantel and Haenszel (1959), doi:10.1093/jnci/22.4.719.

    >>> control = Counts(visitors=[950, 500], conversions=[48, 40])
    >>> treatment = Counts(visitors=[50, 500], conversions=[3, 52])
    >>> print(f"{cmh(control, treatment).risk_difference:.4f}")
    0.0217
    """
    n_a, n_b = control.visitors, treatment.visitors
    n, x = n_a + n_b, control.conversions + treatment.conversions
    present, size = (n_a > 0) & (n_b > 0), np.maximum(n, 1)
    weight = np.where(present, n_a * n_b / size, 0.0)
    surplus = np.where(present, treatment.conversions - n_b * x / size, 0.0).sum(axis=-1)
    # Divided in steps: with a billion visitors a product of four counts loses digits.
    variance = (weight * (x / size) * ((n - x) / np.maximum(n - 1, 1))).sum(axis=-1)
    chi2 = surplus**2 / variance
    return StratifiedRates(
        reason=first_reason(
            (weight.sum(axis=-1) == 0, Reason.NO_UNITS), (variance == 0, Reason.NO_VARIANCE)
        ),
        cmh_chi2=chi2,
        p_two_sided=scipy.special.chdtrc(1, chi2),
        risk_difference=surplus / weight.sum(axis=-1),
    )


@undefined_is_masked
def mantel_haenszel_odds_ratio(control: Counts, treatment: Counts) -> OddsRatio:
    """Return the odds ratio of treatment over control, common to all strata.

    Args:
        control: counts of the control arm, shape (..., n_strata).
        treatment: counts of the treatment arm, broadcast with control.

    Returns:
        The ratio of shape (...); undefined when no control conversion meets a treatment failure.

    References:
        Mantel and Haenszel (1959), doi:10.1093/jnci/22.4.719.

    >>> control = Counts(visitors=[950, 500], conversions=[48, 40])
    >>> treatment = Counts(visitors=[50, 500], conversions=[3, 52])
    >>> print(f"{mantel_haenszel_odds_ratio(control, treatment).odds_ratio:.3f}")
    1.320
    """
    x_a, x_b = control.conversions, treatment.conversions
    size = np.maximum(control.visitors + treatment.visitors, 1)
    for_treatment = (x_b * (control.visitors - x_a) / size).sum(axis=-1)
    for_control = (x_a * (treatment.visitors - x_b) / size).sum(axis=-1)
    return OddsRatio(
        reason=first_reason((for_control == 0, Reason.ZERO_BASELINE)),
        odds_ratio=for_treatment / for_control,
    )
