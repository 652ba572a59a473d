"""Confidence sequences against their defining equations, simulation and their algebra."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from stats.confidence_sequences import (
    asymptotic_cs_one_sided,
    asymptotic_cs_two_sided,
    asymptotic_rho,
    normal_mixture_boundary,
)
from stats.errors import InvalidInputError
from stats.results import NotEstimable

EFFECT = st.floats(-1e6, 1e6)
SE = st.floats(1e-9, 1e6)
VISITORS = st.integers(1, 10**9)


@given(EFFECT, SE, VISITORS)
def test_two_sided__arms_exchanged__flips_the_interval(effect, se, visitors):
    one = asymptotic_cs_two_sided(effect, se, visitors=visitors, n_star=10_000)
    other = asymptotic_cs_two_sided(-effect, se, visitors=visitors, n_star=10_000)
    assert one.ci_low == -other.ci_high
    assert one.p_always_valid == other.p_always_valid


@given(EFFECT, SE, VISITORS)
def test_two_sided__zero_outside_the_interval__exactly_when_p_is_below_alpha(effect, se, visitors):
    cs = asymptotic_cs_two_sided(effect, se, visitors=visitors, alpha=0.05, n_star=10_000)
    distance = abs(effect) / cs.halfwidth - 1
    if abs(distance) > 1e-9:
        assert (cs.p_always_valid < 0.05) == (distance > 0)


@given(EFFECT, EFFECT, SE, VISITORS)
def test_one_sided__larger_effect__never_lowers_the_evidence(first, second, se, visitors):
    small, large = sorted((first, second))
    weak = asymptotic_cs_one_sided(small, se, visitors=visitors, n_star=10_000).at()
    strong = asymptotic_cs_one_sided(large, se, visitors=visitors, n_star=10_000).at()
    if not isinstance(weak, NotEstimable) and not isinstance(strong, NotEstimable):
        assert strong.log_e_value >= weak.log_e_value - 1e-9 * abs(weak.log_e_value)


def test_one_sided__exact_mixture__lies_where_its_own_e_value_is_one_over_alpha():
    cs = asymptotic_cs_one_sided(0.0, 0.01, visitors=[50, 5000, 10**8], alpha=0.02, n_star=4000)
    at_bound = asymptotic_cs_one_sided(
        cs.halfwidth_exact_mixture, 0.01, visitors=[50, 5000, 10**8], alpha=0.02, n_star=4000
    )
    np.testing.assert_allclose(at_bound.log_e_value, np.log(50), rtol=1e-9)
    assert np.all(cs.halfwidth_exact_mixture <= cs.halfwidth)


@pytest.mark.parametrize("one_sided", [False, True])
def test_normal_mixture__at_its_optimum__is_tighter_than_when_tuned_elsewhere(one_sided):
    def boundary(v_opt):
        return normal_mixture_boundary(100.0, alpha=0.01, v_opt=v_opt, one_sided=one_sided)

    assert boundary(100.0) < min(boundary(40.0), boundary(250.0))


def test_normal_mixture__simulated_walk__is_crossed_at_most_alpha():
    rng = np.random.default_rng(11)
    walks = np.cumsum(rng.normal(size=(4000, 1000)), axis=1)
    limits = normal_mixture_boundary(np.arange(1.0, 1001.0), alpha=0.1, v_opt=200, one_sided=True)
    crossed = np.mean(np.any(walks >= limits, axis=1))
    assert 0.03 < crossed <= 0.1 + 3 * np.sqrt(0.09 / 4000)


def test_asymptotic_rho__two_sided__makes_the_interval_narrowest_at_n_star():
    def width(rho):
        growth = 1 + 500 * rho**2
        return growth / rho**2 * np.log(growth / 0.05**2)

    best = optimize.minimize_scalar(width, bounds=(1e-3, 1.0), method="bounded").x
    assert float(asymptotic_rho(500, alpha=0.05)) == pytest.approx(best, rel=0.02)


def test_sequences__nobody_yet__say_so():
    for method in (asymptotic_cs_one_sided, asymptotic_cs_two_sided):
        assert isinstance(method(0.0, 0.0, visitors=0, n_star=10).at(), NotEstimable)
        assert isinstance(method(0.1, 0.0, visitors=5, n_star=10).at(), NotEstimable)


def test_sequences__impossible_input__names_the_field():
    with pytest.raises(InvalidInputError, match="alpha"):
        asymptotic_cs_one_sided(0.1, 0.1, visitors=10, alpha=0.6, n_star=10)
    with pytest.raises(InvalidInputError, match="se"):
        asymptotic_cs_two_sided(0.1, float("nan"), visitors=10, n_star=10)
