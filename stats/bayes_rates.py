"""Bayesian conversion rates: exact Beta-binomial posteriors of two or more arms."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.optimize import elementwise

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    finite,
    open_probability,
    undefined_is_masked,
)
from stats.best_arm import REACHES, BestArm, best_arm, panels
from stats.errors import InvalidInputError
from stats.moments import Counts

_SMALLEST_PRIOR = 0.1
_MASS_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaPrior:
    """What is believed about a rate before the data, as pseudo-conversions and pseudo-failures.

    Both are at least 0.1: below, the posterior of an empty arm is two spikes at 0 and 1.
    """

    alpha: FloatArray
    beta: FloatArray

    def __init__(self, *, alpha: Numbers = 1.0, beta: Numbers = 1.0) -> None:
        for field, values in {"alpha": alpha, "beta": beta}.items():
            pseudo_counts = finite(f"prior_{field}", values)
            if np.any(pseudo_counts < _SMALLEST_PRIOR):
                raise InvalidInputError(f"prior_{field}", f"must be at least {_SMALLEST_PRIOR}")
            object.__setattr__(self, field, pseudo_counts)


UNIFORM = BetaPrior()


@dataclass(frozen=True, slots=True, kw_only=True)
class PosteriorInterval(Estimates):
    """Posterior mean with its equal-tailed credible interval."""

    mean: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceToWin(Estimates):
    """Treatment against control.

    Attributes:
        chance_to_win: posterior probability that treatment is above control.
        expected_loss_ship: expected shortfall from shipping treatment, in the metric's unit.
        expected_loss_keep: expected shortfall from keeping control, in the metric's unit.
    """

    chance_to_win: FloatArray
    expected_loss_ship: FloatArray
    expected_loss_keep: FloatArray


def rate_posterior(
    arm: Counts, *, prior: BetaPrior = UNIFORM, credible_mass: Numbers = 0.95
) -> PosteriorInterval:
    """Return the posterior mean and interval of conversion rates.

    Args:
        arm: counts of visitors, shape (...).
        prior: the Beta prior, broadcast with the counts.
        credible_mass: probability inside the interval.

    Returns:
        Posterior means and equal-tailed intervals, shape (...).

    Raises:
        InvalidInputError: the mass is not in (0, 1).

    References:
        Gelman et al. (2013), Bayesian Data Analysis, section 2.4.

    >>> posterior = rate_posterior(Counts(visitors=1000, conversions=50))
    >>> print(f"{posterior.mean:.4f} [{posterior.ci_low:.4f}, {posterior.ci_high:.4f}]")
    0.0509 [0.0382, 0.0653]
    """
    tail = (1 - open_probability("credible_mass", credible_mass)) / 2
    a, b = _shape_parameters(arm, prior)
    return PosteriorInterval(
        reason=np.zeros(np.shape(a), np.int8),
        mean=a / (a + b),
        ci_low=np.asarray(special.betaincinv(a, b, tail), np.float64),
        ci_high=np.asarray(special.betainccinv(a, b, tail), np.float64),
    )


def best_rate(arms: Counts, *, prior: BetaPrior = UNIFORM) -> BestArm:
    """Compare the conversion rates of several arms exactly.

    Args:
        arms: counts of visitors, shape (..., n_arms).
        prior: the Beta prior, the same for all arms or broadcast with them.

    Returns:
        Chance to be best and expected loss of each arm, shape (..., n_arms). An arm without
        visitors is judged by the prior alone: leave it out to compare the others.

    References:
        Scott (2010), A modern Bayesian look at the multi-armed bandit, doi:10.1002/asmb.874.

    >>> arms = Counts(visitors=[1000, 1000, 1000], conversions=[50, 55, 65])
    >>> print(best_rate(arms).p_best.round(3))
    [0.053 0.16 0.787]
    """
    a, b = np.broadcast_arrays(*_shape_parameters(arms, prior))
    rows = (-1, a.shape[-1])
    return best_arm(_BetaPosteriors(a=a.reshape(rows), b=b.reshape(rows)), a.shape)


def rate_chance_to_win(
    control: Counts, treatment: Counts, *, prior: BetaPrior = UNIFORM
) -> ChanceToWin:
    """Compare the conversion rates of two arms exactly.

    Args:
        control: counts of the control arm, shape (...).
        treatment: counts of the treatment arm, broadcast with control.
        prior: the Beta prior of both arms.

    Returns:
        Chance to win and expected losses of shape (...).

    References:
        Gelman et al. (2013), Bayesian Data Analysis, section 2.4.

    >>> result = rate_chance_to_win(
    ...     Counts(visitors=10, conversions=1), Counts(visitors=10, conversions=5)
    ... )
    >>> print(f"{result.chance_to_win:.4f}")
    0.9683
    """
    visitors = np.broadcast_arrays(control.visitors, treatment.visitors)
    conversions = np.broadcast_arrays(control.conversions, treatment.conversions)
    arms = Counts(visitors=np.stack(visitors, axis=-1), conversions=np.stack(conversions, axis=-1))
    return chance_to_win(best_rate(arms, prior=prior))


def chance_to_win(arms: BestArm) -> ChanceToWin:
    """Read the comparison of (control, treatment), shape (..., 2), from treatment's side."""
    p_best, loss = np.ma.getdata(arms.p_best), np.ma.getdata(arms.expected_loss)
    return ChanceToWin(
        reason=arms.reason.max(axis=-1),
        chance_to_win=p_best[..., 1],
        expected_loss_ship=loss[..., 1],
        expected_loss_keep=loss[..., 0],
    )


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
        *_shape_parameters(control, prior), *_shape_parameters(treatment, prior)
    )
    a, b = (np.stack(pair, -1).reshape(-1, 2) for pair in (shapes[::2], shapes[1::2]))
    arms, shape = _BetaPosteriors(a=a, b=b), shapes[0].shape
    low, high = (_difference_quantile(arms, mass) for mass in (tail, 1 - tail))
    return PosteriorInterval(
        reason=np.zeros(shape, np.int8),
        mean=(arms.mean[:, 1] - arms.mean[:, 0]).reshape(shape),
        ci_low=low.reshape(shape),
        ci_high=high.reshape(shape),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _BetaPosteriors:
    """Beta posteriors on the log-odds scale, where even Beta(0.5, 0.5) has a smooth density."""

    a: FloatArray
    b: FloatArray

    def __len__(self) -> int:
        return len(self.a)

    def rows(self, part: slice | npt.NDArray[np.intp]) -> Self:
        return type(self)(a=self.a[part], b=self.b[part])

    @property
    def mean(self) -> FloatArray:
        return self.a / (self.a + self.b)

    @property
    def cuts(self) -> FloatArray:
        a, b = self.a[..., None], self.b[..., None]
        # Normal around the mode, exponential with rates a and b far from it.
        normal, mode = REACHES * np.sqrt(1 / a + 1 / b), np.log(a / b)
        left, right = normal + REACHES**2 / (2 * a), normal + REACHES**2 / (2 * b)
        return np.concatenate([mode - left[..., ::-1], mode + right[..., 1:]], axis=-1)

    def log_density(self, points: FloatArray) -> FloatArray:
        # Relative to the mode, where both terms vanish: huge counts keep their digits.
        a, b = self.a[..., None], self.b[..., None]
        distance = points[..., None, :] - np.log(a / b)
        return -a * np.log1p(np.expm1(-distance) * b / (a + b)) - b * np.log1p(
            np.expm1(distance) * a / (a + b)
        )

    def value(self, points: FloatArray) -> FloatArray:
        return special.expit(points)

    def slope(self, points: FloatArray) -> FloatArray:
        return special.expit(points) * special.expit(-points)


def _shape_parameters(arm: Counts, prior: BetaPrior) -> tuple[FloatArray, FloatArray]:
    return arm.conversions + prior.alpha, arm.visitors - arm.conversions + prior.beta


def _difference_quantile(arms: _BetaPosteriors, mass: float) -> FloatArray:
    """Find the quantile of the second rate minus the first, for arms of shape (n_rows, 2).

    Integrates over the narrower posterior, at whose scale the distribution function of the wider
    one is smooth; where the second is the narrower one, the difference is searched mirrored.
    """
    mean, variance = arms.mean, arms.mean * (1 - arms.mean) / (arms.a + arms.b + 1)
    narrow = np.argmin(variance, axis=-1)[:, None]
    wide = [np.take_along_axis(shape, 1 - narrow, -1)[..., None] for shape in (arms.a, arms.b)]
    inner = _BetaPosteriors(
        a=np.take_along_axis(arms.a, narrow, -1), b=np.take_along_axis(arms.b, narrow, -1)
    )
    cuts = inner.cuts[:, 0]

    def excess(difference: FloatArray, target: FloatArray, row: FloatArray) -> FloatArray:
        i = row.astype(np.intp)
        # The shifted rate leaves [0, 1] at these two points, where the integrand has a kink.
        kinks = special.logit(np.clip([-difference, 1 - difference], 0, 1)).T
        kinks = np.clip(kinks, cuts[i, :1], cuts[i, -1:])
        points, weights = panels(np.concatenate([cuts[i], kinks], axis=-1))
        flat = points.reshape(len(i), -1)
        density = np.exp(inner.rows(i).log_density(flat)[:, 0]) * weights.reshape(flat.shape)
        shifted = np.clip(special.expit(flat) + difference[:, None], 0, 1)
        below = np.asarray(special.betainc(wide[0][i, 0], wide[1][i, 0], shifted), np.float64)
        mass_below: FloatArray = np.sum(density * below, axis=-1) / density.sum(axis=-1)
        return mass_below - target

    mirrored = narrow[:, 0] == 1
    target = np.where(mirrored, 1 - mass, mass)
    centre = np.where(mirrored, -1, 1) * (mean[:, 1] - mean[:, 0])
    # Chebyshev: no more than the searched mass lies farther from the mean than this.
    reach = 1.01 * np.sqrt(variance.sum(axis=-1) / min(mass, 1 - mass))
    rows = np.arange(len(centre), dtype=np.float64)
    root = elementwise.find_root(
        excess,
        (centre - reach, centre + reach),
        args=(target, rows),
        tolerances={"fatol": _MASS_TOLERANCE},
    )
    return np.where(mirrored, -root.x, root.x)
