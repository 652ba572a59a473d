"""The planned split: SciPy's chi-square, the mixture by simulation, and alarms under the null."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from stats.arrays import Reason
from stats.errors import InvalidInputError
from stats.sample_ratio import (
    dirichlet_multinomial_log_e,
    sample_ratio_chi2,
    sample_ratio_e_value,
)


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=5))
def test_chi2__any_counts__equals_scipy(observed):
    ours = sample_ratio_chi2(observed, np.ones(len(observed)))
    if sum(observed) == 0:
        assert ours.at().reason == Reason.NO_UNITS.words
        return
    theirs = scipy_stats.chisquare(observed)
    assert (ours.chi2, ours.p_value) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-6)


def test_chi2__experiments_at_once__weights_are_normalised():
    tests = sample_ratio_chi2([[900, 100], [500, 500]], [9, 1])
    assert tests.p_value[0] == pytest.approx(1.0)
    assert tests.p_value[1] < 1e-12


def test_log_e__two_cells__equals_scipy_beta_binomial():
    observed, shares = np.array([60.0, 40.0]), np.array([0.7, 0.3])
    mixture = scipy_stats.betabinom(100, 70, 30).logpmf(60)
    null = scipy_stats.binom(100, 0.7).logpmf(60)
    log_e = dirichlet_multinomial_log_e(observed, shares, concentration=100.0)
    assert log_e == pytest.approx(mixture - null)


def test_e_value__planned_split_looked_at_each_hour__alarms_at_most_one_in_a_thousand(rng):
    hourly = rng.multinomial(50, [0.5, 0.3, 0.2], size=(4000, 300))
    test = sample_ratio_e_value(hourly.cumsum(axis=1), [5, 3, 2])
    alarms = np.mean(test.p_always_valid[:, -1] < 0.001)
    assert alarms <= 0.001 + 3 * np.sqrt(0.001 / 4000)


def test_e_value__52_to_48_split__is_found(rng):
    hourly = rng.multinomial(100, [0.52, 0.48], size=(300, 300))
    test = sample_ratio_e_value(hourly.cumsum(axis=1), [1, 1])
    assert np.mean(test.p_always_valid[:, -1] < 0.001) >= 0.99


def test_e_value__look_without_new_visitors__changes_nothing():
    test = sample_ratio_e_value([[50, 60], [50, 60], [90, 91]], [1, 1])
    assert test.log_e_value[0] == test.log_e_value[1]
    assert (np.diff(test.p_always_valid) <= 0).all()


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=4))
def test_e_value__any_counts__is_finite(observed):
    test = sample_ratio_e_value([observed], np.ones(len(observed))).at(0)
    assert np.isfinite(test.log_e_value)
    assert 0 <= test.p_always_valid <= 1


@pytest.mark.parametrize(
    ("counts", "weights"),
    [([[10, 10], [9, 12]], [1, 1]), ([[10, -1]], [1, 1]), ([[10, 10]], [1, 0]), ([[1, 1]], [1])],
)
def test_e_value__impossible_looks_or_weights__are_refused(counts, weights):
    with pytest.raises(InvalidInputError):
        sample_ratio_e_value(counts, weights)
