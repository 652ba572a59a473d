"""Student's t for arrays: SciPy's functions, and expansions where these are slow for no gain.

From a thousand degrees of freedom on, the expansions agree with SciPy to 12 digits for p-values
above 1e-15 and are ten times faster, which is most of the time of a readout of many experiments.
"""

import numpy as np
import scipy

from stats.arrays import FloatArray, Numbers, open_probability

_MANY = 1000.0


def t_tail(df: FloatArray, t: FloatArray) -> FloatArray:
    """Return P(T <= -|t|), the one-sided tail beyond a t statistic.

    Args:
        df: degrees of freedom, above zero, shape (...).
        t: statistics, broadcast with `df`.

    Returns:
        Probabilities of the broadcast shape.

    References:
        Hill (1970), Algorithm 395, doi:10.1145/355598.355599.

    >>> print(t_tail(np.array([10.0, 1e6]), np.array(-2.0)).round(4))
    [0.0367 0.0228]
    """
    size = np.abs(t)
    a = df - 0.5
    b = 48 * a**2
    square = a * np.log1p(size**2 / df)
    w = np.sqrt(square)
    third = ((4 * square + 33) * square + 240) * square + 855
    deviate = w + (square + 3) * w / b - third * w / (10 * b * (b + 0.8 * square**2 + 100))
    tail = np.array(scipy.special.ndtr(-deviate))
    scipy.special.stdtr(df, -size, out=tail, where=df < _MANY)
    return tail


def t_quantile(df: FloatArray, alpha: Numbers) -> FloatArray:
    """Return the t that is exceeded in size with probability alpha.

    Args:
        df: degrees of freedom, above zero, shape (...).
        alpha: two-sided error, inside (0, 1), broadcast with `df`.

    Returns:
        Quantiles of the broadcast shape, above zero.

    Raises:
        InvalidInputError: alpha is not in (0, 1).

    References:
        Fisher and Cornish (1960), doi:10.1080/00401706.1960.10489895.

    >>> print(t_quantile(np.array([10.0, 1e6]), 0.05).round(4))
    [2.2281 1.96  ]
    """
    half = open_probability("alpha", alpha) / 2
    z = -scipy.special.ndtri(half)
    s = z * z
    g1 = (s + 1) / 4
    g2 = ((5 * s + 16) * s + 3) / 96
    g3 = (((3 * s + 19) * s + 17) * s - 15) / 384
    g4 = ((((79 * s + 776) * s + 1482) * s - 1920) * s - 945) / 92160
    quantile = np.array(z * (1 + (g1 + (g2 + (g3 + g4 / df) / df) / df) / df))
    few = df < _MANY
    scipy.special.stdtrit(df, 1 - half, out=quantile, where=few)
    return quantile
