"""Interaction scan against OLS with a product term, and its false-discovery rate."""

import numpy as np
import pytest
import statsmodels.api as sm

from stats.errors import InvalidInputError
from stats.interactions import scan_interactions
from stats.means import mean_estimate
from stats.moments import Counts, Moments
from stats.proportions import rate_estimate
from stats.results import NotEstimable


def test_scan__one_pair_of_means__is_the_product_term_of_a_regression():
    rng = np.random.default_rng(14)
    first, second = rng.integers(0, 2, (2, 800))
    y = 1.0 + 0.5 * first + 0.2 * second + 0.4 * first * second + rng.normal(0, 1 + first, 800)
    cells = [[Moments.from_values(y[(first == i) & (second == j)]) for j in (0, 1)] for i in (0, 1)]
    table = Moments(
        n=[[[m.n for m in row] for row in cells]],
        mean=[[[m.mean for m in row] for row in cells]],
        m2=[[[m.m2 for m in row] for row in cells]],
    )
    scan = scan_interactions(mean_estimate(table)).at(0)
    design = np.column_stack([np.ones(800), first, second, first * second])
    fit = sm.OLS(y, design).fit(cov_type="HC2")
    assert scan.interaction == pytest.approx(fit.params[3])
    assert scan.se == pytest.approx(fit.bse[3])
    assert scan.p_two_sided == pytest.approx(fit.pvalues[3])


def test_scan__mostly_independent_pairs__finds_the_real_one_and_few_others():
    rng = np.random.default_rng(15)
    rates = np.full((200, 100, 2, 2), 0.1)
    rates[:, 0, 1, 1] = 0.2
    false_share = []
    for run in rates:
        counts = Counts(visitors=np.full(run.shape, 3000), conversions=rng.binomial(3000, run))
        found = scan_interactions(rate_estimate(counts)).p_adjusted <= 0.05
        assert found[0]
        false_share.append(found[1:].sum() / found.sum())
    assert np.mean(false_share) <= 0.05 + 3 * np.std(false_share) / np.sqrt(200)


def test_scan__pair_with_an_empty_cell__is_undefined_and_not_counted():
    full = [[300, 330], [310, 400]]
    alone = scan_interactions(
        rate_estimate(Counts(visitors=np.full((1, 2, 2), 3000), conversions=[full]))
    )
    visitors = np.full((2, 2, 2), 3000)
    visitors[1, 1, 1] = 0
    counts = Counts(visitors=visitors, conversions=[full, [[300, 300], [300, 0]]])
    both = scan_interactions(rate_estimate(counts))
    assert isinstance(both.at(1), NotEstimable)
    assert both.p_adjusted[0] == alone.p_adjusted[0]


def test_scan__cells_of_another_shape__are_refused():
    with pytest.raises(InvalidInputError, match="cells"):
        scan_interactions(rate_estimate(Counts(visitors=[5, 5], conversions=[1, 2])))
