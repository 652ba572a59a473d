"""Projected conversion against the truth of simulated visitors."""

import numpy as np
import pytest
from scipy import stats

from stats.errors import InvalidInputError
from stats.life_tables import LifeTable
from stats.projection import project_conversion, projected_difference
from stats.results import NotEstimable

WINDOW = 14


def young_visitors(rng, *, rate: float, n: int = 2000) -> LifeTable:
    """Visitors who came evenly over 21 days; conversions take 4 days on average."""
    age = rng.integers(1, 22, n)
    delay = np.ceil(rng.exponential(4.0, n)).astype(int)
    converts = (rng.random(n) < rate) & (delay <= WINDOW)
    seen = converts & (delay <= age)
    duration = np.where(seen, delay, np.minimum(age, WINDOW))
    return LifeTable.from_durations(duration, seen)


def test_projection__simulated_visitors__covers_the_final_rate_where_the_observed_is_too_low():
    rng = np.random.default_rng(6)
    truth = 0.2 * (1 - np.exp(-WINDOW / 4))
    rates = [project_conversion(young_visitors(rng, rate=0.2), window=WINDOW) for _ in range(400)]
    covered = np.mean([r.ci_low <= truth <= r.ci_high for r in rates])
    assert covered == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 400))
    assert np.mean([r.observed for r in rates]) < truth - 0.02
    assert np.mean([r.projected for r in rates]) == pytest.approx(truth, abs=0.003)


def test_projection__everybody_matured__is_the_plain_rate():
    table = LifeTable(times=[1, 7], events=[[30, 20]], censored=[0, 950])
    rate = project_conversion(table, window=7).at()
    assert rate.observed == rate.projected == pytest.approx(0.05)
    assert rate.se == pytest.approx(np.sqrt(0.05 * 0.95 / 1000), rel=1e-9)


def test_projection__declines_compete__are_not_taken_for_late_conversions():
    table = LifeTable(times=[1, 2], events=[[100, 0], [0, 500]], censored=[0, 400])
    assert project_conversion(table, window=2).at().projected == pytest.approx(0.1)


def test_projected_difference__two_arms__is_their_z_test():
    a = project_conversion(LifeTable(times=[1, 7], events=[[30, 20]], censored=[0, 950]), window=7)
    b = project_conversion(LifeTable(times=[1, 7], events=[[40, 30]], censored=[0, 930]), window=7)
    effect = projected_difference(a, b).at()
    z = 0.02 / np.sqrt((0.05 * 0.95 + 0.07 * 0.93) / 1000)
    assert effect.p_two_sided == pytest.approx(2 * stats.norm.sf(z), rel=1e-9)


def test_projection__no_window_over_yet__says_so():
    table = LifeTable(times=[1, 2], events=[[3, 1]], censored=[50, 40])
    young = project_conversion(table, window=7)
    assert isinstance(young.at(), NotEstimable)
    assert isinstance(projected_difference(young, young).at(), NotEstimable)


@pytest.mark.parametrize(("window", "cause", "field"), [(0.5, 1, "window"), (2, 2, "cause")])
def test_projection__impossible_question__names_the_field(window, cause, field):
    table = LifeTable(times=[1, 2], events=[[3, 1]], censored=[50, 40])
    with pytest.raises(InvalidInputError, match=field):
        project_conversion(table, window=window, cause=cause)
