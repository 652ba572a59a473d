"""Relative lifts: their relation to each other, coverage, and what is undefined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from scipy import stats as scipy_stats

from stats.arrays import Reason
from stats.means import mean_estimate
from stats.moments import Counts, Moments
from stats.proportions import rate_estimate
from stats.relative import lift_fieller, lift_linear, lift_log

LIFTS = [lift_linear, lift_log, lift_fieller]
ARM = st.builds(
    Moments.from_mean_sd,
    n=st.integers(0, 10**9),
    mean=st.floats(-1e6, 1e6),
    sd=st.floats(0, 1e6),
)


@pytest.mark.parametrize("method", LIFTS)
@given(control=ARM, treatment=ARM)
def test_lift__any_moments__nothing_non_finite_leaves(method, control, treatment):
    lift = method(mean_estimate(control), mean_estimate(treatment))
    for name in lift.__dataclass_fields__:
        value = getattr(lift, name)
        assert value is np.ma.masked or np.isfinite(value)


@pytest.mark.parametrize("method", LIFTS)
def test_lift__huge_sample__all_methods_agree(method):
    control = mean_estimate(Moments.from_mean_sd(n=1e9, mean=5.0, sd=20.0))
    treatment = mean_estimate(Moments.from_mean_sd(n=1e9, mean=5.01, sd=20.0))
    lift = method(control, treatment)
    assert lift.effect_rel == pytest.approx(0.002, rel=1e-9)
    assert (lift.ci_low, lift.ci_high) == pytest.approx((0.00165, 0.00235), abs=1e-5)


@pytest.mark.parametrize("kind", [mean_estimate, rate_estimate])
def test_lift__control_is_zero__says_so(kind):
    build = {
        mean_estimate: lambda mean: Moments.from_mean_sd(n=100, mean=mean, sd=1.0),
        rate_estimate: lambda mean: Counts(visitors=1000, conversions=7 * mean),
    }[kind]
    arms = kind(build(0)), kind(build(1))
    assert {method(*arms).at().reason for method in LIFTS} == {Reason.ZERO_BASELINE.words}


def test_lift_log__dead_treatment__says_so():
    arms = [rate_estimate(Counts(visitors=1000, conversions=x)) for x in (50, 0)]
    assert lift_log(*arms).at().reason == Reason.ZERO_TREATMENT.words


def test_lift_log__arms_are_swapped__log_effect_flips():
    arms = [rate_estimate(Counts(visitors=1000, conversions=x)) for x in (50, 65)]
    ours, swapped = lift_log(*arms), lift_log(*arms[::-1])
    assert ours.effect_log == pytest.approx(-swapped.effect_log)
    assert ours.p_two_sided == pytest.approx(swapped.p_two_sided)
    assert 1 + ours.ci_low == pytest.approx(1 / (1 + swapped.ci_high))


def test_lift_fieller__limits__are_where_the_inverted_test_gives_alpha():
    a = mean_estimate(Moments.from_mean_sd(n=12, mean=10.2, sd=3.1))
    b = mean_estimate(Moments.from_mean_sd(n=15, mean=12.9, sd=4.4))

    def excess(ratio):
        z = (b.value - ratio * a.value) / np.sqrt(b.variance + ratio**2 * a.variance)
        return scipy_stats.norm.sf(abs(z)) - 0.05

    lift = lift_fieller(a, b, alpha=0.1)
    assert lift.ci_low == pytest.approx(optimize.brentq(excess, 0.5, 1.26) - 1, abs=1e-9)
    assert lift.ci_high == pytest.approx(optimize.brentq(excess, 1.27, 3.0) - 1, abs=1e-9)


def test_lift_fieller__control_near_zero__is_unbounded():
    control = mean_estimate(Moments.from_mean_sd(n=10, mean=0.1, sd=3.0))
    treatment = mean_estimate(Moments.from_mean_sd(n=10, mean=5.0, sd=3.0))
    assert lift_fieller(control, treatment).at().reason == Reason.UNBOUNDED.words


def test_lift_log__small_arms__misses_evenly_where_the_linear_interval_does_not(rng):
    n, rates = 500, (0.05, 0.05)
    arms = [
        rate_estimate(Counts(visitors=n, conversions=rng.binomial(n, p, 40_000))) for p in rates
    ]
    log, linear = lift_log(*arms), lift_linear(*arms)
    for misses in (np.mean(log.ci_low > 0), np.mean(log.ci_high < 0)):
        assert misses == pytest.approx(0.024, abs=0.004)
    assert np.mean(linear.ci_high < 0) > 3 * np.mean(linear.ci_low > 0)
