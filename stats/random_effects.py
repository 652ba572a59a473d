"""How much true effects differ from experiment to experiment, beyond their own errors."""

import scipy

from stats.arrays import FloatArray, Numbers, finite, positive
from stats.errors import InvalidInputError
from stats.results import NotEstimable


def tau2_dersimonian_laird(effects: Numbers, variances: Numbers) -> float | NotEstimable:
    """Return the variance between true effects by the method of moments, at least zero.

    Args:
        effects: past effects, shape (n_effects,).
        variances: their squared standard errors, above zero.

    Returns:
        The variance in squared units of the effect; undefined below two past effects.

    Raises:
        InvalidInputError: an effect is not finite or a variance is not above zero.

    References:
        DerSimonian and Laird (1986), doi:10.1016/0197-2456(86)90046-2.

    >>> print(f"{tau2_dersimonian_laird([0.1, 0.0, -0.1, 0.2], [0.001] * 4):.4f}")
    0.0157
    """
    y, v = past_effects(effects, variances)
    if y.size < 2:
        return NotEstimable("two past effects are needed")
    w = 1 / v
    freed = w.sum() - (w**2).sum() / w.sum()
    return float(max(0.0, (_heterogeneity(0.0, y, v) - (y.size - 1)) / freed))


def tau2_paule_mandel(effects: Numbers, variances: Numbers) -> float | NotEstimable:
    """Return the variance between true effects that explains their spread, at least zero.

    Args:
        effects: past effects, shape (n_effects,).
        variances: their squared standard errors, above zero.

    Returns:
        The variance in squared units of the effect; undefined below two past effects.

    Raises:
        InvalidInputError: an effect is not finite or a variance is not above zero.

    References:
        Paule and Mandel (1982), doi:10.6028/jres.087.022.

    >>> print(f"{tau2_paule_mandel([0.1, 0.0, -0.1, 0.2], [0.001] * 4):.4f}")
    0.0157
    """
    y, v = past_effects(effects, variances)
    if y.size < 2:
        return NotEstimable("two past effects are needed")
    if _heterogeneity(0.0, y, v) <= y.size - 1:
        return 0.0
    # Beyond this every variance is negligible, and the spread is explained more than fully.
    most = float(((y - y.mean()) ** 2).sum()) + float(v.max())

    def unexplained(tau2: float) -> float:
        return _heterogeneity(tau2, y, v) - (y.size - 1)

    return float(scipy.optimize.brentq(unexplained, 0.0, most, xtol=1e-18, rtol=1e-14))


def past_effects(effects: Numbers, variances: Numbers) -> tuple[FloatArray, FloatArray]:
    """Return past effects and their variances as arrays, or raise for what cannot be both."""
    y, v = finite("effects", effects), positive("variances", variances)
    if y.ndim != 1 or v.shape != y.shape:
        raise InvalidInputError("variances", "must hold one for each past effect")
    return y, v


def _heterogeneity(tau2: float, effects: FloatArray, variances: FloatArray) -> float:
    """Return Cochran's Q of the effects when their true variance is `tau2`."""
    w = 1 / (variances + tau2)
    centre = (w * effects).sum() / w.sum()
    return float((w * (effects - centre) ** 2).sum())
