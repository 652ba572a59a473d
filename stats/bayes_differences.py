"""Exact posterior of the difference of two conversion rates, for display."""

import numpy as np
import scipy

from stats.arrays import FloatArray, open_probability, undefined_is_masked
from stats.bayes_rates import (
    UNIFORM,
    BetaPosteriors,
    BetaPrior,
    PosteriorInterval,
    shape_parameters,
)
from stats.best_arm import panels
from stats.moments import Counts

_MASS_TOLERANCE = 1e-12


@undefined_is_masked
def rate_difference(
    control: Counts,
    treatment: Counts,
    *,
    prior: BetaPrior = UNIFORM,
    credible_mass: float = 0.95,
) -> PosteriorInterval:
    """Return the posterior of treatment rate minus control rate.

    Args:
        control: counts of the control arm, shape (...).
        treatment: counts of the treatment arm, broadcast with control.
        prior: the Beta prior of both arms.
        credible_mass: probability inside the interval.

    Returns:
        Mean and equal-tailed interval of shape (...).

    Raises:
        InvalidInputError: the mass is not in (0, 1).

    References:
        Gelman et al. (2013), Bayesian Data Analysis, section 2.4.

    >>> difference = rate_difference(
    ...     Counts(visitors=1000, conversions=50), Counts(visitors=1000, conversions=65))
    >>> print(f"{difference.mean:.4f} [{difference.ci_low:.4f}, {difference.ci_high:.4f}]")
    0.0150 [-0.0055, 0.0356]
    """
    tail = float(1 - open_probability("credible_mass", credible_mass)) / 2
    shapes = np.broadcast_arrays(
        *shape_parameters(control, prior), *shape_parameters(treatment, prior)
    )
    a, b = (np.stack(pair, -1).reshape(-1, 2) for pair in (shapes[::2], shapes[1::2]))
    arms, shape = BetaPosteriors(a=a, b=b), shapes[0].shape
    low, high = (_difference_quantile(arms, mass) for mass in (tail, 1 - tail))
    return PosteriorInterval(
        reason=np.zeros(shape, np.int8),
        mean=(arms.mean[:, 1] - arms.mean[:, 0]).reshape(shape),
        ci_low=low.reshape(shape),
        ci_high=high.reshape(shape),
    )


def _difference_quantile(arms: BetaPosteriors, mass: float) -> FloatArray:
    """Find the quantile of the second rate minus the first, for arms of shape (n_rows, 2).

    Integrates over the narrower posterior, at whose scale the distribution function of the wider
    one is smooth; where the second is the narrower one, the difference is searched mirrored.
    """
    mean, variance = arms.mean, arms.mean * (1 - arms.mean) / (arms.a + arms.b + 1)
    narrow = np.argmin(variance, axis=-1)[:, None]
    wide = [np.take_along_axis(shape, 1 - narrow, -1)[..., None] for shape in (arms.a, arms.b)]
    inner = BetaPosteriors(
        a=np.take_along_axis(arms.a, narrow, -1), b=np.take_along_axis(arms.b, narrow, -1)
    )
    cuts = inner.cuts[:, 0]

    def excess(difference: FloatArray, target: FloatArray, row: FloatArray) -> FloatArray:
        i = row.astype(np.intp)
        # The shifted rate leaves [0, 1] at these two points, where the integrand has a kink.
        kinks = scipy.special.logit(np.clip([-difference, 1 - difference], 0, 1)).T
        kinks = np.clip(kinks, cuts[i, :1], cuts[i, -1:])
        points, weights = panels(np.concatenate([cuts[i], kinks], axis=-1))
        flat = points.reshape(len(i), -1)
        density = np.exp(inner.rows(i).log_density(flat)[:, 0]) * weights.reshape(flat.shape)
        shifted = np.clip(scipy.special.expit(flat) + difference[:, None], 0, 1)
        below = np.asarray(scipy.special.betainc(wide[0][i, 0], wide[1][i, 0], shifted), np.float64)
        mass_below: FloatArray = np.sum(density * below, axis=-1) / density.sum(axis=-1)
        return mass_below - target

    mirrored = narrow[:, 0] == 1
    target = np.where(mirrored, 1 - mass, mass)
    centre = np.where(mirrored, -1, 1) * (mean[:, 1] - mean[:, 0])
    # Chebyshev: no more than the searched mass lies farther from the mean than this.
    reach = 1.01 * np.sqrt(variance.sum(axis=-1) / min(mass, 1 - mass))
    rows = np.arange(len(centre), dtype=np.float64)
    from scipy.optimize import elementwise  # noqa: PLC0415 (as late as SciPy's other parts)

    root = elementwise.find_root(
        excess,
        (centre - reach, centre + reach),
        args=(target, rows),
        tolerances={"fatol": _MASS_TOLERANCE},
    )
    return np.where(mirrored, -root.x, root.x)
