"""Bayesian effects with normal likelihoods: any effect with its standard error, any metric."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    finite,
    first_reason,
    non_negative,
    open_probability,
    positive,
    undefined_is_masked,
)
from stats.best_arm import REACHES, BestArm, best_arm


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalPrior:
    """What is believed about an effect before the data: normal, so proper."""

    mean: FloatArray
    sd: FloatArray

    def __init__(self, *, mean: Numbers = 0.0, sd: Numbers) -> None:
        object.__setattr__(self, "mean", finite("prior_mean", mean))
        object.__setattr__(self, "sd", positive("prior_sd", sd))


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectPosterior(Estimates):
    """Posterior of an effect, in the unit of the effect.

    Attributes:
        mean: posterior mean.
        sd: posterior standard deviation.
        chance_to_win: posterior probability that the effect is above zero.
        expected_loss_ship: expected shortfall from shipping treatment.
        expected_loss_keep: expected shortfall from keeping control.
        ci_low: lower limit of the equal-tailed credible interval.
        ci_high: upper limit of that interval.
    """

    mean: FloatArray
    sd: FloatArray
    chance_to_win: FloatArray
    expected_loss_ship: FloatArray
    expected_loss_keep: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


@undefined_is_masked
def effect_posterior(
    effect: Numbers,
    se: Numbers,
    *,
    prior: NormalPrior | None,
    credible_mass: Numbers = 0.95,
) -> EffectPosterior:
    """Return the posterior of effects that are observed with normal error.

    Args:
        effect: effects on any scale (absolute, relative, log), shape (...).
        se: their standard errors, shape (...); zero means undefined.
        prior: prior of the effects; None is the flat prior, which must never promote anything.
        credible_mass: probability inside the interval.

    Returns:
        Posteriors of the broadcast shape; undefined without a standard error.

    Raises:
        InvalidInputError: a number is not finite, `se` is negative or the mass not in (0, 1).

    References:
        Gelman et al. (2013), Bayesian Data Analysis, section 2.5.

    >>> posterior = effect_posterior(0.10, 0.05, prior=NormalPrior(sd=0.025)).at()
    >>> print(f"{posterior.mean:.3f} +- {posterior.sd:.3f}, {posterior.chance_to_win:.3f}")
    0.020 +- 0.022, 0.814
    """
    observed, spread = finite("effect", effect), non_negative("se", se)
    tail = (1 - open_probability("credible_mass", credible_mass)) / 2
    # The share of the data in the posterior; 1 under the flat prior.
    share = 1.0 if prior is None else prior.sd**2 / (prior.sd**2 + spread**2)
    believed = 0.0 if prior is None else prior.mean
    mean, sd = believed + share * (observed - believed), spread * np.sqrt(share)
    z, margin = mean / sd, -scipy.special.ndtri(tail) * sd
    return EffectPosterior(
        reason=first_reason((spread == 0, Reason.NO_VARIANCE)),
        mean=mean,
        sd=sd,
        chance_to_win=scipy.special.ndtr(z),
        expected_loss_ship=sd * _mean_excess(-z),
        expected_loss_keep=sd * _mean_excess(z),
        ci_low=mean - margin,
        ci_high=mean + margin,
    )


def best_mean(means: Numbers, sds: Numbers) -> BestArm:
    """Compare several arms whose values have independent normal posteriors.

    Args:
        means: posterior means of the arms, shape (..., n_arms).
        sds: posterior standard deviations, above zero, broadcast with the means.

    Returns:
        Chance to be best and expected loss of each arm, shape (..., n_arms).

    Raises:
        InvalidInputError: a number is not finite or a standard deviation is not above zero.

    References:
        Scott (2010), A modern Bayesian look at the multi-armed bandit, doi:10.1002/asmb.874.

    >>> print(best_mean([2.0, 2.1, 2.3], 0.2).p_best.round(3))
    [0.099 0.208 0.693]
    """
    centre, spread = np.broadcast_arrays(finite("means", means), positive("sds", sds))
    rows = (-1, centre.shape[-1])
    return best_arm(
        _NormalPosteriors(mean=centre.reshape(rows), sd=spread.reshape(rows)), centre.shape
    )


def _mean_excess(z: FloatArray) -> FloatArray:
    """Return E[max(Z + z, 0)] of a standard normal Z."""
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    excess: FloatArray = np.maximum(density + z * scipy.special.ndtr(z), 0)
    return excess


@dataclass(frozen=True, slots=True, kw_only=True)
class _NormalPosteriors:
    """Normal posteriors on their own scale."""

    mean: FloatArray
    sd: FloatArray

    def __len__(self) -> int:
        return len(self.mean)

    def rows(self, part: slice) -> Self:
        return type(self)(mean=self.mean[part], sd=self.sd[part])

    @property
    def cuts(self) -> FloatArray:
        reaches = np.concatenate([-REACHES[::-1], REACHES[1:]])
        points: FloatArray = self.mean[..., None] + self.sd[..., None] * reaches
        return points

    def log_density(self, points: FloatArray) -> FloatArray:
        return -(self._standardised(points) ** 2) / 2

    def value(self, points: FloatArray) -> FloatArray:
        return points

    def slope(self, points: FloatArray) -> FloatArray:
        return np.ones_like(points)

    def _standardised(self, points: FloatArray) -> FloatArray:
        return (points[..., None, :] - self.mean[..., None]) / self.sd[..., None]
