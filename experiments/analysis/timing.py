"""Sooner is not more: whether a treatment brings more conversions or only a head start."""

from collections.abc import Sequence

import numpy as np

from experiments.analysis.data import Cell
from experiments.analysis.schemas import Timing
from experiments.analysis.strata import compared_delays
from experiments.metrics.schemas import Direction
from stats.effects import EffectEstimate, welch_effect
from stats.results import NotEstimable
from stats.sooner import SoonerTest


def timing(
    control: Sequence[Cell],
    treatment: Sequence[Cell],
    *,
    effect: EffectEstimate | NotEstimable,
    direction: Direction,
    alpha: float,
) -> Timing | NotEstimable:
    """Compare the time that converters took, beside the change in matured conversion.

    Args:
        control: cells of the control, one per phase.
        treatment: cells of the treatment.
        effect: treatment minus control on the metric itself, of matured visitors.
        direction: where the metric is better; a head start is none where fewer are better.
        alpha: error of each of the claims "more" and "sooner".
    """
    if direction is not Direction.INCREASE:
        return NotEstimable("the metric is better when it is lower, so sooner is no head start")
    if isinstance(effect, NotEstimable):
        return effect
    delays = compared_delays(control, treatment)
    if delays is None:
        return NotEstimable("it is not known how long converters of both arms took")
    taken = welch_effect(delays[1], delays[0]).at()
    if isinstance(taken, NotEstimable):
        return taken
    test = SoonerTest(
        reason=np.asarray(0, np.int8),
        effect_abs=effect.effect_abs,
        p_more=effect.p_greater,
        delay_change=-taken.effect_abs,
        p_sooner=taken.p_greater,
    )
    return Timing(
        control_hours=float(delays[0].value),
        treatment_hours=float(delays[1].value),
        verdict=test.verdict(alpha),
    )
