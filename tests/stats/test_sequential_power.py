"""Sequential power against simulation and the fixed test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stats.errors import InvalidInputError
from stats.group_sequential import replay
from stats.sequential_power import sequential_drift, sequential_power


def test_sequential_power__simulated_looks__agrees():
    rng = np.random.default_rng(2)
    looks, runs, drift = 28, 40_000, 2.8
    fractions = np.arange(1, looks + 1) / looks
    bounds, _ = replay([(t, t) for t in fractions], alpha=0.05)
    limits = [bound if isinstance(bound, float) else np.inf for bound in bounds]
    score = np.cumsum(rng.normal(drift / looks, np.sqrt(1 / looks), (runs, looks)), axis=1)
    found = np.mean(np.any(score / np.sqrt(fractions) >= limits, axis=1))
    assert float(sequential_power(drift)) == pytest.approx(found, abs=4 * 0.4 / np.sqrt(runs))


@pytest.mark.parametrize("alpha", [0.01, 0.045])
def test_sequential_drift__one_look__is_the_fixed_test(alpha):
    fixed = stats.norm.isf(alpha) + stats.norm.ppf(0.9)
    assert sequential_drift(0.9, alpha=alpha, looks=1) == pytest.approx(fixed, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.3, 0.99), st.floats(0.005, 0.1))
def test_sequential_drift__any_power__costs_little_more_than_the_fixed_test(power, alpha):
    fixed = stats.norm.isf(alpha) + stats.norm.ppf(power)
    inflation = (sequential_drift(power, alpha=alpha) / fixed) ** 2
    assert 1 < inflation < 1.15
    assert float(sequential_power(sequential_drift(power, alpha=alpha), alpha=alpha)) == (
        pytest.approx(power, abs=1e-9)
    )


def test_sequential_drift__hourly_looks__cost_less_than_two_percent_of_the_sample():
    assert (sequential_drift(0.8, looks=672) / sequential_drift(0.8)) ** 2 < 1.02


def test_sequential_power__impossible_design__names_the_field():
    with pytest.raises(InvalidInputError, match="looks"):
        sequential_power(1.0, looks=0)
    with pytest.raises(InvalidInputError, match="drift"):
        sequential_power(float("nan"))
