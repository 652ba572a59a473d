"""Paths of a test statistic that have not crossed any bound yet, carried from look to look.

Between two looks only their sub-density over the score z * sqrt(information) is kept, on
Gauss-Legendre nodes (Armitage, McPherson and Rowe 1969, doi:10.2307/2343787). The functions work
on many experiments at once: a leading axis of rows that share a number of nodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy
from numpy.lib.stride_tricks import sliding_window_view

from stats.arrays import FloatArray

_NODES_PER_STEP = 1.4  # keeps the error of 672 bounds below 1e-6 (the tests compare)
_KERNEL_REACH = 8.0  # steps; beyond it the normal kernel is below 1e-14
_NODE_BLOCK = 64  # node counts are multiples of it, so that the quadratures can be kept
_MAX_BLOCKS = 32
_ROOT_2_PI = float(np.sqrt(2 * np.pi))
_NEWTON_STEPS = 50  # never reached: Newton's method converges quadratically from above


@dataclass(frozen=True, slots=True, kw_only=True)
class SubDensity:
    """Paths that have not crossed any bound.

    Attributes:
        lowest: lowest score of these paths, shape (...).
        highest: highest score of them.
        masses: probability at each node between the two, shape (..., n_nodes).
        information: information at the look, shape (...).
    """

    lowest: FloatArray
    highest: FloatArray
    masses: FloatArray
    information: FloatArray

    @classmethod
    def stacked(cls, paths: Sequence[Self]) -> Self:
        """Make one row of each, all with the same number of nodes."""
        return cls(
            lowest=np.array([path.lowest for path in paths]),
            highest=np.array([path.highest for path in paths]),
            masses=np.stack([path.masses for path in paths]),
            information=np.array([path.information for path in paths]),
        )

    def row(self, index: int) -> Self:
        """Return one of the rows by itself."""
        return type(self)(
            lowest=self.lowest[index],
            highest=self.highest[index],
            masses=self.masses[index],
            information=self.information[index],
        )

    @property
    def nodes(self) -> FloatArray:
        """Scores at which the masses lie, shape (..., n_nodes)."""
        return _spread(self.lowest, self.highest, quadrature(self.masses.shape[-1])[0])


START = SubDensity(
    lowest=np.zeros(()), highest=np.zeros(()), masses=np.ones(1), information=np.zeros(())
)
"""All paths before the first look: at zero."""


def solve_scores(paths: SubDensity, information: FloatArray, error: FloatArray) -> FloatArray:
    """Find the scores that paths exceed at `information` with probability `error`, shape (n_rows,).

    The logarithm of that probability is concave in the score, so that Newton's method comes down
    to the solution from any score above it.
    """
    nodes, root = paths.nodes, np.sqrt(information)
    step = np.sqrt(information - paths.information)
    share = np.minimum(error / paths.masses.sum(axis=-1), 0.5)
    ceiling = paths.highest - step * scipy.special.ndtri(share)
    score = np.minimum(-scipy.special.ndtri(error) * root, ceiling)
    for _ in range(_NEWTON_STEPS):
        reach = (nodes - score[:, None]) / step[:, None]
        crossing = np.vecdot(paths.masses, scipy.special.ndtr(reach))
        density = np.vecdot(paths.masses, np.exp(-0.5 * reach**2)) / _ROOT_2_PI
        change = np.log(crossing / error) * crossing * step / density
        score = score + change
        if (np.abs(change) < 1e-9 * root).all():
            break
    return np.asarray(score)


def advance(
    paths: SubDensity,
    information: FloatArray,
    *,
    lowest: FloatArray,
    highest: FloatArray,
    nodes: int | None = None,
) -> SubDensity:
    """Carry rows of paths to `information` and keep those between `lowest` and `highest`.

    The widest row sets the number of nodes (`node_count`) of all, unless `nodes` says how many.
    """
    step = np.sqrt(information - paths.information)[:, None, None]
    widest = int(node_count(paths, information, lowest, highest).max())
    points, weights = quadrature(widest if nodes is None else nodes)
    targets = _spread(lowest, highest, points)
    first, width = _neighbours(paths, targets, reach=_KERNEL_REACH * step[..., 0])
    rows = np.arange(len(targets))[:, None]
    runs = sliding_window_view(np.stack([paths.nodes, paths.masses]), width, axis=-1)
    near, masses = runs[:, rows, first]
    kernel = np.exp(-0.5 * ((targets[..., None] - near) / step) ** 2)
    density = np.vecdot(kernel, masses) / step[..., 0]
    half_width = (highest - lowest)[:, None] / 2
    return SubDensity(
        lowest=lowest,
        highest=highest,
        masses=half_width * weights * density / _ROOT_2_PI,
        information=information,
    )


def node_count(
    paths: SubDensity, information: FloatArray, lowest: FloatArray, highest: FloatArray
) -> npt.NDArray[np.intp]:
    """Return how many nodes each row needs at its next look, shape (n_rows,)."""
    steps = (highest - lowest) / np.sqrt(information - paths.information)
    blocks = np.ceil(_NODES_PER_STEP * steps / _NODE_BLOCK).astype(np.intp)
    return _NODE_BLOCK * np.clip(blocks, 1, _MAX_BLOCKS)


def tilted_masses(paths: SubDensity, drift: FloatArray | float) -> FloatArray:
    """Reweigh the masses from no effect to `drift` by the likelihood ratio of the score."""
    return np.asarray(paths.masses * np.exp(drift * paths.nodes - drift**2 * paths.information / 2))


@lru_cache(maxsize=_MAX_BLOCKS + 1)
def quadrature(count: int) -> tuple[FloatArray, FloatArray]:
    """Return Gauss-Legendre points and weights on [-1, 1]."""
    points, weights = scipy.special.roots_legendre(count)
    return np.asarray(points), np.asarray(weights)


def _spread(lowest: FloatArray, highest: FloatArray, points: FloatArray) -> FloatArray:
    """Move points of [-1, 1] to between `lowest` and `highest`."""
    half_width = (highest - lowest) / 2
    return np.asarray(lowest[..., None] + half_width[..., None] * (points + 1))


def _neighbours(
    paths: SubDensity, targets: FloatArray, *, reach: FloatArray
) -> tuple[npt.NDArray[np.intp], int]:
    """Return, per target, where a run of nodes begins that holds all within `reach`; its width."""
    points = quadrature(paths.masses.shape[-1])[0]
    if len(points) == 1:
        return np.zeros(targets.shape, np.intp), 1
    half_width = (paths.highest - paths.lowest)[:, None] / 2
    centred = (targets - paths.lowest[:, None]) / half_width - 1
    first = np.searchsorted(points, centred - reach / half_width)
    last = np.searchsorted(points, centred + reach / half_width)
    width = max(int(np.max(last - first)), 1)
    return np.minimum(first, len(points) - width), width
