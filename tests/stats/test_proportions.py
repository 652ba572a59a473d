"""Rates against statsmodels, SciPy, published intervals, and the algebra of swapped arms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats import proportion as sm

from stats import proportions
from stats.arrays import Reason
from stats.errors import InvalidInputError
from stats.moments import Counts
from stats.score_intervals import miettinen_nurminen

COMPARISONS = [
    proportions.pooled_z,
    proportions.unpooled_z,
    proportions.newcombe,
    miettinen_nurminen,
]


@st.composite
def counts(draw, largest=10**9):
    visitors = draw(st.integers(0, largest))
    return Counts(visitors=visitors, conversions=draw(st.integers(0, visitors)))


def fields(result):
    return {name: getattr(result, name) for name in result.__dataclass_fields__}


@pytest.mark.parametrize("compare", COMPARISONS)
@settings(max_examples=50, deadline=None)
@given(control=counts(), treatment=counts())
def test_comparison__any_counts__nothing_non_finite_leaves(compare, control, treatment):
    result = compare(control, treatment)
    for value in fields(result).values():
        assert value is np.ma.masked or np.isfinite(value)


@pytest.mark.parametrize("compare", COMPARISONS)
@settings(max_examples=30, deadline=None)
@given(control=counts(10**6), treatment=counts(10**6))
def test_comparison__arms_are_swapped__signs_flip(compare, control, treatment):
    ours, swapped = fields(compare(control, treatment)), fields(compare(treatment, control))
    assert ours["reason"] == swapped["reason"]
    if ours["reason"] == Reason.OK:
        assert ours["effect_abs"] == pytest.approx(-swapped["effect_abs"], abs=1e-12)
        if "ci_low" in ours:
            assert ours["ci_low"] == pytest.approx(-swapped["ci_high"], abs=1e-7)
        if "p_two_sided" in ours:
            assert ours["p_two_sided"] == pytest.approx(swapped["p_two_sided"], rel=1e-9)
            assert ours["p_greater"] == pytest.approx(1 - swapped["p_greater"], abs=1e-9)


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.data())
def test_pooled_z__one_more_conversion__evidence_does_not_fall(visitors, conversions, data):
    conversions = min(conversions, visitors - 1)
    control = Counts(visitors=visitors, conversions=data.draw(st.integers(0, visitors)))
    treatment = Counts(visitors=visitors, conversions=[conversions, conversions + 1])
    p = proportions.pooled_z(control, treatment).p_greater
    if not np.ma.is_masked(p):
        assert p[1] <= p[0]


def test_tests__arrays_of_counts__equal_statsmodels_one_by_one(rng):
    n_a, n_b = rng.integers(50, 5000, (2, 20))
    x_a, x_b = rng.binomial(n_a, 0.1), rng.binomial(n_b, 0.12)
    control, treatment = (
        Counts(visitors=n_a, conversions=x_a),
        Counts(visitors=n_b, conversions=x_b),
    )
    pooled = proportions.pooled_z(control, treatment)
    exact = proportions.fisher_exact(control, treatment)
    hybrid = proportions.newcombe(control, treatment)
    for i in range(20):
        z, p = sm.proportions_ztest([x_b[i], x_a[i]], [n_b[i], n_a[i]])
        assert (pooled.z[i], pooled.p_two_sided[i]) == pytest.approx((z, p), rel=1e-9)
        table = [[x_b[i], n_b[i] - x_b[i]], [x_a[i], n_a[i] - x_a[i]]]
        assert exact.p_two_sided[i] == pytest.approx(scipy_stats.fisher_exact(table).pvalue)
        greater = scipy_stats.fisher_exact(table, alternative="greater").pvalue
        assert exact.p_greater[i] == pytest.approx(greater)
        limits = sm.confint_proportions_2indep(x_b[i], n_b[i], x_a[i], n_a[i], method="newcomb")
        assert (hybrid.ci_low[i], hybrid.ci_high[i]) == pytest.approx(limits, rel=1e-9)


def test_wilson__any_count__equals_statsmodels():
    x = np.arange(21)
    ours = proportions.wilson(Counts(visitors=20, conversions=x), alpha=0.1)
    low, high = sm.proportion_confint(x, 20, alpha=0.1, method="wilson")
    np.testing.assert_allclose(ours.ci_low, np.maximum(low, 0), atol=1e-12)
    np.testing.assert_allclose(ours.ci_high, np.minimum(high, 1), atol=1e-12)


def test_pooled_z__degenerate_arms__say_why():
    control = Counts(visitors=[0, 1, 100, 100, 1000], conversions=[0, 0, 0, 100, 0])
    treatment = Counts(visitors=[0, 1, 100, 100, 1000], conversions=[0, 1, 0, 100, 50])
    reasons = proportions.pooled_z(control, treatment).reason
    assert [Reason(code) for code in reasons] == [
        Reason.NO_UNITS,
        Reason.TOO_FEW_UNITS,
        Reason.NO_VARIANCE,
        Reason.NO_VARIANCE,
        Reason.OK,
    ]


@pytest.mark.parametrize("alpha", [0.0, 1.0, np.nan])
def test_intervals__impossible_alpha__is_refused(alpha):
    arm = Counts(visitors=10, conversions=3)
    with pytest.raises(InvalidInputError, match="alpha"):
        proportions.unpooled_z(arm, arm, alpha=alpha)
