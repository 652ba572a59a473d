"""Variance between experiments against statsmodels and its defining equation."""

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from stats.random_effects import tau2_dersimonian_laird, tau2_paule_mandel
from stats.results import NotEstimable


@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt:RuntimeWarning")
@pytest.mark.parametrize("spread", [0.0, 0.02, 0.5])
def test_dersimonian_laird__samples__equals_statsmodels(rng, spread):
    for _ in range(10):
        variances = rng.uniform(1e-4, 1e-3, 12)
        effects = rng.normal(0, np.sqrt(variances + spread**2))
        moments = combine_effects(effects, variances, method_re="dl")
        ours = tau2_dersimonian_laird(effects, variances)
        assert ours == pytest.approx(max(moments.tau2, 0), abs=1e-12)


@pytest.mark.parametrize("spread", [0.1, 0.5])
def test_paule_mandel__samples__explains_the_spread_exactly(rng, spread):
    variances = rng.uniform(1e-4, 1e-3, 12)
    effects = rng.normal(0, np.sqrt(variances + spread**2))
    weights = 1 / (variances + tau2_paule_mandel(effects, variances))
    q = (weights * (effects - np.average(effects, weights=weights)) ** 2).sum()
    assert q == pytest.approx(len(effects) - 1, rel=1e-9)
    assert tau2_paule_mandel([0.1, 0.1, 0.1], [0.01, 0.02, 0.03]) == 0


def test_tau2__one_past_effect__is_undefined():
    assert isinstance(tau2_paule_mandel([0.1], [0.01]), NotEstimable)
    assert isinstance(tau2_dersimonian_laird([0.1], [0.01]), NotEstimable)
