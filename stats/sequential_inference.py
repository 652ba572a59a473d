"""What may be said about the effect at a look: repeated intervals, stage-wise p and estimate."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy

from stats.arrays import FloatArray, Numbers, finite, open_probability, positive
from stats.errors import InvalidInputError
from stats.group_sequential import MIN_GROWTH, SequentialState
from stats.results import NotEstimable
from stats.sub_density import SubDensity, tilted_masses

_UNDISTORTED_Z = -3.0
"""Stopping for efficacy cannot have distorted an estimate whose z lies below this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedInterval:
    """Interval that holds at all looks together, in the unit of the effect."""

    ci_low: FloatArray
    ci_high: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class StagewiseEstimate:
    """Inference at the end of a one-sided sequential test, in the unit of the effect.

    Attributes:
        p_greater: stage-wise p-value, at most alpha exactly when the test rejected.
        effect: median-unbiased estimate.
        ci_low: lower end of the interval.
        ci_high: upper end of the interval.
    """

    p_greater: float
    effect: float
    ci_low: float
    ci_high: float


def repeated_interval(
    effect: Numbers, se: Numbers, *, bound: float | NotEstimable
) -> RepeatedInterval | NotEstimable:
    """Return effect -+ bound * se, which may be shown at every look without overclaiming.

    Args:
        effect: estimated effects at this look, any shape.
        se: their standard errors, broadcast with `effect`.
        bound: bound of this look, as `next_look` returned it.

    Returns:
        An interval whose coverage over all looks is at least 1 - 2 alpha (each end: 1 - alpha),
        or why there is none yet.

    Raises:
        InvalidInputError: an effect is not a number or a standard error not above zero.

    References:
        Jennison and Turnbull (1989), JRSS B 51, doi:10.1111/j.2517-6161.1989.tb01433.x.

    >>> interval = repeated_interval(0.012, 0.005, bound=2.0)
    >>> round(float(interval.ci_low), 3), round(float(interval.ci_high), 3)
    (0.002, 0.022)
    """
    if isinstance(bound, NotEstimable):
        return bound
    centre, margin = finite("effect", effect), bound * positive("se", se)
    return RepeatedInterval(ci_low=centre - margin, ci_high=centre + margin)


def stagewise_p_value(state: SequentialState, z: float, *, information: float) -> float:
    """Return the p-value against "no better" under stage-wise ordering.

    Earlier crossings count as more extreme, then larger z. Between counted looks it is the value
    the test would end with if it ended now.

    Args:
        state: state after the look (`next_look`), of a one-sided design.
        z: effect / se at the look.
        information: 1 / se^2 at the look.

    Returns:
        The p-value.

    Raises:
        InvalidInputError: an argument is not a number, or the design is two-sided.

    References:
        Tsiatis, Rosner and Mehta (1984), Biometrics 40, doi:10.2307/2530926.

    >>> from stats.group_sequential import next_look
    >>> _, state = next_look(SequentialState(), calendar_fraction=0.5, information=40.0)
    >>> round(stagewise_p_value(state, 2.2, information=40.0), 4)
    0.0139
    """
    paths, spent = _paths_into(state, finite("information", information))
    score = float(finite("z", z)) * np.sqrt(information)
    crossing = paths.masses @ scipy.special.ndtr((paths.nodes - score) / _step(paths, information))
    return float(min(spent + crossing, 1.0))


def stagewise_estimate(
    state: SequentialState, z: float, *, information: float, alpha: float = 0.05
) -> StagewiseEstimate:
    """Return the median-unbiased estimate and interval under stage-wise ordering.

    Args:
        state: state after the look at which the test ended, of a one-sided design.
        z: effect / se at that look.
        information: 1 / se^2 at that look; the results are in the unit of the effect.
        alpha: 1 - coverage of the equal-tailed interval.

    Returns:
        The p-value, the median-unbiased estimate and its interval.

    Raises:
        InvalidInputError: an argument is out of range, or the design is two-sided.

    References:
        Emerson and Fleming (1990), Biometrika 77, doi:10.1093/biomet/77.4.875; Jennison and
        Turnbull (2000), Group Sequential Methods, section 8.4.

    >>> from stats.group_sequential import next_look
    >>> _, state = next_look(SequentialState(), calendar_fraction=0.5, information=1600.0)
    >>> _, state = next_look(state, calendar_fraction=1.0, information=3200.0)
    >>> estimate = stagewise_estimate(state, 2.5, information=3200.0)
    >>> raw = 2.5 / 3200 ** 0.5
    >>> round(raw, 4), round(estimate.effect, 4), round(estimate.ci_low, 4)
    (0.0442, 0.0431, 0.0069)
    """
    open_probability("alpha", alpha)
    positive("information", information)
    p_greater = stagewise_p_value(state, z, information=information)
    low, middle, high = (
        _drift_at(state, z, information=information, below=share)
        for share in (1 - alpha / 2, 0.5, alpha / 2)
    )
    return StagewiseEstimate(p_greater=p_greater, effect=middle, ci_low=low, ci_high=high)


def _paths_into(state: SequentialState, information: FloatArray) -> tuple[SubDensity, float]:
    """Return the paths that lead into a look at `information`, and the error spent before it."""
    if state.two_sided:
        raise InvalidInputError("state", "stage-wise ordering is for one-sided designs")
    if state.looks and information <= state.information * (1 + MIN_GROWTH):
        return state.arrived, state.spent_before
    return state.continuing, state.spent


def _step(paths: SubDensity, information: float) -> float:
    if information <= paths.information:
        raise InvalidInputError("information", "must exceed that of the look before")
    return float(np.sqrt(information - paths.information))


def _drift_at(state: SequentialState, z: float, *, information: float, below: float) -> float:
    """Find the effect under which a less extreme result has probability `below`."""
    undistorted = z - float(scipy.special.ndtri(below))
    if z < _UNDISTORTED_Z:
        return undistorted / float(np.sqrt(information))
    paths, _ = _paths_into(state, np.asarray(information))
    step = _step(paths, information)
    root = float(np.sqrt(information))

    def surplus(standardised: float) -> float:
        drift = standardised / root
        reach = (z * root - paths.nodes - drift * step**2) / step
        return float(tilted_masses(paths, drift) @ scipy.special.ndtr(reach)) - below

    lower = _first_positive_below(surplus, undistorted)
    return float(scipy.optimize.brentq(surplus, lower, undistorted + 1.0, xtol=1e-10)) / root


def _first_positive_below(function: Callable[[float], float], start: float) -> float:
    """Step down from `start` until `function` is above zero (it falls with its argument)."""
    point = start
    while function(point) <= 0:
        point -= 0.5
    return point
