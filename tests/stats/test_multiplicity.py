"""Adjustments against brute force over all subsets, and their order."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.errors import InvalidInputError
from stats.multiplicity import adjust_p_values, closed_e_values, e_bh_rejections

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)
E_VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=7)


@given(P_VALUES)
def test_adjusted_p_values__any_list__are_ordered_by_how_much_they_protect(p_values):
    names = ("hommel", "hochberg", "holm", "bonferroni")
    adjusted = [adjust_p_values(p_values, name) for name in names]
    for milder, stricter in pairwise(adjusted):
        assert (milder <= stricter + 1e-12).all()
    assert (adjust_p_values(p_values, "bh") <= adjusted[-1] + 1e-12).all()


@given(P_VALUES)
def test_holm__any_list__equals_closed_testing_by_bonferroni(p_values):
    p = np.array(p_values)
    groups = [list(g) for size in range(1, p.size + 1) for g in combinations(range(p.size), size)]
    expected = [max(min(1, len(g) * p[g].min()) for g in groups if i in g) for i in range(p.size)]
    np.testing.assert_allclose(adjust_p_values(p, "holm"), expected, atol=1e-12)


@given(E_VALUES)
def test_closed_e_values__any_list__equal_the_smallest_mean_of_all_subsets(e_values):
    e = np.array(e_values)
    groups = [list(g) for size in range(1, e.size + 1) for g in combinations(range(e.size), size)]
    expected = [min(e[g].mean() for g in groups if i in g) for i in range(e.size)]
    np.testing.assert_allclose(closed_e_values(e), expected, rtol=1e-9, atol=1e-12)


@given(E_VALUES, st.floats(0.01, 0.5))
def test_e_bh__any_list__rejects_the_largest_self_consistent_set(e_values, alpha):
    e = np.array(e_values)
    sizes = [k for k in range(1, e.size + 1) if np.sum(e >= e.size / (alpha * k)) >= k]
    assert e_bh_rejections(e, alpha).sum() >= max(sizes, default=0)
    rejected = e_bh_rejections(e, alpha)
    if rejected.any():
        assert e[rejected].min() >= e.size / (alpha * rejected.sum()) * (1 - 1e-12)


@pytest.mark.parametrize("adjust", [lambda p: adjust_p_values(p, "bh"), closed_e_values])
@pytest.mark.parametrize("values", [[0.1, np.nan], [-0.1], 0.5])
def test_adjustments__missing_or_impossible_value__are_refused(adjust, values):
    with pytest.raises(InvalidInputError):
        adjust(values)


def test_adjusted_p_values__no_question__is_empty():
    assert adjust_p_values([], "holm").size == 0
