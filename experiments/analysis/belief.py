"""What to believe of a relative effect: the posterior under a proper, documented prior."""

import numpy as np

from experiments.analysis.schemas import Belief
from experiments.metrics.schemas import Direction
from stats.bayes_means import NormalPrior, effect_posterior
from stats.relative import LogLift
from stats.results import NotEstimable

PRIOR_SD = 0.03
"""Relative effects are N(0, 3%) before the data: most changes do next to nothing."""

CREDIBLE_MASS = 0.95


def believe(lift: LogLift | NotEstimable, *, direction: Direction) -> Belief | NotEstimable:
    """Shrink an observed lift; chance and loss are turned so that winning is always better."""
    if isinstance(lift, NotEstimable):
        return lift
    sign = 1.0 if direction is Direction.INCREASE else -1.0
    posterior = effect_posterior(
        sign * float(lift.effect_log),
        float(lift.se_log),
        prior=NormalPrior(sd=PRIOR_SD),
        credible_mass=CREDIBLE_MASS,
    ).at()
    if isinstance(posterior, NotEstimable):
        return posterior
    ends = sign * np.array([float(posterior.ci_low), float(posterior.ci_high)])
    low, high = np.expm1(np.sort(ends)).tolist()
    return Belief(
        prior_sd=PRIOR_SD,
        chance_to_win=float(posterior.chance_to_win),
        expected_loss=float(posterior.expected_loss_ship),
        effect_rel=float(np.expm1(sign * float(posterior.mean))),
        ci_low=low,
        ci_high=high,
    )
