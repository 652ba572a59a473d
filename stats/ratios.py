"""Ratio metrics: total of one quantity over total of another, per randomised visitor."""

import numpy as np

from stats.arrays import Numbers, Reason, first_reason, undefined_is_masked
from stats.effects import ArmEstimate, WelchEstimate, welch_effect
from stats.errors import InvalidInputError
from stats.moments import JointMoments


@undefined_is_masked
def ratio_estimate(arm: JointMoments) -> ArmEstimate:
    """Return the ratio of totals of an arm with its variance by the delta method.

    Args:
        arm: joint moments (numerator, denominator) of visitors, shape (..., 2): the unit is the
            randomised visitor, never the session, so that sessions of one visitor may correlate.

    Returns:
        Ratios of shape (...); undefined below two visitors or with a denominator of zero.

    Raises:
        InvalidInputError: `arm` does not hold two quantities.

    References:
        Deng, Knoblich and Lu (2018), doi:10.1145/3219819.3219919.
    """
    if arm.means.shape[-1] != 2:
        raise InvalidInputError("arm", "must hold the numerator and the denominator")
    numerator, denominator = arm.means[..., 0], arm.means[..., 1]
    ratio = numerator / denominator
    # Variance of the linearised numerator - ratio * denominator, as one quadratic form.
    weights = np.stack([np.ones_like(ratio), -ratio], axis=-1)
    spread = np.einsum("...i,...ij,...j->...", weights, arm.covariance, weights)
    return ArmEstimate(
        value=ratio,
        variance=np.maximum(spread, 0) / (denominator**2 * arm.n),
        n=np.broadcast_to(arm.n, ratio.shape),
        reason=first_reason(
            (arm.n == 0, Reason.NO_UNITS),
            (arm.n < 2, Reason.TOO_FEW_UNITS),
            (denominator == 0, Reason.ZERO_DENOMINATOR),
        ),
    )


def ratio_difference(
    control: JointMoments, treatment: JointMoments, *, alpha: Numbers = 0.05
) -> WelchEstimate:
    """Compare the ratio of totals of two arms.

    Args:
        control: joint moments (numerator, denominator) of the control arm, shape (..., 2).
        treatment: the same of the treatment arm, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        Treatment ratio minus control ratio; undefined where a denominator is zero.

    Raises:
        InvalidInputError: an arm does not hold two quantities, or alpha is not in (0, 1).

    References:
        Deng, Knoblich and Lu (2018), doi:10.1145/3219819.3219919.

    >>> control = JointMoments.from_values([[1, 2], [0, 1], [2, 3], [1, 1]])
    >>> treatment = JointMoments.from_values([[1, 1], [1, 2], [3, 3], [2, 2]])
    >>> effect = ratio_difference(control, treatment).at()
    >>> print(f"{effect.effect_abs:.3f}")
    0.304
    """
    return welch_effect(ratio_estimate(control), ratio_estimate(treatment), alpha=alpha)
