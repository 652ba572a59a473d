"""Strata: statsmodels' tables, and the trap of pooling phases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import StratifiedTable

from stats.arrays import Reason
from stats.effects import z_effect
from stats.moments import Counts
from stats.proportions import pooled_z, unpooled_z
from stats.stratified import cmh, combine_strata, mantel_haenszel_odds_ratio


def test_cmh__tables__equals_statsmodels(rng):
    n = rng.integers(20, 500, (2, 6))
    x = rng.binomial(n, 0.2)
    arms = [Counts(visitors=n[i], conversions=x[i]) for i in (0, 1)]
    tables = [[[x[1, k], n[1, k] - x[1, k]], [x[0, k], n[0, k] - x[0, k]]] for k in range(6)]
    theirs = StratifiedTable([np.array(table) for table in tables])
    ours = cmh(*arms).at()
    assert ours.cmh_chi2 == pytest.approx(theirs.test_null_odds().statistic)
    assert ours.p_two_sided == pytest.approx(theirs.test_null_odds().pvalue)
    assert mantel_haenszel_odds_ratio(*arms).odds_ratio == pytest.approx(theirs.oddsratio_pooled)


def test_combined_and_cmh__ramp_with_a_moving_baseline__keep_their_error(rng):
    shares, rates = np.array([0.05, 0.2, 0.5]), np.array([0.08, 0.05, 0.03])
    treated = rng.binomial(4000, shares, (4000, 3))
    arms = [
        Counts(visitors=n, conversions=rng.binomial(n, rates)) for n in (4000 - treated, treated)
    ]
    pooled = [Counts(visitors=a.visitors.sum(1), conversions=a.conversions.sum(1)) for a in arms]
    assert np.mean(pooled_z(*pooled).p_two_sided < 0.05) > 0.2
    assert np.mean(cmh(*arms).p_two_sided < 0.05) == pytest.approx(0.05, abs=0.012)
    combined = combine_strata(unpooled_z(*arms))
    assert np.mean(combined.p_two_sided < 0.05) == pytest.approx(0.05, abs=0.015)


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(1e-6, 1e6)), min_size=1, max_size=6))
def test_combine_strata__any_strata__equals_the_weighted_mean(strata):
    effects, ses = map(np.array, zip(*strata, strict=True))
    combined = combine_strata(z_effect(effects, ses))
    weights = ses**-2.0
    assert combined.effect_abs == pytest.approx(np.average(effects, weights=weights), abs=1e-12)
    assert combined.se == pytest.approx(weights.sum() ** -0.5)


def test_combine_strata__undefined_strata__are_left_out():
    combined = combine_strata(z_effect([[0.1, 0.0], [0.0, 0.0]], [[0.05, 0.0], [0.0, 0.0]]))
    assert combined.at(0).se == pytest.approx(0.05)
    assert combined.at(1).reason == Reason.NO_INFORMATION.words


def test_cmh__stratum_without_an_arm__adds_nothing():
    control, treatment = Counts(visitors=[500, 80], conversions=[40, 9]), [500, 0]
    both = cmh(control, Counts(visitors=treatment, conversions=[44, 0]))
    one = cmh(Counts(visitors=[500], conversions=[40]), Counts(visitors=[500], conversions=[44]))
    assert both.cmh_chi2 == pytest.approx(one.cmh_chi2)
    assert both.risk_difference == pytest.approx(one.risk_difference)


def test_cmh__dead_control__still_tests():
    dead = Counts(visitors=[1000, 1000], conversions=[0, 0])
    alive = Counts(visitors=[1000, 1000], conversions=[20, 30])
    assert cmh(dead, alive).p_two_sided < 1e-10
    assert mantel_haenszel_odds_ratio(dead, alive).at().reason == Reason.ZERO_BASELINE.words
