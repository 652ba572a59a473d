"""Moments add exactly and keep their digits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stats.errors import InvalidInputError
from stats.moments import Counts, JointMoments, Moments

VALUES = hnp.arrays(np.float64, st.integers(0, 30), elements=st.floats(-1e6, 1e6))


@given(VALUES, VALUES)
def test_moments__batch_is_split__sum_equals_the_whole(left, right):
    merged = Moments.from_values(left) + Moments.from_values(right)
    whole = Moments.from_values(np.concatenate([left, right]))
    assert merged.n == whole.n
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(merged.m2, whole.m2, rtol=1e-9, atol=1e-3)


@given(hnp.arrays(np.float64, (12, 3), elements=st.floats(-100, 100)), st.integers(0, 12))
def test_joint_moments__batch_is_split__sum_equals_the_whole(rows, cut):
    merged = JointMoments.from_values(rows[:cut]) + JointMoments.from_values(rows[cut:])
    whole = JointMoments.from_values(rows)
    np.testing.assert_allclose(merged.means, whole.means, atol=1e-9)
    np.testing.assert_allclose(merged.comoments, whole.comoments, atol=1e-6)


def test_moments__huge_mean_and_small_spread__keep_the_variance(rng):
    values = 1e9 + rng.standard_normal(1000)
    merged = sum(
        (Moments.from_values(v) for v in values.reshape(10, 100)), Moments(n=0, mean=0, m2=0)
    )
    np.testing.assert_allclose(merged.variance, np.var(values - 1e9, ddof=1), rtol=1e-6)


def test_moments__a_billion_units__keep_the_variance():
    half = Moments(n=1e9, mean=5.0, m2=4e10)
    merged = half + Moments(n=1e9, mean=5.001, m2=4e10)
    np.testing.assert_allclose(merged.mean, 5.0005, rtol=1e-15)
    np.testing.assert_allclose(merged.m2, 8e10 + 5e8 * 1e-6, rtol=1e-12)


def test_joint_moments__raw_sums__equal_numpy(rng):
    rows = rng.normal([1.0, 5.0, -2.0], size=(40, 3))
    joint = JointMoments.from_sums(n=40, totals=rows.sum(0), products=rows.T @ rows)
    np.testing.assert_allclose(joint.covariance, np.cov(rows.T), rtol=1e-10)
    np.testing.assert_allclose(joint.marginal(1).variance, np.var(rows[:, 1], ddof=1))


def test_moments__mean_and_sd__round_trip():
    arm = Moments.from_mean_sd(n=[0, 1, 12], mean=10.0, sd=3.0)
    assert arm.variance[2] == pytest.approx(9.0)
    assert np.isnan(arm.variance[:2]).all()


def test_moments__equal_values_from_raw_sums__have_no_variance():
    assert Moments.from_sums(n=3, total=0.3, total_squares=0.1**2 * 3).m2 == 0


@pytest.mark.parametrize(
    "build",
    [
        lambda: Counts(visitors=100, conversions=150),
        lambda: Counts(visitors=-1, conversions=0),
        lambda: Counts(visitors=100, conversions=5.5),
        lambda: Counts(visitors=[100, np.inf], conversions=1),
        lambda: Moments(n=10, mean=np.nan, m2=1.0),
        lambda: Moments(n=10, mean=1.0, m2=-1.0),
        lambda: Moments.from_sums(n=100, total=50.0, total_squares=20.0),
        lambda: Moments.from_sums(n=0, total=5.0, total_squares=20.0),
        lambda: JointMoments(n=5, means=[0.0, 0.0], comoments=[[1.0, 5.0], [5.0, 1.0]]),
        lambda: JointMoments(n=5, means=[0.0, 0.0], comoments=[[1.0]]),
        lambda: JointMoments(n=5, means=[0.0], comoments=[[-1.0]]),
    ],
)
def test_sufficient_statistics__no_data_could_have_them__are_refused(build):
    with pytest.raises(InvalidInputError):
        build()


def test_counts__added__add_both():
    both = Counts(visitors=[10, 20], conversions=[1, 2]) + Counts(visitors=5, conversions=5)
    assert both.visitors.tolist() == [15, 25]
    np.testing.assert_allclose(both.rate, [6 / 15, 7 / 25])
