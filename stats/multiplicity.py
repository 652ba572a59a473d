"""Many questions at once: adjusted p-values and adjusted e-values."""

from typing import Literal, TypeAlias

import numpy as np

from stats.arrays import BoolArray, FloatArray, Numbers, non_negative, open_probability, probability
from stats.errors import InvalidInputError

Correction: TypeAlias = Literal["holm", "hommel", "hochberg", "bh", "by", "bonferroni"]

_STATSMODELS_NAMES = {
    "hommel": "hommel",
    "hochberg": "simes-hochberg",
    "bh": "fdr_bh",
    "by": "fdr_by",
    "bonferroni": "bonferroni",
}


def adjust_p_values(p_values: Numbers, correction: Correction) -> FloatArray:
    """Return adjusted p-values in the order given: reject those at or below alpha.

    Args:
        p_values: p-values of all questions asked, shape (n_questions,).
        correction: "holm", "hommel", "hochberg" and "bonferroni" bound the chance of any false
            rejection; "bh" and "by" bound the share of false rejections.

    Returns:
        Adjusted p-values, shape (n_questions,).

    Raises:
        InvalidInputError: a p-value is missing or outside [0, 1].

    References:
        Holm (1979), Scandinavian Journal of Statistics 6; Hommel (1988),
        doi:10.1093/biomet/75.2.383; Hochberg (1988), doi:10.1093/biomet/75.4.800; Benjamini and
        Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x; Benjamini and Yekutieli (2001),
        doi:10.1214/aos/1013699998.

    >>> print(adjust_p_values([0.01, 0.04, 0.03], "holm"))
    [0.03 0.06 0.06]
    """
    p = _questions(probability("p_values", p_values), "p_values")
    if not p.size:
        return p
    if correction == "holm":
        return holm_p_values(p)
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415 (brings pandas along, which a web worker can do without)

    adjusted: FloatArray = multipletests(p, method=_STATSMODELS_NAMES[correction])[1]
    return adjusted


def holm_p_values(p_values: FloatArray, *, asked: BoolArray | None = None) -> FloatArray:
    """Return Holm's adjusted p-values of many families at once.

    Args:
        p_values: p-values in [0, 1], families along the last axis, shape (..., n_questions).
        asked: False leaves a question out of its family, whatever its p-value; shape as above.

    Returns:
        Adjusted p-values of the same shape; 1 for what was left out.

    References:
        Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    >>> families = np.array([[0.01, 0.04, 0.03], [0.2, 0.01, 0.01]])
    >>> print(holm_p_values(families, asked=np.array([[True] * 3, [True, True, False]])))
    [[0.03 0.06 0.06]
     [0.2  0.02 1.  ]]
    """
    # Not by statsmodels, which takes one family at a time and runs the garbage collector: 0.2 s.
    known = p_values if asked is None else np.where(asked, p_values, np.inf)
    order = np.argsort(known, axis=-1)
    left = np.sum(np.isfinite(known), axis=-1, keepdims=True) - np.arange(known.shape[-1])
    steps = np.take_along_axis(known, order, axis=-1) * np.maximum(left, 1)
    adjusted = np.empty_like(known)
    np.put_along_axis(adjusted, order, np.maximum.accumulate(steps, axis=-1), axis=-1)
    return np.minimum(adjusted, 1.0)


def e_bh_rejections(e_values: Numbers, alpha: float = 0.05) -> BoolArray:
    """Reject by e-BH, whose share of false rejections is at most alpha under any dependence.

    Args:
        e_values: e-values of all questions asked, shape (n_questions,).
        alpha: bound of the false discovery rate.

    Returns:
        True for each rejected question, shape (n_questions,).

    Raises:
        InvalidInputError: an e-value is negative or missing, or alpha is not in (0, 1).

    References:
        Wang and Ramdas (2022), doi:10.1111/rssb.12489.

    >>> print(e_bh_rejections([100.0, 45.0, 1.0]))
    [ True  True False]
    """
    e = _questions(non_negative("e_values", e_values), "e_values")
    threshold = 1 / open_probability("alpha", alpha)
    descending = np.sort(e)[::-1]
    ranks = np.arange(1, e.size + 1)
    passing = ranks[ranks * descending >= e.size * threshold]
    cut = descending[passing[-1] - 1] if passing.size else np.inf
    return e >= cut


def closed_e_values(e_values: Numbers) -> FloatArray:
    """Return e-values adjusted by closed testing with means: reject those at or above 1/alpha.

    Each becomes the smallest mean over the sets of questions that contain it, so that the chance
    of any false rejection is at most alpha, under any dependence.

    Args:
        e_values: e-values of all questions asked, shape (n_questions,).

    Returns:
        Adjusted e-values in the order given, shape (n_questions,).

    Raises:
        InvalidInputError: an e-value is negative or missing.

    References:
        Vovk and Wang (2021), doi:10.1214/20-AOS2020.

    >>> print(closed_e_values([60.0, 2.0, 10.0]))
    [24.  2.  6.]
    """
    e = _questions(non_negative("e_values", e_values), "e_values")
    # The smallest mean with k others takes the k smallest; a set that counts an e-value twice is
    # never the smallest, because only smaller ones lower its mean.
    totals = np.concatenate([[0.0], np.cumsum(np.sort(e))])
    means = (e[:, None] + totals) / np.arange(1, e.size + 2)
    smallest: FloatArray = means.min(axis=1)
    return smallest


def _questions(values: FloatArray, field: str) -> FloatArray:
    if values.ndim != 1:
        raise InvalidInputError(field, "must be one list of questions")
    return values
