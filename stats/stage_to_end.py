"""What a change at one touchpoint does to every later stage, for all who were randomised."""

from dataclasses import dataclass

import numpy as np

from stats.arrays import Estimates, FloatArray, Numbers, Reason, ReasonArray
from stats.effects import EffectEstimate
from stats.errors import InvalidInputError
from stats.moments import Counts
from stats.proportions import unpooled_z


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEffects(Estimates):
    """Effect on reaching each stage, shape (..., n_stages), in the order of the journey.

    Attributes:
        effect_abs: share of all randomised visitors who reach the stage, treatment - control.
        se: its standard error.
        p_two_sided: p-value of the stage by itself.
        p_gatekept: p-value that may be compared with alpha at every stage: the largest up to it.
        ci_low: lower limit of the interval of the stage by itself.
        ci_high: upper limit of it.
    """

    effect_abs: FloatArray
    se: FloatArray
    p_two_sided: FloatArray
    p_gatekept: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray


def stage_effects(control: Counts, treatment: Counts, *, alpha: Numbers = 0.05) -> StageEffects:
    """Compare the arms at every stage after the change, down to the end of the journey.

    A rate among those who reached an earlier stage compares different people in the two arms; so
    the denominator is everybody randomised, at every stage. Stages are tested in journey order,
    each only when all before it were found: the chance of any false claim stays alpha.

    Args:
        control: visitors (the same number at all stages) and how many reached each stage, shape
            (..., n_stages), later stages last.
        treatment: the same of treatment, broadcast with control.
        alpha: error of the intervals.

    Returns:
        Effects by stage; undefined where nobody, or everybody, reached a stage in both arms.
        Nothing below an undefined stage passes its gate.

    Raises:
        InvalidInputError: visitors differ between stages, or alpha is not inside (0, 1).

    References:
        Maurer, Hothorn and Lehmacher (1995), fixed-sequence testing; Dmitrienko, Tamhane and
        Bretz (2009), Multiple Testing Problems in Pharmaceutical Statistics, chapter 2.

    >>> control = Counts(visitors=[5000, 5000], conversions=[900, 300])
    >>> effects = stage_effects(control, Counts(visitors=[5000, 5000], conversions=[1000, 310]))
    >>> print(effects.p_gatekept.round(3))
    [0.011 0.676]
    """
    for name, arm in (("control", control), ("treatment", treatment)):
        if arm.visitors.ndim < 1 or np.any(arm.visitors != arm.visitors[..., :1]):
            raise InvalidInputError(name, "must have all randomised visitors at every stage")
    effects: EffectEstimate = unpooled_z(control, treatment, alpha=alpha)
    return StageEffects(
        reason=effects.reason,
        effect_abs=effects.effect_abs,
        se=effects.se,
        p_two_sided=effects.p_two_sided,
        p_gatekept=gatekept_p_values(np.ma.getdata(effects.p_two_sided), effects.reason),
        ci_low=effects.ci_low,
        ci_high=effects.ci_high,
    )


def gatekept_p_values(p_values: FloatArray, reason: ReasonArray) -> FloatArray:
    """Return the largest p-value up to each stage; an undefined one closes the gate for good."""
    return np.asarray(np.maximum.accumulate(np.where(reason == Reason.OK, p_values, 1.0), axis=-1))
