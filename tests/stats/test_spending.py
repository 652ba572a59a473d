"""Spending functions against the golden formulas and their own algebra."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stats.errors import InvalidInputError
from stats.spending import obrien_fleming, pocock, power_family

ALL = [obrien_fleming, pocock, power_family(2.0)]


@pytest.mark.parametrize("spending", ALL)
def test_spending__at_both_ends__is_nothing_and_everything(spending):
    np.testing.assert_allclose(spending([0.0, 1.0, 1.7], 0.025), [0.0, 0.025, 0.025], atol=1e-15)


@pytest.mark.parametrize("spending", ALL)
@given(st.lists(st.floats(0, 2), min_size=2, max_size=20), st.floats(0.001, 0.2))
def test_spending__as_time_passes__never_falls(spending, fractions, alpha):
    spent = spending(sorted(fractions), alpha)
    assert np.all(np.diff(spent) >= -1e-15)
    assert np.all((spent >= 0) & (spent <= alpha * (1 + 1e-12)))


def test_obrien_fleming__halfway__equals_its_definition():
    expected = 2 * stats.norm.sf(stats.norm.isf(0.0125) / np.sqrt(0.5))
    assert obrien_fleming(0.5, 0.025) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("spending", ALL)
def test_spending__without_a_valid_alpha_or_fraction__names_the_field(spending):
    with pytest.raises(InvalidInputError, match="alpha"):
        spending(0.5, 1.5)
    with pytest.raises(InvalidInputError, match="calendar_fraction"):
        spending(float("nan"), 0.05)
