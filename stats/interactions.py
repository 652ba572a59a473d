"""Do two experiments that run on the same visitors change each other's effect?"""

from dataclasses import dataclass

import numpy as np

from stats.arrays import Estimates, FloatArray, Numbers, Reason, undefined_is_masked
from stats.effects import ArmEstimate, z_effect
from stats.errors import InvalidInputError
from stats.multiplicity import adjust_p_values


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionScan(Estimates):
    """Interaction of each pair of experiments, shape (n_pairs,).

    Attributes:
        interaction: effect of the first experiment where the second shows its treatment, minus
            the same effect where it shows its control, in the unit of the metric.
        se: its standard error.
        p_two_sided: p-value of the pair by itself.
        p_adjusted: Benjamini-Hochberg p-value; flag pairs at or below the false-discovery rate.
        ci_low: lower limit of the interval of the pair by itself.
        ci_high: upper limit of it.
    """

    interaction: FloatArray
    se: FloatArray
    p_two_sided: FloatArray
    p_adjusted: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


@undefined_is_masked
def scan_interactions(cells: ArmEstimate, *, alpha: Numbers = 0.05) -> InteractionScan:
    """Scan all pairs of concurrent experiments, controlling the false-discovery rate.

    Visitors of both experiments are split into four cells. One treatment of each experiment makes
    a pair; several treatments make several pairs. The scale is the metric's own, on which two
    effects that do not know of each other add.

    Args:
        cells: estimates (of rates, means, ratios) of visitors who are in both experiments, shape
            (n_pairs, 2, 2): [pair, arm in the first, arm in the second], control first.
        alpha: error of the intervals.

    Returns:
        One interaction per pair; pairs with an empty cell are undefined and do not count as
        questions asked.

    Raises:
        InvalidInputError: the cells have another shape, or alpha is not inside (0, 1).

    References:
        Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x.

    >>> from stats.moments import Counts
    >>> from stats.proportions import rate_estimate
    >>> counts = Counts(visitors=5000, conversions=[[[250, 300], [300, 240]]])
    >>> scan = scan_interactions(rate_estimate(counts)).at(0)
    >>> print(f"{scan.interaction:.3f} {scan.p_adjusted:.4f}")
    -0.022 0.0006
    """
    if cells.value.ndim != 3 or cells.value.shape[1:] != (2, 2):
        raise InvalidInputError("cells", "must have the shape (n_pairs, 2, 2)")
    signs = np.array([[1.0, -1.0], [-1.0, 1.0]])
    effects = z_effect(
        np.sum(signs * cells.value, axis=(1, 2)),
        np.sqrt(np.sum(cells.variance, axis=(1, 2))),
        alpha=alpha,
        reason=np.max(np.broadcast_to(cells.reason, cells.value.shape), axis=(1, 2)),
    )
    defined = effects.reason == Reason.OK
    adjusted = np.full(defined.shape, np.nan)
    adjusted[defined] = adjust_p_values(np.ma.getdata(effects.p_two_sided)[defined], "bh")
    return InteractionScan(
        reason=effects.reason,
        interaction=effects.effect_abs,
        se=effects.se,
        p_two_sided=effects.p_two_sided,
        p_adjusted=adjusted,
        ci_low=effects.ci_low,
        ci_high=effects.ci_high,
    )
