"""Group-sequential bounds computed on-line: any number of looks, at any times, the newest only.

The error to spend comes from the *calendar* (share of the declared horizon), the correlation of
the looks from the *information* that really arrived (1 / se^2 of the effect). Between two looks
only the sub-density of the paths that have not crossed is carried along (Armitage, McPherson and
Rowe 1969, doi:10.2307/2343787), on Gauss-Legendre nodes of the score z * sqrt(information).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from stats.arrays import FloatArray, finite, non_negative, open_probability
from stats.results import NotEstimable
from stats.spending import Spending, obrien_fleming

MAX_BOUND = 8.0
"""A bound above this cannot be told from "cannot stop": its error is below rounding."""

MIN_GROWTH = 1e-4
"""A look counts once information has grown by this share; a smaller step moves z by about 0.01."""

_LOWEST_Z = -9.0  # one-sided designs carry no path below it; far enough for negative drifts
_NODES_PER_STEP = 1.4  # keeps the error of 672 bounds below 1e-6 (the tests compare)
_KERNEL_REACH = 8.0  # steps; beyond it the normal kernel is below 1e-14
_NODE_BLOCK = 64  # node counts are multiples of it, so that the quadratures can be kept
_MAX_BLOCKS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SubDensity:
    """Paths that have not crossed any bound: `masses` of probability at score `nodes`."""

    nodes: FloatArray
    masses: FloatArray
    information: float


_NO_LOOK = NotEstimable("no look has been possible yet")
_START = SubDensity(nodes=np.zeros(1), masses=np.ones(1), information=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialState:
    """What the next look must know of the looks before it; `SequentialState()` before the first.

    Attributes:
        arrived: paths that reached the newest counted look.
        continuing: those of them that did not cross there.
        spent: error of one boundary spent so far; `spent_before` without the newest counted look.
        looks: looks counted so far.
        bound: bound on z at the newest counted look.
        two_sided: False stops for efficacy only, at z >= bound; True at |z| >= bound.
    """

    arrived: SubDensity = _START
    continuing: SubDensity = _START
    spent_before: float = 0.0
    spent: float = 0.0
    looks: int = 0
    bound: float | NotEstimable = _NO_LOOK
    two_sided: bool = False

    @property
    def information(self) -> float:
        """Information at the newest counted look."""
        return self.continuing.information


def next_look(
    state: SequentialState,
    *,
    calendar_fraction: float,
    information: float,
    spending: Spending = obrien_fleming,
    alpha: float = 0.05,
) -> tuple[float | NotEstimable, SequentialState]:
    """Return the bound for z at a new look and the state to keep for the next one.

    A look does not count, and the state stays the same object, when

    - information has not grown by `MIN_GROWTH` (an hour without visitors, a job that ran twice,
      or late corrections that lowered it): the last bound stands. After a decrease the looks
      count again once information exceeds its value at the last counted look;
    - information is new but (almost) no error is: the bound is `NotEstimable`, which never
      rejects. The error is not lost, the next look can spend it.

    Args:
        state: state after the last look.
        calendar_fraction: elapsed share of the declared horizon; beyond 1 nothing is spent.
        information: 1 / se^2 of the effect now, in any unit that stays the same.
        spending: error-spending function.
        alpha: error of one boundary over the whole horizon (a two-sided design spends it twice).

    Returns:
        The bound for z, and the new state.

    Raises:
        InvalidInputError: an argument is not a number, negative, or alpha not inside (0, 1).

    References:
        Lan and DeMets (1983), doi:10.1093/biomet/70.3.659; calendar and information time:
        Lan and DeMets (1989), doi:10.1002/sim.4780081003.

    >>> start = SequentialState(two_sided=True)
    >>> bound, state = next_look(start, calendar_fraction=0.5, information=40.0, alpha=0.025)
    >>> round(bound, 3)
    2.963
    >>> bound, state = next_look(state, calendar_fraction=1.0, information=80.0, alpha=0.025)
    >>> round(bound, 3)
    1.969
    """
    open_probability("alpha", alpha)
    non_negative("information", information)
    cumulative = float(spending(calendar_fraction, alpha))
    if not _has_grown(state, information):
        return state.bound, state
    error = cumulative - state.spent
    if error < special.ndtr(-MAX_BOUND):
        return NotEstimable("no error probability can be spent at this look yet"), state
    score_bound = _solve_bound(state.continuing, information, error)
    bound = score_bound / np.sqrt(information)
    lowest = -score_bound if state.two_sided else _LOWEST_Z * np.sqrt(information)
    return float(bound), SequentialState(
        arrived=state.continuing,
        continuing=_advance(state.continuing, information, lowest, score_bound),
        spent_before=state.spent,
        spent=cumulative,
        looks=state.looks + 1,
        bound=float(bound),
        two_sided=state.two_sided,
    )


def replay(
    looks: Iterable[tuple[float, float]],
    *,
    spending: Spending = obrien_fleming,
    alpha: float = 0.05,
    two_sided: bool = False,
) -> tuple[list[float | NotEstimable], SequentialState]:
    """Rebuild the state from stored looks, and list the bound of each.

    Args:
        looks: (calendar fraction, information) of every look, oldest first.
        spending: error-spending function.
        alpha: error of one boundary over the whole horizon.
        two_sided: stop at |z| >= bound instead of z >= bound.

    Returns:
        The bounds for z, one per look, and the state after the last look.

    Raises:
        InvalidInputError: as `next_look`.

    >>> bounds, state = replay([(0.25, 10.0), (0.5, 20.0), (1.0, 40.0)], alpha=0.05)
    >>> [round(bound, 3) for bound in bounds], state.looks
    ([3.75, 2.54, 1.662], 3)
    """
    state = SequentialState(two_sided=two_sided)
    bounds: list[float | NotEstimable] = []
    for calendar_fraction, information in looks:
        bound, state = next_look(
            state,
            calendar_fraction=calendar_fraction,
            information=information,
            spending=spending,
            alpha=alpha,
        )
        bounds.append(bound)
    return bounds, state


def probability_not_stopped(state: SequentialState, drifts: FloatArray) -> FloatArray:
    """Return the probability of crossing no bound up to now, for true effects `drifts`.

    Args:
        state: state after the looks in question.
        drifts: true effects, in the unit whose square is 1 / information, any shape.

    Returns:
        Probabilities in the shape of `drifts`; 1 minus them is the power so far.
    """
    effects = finite("drifts", drifts)[..., np.newaxis]
    return np.asarray(np.sum(tilted_masses(state.continuing, effects), axis=-1))


def tilted_masses(paths: SubDensity, drift: FloatArray | float) -> FloatArray:
    """Reweigh the masses from no effect to `drift` by the likelihood ratio of the score."""
    return np.asarray(paths.masses * np.exp(drift * paths.nodes - drift**2 * paths.information / 2))


def _has_grown(state: SequentialState, information: float) -> bool:
    return information > state.information * (1 + MIN_GROWTH)


def _solve_bound(paths: SubDensity, information: float, error: float) -> float:
    """Find the score that `paths` exceed at `information` with probability `error`."""
    step = np.sqrt(information - paths.information)

    def excess(score: float) -> float:
        crossing = paths.masses @ special.ndtr((paths.nodes - score) / step)
        return float(np.log(max(crossing, 1e-300)) - np.log(error))

    reach = (MAX_BOUND + 1) * np.sqrt(information)
    return float(optimize.brentq(excess, -reach, reach, xtol=1e-8 * np.sqrt(information)))


def _advance(paths: SubDensity, information: float, lowest: float, highest: float) -> SubDensity:
    """Carry `paths` to `information` and keep those between `lowest` and `highest`."""
    step = np.sqrt(information - paths.information)
    points, weights = _quadrature(_node_count((highest - lowest) / step))
    half_width = (highest - lowest) / 2
    nodes = lowest + half_width * (points + 1)
    near = _neighbours(paths.nodes, nodes, _KERNEL_REACH * step)
    kernel = np.exp(-0.5 * ((nodes[:, np.newaxis] - paths.nodes[near]) / step) ** 2)
    density = np.sum(kernel * paths.masses[near], axis=1) / (step * np.sqrt(2 * np.pi))
    return SubDensity(nodes=nodes, masses=half_width * weights * density, information=information)


def _neighbours(sources: FloatArray, targets: FloatArray, reach: float) -> npt.NDArray[np.intp]:
    """Index, per target, an equally wide run of sorted `sources` holding all within `reach`."""
    first = np.searchsorted(sources, targets - reach)
    last = np.searchsorted(sources, targets + reach)
    width = max(int(np.max(last - first)), 1)
    return np.minimum(first, len(sources) - width)[:, np.newaxis] + np.arange(width)


def _node_count(widths_in_steps: float) -> int:
    blocks = int(np.ceil(_NODES_PER_STEP * widths_in_steps / _NODE_BLOCK))
    return _NODE_BLOCK * min(blocks, _MAX_BLOCKS)


@lru_cache(maxsize=_MAX_BLOCKS)
def _quadrature(count: int) -> tuple[FloatArray, FloatArray]:
    points, weights = special.roots_legendre(count)
    return np.asarray(points), np.asarray(weights)
