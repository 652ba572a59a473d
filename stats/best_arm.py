"""Which arm is best? Exact comparison of independent posteriors of any shape by quadrature."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stats.arrays import (
    Estimates,
    FloatArray,
    undefined_is_masked,
)

# Each posterior is cut at these quantiles; between two cuts it is smooth enough for 16 nodes.
CUTS = np.array([1e-13, 1e-4, 1e-2, 0.5, 1 - 1e-2, 1 - 1e-4, 1 - 1e-13])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


class Posteriors(Protocol):
    """Independent posteriors of shape (..., n_arms), on a scale where their density is smooth."""

    @property
    def mean(self) -> FloatArray:
        """Mean of the metric, shape (..., n_arms)."""

    def quantile(self, mass: FloatArray) -> FloatArray:
        """Points of the scale below which `mass` lies, shape (..., n_arms, n_masses)."""

    def cdf(self, points: FloatArray) -> FloatArray:
        """Mass of each arm below points (..., n_points), shape (..., n_arms, n_points)."""

    def log_density(self, points: FloatArray) -> FloatArray:
        """Log density on the scale up to a constant per arm, shape (..., n_arms, n_points)."""

    def value(self, points: FloatArray) -> FloatArray:
        """Metric at points of the scale, of their shape."""

    def slope(self, points: FloatArray) -> FloatArray:
        """Derivative of `value`, of the shape of the points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestArm(Estimates):
    """How good each arm is among all, shape (..., n_arms).

    Attributes:
        p_best: posterior probability that the arm is the best of all.
        expected_loss: expected shortfall, in the unit of the metric, from shipping this arm
            instead of the one that is best in truth.
    """

    p_best: FloatArray
    expected_loss: FloatArray


@undefined_is_masked
def best_arm(posteriors: Posteriors) -> BestArm:
    """Compare arms by their posteriors.

    Args:
        posteriors: independent posteriors of shape (..., n_arms).

    Returns:
        Chance to be best and expected loss of each arm, shape (..., n_arms).
    """
    cuts = posteriors.quantile(CUTS)
    points, weights = panels(cuts.reshape(*cuts.shape[:-2], -1))
    cdf = posteriors.cdf(points)
    density = normalised(posteriors.log_density(points), weights)
    p_best = np.sum(density * _product_of_others(cdf), axis=-1)
    # The mean of the best is the upper end minus the area under its distribution function.
    area = np.sum(weights * posteriors.slope(points) * np.prod(cdf, axis=-2), axis=-1)
    top = posteriors.value(cuts.max(axis=(-2, -1)))
    loss = (top - area)[..., None] - posteriors.mean
    return BestArm(
        reason=np.zeros(loss.shape, np.int8),
        p_best=np.clip(p_best, 0, 1),
        expected_loss=np.maximum(loss, 0),
    )


def panels(edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return quadrature points and weights between edges (..., n_edges), shape (..., n_points)."""
    edges = np.sort(edges, axis=-1)
    middle, half = (edges[..., 1:] + edges[..., :-1]) / 2, np.diff(edges, axis=-1) / 2
    points = middle[..., None] + half[..., None] * _NODES
    weights = half[..., None] * _WEIGHTS
    flat = (*edges.shape[:-1], -1)
    return points.reshape(flat), weights.reshape(flat)


def normalised(log_density: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the probability at each quadrature point, shape (..., n_arms, n_points)."""
    peak = log_density.max(axis=-1, keepdims=True)
    mass = np.exp(log_density - peak) * weights[..., None, :]
    share: FloatArray = mass / mass.sum(axis=-1, keepdims=True)
    return share


def _product_of_others(cdf: FloatArray) -> FloatArray:
    """Multiply over all arms but one, without dividing: a factor may be zero."""
    ones = np.ones_like(cdf[..., :1, :])
    before = np.cumprod(np.concatenate([ones, cdf[..., :-1, :]], axis=-2), axis=-2)
    after = np.cumprod(np.concatenate([ones, cdf[..., :0:-1, :]], axis=-2), axis=-2)
    product: FloatArray = before * after[..., ::-1, :]
    return product
