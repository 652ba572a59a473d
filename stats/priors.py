"""Learned priors: what past experiments say about the size of the next effect.

An organisation's effects are mostly zero and sometimes not. `learn_prior` fits a spike at zero
and normals of fixed widths to past effects and their errors; `shrink` applies the result to a
new effect, which corrects the winner's curse. Nothing here may relax the gate of a promotion.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from stats.arrays import (
    BoolArray,
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    finite,
    first_reason,
    non_negative,
    open_probability,
    positive,
    probability,
    undefined_is_masked,
)
from stats.errors import InvalidInputError
from stats.random_effects import past_effects
from stats.results import NotEstimable

FEWEST_PAST_EFFECTS = 5
WEAK_PRIOR_SD = 0.025
_HALVINGS = 60  # narrows the search by 1e18, past the last digit of a float
_ITERATIONS = 400
# A few pseudo-observations at zero: without evidence to the contrary an effect is zero.
_PSEUDO_ZEROS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MixturePrior:
    """Mixture of normals around zero; a standard deviation of zero is the spike.

    Attributes:
        weights: probability of each component, shape (n_components,), summing to one.
        sds: standard deviation of each component, in the unit of the effect.
        n_effects: number of past effects it was learned from; 0 for a stated prior.
    """

    weights: FloatArray
    sds: FloatArray
    n_effects: int

    def __init__(self, *, weights: Numbers, sds: Numbers, n_effects: int = 0) -> None:
        shares, widths = probability("weights", weights), non_negative("sds", sds)
        if shares.shape != widths.shape or abs(shares.sum() - 1) > 1e-9:
            raise InvalidInputError("weights", "must sum to one, one for each sd")
        object.__setattr__(self, "weights", shares)
        object.__setattr__(self, "sds", widths)
        object.__setattr__(self, "n_effects", n_effects)


WEAK_PRIOR = MixturePrior(weights=[1.0], sds=[WEAK_PRIOR_SD])
"""Relative effects are N(0, 2.5%) until at least five past effects are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrunkEffect(Estimates):
    """Posterior of an effect under a mixture prior, in the unit of the effect.

    Attributes:
        mean: posterior mean, the effect to report.
        sd: posterior standard deviation.
        p_zero: posterior probability that the effect is exactly zero.
        p_positive: posterior probability that it is above zero.
        ci_low: lower limit of the equal-tailed credible interval.
        ci_high: upper limit of that interval.
    """

    mean: FloatArray
    sd: FloatArray
    p_zero: FloatArray
    p_positive: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


def learn_prior(effects: Numbers, ses: Numbers) -> MixturePrior:
    """Learn a spike-and-normals prior from past effects, or return `WEAK_PRIOR` for fewer than 5.

    The weights of fixed normals (widths in steps of sqrt(2), from a tenth of the smallest error
    to beyond the largest effect) are fitted by EM, with two pseudo-observations of zero effect.

    Args:
        effects: past effects on one scale, shape (n_effects,).
        ses: their standard errors, above zero.

    Returns:
        The prior, which says from how many effects it was learned.

    Raises:
        InvalidInputError: an effect is not finite or a standard error is not above zero.

    References:
        Stephens (2017), False discovery rates: a new deal, doi:10.1093/biostatistics/kxw041.

    >>> past = [0.0, 0.01, -0.01, 0.0, 0.08, 0.005, -0.004, 0.09]
    >>> prior = learn_prior(past, [0.01] * 8)
    >>> print(f"{prior.weights @ (prior.sds > 0.04):.2f} of the effects are large")
    0.22 of the effects are large
    """
    y, v = past_effects(effects, positive("ses", ses) ** 2)
    if y.size < FEWEST_PAST_EFFECTS:
        return WEAK_PRIOR
    sds = _widths(y, v)
    weights = _fit_weights(_log_likelihood(y, v, sds), np.ones((1, y.size), bool))[0]
    return MixturePrior(weights=weights, sds=sds, n_effects=y.size)


def leave_one_out_score(effects: Numbers, ses: Numbers) -> float | NotEstimable:
    """Return how well learned priors predict effects that they have not seen.

    Args:
        effects: past effects on one scale, shape (n_effects,).
        ses: their standard errors, above zero.

    Returns:
        Mean log predictive density of each effect under the prior learned from the others, minus
        the same under `WEAK_PRIOR`: above zero, learning helps.

    Raises:
        InvalidInputError: an effect is not finite or a standard error is not above zero.

    References:
        Gneiting and Raftery (2007), doi:10.1198/016214506000001437.

    >>> past = [0.0, 0.01, -0.01, 0.0, 0.3, 0.005, -0.004, 0.25]
    >>> leave_one_out_score(past, [0.01] * 8) > 0
    True
    """
    y, v = past_effects(effects, positive("ses", ses) ** 2)
    if y.size <= FEWEST_PAST_EFFECTS:
        return NotEstimable(f"{y.size} of {FEWEST_PAST_EFFECTS + 1} past effects needed")
    log_likelihood = _log_likelihood(y, v, _widths(y, v))
    weights = _fit_weights(log_likelihood, ~np.eye(y.size, dtype=bool))
    learned = scipy.special.logsumexp(log_likelihood, b=weights, axis=1)
    weak = _log_likelihood(y, v, WEAK_PRIOR.sds)[:, 0]
    return float(np.mean(learned - weak))


