"""Covariate adjustment against statsmodels and against what it must not change."""

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from stats.arrays import Reason
from stats.errors import InvalidInputError
from stats.means import welch
from stats.moments import JointMoments
from stats.regression import cuped, cuped_lift, cuped_theta, lin, lin_hc2


@pytest.fixture
def sample(rng):
    """Outcome, treatment flag and two covariates of 400 visitors."""
    x = rng.normal([1.0, 50.0], [2.0, 10.0], (400, 2))
    treated = (rng.random(400) < 0.3).astype(float)
    y = 3 + 0.5 * treated + x @ [0.8, 0.1] + treated * (x[:, 0] - 1) * 0.4 + rng.normal(0, 1, 400)
    return y, treated, x


def arms(y, treated, x):
    rows = np.column_stack([y, x])
    return [JointMoments.from_values(rows[treated == arm]) for arm in (0, 1)]


def full_design(treated, x):
    centred = x - x.mean(axis=0)
    return np.column_stack([np.ones(len(x)), treated, centred, treated[:, None] * centred])


def test_lin__from_moments__has_the_regression_coefficient(sample):
    y, treated, x = sample
    fit = OLS(y, full_design(treated, x)).fit(cov_type="HC2")
    effect = lin(*arms(y, treated, x))
    assert effect.effect_abs == pytest.approx(fit.params[1], rel=1e-9)
    assert effect.se == pytest.approx(fit.bse[1], rel=0.05)


def test_lin_hc2__single_units__equals_the_sandwich_by_hand(sample):
    y, treated, x = sample
    design = full_design(treated, x)
    bread = np.linalg.inv(design.T @ design)
    residual = y - design @ bread @ design.T @ y
    leverage = np.einsum("ij,jk,ik->i", design, bread, design)
    meat = design.T @ (design * (residual**2 / (1 - leverage))[:, None])
    effect = lin_hc2(y, treated, covariates=x)
    assert effect.se == pytest.approx(np.sqrt((bread @ meat @ bread)[1, 1]), rel=1e-9)


def test_cuped__two_covariates__coefficients_are_those_of_the_pooled_regression(sample):
    y, treated, x = sample
    pooled = OLS(y, np.column_stack([np.ones(len(x)), x])).fit()
    np.testing.assert_allclose(cuped_theta(*arms(y, treated, x)), pooled.params[1:], rtol=1e-9)


def test_cuped__covariate_explains_most__standard_error_falls(sample):
    control, treatment = arms(*sample)
    plain = welch(control.marginal(0), treatment.marginal(0))
    assert cuped(control, treatment).se < 0.6 * plain.se
    assert lin(control, treatment).se < 0.6 * plain.se


def test_cuped__constant_or_repeated_covariates__change_nothing(sample):
    y, treated, x = sample
    single = cuped(*arms(y, treated, x[:, :1]))
    more = np.column_stack([x[:, 0], x[:, 0], np.full(len(x), 7.0)])
    repeated = cuped(*arms(y, treated, more))
    assert (repeated.effect_abs, repeated.se) == pytest.approx((single.effect_abs, single.se))
    constant = cuped(*arms(y, treated, np.ones((len(y), 1))))
    control, treatment = arms(y, treated, x)
    plain = welch(control.marginal(0), treatment.marginal(0))
    assert (constant.effect_abs, constant.p_two_sided) == pytest.approx(
        (plain.effect_abs, plain.p_two_sided)
    )


def test_cuped__units_of_the_covariates__change_nothing(sample):
    y, treated, x = sample
    ours, scaled = cuped(*arms(y, treated, x)), cuped(*arms(y, treated, x * [1e-6, 1e6]))
    assert (scaled.effect_abs, scaled.se) == pytest.approx((ours.effect_abs, ours.se), rel=1e-9)


def test_cuped__many_experiments_at_once__equal_each_alone(rng):
    rows = rng.normal(size=(3, 2, 50, 2))
    control, treatment = JointMoments.from_values(rows[:, 0]), JointMoments.from_values(rows[:, 1])
    every, lifts = cuped(control, treatment), cuped_lift(control, treatment)
    for i in range(3):
        pair = [JointMoments.from_values(rows[i, arm]) for arm in (0, 1)]
        assert every.at(i).effect_abs == pytest.approx(cuped(*pair).effect_abs)
        assert lifts.at(i).se_rel == pytest.approx(cuped_lift(*pair).se_rel)


def test_lin__fewer_units_than_coefficients__says_so():
    few = JointMoments.from_values([[1.0, 2.0], [2.0, 1.0]])
    assert lin(few, few).at().reason == Reason.TOO_FEW_UNITS.words


def test_lin_hc2__collinear_covariates__say_so(sample):
    y, treated, x = sample
    effect = lin_hc2(y, treated, covariates=np.column_stack([x, x[:, 0]]))
    assert effect.at().reason == Reason.NO_COVARIATE.words


def test_lin_hc2__treated_flag_of_two__is_refused(sample):
    y, treated, x = sample
    with pytest.raises(InvalidInputError, match="treated"):
        lin_hc2(y, treated + 1, covariates=x)
