"""Error-spending functions: how much of alpha is used up by a fraction of the calendar."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import scipy

from stats.arrays import FloatArray, Numbers, finite, open_probability, positive

Spending: TypeAlias = Callable[[Numbers, float], FloatArray]
"""(calendar fractions, alpha) -> cumulative error spent; above 1 the fraction counts as 1."""


def obrien_fleming(calendar_fraction: Numbers, alpha: float) -> FloatArray:
    """Spend almost nothing early and nearly all at the end, as O'Brien and Fleming do.

    Args:
        calendar_fraction: elapsed share of the declared horizon, any shape.
        alpha: error of one boundary over the whole horizon.

    Returns:
        Cumulative error spent, in the shape of `calendar_fraction`.

    Raises:
        InvalidInputError: the fraction is not a number or alpha is not inside (0, 1).

    References:
        Lan and DeMets (1983), Biometrika 70, doi:10.1093/biomet/70.3.659.

    >>> obrien_fleming([0.5, 1.0], 0.025).round(6).tolist()
    [0.001525, 0.025]
    """
    fraction = _elapsed(calendar_fraction)
    open_probability("alpha", alpha)
    with np.errstate(divide="ignore"):
        boundary = -scipy.special.ndtri(alpha / 2) / np.sqrt(fraction)
    return np.asarray(2 * scipy.special.ndtr(-boundary))


def pocock(calendar_fraction: Numbers, alpha: float) -> FloatArray:
    """Spend nearly evenly, which keeps the bound nearly constant as Pocock's.

    Args:
        calendar_fraction: elapsed share of the declared horizon, any shape.
        alpha: error of one boundary over the whole horizon.

    Returns:
        Cumulative error spent, in the shape of `calendar_fraction`.

    Raises:
        InvalidInputError: the fraction is not a number or alpha is not inside (0, 1).

    References:
        Lan and DeMets (1983), Biometrika 70, doi:10.1093/biomet/70.3.659.

    >>> pocock([0.5, 1.0], 0.025).round(6).tolist()
    [0.015503, 0.025]
    """
    fraction = _elapsed(calendar_fraction)
    open_probability("alpha", alpha)
    return np.asarray(alpha * np.log1p(np.expm1(1.0) * fraction))


def power_family(phi: float) -> Spending:
    """Make the function that spends alpha times the fraction to the power of `phi`.

    Args:
        phi: exponent above zero; 1 spends evenly, 3 is close to O'Brien and Fleming.

    Returns:
        The spending function.

    Raises:
        InvalidInputError: `phi` is not above zero.

    References:
        Kim and DeMets (1987), Biometrika 74, doi:10.1093/biomet/74.1.149.

    >>> power_family(2.0)([0.5, 1.0], 0.025).tolist()
    [0.00625, 0.025]
    """
    positive("phi", phi)

    def spend(calendar_fraction: Numbers, alpha: float) -> FloatArray:
        open_probability("alpha", alpha)
        return np.asarray(alpha * _elapsed(calendar_fraction) ** phi)

    return spend


def _elapsed(calendar_fraction: Numbers) -> FloatArray:
    return np.clip(finite("calendar_fraction", calendar_fraction), 0.0, 1.0)
