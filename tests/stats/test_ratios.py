"""Ratio metrics by visitor, with sessions that correlate inside a visitor."""

import numpy as np
import pytest

from stats.arrays import Reason
from stats.errors import InvalidInputError
from stats.moments import JointMoments
from stats.ratios import ratio_difference, ratio_estimate


def sessions(rng, n_visitors):
    """Draw (conversions, sessions) of visitors who differ in how they convert."""
    number = 1 + rng.poisson(2.0, n_visitors)
    return np.stack([rng.binomial(number, rng.beta(1, 9, n_visitors)), number], axis=-1)


def test_ratio_estimate__many_samples__variance_is_what_the_ratio_has(rng):
    rows = sessions(rng, 400 * 2000).reshape(2000, 400, 2)
    estimate = ratio_estimate(JointMoments.from_values(rows))
    assert estimate.variance.mean() == pytest.approx(estimate.value.var(), rel=0.08)


def test_ratio_difference__constant_denominator__is_the_welch_test_of_the_mean(rng):
    values = rng.normal(5, 2, (2, 60))
    arms = [JointMoments.from_values(np.stack([v, np.full_like(v, 2.0)], axis=-1)) for v in values]
    effect = ratio_difference(*arms)
    standard_errors = values.std(axis=1, ddof=1) / np.sqrt(60) / 2
    assert effect.effect_abs == pytest.approx((values[1].mean() - values[0].mean()) / 2)
    assert effect.se == pytest.approx(np.hypot(*standard_errors))


def test_ratio_difference__zero_denominator__says_so():
    empty = JointMoments.from_values([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    full = JointMoments.from_values([[1.0, 1.0], [0.0, 2.0], [1.0, 1.0]])
    assert ratio_difference(empty, full).at().reason == Reason.ZERO_DENOMINATOR.words


def test_ratio_estimate__three_quantities__are_refused():
    with pytest.raises(InvalidInputError, match="numerator and the denominator"):
        ratio_estimate(JointMoments.from_values(np.ones((4, 3))))
