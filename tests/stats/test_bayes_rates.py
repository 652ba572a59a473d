"""Exact posteriors against adaptive quadrature, finite sums and each other."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import integrate, special
from scipy import stats as scipy_stats

from stats.bayes_rates import (
    BetaPrior,
    best_rate,
    rate_chance_to_win,
    rate_posterior,
)
from stats.errors import InvalidInputError
from stats.moments import Counts


@st.composite
def counts(draw, largest):
    visitors = draw(st.integers(0, largest))
    return Counts(visitors=visitors, conversions=draw(st.integers(0, visitors)))


def finite_sum(control, treatment):
    """Evan Miller's closed form of P(treatment > control) under uniform priors."""
    a, b = control.conversions + 1, control.visitors - control.conversions + 1
    c, d = treatment.conversions + 1, treatment.visitors - treatment.conversions + 1
    i = np.arange(c)
    terms = special.betaln(a + i, b + d) - np.log(d + i) - special.betaln(1 + i, d)
    return np.exp(terms - special.betaln(a, b)).sum()


@settings(deadline=None)
@given(counts(5000), counts(5000))
def test_chance_to_win__any_counts__equals_the_finite_sum(control, treatment):
    ours = rate_chance_to_win(control, treatment).at()
    assert ours.chance_to_win == pytest.approx(finite_sum(control, treatment), abs=1e-9)


@settings(deadline=None)
@given(counts(10**9), counts(10**9), st.floats(0.1, 100), st.floats(0.1, 100))
@example(Counts(visitors=0, conversions=0), Counts(visitors=349, conversions=0), 0.1, 0.125)
def test_chance_to_win__any_counts_and_prior__is_coherent(control, treatment, alpha, beta):
    prior = BetaPrior(alpha=alpha, beta=beta)
    ours = rate_chance_to_win(control, treatment, prior=prior).at()
    swapped = rate_chance_to_win(treatment, control, prior=prior).at()
    assert 0 <= ours.chance_to_win <= 1
    assert ours.chance_to_win + swapped.chance_to_win == pytest.approx(1, abs=1e-6)
    assert ours.expected_loss_ship == pytest.approx(swapped.expected_loss_keep, abs=1e-9)
    a, b = (rate_posterior(arm, prior=prior).mean for arm in (control, treatment))
    assert ours.expected_loss_keep - ours.expected_loss_ship == pytest.approx(b - a, abs=1e-9)


@pytest.mark.parametrize("prior", [(0.5, 0.5), (1.0, 1.0), (3.0, 60.0)])
@pytest.mark.parametrize(
    "data", [((0, 0), (0, 0)), ((0, 0), (349, 0)), ((10, 1), (2000, 90)), ((40, 40), (50, 49))]
)
def test_chance_to_win__small_counts__equals_adaptive_quadrature(prior, data):
    arms = [Counts(visitors=n, conversions=x) for n, x in data]
    a, b = (scipy_stats.beta(x + prior[0], n - x + prior[1]) for n, x in data)
    cuts = {"points": [a.median(), b.median()], "limit": 500}
    loss = integrate.quad(lambda x: b.cdf(x) * a.sf(x), 0, 1, **cuts)[0]
    win = integrate.quad(lambda u: b.sf(a.ppf(u)), 0, 1, limit=500)[0]
    ours = rate_chance_to_win(*arms, prior=BetaPrior(alpha=prior[0], beta=prior[1])).at()
    assert ours.chance_to_win == pytest.approx(win, abs=1e-6)
    assert ours.expected_loss_ship == pytest.approx(loss, abs=1e-8)


def test_best_rate__experiments_by_metrics_by_arms__equals_each_alone(rng):
    visitors = rng.integers(50, 3000, (30, 20, 3))
    conversions = rng.binomial(visitors, 0.1)
    every = best_rate(Counts(visitors=visitors, conversions=conversions))
    alone = best_rate(Counts(visitors=visitors[29, 19], conversions=conversions[29, 19]))
    np.testing.assert_allclose(every.p_best[29, 19], alone.p_best, rtol=1e-12)
    np.testing.assert_allclose(every.expected_loss[29, 19], alone.expected_loss, rtol=1e-9)


def test_chance_to_win__a_billion_visitors__equals_the_normal_limit():
    n, p, q = 1e9, 0.05, 0.05001
    ours = rate_chance_to_win(
        Counts(visitors=n, conversions=p * n), Counts(visitors=n, conversions=q * n)
    ).at()
    spread = np.sqrt((p * (1 - p) + q * (1 - q)) / n)
    assert ours.chance_to_win == pytest.approx(scipy_stats.norm.cdf((q - p) / spread), abs=1e-5)


def test_best_rate__experiments_of_four_arms__chances_sum_to_one_and_match_simulation(rng):
    visitors = rng.integers(50, 3000, (5, 4))
    arms = Counts(visitors=visitors, conversions=rng.binomial(visitors, 0.1))
    ours = best_rate(arms)
    np.testing.assert_allclose(ours.p_best.sum(axis=-1), 1, atol=1e-9)
    a, b = arms.conversions + 1, arms.visitors - arms.conversions + 1
    draws = rng.beta(a, b, (200_000, 5, 4))
    best = draws.argmax(axis=-1)[..., None] == np.arange(4)
    np.testing.assert_allclose(ours.p_best, best.mean(axis=0), atol=5e-3)
    loss = draws.max(axis=-1, keepdims=True) - draws
    np.testing.assert_allclose(ours.expected_loss, loss.mean(axis=0), atol=5e-4)


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 1.0), (1.0, -1.0), (np.nan, 1.0), (1.0, 0.05)])
def test_prior__improper__is_refused(alpha, beta):
    with pytest.raises(InvalidInputError, match="prior"):
        BetaPrior(alpha=alpha, beta=beta)
