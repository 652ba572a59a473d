"""Power of fixed tests against statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.power import TTestIndPower

from stats.errors import InvalidInputError
from stats.power import (
    mde_mean,
    mde_two_proportions,
    power_two_proportions,
    sample_size_two_proportions,
)
from stats.results import NotEstimable


@pytest.mark.parametrize("alternative", ["two_sided", "greater"])
@given(
    st.floats(0.01, 0.9),
    st.floats(0.01, 0.3),
    st.floats(0.2, 5),
    st.floats(0.5, 0.95),
)
def test_sample_size__fed_back__gives_the_power_asked_for(alternative, rate, lift, ratio, power):
    treated = min(rate * (1 + lift), 0.99)
    n = sample_size_two_proportions(
        rate, treated, power=power, treatment_ratio=ratio, alternative=alternative
    )
    reached = power_two_proportions(
        rate, treated, n_control=n, n_treatment=n * ratio, alternative=alternative
    )
    far_tail = 0.025 if alternative == "two_sided" else 0.0
    assert power - 1e-9 <= float(reached) <= power + far_tail + 1e-9


@pytest.mark.parametrize(("n_total", "ratio", "power"), [(40, 1.0, 0.8), (900, 3.0, 0.95)])
def test_mde_mean__small_and_uneven_samples__agree_with_statsmodels(n_total, ratio, power):
    control = n_total / (1 + ratio)
    expected = TTestIndPower().solve_power(nobs1=control, ratio=ratio, alpha=0.05, power=power)
    found = mde_mean(3.0, n_total=n_total, treatment_ratio=ratio, power=power)
    assert float(found) == pytest.approx(3.0 * expected, rel=1e-6)


@pytest.mark.parametrize("alternative", ["two_sided", "greater"])
def test_mde_two_proportions__fed_back__gives_the_power_asked_for(alternative):
    rates, sizes = np.array([[0.01], [0.2], [0.7]]), np.array([200.0, 5000.0, 1e6])
    plan = {"n_control": sizes, "n_treatment": 2 * sizes, "alternative": alternative}
    mde = mde_two_proportions(rates, power=0.9, **plan)
    reached = power_two_proportions(rates, rates + mde.effect_abs, **plan)
    np.testing.assert_allclose(reached, 0.9, atol=1e-9)
    np.testing.assert_allclose(mde.effect_rel, mde.effect_abs / rates)


def test_mde_two_proportions__four_visitors__is_undefined():
    assert isinstance(mde_two_proportions(0.5, n_control=2, n_treatment=2).at(), NotEstimable)


def test_power__grid_of_plans__is_computed_in_one_pass():
    power = power_two_proportions(
        0.05, [[0.05], [0.055], [0.06]], n_control=[1000, 9000], n_treatment=9000
    )
    assert power.shape == (3, 2)
    assert np.all(np.diff(power, axis=0) > 0)
    np.testing.assert_allclose(power[0, 1], 0.05, atol=1e-9)


def test_power__impossible_input__names_the_field():
    with pytest.raises(InvalidInputError, match="rate_treatment"):
        sample_size_two_proportions(0.1, 0.1)
    with pytest.raises(InvalidInputError, match="rate_control"):
        power_two_proportions(1.2, 0.1, n_control=10, n_treatment=10)
    with pytest.raises(InvalidInputError, match="n_total"):
        mde_mean(1.0, n_total=2)
    with pytest.raises(InvalidInputError, match="power"):
        mde_mean(1.0, n_total=20, power=0.01)
    with pytest.raises(InvalidInputError, match="power"):
        mde_two_proportions(0.1, n_control=20, n_treatment=20, power=0.01)
