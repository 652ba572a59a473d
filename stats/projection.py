"""What the conversion rate will be once everybody has had their time: never for a decision."""

from dataclasses import dataclass

import numpy as np

from stats.arrays import (
    Estimates,
    FloatArray,
    Numbers,
    Reason,
    first_reason,
    positive,
    undefined_is_masked,
)
from stats.effects import EffectEstimate, normal_quantile, z_effect
from stats.errors import InvalidInputError
from stats.life_tables import LifeTable
from stats.survival import cumulative_incidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectedConversion(Estimates):
    """Conversion of an arm as seen so far and as it will be when all windows are over.

    Attributes:
        visitors: visitors exposed so far.
        observed: share of them who have converted so far (too low while windows are open).
        projected: expected share once all windows are over.
        se: standard error of `projected`.
        ci_low: lower limit of `projected`.
        ci_high: upper limit of `projected`.
    """

    visitors: FloatArray
    observed: FloatArray
    projected: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


@undefined_is_masked
def project_conversion(
    table: LifeTable, *, window: float, cause: int = 1, alpha: Numbers = 0.05
) -> ProjectedConversion:
    """Project the final conversion rate from visitors of all ages.

    Everybody counts for as long as they were seen: visitors without conversion are censored at
    their age (matured ones at the window). It supposes that later visitors convert like earlier
    ones of the same age; the matured rate, which supposes nothing, is shown beside it.

    Args:
        table: counts by time since exposure, any leading shape.
        window: length of the conversion window, in the unit of the times.
        cause: number of the converting cause among competing ones (a decline, say), from 1.
        alpha: total two-sided error of the interval.

    Returns:
        Projections of the leading shape; undefined while nobody's window is over.

    Raises:
        InvalidInputError: the window, the cause or alpha is out of range.

    References:
        Aalen and Johansen (1978), Scandinavian Journal of Statistics 5.

    >>> table = LifeTable(times=[1, 2, 7], events=[[30, 20, 10]], censored=[200, 100, 640])
    >>> rate = project_conversion(table, window=7).at()
    >>> print(f"{rate.observed:.3f} -> {rate.projected:.3f}")
    0.060 -> 0.070
    """
    inside = table.times <= positive("window", window)
    if not inside.any():
        raise InvalidInputError("window", "must not end before the first time of the table")
    if not 1 <= cause <= table.events.shape[-2]:
        raise InvalidInputError("cause", "must number a cause of the table, from 1")
    last = int(np.flatnonzero(inside)[-1])
    curves = cumulative_incidence(table)
    projected = np.ma.getdata(curves.incidence)[..., cause - 1, last]
    se = np.ma.getdata(curves.se)[..., cause - 1, last]
    visitors = table.at_risk[..., 0]
    observed = table.events[..., cause - 1, : last + 1].sum(axis=-1) / visitors
    margin = normal_quantile(alpha) * se
    followed = (table.at_risk * (table.times >= window)).sum(axis=-1) > 0
    return ProjectedConversion(
        reason=first_reason((visitors == 0, Reason.NO_UNITS), (~followed, Reason.NOT_REACHED)),
        visitors=visitors,
        observed=observed,
        projected=projected,
        se=se,
        ci_low=np.clip(projected - margin, 0, 1),
        ci_high=np.clip(projected + margin, 0, 1),
    )


def projected_difference(
    control: ProjectedConversion, treatment: ProjectedConversion, *, alpha: Numbers = 0.05
) -> EffectEstimate:
    """Compare two projections, for the page only.

    Args:
        control: projection of control, shape (...).
        treatment: projection of treatment, broadcast with control.
        alpha: total two-sided error of the interval.

    Returns:
        Projected rate of treatment minus control.

    Raises:
        InvalidInputError: alpha is not inside (0, 1).
    """
    effect = np.ma.getdata(treatment.projected) - np.ma.getdata(control.projected)
    return z_effect(
        effect,
        np.hypot(np.ma.getdata(control.se), np.ma.getdata(treatment.se)),
        alpha=alpha,
        reason=np.where(control.reason != 0, control.reason, treatment.reason),
    )
