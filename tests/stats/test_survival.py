"""Survival curves against statsmodels and, without censoring, plain means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from stats.life_tables import LifeTable
from stats.results import NotEstimable
from stats.survival import (
    cumulative_incidence,
    kaplan_meier,
    rmst_difference,
    rmst_estimate,
)

VISITORS = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2)), min_size=1, max_size=60)


def sample(seed: int, scale: float = 5.0, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    event, other, seen = (np.ceil(rng.exponential(s, n)) for s in (scale, 9.0, 12.0))
    first = np.minimum(np.minimum(event, other), seen)
    causes = np.where(first == event, 1, np.where(first == other, 2, 0))
    return np.append(first, 40.0), np.append(causes, 0)  # statsmodels needs someone left over


def test_kaplan_meier__censored_sample__agrees_with_statsmodels():
    durations, causes = sample(1)
    curve = kaplan_meier(LifeTable.from_durations(durations, causes == 1))
    expected = SurvfuncRight(durations, causes == 1)
    times = np.unique(durations)
    position = np.searchsorted(times, expected.surv_times)
    np.testing.assert_allclose(curve.survival[position], expected.surv_prob, rtol=1e-12)
    here = curve.survival[position] > 0
    np.testing.assert_allclose(curve.se[position][here], expected.surv_prob_se[here], rtol=1e-10)


def test_kaplan_meier__without_censoring__has_wilsons_interval():
    table = LifeTable.from_durations(np.arange(1, 21), np.ones(20))
    curve = kaplan_meier(table)
    wilson = stats.binomtest(13, 20).proportion_ci(method="wilson")
    assert (curve.ci_low[6], curve.ci_high[6]) == pytest.approx((wilson.low, wilson.high))


def test_cumulative_incidence__competing_causes__agrees_with_statsmodels():
    durations, causes = sample(2)
    curves = cumulative_incidence(LifeTable.from_durations(durations, causes, n_causes=2))
    expected = CumIncidenceRight(durations, causes)
    for cause in range(2):
        np.testing.assert_allclose(curves.incidence[cause], expected.cinc[cause], rtol=1e-12)
        np.testing.assert_allclose(curves.se[cause], expected.cinc_se[cause], rtol=1e-8, atol=1e-12)


@given(VISITORS)
def test_curves__any_visitors__are_finite_and_account_for_everybody(visitors):
    durations, causes = np.array(visitors).T
    table = LifeTable.from_durations(durations, causes, n_causes=2)
    incidence, curve = cumulative_incidence(table), kaplan_meier(table)
    np.testing.assert_allclose(incidence.incidence.sum(axis=0) + curve.survival, 1.0, atol=1e-12)
    assert np.all(np.isfinite(incidence.se))
    assert np.all((curve.ci_low >= 0) & (curve.ci_low <= curve.survival))
    assert np.all((curve.ci_high <= 1) & (curve.ci_high >= curve.survival))


def test_rmst__without_censoring__is_the_mean_of_the_cut_times():
    rng = np.random.default_rng(4)
    durations = rng.exponential(5.0, 300)
    arm = rmst_estimate(LifeTable.from_durations(durations, np.ones(300)), horizon=7.0)
    cut = np.minimum(durations, 7.0)
    assert float(arm.value) == pytest.approx(cut.mean(), rel=1e-12)
    assert float(arm.variance) == pytest.approx(cut.var() / 300, rel=1e-9)


def test_rmst_difference__censored_arms__covers_the_truth_as_often_as_claimed():
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(400):
        arms = []
        for scale in (5.0, 3.0):
            event, seen = rng.exponential(scale, 150), rng.uniform(5, 12, 150)
            arms.append(LifeTable.from_durations(np.minimum(event, seen), event <= seen))
        effect = rmst_difference(arms[0], arms[1], horizon=5.0).at()
        truth = 3 * (1 - np.exp(-5 / 3)) - 5 * (1 - np.exp(-1))
        covered += effect.ci_low <= truth <= effect.ci_high
    assert covered / 400 == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 400))


def test_rmst_difference__arms_exchanged__flips_the_sign():
    one, other = (
        LifeTable.from_durations(*sample(seed)[:1], sample(seed)[1] > 0) for seed in (1, 2)
    )
    forth = rmst_difference(one, other, horizon=6).at()
    back = rmst_difference(other, one, horizon=6).at()
    assert forth.effect_abs == pytest.approx(-back.effect_abs)
    assert forth.ci_low == pytest.approx(-back.ci_high)


def test_rmst__nobody_followed_so_long__says_so():
    table = LifeTable.from_durations([1, 2, 3], [1, 0, 0])
    assert isinstance(rmst_difference(table, table, horizon=5).at(), NotEstimable)
    assert rmst_difference(table, table, horizon=3).at()


def test_kaplan_meier__many_arms__are_estimated_in_one_pass():
    events = np.zeros((2, 3, 1, 4))
    events[..., 1] = 5
    curve = kaplan_meier(LifeTable(times=[1, 2, 3, 4], events=events, censored=np.ones((2, 3, 4))))
    assert curve.survival.shape == (2, 3, 4)
