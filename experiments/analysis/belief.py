"""What to believe of a relative effect: the posterior under a proper, documented prior."""

import numpy as np

from experiments.analysis.schemas import Belief
from experiments.metrics.schemas import Direction
from stats.bayes_means import NormalPrior, effect_posterior
from stats.priors import MixturePrior, shrink
from stats.relative import LogLift
from stats.results import NotEstimable

PRIOR_SD = 0.03
"""Relative effects are N(0, 3%) before the data: most changes do next to nothing."""

STATED_PRIOR = MixturePrior(weights=[1.0], sds=[PRIOR_SD])
"""What is believed of the size of an effect until past experiments tell more."""

CREDIBLE_MASS = 0.95


def believe(
    lift: LogLift | NotEstimable, *, direction: Direction, prior: MixturePrior = STATED_PRIOR
) -> Belief | NotEstimable:
    """Shrink an observed lift; chance and loss are turned so that winning is always better.

    The effect and its interval follow `prior`, which may be learned from past experiments. The
    chance to win and the expected loss, which the gate asks for, always follow the stated prior:
    what was learned must never relax the gate.
    """
    if isinstance(lift, NotEstimable):
        return lift
    sign = 1.0 if direction is Direction.INCREASE else -1.0
    observed, se = float(lift.effect_log), float(lift.se_log)
    chances = effect_posterior(sign * observed, se, prior=NormalPrior(sd=PRIOR_SD)).at()
    shrunk = shrink(observed, se, prior=prior, credible_mass=CREDIBLE_MASS).at()
    if isinstance(chances, NotEstimable):
        return chances
    if isinstance(shrunk, NotEstimable):
        return shrunk
    return Belief(
        prior_sd=float(np.sqrt(prior.weights @ prior.sds**2)),
        observed_log=observed,
        observed_se_log=se,
        chance_to_win=float(chances.chance_to_win),
        expected_loss=float(chances.expected_loss_ship),
        effect_rel=float(np.expm1(shrunk.mean)),
        ci_low=float(np.expm1(shrunk.ci_low)),
        ci_high=float(np.expm1(shrunk.ci_high)),
    )