@undefined_is_masked
def shrink(
    effect: Numbers, se: Numbers, *, prior: MixturePrior, credible_mass: float = 0.95
) -> ShrunkEffect:
    """Return the posterior of new effects under a prior: the effects to report.

    Args:
        effect: observed effects on the scale of the prior, shape (...).
        se: their standard errors, broadcast with the effects; zero means undefined.
        prior: a learned or stated prior.
        credible_mass: probability inside the interval.

    Returns:
        Posteriors of the broadcast shape; undefined without a standard error.

    Raises:
        InvalidInputError: a number is not finite, `se` is negative or the mass not in (0, 1).

    References:
        Stephens (2017), doi:10.1093/biostatistics/kxw041.

    >>> posterior = shrink(0.10, 0.04, prior=WEAK_PRIOR).at()
    >>> print(f"{posterior.mean:.3f} [{posterior.ci_low:.3f}, {posterior.ci_high:.3f}]")
    0.028 [-0.013, 0.070]
    """
    observed, spread = np.broadcast_arrays(finite("effect", effect), non_negative("se", se))
    tail = float(1 - open_probability("credible_mass", credible_mass)) / 2
    parts = _posterior_parts(observed, np.where(spread > 0, spread, 1.0), prior)
    mean = (parts.weights * parts.means).sum(axis=-1)
    second = (parts.weights * (parts.means**2 + parts.sds**2)).sum(axis=-1)
    return ShrunkEffect(
        reason=first_reason((spread == 0, Reason.NO_VARIANCE)),
        mean=mean,
        sd=np.sqrt(np.maximum(second - mean**2, 0)),
        p_zero=np.where(parts.sds == 0, parts.weights, 0.0).sum(axis=-1),
        p_positive=np.clip(1 - parts.cdf(np.zeros_like(mean)), 0, 1),
        ci_low=parts.quantile(tail),
        ci_high=parts.quantile(1 - tail),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Posterior components of effects: arrays of shape (..., n_components)."""

    weights: FloatArray
    means: FloatArray
    sds: FloatArray

    def cdf(self, points: FloatArray, *, with_spike: bool = True) -> FloatArray:
        """Return the posterior mass at or below points of shape (...)."""
        x = points[..., None]
        z = (x - self.means) / np.where(self.sds > 0, self.sds, 1.0)
        below = np.where(self.sds > 0, scipy.special.ndtr(z), (x >= 0) & with_spike)
        mass: FloatArray = (self.weights * below).sum(axis=-1)
        return mass

    def quantile(self, mass: float) -> FloatArray:
        """Return the point at which the posterior mass reaches `mass`, shape (...)."""
        low = (self.means - 9 * self.sds).min(axis=-1) - 1e-12
        high = (self.means + 9 * self.sds).max(axis=-1) + 1e-12
        # Halving by hand: SciPy's vectorised search costs 25 ms a call before its first step.
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = self.cdf(middle) < mass
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        # The spike makes the distribution jump at zero, where a search only comes close.
        zero = np.zeros_like(low)
        at_spike = (self.cdf(zero, with_spike=False) < mass) & (mass <= self.cdf(zero))
        return np.where(at_spike, 0.0, (low + high) / 2)


def _posterior_parts(effect: FloatArray, se: FloatArray, prior: MixturePrior) -> _Parts:
    log_weights = np.log(prior.weights) + _log_likelihood(effect, se**2, prior.sds)
    share = prior.sds**2 / (prior.sds**2 + se[..., None] ** 2)
    return _Parts(
        weights=scipy.special.softmax(log_weights, axis=-1),
        means=share * effect[..., None],
        sds=np.sqrt(share) * se[..., None],
    )


def _log_likelihood(effect: FloatArray, variance: FloatArray, sds: FloatArray) -> FloatArray:
    """Return log densities of observed effects under each component, shape (..., n_components)."""
    total = variance[..., None] + sds**2
    return -(np.log(2 * np.pi * total) + effect[..., None] ** 2 / total) / 2


def _widths(effects: FloatArray, variances: FloatArray) -> FloatArray:
    smallest = np.sqrt(variances.min()) / 10
    largest = max(2 * np.sqrt(max((effects**2 - variances).max(), 0.0)), 8 * smallest)
    steps = int(np.ceil(2 * np.log2(largest / smallest)))
    return np.concatenate([[0.0], smallest * np.sqrt(2.0) ** np.arange(steps + 1)])


def _fit_weights(log_likelihood: FloatArray, included: BoolArray) -> FloatArray:
    """Fit component weights by EM once per row of `included`, shape (n_fits, n_effects)."""
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    n_components = likelihood.shape[1]
    pseudo = np.where(np.arange(n_components) == 0, _PSEUDO_ZEROS, 0.0)
    weights = np.full((len(included), n_components), 1 / n_components)
    for _ in range(_ITERATIONS):
        evidence = included / (weights @ likelihood.T)
        weights = weights * (evidence @ likelihood) + pseudo
        weights /= weights.sum(axis=1, keepdims=True)
    return weights
