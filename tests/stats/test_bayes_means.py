"""Normal posteriors against quadrature, and the comparison of several arms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from scipy import stats as scipy_stats

from stats.arrays import Reason
from stats.bayes_means import NormalPrior, best_mean, effect_posterior
from stats.bayes_rates import chance_to_win


def test_effect_posterior__proper_prior__equals_bayes_by_quadrature():
    prior, likelihood = scipy_stats.norm(0.01, 0.03), scipy_stats.norm(0.08, 0.05)

    def joint(x):
        return prior.pdf(x) * likelihood.pdf(x)

    total = integrate.quad(joint, -1, 1, points=[0.03])[0]
    win = integrate.quad(joint, 0, 1, points=[0.03])[0] / total
    loss = integrate.quad(lambda x: -x * joint(x), -1, 0, points=[-0.05])[0] / total
    ours = effect_posterior(0.08, 0.05, prior=NormalPrior(mean=0.01, sd=0.03)).at()
    assert ours.chance_to_win == pytest.approx(win, rel=1e-6)
    assert ours.expected_loss_ship == pytest.approx(loss, rel=1e-6)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.none() | st.floats(1e-6, 1e3))
def test_effect_posterior__any_effect__is_finite_and_losses_are_not_negative(effect, se, sd):
    prior = None if sd is None else NormalPrior(sd=sd)
    ours = effect_posterior(effect, se, prior=prior)
    if se == 0:
        assert ours.at().reason == Reason.NO_VARIANCE.words
        return
    values = [getattr(ours, name) for name in ours.__dataclass_fields__]
    assert all(value is np.ma.masked or np.isfinite(value) for value in values)
    if ours.reason == Reason.OK:
        assert min(ours.expected_loss_ship, ours.expected_loss_keep) >= 0


def test_effect_posterior__flat_prior__repeats_the_data():
    ours = effect_posterior([0.1, -0.1], 0.05, prior=None)
    np.testing.assert_allclose(ours.mean, [0.1, -0.1])
    np.testing.assert_allclose(ours.chance_to_win, scipy_stats.norm.cdf([2, -2]))


def test_best_mean__two_arms__equals_the_normal_difference():
    ours = chance_to_win(best_mean([10.0, 10.4], [0.3, 0.02])).at()
    spread = np.hypot(0.3, 0.02)
    assert ours.chance_to_win == pytest.approx(scipy_stats.norm.cdf(0.4 / spread), abs=1e-10)
    direct = effect_posterior(0.4, spread, prior=None).at()
    assert ours.expected_loss_ship == pytest.approx(direct.expected_loss_ship, abs=1e-10)
