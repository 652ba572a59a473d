"""Does the effect differ between personas, and for whom?"""

from dataclasses import dataclass

import numpy as np
import scipy

from stats.arrays import (
    Estimates,
    FloatArray,
    Reason,
    first_reason,
    undefined_is_masked,
)
from stats.effects import EffectEstimate, z_effect
from stats.multiplicity import holm_p_values


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionTest(Estimates):
    """Test that all personas have the same effect, shape (...).

    Attributes:
        q: Cochran's Q, weighted squares of the effects around their mean.
        df: personas with an estimate, minus 1.
        p_value: p-value of "the same effect everywhere"; look at single personas only below it.
        i_squared: share of the spread of the effects that chance does not explain.
    """

    q: FloatArray
    df: FloatArray
    p_value: FloatArray
    i_squared: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaDeviations(Estimates):
    """How far each persona's effect lies from that of all others, shape (..., n_personas).

    Attributes:
        deviation: effect in the persona minus the pooled effect of the others.
        se: its standard error.
        p_two_sided: p-value of the persona by itself.
        p_holm: p-value adjusted for the number of personas looked at.
    """

    deviation: FloatArray
    se: FloatArray
    p_two_sided: FloatArray
    p_holm: FloatArray


@undefined_is_masked
def interaction_test(effects: EffectEstimate) -> InteractionTest:
    """Test whether the effect is the same in all personas.

    Args:
        effects: effects of disjoint groups of visitors (persona at exposure), shape
            (..., n_personas); personas without an estimate are left out.

    Returns:
        One test per leading element; undefined with fewer than two estimated personas.

    References:
        Cochran (1954), doi:10.2307/3001666; Higgins and Thompson (2002), doi:10.1002/sim.1186.

    >>> from stats.effects import z_effect
    >>> test = interaction_test(z_effect([0.02, 0.0, 0.01], [0.005, 0.005, 0.005])).at()
    >>> print(f"{test.q:.1f} {test.p_value:.3f}")
    8.0 0.018
    """
    effect, weight = _weighted(effects)
    df = np.count_nonzero(weight, axis=-1) - 1.0
    mean = np.sum(weight * effect, axis=-1) / np.sum(weight, axis=-1)
    q = np.sum(weight * (effect - mean[..., None]) ** 2, axis=-1)
    return InteractionTest(
        reason=first_reason((df < 1, Reason.NO_INFORMATION)),
        q=q,
        df=df,
        p_value=scipy.special.chdtrc(df, q),
        i_squared=np.maximum(1 - df / np.maximum(q, df), 0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrunkEffects(Estimates):
    """What is to be expected of each persona, shape (..., n_personas).

    Attributes:
        effect: its effect, drawn to the mean of all by as much as chance explains their spread.
        weight: what its own figures count for, from 0 (only the mean) to 1.
    """

    effect: FloatArray
    weight: FloatArray


@undefined_is_masked
def shrunk_effects(effects: EffectEstimate) -> ShrunkEffects:
    """Draw the effect of each persona to the mean of all, for the luck of the extreme ones.

    Args:
        effects: effects of disjoint groups of visitors, shape (..., n_personas); personas without
            an estimate are left out.

    Returns:
        Empirical-Bayes effects, with the spread between personas by the method of moments.

    References:
        DerSimonian and Laird (1986), doi:10.1016/0197-2456(86)90046-2; Morris (1983),
        doi:10.1080/01621459.1983.10477920.

    >>> from stats.effects import z_effect
    >>> print(shrunk_effects(z_effect([0.03, 0.0, 0.0], [0.01, 0.01, 0.01])).effect.round(4))
    [0.0233 0.0033 0.0033]
    """
    effect, weight = _weighted(effects)
    total = np.sum(weight, axis=-1, keepdims=True)
    mean = np.sum(weight * effect, axis=-1, keepdims=True) / total
    q = np.sum(weight * (effect - mean) ** 2, axis=-1, keepdims=True)
    df = np.count_nonzero(weight, axis=-1, keepdims=True) - 1.0
    scale = total - np.sum(weight**2, axis=-1, keepdims=True) / total
    between = np.maximum(q - df, 0.0) / np.where(scale > 0, scale, np.inf)
    own = between / (between + 1 / weight)
    alone = np.where(df > 0, Reason.OK, Reason.NO_INFORMATION)
    return ShrunkEffects(
        reason=np.where(effects.reason != Reason.OK, effects.reason, alone),
        effect=mean + own * (effect - mean),
        weight=own,
    )


@undefined_is_masked
def persona_deviations(effects: EffectEstimate) -> PersonaDeviations:
    """Compare each persona with all the others together.

    Args:
        effects: effects of disjoint groups of visitors, shape (..., n_personas).

    Returns:
        Deviations with Holm's p-values over the personas that have an estimate.

    References:
        Holm (1979), Scandinavian Journal of Statistics 6.

    >>> from stats.effects import z_effect
    >>> effects = z_effect([0.02, 0.0, 0.0], [0.005, 0.005, 0.005])
    >>> print(persona_deviations(effects).p_holm.round(3))
    [0.003 0.205 0.205]
    """
    effect, weight = _weighted(effects)
    others = np.sum(weight, axis=-1, keepdims=True) - weight
    pooled = (np.sum(weight * effect, axis=-1, keepdims=True) - weight * effect) / others
    alone = np.where(others > 0, Reason.OK, Reason.NO_INFORMATION)
    deviation = z_effect(
        effect - pooled,
        np.sqrt(1 / weight + 1 / others),
        reason=np.where(effects.reason != Reason.OK, effects.reason, alone),
    )
    return PersonaDeviations(
        reason=deviation.reason,
        deviation=deviation.effect_abs,
        se=deviation.se,
        p_two_sided=deviation.p_two_sided,
        p_holm=holm_p_values(
            np.ma.getdata(deviation.p_two_sided), asked=deviation.reason == Reason.OK
        ),
    )


def _weighted(effects: EffectEstimate) -> tuple[FloatArray, FloatArray]:
    """Return effects and inverse variances, both zero where there is no estimate."""
    defined = effects.reason == Reason.OK
    effect = np.where(defined, np.ma.getdata(effects.effect_abs), 0.0)
    return effect, np.where(defined, np.ma.getdata(effects.se) ** -2.0, 0.0)
