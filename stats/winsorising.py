"""Winsorising by one stated rule, so that a few extreme visitors do not decide a test.

The cap is the given quantile of the non-zero values of *all* arms together. One cap for all arms
keeps the comparison fair, and leaving out the zeros keeps the cap above zero where few visitors
buy. Values beyond the cap become the cap; nobody is removed.
"""

import numpy as np

from stats.arrays import FloatArray, Numbers, finite, open_probability
from stats.results import NotEstimable


def winsor_cap(values: Numbers, *, level: float = 0.999) -> float | NotEstimable:
    """Return the cap: the quantile `level` of the non-zero values of all arms together.

    Args:
        values: one value per visitor of every arm, in the unit of the metric, shape (n_visitors,).
        level: the quantile, inside (0, 1).

    Returns:
        The cap in the unit of the metric; undefined while nobody has a value.

    Raises:
        InvalidInputError: a value is not finite, or the level is not in (0, 1).

    References:
        Dixon (1960), doi:10.1214/aoms/1177705900.

    >>> winsor_cap([0, 0, 10, 20, 30, 5000], level=0.5)
    25.0
    """
    array = finite("values", values)
    present = array[array != 0]
    if not present.size:
        return NotEstimable("no visitor has a value other than zero")
    return float(np.quantile(present, open_probability("level", level)))


def winsorise(values: Numbers, *, cap: float) -> FloatArray:
    """Return the values with everything above the cap set to the cap.

    Args:
        values: values in the unit of the metric, any shape.
        cap: the cap, found once for all arms by `winsor_cap`.

    Returns:
        Capped values of the same shape.

    Raises:
        InvalidInputError: a value is not finite.

    >>> print(winsorise([0, 10, 5000], cap=25.0))
    [ 0. 10. 25.]
    """
    return np.minimum(finite("values", values), finite("cap", cap))
