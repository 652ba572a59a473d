"""Group-sequential bounds computed on-line: any number of looks, at any times, the newest only.

The error to spend comes from the *calendar* (share of the declared horizon), the correlation of
the looks from the *information* that really arrived (1 / se^2 of the effect). `next_look` serves
one experiment, `next_looks` many at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

from stats.arrays import FloatArray, Numbers, finite, non_negative, open_probability
from stats.errors import InvalidInputError
from stats.results import NotEstimable
from stats.spending import Spending, obrien_fleming
from stats.sub_density import (
    START,
    SubDensity,
    advance,
    node_count,
    solve_scores,
    tilted_masses,
)

MAX_BOUND = 8.0
"""A bound above this cannot be told from "cannot stop": its error is below rounding."""

MIN_GROWTH = 1e-4
"""A look counts once information has grown by this share; a smaller step moves z by about 0.01."""

_LOWEST_Z = -9.0  # one-sided designs carry no path below it; far enough for negative drifts
_COARSEST = 1.5  # nodes wanted per node there is; beyond it the quadrature loses digits
_ROWS_AT_ONCE = 32  # experiments advanced together, so that their kernels fit the cache
_NO_LOOK = NotEstimable("no look has been possible yet")
_TOO_EARLY = NotEstimable("no error probability can be spent at this look yet")


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

    arrived: SubDensity = START
    continuing: SubDensity = START
    spent_before: float = 0.0
    spent: float = 0.0
    looks: int = 0
    bound: float | NotEstimable = _NO_LOOK
    two_sided: bool = False

    @property
    def information(self) -> float:
        """Information at the newest counted look."""
        return float(self.continuing.information)


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
    bounds, states = next_looks(
        [state],
        calendar_fraction=calendar_fraction,
        information=information,
        spending=spending,
        alpha=alpha,
    )
    return bounds[0], states[0]


def next_looks(
    states: Sequence[SequentialState],
    *,
    calendar_fraction: Numbers,
    information: Numbers,
    spending: Spending = obrien_fleming,
    alpha: float = 0.05,
) -> tuple[list[float | NotEstimable], list[SequentialState]]:
    """Take a look at many experiments at once; each gets what `next_look` would give it.

    Args:
        states: states after the last looks, of n_experiments designs (of metrics, variants).
        calendar_fraction: elapsed share of the declared horizon, shape () or (n_experiments,).
        information: 1 / se^2 of the effects now, shape () or (n_experiments,).
        spending: error-spending function.
        alpha: error of one boundary over the whole horizon.

    Returns:
        The bounds for z, and the new states, in the order of `states`.

    Raises:
        InvalidInputError: as `next_look`, or the shapes do not fit the states.

    >>> bounds, states = next_looks(
    ...     [SequentialState()] * 3, calendar_fraction=0.5, information=[10.0, 20.0, 0.0])
    >>> [f"{bound:.3f}" for bound in bounds[:2]], str(bounds[2])
    (['2.538', '2.538'], 'no look has been possible yet')
    """
    open_probability("alpha", alpha)
    now = _one_each("information", non_negative("information", information), len(states))
    spent = _one_each("calendar_fraction", spending(calendar_fraction, alpha), len(states))
    bounds: list[float | NotEstimable] = [state.bound for state in states]
    after = list(states)
    counting = defaultdict(list)
    for i, state in enumerate(states):
        if not _has_grown(state, now[i]):
            continue
        if spent[i] - state.spent < scipy.special.ndtr(-MAX_BOUND):
            bounds[i] = _TOO_EARLY
        else:
            after[i] = _resolved(state, now[i])
            counting[len(after[i].continuing.masses)].append(i)
    for rows in (rows for same in counting.values() for rows in _blocks(same)):
        for i, new in zip(
            rows, _counted([after[i] for i in rows], now[rows], spent[rows]), strict=True
        ):
            bounds[i], after[i] = new.bound, new
    return bounds, after


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

    References:
        Lan and DeMets (1983), doi:10.1093/biomet/70.3.659.

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

    Raises:
        InvalidInputError: a drift is not a finite number.

    References:
        Jennison and Turnbull (2000), Group Sequential Methods, section 19.2.

    >>> _, state = replay([(0.5, 50.0), (1.0, 100.0)], alpha=0.025)
    >>> print(probability_not_stopped(state, np.array([0.0, 0.28])).round(3))
    [0.975 0.202]
    """
    effects = finite("drifts", drifts)[..., np.newaxis]
    return np.asarray(np.sum(tilted_masses(state.continuing, effects), axis=-1))


def _has_grown(state: SequentialState, information: float) -> bool:
    return information > state.information * (1 + MIN_GROWTH)


def _resolved(state: SequentialState, information: float) -> SequentialState:
    """Put the paths on finer nodes when the coming step is much smaller than the last one.

    A step that falls between two nodes would see gaps where the density has none.
    """
    paths = state.continuing
    needed = int(node_count(paths, np.asarray(information), paths.lowest, paths.highest))
    if state.looks == 0 or needed <= _COARSEST * len(paths.masses):
        return state
    finer = advance(
        SubDensity.stacked([state.arrived]),
        np.atleast_1d(paths.information),
        lowest=np.atleast_1d(paths.lowest),
        highest=np.atleast_1d(paths.highest),
        nodes=needed,
    )
    return replace(state, continuing=finer.row(0))


def _one_each(field: str, values: FloatArray, count: int) -> FloatArray:
    if values.shape not in ((), (count,)):
        raise InvalidInputError(field, "must be one number, or one for each state")
    return np.broadcast_to(values, (count,))


def _blocks(rows: list[int]) -> Iterable[list[int]]:
    return (rows[i : i + _ROWS_AT_ONCE] for i in range(0, len(rows), _ROWS_AT_ONCE))


def _counted(
    states: list[SequentialState], information: FloatArray, spent: FloatArray
) -> list[SequentialState]:
    """Return the states after looks that count, of states with equally many nodes."""
    paths = SubDensity.stacked([state.continuing for state in states])
    error = spent - np.array([state.spent for state in states])
    highest, root = solve_scores(paths, information, error), np.sqrt(information)
    two_sided = np.array([state.two_sided for state in states])
    lowest = np.where(two_sided, -highest, _LOWEST_Z * root)
    continuing = _advanced(paths, information, lowest, highest)
    return [
        SequentialState(
            arrived=state.continuing,
            continuing=continuing[i],
            spent_before=state.spent,
            spent=float(spent[i]),
            looks=state.looks + 1,
            bound=float(highest[i] / root[i]),
            two_sided=state.two_sided,
        )
        for i, state in enumerate(states)
    ]


def _advanced(
    paths: SubDensity, information: FloatArray, lowest: FloatArray, highest: FloatArray
) -> list[SubDensity]:
    """Advance rows together that need equally many nodes, so that no row depends on another."""
    nodes = node_count(paths, information, lowest, highest)
    advanced: dict[int, SubDensity] = {}
    for count in set(nodes.tolist()):
        rows = np.flatnonzero(nodes == count)
        together = advance(
            SubDensity.stacked([paths.row(int(i)) for i in rows]),
            information[rows],
            lowest=lowest[rows],
            highest=highest[rows],
        )
        advanced.update({int(i): together.row(k) for k, i in enumerate(rows)})
    return [advanced[i] for i in range(len(nodes))]
