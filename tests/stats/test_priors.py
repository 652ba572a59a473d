"""Learned priors: statsmodels' variances, posteriors by quadrature, and the winner's curse."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy import stats as scipy_stats

from stats.arrays import Reason
from stats.errors import InvalidInputError
from stats.priors import (
    WEAK_PRIOR,
    MixturePrior,
    learn_prior,
    leave_one_out_score,
    shrink,
)
from stats.results import NotEstimable

SPIKE_AND_NORMALS = MixturePrior(weights=[0.7, 0.2, 0.1], sds=[0.0, 0.02, 0.1])


def past_experiments(rng, n):
    """Draw a fleet: 70% without effect, the others N(0, 4%), measured with 2% error."""
    truth = np.where(rng.random(n) < 0.7, 0.0, rng.normal(0, 0.04, n))
    se = np.full(n, 0.02)
    return truth, truth + rng.normal(0, se), se


# statsmodels takes the root of a negative variance before it is cut at zero.
@pytest.mark.parametrize("effect", [-0.08, 0.0, 0.03, 0.2])
def test_shrink__mixture__equals_bayes_by_quadrature(effect):
    se = 0.03
    continuous = [(0.2, 0.02), (0.1, 0.1)]
    at_zero = 0.7 * scipy_stats.norm.pdf(effect, 0, se)

    def joint(x):
        prior = sum(w * scipy_stats.norm.pdf(x, 0, s) for w, s in continuous)
        return prior * scipy_stats.norm.pdf(effect, x, se)

    def part(low, high, power=0):
        cuts = sorted({low, high, *np.clip([0.0, effect], low, high)})
        pieces = pairwise(cuts)
        return sum(integrate.quad(lambda x: x**power * joint(x), *p)[0] for p in pieces)

    total = at_zero + part(-1, 1)
    ours = shrink(effect, se, prior=SPIKE_AND_NORMALS).at()
    assert ours.p_zero == pytest.approx(at_zero / total, rel=1e-6)
    assert ours.mean == pytest.approx(part(-1, 1, 1) / total, abs=1e-9)
    second = part(-1, 1, 2) / total
    assert ours.sd == pytest.approx(np.sqrt(second - ours.mean**2), rel=1e-6)
    assert ours.p_positive == pytest.approx(part(0, 1) / total, abs=1e-8)
    for limit, mass in ((ours.ci_low, 0.025), (ours.ci_high, 0.975)):
        below = part(-1, limit) + at_zero * (limit > 0)
        through = below + at_zero * (limit == 0)
        assert below / total - 1e-8 <= mass <= through / total + 1e-8


@settings(deadline=None, max_examples=25)
@given(st.floats(-10, 10), st.floats(0, 10))
def test_shrink__any_effect__is_finite_and_nearer_to_zero(effect, se):
    ours = shrink(effect, se, prior=SPIKE_AND_NORMALS)
    if se == 0:
        assert ours.at().reason == Reason.NO_VARIANCE.words
        return
    if ours.reason == Reason.OK:
        assert abs(ours.mean) <= abs(effect)
        assert ours.ci_low <= ours.ci_high


def test_shrink__one_normal__is_the_conjugate_posterior():
    ours = shrink([0.1, -0.02], [0.04, 0.01], prior=WEAK_PRIOR)
    share = 0.025**2 / (0.025**2 + np.array([0.04, 0.01]) ** 2)
    np.testing.assert_allclose(ours.mean, share * [0.1, -0.02])
    np.testing.assert_allclose(ours.ci_high - ours.mean, 1.959964 * ours.sd, rtol=1e-6)


def test_learned_prior__fleet_with_mostly_zero_effects__corrects_the_winners_curse(rng):
    _, past, se = past_experiments(rng, 300)
    prior = learn_prior(past, se)
    truth, observed, se = past_experiments(rng, 5_000)
    winners = observed > 1.96 * se
    shrunk = shrink(observed[winners], se[winners], prior=prior)
    raw_bias = np.mean(observed[winners] - truth[winners])
    assert raw_bias > 0.015
    assert abs(np.mean(shrunk.mean - truth[winners])) < 0.005
    covered = (shrunk.ci_low <= truth[winners]) & (truth[winners] <= shrunk.ci_high)
    assert 0.9 < covered.mean() <= 1


def test_learn_prior__four_past_effects__is_the_weak_prior():
    assert learn_prior([0.1, 0.0, -0.1, 0.2], [0.01] * 4) is WEAK_PRIOR


def test_learn_prior__nothing_but_noise__puts_its_weight_near_zero(rng):
    prior = learn_prior(rng.normal(0, 0.02, 400), np.full(400, 0.02))
    assert prior.n_effects == 400
    assert prior.weights[prior.sds < 0.01].sum() > 0.9


def test_leave_one_out__effects_unlike_the_weak_prior__score_is_positive(rng):
    assert leave_one_out_score(rng.normal(0, 0.3, 40), np.full(40, 0.01)) > 1
    few = leave_one_out_score([0.1] * 5, [0.01] * 5)
    assert few == NotEstimable("5 of 6 past effects needed")


@pytest.mark.parametrize(
    "build",
    [
        lambda: MixturePrior(weights=[0.5, 0.4], sds=[0.0, 1.0]),
        lambda: MixturePrior(weights=[1.0], sds=[-1.0]),
        lambda: learn_prior([0.1, 0.2], [0.1, 0.0]),
        lambda: learn_prior([0.1, np.nan], [0.1, 0.1]),
        lambda: learn_prior([0.1, 0.2], [0.1]),
    ],
)
def test_priors__impossible_input__is_refused(build):
    with pytest.raises(InvalidInputError):
        build()
