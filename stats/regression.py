"""Variance reduction by covariates from before the exposure: CUPED and Lin's adjustment."""

from dataclasses import dataclass

import numpy as np

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    finite,
    first_reason,
    undefined_is_masked,
)
from stats.effects import (
    ArmEstimate,
    EffectEstimate,
    WelchEstimate,
    pair_reason,
    welch_effect,
    z_effect,
)
from stats.errors import InvalidInputError
from stats.means import mean_estimate
from stats.moments import JointMoments


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustedLift(Estimates):
    """Covariate-adjusted effect relative to the unadjusted mean of control."""

    effect_rel: FloatArray
    se_rel: FloatArray


@undefined_is_masked
def cuped_theta(control: JointMoments, treatment: JointMoments) -> FloatArray:
    """Return the coefficients of the covariates over both arms taken as one sample.

    Args:
        control: joint moments (outcome, c covariates) of the control arm, shape (..., 1 + c).
        treatment: the same of the treatment arm, broadcast with control.

    Returns:
        Coefficients, shape (..., c); zero for a covariate that does not vary.

    References:
        Deng, Xu, Kohavi and Walker (2013), doi:10.1145/2433396.2433413.

    >>> rows = np.array([[1.0, 0.0], [2.0, 1.0], [2.5, 2.0], [4.5, 3.0]])
    >>> arm = JointMoments.from_values(rows)
    >>> print(cuped_theta(arm, arm).round(2))
    [1.1]
    """
    both = control + treatment
    return _coefficients(both.comoments)


def cuped(
    control: JointMoments, treatment: JointMoments, *, alpha: Numbers = 0.05
) -> WelchEstimate:
    """Compare means after removing what covariates from before the exposure explain.

    Args:
        control: joint moments (outcome, c covariates) of the control arm, shape (..., 1 + c).
        treatment: the same of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        The adjusted effect in the unit of the outcome. Without any varying covariate it is the
        Welch test of the outcome.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Deng, Xu, Kohavi and Walker (2013), doi:10.1145/2433396.2433413.

    >>> rows = np.array([[1.0, 0.0], [2.0, 1.0], [2.5, 2.0], [4.5, 3.0]])
    >>> effect = cuped(JointMoments.from_values(rows), JointMoments.from_values(rows + [1, 0]))
    >>> print(f"{effect.effect_abs:.2f} with a standard error of {effect.se:.2f}")
    1.00 with a standard error of 0.27
    """
    theta = cuped_theta(control, treatment)
    return welch_effect(
        _adjusted_estimate(control, theta), _adjusted_estimate(treatment, theta), alpha=alpha
    )


@undefined_is_masked
def cuped_lift(control: JointMoments, treatment: JointMoments) -> AdjustedLift:
    """Return the CUPED effect relative to the unadjusted control mean, with its delta-method error.

    Args:
        control: joint moments (outcome, c covariates) of the control arm, shape (..., 1 + c).
        treatment: the same of the treatment arm, broadcast with control.

    Returns:
        The lift; undefined where the control mean is zero.

    References:
        Deng, Xu, Kohavi and Walker (2013), doi:10.1145/2433396.2433413.

    >>> rows = np.array([[1.0, 0.0], [2.0, 1.0], [2.5, 2.0], [4.5, 3.0]])
    >>> lift = cuped_lift(JointMoments.from_values(rows), JointMoments.from_values(rows + [1, 0]))
    >>> print(f"{lift.effect_rel:.0%} with a standard error of {lift.se_rel:.0%}")
    40% with a standard error of 18%
    """
    theta = cuped_theta(control, treatment)
    a, b = _adjusted_estimate(control, theta), _adjusted_estimate(treatment, theta)
    baseline = control.means[..., 0]
    growth = treatment.means[..., 0] / baseline
    variance = _quadratic_form(control, growth, theta) / control.n + b.variance
    return AdjustedLift(
        reason=first_reason((baseline == 0, Reason.ZERO_BASELINE), known=pair_reason(a, b)),
        effect_rel=(b.value - a.value) / np.abs(baseline),
        se_rel=np.sqrt(variance) / np.abs(baseline),
    )


@undefined_is_masked
def lin(control: JointMoments, treatment: JointMoments, *, alpha: Numbers = 0.05) -> EffectEstimate:
    """Compare means by Lin's regression with one set of coefficients per arm, from moments.

    The effect equals the coefficient of treatment in the regression of the outcome on treatment,
    the covariates centred over everybody, and their interactions. Residuals may vary differently
    in each arm; for a variance that follows each unit's leverage see `lin_hc2`.

    Args:
        control: joint moments (outcome, c covariates) of the control arm, shape (..., 1 + c).
        treatment: the same of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        The effect in the unit of the outcome; undefined with fewer than c + 2 units in an arm.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Lin (2013), doi:10.1214/12-AOAS583.

    >>> rows = np.array([[1.0, 0.0], [2.0, 1.0], [2.5, 2.0], [4.5, 3.0]])
    >>> effect = lin(JointMoments.from_values(rows), JointMoments.from_values(rows + [1, 0]))
    >>> print(f"{effect.effect_abs:.2f} with a standard error of {effect.se:.2f}")
    1.00 with a standard error of 0.34
    """
    centre = (control + treatment).means[..., 1:]
    a, b = _regression_estimate(control, centre), _regression_estimate(treatment, centre)
    return z_effect(
        b.value - a.value,
        np.sqrt(a.variance + b.variance),
        alpha=alpha,
        reason=pair_reason(a, b),
    )


