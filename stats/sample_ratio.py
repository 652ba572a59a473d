"""Did the traffic split as planned? A chi-square for display, an e-value for alarms at any time."""

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
    positive,
    undefined_is_masked,
)
from stats.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquareTest(Estimates):
    """Pearson's chi-square with its degrees of freedom and p-value."""

    chi2: FloatArray
    df: FloatArray
    p_value: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialTest(Estimates):
    """Evidence against the planned split that stays valid however often it is looked at.

    Attributes:
        log_e_value: logarithm of the e-value now; alarm above log(1000).
        p_always_valid: min(1, 1/e) at its lowest over the looks.
    """

    log_e_value: FloatArray
    p_always_valid: FloatArray


@undefined_is_masked
def sample_ratio_chi2(observed: Numbers, weights: Numbers) -> ChiSquareTest:
    """Test once whether the arms received the planned shares of the visitors.

    Args:
        observed: visitors per arm, shape (..., n_arms).
        weights: planned weights per arm in any unit, shape (n_arms,) or (..., n_arms).

    Returns:
        Test of shape (...); undefined before the first visitor. For one planned look only.

    Raises:
        InvalidInputError: a count or weight is not possible, or there are fewer than two arms.

    References:
        Pearson (1900), doi:10.1080/14786440009463897.

    >>> print(f"{sample_ratio_chi2([5000, 5100], [0.5, 0.5]).p_value:.3f}")
    0.320
    """
    visitors, shares = _arms(observed, weights)
    total = visitors.sum(axis=-1)
    expected = total[..., None] * shares
    chi2 = ((visitors - expected) ** 2 / expected).sum(axis=-1)
    df = visitors.shape[-1] - 1
    return ChiSquareTest(
        reason=first_reason((total == 0, Reason.NO_UNITS)),
        chi2=chi2,
        df=np.float64(df) * np.ones_like(chi2),
        p_value=scipy.special.chdtrc(df, chi2),
    )


def sample_ratio_e_value(
    cumulative: Numbers, weights: Numbers, *, concentration: Numbers = 100.0
) -> SequentialTest:
    """Test the split at every look by a Dirichlet-multinomial mixture against the planned shares.

    Args:
        cumulative: visitors per arm up to each look, shape (..., n_looks, n_arms).
        weights: planned weights per arm in any unit, shape (n_arms,) or (..., 1, n_arms).
        concentration: strength of the mixture around the planned shares, in visitors.

    Returns:
        Test of shape (..., n_looks). The chance that the e-value ever exceeds 1/alpha under the
        planned split is at most alpha.

    Raises:
        InvalidInputError: a count falls from look to look, or a count or weight is not possible.

    References:
        Lindon and Malek (2022), Anytime-valid inference for multinomial count data, NeurIPS 35.

    >>> test = sample_ratio_e_value([[500, 540], [5000, 5400]], [1, 1])
    >>> print(test.log_e_value.round(2))
    [-0.52 5.29]
    """
    visitors, shares = _arms(cumulative, weights)
    if visitors.ndim < 2 or np.any(np.diff(visitors, axis=-2) < 0):
        raise InvalidInputError("cumulative", "must be cumulative counts, one row per look")
    log_e = dirichlet_multinomial_log_e(visitors, shares, concentration=concentration)
    p_now = np.exp(-np.maximum(log_e, 0))
    return SequentialTest(
        reason=np.zeros(log_e.shape, np.int8),
        log_e_value=log_e,
        p_always_valid=np.minimum.accumulate(p_now, axis=-1),
    )


def dirichlet_multinomial_log_e(
    observed: FloatArray, shares: FloatArray, *, concentration: Numbers = 100.0
) -> FloatArray:
    """Return the log Bayes factor of Dirichlet(concentration * shares) against fixed shares.

    Args:
        observed: counts per cell, shape (..., n_cells).
        shares: probabilities of the cells under the null, summing to one, shape (..., n_cells).
        concentration: total weight of the Dirichlet prior, above zero.

    Returns:
        Log e-values of shape (...).

    Raises:
        InvalidInputError: the concentration is not above zero.

    References:
        Lindon and Malek (2022), Anytime-valid inference for multinomial count data, NeurIPS 35.

    >>> log_e = dirichlet_multinomial_log_e(np.array([5000.0, 5400.0]), np.array([0.5, 0.5]))
    >>> print(f"{log_e:.2f}")
    5.29
    """
    prior = positive("concentration", concentration)[..., None] * shares
    log_e: FloatArray = (
        _log_beta(prior + observed) - _log_beta(prior) - (observed * np.log(shares)).sum(axis=-1)
    )
    return log_e


def _log_beta(weights: FloatArray) -> FloatArray:
    log_beta: FloatArray = scipy.special.gammaln(weights).sum(axis=-1) - scipy.special.gammaln(
        weights.sum(axis=-1)
    )
    return log_beta


def _arms(observed: Numbers, weights: Numbers) -> tuple[FloatArray, FloatArray]:
    visitors, planned = counts("visitors", observed), finite("weights", weights)
    if visitors.ndim < 1 or visitors.shape[-1] < 2 or planned.shape[-1:] != visitors.shape[-1:]:
        raise InvalidInputError("weights", "must hold one weight for each of two or more arms")
    positive("weights", planned)
    return visitors, planned / planned.sum(axis=-1, keepdims=True)
