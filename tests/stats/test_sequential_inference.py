"""Stage-wise inference against SciPy's bivariate normal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stats.errors import InvalidInputError
from stats.group_sequential import SequentialState, replay
from stats.results import NotEstimable
from stats.sequential_inference import (
    repeated_interval,
    stagewise_estimate,
    stagewise_p_value,
)
from stats.spending import pocock

INFORMATION = (400.0, 1000.0)


def two_looks() -> tuple[list[float], SequentialState]:
    return replay(zip((0.4, 1.0), INFORMATION, strict=True), spending=pocock, alpha=0.05)


def less_extreme(bound: float, z: float, effect: float) -> float:
    """P(first look not crossed and second z below `z`) from SciPy."""
    mean = effect * np.sqrt(INFORMATION)
    correlation = np.sqrt(INFORMATION[0] / INFORMATION[1])
    joint = stats.multivariate_normal(mean, [[1, correlation], [correlation, 1]])
    return float(joint.cdf([bound, z], rng=np.random.default_rng(1)))


@pytest.mark.parametrize("z", [-2.0, 0.3, 1.8, 2.4, 4.0])
def test_stagewise_estimate__second_look__splits_the_distribution_as_claimed(z):
    bounds, state = two_looks()
    estimate = stagewise_estimate(state, z, information=INFORMATION[1], alpha=0.1)
    claimed = [
        less_extreme(bounds[0], z, effect)
        for effect in (estimate.ci_low, estimate.effect, estimate.ci_high)
    ]
    np.testing.assert_allclose(claimed, [0.95, 0.5, 0.05], atol=1e-4)
    assert estimate.p_greater == pytest.approx(1 - less_extreme(bounds[0], z, 0.0), abs=1e-4)


def test_stagewise_estimate__first_look__is_the_fixed_estimate():
    _, state = replay([(0.4, 400.0)], spending=pocock)
    estimate = stagewise_estimate(state, 2.5, information=400.0)
    z = np.array([2.5 - 1.959964, 2.5, 2.5 + 1.959964])
    np.testing.assert_allclose(
        [estimate.ci_low, estimate.effect, estimate.ci_high], z / 20, atol=1e-6
    )


def test_stagewise_estimate__late_crossing__is_smaller_than_the_raw_effect():
    _, state = two_looks()
    estimate = stagewise_estimate(state, 2.2, information=INFORMATION[1])
    assert 0 < estimate.effect < 2.2 / np.sqrt(INFORMATION[1])


def test_stagewise_p_value__exactly_on_the_last_bound__is_alpha():
    bounds, state = two_looks()
    p_value = stagewise_p_value(state, bounds[1], information=INFORMATION[1])
    assert p_value == pytest.approx(0.05, abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.floats(-40, 40), st.floats(-40, 40))
def test_stagewise_p_value__larger_z__is_never_larger(first, second):
    _, state = two_looks()
    small, large = sorted((first, second))
    p_small = stagewise_p_value(state, small, information=INFORMATION[1])
    p_large = stagewise_p_value(state, large, information=INFORMATION[1])
    assert 0 <= p_large <= p_small <= 1


@pytest.mark.parametrize("z", [-35.0, -3.001, -2.999, 0.0, 35.0])
def test_stagewise_estimate__extreme_z__stays_finite_and_ordered(z):
    _, state = two_looks()
    estimate = stagewise_estimate(state, z, information=INFORMATION[1])
    assert np.all(np.isfinite([estimate.ci_low, estimate.effect, estimate.ci_high]))
    assert estimate.ci_low < estimate.effect < estimate.ci_high


def test_stagewise__two_sided_design__is_refused():
    _, state = replay([(1.0, 10.0)], two_sided=True)
    with pytest.raises(InvalidInputError, match="one-sided"):
        stagewise_p_value(state, 1.0, information=10.0)


def test_repeated_interval__simulated_looks__hold_together():
    rng = np.random.default_rng(7)
    information = np.arange(1.0, 11.0)
    bounds, _ = replay([(k / 10, k) for k in information], spending=pocock, alpha=0.025)
    z = np.cumsum(rng.normal(size=(20_000, 10)), axis=1) / np.sqrt(information)
    effect, se = z / np.sqrt(information), 1 / np.sqrt(information)
    intervals = [
        repeated_interval(effect[:, k], se[k], bound=bounds[k]) for k in range(len(information))
    ]
    covered = np.all([(i.ci_low <= 0) & (i.ci_high >= 0) for i in intervals], axis=0)
    assert np.mean(covered) >= 0.95 - 4 * np.sqrt(0.05 * 0.95 / 20_000)


def test_repeated_interval__no_bound_yet__says_why():
    missing = NotEstimable("no error probability can be spent at this look yet")
    assert repeated_interval(0.1, 0.05, bound=missing) is missing
