"""Did what was claimed with 90% come true in 90%? Realised calibration of claimed probabilities."""

from dataclasses import dataclass

import numpy as np

from stats.arrays import Estimates, FloatArray, Numbers, finite, probability
from stats.errors import InvalidInputError
from stats.moments import Counts
from stats.proportions import wilson
from stats.results import NotEstimable

DEFAULT_EDGES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationCurve(Estimates):
    """One element per band of claimed probability, undefined where nothing was claimed.

    Attributes:
        lower: lower edge of the band (claims at the edge belong to it).
        upper: upper edge of the band.
        n: number of claims in the band.
        claimed: their mean claimed probability.
        realised: share that came true.
        ci_low: lower limit of Wilson's 95% interval of that share.
        ci_high: upper limit of that interval.
    """

    lower: FloatArray
    upper: FloatArray
    n: FloatArray
    claimed: FloatArray
    realised: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


def calibration_curve(
    claimed: Numbers, came_true: Numbers, *, edges: Numbers = DEFAULT_EDGES
) -> CalibrationCurve:
    """Compare claimed probabilities with what came true, band by band.

    Args:
        claimed: claimed probabilities, such as chances to win at promotion, shape (n_claims,).
        came_true: 1 where the claim was verified and 0 where not, shape (n_claims,).
        edges: rising edges of the bands, shape (n_bands + 1,); the last band includes its end.

    Returns:
        A curve of shape (n_bands,).

    Raises:
        InvalidInputError: a probability is outside [0, 1], or the shapes do not fit.

    References:
        Dawid (1982), The well-calibrated Bayesian, JASA 77, 605-610.

    >>> curve = calibration_curve([0.91, 0.94, 0.93, 0.97], [1, 0, 1, 1], edges=[0.9, 0.95, 1])
    >>> print(curve.realised.round(2))
    [0.67 1.0]
    """
    p, truth = _claims(claimed, came_true)
    limits = probability("edges", edges)
    if limits.ndim != 1 or limits.size < 2 or np.any(np.diff(limits) <= 0):
        raise InvalidInputError("edges", "must rise")
    inside = (p >= limits[0]) & (p <= limits[-1])
    band = np.minimum(np.searchsorted(limits, p[inside], side="right"), limits.size - 1) - 1
    n, true, total = (
        np.bincount(band, values[inside], limits.size - 1).astype(np.float64)
        for values in (np.ones_like(p), truth, p)
    )
    share = wilson(Counts(visitors=n, conversions=true))
    return CalibrationCurve(
        reason=share.reason,
        lower=limits[:-1],
        upper=limits[1:],
        n=n,
        claimed=total / np.maximum(n, 1),
        realised=share.rate,
        ci_low=share.ci_low,
        ci_high=share.ci_high,
    )


def brier_score(claimed: Numbers, came_true: Numbers) -> float | NotEstimable:
    """Return the mean squared distance between claims and truth: 0 is perfect, 0.25 a coin.

    Args:
        claimed: claimed probabilities, shape (n_claims,).
        came_true: 1 where the claim was verified and 0 where not, shape (n_claims,).

    Returns:
        The score; undefined before the first claim.

    Raises:
        InvalidInputError: a probability is outside [0, 1], or the shapes do not fit.

    References:
        Brier (1950), Verification of forecasts expressed in terms of probability.

    >>> print(f"{brier_score([0.9, 0.8], [1, 0]):.3f}")
    0.325
    """
    p, truth = _claims(claimed, came_true)
    if not p.size:
        return NotEstimable("nothing was claimed yet")
    return float(np.mean((p - truth) ** 2))


def _claims(claimed: Numbers, came_true: Numbers) -> tuple[FloatArray, FloatArray]:
    p, truth = probability("claimed", claimed), finite("came_true", came_true)
    if p.ndim != 1 or truth.shape != p.shape or not np.all((truth == 0) | (truth == 1)):
        raise InvalidInputError("came_true", "must be 0 or 1 for each claim")
    return p, truth
