"""Power of the sequential test before it starts, and the sample inflation it costs."""

from functools import lru_cache

import numpy as np
import scipy

from stats.arrays import FloatArray, Numbers, finite, open_probability
from stats.errors import InvalidInputError
from stats.group_sequential import SequentialState, probability_not_stopped, replay
from stats.spending import Spending, obrien_fleming

PLANNED_LOOKS = 28
"""Looks assumed by a plan; hourly instead of daily looks cost less than 2% of the sample."""


def sequential_power(
    drift: Numbers,
    *,
    alpha: float = 0.05,
    looks: int = PLANNED_LOOKS,
    spending: Spending = obrien_fleming,
) -> FloatArray:
    """Return the power of a one-sided sequential test with evenly spaced looks.

    Args:
        drift: true effect divided by its standard error at the horizon, shape (...).
        alpha: error of the bound over the whole horizon.
        looks: number of looks.
        spending: error-spending function.

    Returns:
        Probabilities of crossing the bound by the horizon, in the shape of `drift`.

    Raises:
        InvalidInputError: an argument is out of range.

    References:
        Jennison and Turnbull (2000), Group Sequential Methods, section 7.2.

    >>> sequential_power([0.0, 2.8], alpha=0.025).round(3).tolist()
    [0.025, 0.78]
    """
    state = _design(alpha, looks, spending)
    return np.asarray(1 - probability_not_stopped(state, finite("drift", drift)))


def sequential_drift(
    power: float,
    *,
    alpha: float = 0.05,
    looks: int = PLANNED_LOOKS,
    spending: Spending = obrien_fleming,
) -> float:
    """Return the effect, in standard errors at the horizon, that is found with `power`.

    Its square over that of the fixed test, (z_alpha + z_power)^2, is the inflation of the sample.

    Args:
        power: probability of crossing the bound by the horizon, above alpha.
        alpha: error of the bound over the whole horizon.
        looks: number of looks.
        spending: error-spending function.

    Returns:
        The drift: effect over its standard error at the horizon.

    Raises:
        InvalidInputError: an argument is out of range.

    References:
        Jennison and Turnbull (2000), Group Sequential Methods, section 7.2.

    >>> round((sequential_drift(0.8, alpha=0.025) / 2.8016) ** 2, 3)
    1.049
    """
    if not alpha < open_probability("power", power):
        raise InvalidInputError("power", "must be above alpha")
    reach = 10.0 + float(scipy.special.ndtri(power))

    def surplus(drift: float) -> float:
        reached = sequential_power(drift, alpha=alpha, looks=looks, spending=spending)
        return float(reached) - power

    return float(scipy.optimize.brentq(surplus, 0.0, reach))


@lru_cache(maxsize=64)
def _design(alpha: float, looks: int, spending: Spending) -> SequentialState:
    if looks < 1:
        raise InvalidInputError("looks", "must be at least 1")
    fractions = np.arange(1, looks + 1) / looks
    return replay(zip(fractions, fractions, strict=True), spending=spending, alpha=alpha)[1]
