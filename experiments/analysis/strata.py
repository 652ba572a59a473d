"""From the cells of several phases to one estimate per arm, without ever pooling phases.

Each phase is a stratum; an arm's estimate is a weighted mean of its estimates per phase. The
weights depend on visitor counts alone, never on outcomes, so that they cannot bias an effect:
Mantel and Haenszel's when two arms are compared (Greenland and Robins 1985,
doi:10.2307/2530643), the phase's share of all visitors when an arm is shown by itself.
"""

from collections.abc import Callable, Sequence

import numpy as np

from experiments.analysis.data import Cell
from experiments.metrics.schemas import MetricKind
from stats.arrays import FloatArray, Reason
from stats.effects import ArmEstimate
from stats.means import mean_estimate
from stats.moments import Counts, JointMoments
from stats.proportions import rate_estimate
from stats.ratios import ratio_estimate
from stats.results import NotEstimable

MIN_VISITORS = 2
"""A phase with fewer matured visitors in an arm has no variance and joins no comparison."""


def compared_arms(
    control: Sequence[Cell], treatment: Sequence[Cell], *, kind: MetricKind
) -> tuple[ArmEstimate, ArmEstimate]:
    """The estimates of two arms, over the phases in which both have matured visitors."""
    pairs = _common_phases(control, treatment)
    if not pairs:
        nobody = _nobody()
        return nobody, nobody
    control_n, treatment_n = (np.array([float(cell.matured) for cell in side]) for side in pairs)
    weights = control_n * treatment_n / (control_n + treatment_n)
    return _combined(pairs[0], weights, kind=kind), _combined(pairs[1], weights, kind=kind)


def shown_figure(
    cells: Sequence[Cell], matured_in_phase: dict[int, int], *, kind: MetricKind
) -> float | NotEstimable:
    """The figure of one arm, as if every phase had brought its share of all visitors."""
    known = [cell for cell in cells if cell.matured > 0]
    if not known:
        return NotEstimable("nobody in this arm has reached the end of the window yet")
    weights = np.array([float(matured_in_phase[cell.phase]) for cell in known])
    value = float(_combined(known, weights, kind=kind).value)
    if not np.isfinite(value):
        return NotEstimable(Reason.ZERO_DENOMINATOR.words)
    return value


def _common_phases(
    control: Sequence[Cell], treatment: Sequence[Cell]
) -> tuple[list[Cell], list[Cell]] | None:
    counted = [
        {cell.phase: cell for cell in cells if cell.matured >= MIN_VISITORS}
        for cells in (control, treatment)
    ]
    phases = sorted(counted[0].keys() & counted[1].keys())
    if not phases:
        return None
    return [counted[0][phase] for phase in phases], [counted[1][phase] for phase in phases]


def _combined(cells: Sequence[Cell], weights: FloatArray, *, kind: MetricKind) -> ArmEstimate:
    strata = _ESTIMATES[kind](cells)
    shares = weights / weights.sum()
    return ArmEstimate(
        value=np.asarray(shares @ strata.value),
        variance=np.asarray(shares**2 @ strata.variance),
        n=np.asarray(np.sum(strata.n)),
        reason=np.asarray(np.max(strata.reason)),
    )


def _rates(cells: Sequence[Cell]) -> ArmEstimate:
    return rate_estimate(
        Counts(
            visitors=[cell.matured for cell in cells],
            conversions=[cell.conversions or 0 for cell in cells],
        )
    )


def _means(cells: Sequence[Cell]) -> ArmEstimate:
    return mean_estimate(_joint(cells).marginal(0))


def _ratios(cells: Sequence[Cell]) -> ArmEstimate:
    return ratio_estimate(_joint(cells))


def _joint(cells: Sequence[Cell]) -> JointMoments:
    return JointMoments(
        n=[cell.matured for cell in cells],
        means=[cell.means for cell in cells],
        comoments=[cell.comoments for cell in cells],
    )


_ESTIMATES: dict[MetricKind, Callable[[Sequence[Cell]], ArmEstimate]] = {
    MetricKind.CONVERSION: _rates,
    MetricKind.COUNT: _means,
    MetricKind.SUM: _means,
    MetricKind.RATIO: _ratios,
}


def _nobody() -> ArmEstimate:
    zero = np.asarray(0.0)
    reason = np.asarray(Reason.NO_UNITS, np.int8)
    return ArmEstimate(value=zero, variance=zero, n=zero, reason=reason)
