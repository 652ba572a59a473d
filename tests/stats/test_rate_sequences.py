"""The confidence sequence of one rate: mirrored, covering at all times, sharp when large."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stats.errors import InvalidInputError
from stats.rate_sequences import bernoulli_cs
from stats.results import NotEstimable


@given(st.integers(0, 300), st.integers(0, 300))
def test_bernoulli_cs__converted_and_not_exchanged__mirrors_the_interval(converted, rest):
    visitors = max(converted + rest, 1)
    one = bernoulli_cs(min(converted, visitors), visitors, t_opt=200)
    other = bernoulli_cs(visitors - min(converted, visitors), visitors, t_opt=200)
    np.testing.assert_allclose(one.ci_low, 1 - other.ci_high, atol=1e-12)
    assert one.ci_low <= converted / visitors <= one.ci_high or converted + rest == 0


def test_bernoulli_cs__simulated_rate__is_covered_at_all_times_together():
    rng = np.random.default_rng(3)
    conversions = np.cumsum(rng.random((1000, 200)) < 0.1, axis=1)[:, 9::10]
    cs = bernoulli_cs(conversions, np.arange(10, 201, 10), alpha=0.1, t_opt=100)
    missed = np.mean(np.any((cs.ci_low > 0.1) | (cs.ci_high < 0.1), axis=1))
    assert missed <= 0.1 + 3 * np.sqrt(0.09 / 1000)


def test_bernoulli_cs__billion_visitors__is_wider_than_the_fixed_interval_but_near():
    cs = bernoulli_cs(5 * 10**7, 10**9, t_opt=10**9).at()
    fixed = stats.norm.isf(0.025) * np.sqrt(0.05 * 0.95 / 10**9)
    assert fixed < cs.ci_high - 0.05 < 3 * fixed


def test_bernoulli_cs__nobody_yet__says_so():
    assert isinstance(bernoulli_cs(0, 0, t_opt=10).at(), NotEstimable)


def test_bernoulli_cs__more_conversions_than_visitors__is_refused():
    with pytest.raises(InvalidInputError, match="conversions"):
        bernoulli_cs(6, 5, t_opt=10)