def lin_hc2(
    values: Numbers, treated: Numbers, *, covariates: Numbers, alpha: Numbers = 0.05
) -> EffectEstimate:
    """Compare means by Lin's regression on single units, with the HC2 standard error.

    Args:
        values: outcome of each unit, shape (n_units,).
        treated: 1 for treatment and 0 for control, shape (n_units,).
        covariates: covariates from before the exposure, shape (n_units, c).
        alpha: total two-sided error of the interval.

    Returns:
        One effect in the unit of the outcome; undefined when a column is collinear.

    Raises:
        InvalidInputError: shapes differ, `treated` is not 0 or 1, or alpha is not in (0, 1).

    References:
        Lin (2013), doi:10.1214/12-AOAS583.

    >>> before = [[0.0], [1.0], [2.0], [3.0]] * 2
    >>> bought = [1.0, 2.0, 2.5, 4.5, 2.0, 3.0, 3.5, 5.5]
    >>> effect = lin_hc2(bought, [0] * 4 + [1] * 4, covariates=before)
    >>> print(f"{effect.effect_abs:.2f} with a standard error of {effect.se:.2f}")
    1.00 with a standard error of 0.34
    """
    y, arm, x = (
        finite("values", values),
        finite("treated", treated),
        finite("covariates", covariates),
    )
    if y.ndim != 1 or arm.shape != y.shape or x.ndim != 2 or len(x) != len(y):
        raise InvalidInputError("covariates", "must have one row per value and treated flag")
    if not np.all((arm == 0) | (arm == 1)):
        raise InvalidInputError("treated", "must be 0 or 1")
    centred = x - x.mean(axis=0)
    design = np.column_stack([np.ones_like(y), arm, centred, arm[:, None] * centred])
    if np.linalg.matrix_rank(design) < design.shape[1] or len(y) <= design.shape[1]:
        return z_effect(0.0, 0.0, alpha=alpha, reason=Reason.NO_COVARIATE)
    from statsmodels.regression.linear_model import OLS  # noqa: PLC0415 (brings pandas along, which a web worker can do without)

    fit = OLS(y, design).fit(cov_type="HC2")
    return z_effect(fit.params[1], fit.bse[1], alpha=alpha)


def _adjusted_estimate(arm: JointMoments, theta: FloatArray) -> ArmEstimate:
    outcome = mean_estimate(arm.marginal(0))
    covariates = arm.means[..., 1:]
    return ArmEstimate(
        value=outcome.value - np.sum(theta * covariates, axis=-1),
        variance=_quadratic_form(arm, np.ones_like(outcome.value), theta) / arm.n,
        n=arm.n,
        reason=outcome.reason,
    )


def _quadratic_form(arm: JointMoments, growth: FloatArray, theta: FloatArray) -> FloatArray:
    """Variance of growth * outcome - theta . covariates in one arm."""
    minus_theta = -np.broadcast_to(theta, (*growth.shape, theta.shape[-1]))
    weights = np.concatenate([growth[..., None], minus_theta], axis=-1)
    form: FloatArray = np.einsum("...i,...ij,...j->...", weights, arm.covariance, weights)
    clipped: FloatArray = np.maximum(form, 0)
    return clipped


@undefined_is_masked
def _regression_estimate(arm: JointMoments, centre: FloatArray) -> ArmEstimate:
    """Predict the outcome of an arm at the covariates' `centre` by the arm's own regression."""
    theta = _coefficients(arm.comoments)
    shift = centre - arm.means[..., 1:]
    covariates = arm.comoments[..., 1:, 1:]
    explained = np.einsum("...i,...i->...", theta, arm.comoments[..., 0, 1:])
    freedom = arm.n - 1 - theta.shape[-1]
    residual = np.maximum(arm.comoments[..., 0, 0] - explained, 0) / freedom
    leverage = np.einsum("...i,...ij,...j->...", shift, _inverse(covariates), shift)
    return ArmEstimate(
        value=arm.means[..., 0] + np.sum(theta * shift, axis=-1),
        variance=residual * (1 / arm.n + leverage),
        n=arm.n,
        reason=first_reason((arm.n == 0, Reason.NO_UNITS), (freedom < 1, Reason.TOO_FEW_UNITS)),
    )


def _coefficients(comoments: FloatArray) -> FloatArray:
    inverse = _inverse(comoments[..., 1:, 1:])
    theta: FloatArray = (inverse @ comoments[..., 1:, :1])[..., 0]
    return theta


def _inverse(matrix: FloatArray) -> FloatArray:
    """Invert covariate co-moments, leaving out directions that do not vary."""
    scale = np.sqrt(np.diagonal(matrix, axis1=-2, axis2=-1))
    # Standardised, so that the cut-off does not depend on the covariates' units.
    unit = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    outer = unit[..., :, None] * unit[..., None, :]
    inverse: FloatArray = np.linalg.pinv(matrix * outer, rtol=1e-10, hermitian=True) * outer
    return inverse
