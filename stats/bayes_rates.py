"""Bayesian conversion rates: exact Beta-binomial posteriors of two or more arms."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    finite,
    open_probability,
)
from stats.best_arm import REACHES, BestArm, best_arm
from stats.errors import InvalidInputError
from stats.moments import Counts

_SMALLEST_PRIOR = 0.1


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
    a, b = shape_parameters(arm, prior)
    return PosteriorInterval(
        reason=np.zeros(np.shape(a), np.int8),
        mean=a / (a + b),
        ci_low=np.asarray(scipy.special.betaincinv(a, b, tail), np.float64),
        ci_high=np.asarray(scipy.special.betainccinv(a, b, tail), np.float64),
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
    a, b = np.broadcast_arrays(*shape_parameters(arms, prior))
    rows = (-1, a.shape[-1])
    return best_arm(BetaPosteriors(a=a.reshape(rows), b=b.reshape(rows)), a.shape)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaPosteriors:
    """Beta posteriors on the log-odds scale, where even Beta(0.5, 0.5) has a smooth density."""

    a: FloatArray
    b: FloatArray

    def __len__(self) -> int:
        return len(self.a)

    def rows(self, part: slice | npt.NDArray[np.intp]) -> Self:
        """Return some of the rows."""
        return type(self)(a=self.a[part], b=self.b[part])

    @property
    def mean(self) -> FloatArray:
        """Mean rates, shape (..., n_arms)."""
        return self.a / (self.a + self.b)

    @property
    def cuts(self) -> FloatArray:
        """Log odds at `REACHES` from the modes, shape (..., n_arms, n_cuts)."""
        a, b = self.a[..., None], self.b[..., None]
        # Normal around the mode, exponential with rates a and b far from it.
        normal, mode = REACHES * np.sqrt(1 / a + 1 / b), np.log(a / b)
        left, right = normal + REACHES**2 / (2 * a), normal + REACHES**2 / (2 * b)
        return np.concatenate([mode - left[..., ::-1], mode + right[..., 1:]], axis=-1)

    def log_density(self, points: FloatArray) -> FloatArray:
        """Return the log density of the log odds over its peak."""
        # Relative to the mode, where both terms vanish: huge counts keep their digits.
        a, b = self.a[..., None], self.b[..., None]
        distance = points[..., None, :] - np.log(a / b)
        return -a * np.log1p(np.expm1(-distance) * b / (a + b)) - b * np.log1p(
            np.expm1(distance) * a / (a + b)
        )

    def value(self, points: FloatArray) -> FloatArray:
        """Return the rates at points of log odds."""
        return scipy.special.expit(points)

    def slope(self, points: FloatArray) -> FloatArray:
        """Return how fast the rates rise with the log odds."""
        return scipy.special.expit(points) * scipy.special.expit(-points)


def shape_parameters(arm: Counts, prior: BetaPrior) -> tuple[FloatArray, FloatArray]:
    """Return the two parameters of the Beta posterior of an arm."""
    return arm.conversions + prior.alpha, arm.visitors - arm.conversions + prior.beta
