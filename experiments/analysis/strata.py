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
from stats.arrays import FloatArray, Reason, undefined_is_masked
from stats.effects import ArmEstimate
from stats.means import mean_estimate
from stats.moments import Counts, JointMoments, Moments
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
    return combined_arms(_ESTIMATES[kind](pairs[0]), _ESTIMATES[kind](pairs[1]))


def compared_delays(
    control: Sequence[Cell], treatment: Sequence[Cell]
) -> tuple[ArmEstimate, ArmEstimate] | None:
    """Mean hours to convert of two arms; none when no phase has converters in both."""
    known = [[cell for cell in cells if cell.delays] for cells in (control, treatment)]
    pairs = _common_phases(*known)
    return None if pairs is None else combined_arms(*(_delays(cells) for cells in pairs))


def combined_arms(control: ArmEstimate, treatment: ArmEstimate) -> tuple[ArmEstimate, ArmEstimate]:
    """Combine the phases of two arms, along the last axis, by Mantel and Haenszel's weights."""
    weights = _common_weights((control, treatment))
    return _weighted(control, weights), _weighted(treatment, weights)


def combined_cells(
    groups: Sequence[Sequence[Cell]], *, kind: MetricKind
) -> tuple[ArmEstimate, ...]:
    """The estimates of several groups, over the phases in which each has matured visitors."""
    by_phase = [{cell.phase: cell for cell in cells} for cells in groups]
    phases = sorted(set.intersection(*(set(cells) for cells in by_phase)))
    if not phases:
        return (_nobody(),) * len(groups)
    strata = [_ESTIMATES[kind]([cells[phase] for phase in phases]) for cells in by_phase]
    weights = _common_weights(strata)
    return tuple(_weighted(group, weights) for group in strata)


@undefined_is_masked
def _common_weights(groups: Sequence[ArmEstimate]) -> FloatArray:
    """One weight per phase for all groups: 1 / sum(1 / n), which is n1 n2 / (n1 + n2) for two."""
    usable = np.logical_and.reduce([group.n >= MIN_VISITORS for group in groups])
    spread = np.sum([1 / np.maximum(group.n, 1) for group in groups], axis=0)
    return np.where(usable, 1 / spread, 0.0)


def shown_figure(
    cells: Sequence[Cell], matured_in_phase: dict[int, int], *, kind: MetricKind
) -> float | NotEstimable:
    """The figure of one arm, as if every phase had brought its share of all visitors."""
    known = [cell for cell in cells if cell.matured > 0]
    if not known:
        return NotEstimable("nobody in this arm has reached the end of the window yet")
    weights = np.array([float(matured_in_phase[cell.phase]) for cell in known])
    value = float(_weighted(_ESTIMATES[kind](known), weights).value)
    if not np.isfinite(value):
        return NotEstimable(Reason.ZERO_DENOMINATOR.words)
    return value


def _common_phases(
    control: Sequence[Cell], treatment: Sequence[Cell]
) -> tuple[list[Cell], list[Cell]] | None:
    by_phase = [{cell.phase: cell for cell in cells} for cells in (control, treatment)]
    phases = sorted(by_phase[0].keys() & by_phase[1].keys())
    if not phases:
        return None
    return [by_phase[0][phase] for phase in phases], [by_phase[1][phase] for phase in phases]


@undefined_is_masked
def _weighted(strata: ArmEstimate, weights: FloatArray) -> ArmEstimate:
    """The weighted mean over the last axis; a phase without weight does not count at all."""
    counts = weights > 0
    shares = weights / weights.sum(axis=-1, keepdims=True)
    reason = np.where(counts, strata.reason, Reason.OK).max(axis=-1)
    return ArmEstimate(
        value=np.where(counts, shares * strata.value, 0.0).sum(axis=-1),
        variance=np.where(counts, shares**2 * strata.variance, 0.0).sum(axis=-1),
        n=np.where(counts, strata.n, 0.0).sum(axis=-1),
        reason=np.where(counts.any(axis=-1), reason, Reason.NO_UNITS).astype(np.int8),
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


def _delays(cells: Sequence[Cell]) -> ArmEstimate:
    measured = [(cell.conversions, cell.delays) for cell in cells if cell.delays]
    return mean_estimate(
        Moments(
            n=[conversions or 0 for conversions, _ in measured],
            mean=[delays.mean for _, delays in measured],
            m2=[delays.m2 for _, delays in measured],
        )
    )


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
