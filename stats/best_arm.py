"""Which arm is best? Exact comparison of independent posteriors of any shape by quadrature.

The scale is cut into panels at the cuts of all arms, so that every density is smooth inside a
panel. Sixteen Gauss-Legendre nodes give the integral of a panel, and the polynomial through them
the integral up to each node: distribution functions come from densities alone.
"""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.polynomial import legendre

from stats.arrays import Estimates, FloatArray, undefined_is_masked

REACHES = np.array([0.0, 0.5, 1.7, 3.5, 5.5, 7.8])
"""Where posteriors are cut, in standard deviations from the mode; 1e-13 of the mass lies beyond."""

_NODES, _WEIGHTS = legendre.leggauss(16)
_BLOCK = 500  # comparisons at once, so that their quadrature fits the cache


def _partial_weights() -> FloatArray:
    """Return weights of shape (node, node): row i integrates from -1 up to node i."""
    degrees = np.arange(len(_NODES))
    from_values = (degrees[:, None] + 0.5) * legendre.legvander(_NODES, degrees[-1]).T * _WEIGHTS
    integrals = legendre.legint(np.eye(len(_NODES)), lbnd=-1)
    return np.asarray(legendre.legval(_NODES, integrals).T @ from_values)


_PARTIAL_WEIGHTS = _partial_weights()


class Posteriors(Protocol):
    """Independent posteriors, shape (n_rows, n_arms), on a scale where their density is smooth."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def rows(self, part: slice) -> Self:
        """Return some of the rows."""

    @property
    def mean(self) -> FloatArray:
        """Mean of the metric, shape (n_rows, n_arms)."""

    @property
    def cuts(self) -> FloatArray:
        """Points of the scale at `REACHES` from the mode, shape (n_rows, n_arms, n_cuts)."""

    def log_density(self, points: FloatArray) -> FloatArray:
        """Log density over its peak at points (n_rows, n_points), (n_rows, n_arms, n_points)."""

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


def best_arm(posteriors: Posteriors, shape: tuple[int, ...]) -> BestArm:
    """Compare arms by their posteriors.

    Args:
        posteriors: independent posteriors, shape (n_rows, n_arms).
        shape: shape of the result, (..., n_arms), with n_rows leading elements in all.

    Returns:
        Chance to be best and expected loss of each arm.
    """
    compared = np.empty((2, *posteriors.mean.shape))
    for start in range(0, len(posteriors), _BLOCK):
        part = slice(start, start + _BLOCK)
        compared[:, part] = _compare(posteriors.rows(part))
    p_best, loss = compared.reshape(2, *shape)
    return BestArm(reason=np.zeros(shape, np.int8), p_best=p_best, expected_loss=loss)


def panels(edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return points and weights between edges (..., n_edges), shape (..., n_panels, n_nodes)."""
    edges = np.sort(edges, axis=-1)
    middle, half = (edges[..., 1:] + edges[..., :-1]) / 2, np.diff(edges, axis=-1) / 2
    return middle[..., None] + half[..., None] * _NODES, half[..., None] * _WEIGHTS


@undefined_is_masked
def _compare(posteriors: Posteriors) -> tuple[FloatArray, FloatArray]:
    cuts = posteriors.cuts.reshape(len(posteriors), -1)
    points, weights = panels(cuts)
    flat = points.reshape(len(points), -1)
    density = np.exp(posteriors.log_density(flat))
    probability, cdf = _distribution(
        density.reshape(*density.shape[:2], *points.shape[1:]), weights
    )
    p_best = np.sum(probability * _product_of_others(cdf), axis=(-2, -1))
    # The mean of the best is the upper end minus the area under its distribution function.
    slope = posteriors.slope(flat).reshape(points.shape)
    area = np.sum(weights * slope * np.prod(cdf, axis=1), axis=(-2, -1))
    mean_of_best = posteriors.value(cuts.max(axis=-1)) - area
    loss = mean_of_best[:, None] - posteriors.mean
    return np.clip(p_best, 0, 1), np.maximum(loss, 0)


def _distribution(density: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return probabilities and distribution function at nodes (rows, arms, panels, nodes)."""
    mass = density * weights[:, None]
    panel = mass.sum(axis=-1, keepdims=True)
    total = panel.sum(axis=-2, keepdims=True)
    widths = (weights[..., :1] / _WEIGHTS[0])[:, None]
    inside = widths * (density @ _PARTIAL_WEIGHTS.T)
    before = np.cumsum(panel, axis=-2) - panel
    return mass / total, (before + inside) / total


def _product_of_others(cdf: FloatArray) -> FloatArray:
    """Multiply over all arms (axis 1) but one, without dividing: a factor may be zero."""
    ones = np.ones_like(cdf[:, :1])
    before = np.cumprod(np.concatenate([ones, cdf[:, :-1]], axis=1), axis=1)
    after = np.cumprod(np.concatenate([ones, cdf[:, :0:-1]], axis=1), axis=1)
    product: FloatArray = before * after[:, ::-1]
    return product
