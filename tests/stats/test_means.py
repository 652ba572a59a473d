"""Welch's test against SciPy, and Student's t for large samples."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import special
from scipy import stats as scipy_stats

from stats.arrays import Reason
from stats.effects import z_effect
from stats.errors import InvalidInputError
from stats.means import welch
from stats.moments import Moments
from stats.student_t import t_quantile, t_tail

ARM = st.builds(
    Moments.from_mean_sd,
    n=st.integers(0, 10**9),
    mean=st.floats(-1e9, 1e9),
    sd=st.floats(0, 1e6),
)


@given(ARM, ARM)
@example(Moments.from_mean_sd(n=0, mean=0.0, sd=0.0), Moments.from_mean_sd(n=1, mean=0.0, sd=0.0))
def test_welch__any_moments__nothing_non_finite_leaves_and_swapping_flips(control, treatment):
    ours, swapped = welch(control, treatment), welch(treatment, control)
    assert ours.reason == swapped.reason
    if ours.reason != Reason.OK:
        assert ours.p_two_sided is np.ma.masked
        return
    assert np.isfinite([ours.effect_abs, ours.se, ours.statistic, ours.df, ours.ci_low]).all()
    assert ours.effect_abs == -swapped.effect_abs
    assert ours.ci_low == -swapped.ci_high
    assert ours.p_two_sided == pytest.approx(swapped.p_two_sided)
    assert ours.p_greater == pytest.approx(1 - swapped.p_greater, abs=1e-12)


# Squares at the end of what a double can hold are rounded away by the exchange itself.
AMOUNTS = ARM.filter(lambda arm: arm.m2 == 0 or arm.m2 > 1e-280)


@given(AMOUNTS, AMOUNTS, st.floats(1e-3, 1e3))
def test_welch__revenue_in_another_currency__scales_the_effect_only(control, treatment, rate):
    def exchanged(arm):
        return Moments(n=arm.n, mean=arm.mean * rate, m2=arm.m2 * rate**2)

    ours, scaled = welch(control, treatment), welch(exchanged(control), exchanged(treatment))
    assert ours.reason == scaled.reason
    if ours.reason == Reason.OK:
        assert scaled.effect_abs == pytest.approx(ours.effect_abs * rate, rel=1e-6, abs=1e-3)
        assert scaled.se == pytest.approx(ours.se * rate, rel=1e-9)


@pytest.mark.parametrize("size", [2, 30, 5000])
def test_welch__samples__equals_scipy(rng, size):
    a, b = rng.gamma(1.5, 10.0, (4, size)), rng.gamma(1.6, 12.0, (4, size + 7))
    ours = welch(Moments.from_values(a), Moments.from_values(b), alpha=0.1)
    theirs = scipy_stats.ttest_ind(b, a, axis=1, equal_var=False)
    interval = theirs.confidence_interval(0.9)
    np.testing.assert_allclose(ours.statistic, theirs.statistic, rtol=1e-10)
    np.testing.assert_allclose(ours.df, theirs.df, rtol=1e-10)
    np.testing.assert_allclose(ours.p_two_sided, theirs.pvalue, rtol=1e-10)
    np.testing.assert_allclose(ours.ci_low, interval.low, rtol=1e-9)
    np.testing.assert_allclose(ours.ci_high, interval.high, rtol=1e-9)


def test_welch__experiments_by_metrics_by_variants__equals_each_alone(rng):
    control = Moments.from_values(rng.normal(10, 3, (3, 2, 1, 50)))
    treatment = Moments.from_values(rng.normal(10, 3, (3, 2, 4, 60)))
    every = welch(control, treatment)
    assert every.effect_abs.shape == (3, 2, 4)
    one = welch(
        Moments(n=50, mean=control.mean[2, 1, 0], m2=control.m2[2, 1, 0]),
        Moments(n=60, mean=treatment.mean[2, 1, 3], m2=treatment.m2[2, 1, 3]),
    )
    assert every.at((2, 1, 3)).p_two_sided == one.at().p_two_sided


@pytest.mark.parametrize(
    ("control", "treatment", "reason"),
    [
        (Moments(n=0, mean=0, m2=0), Moments(n=9, mean=1, m2=3), Reason.NO_UNITS),
        (Moments(n=1, mean=5, m2=0), Moments(n=9, mean=1, m2=3), Reason.TOO_FEW_UNITS),
        (Moments(n=100, mean=1, m2=0), Moments(n=100, mean=2, m2=0), Reason.NO_VARIANCE),
        (Moments(n=9, mean=-1e308, m2=1), Moments(n=9, mean=1e308, m2=1), Reason.TOO_LARGE),
    ],
)
def test_welch__degenerate_arms__say_why(control, treatment, reason):
    assert welch(control, treatment).at().reason == reason.words


@given(st.floats(1000, 1e12), st.floats(0, 8))
def test_t_tail__large_sample__equals_scipy_to_eleven_digits(df, t):
    assert t_tail(np.array(df), np.array(t)) == pytest.approx(special.stdtr(df, -t), rel=1e-11)


@given(st.floats(1, 1e12), st.floats(1e-4, 0.9))
def test_t_quantile__any_sample__equals_scipy(df, alpha):
    expected = special.stdtrit(df, 1 - alpha / 2)
    assert t_quantile(np.array(df), alpha) == pytest.approx(expected, rel=1e-11)


def test_z_effect__no_variance__is_undefined():
    assert z_effect(0.1, 0.0).at().reason == Reason.NO_VARIANCE.words


@pytest.mark.parametrize(("effect", "se"), [(np.nan, 1.0), (1.0, -1.0), (np.inf, 1.0)])
def test_z_effect__impossible_numbers__are_refused(effect, se):
    with pytest.raises(InvalidInputError):
        z_effect(effect, se)
