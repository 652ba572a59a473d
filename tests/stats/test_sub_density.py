"""One step of the sub-density against the bivariate normal distribution."""

import numpy as np
import pytest
from scipy import stats

from stats.sub_density import START, SubDensity, advance, solve_scores, tilted_masses

INFORMATION = np.array([4.0, 10.0])
ERROR = np.array([0.01, 0.02])


@pytest.fixture
def first_look():
    paths = SubDensity.stacked([START, START])
    highest = solve_scores(paths, INFORMATION, ERROR)
    lowest = -9 * np.sqrt(INFORMATION)
    return advance(paths, INFORMATION, lowest=lowest, highest=highest)


def test_first_step__two_experiments__cuts_off_the_error(first_look):
    expected = stats.norm.isf(ERROR) * np.sqrt(INFORMATION)
    np.testing.assert_allclose(first_look.highest, expected, rtol=1e-12)
    np.testing.assert_allclose(first_look.masses.sum(axis=-1), 1 - ERROR, rtol=1e-12)


def test_second_step__two_experiments__crosses_as_the_bivariate_normal(first_look):
    later = 2.5 * INFORMATION
    scores = solve_scores(first_look, later, np.array([0.03, 0.001]))
    for row, error in enumerate([0.03, 0.001]):
        cov = [[INFORMATION[row]] * 2, [INFORMATION[row], later[row]]]
        joint = stats.multivariate_normal(cov=cov)
        below = [first_look.highest[row], scores[row]]
        crossed = 1 - ERROR[row] - joint.cdf(below, rng=np.random.default_rng(1))
        assert crossed == pytest.approx(error, abs=1e-6)


def test_tilted_masses__true_effect__is_the_power_of_one_look(first_look):
    below = tilted_masses(first_look.row(0), 1.3).sum()
    assert below == pytest.approx(stats.norm.cdf(stats.norm.isf(0.01) - 1.3 * 2), abs=1e-9)
